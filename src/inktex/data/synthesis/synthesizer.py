"""New handwritten samples from real ones: sub-expressions cut out of them, and expressions recombined.

Both follow Le, Indurkhya and Nakagawa ("Pattern generation strategies for improving recognition of
handwritten mathematical expressions", Pattern Recognition Letters 128, 2019). Changed here: labels are
composed anew (:mod:`inktex.data.synthesis.composition`), and written at the sizes and distances measured in
real rows (:mod:`inktex.data.synthesis.handwriting`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inktex.data.dataset import Sample
from inktex.data.synthesis.composition import ComposeOptions, Composer, preferences
from inktex.data.synthesis.expressions import Written, cut, decompose, make_sample, read_written, writer_of
from inktex.data.synthesis.handwriting import Library, NeverWrittenError, Scribe
from inktex.errors import DataError

_TRIES = 50  # labels given up before an expression is


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
        labels: further labels to write, as token lists.
        options: how labels are composed.
    """

    def __init__(
        self,
        expressions: Sequence[Written],
        labels: Sequence[Sequence[str]] = (),
        options: ComposeOptions | None = None,
    ) -> None:
        self._library = Library(expressions)
        self._composer = Composer(expressions, labels, options or ComposeOptions())

    @property
    def listed(self) -> int:
        """How many of the further labels can be written."""
        return len(self._composer.listed)

    def make(self, name: str, rng: np.random.Generator) -> Sample:
        """Return a new expression in the hand of one writer as far as that writer's ink goes.

        Raises:
            DataError: of many composed labels none could be written.
        """
        expressions = self._library.expressions
        for _ in range(_TRIES):
            like = expressions[self._composer.choose(rng)].sample
            tokens = self._composer.compose(like.tokens, rng)
            try:
                strokes = Scribe(self._library, writer_of(like), rng).write(tokens)
            except NeverWrittenError:
                continue
            return make_sample(name, tokens, strokes, like)
        raise DataError("no composed label could be written with the ink of these samples")
