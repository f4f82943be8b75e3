"""The dialect read from the right.

Here one stack does not do. The `]` before `{ x }` is a symbol or ends an option, and only what stands before
the option tells: such a token leads to two stacks, of which one comes to nothing.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from inktex.decoding.grammar_tokens import ATTACHED, BREAKS, partner
from inktex.latex.tree import (
    ARITY,
    DELIMITERS,
    LIMIT_OPERATORS,
    MAX_DEPTH,
    OPTIONAL_ARGUMENT,
    SCRIPTS,
)

_MOST_ARGUMENTS = max(ARITY.values())
_WITH_OPTION = 1  # arguments of every command that may have an option

# What has to stand on the left of a place, by the first of ``ATTACHED`` on its right: after `\limits` (0) an
# operator that carries them, otherwise anything; after a script only the earlier ones of ``ATTACHED``.
_IMPOSSIBLE, _OPERATOR, _ANYTHING = -1, 0, len(ATTACHED)


class Behind(NamedTuple):
    r"""A level read from the right.

    Attributes:
        open: the token that opens it; "[" for an option, "" for the whole formula.
        right: for k = 0, 1, ... what stands on the right of this place when the k groups read last are
            arguments of what stands on its left: place of the first in ``ATTACHED``, or ``_ANYTHING``; or
            ``_IMPOSSIBLE``. So ``right[0]`` is for groups that are atoms.
        last: the token read last if it is a delimiter, else "".
        outside: tokens that complete what the level stands in.
    """

    open: str
    right: tuple[int, ...] = (_ANYTHING,)
    last: str = ""
    outside: float = 0

    def takes(self, groups: int = 0, token: str = "") -> bool:
        """Tell whether an atom may end here that has so many of the groups for arguments of a token.

        Where a symbol may, a row may begin as well: scripts need no base.
        """
        least = _OPERATOR if token in LIMIT_OPERATORS else _OPERATOR + 1
        return len(self.right) > groups and self.right[groups] >= least

    def before(self, *right: int, last: str = "") -> "Behind":
        """Return the level some tokens further to the left."""
        return Behind(self.open, right, last, self.outside)

    def closing(self) -> int:
        """Return how many tokens close the level if a row may begin here."""
        if self.open == "[":
            return 1 if self.last == "[" else 2
        if self.open == r"\left":
            return 1 if self.last else 2
        return int(self.open != "")


class Backward:
    """The dialect read from the right.

    Args:
        tokens: those that may be written, all of them ``usable``.
    """

    def __init__(self, tokens: frozenset[str]) -> None:
        self.start = (Behind(""),)
        self._option = "[" in tokens and not tokens.isdisjoint(OPTIONAL_ARGUMENT)
        operators = [ARITY.get(token, 0) for token in tokens & LIMIT_OPERATORS]
        # By the number of groups that stand there already: tokens of the shortest operator with arguments.
        self._operator = [
            min((1 + 2 * (arity - groups) for arity in operators if arity >= groups), default=math.inf)
            for groups in range(_MOST_ARGUMENTS + 1)
        ]

    def after(self, stack: tuple[Behind, ...], token: str) -> Iterator[tuple[Behind, ...]]:
        """Yield the stacks that a token leads to."""
        outer, level = stack[:-1], stack[-1]
        free = level.before(_ANYTHING)
        row = level.takes()  # whether a row may begin here
        if token == "}":
            atom = _ANYTHING if row else _IMPOSSIBLE
            grown = level.before(*(atom, *level.right)[: _MOST_ARGUMENTS + 1])
            yield *outer, grown, self._inner(grown, "{")
        elif token == "{" or token.startswith(r"\begin{"):
            if row and token == level.open:
                yield outer
        elif token in ATTACHED:
            place, groups = ATTACHED.index(token), int(token in SCRIPTS)
            if len(level.right) > groups and place < level.right[groups]:
                yield *outer, level.before(place)
        elif token in ARITY:
            if level.takes(ARITY[token], token):
                yield *outer, free
            if level.open == level.last == "[" and token in OPTIONAL_ARGUMENT:
                yield outer
        elif token == r"\right":
            if level.last:
                yield *outer, free, self._inner(free, r"\left")
        elif token == r"\left":
            if level.last and token == level.open:
                yield outer
        elif token.startswith(r"\end{"):
            if row:
                yield *outer, free, self._inner(free, partner(token))
        elif token in BREAKS:
            if row and level.open.startswith(r"\begin{"):
                yield *outer, free
        else:
            yield from self._symbol(outer, level, token)

    def rest(self, stack: tuple[Behind, ...]) -> float:
        """Return how many tokens complete the formula at least; infinite where nothing does."""
        opens = self._left(stack[-1]) > 1
        return math.inf if len(stack) + opens > MAX_DEPTH + 1 else self._rest(stack[-1])

    def _symbol(self, outer: tuple[Behind, ...], level: Behind, token: str) -> Iterator[tuple[Behind, ...]]:
        if token == "]" and self._option and level.takes(_WITH_OPTION):
            free = level.before(_ANYTHING)
            yield *outer, free, self._inner(free, "[")
        if level.takes(0, token):
            # On the level of an option, "]" would end it: here it is the delimiter of a fence, or nothing.
            right = _IMPOSSIBLE if token == "]" and level.open == "[" else _ANYTHING
            yield *outer, level.before(right, last=token if token in DELIMITERS else "")

    def _inner(self, level: Behind, opening: str) -> Behind:
        """Return a level in a level."""
        return Behind(opening, outside=self._rest(level))

    def _rest(self, level: Behind) -> float:
        """Return how many tokens complete a level and what it stands in."""
        return self._left(level) + level.closing() + level.outside

    def _left(self, level: Behind) -> float:
        r"""Return how many tokens come before a row may begin; more than 1 where one of them opens one."""
        if level.right[0] > _OPERATOR:
            return 0
        if level.last:  # a delimiter that has to be that of a fence: `\left D \right`
            return 3
        waiting = [self._operator[groups] for groups, on in enumerate(level.right) if on == _OPERATOR]
        return min(waiting, default=math.inf)
