"""Written expressions as trees: which ink belongs to which part of a label, and the pieces they can be cut
into.

Cutting training inks into their sub-expressions follows Le, Indurkhya and Nakagawa ("Pattern generation
strategies for improving recognition of handwritten mathematical expressions", Pattern Recognition Letters
128, 2019); here the cut is exact, since the ink names every symbol's strokes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inktex.data.alignment import align_tokens, token_reference
from inktex.data.dataset import Sample
from inktex.errors import LatexError
from inktex.ink.strokes import Ink, Symbol
from inktex.latex.spans import Part, to_part
from inktex.latex.tree import Command, Group, Row, Script, parse, to_tokens

FloatArray = npt.NDArray[np.float32]

_OPENING = {"(": ")", "[": "]", "\\{": "\\}"}
_CLOSING = frozenset(_OPENING.values())


@dataclass(frozen=True, eq=False)
class Written:
    """An expression whose every visible token is written by strokes of its own.

    Attributes:
        sample: where it comes from.
        root: its label's tree.
        strokes: for each token the indices of its strokes; empty for layout tokens.
        boxes: [tokens, 4], left, top, right and bottom of each token's ink; not a number for layout tokens.
    """

    sample: Sample
    root: Part
    strokes: tuple[tuple[int, ...], ...]
    boxes: FloatArray

    def box(self, start: int, end: int) -> FloatArray:
        """Return left, top, right and bottom of the ink of tokens ``start`` to ``end``."""
        boxes = self.boxes[start:end]
        boxes = boxes[~np.isnan(boxes[:, 0])]
        return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])

    def rows(self) -> Iterator[Part]:
        """Yield every row with anything in it: the whole, and each argument and script."""
        waiting = [self.root]
        while waiting:
            part = waiting.pop()
            if isinstance(part.node, Row) and part.children:
                yield part
            waiting.extend(part.children.values())


def read_written(sample: Sample) -> Written | None:
    """Take an expression apart; None where its ink does not name the strokes of every token."""
    if sample.ink is None or not sample.tokens:
        return None
    try:
        row = parse(sample.tokens)
    except LatexError:
        return None
    if tuple(to_tokens(row)) != sample.tokens:
        return None
    root = to_part(row)
    alignment = align_tokens(sample.tokens, sample.ink, sample.mathml)
    symbols = sample.ink.symbols
    strokes = tuple(() if index < 0 else symbols[index].strokes for index in alignment)
    used = [stroke for group in strokes for stroke in group]
    if len(set(used)) != len(used) or not all(strokes[place] for place in _visible(root)):
        return None
    boxes = np.full((len(strokes), 4), np.nan, dtype=np.float32)
    for place, group in enumerate(strokes):
        if group:
            points = np.concatenate([sample.ink.strokes[stroke] for stroke in group])
            boxes[place] = [*points.min(axis=0), *points.max(axis=0)]
    return Written(sample, root, strokes, boxes)


def decompose(written: Written, least: int = 2) -> Iterator[tuple[int, int]]:
    """Yield the token spans (start, end) of all sub-expressions but the expression itself.

    These are the rows of arguments and scripts, and every run of neighbouring items of a row whose brackets
    and bars are closed.

    Args:
        written: the expression.
        least: fewest symbols of a sub-expression.
    """
    tokens = written.sample.tokens
    whole = len(tokens)
    for row in written.rows():
        items = row.items
        for first in range(len(items)):
            if isinstance(items[first].node, Script) and "base" not in items[first].children:
                continue  # a script is nothing without what it stands at
            for last in range(first, len(items)):
                start, end = items[first].start, items[last].end
                symbols = sum(1 for group in written.strokes[start:end] if group)
                if symbols >= least and end - start < whole and is_closed(tokens[start:end]):
                    yield start, end


def cut(written: Written, start: int, end: int) -> Sample:
    """Return the sub-expression of tokens ``start`` to ``end`` as a sample of its own: ink, no picture."""
    sample = written.sample
    assert sample.ink is not None
    return make_sample(
        f"{sample.id}:{start}-{end}",
        sample.tokens[start:end],
        [[sample.ink.strokes[stroke] for stroke in written.strokes[place]] for place in range(start, end)],
        sample,
    )


def make_sample(
    name: str, tokens: Sequence[str], strokes: Sequence[Sequence[FloatArray]], like: Sample
) -> Sample:
    """Return a sample of ink alone, from the strokes of each token; split, source and writer as another's."""
    flat: list[FloatArray] = []
    symbols = []
    for place, group in enumerate(strokes):
        if group:
            symbols.append(
                Symbol(
                    tokens[place],
                    tuple(range(len(flat), len(flat) + len(group))),
                    token_reference(place),
                )
            )
            flat.extend(group)
    return Sample(
        name, like.split, like.source, tuple(tokens), None, Ink(tuple(flat), tuple(symbols)), like.writer
    )


def is_closed(tokens: Sequence[str]) -> bool:
    """Whether every bracket has its partner and bars come in pairs."""
    open_brackets: list[str] = []
    for token in tokens:
        if token in _OPENING:
            open_brackets.append(_OPENING[token])
        elif token in _CLOSING and (not open_brackets or open_brackets.pop() != token):
            return False
    return not open_brackets and sum(token == "|" for token in tokens) % 2 == 0


def writer_of(sample: Sample) -> str:
    """Return a name for who wrote the sample; MathBrush's names its writer's session before a number."""
    writer = sample.writer or sample.id.rpartition("-")[0]
    return f"{sample.source}/{writer}"


def _visible(part: Part) -> Iterator[int]:
    """Yield the places of the tokens that are written: symbols, fraction bars and radicals."""
    if isinstance(part.node, Command) or not isinstance(part.node, Row | Script | Group):
        yield part.start
    for child in part.children.values():
        yield from _visible(child)
