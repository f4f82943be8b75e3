"""A recognizer run over a data set, and how right it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inktex.data.dataset import Sample
from inktex.errors import InktexError
from inktex.metrics.sequence import edit_distance, expression_rates, wer
from inktex.recognizer import Recognizer

Tokens = tuple[str, ...]


@dataclass(frozen=True)
class Prediction:
    """What was read of one sample.

    Attributes:
        id: the sample's.
        tokens: what was read; nothing if the picture could not be read.
        reference: the sample's label.
        problem: why the picture could not be read, or None.
    """

    id: str
    tokens: Tokens
    reference: Tokens
    problem: str | None = None


@dataclass(frozen=True)
class Figures:
    """How right predictions are.

    Attributes:
        exprate: share of expressions without an error, in percent.
        exprate_1: with at most one token inserted, left out or replaced.
        exprate_2: with at most two.
        exprate_3: with at most three.
        wer: word error rate in percent: edits over all expressions, divided by the tokens of all labels.
        count: expressions.
        seconds: how long reading them took.
    """

    exprate: float
    exprate_1: float
    exprate_2: float
    exprate_3: float
    wer: float
    count: int
    seconds: float


def predict(
    recognizer: Recognizer, samples: Iterable[Sample], advance: Callable[[], None] = lambda: None
) -> list[Prediction]:
    """Read the picture of every sample, or its ink where there is no picture.

    Args:
        recognizer: reads them.
        samples: in any number; each needs a picture or ink.
        advance: called whenever one more is done.
    """
    samples = list(samples)
    sources = (sample.ink if sample.image is None else sample.image for sample in samples)
    done: dict[int, Prediction] = {}
    for index, result in recognizer.recognize_each(sources):
        sample = samples[index]
        if isinstance(result, InktexError):
            done[index] = Prediction(sample.id, (), sample.tokens, str(result))
        else:
            done[index] = Prediction(sample.id, result.tokens, sample.tokens)
        advance()
    return [done[index] for index in range(len(samples))]


def figures(predictions: Iterable[Prediction], seconds: float = 0.0) -> Figures:
    """Count the errors of predictions; a picture that could not be read is wrong, however short its label."""
    predictions = list(predictions)
    distances = [
        edit_distance(each.tokens, each.reference) if each.problem is None else math.inf
        for each in predictions
    ]
    exact, one, two, three = (100 * rate for rate in expression_rates(distances))
    return Figures(
        exact,
        one,
        two,
        three,
        wer=100 * wer((each.tokens, each.reference) for each in predictions),
        count=len(predictions),
        seconds=seconds,
    )
