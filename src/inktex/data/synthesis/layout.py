"""How people lay expressions out: where the parts of a row stand to each other.

Every relation (a gap, a superscript's place, a fraction bar's overhang) is kept as it was measured, in sizes
of the row, to be drawn again from the same writer where possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.data.synthesis.expressions import Written, writer_of
from inktex.data.synthesis.frames import Frame, find_frames
from inktex.latex.spacing import KINDS, Kind
from inktex.latex.spans import Part
from inktex.latex.tree import Command, Script, commands
from inktex.latex.tree import Symbol as SymbolNode

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ANY_GAP = "gap"
_FEW = 3  # measured relations are too few to draw from
_OPERATORS = frozenset(
    [
        "+",
        "-",
        "=",
        "<",
        ">",
        "/",
        "\\times",
        "\\div",
        "\\pm",
        "\\cdot",
        "\\neq",
        "\\leq",
        "\\geq",
        "\\rightarrow",
        "\\in",
    ]
)
_FUNCTIONS = frozenset(["\\sin", "\\cos", "\\tan", "\\log", "\\lim"])
_LARGE = frozenset(["\\sum", "\\int"])
# Whose scripts stand as those of another, of which there is more ink.
_SCRIPTED_LIKE: dict[str, str] = {
    **dict.fromkeys(commands("prod coprod bigcup bigcap bigoplus bigotimes bigvee bigwedge"), "\\sum"),
    **dict.fromkeys(commands("max min sup inf limsup liminf"), "\\lim"),
    **dict.fromkeys(commands("oint iint iiint"), "\\int"),
}
_POINTS = frozenset([".", ",", "\\cdots", "\\ldots", "\\prime", "!"])
_BRACKETS = {
    "(": "open",
    "[": "open",
    "\\{": "open",
    ")": "close",
    "]": "close",
    "\\}": "close",
    "|": "close",
}

# The same for what TeX knows of all other symbols.
_KINDS: dict[Kind, str] = {
    Kind.BINARY: "operator",
    Kind.RELATION: "operator",
    Kind.FUNCTION: "function",
    Kind.BIG: "large",
    Kind.OPENING: "open",
    Kind.CLOSING: "close",
    Kind.PUNCTUATION: "point",
}


class ScriptPlace(NamedTuple):
    """Where a script stands, in sizes of the row.

    Attributes:
        ratio: its row's size over that of the base's row.
        beside: whether it starts right of the base's middle.
        across: its left edge from the base's right edge, or its middle from the base's middle.
        along: its middle line from the base's top edge (superscript) or bottom edge (subscript).
    """

    ratio: float
    beside: bool
    across: float
    along: float


class FractionPlace(NamedTuple):
    """Where the parts of a fraction stand, in sizes of the row.

    Attributes:
        ratios: sizes of numerator and denominator over the row's.
        gaps: from the numerator's bottom to the bar, and from the bar to the denominator's top.
        shifts: middles of both from the bar's middle.
        overhang: of the bar beyond the wider of both, on each side on average.
        height: the bar from the row's middle line, downwards.
    """

    ratios: tuple[float, float]
    gaps: tuple[float, float]
    shifts: tuple[float, float]
    overhang: float
    height: float


class RootPlace(NamedTuple):
    """Where a radicand stands within its radical, in sizes of the row.

    Attributes:
        ratio: the radicand's size over the row's.
        margins: radical's left, top, right and bottom beyond the radicand's box.
        option: an index's ratio, and its middle from the radical's left and top edges, or None.
    """

    ratio: float
    margins: tuple[float, float, float, float]
    option: tuple[float, float, float] | None


Place = ScriptPlace | FractionPlace | RootPlace | float


@dataclass(frozen=True, eq=False)
class Habits:
    """What was measured over many expressions.

    Attributes:
        frames: of each expression, by the first token of each row.
        places: measured relations by (kind, writer) and, over all writers, by (kind, "").
    """

    frames: tuple[dict[int, Frame], ...]
    places: dict[tuple[str, str], list[Place]]

    def draw(self, kind: str, writer: str, rng: np.random.Generator, otherwise: str = "") -> Place | None:
        """Return a relation of a kind as this writer made it, as anyone did, or one of another kind."""
        for least, key in ((_FEW, (kind, writer)), (_FEW, (kind, "")), (1, (otherwise or kind, ""))):
            known = self.places.get(key, ())
            if len(known) >= least:
                return known[int(rng.integers(len(known)))]
        return None


def measure(expressions: Sequence[Written]) -> Habits:
    """Measure rows and relations."""
    frames = find_frames(expressions)
    places: dict[tuple[str, str], list[Place]] = {}
    for written, own in zip(expressions, frames, strict=True):
        writer = writer_of(written.sample)
        for row in written.rows():
            for kind, place in _relations(written, row, own):
                places.setdefault((kind, writer), []).append(place)
                places.setdefault((kind, ""), []).append(place)
    return Habits(frames, places)


def kind_of(part: Part) -> str:
    """Return the kind of an item as its neighbours' distances depend on it."""
    node = part.node
    if isinstance(node, Script):
        base = part.children.get("base")
        return "large" if base is not None and kind_of(base) == "large" else "script"
    if isinstance(node, Command):
        return node.name
    if not isinstance(node, SymbolNode):
        return "group"
    token = node.token
    if token in _BRACKETS:
        return _BRACKETS[token]
    for kind, members in (
        ("operator", _OPERATORS), ("function", _FUNCTIONS), ("large", _LARGE), ("point", _POINTS)
    ):  # fmt: skip
        if token in members:
            return kind
    return "digit" if token.isdigit() else _KINDS.get(KINDS.get(token, Kind.ORDINARY), "letter")


def gap_kind(before: Part, after: Part) -> str:
    """Return the kind of the distance between two neighbouring items."""
    return f"gap {kind_of(before)} {kind_of(after)}"


def script_kind(base: Part | None, role: str) -> str:
    """Return the kind of a script's place at a base."""
    token = base.node.token if base and isinstance(base.node, SymbolNode) else "other"
    return f"{role} {_SCRIPTED_LIKE.get(token, token)}"


def _relations(written: Written, row: Part, frames: dict[int, Frame]) -> Iterator[tuple[str, Place]]:
    """Yield the relations of a row's items, each with its kind."""
    frame = frames[row.start]
    for before, after in zip(row.items, row.items[1:], strict=False):
        gap = (written.box(after.start, after.end)[0] - written.box(before.start, before.end)[2]) / frame.size
        if -1 < gap < 3:
            yield gap_kind(before, after), float(gap)
            yield ANY_GAP, float(gap)
    for item in row.items:
        if isinstance(item.node, Script):
            yield from _script_places(written, item, frame, frames)
        elif isinstance(item.node, Command) and item.node.name == "\\frac":
            if all(item.children[role].children for role in ("first", "second")):
                place = _fraction_place(written, item, frame, frames)
                if max(place.gaps) < 2 and min(place.gaps) > -0.3 and abs(place.overhang) < 2:
                    yield "fraction", place
        elif isinstance(item.node, Command) and item.children["first"].children:
            root = measure_root(written, item, frame, frames)
            if max(root.margins) < 3 and min(root.margins) > -0.5:
                yield ("root with index" if root.option else "root"), root


def _script_places(
    written: Written, item: Part, frame: Frame, frames: dict[int, Frame]
) -> Iterator[tuple[str, Place]]:
    base = item.children.get("base")
    if base is None:
        return
    left, top, right, bottom = written.box(base.start, base.end).tolist()
    for role in ("sub", "sup"):
        script = item.children.get(role)
        if script is None or not script.children:
            continue
        box = written.box(script.start, script.end).tolist()
        own = frames[script.start]
        beside = box[0] > (left + right) / 2
        across = box[0] - right if beside else (box[0] + box[2] - left - right) / 2
        along = own.middle - (top if role == "sup" else bottom)
        place = ScriptPlace(own.size / frame.size, beside, across / frame.size, along / frame.size)
        if 0.2 < place.ratio < 1.5 and abs(place.across) < 2 and abs(place.along) < 3:
            yield script_kind(base, role), place
            yield script_kind(None, role), place


def _fraction_place(written: Written, item: Part, frame: Frame, frames: dict[int, Frame]) -> FractionPlace:
    bar = written.boxes[item.start].tolist()
    parts = [item.children["first"], item.children["second"]]
    above, below = (written.box(part.start, part.end).tolist() for part in parts)
    size = frame.size
    middle = (bar[0] + bar[2]) / 2
    return FractionPlace(
        ratios=(frames[parts[0].start].size / size, frames[parts[1].start].size / size),
        gaps=((bar[1] - above[3]) / size, (below[1] - bar[3]) / size),
        shifts=(((above[0] + above[2]) / 2 - middle) / size, ((below[0] + below[2]) / 2 - middle) / size),
        overhang=(bar[2] - bar[0] - max(above[2] - above[0], below[2] - below[0])) / 2 / size,
        height=((bar[1] + bar[3]) / 2 - frame.middle) / size,
    )


def measure_root(written: Written, item: Part, frame: Frame, frames: dict[int, Frame]) -> RootPlace:
    """Measure where the radicand of a root stands, given its row's frame and all frames of the expression."""
    radical = written.boxes[item.start].tolist()
    inner = item.children["first"]
    box = written.box(inner.start, inner.end).tolist()
    size = frame.size
    option = item.children.get("option")
    index = None
    if option is not None and option.children:
        small = written.box(option.start, option.end).tolist()
        own = frames[option.start]
        index = (
            own.size / size,
            ((small[0] + small[2]) / 2 - radical[0]) / size,
            (own.middle - radical[1]) / size,
        )
    margins = (box[0] - radical[0], box[1] - radical[1], radical[2] - box[2], radical[3] - box[3])
    left, top, right, bottom = (margin / size for margin in margins)
    return RootPlace(frames[inner.start].size / size, (left, top, right, bottom), index)
