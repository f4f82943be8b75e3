"""Expressions written anew for every epoch."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("torch")

from inktex.data.batches.examples import Example, Limits
from inktex.data.synthesis.synthesizer import Synthesizer, read_expressions
from inktex.training.fresh import FreshExamples
from inktex.vocabulary import Vocabulary
from typewriter import typed

LABELS = ("x + y", "x ^ { 2 } = b", "( x + 1 ) y")


def fresh(workers: int, count: int = 70) -> FreshExamples:
    samples = [typed(label) for label in LABELS]
    vocabulary = Vocabulary.build([sample.tokens for sample in samples])
    synthesizer = Synthesizer(read_expressions(samples))
    return FreshExamples(synthesizer, vocabulary, Limits(), count, seed=5, workers=workers)


def same(some: list[Example], others: list[Example]) -> bool:
    return len(some) == len(others) and all(
        one.id == other.id and one.tokens == other.tokens and np.array_equal(one.ink.points, other.ink.points)
        for one, other in zip(some, others, strict=True)
    )


def test_an_epochs_examples_do_not_depend_on_who_writes_them_or_when() -> None:
    """Worker processes, this process, any order of epochs: the same examples; another epoch has others."""
    ahead, here = fresh(workers=2), fresh(workers=0)

    first, second = ahead.of(0), ahead.of(1)

    assert len(first) == len(second) == 70
    assert same(here.of(1), second)
    assert same(here.of(0), first)
    assert not same(first, second)


def test_a_copy_for_another_process_has_the_current_epoch() -> None:
    """What travels to a process that loads batches holds the epoch and starts no processes."""
    original = fresh(workers=0, count=3)
    expected = original.of(4)

    assert same(pickle.loads(pickle.dumps(original)).of(4), expected)
