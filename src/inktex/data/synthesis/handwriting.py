"""Writing a label with ink that was written before: real symbols and groups, laid out as people do.

A label is written row by row, with groups of one writer where that writer wrote them. A group is taken over
as it stands in some real expression; what nobody wrote as a whole is put together from its parts, at
distances that were measured (:mod:`inktex.data.synthesis.layout`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.data.synthesis.expressions import Written, writer_of
from inktex.data.synthesis.layout import (
    ANY_GAP,
    FractionPlace,
    Place,
    ScriptPlace,
    gap_kind,
    measure,
    root_place,
    script_kind,
)
from inktex.latex.spans import Part, read_tree
from inktex.latex.tree import Command, Script
from inktex.latex.tree import Symbol as SymbolNode

FloatArray = npt.NDArray[np.float32]

_LONGEST_PIECE = 12  # tokens of a real group that is taken over whole, at most
_REUSE = 0.7  # how often a real group is taken over where there is one
_HELPERS = 6  # other writers who are asked for what the writer never wrote, before anyone is
_BARS_TRIED = 8
_X_UNITS = 100.0  # size of an x in the finished ink, in ink units


class NeverWrittenError(Exception):
    """A part of a label that nobody wrote."""


class Piece(NamedTuple):
    """Tokens ``start`` to ``end`` of expression number ``expression``, in the row that starts at ``row``."""

    expression: int
    start: int
    end: int
    row: int


class Block(NamedTuple):
    """Placed ink, in sizes of its row about its middle line.

    Attributes:
        strokes: by token of the label.
        box: left, top, right and bottom.
    """

    strokes: dict[int, list[FloatArray]]
    box: tuple[float, float, float, float]

    def moved(self, scale: float = 1.0, right: float = 0.0, down: float = 0.0) -> Block:
        """Return the block scaled about the origin, then moved."""
        factor, shift = np.float32(scale), np.array([right, down], dtype=np.float32)
        x0, y0, x1, y1 = self.box
        return Block(
            {place: [stroke * factor + shift for stroke in group] for place, group in self.strokes.items()},
            (x0 * scale + right, y0 * scale + down, x1 * scale + right, y1 * scale + down),
        )


class Library:
    """All ink there is to write with: pieces of expressions by what they say.

    Args:
        expressions: at least one.
    """

    def __init__(self, expressions: Sequence[Written]) -> None:
        self.expressions = expressions
        self.habits = measure(expressions)
        self._writer_of = [writer_of(written.sample) for written in expressions]
        self.writers = sorted(set(self._writer_of))
        self._pieces = self._index()

    def find(self, tokens: tuple[str, ...], writers: Sequence[str], rng: np.random.Generator) -> Piece | None:
        """Return a real piece that says this, of the first of the writers who wrote it, or of anyone."""
        known = self._pieces.get(tokens)
        if known is None:
            return None
        if len(known) > 1:
            for writer in writers:
                own = [piece for piece in known if self._writer_of[piece.expression] == writer]
                if own:
                    return own[rng.integers(len(own))]
        return known[rng.integers(len(known))]

    def _index(self) -> dict[tuple[str, ...], list[Piece]]:
        """Return runs of items, and by themselves what carries scripts, fraction bars and radicals."""
        pieces: dict[tuple[str, ...], list[Piece]] = {}
        for number, written in enumerate(self.expressions):
            tokens = written.sample.tokens
            for row in written.rows():
                for first, item in enumerate(row.items):
                    for last in row.items[first:]:
                        if last.end - item.start > _LONGEST_PIECE:
                            break
                        if isinstance(item.node, Script) and "base" not in item.children:
                            break
                        piece = Piece(number, item.start, last.end, row.start)
                        pieces.setdefault(tokens[item.start : last.end], []).append(piece)
                for item in row.items:
                    base = item.children.get("base", item)
                    if base is not item or isinstance(base.node, Command):
                        piece = Piece(number, base.start, base.start + 1, row.start)
                        pieces.setdefault(tokens[base.start : base.start + 1], []).append(piece)
        return pieces


class Scribe:
    """Writes labels in one hand.

    Args:
        library: the ink to write with.
        writer: whose hand it is; what this writer never wrote is taken from a few others.
        rng: chooses them, the pieces and the distances.
    """

    def __init__(self, library: Library, writer: str, rng: np.random.Generator) -> None:
        self.library = library
        self.rng = rng
        helpers = rng.choice(library.writers, size=min(_HELPERS, len(library.writers)), replace=False)
        self.writers = [writer, *helpers.tolist()]
        self.tokens: tuple[str, ...] = ()

    def write(self, tokens: tuple[str, ...]) -> list[list[FloatArray]]:
        """Return the strokes of each token; none for layout tokens.

        Raises:
            NeverWrittenError: nobody wrote a part of the label.
            LatexError: the tokens are not well-formed.
        """
        self.tokens = tokens
        block = self._row(read_tree(tokens)).moved(_X_UNITS)
        return [block.strokes.get(place, []) for place in range(len(tokens))]

    def _row(self, part: Part) -> Block:
        """Write the items of a row one after the other."""
        items = part.items
        if not items:
            raise NeverWrittenError
        blocks: list[Block] = []
        at = 0
        while at < len(items):
            block, end = self._run(items, at)
            gap = 0.0
            if at:
                place = self._draw(gap_kind(items[at - 1], items[at]), ANY_GAP)
                assert isinstance(place, float)
                gap = blocks[-1].box[2] + place
            blocks.append(block.moved(1.0, gap - block.box[0]))
            at = end
        return _union(blocks)

    def _run(self, items: Sequence[Part], at: int) -> tuple[Block, int]:
        """Write the items from ``at`` on: several taken over as they stand somewhere, or a single one."""
        if self.rng.random() < _REUSE:
            for end in range(len(items), at, -1):
                start, stop = items[at].start, items[end - 1].end
                if stop - start > 1 and (piece := self._find(start, stop)):
                    return self._take(piece, start), end
        return self._item(items[at]), at + 1

    def _item(self, part: Part) -> Block:
        """Write one item."""
        match part.node:
            case Script():
                return self._script(part)
            case Command("\\frac"):
                return self._fraction(part)
            case Command("\\sqrt"):
                return self._root(part)
            case SymbolNode():
                return self._take(self._need(part.start, part.end), part.start)
            case _ if "first" in part.children:
                return self._row(part.children["first"])
        raise NeverWrittenError

    def _script(self, part: Part) -> Block:
        """Write a base and what stands at its corners, or above and below it."""
        if "base" not in part.children:
            raise NeverWrittenError
        base = self._item(part.children["base"])
        left, top, right, bottom = base.box
        blocks = [base]
        for role in ("sub", "sup"):
            if role in part.children:
                place = self._draw(script_kind(part.children["base"], role), script_kind(None, role))
                assert isinstance(place, ScriptPlace)
                script = self._row(part.children[role]).moved(place.ratio)
                x0, y0, x1, y1 = script.box
                down = place.along + (top if role == "sup" else bottom)
                if place.beside:
                    across = right + place.across - x0
                else:
                    across = (left + right - x0 - x1) / 2 + place.across
                    clear = top - y1 if role == "sup" else bottom - y0
                    down = min(down, clear) if role == "sup" else max(down, clear)
                blocks.append(script.moved(1.0, across, down))
        return _union(blocks)

    def _fraction(self, part: Part) -> Block:
        """Write numerator and denominator with a bar as long as the wider of them."""
        place = self._draw("fraction")
        assert isinstance(place, FractionPlace)
        parts = [
            self._row(part.children[role]).moved(ratio)
            for role, ratio in zip(("first", "second"), place.ratios, strict=True)
        ]
        width = max(block.box[2] - block.box[0] for block in parts)
        bar = self._bar(part.start, max(width + 2 * place.overhang, 0.5), place.height)
        blocks = [bar]
        for block, shift, gap, above in zip(parts, place.shifts, place.gaps, (True, False), strict=True):
            x0, y0, x1, y1 = block.box
            down = bar.box[1] - gap - y1 if above else bar.box[3] + gap - y0
            room = max(0.0, bar.box[2] - bar.box[0] - (x1 - x0)) / 2
            across = (bar.box[0] + bar.box[2] - x0 - x1) / 2 + min(max(shift, -room), room)
            blocks.append(block.moved(1.0, across, down))
        return _union(blocks)

    def _bar(self, place: int, width: float, height: float) -> Block:
        """Write a fraction bar of a width, at a height below the middle line, from one near that width."""
        bars = [self._take(self._need(place, place + 1), place) for _ in range(_BARS_TRIED)]
        best = min(bars, key=lambda bar: abs(np.log(max(bar.box[2] - bar.box[0], 0.05) / width)))
        x0, y0, x1, y1 = best.box
        stretch = np.array([width / max(x1 - x0, 0.05), 1.0], dtype=np.float32)
        shift = np.array([0.0, height - (y0 + y1) / 2], dtype=np.float32)
        strokes = [stroke * stretch + shift for stroke in best.strokes[place]]
        return Block({place: strokes}, _box(strokes))

    def _root(self, part: Part) -> Block:
        """Write a radicand, and a radical round it: its hook as it was, its roof as long as need be."""
        piece = self._need(part.start, part.start + 1)
        written = self.library.expressions[piece.expression]
        frame = self.library.habits.frames[piece.expression][piece.row]
        source = _command_at(written, piece.start)
        if not source.children["first"].children:
            raise NeverWrittenError
        place = root_place(written, source, frame, self.library.habits.frames[piece.expression])
        inner = self._row(part.children["first"]).moved(place.ratio)
        x0, y0, x1, y1 = inner.box
        left, top, right, bottom = (max(margin, 0.0) for margin in place.margins)
        radical = self._take(piece, part.start)
        width, height = radical.box[2] - radical.box[0], radical.box[3] - radical.box[1]
        hook = min(left, 0.8 * width)
        roof = (x1 + right - x0) / max(width - hook, 0.05)
        rise = (y1 - y0 + top + bottom) / max(height, 0.05)
        strokes = []
        for stroke in radical.strokes[part.start]:
            x, y = (stroke - np.array(radical.box[:2], dtype=np.float32)).T
            x = np.where(x < hook, x - hook, (x - hook) * roof) + x0
            strokes.append(np.stack([x, y * rise + y0 - top], axis=1).astype(np.float32))
        blocks = [inner, Block({part.start: strokes}, _box(strokes))]
        if "option" in part.children:
            ratio, across, along = place.option or (0.6, 0.2, 0.3)
            index = self._row(part.children["option"]).moved(ratio)
            box = blocks[1].box
            shift = box[0] + across - (index.box[0] + index.box[2]) / 2
            blocks.append(index.moved(1.0, shift, box[1] + along))
        return _union(blocks)

    def _take(self, piece: Piece, place: int) -> Block:
        """Return a real piece as the label's tokens from ``place`` on, its left edge at 0."""
        written = self.library.expressions[piece.expression]
        frame = self.library.habits.frames[piece.expression][piece.row]
        assert written.sample.ink is not None
        ink = written.sample.ink.strokes
        left, top, right, bottom = written.box(piece.start, piece.end).tolist()
        origin = np.array([left, frame.middle], dtype=np.float32)
        strokes = {
            place + number: [(ink[stroke] - origin) / np.float32(frame.size) for stroke in group]
            for number, group in enumerate(written.strokes[piece.start : piece.end])
            if group
        }
        y0, y1 = ((edge - frame.middle) / frame.size for edge in (top, bottom))
        return Block(strokes, (0.0, y0, (right - left) / frame.size, y1))

    def _find(self, start: int, end: int) -> Piece | None:
        """Return a real piece that reads as the label's tokens ``start`` to ``end``."""
        return self.library.find(self.tokens[start:end], self.writers, self.rng)

    def _need(self, start: int, end: int) -> Piece:
        """Return a real piece, which there must be."""
        piece = self._find(start, end)
        if piece is None:
            raise NeverWrittenError
        return piece

    def _draw(self, kind: str, otherwise: str = "") -> Place:
        """Return a relation as this writer made it, which there must be."""
        place = self.library.habits.draw(kind, self.writers[0], self.rng, otherwise)
        if place is None:
            raise NeverWrittenError
        return place


def _union(blocks: Sequence[Block]) -> Block:
    boxes = np.array([block.box for block in blocks])
    strokes = {place: group for block in blocks for place, group in block.strokes.items()}
    return Block(strokes, (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()))


def _box(strokes: Sequence[FloatArray]) -> tuple[float, float, float, float]:
    points = np.concatenate(strokes)
    left, top = points.min(axis=0).tolist()
    right, bottom = points.max(axis=0).tolist()
    return left, top, right, bottom


def _command_at(written: Written, start: int) -> Part:
    """Return the command whose name is token ``start``."""
    part = written.root
    while not (isinstance(part.node, Command) and part.start == start):
        part = next(child for child in part.children.values() if child.start <= start < child.end)
    return part
