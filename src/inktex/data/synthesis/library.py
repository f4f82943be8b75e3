"""All ink there is to write with: pieces of expressions and single symbols, by what they say and by hand.

What a writer never wrote is taken from others whose hand is like it: of some candidates that whose slant and
proportions, as far as they differ from what is usual for the symbol, are nearest to the writer's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.data.dataset import Sample
from inktex.data.synthesis.expressions import Written, writer_of
from inktex.data.synthesis.frames import Frame
from inktex.data.synthesis.layout import Habits, measure
from inktex.data.synthesis.symbols import UNIT
from inktex.latex.spans import Part
from inktex.latex.tree import Command, Row, Script, Symbol

FloatArray = npt.NDArray[np.float32]

_LONGEST_PIECE = 12  # tokens of a real group that is taken over whole, at most
_CANDIDATES = 12  # drawings of others among which the one in the most similar hand is taken
_STEADY = 5.0  # symbols of a writer that count as much as the assumption of a usual hand
_HAND = 40  # kinds of letters and digits that a collection's writer must have drawn to write expressions


class Piece(NamedTuple):
    """Tokens ``start`` to ``end`` of expression number ``expression``, in the row that starts at ``row``."""

    expression: int
    start: int
    end: int
    row: int


@dataclass(frozen=True, eq=False)
class _Drawn:
    """All drawings of a single symbol.

    Attributes:
        pieces: where they are.
        styles: [pieces, 2], slant and logarithm of the aspect beyond what is usual for the symbol.
        own: numbers of the pieces by writer.
    """

    pieces: list[Piece]
    styles: FloatArray
    own: dict[str, list[int]]


class Library:
    """All ink there is to write with.

    Args:
        expressions: at least one.
        symbols: single symbols of a library, see :mod:`inktex.data.synthesis.symbols`.
    """

    def __init__(self, expressions: Sequence[Written], symbols: Sequence[Sample] = ()) -> None:
        habits = measure(expressions)
        single = [_single(sample) for sample in symbols]
        self.expressions = [*expressions, *single]
        self.real = len(expressions)  # the first so many are expressions
        self.habits = Habits((*habits.frames, *({0: Frame(0.0, UNIT)} for _ in single)), habits.places)
        self._writer_of = [writer_of(written.sample) for written in self.expressions]
        self.writers = sorted(set(self._writer_of[: self.real]))
        self._pieces = self._index()
        self._drawn, self._style_of = self._survey()
        self.hands = self._hands()

    def is_single(self, piece: Piece) -> bool:
        """Whether a piece was drawn by itself, not in an expression."""
        return piece.expression >= self.real

    @property
    def tokens(self) -> frozenset[str]:
        """All tokens that anyone wrote."""
        return frozenset(token for tokens in self._pieces for token in tokens)

    def symbols(self) -> list[tuple[str, ...]]:
        """Return what was drawn by itself, sorted."""
        return sorted(tokens for tokens, pieces in self._pieces.items() if self.is_single(pieces[-1]))

    def find(self, tokens: tuple[str, ...], writers: Sequence[str], rng: np.random.Generator) -> Piece | None:
        """Return a real piece that says this, of the first of the writers who wrote it, or of anyone."""
        if tokens in self._drawn:
            return self._alike(self._drawn[tokens], writers[0], rng)
        known = self._pieces.get(tokens)
        if known is None:
            return None
        if len(known) > 1:
            for writer in writers:
                own = [piece for piece in known if self._writer_of[piece.expression] == writer]
                if own:
                    return own[rng.integers(len(own))]
        return known[rng.integers(len(known))]

    def _alike(self, drawn: _Drawn, writer: str, rng: np.random.Generator) -> Piece:
        """Return a drawing of the writer's own, or the most similar of some of others."""
        own = drawn.own.get(writer)
        if own:
            return drawn.pieces[own[rng.integers(len(own))]]
        some = rng.integers(len(drawn.pieces), size=_CANDIDATES)
        away = np.abs(drawn.styles[some] - self._style_of.get(writer, np.float32(0))).sum(axis=1)
        return drawn.pieces[int(some[int(away.argmin())])]

    def _index(self) -> dict[tuple[str, ...], list[Piece]]:
        """Return runs of items, and by themselves what carries scripts, fraction bars and radicals."""
        pieces: dict[tuple[str, ...], list[Piece]] = {}
        for number, written in enumerate(self.expressions):
            tokens = written.sample.tokens
            if number >= self.real:
                pieces.setdefault(tokens, []).append(Piece(number, 0, len(tokens), 0))
                continue
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

    def _survey(self) -> tuple[dict[tuple[str, ...], _Drawn], dict[str, FloatArray]]:
        """Return the drawings of each symbol with their styles, and the mean style of each writer."""
        drawn: dict[tuple[str, ...], _Drawn] = {}
        sums: dict[str, FloatArray] = {}
        counts: dict[str, int] = {}
        for tokens, pieces in self._pieces.items():
            if len(tokens) > 1 and not self.is_single(pieces[-1]):
                continue
            styles = np.array([self._style(piece) for piece in pieces], dtype=np.float32)
            styles = np.clip(styles - np.median(styles, axis=0), -0.6, 0.6)
            own: dict[str, list[int]] = {}
            for number, piece in enumerate(pieces):
                writer = self._writer_of[piece.expression]
                own.setdefault(writer, []).append(number)
                sums[writer] = sums.get(writer, np.zeros(2, np.float32)) + styles[number]
                counts[writer] = counts.get(writer, 0) + 1
            drawn[tokens] = _Drawn(pieces, styles, own)
        return drawn, {writer: total / np.float32(counts[writer] + _STEADY) for writer, total in sums.items()}

    def _style(self, piece: Piece) -> tuple[float, float]:
        """Return the slant of a drawing's upright strokes and the logarithm of its width over its height."""
        written = self.expressions[piece.expression]
        ink = written.sample.ink
        assert ink is not None
        strokes = [
            ink.strokes[stroke] for group in written.strokes[piece.start : piece.end] for stroke in group
        ]
        steps = np.concatenate([np.diff(stroke, axis=0) for stroke in strokes])
        across, down = steps[:, 0], steps[:, 1]
        upright = np.abs(down) > np.abs(across)
        length = np.abs(down[upright]).sum()
        slant = float(-(across[upright] * np.sign(down[upright])).sum() / length) if length else 0.0
        left, top, right, bottom = written.box(piece.start, piece.end).tolist()
        least = 0.1 * max(right - left, bottom - top, 1e-3)
        return slant, float(np.log(max(right - left, least) / max(bottom - top, least)))

    def _hands(self) -> list[str]:
        """Return the writers of single symbols who drew enough kinds of letters and digits to write with."""
        kinds: dict[str, int] = {}
        for tokens, drawn in self._drawn.items():
            if len(tokens) == 1 and tokens[0].isalnum():
                for writer in drawn.own:
                    kinds[writer] = kinds.get(writer, 0) + 1
        real = set(self.writers)
        return sorted(writer for writer, count in kinds.items() if count >= _HAND and writer not in real)


def _single(sample: Sample) -> Written:
    """Return a single symbol as an expression all of whose ink is that of its last plain token."""
    assert sample.ink is not None
    place = next(n for n in range(len(sample.tokens) - 1, -1, -1) if sample.tokens[n] != "}")
    strokes = tuple(
        tuple(range(len(sample.ink.strokes))) if n == place else () for n in range(len(sample.tokens))
    )
    boxes = np.full((len(sample.tokens), 4), np.nan, dtype=np.float32)
    boxes[place] = sample.ink.bounds()
    root = Part(Row((Symbol(sample.tokens[0]),)), 0, len(sample.tokens), {})
    return Written(sample, root, strokes, boxes)
