r"""What the grammar of decoding knows of tokens, and what it asks of an automaton.

A sequence belongs to the dialect of :mod:`inktex.latex.tree` where it parses and is printed as it stands:
`to_tokens(parse(s)) == s`. A pushdown automaton for each direction, :mod:`inktex.decoding.grammar_forward`
and :mod:`inktex.decoding.grammar_backward`, keeps a stack with a level for every group, option, fence and
environment that is open, and a level says what may come next in it. What may be attached to an atom on its
right, `\limits`, `_` and `^`, is counted in the order in which it is written.

The column specification of an array is read as what it looks like, a group that begins the first cell.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from inktex.latex.tree import ARITY, DELIMITERS, LIMIT_OPERATORS, OPTIONAL_ARGUMENT, SCRIPTS

# What stands on the right of an atom, in the order in which it is written.
ATTACHED: tuple[str, ...] = (r"\limits", *SCRIPTS)
BREAKS = ("&", r"\\")  # between cells and rows of an environment

Level = TypeVar("Level")


class Automaton(Protocol[Level]):
    """The dialect read in one direction; a stack is a tuple of levels, the outermost first."""

    @property
    def start(self) -> tuple[Level, ...]:
        """The stack before the first token."""
        ...

    def after(self, stack: tuple[Level, ...], token: str) -> Iterator[tuple[Level, ...]]:
        """Yield the stacks that a token leads to."""
        ...

    def rest(self, stack: tuple[Level, ...]) -> float:
        """Return how many tokens complete the formula at least; infinite where nothing does."""
        ...


def usable(tokens: Iterable[str]) -> frozenset[str]:
    """Leave out the tokens whose partners a vocabulary lacks, since they would lead into a dead end."""
    given = frozenset(tokens)
    braces = {"{", "}"} <= given
    fences = {r"\left", r"\right"} <= given and not given.isdisjoint(DELIMITERS)

    def keeps(token: str) -> bool:
        if token in ("{", "}", *SCRIPTS) or token in ARITY:
            return braces
        if token in (r"\left", r"\right"):
            return fences
        return partner(token) in given

    return frozenset(filter(keeps, given))


def kind(token: str) -> tuple[object, ...]:
    """Return what the automata know of a token; tokens of one kind may stand for one another."""
    head = token in LIMIT_OPERATORS
    if token in ARITY:
        return ARITY[token], token in OPTIONAL_ARGUMENT, head
    return "symbol" if is_symbol(token) else token, token in DELIMITERS, head


def partner(token: str) -> str:
    r"""Return `\end{x}` for `\begin{x}` and the other way round; any other token is its own."""
    for one, other in ((r"\begin{", r"\end{"), (r"\end{", r"\begin{")):
        if token.startswith(one):
            return other + token.removeprefix(one)
    return token


def is_symbol(token: str) -> bool:
    """Tell whether a token is always plain: no part of any construct, unless as a delimiter."""
    structural = ("{", "}", "[", "]", r"\left", r"\right", *ATTACHED, *BREAKS)
    return token not in structural and token not in ARITY and partner(token) == token
