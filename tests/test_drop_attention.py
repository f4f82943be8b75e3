"""Drop attention against the three outcomes that a row can have, worked out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import Tensor
from torch.testing import assert_close

from inktex.errors import ConfigError
from inktex.models.drop_attention import DropAttention


def dropped(drop: DropAttention, scores: Tensor) -> Tensor:
    return drop(scores, scores.softmax(1))


def outcomes(attention: np.ndarray, factor: float, share: float) -> list[np.ndarray]:
    """Attention [p, m] left alone, damped, and abandoned where the highest hold the share."""
    weights, held = np.ones(len(attention)), 0.0
    order = sorted(range(len(attention)), key=lambda place: -attention[place].mean())
    for place in order:
        if held >= share:
            break
        weights[place], held = 0.0, held + attention[place].mean()
    results = []
    for kept in (np.ones(len(attention)), np.where(weights == 0, factor, 1.0), weights):
        weighted = attention * kept[:, None]
        results.append(weighted / weighted.sum(0))
    return results


def test_a_table_by_hand() -> None:
    """Of 0.1, 0.4, 0.2, 0.3 the highest that hold a half are 0.4 and 0.3; the others share what is left."""
    attention = torch.tensor([0.1, 0.4, 0.2, 0.3])
    scores = attention.log()[None, :, None]

    abandoned = dropped(DropAttention(1.0, 0.0, 0.5, 0.5), scores)[0, :, 0]
    damped = dropped(DropAttention(0.0, 1.0, 0.5, 0.5), scores)[0, :, 0]

    assert_close(abandoned, torch.tensor([1 / 3, 0, 2 / 3, 0]))
    assert_close(damped, torch.tensor([0.10, 0.20, 0.20, 0.15]) / 0.65)


def test_nothing_is_dropped_in_evaluation() -> None:
    """In evaluation mode the very same attention comes back, whatever the probabilities."""
    attention = torch.rand(3, 5, 2).softmax(1)

    assert DropAttention(1.0, 0.0, 0.5, 0.5).eval()(attention.log(), attention) is attention


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    maps=st.integers(1, 4),
    share=st.floats(0.01, 0.7),
    factor=st.floats(0.05, 1.0),
)
def test_every_row_is_left_damped_or_abandoned(seed: int, maps: int, share: float, factor: float) -> None:
    """Each row is one of the three outcomes in NumPy, and each of its maps sums to one."""
    torch.manual_seed(seed)
    scores = torch.randn(6, 9, maps)

    result = dropped(DropAttention(0.4, 0.4, factor, share), scores)

    assert_close(result.sum(1), torch.ones(6, maps))
    for row, attention in zip(result.numpy(), scores.double().softmax(1).numpy(), strict=True):
        expected = outcomes(attention, factor, share)
        assert min(np.abs(row - each).max() for each in expected) < 1e-5


def test_rows_are_dropped_as_often_as_asked() -> None:
    """Over 40,000 rows the shares of the outcomes are the probabilities, within four standard errors."""
    torch.manual_seed(3)
    rows = 40_000
    scores = torch.tensor([0.7, 0.2, 0.1]).log()[None, :, None].expand(rows, 3, 1)

    highest = dropped(DropAttention(0.2, 0.3, 0.5, 0.5), scores)[:, 0, 0]

    found = {
        0.2: (highest == 0).double().mean(),
        0.3: ((highest - 0.35 / 0.65).abs() < 1e-5).double().mean(),
        0.5: ((highest - 0.7).abs() < 1e-5).double().mean(),
    }
    for probability, share in found.items():
        assert abs(share - probability) < 4 * (probability * (1 - probability) / rows) ** 0.5


def test_the_same_seed_drops_the_same_rows() -> None:
    """Random numbers come from PyTorch's global generator."""
    drop, scores = DropAttention(0.3, 0.3, 0.5, 0.5), torch.randn(64, 7, 1)
    torch.manual_seed(11)
    first = dropped(drop, scores)
    second = dropped(drop, scores)
    torch.manual_seed(11)

    assert torch.equal(dropped(drop, scores), first)
    assert not torch.equal(second, first)


def test_a_map_that_saw_nothing_else_finds_something_else() -> None:
    """A map wholly within the dropped positions turns to the highest of the others."""
    scores = torch.tensor([[[90.0, 0.0], [0.0, 0.0], [3.0, 0.0]]])

    result = dropped(DropAttention(1.0, 0.0, 0.5, 0.01), scores)[0]

    assert_close(result[1:], torch.tensor([[0.0, 0.0], [3.0, 0.0]]).softmax(0))
    assert_close(result[0], torch.zeros(2))


def test_padding_is_never_turned_to() -> None:
    """A picture of one position keeps its attention; padding gets none, whatever is dropped."""
    scores = torch.tensor([[0.5, -1e9, -1e9], [0.2, 0.1, -1e9]])[..., None]

    result = dropped(DropAttention(1.0, 0.0, 0.5, 0.01), scores)[..., 0]

    assert_close(result, torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]))


def test_gradients_reach_the_scores_that_are_left() -> None:
    """Gradients agree with finite differences; abandoned scores have none."""
    torch.manual_seed(1)
    drop = DropAttention(1.0, 0.0, 0.5, 0.3)
    scores = torch.randn(2, 6, 3, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(lambda given: dropped(drop, given), (scores,))
    (dropped(drop, scores) * torch.rand(2, 6, 3)).sum().backward()
    gone = drop.chosen(scores.softmax(1))
    assert (scores.grad[gone] == 0).all()
    assert (scores.grad[~gone] != 0).all()


@pytest.mark.parametrize(
    "numbers",
    [
        (-0.1, 0.1, 0.5, 0.5),
        (0.6, 0.6, 0.5, 0.5),
        (0.1, 0.1, 0.0, 0.5),
        (0.1, 0.1, 1.5, 0.5),
        (0.1, 0.1, 0.5, 1.0),
    ],
)
def test_numbers_that_are_no_probabilities_are_refused(numbers: tuple[float, float, float, float]) -> None:
    """Probabilities below 0 or above 1 together, and factors and shares out of range, are errors."""
    with pytest.raises(ConfigError, match=r"must be|at most 1"):
        DropAttention(*numbers)
