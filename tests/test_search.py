from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.decoding.options import SearchOptions
from inktex.decoding.search import Hypothesis, log_probabilities, never_written, search
from mock_stepper import END, PAD, START, TableStepper, batch


def find(stepper: TableStepper, count: int = 1, **options: float) -> list[list[Hypothesis]]:
    """Search pictures 0, 1, ... from left to right."""
    return search(stepper, *batch(count), START, END, (PAD,), SearchOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_full_width_finds_what_brute_force_finds(seed: int, penalty: float) -> None:
    """A beam that holds every sequence returns all of them, ranked as an enumeration ranks them."""
    stepper, longest = TableStepper(seed, size=5), 4

    found = find(stepper, width=200, length_penalty=penalty, max_length=longest + 1)[0]

    every = [each for length in range(longest + 1) for each in product((3, 4), repeat=length)]
    scores = {each: stepper.score(0, each) for each in every}
    expected = sorted(every, key=lambda each: -scores[each] / (len(each) + 1) ** penalty)
    complete = [hypothesis for hypothesis in found if hypothesis.complete]
    assert [hypothesis.tokens for hypothesis in complete] == expected
    assert [hypothesis.score for hypothesis in complete] == pytest.approx(
        [scores[e] for e in expected], abs=1e-4
    )


@given(seed=st.integers(0, 10_000), count=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_width_1_follows_the_likeliest_token(seed: int, count: int) -> None:
    """Beam search of width 1 is greedy search."""
    stepper, longest = TableStepper(seed, size=6), 12

    for picture, (hypothesis,) in enumerate(find(stepper, count, width=1, max_length=longest)):
        written: list[int] = []
        while len(written) < longest:
            logits = stepper.logits((picture, START, *written)).copy()
            logits[[PAD, START]] = -np.inf
            if logits.argmax() == END:
                break
            written.append(int(logits.argmax()))
        assert list(hypothesis.tokens) == written
        assert hypothesis.complete == (len(written) < longest)


@given(seed=st.integers(0, 10_000), width=st.integers(1, 5), penalty=st.sampled_from([0.0, 0.7, 1.0]))
@settings(max_examples=30, deadline=None)
def test_hypotheses_are_distinct_sorted_and_score_what_they_say(
    seed: int, width: int, penalty: float
) -> None:
    """Scores are the teacher-forced ones; the order is score / length ** penalty, complete ones first."""
    stepper = TableStepper(seed, size=6)

    for picture, found in enumerate(find(stepper, 3, width=width, length_penalty=penalty, max_length=7)):
        assert 1 <= len(found) <= width
        assert len({hypothesis.tokens for hypothesis in found}) == len(found)
        keys = [(not each.complete, -each.score / (len(each.tokens) + 1) ** penalty) for each in found]
        assert keys == sorted(keys)
        for each in found:
            end = END if each.complete else None
            assert each.score == pytest.approx(stepper.score(picture, each.tokens, end=end), abs=1e-4)
            assert not {PAD, START, END} & set(each.tokens)


@given(seed=st.integers(0, 10_000), width=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_a_picture_alone_gives_what_it_gives_in_a_batch(seed: int, width: int) -> None:
    """The other pictures of a batch, and when their searches end, change nothing."""
    stepper = TableStepper(seed, size=6)
    together = find(stepper, 4, width=width, max_length=9)

    for picture in range(4):
        images, padding = batch(4)
        options = SearchOptions(width=width, max_length=9)
        alone = search(stepper, images[[picture]], padding[[picture]], START, END, (PAD,), options)
        assert alone[0] == together[picture]


def test_finished_pictures_are_not_stepped_on() -> None:
    """Greedy search of two pictures steps only as many rows as have not ended."""
    stepper = TableStepper(3, size=5)

    lengths = sorted(len(found[0].tokens) + 1 for found in find(stepper, 2, width=1, max_length=30))

    assert lengths[0] < lengths[1]
    assert stepper.steps == [2] * lengths[0] + [1] * (lengths[1] - lengths[0])


def test_the_length_bound_is_reported() -> None:
    """A model that never ends gives hypotheses of the longest length, marked as incomplete."""

    class Endless(TableStepper):
        def logits(self, prefix: tuple[int, ...]) -> np.ndarray:
            return np.array([9, 9, -30, 1, 0], np.float32)

    (found,) = find(Endless(0, size=5), width=2, max_length=6)
    assert found[0].tokens == (3,) * 6
    assert not any(hypothesis.complete for hypothesis in found)

    (found,) = find(Endless(0, size=5, max_length=4), width=2, max_length=6)
    assert {len(hypothesis.tokens) for hypothesis in found} == {4}


def test_the_length_penalty_decides_between_short_and_long() -> None:
    """Worked by hand: one token of probability 0.3 beats three of 0.4 by sum, and loses by mean."""

    class Fork(TableStepper):
        def logits(self, prefix: tuple[int, ...]) -> np.ndarray:
            table = {
                (START,): [0, 0, 0.3, 0.4, 0.3],  # ends at once with 0.3, or writes 3 with 0.4
                (START, 3): [0, 0, 0.1, 0.5, 0.4],
                (START, 3, 3): [0, 0, 0.8, 0.1, 0.1],  # 0.4 * 0.5 * 0.8 = 0.16
            }
            probabilities = table.get(prefix[1:], [0, 0, 0.02, 0.49, 0.49])
            return np.log(np.array(probabilities, np.float32) + 1e-9)

    assert find(Fork(0, 5), width=4, length_penalty=0.0, max_length=5)[0][0].tokens == ()
    (best, *_) = find(Fork(0, 5), width=4, length_penalty=1.0, max_length=5)[0]
    assert best.tokens == (3, 3)
    assert best.score == pytest.approx(np.log(0.16), abs=1e-4)


@dataclass(frozen=True)
class Alternating:
    """A constraint that never lets a token stand twice in a row, and notes the lengths it is asked for."""

    lengths: list[int]
    last: np.ndarray | None = None  # [n]

    def start(self, first: np.ndarray, max_length: int) -> Alternating:
        self.lengths.append(max_length)
        return replace(self, last=first)

    def allowed(self) -> np.ndarray:
        assert self.last is not None
        return np.arange(6) != self.last[:, None]

    def after(self, parents: np.ndarray, tokens: np.ndarray) -> Alternating:
        assert self.last is not None
        assert (parents < len(self.last)).all()
        return replace(self, last=tokens)


@pytest.mark.parametrize("width", [1, 3])
def test_a_constraint_forbids_tokens(width: int) -> None:
    """What a constraint forbids is never written, and what it leaves keeps its log-probability."""
    stepper, rule = TableStepper(1, 6, max_length=8), Alternating([])
    options = SearchOptions(width=width, max_length=11)

    found = search(stepper, *batch(2), START, END, (PAD,), options, rule)

    assert rule.lengths == [8]
    for picture, hypotheses in enumerate(found):
        for each in hypotheses:
            assert all(a != b for a, b in zip(each.tokens, each.tokens[1:], strict=False))
            end = END if each.complete else None
            assert each.score == pytest.approx(stepper.score(picture, each.tokens, end=end), abs=1e-4)
    free = search(stepper, *batch(2), START, END, (PAD,), options)
    assert any(a == b for a, b in zip(free[0][0].tokens, free[0][0].tokens[1:], strict=False))


def test_masked_ids_have_no_share() -> None:
    """Padding and each row's own start get minus infinity; the others' probabilities sum to 1."""
    logits = np.random.default_rng(0).standard_normal((2, 6)).astype(np.float32)

    result = log_probabilities(logits, never_written(np.array([1, 2]), (PAD,), 6))

    assert np.isneginf(result[[0, 0, 1, 1], [0, 1, 0, 2]]).all()
    assert np.exp(result).sum(axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert result[0, 3] - result[0, 5] == pytest.approx(logits[0, 3] - logits[0, 5], abs=1e-6)


def test_no_pictures_give_no_hypotheses() -> None:
    """An empty batch is searched in no step."""
    stepper = TableStepper(0, 5)

    assert find(stepper, 0) == []
    assert stepper.steps == []


@given(seed=st.integers(0, 10_000), width=st.integers(1, 4), prune=st.sampled_from([0.05, 0.3, 0.9]))
@settings(max_examples=80, deadline=None)
def test_pruning_leaves_what_is_near_the_best(seed: int, width: int, prune: float) -> None:
    """What is found lies within the bound and is found alone as in a batch."""
    stepper = TableStepper(seed, 6, spread=3.0)

    pruned = find(stepper, 2, width=width, max_length=8, prune=prune)

    for picture, hypotheses in enumerate(pruned):
        best = max(each.score for each in hypotheses if each.complete or not hypotheses[0].complete)
        assert all(np.exp(each.score - best) >= prune - 1e-6 for each in hypotheses)
        for each in hypotheses:
            if each.complete:
                assert each.score == pytest.approx(stepper.score(picture, each.tokens), abs=1e-4)
    assert find(stepper, 1, width=width, max_length=8, prune=prune)[0] == pruned[0]


def test_hypotheses_are_pruned_at_once() -> None:
    """One that falls below the share of the best, open or complete, is not stepped on."""

    class Branch(TableStepper):
        """Token 3 or, at a tenth of its probability, 4; then both go on to their end for sure."""

        def logits(self, prefix: tuple[int, ...]) -> np.ndarray:
            if len(prefix) == 2:
                return np.log(np.array([1e-9, 1e-9, 1e-9, 10, 1], np.float32))
            chosen = END if len(prefix) == 4 else 3
            return np.where(np.arange(self.size) == chosen, 30, 0).astype(np.float32)

    steps = {}
    for prune in (0.0, 0.09, 0.11):
        stepper = Branch(0, size=5)
        (found,) = find(stepper, 1, width=2, max_length=6, prune=prune)
        steps[prune] = stepper.steps[:3]
        assert found[0].tokens == (3, 3)
        assert ((4, 3) in [each.tokens for each in found]) == (prune < 0.1)

    assert steps == {0.0: [1, 2, 2], 0.09: [1, 2, 2], 0.11: [1, 1, 1]}


@given(seed=st.integers(0, 10_000), prune=st.sampled_from([0.0, 0.05, 0.3]))
@settings(max_examples=40, deadline=None)
def test_beams_are_equally_wide_only_where_pictures_differ(seed: int, prune: float) -> None:
    """One picture is given no row but its open hypotheses, which are distinct; several get as many each."""

    class Noting(TableStepper):
        """Keeps what was stepped on."""

        def step(self, tokens: np.ndarray, parents: np.ndarray) -> np.ndarray:
            logits = super().step(tokens, parents)
            noted.append(self.prefixes)
            return logits

    noted: list[list[tuple[int, ...]]] = []
    find(Noting(seed, 6, spread=3.0), 1, width=4, max_length=8, prune=prune)
    assert all(len(set(prefixes)) == len(prefixes) for prefixes in noted)

    noted.clear()
    find(Noting(seed, 6, spread=3.0), 3, width=4, max_length=8, prune=prune)
    for prefixes in noted:
        rows = Counter(picture for picture, *_ in prefixes)
        assert len(set(rows.values())) == 1
        open_rows = Counter(picture for picture, *_ in set(prefixes))
        assert max(open_rows.values()) == max(rows.values())


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"max_length": 0}, {"length_penalty": -1.0}, {"prune": 1.0}, {"prune": -0.1}]
)
def test_impossible_options_are_refused(wrong: dict[str, float]) -> None:
    """Options check themselves and name the wrong one."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SearchOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [1, 3])
def test_a_network_scores_what_teacher_forcing_scores(width: int) -> None:
    """Search on a PyTorch network gives the log-probabilities of the whole-sequence pass."""
    torch = pytest.importorskip("torch")
    from inktex.models.inktex import InktexModel, InktexOptions
    from inktex.training.stepper import TorchStepper

    torch.manual_seed(2)
    sizes = {"channels": (8, 8, 16), "blocks": (1, 1, 1), "width": 32, "layers": 2, "heads": 4}
    model = InktexModel(9, InktexOptions(**sizes, feed_forward=64, coverage_channels=4)).eval()
    torch.nn.init.normal_(model.classifier.weight)
    images = np.random.default_rng(0).random((3, 1, 16, 32), dtype=np.float32)
    padding = np.zeros((3, 16, 32), bool)
    options = SearchOptions(width=width, max_length=10)

    found = search(TorchStepper(model, 256), images, padding, START, END, (PAD,), options)

    for picture, hypotheses in enumerate(found):
        one = slice(picture, picture + 1)
        for each in hypotheses:
            read = torch.tensor([[START, *each.tokens]])
            with torch.no_grad():
                features = model.encode(torch.from_numpy(images[one]), torch.from_numpy(padding[one]))
                logits = model(features, read).logits[0]
            logits[:, [PAD, START]] = -torch.inf
            follow = [*each.tokens, END] if each.complete else each.tokens
            expected = sum(logits.log_softmax(-1)[row, token].item() for row, token in enumerate(follow))
            assert each.score == pytest.approx(expected, abs=1e-3)


def test_a_model_in_training_mode_is_not_searched() -> None:
    """Dropout would make answers random; the stepper says so."""
    torch = pytest.importorskip("torch")
    from inktex.training.stepper import TorchStepper

    with pytest.raises(RuntimeError, match="eval"):
        TorchStepper(torch.nn.Linear(1, 1), 5).start(*batch(1))  # type: ignore[arg-type]
