"""Logistic regression."""

import numpy as np
import pytest

from inktex.errors import DataError
from inktex.metrics.logistic import fit_logistic


def test_known_weights_are_found_again() -> None:
    """Of outcomes drawn by known weights the fit finds these, within what so many draws allow."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20_000, 2)) * [3.0, 0.5] + [10.0, -2.0]
    chance = 1 / (1 + np.exp(-(1.5 - 0.4 * features[:, 0] + 1.2 * features[:, 1] + 4.0)))

    weights = fit_logistic(features, rng.random(20_000) < chance)

    assert weights == pytest.approx([5.5, -0.4, 1.2], abs=0.25)


def test_the_slope_of_the_likelihood_is_zero_at_the_fit() -> None:
    """The mean chance equals the share of right answers: the condition of the constant at the maximum."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(300, 2))
    outcomes = rng.random(300) < 0.3

    weights = fit_logistic(features, outcomes)

    chance = 1 / (1 + np.exp(-(weights[0] + features @ weights[1:])))
    assert chance.mean() == pytest.approx(outcomes.mean(), abs=1e-9)


def test_outcomes_that_can_be_told_apart_give_finite_weights() -> None:
    """A feature that decides everything gets a large weight, not an infinite one; so does a constant one."""
    features = np.column_stack([np.linspace(-1, 1, 50), np.ones(50)])

    weights = fit_logistic(features, features[:, 0] > 0)

    assert np.isfinite(weights).all()
    assert weights[1] > 3


@pytest.mark.parametrize("outcome", [True, False])
def test_one_kind_of_outcome_teaches_nothing(outcome: bool) -> None:
    """Where all answers are right, or all wrong, there is no curve."""
    with pytest.raises(DataError, match="nothing can be learnt"):
        fit_logistic(np.ones((5, 1)), np.full(5, outcome))
