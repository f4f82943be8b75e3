"""New handwritten samples from real ones: sub-expressions cut out of them, and expressions recombined.

Both follow Le, Indurkhya and Nakagawa ("Pattern generation strategies for improving recognition of
handwritten mathematical expressions", Pattern Recognition Letters 128, 2019). Changed here: labels are
composed anew (:mod:`inktex.data.synthesis.composition`), and written at the sizes and distances measured in
real rows (:mod:`inktex.data.synthesis.handwriting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from inktex.data.dataset import Sample
from inktex.data.synthesis.composition import ComposeOptions, Composer, preferences
from inktex.data.synthesis.expressions import Written, cut, decompose, make_sample, read_written, writer_of
from inktex.data.synthesis.handwriting import NeverWrittenError, Scribe
from inktex.data.synthesis.library import Library
from inktex.data.synthesis.structures import CONSTRUCTS
from inktex.errors import DataError, LatexError
from inktex.latex.tree import is_well_formed

FloatArray = npt.NDArray[np.float32]

_TRIES = 50  # labels given up before an expression is
_OTHER_HANDS = 0.5  # how often the hand is that of a writer of single symbols, if there are any


def read_expressions(samples: Sequence[Sample]) -> list[Written]:
    """Take samples apart; those whose ink does not name every symbol's strokes are passed over.

    Raises:
        DataError: none is left.
    """
    expressions = [written for sample in samples if (written := read_written(sample)) is not None]
    if not expressions:
        raise DataError("none of the samples has ink that names the strokes of every symbol of its label")
    return expressions


class Decomposition:
    """All sub-expressions of expressions, each cut out when it is asked for.

    Args:
        expressions: where they are cut from.
        least: fewest symbols of a sub-expression.
    """

    def __init__(self, expressions: Sequence[Written], least: int = 2) -> None:
        self._expressions = expressions
        self._spans = [
            (number, *span)
            for number, written in enumerate(expressions)
            for span in sorted(set(decompose(written, least)))
        ]

    def __len__(self) -> int:
        return len(self._spans)

    def choose(self, count: int, rng: np.random.Generator) -> list[int]:
        """Return the numbers of some of them, each once; those with rare symbols are preferred."""
        labels = [self._expressions[number].sample.tokens[start:end] for number, start, end in self._spans]
        return list(rng.choice(len(labels), count, replace=False, p=preferences(labels)))

    def __getitem__(self, index: int) -> Sample:
        number, start, end = self._spans[index]
        return cut(self._expressions[number], start, end)


class Synthesizer:
    """Composes and writes expressions without end.

    Args:
        expressions: whose ink, labels and distances are used.
        labels: lists of further labels to write, as token lists.
        options: how labels are composed.
        symbols: single symbols to write with besides, see :mod:`inktex.data.synthesis.symbols`.
    """

    def __init__(
        self,
        expressions: Sequence[Written],
        labels: Sequence[Sequence[Sequence[str]]] = (),
        options: ComposeOptions | None = None,
        symbols: Sequence[Sample] = (),
    ) -> None:
        self._library = Library(expressions, symbols)
        known = self._library.tokens | CONSTRUCTS if symbols else frozenset[str]()
        alone = [tokens for tokens in self._library.symbols() if is_well_formed(tokens)]
        self._composer = Composer(expressions, labels, options or ComposeOptions(), known, alone)

    @property
    def listed(self) -> int:
        """How many of the further labels can be written."""
        return sum(map(len, self._composer.listed))

    @property
    def hands(self) -> list[str]:
        """The writers of single symbols in whose hand expressions can be written."""
        return self._library.hands

    def make(self, name: str, rng: np.random.Generator) -> Sample:
        """Return a new expression in the hand of one writer as far as that writer's ink goes.

        Raises:
            DataError: of many composed labels none could be written.
        """
        library = self._library
        for _ in range(_TRIES):
            like = library.expressions[self._composer.choose(rng)].sample
            tokens = self._composer.compose(like.tokens, rng)
            writer = writer_of(like)
            if library.hands and rng.random() < _OTHER_HANDS:
                writer = library.hands[rng.integers(len(library.hands))]
                source, _, hand = writer.partition("/")
                like = replace(like, source=source, writer=hand)
            strokes = self.write(tokens, writer, rng)
            if strokes is not None:
                return make_sample(name, tokens, strokes, like)
        raise DataError("no composed label could be written with the ink of these samples")

    def write(
        self, tokens: tuple[str, ...], writer: str, rng: np.random.Generator
    ) -> list[list[FloatArray]] | None:
        """Return the strokes of each token in a hand, or None if a part of the label was never written."""
        try:
            return Scribe(self._library, writer, rng).write(tokens)
        except (NeverWrittenError, LatexError):
            return None
