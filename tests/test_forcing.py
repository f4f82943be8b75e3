"""Given sequences fed to a model: score and attention of every token."""

from __future__ import annotations

import numpy as np
import pytest

from inktex.decoding.search import Starts
from inktex.decoding.teacher_forcing import force
from mock_stepper import END, PAD, START, TableStepper, batch


class LookingStepper(TableStepper):
    """A mock model that looks at the square whose number is the sum of what it was fed, modulo 7."""

    @property
    def attention(self) -> np.ndarray:
        """All of the attention at one square."""
        return np.stack([np.eye(7, dtype=np.float32)[sum(prefix) % 7] for prefix in self.prefixes])


def test_every_token_has_the_score_and_the_attention_of_its_own_step() -> None:
    """Whatever their lengths, order, pictures and directions, sequences agree with the table one by one."""
    stepper = LookingStepper(1, 9)
    stepper.start(*batch(3))
    sequences = [(4, 5), (3,), (8, 7, 6, 5), (), (5, 4)]
    pictures = np.array([1, 0, 2, 1, 1])
    first = np.array([START, END, START, START, END])
    last = np.where(first == START, END, START)

    found = force(stepper, Starts(pictures, first, last, (PAD,)), sequences)

    for picture, start, sequence, forced in zip(
        pictures.tolist(), first.tolist(), sequences, found, strict=True
    ):
        assert len(forced.scores) == len(forced.attention) == len(sequence)
        for length in range(len(sequence)):
            score = stepper.score(picture, sequence[: length + 1], start, None)
            assert forced.scores[: length + 1].sum() == pytest.approx(score, abs=1e-5)
            looked_at = (picture + start + sum(sequence[:length])) % 7
            assert forced.attention[length].argmax() == looked_at


def test_nothing_is_fed_where_there_is_nothing() -> None:
    """Empty sequences, and none at all, cost no step."""
    stepper = LookingStepper(1, 9)
    stepper.start(*batch(1))
    none = np.zeros(0, np.int64)

    (forced,) = force(stepper, Starts(np.array([0]), np.array([START]), np.array([END])), [()])

    assert forced.scores.shape == (0,)
    assert force(stepper, Starts(none, none, none), []) == []
    assert stepper.steps == []
