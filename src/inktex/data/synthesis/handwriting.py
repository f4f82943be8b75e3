"""Writing a label with ink that was written before: real symbols and groups, laid out as people do.

A label is written row by row, with groups of one writer where that writer wrote them. A group is taken over
as it stands in some real expression; what nobody wrote as a whole is put together from its parts, at
distances that were measured (:mod:`inktex.data.synthesis.layout`), or, for constructs that no measured
expression has, as :mod:`inktex.data.synthesis.structures` lays them out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inktex.data.synthesis.arrays import fences_grown
from inktex.data.synthesis.blocks import Block, bounds, merged, union
from inktex.data.synthesis.expressions import Written
from inktex.data.synthesis.layout import (
    ANY_GAP,
    FractionPlace,
    Place,
    ScriptPlace,
    gap_kind,
    measure_root,
    script_kind,
)
from inktex.data.synthesis.library import Library, Piece
from inktex.data.synthesis.structures import LOOKALIKES, STACKS, STRUCTURES, struck
from inktex.latex.spans import Part, read_tree
from inktex.latex.tree import Command, Environment, Script
from inktex.latex.tree import Symbol as SymbolNode

FloatArray = npt.NDArray[np.float32]

_REUSE = 0.7  # how often a real group is taken over where there is one
_FOREIGN_REUSE = 0.1  # the same where the hand is that of no expression's writer
_HELPERS = 6  # other writers who are asked for a group that the writer never wrote, before anyone is
_BARS_TRIED = 8
_X_UNITS = 100.0  # size of an x in the finished ink, in ink units
_SIZE_SPREAD = 0.07  # of the logarithm of the size of a symbol that was drawn by itself
_HEIGHT_SPREAD = 0.05  # of its height, in sizes of the row
_LETTER_GAP = (0.04, 0.22)  # between the letters of a word, in sizes of the row


class NeverWrittenError(Exception):
    """A part of a label that nobody wrote."""


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
        self.reuse = _FOREIGN_REUSE if writer in library.hands else _REUSE
        self.tokens: tuple[str, ...] = ()

    def write(self, tokens: tuple[str, ...]) -> list[list[FloatArray]]:
        """Return the strokes of each token; none for layout tokens.

        Raises:
            NeverWrittenError: nobody wrote a part of the label.
            LatexError: the tokens are not well-formed.
        """
        self.tokens = tokens
        block = self.row(read_tree(tokens)).moved(_X_UNITS)
        return [block.strokes.get(place, []) for place in range(len(tokens))]

    def row(self, part: Part) -> Block:
        """Write the items of a row one after the other.

        Raises:
            NeverWrittenError: nobody wrote one of them, or there are none.
        """
        items = part.items
        if not items:
            raise NeverWrittenError
        blocks: list[Block] = []
        starts: list[int] = []
        at = 0
        while at < len(items):
            block, end = self._run(items, at)
            gap = 0.0
            if at:
                place = self._draw(gap_kind(items[at - 1], items[at]), ANY_GAP)
                assert isinstance(place, float)
                gap = blocks[-1].box[2] + place
            blocks.append(block.moved(1.0, gap - block.box[0]))
            starts.append(at)
            at = end
        return union(fences_grown(items, starts, blocks, self.rng))

    def _run(self, items: Sequence[Part], at: int) -> tuple[Block, int]:
        """Write the items from ``at`` on: several taken over as they stand somewhere, or a single one."""
        if items[at].node == SymbolNode(r"\not") and at + 1 < len(items):
            return struck(self._item(items[at + 1]), self.mark("/", items[at].start), self.rng), at + 2
        if self.rng.random() < self.reuse:
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
            case Command(name) if name in STRUCTURES:
                return STRUCTURES[name](self, part)
            case Command() if piece := self._find(part.start, part.end):
                return self._take(piece, part.start)
            case SymbolNode(token):
                return self.mark(token, part.start)
            case Environment(name) if name in STRUCTURES:
                return STRUCTURES[name](self, part)
            case _ if "first" in part.children and not isinstance(part.node, Command):
                return self.row(part.children["first"])
        raise NeverWrittenError

    def mark(self, token: str, place: int) -> Block:
        """Write a symbol, or one that looks like it, or the letters of its name, as a label's token.

        Raises:
            NeverWrittenError: nobody wrote any of these.
        """
        for name in (token, *LOOKALIKES.get(token, ())):
            if piece := self.library.find((name,), self.writers, self.rng):
                return self._take(piece, place)
        letters = token.removeprefix("\\")
        if len(letters) > 1 and letters.isalpha():
            return merged([self.word([(letter, place) for letter in letters])], place)
        raise NeverWrittenError

    def word(self, letters: Sequence[tuple[str, int]]) -> Block:
        """Write letters close together, each as a token of its own place; "~" is a space."""
        blocks: dict[int, Block] = {}
        at = 0.0
        for number, (letter, place) in enumerate(letters):
            if letter == "~":
                at += self.rng.uniform(0.45, 0.9)
                continue
            block = self.mark(letter, place)
            blocks[number] = block.moved(1.0, at - block.box[0])
            at = blocks[number].box[2] + self.rng.uniform(*_LETTER_GAP)
        if not blocks:
            raise NeverWrittenError
        shared = len({place for _, place in letters}) < len(letters)
        return merged(list(blocks.values()), letters[0][1]) if shared else union(list(blocks.values()))

    def _script(self, part: Part) -> Block:
        """Write a base and what stands at its corners, or above and below it."""
        if "base" not in part.children:
            raise NeverWrittenError
        base = self._item(part.children["base"])
        left, top, right, bottom = base.box
        head = part.children["base"].node
        stacks = isinstance(head, Command) and head.name in STACKS
        blocks = [base]
        for role in ("sub", "sup"):
            if role in part.children:
                place = self._draw(script_kind(part.children["base"], role), script_kind(None, role))
                assert isinstance(place, ScriptPlace)
                if stacks:
                    along = self.rng.uniform(0.3, 0.7) * (1 if role == "sub" else -1)
                    place = ScriptPlace(place.ratio, False, self.rng.normal(0, 0.1), along)
                script = self.row(part.children[role]).moved(place.ratio)
                x0, y0, x1, y1 = script.box
                down = place.along + (top if role == "sup" else bottom)
                if place.beside:
                    across = right + place.across - x0
                else:
                    across = (left + right - x0 - x1) / 2 + place.across
                    clear = top - y1 if role == "sup" else bottom - y0
                    down = min(down, clear) if role == "sup" else max(down, clear)
                blocks.append(script.moved(1.0, across, down))
        return union(blocks)

    def _fraction(self, part: Part) -> Block:
        """Write numerator and denominator with a bar as long as the wider of them."""
        place = self._draw("fraction")
        assert isinstance(place, FractionPlace)
        parts = [
            self.row(part.children[role]).moved(ratio)
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
        return union(blocks)

    def _bar(self, place: int, width: float, height: float) -> Block:
        """Write a fraction bar of a width, at a height below the middle line, from one near that width."""
        bars = [self._take(self._need(place, place + 1), place) for _ in range(_BARS_TRIED)]
        best = min(bars, key=lambda bar: abs(np.log(max(bar.box[2] - bar.box[0], 0.05) / width)))
        x0, y0, x1, y1 = best.box
        stretch = np.array([width / max(x1 - x0, 0.05), 1.0], dtype=np.float32)
        shift = np.array([0.0, height - (y0 + y1) / 2], dtype=np.float32)
        strokes = [stroke * stretch + shift for stroke in best.strokes[place]]
        return Block({place: strokes}, bounds(strokes))

    def _root(self, part: Part) -> Block:
        """Write a radicand, and a radical round it: its hook as it was, its roof as long as need be."""
        piece = self._need(part.start, part.start + 1)
        written = self.library.expressions[piece.expression]
        frame = self.library.habits.frames[piece.expression][piece.row]
        source = _command_at(written, piece.start)
        if not source.children["first"].children:
            raise NeverWrittenError
        place = measure_root(written, source, frame, self.library.habits.frames[piece.expression])
        inner = self.row(part.children["first"]).moved(place.ratio)
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
        blocks = [inner, Block({part.start: strokes}, bounds(strokes))]
        if "option" in part.children:
            ratio, across, along = place.option or (0.6, 0.2, 0.3)
            index = self.row(part.children["option"]).moved(ratio)
            box = blocks[1].box
            shift = box[0] + across - (index.box[0] + index.box[2]) / 2
            blocks.append(index.moved(1.0, shift, box[1] + along))
        return union(blocks)

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
        block = Block(strokes, (0.0, y0, (right - left) / frame.size, y1))
        if self.library.is_single(piece):
            size = float(np.exp(self.rng.normal(0, _SIZE_SPREAD)))
            return block.moved(size, 0.0, self.rng.normal(0, _HEIGHT_SPREAD))
        return block

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


def _command_at(written: Written, start: int) -> Part:
    """Return the command whose name is token ``start``."""
    part = written.root
    while not (isinstance(part.node, Command) and part.start == start):
        part = next(child for child in part.children.values() if child.start <= start < child.end)
    return part
