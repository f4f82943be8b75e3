from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.decoding.options import SearchOptions
from inktex.decoding.rescore import score_sequences, search_both_ways
from inktex.decoding.search import Hypothesis, Starts, search
from mock_stepper import END, PAD, START, TableStepper, batch


def joint_score(stepper: TableStepper, picture: int, tokens: tuple[int, ...]) -> float:
    """Mean of the two directions' scores, from the table."""
    forward = stepper.score(picture, tokens, START, END)
    backward = stepper.score(picture, tokens[::-1], END, START)
    return (forward + backward) / 2


def find(stepper: TableStepper, count: int = 1, **options: float) -> list[list[Hypothesis]]:
    """Search pictures 0, 1, ... both ways."""
    chosen = SearchOptions(**options)  # type: ignore[arg-type]
    return search_both_ways(stepper, *batch(count), START, END, (PAD, START), chosen)


@pytest.mark.parametrize("seed", range(5))
def test_a_full_width_finds_the_best_joint_score(seed: int) -> None:
    """Where both beams hold every sequence, the ranking is an enumeration's by the mean score."""
    stepper, longest = TableStepper(seed, size=5), 4

    found = find(stepper, width=200, max_length=longest + 1)[0]

    every = [each for length in range(longest + 1) for each in product((3, 4), repeat=length)]
    expected = sorted(every, key=lambda each: -joint_score(stepper, 0, each) / (len(each) + 1))
    assert [hypothesis.tokens for hypothesis in found] == expected


@given(seed=st.integers(0, 10_000), width=st.integers(1, 4), count=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_the_best_of_both_beams_is_the_best_by_both_directions(seed: int, width: int, count: int) -> None:
    """The union of both beams, in reading order; the first is an enumeration's by mean scores, unless a
    direction ranks what it has not found above all that it has."""
    stepper = TableStepper(seed, size=6)
    options = SearchOptions(width=width, max_length=9)
    forward = search(stepper, *batch(count), START, END, (PAD,), options)
    backward = search(stepper, *batch(count), END, START, (PAD,), options)

    for picture, found in enumerate(find(stepper, count, width=width, max_length=9)):
        ahead = [each.tokens for each in forward[picture] if each.complete]
        back = [each.tokens[::-1] for each in backward[picture] if each.complete]
        if not ahead and not back:
            assert found == forward[picture]
            continue
        assert {each.tokens for each in found} == {*ahead, *back}
        assert len(found) == len({*ahead, *back})
        ranks = [each.score / (len(each.tokens) + 1) for each in found]
        assert ranks == sorted(ranks, reverse=True)
        for each in found:
            if each.tokens in ahead and each.tokens in back:
                assert each.score == pytest.approx(joint_score(stepper, picture, each.tokens), abs=1e-4)
        if not ahead or not back:
            continue
        if ahead[0] != back[0]:
            score = joint_score(stepper, picture, found[0].tokens)
            assert found[0].score == pytest.approx(score, abs=1e-4)
        surprised = any(
            stepper.score(picture, tokens[::turn], start, end) / (len(tokens) + 1)
            > stepper.score(picture, known[0][::turn], start, end) / (len(known[0]) + 1)
            for known, others, turn, start, end in (
                (ahead, back, 1, START, END),
                (back, ahead, -1, END, START),
            )
            for tokens in others
        )
        if not surprised:
            judged = {each.tokens: joint_score(stepper, picture, each.tokens) for each in found}
            assert found[0].tokens == max(judged, key=lambda tokens: judged[tokens] / (len(tokens) + 1))


@pytest.mark.parametrize("width", [1, 3])
def test_agreement_costs_no_rescoring(width: int) -> None:
    """Where both directions hold the same sequence for best, no step is made after the beams."""

    class Certain(TableStepper):
        def logits(self, prefix: tuple[int, ...]) -> np.ndarray:
            written = prefix[2:]
            end = END if prefix[1] == START else START
            following = 3 if len(written) < 4 else end
            return np.where(np.arange(self.size) == following, 9, 0).astype(np.float32)

    stepper = Certain(0, size=5)
    (found,) = find(stepper, width=width, max_length=10)

    assert found[0].tokens == (3, 3, 3, 3)
    made = len(stepper.steps)
    search(stepper, *batch(1), START, END, (PAD,), SearchOptions(width=width, max_length=10))
    assert len(stepper.steps) == 2 * made


@pytest.mark.parametrize("size", [7, 40])
def test_others_than_the_best_are_scored_only_where_one_is_believed_in(size: int) -> None:
    """What either direction holds for best has its joint score wherever they differ; more is fed only where
    one gives its best a probability from which on it is worth that."""

    class Rewound(TableStepper):
        rewinds = 0  # one for the beams, and one for each time sequences are scored

        def rewind(self) -> None:
            super().rewind()
            self.rewinds += 1

    believed, doubted, exact_more = 0, 0, 0
    for seed in range(25):
        options = SearchOptions(width=3, max_length=30, prune=0.05)
        best = []
        for first, last, turn in ((START, END, 1), (END, START, -1)):
            (found,) = search(TableStepper(seed, size), *batch(1), first, last, (PAD,), options)
            best.append((found[0].tokens[::turn], found[0].score, found[0].complete))
        if not all(complete for _, _, complete in best) or best[0][0] == best[1][0]:
            continue
        stepper, exact = Rewound(seed, size), Rewound(seed, size)

        (found,) = find(stepper, width=3, max_length=30, prune=0.05, rescore_above=0.007)
        find(exact, width=3, max_length=30, prune=0.05)

        joint = {each.tokens: each.score for each in found}
        for tokens, _, _ in best:
            assert joint[tokens] == pytest.approx(joint_score(stepper, 0, tokens), abs=1e-4)
        if max(score for _, score, _ in best) < np.log(0.007):
            assert stepper.rewinds == 2
            doubted += 1
            exact_more += exact.rewinds > 2
        else:
            believed += stepper.rewinds > 2

    assert believed > 0
    if size == 40:
        assert doubted > 5
        assert exact_more > 0


def test_nothing_complete_gives_the_hypotheses_cut_short() -> None:
    """A model that never ends still answers, and the answer is marked as incomplete."""

    class Endless(TableStepper):
        def logits(self, prefix: tuple[int, ...]) -> np.ndarray:
            return np.array([9, -30, -30, 1, 0], np.float32)

    (found,) = find(Endless(0, size=5), width=2, max_length=6)

    assert found
    assert not any(each.complete for each in found)


def test_given_sequences_are_scored_whatever_their_order_and_length() -> None:
    """Scoring many sequences of several pictures at once gives each its own log-probability."""
    stepper = TableStepper(7, size=6)
    stepper.start(*batch(3))
    sequences = [(3,), (), (4, 5, 3, 3), (5, 5), (3, 4, 5)]
    pictures, first = np.array([2, 0, 1, 0, 2]), np.array([START, END, START, END, END])
    last = np.where(first == START, END, START)

    scores = score_sequences(stepper, Starts(pictures, first, last, (PAD,)), sequences)

    expected = [
        stepper.score(int(picture), tokens, int(begin), int(end))
        for picture, tokens, begin, end in zip(pictures, sequences, first, last, strict=True)
    ]
    assert scores.tolist() == pytest.approx(expected, abs=1e-4)
