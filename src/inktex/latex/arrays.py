r"""Arrays of a row that stand between delimiters, and where lines of equations are aligned."""

from collections.abc import Iterator, Sequence

from inktex.latex.spacing import Kind, head, kinds
from inktex.latex.tokens import commands
from inktex.latex.tree import Environment, Node, Script, Symbol

# Arrays without delimiters of their own, what may stand round them as a plain symbol, and what may not come
# before that, since it takes the symbol for itself.
_BARE_ARRAYS = frozenset({"matrix", "array"})
_AROUND: dict[str, str] = {"(": ")", "[": "]", "|": "|", r"\{": r"\}", r"\|": r"\|"}
_TAKES_DELIMITER = frozenset(commands("big Big bigg Bigg bigl Bigl biggl Biggl not middle"))
# Relations that join statements, and those that come before one.
_JOINS = frozenset(
    {":", *commands("therefore because Rightarrow Leftarrow Leftrightarrow rightarrow uparrow downarrow")}
)


def arrays_between(items: Sequence[Node]) -> Iterator[tuple[int, str]]:
    r"""Yield where arrays stand between plain delimiters, which have to be as high, and what closes each.

    The symbol before such an array opens; what closes is the symbol after it, which may carry scripts, or
    nothing after a brace that stands alone, as before several cases.

    Args:
        items: of a row.
    """
    free = 0  # the first item that is none of an array's
    for place in range(1, len(items)):
        opening, array = items[place - 1], items[place]
        after = items[place + 1] if place + 1 < len(items) else None
        before = items[place - 2] if place > 1 else None
        taken = isinstance(before, Symbol) and before.token in _TAKES_DELIMITER
        if place <= free or taken or not isinstance(opening, Symbol) or opening.token not in _AROUND:
            continue
        if not isinstance(array, Environment) or array.name not in _BARE_ARRAYS:
            continue
        closing = Symbol(_AROUND[opening.token])
        if after == closing or (isinstance(after, Script) and after.base == closing):
            free = place + 2
            yield place, closing.token
        elif opening.token == r"\{":
            yield place, ""


def alignment(items: Sequence[Node]) -> int | None:
    r"""Return the place of the relation at which a line is aligned with others, or None if it has none.

    That is the first one, but for those that join statements (`\Rightarrow`) where there are others.
    """
    relations = [place for place, kind in enumerate(kinds(items)) if kind is Kind.RELATION]
    within = [place for place in relations if head(items[place]) not in _JOINS]
    return next(iter(within or relations), None)


def aligned_cells(lines: Sequence[Sequence[Node]]) -> list[tuple[Sequence[Node], Sequence[Node]]] | None:
    """Cut each line in two where it is aligned; None if no line has a relation."""
    places = [alignment(line) for line in lines]
    if all(place is None for place in places):
        return None
    return [(line[: place or 0], line[place or 0 :]) for line, place in zip(lines, places, strict=True)]
