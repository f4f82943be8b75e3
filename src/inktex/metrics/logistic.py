"""Logistic regression: the chance of an outcome as a curve over a few numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inktex.errors import DataError

FloatArray = npt.NDArray[np.float64]
_ROUNDS = 50
_RIDGE = 1e-3  # keeps weights finite where the outcomes can be told apart without error


def fit_logistic(features: FloatArray, outcomes: npt.NDArray[np.bool_]) -> FloatArray:
    """Fit weights by penalised maximum likelihood (Newton's method).

    Args:
        features: [n, k].
        outcomes: [n].

    Returns:
        Weights [1 + k], the constant first.

    Raises:
        DataError: all outcomes are the same, or a feature is no number.
    """
    if not np.isfinite(features).all():
        raise DataError("a feature of the regression is not a number")
    if outcomes.all() or not outcomes.any():
        raise DataError("all answers are right, or all are wrong: nothing can be learnt of confidence")
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread == 0] = 1
    design = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    weights = np.zeros(design.shape[1])
    penalty = _RIDGE * len(features) * np.eye(design.shape[1])
    penalty[0, 0] = 0
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (chance - outcomes) + penalty @ weights
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature + 1e-9 * np.eye(len(weights)), slope)
        weights -= np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    slopes = weights[1:] / spread
    return np.concatenate([[weights[0] - slopes @ mean], slopes])
