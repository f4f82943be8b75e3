"""Sequences fed to a model token by token: how probable each token is, and where the model looks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inktex.decoding.search import Starts, log_probabilities
from inktex.decoding.stepper import FloatArray, Stepper


class Forced(NamedTuple):
    """A sequence of t tokens as the model saw it.

    Attributes:
        probabilities: [t], of each token after those before it.
        attention: [t, p], over the positions of its picture while each token was written.
    """

    probabilities: FloatArray
    attention: FloatArray


def force(stepper: Stepper, starts: Starts, sequences: Sequence[Sequence[int]]) -> list[Forced]:
    """Feed given sequences to a model, all in one loop.

    Args:
        stepper: the model, with pictures that it has read.
        starts: where each of the n sequences begins; how it would end does not matter.
        sequences: ids as written, without start and end, at most as long as the stepper's ``max_length``.
    """
    lengths = np.array([len(sequence) for sequence in sequences], np.int64)
    order = np.argsort(-lengths, kind="stable")  # the longest first: those that end are dropped from the tail
    written = np.zeros((len(order), lengths.max(initial=0)), np.int64)
    for row, number in enumerate(order):
        written[row, : lengths[number]] = sequences[number]
    first, parents = starts.first[order], starts.pictures[order]
    tokens = first
    probabilities, attention = np.zeros(written.shape, np.float32), []
    stepper.rewind()
    for time, following in enumerate(written.T):
        going = int((lengths > time).sum())
        logits = stepper.step(tokens[:going], parents[:going])
        scored = log_probabilities(logits, first[:going], starts.unwritten)
        parents, tokens = np.arange(going), following
        probabilities[:going, time] = np.exp(scored[parents, tokens[:going]])
        attention.append(stepper.attention)
    result = [Forced(np.zeros(0, np.float32), np.zeros((0, 0), np.float32))] * len(order)
    for row, number in enumerate(order):
        if length := int(lengths[number]):
            seen = np.stack([step[row] for step in attention[:length]])
            result[number] = Forced(probabilities[row, :length], seen)
    return result
