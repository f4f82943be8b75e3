from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inktex.metrics.sequence import edit_distance, exprate, wer

sequences = st.lists(st.sampled_from("abc"), max_size=8)


@given(sequences, sequences)
def test_edit_distance_is_that_of_the_recursive_definition(a: list[str], b: list[str]) -> None:
    """The distance equals the textbook recursion over prefixes."""

    @cache
    def recursion(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(
            recursion(i - 1, j - 1) + (a[i - 1] != b[j - 1]), recursion(i - 1, j) + 1, recursion(i, j - 1) + 1
        )

    assert edit_distance(a, b) == recursion(len(a), len(b))


@given(sequences, sequences, sequences)
def test_edit_distance_is_a_metric(a: list[str], b: list[str], c: list[str]) -> None:
    """It is symmetric, zero exactly for equals, and keeps the triangle inequality."""
    assert edit_distance(a, b) == edit_distance(b, a)
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


def test_rates_of_a_table_worked_by_hand() -> None:
    """Distances 0, 1, 2 and 4 over references of 3, 2, 3 and 0 tokens."""
    pairs = [
        (list("abc"), list("abc")),
        (["a"], list("ab")),
        (list("bac"), list("abc")),
        (list("xxxx"), []),
    ]

    assert exprate(pairs) == [0.25, 0.5, 0.75, 0.75]
    assert exprate(pairs, most_errors=4) == [0.25, 0.5, 0.75, 0.75, 1.0]
    assert wer(pairs) == pytest.approx(7 / 8)


def test_nothing_to_compare() -> None:
    """No pairs have rates of 0; tokens predicted against empty references are infinitely wrong."""
    assert exprate([]) == [0.0] * 4
    assert wer([]) == 0.0
    assert wer([([], [])]) == 0.0
    assert wer([(["a"], [])]) == float("inf")
