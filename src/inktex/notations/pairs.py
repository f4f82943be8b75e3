r"""Which plain delimiters of a row belong together: `( a + b )` as `\left( a + b \right)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inktex.latex.spacing import Kind, head, kinds
from inktex.latex.spellings import SYNONYMS
from inktex.latex.tree import Environment, Fence, Node, Row, Script, Symbol

CLOSING: dict[str, str] = {
    "(": ")",
    "[": "]",
    r"\{": r"\}",
    "|": "|",
    r"\|": r"\|",
    r"\langle": r"\rangle",
    r"\lfloor": r"\rfloor",
    r"\lceil": r"\rceil",
}
# Intervals with one end: a bracket may close a parenthesis, if a comma stands between.
_HALF_OPEN = {"(": "]", "[": ")"}
_BARS = frozenset({"|", r"\|"})


@dataclass
class _Open:
    """A delimiter that waits for the one that closes it, and what came since."""

    delimiter: Node | None
    items: list[Node]


def paired(items: Sequence[Node]) -> list[Node]:
    r"""Return a row with delimiters that belong together as fences; a script at the end goes on the fence.

    Those that belong to no other stay as they are, but for a brace beside an array: it is a fence with one
    side. Bars that hold a relation or a comma between them are no pair.
    """
    levels = [_Open(None, [])]  # the row itself
    for item, kind in zip(items, kinds(items), strict=True):
        token = _delimiter(item)
        if kind is Kind.OPENING and token in CLOSING and isinstance(item, Symbol):
            levels.append(_Open(item, []))
            continue
        place = _opened(levels, token) if kind is Kind.CLOSING else 0
        if place:
            _give_up(levels, place + 1)
            opening = levels.pop()
            fence = Fence(_delimiter(opening.delimiter), Row(tuple(opening.items)), token)
            levels[-1].items.append(Script(fence, item.sub, item.sup) if isinstance(item, Script) else fence)
        elif token == r"\}" and isinstance(item, Symbol) and _is_array(levels[-1].items[-1:]):
            levels[-1].items.append(Fence("", Row((levels[-1].items.pop(),)), token))
        else:
            levels[-1].items.append(item)
    _give_up(levels, 1)
    return levels[0].items


def _opened(levels: Sequence[_Open], token: str) -> int:
    """Return the level of the delimiter that another closes, 0 for none."""
    for place in range(len(levels) - 1, 0, -1):
        opening = _delimiter(levels[place].delimiter)
        if CLOSING[opening] == token:
            return place if token not in _BARS or _may_stand_in_bars(levels[place].items) else 0
    half = len(levels) > 1 and _HALF_OPEN.get(_delimiter(levels[-1].delimiter)) == token
    return len(levels) - 1 if half and Symbol(",") in levels[-1].items else 0


def _give_up(levels: list[_Open], depth: int) -> None:
    """Put what was opened above a level, and never closed, back as it was."""
    while len(levels) > depth:
        opening = levels.pop()
        if _delimiter(opening.delimiter) == r"\{" and _is_array(opening.items[:1]):
            levels[-1].items.append(Fence(r"\{", Row((opening.items.pop(0),)), ""))
            levels[-1].items += opening.items
        else:
            levels[-1].items += filter(None, (opening.delimiter, *opening.items))


def _may_stand_in_bars(items: Sequence[Node]) -> bool:
    return bool(items) and not {Kind.RELATION, Kind.PUNCTUATION}.intersection(kinds(items))


def _is_array(items: Sequence[Node]) -> bool:
    return len(items) == 1 and isinstance(items[0], Environment)


def _delimiter(item: Node | None) -> str:
    """Return a delimiter by its usual name, "" of anything else."""
    bare = item.base if isinstance(item, Script) else item
    token = head(bare) if isinstance(bare, Symbol) else ""
    same = SYNONYMS.get(token, (token,))
    return same[0] if len(same) == 1 else token
