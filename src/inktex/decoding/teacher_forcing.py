"""Sequences fed to a model: how probable each token is, and where the model looks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inktex.decoding.search import Starts, log_probabilities, never_written
from inktex.decoding.stepper import FloatArray, Stepper


class Forced(NamedTuple):
    """A sequence of t tokens as the model saw it.

    Attributes:
        scores: [t], log-probability of each token after those before it.
        attention: [t, p], over the positions of its picture while each token was written.
    """

    scores: FloatArray
    attention: FloatArray


def force(stepper: Stepper, starts: Starts, sequences: Sequence[Sequence[int]]) -> list[Forced]:
    """Feed given sequences to a model, all at once.

    Args:
        stepper: the model, with pictures that it has read.
        starts: where each of the n sequences begins; how it would end does not matter.
        sequences: ids as written, without start and end, at most as long as the stepper's ``max_length``.
    """
    lengths = [len(sequence) for sequence in sequences]
    longest = max(lengths, default=0)
    if not longest:
        return [Forced(np.zeros(0, np.float32), np.zeros((0, 0), np.float32)) for _ in lengths]
    written = np.zeros((len(lengths), longest), np.int64)
    for row, sequence in enumerate(sequences):
        written[row, : lengths[row]] = sequence
    stepper.rewind()
    logits, attention = stepper.read(
        np.concatenate([starts.first[:, None], written[:, :-1]], 1), starts.pictures
    )
    added = never_written(np.repeat(starts.first, longest), starts.unwritten, logits.shape[2])
    scored = log_probabilities(logits.reshape(added.shape), added)
    scores = scored[np.arange(written.size), written.ravel()].reshape(written.shape)
    return [Forced(scores[row, :length], attention[row, :length]) for row, length in enumerate(lengths)]
