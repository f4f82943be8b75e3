"""The dialect read from the left: one stack says what may follow."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from inktex.decoding.grammar_tokens import ATTACHED, BREAKS, is_symbol, partner
from inktex.latex.tree import (
    ARITY,
    DELIMITERS,
    LIMIT_OPERATORS,
    MAX_DEPTH,
    OPTIONAL_ARGUMENT,
    PAIRS,
    SCRIPTS,
)

# Tokens that what is due in a level takes at least, a fence with its end included.
_DUE: dict[str, int] = {"[": 0, "{": 2, r"\left": 3, r"\right": 1}


class Ahead(NamedTuple):
    r"""A level read from the left.

    Attributes:
        close: the token that closes it, "" for the whole formula.
        attached: how many of ``ATTACHED`` the last atom cannot take; 0 for an operator such as `\sum`.
        due: what has to come next: "{" a braced argument, "[" an option, which may be left out, `\left` the
            delimiter that opens a fence, `\right` the one that closes it.
        outside: tokens that complete what the level stands in.
    """

    close: str
    attached: int = 1
    due: tuple[str, ...] = ()
    outside: int = 0

    def rest(self) -> int:
        """Return how many tokens complete the level and what it stands in."""
        return sum(_DUE[each] for each in self.due) + (self.close != "") + self.outside

    def inner(self, close: str) -> "Ahead":
        """Return a level in this one."""
        return Ahead(close, outside=self.rest())


class Forward:
    """The dialect read from the left.

    Args:
        tokens: those that may be written, all of them ``usable``.
    """

    def __init__(self, tokens: frozenset[str]) -> None:
        self.start = (Ahead(""),)
        self._option = ("[",) if "]" in tokens else ()

    def after(self, stack: tuple[Ahead, ...], token: str) -> Iterator[tuple[Ahead, ...]]:
        """Yield the stack that a token leads to, or nothing."""
        outer, level = stack[:-1], stack[-1]
        if level.due:
            yield from self._due(outer, level, token)
        elif level.close and token == level.close:
            yield outer
        else:
            yield from self._atom(outer, level, token)

    def rest(self, stack: tuple[Ahead, ...]) -> float:
        """Return how many tokens complete the formula at least; infinite where nothing does."""
        opens = not {"{", r"\left"}.isdisjoint(stack[-1].due)
        return math.inf if len(stack) + opens > MAX_DEPTH + 1 else stack[-1].rest()

    def _due(self, outer: tuple[Ahead, ...], level: Ahead, token: str) -> Iterator[tuple[Ahead, ...]]:
        wanted, *later = level.due
        if wanted == "[" and token != "[":
            wanted, *later = later
        after = level._replace(due=tuple(later))
        if wanted == token == "{":
            yield *outer, after, after.inner("}")
        elif wanted == token == "[":
            yield *outer, after, after.inner("]")
        elif wanted == r"\left" and token in DELIMITERS:
            fence = level._replace(due=(PAIRS[wanted],))
            yield *outer, fence, fence.inner(PAIRS[wanted])
        elif wanted == r"\right" and token in DELIMITERS:
            yield *outer, after

    def _atom(self, outer: tuple[Ahead, ...], level: Ahead, token: str) -> Iterator[tuple[Ahead, ...]]:
        """Yield what follows where nothing is due: an atom, or what is attached to the last one."""
        done = level._replace(attached=0 if token in LIMIT_OPERATORS else 1)
        if token in ATTACHED:
            place = ATTACHED.index(token)
            if place >= level.attached:
                yield *outer, level._replace(attached=place + 1, due=("{",) if token in SCRIPTS else ())
        elif token in ARITY:
            option = self._option if token in OPTIONAL_ARGUMENT else ()
            yield *outer, done._replace(due=(*option, *["{"] * ARITY[token]))
        elif token == "{":
            yield *outer, done, done.inner(PAIRS[token])
        elif token == r"\left":
            yield *outer, done._replace(due=(token,))
        elif token.startswith(r"\begin{"):
            yield *outer, done, done.inner(partner(token))
        elif token in BREAKS:
            if level.close.startswith(r"\end{"):
                yield *outer, done
        elif is_symbol(token) or token in ("[", "]"):
            yield *outer, done
