"""How sure a figure is: intervals, two models on the same items, and what confidences are worth.

Nothing here knows what an item is, only whether its answer is right, or what was counted of it. A mean is a
`ratio` of what is averaged to 1; the BLEU of `bootstrap` is `sequence.bleu_of_counts` of `bleu_counts`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.errors import DataError

FloatArray = npt.NDArray[np.float64]
Numbers = Sequence[float] | npt.NDArray[np.number]
Counts = npt.NDArray[np.number]  # [n, k], what is summed of each item
Rights = Sequence[bool] | npt.NDArray[np.bool_]
Statistic = Callable[[FloatArray], FloatArray]  # of sums over items: [rounds, k] -> [rounds]


class Interval(NamedTuple):
    """Where the true value lies, at some level of confidence; both ends belong to it."""

    low: float
    high: float


class Discordance(NamedTuple):
    """How two models fare on the same items.

    Attributes:
        both: items that both have right.
        first_only: items that only the first has right.
        second_only: items that only the second has right.
        neither: items that neither has right.
        p_value: of McNemar's exact test, two-sided, that the two are equally often right.
    """

    both: int
    first_only: int
    second_only: int
    neither: int
    p_value: float


class Bin(NamedTuple):
    """How many items of similar confidence, their mean confidence, and the share of them that is right."""

    items: int
    confidence: float
    right: float


class Calibration(NamedTuple):
    """How far confidences are from shares of right answers.

    Attributes:
        error: the expected calibration error, 0 to 1, over the bins.
        brier: mean squared difference of confidence and outcome, 0 to 1.
        bins: by rising confidence; their numbers of items differ by at most one.
    """

    error: float
    brier: float
    bins: tuple[Bin, ...]


class RiskCoverage(NamedTuple):
    """The share of wrong answers if only the most confident are given.

    Attributes:
        coverages: shares of the items answered, rising to 1, one for each confidence that occurs.
        risks: shares of wrong answers among those.
        area: mean risk over answering 1, 2, ... all items, 0 to 1.
    """

    coverages: tuple[float, ...]
    risks: tuple[float, ...]
    area: float


def wilson(right: int, count: int, level: float = 0.95) -> Interval:
    """Return the interval of the share of right in count (Wilson, JASA 22, 1927); 0 to 1 if count is 0."""
    _check_level(level)
    if not 0 <= right <= count:
        raise ValueError(f"right must be between 0 and {count}, got {right}")
    if count == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = right / count
    middle = share + z**2 / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    low, high = ((middle + side * half) / (1 + z**2 / count) for side in (-1, 1))
    return Interval(low if right else 0.0, high if right < count else 1.0)


def bootstrap(
    counts: Counts, statistic: Statistic, rng: np.random.Generator, rounds: int = 2000, level: float = 0.95
) -> Interval:
    """Return the percentile interval of a statistic of sums over items, drawn again with replacement.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Args:
        counts: [n, k], n at least 1.
        statistic: makes [rounds] of sums, [rounds, k].
        rng: draws the items.
        rounds: how often all items are drawn.
        level: share of the rounds inside the interval.
    """
    return _percentiles(statistic(_resampled_sums(counts, rng, rounds)), level)


def bootstrap_difference(
    first: Counts,
    second: Counts,
    statistic: Statistic,
    rng: np.random.Generator,
    rounds: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Return the interval of the second model's statistic less the first's; both get the same items drawn.

    The arguments are those of `bootstrap`, with the counts of either model on the same n items, [n, k] each.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != other.shape:
        raise ValueError(f"the models must have counts of the same items, got {one.shape} and {other.shape}")
    sums = _resampled_sums(np.hstack([one, other]), rng, rounds)
    half = sums.shape[1] // 2
    return _percentiles(statistic(sums[:, half:]) - statistic(sums[:, :half]), level)


def ratio(sums: FloatArray) -> FloatArray:
    """Return [...], the first of each two sums, [..., 2], divided by the second; 0 / 0 is 0."""
    above, below = sums[..., 0], sums[..., 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where((above == 0) & (below == 0), 0.0, above / below))


def compare_rights(first: Rights, second: Rights) -> Discordance:
    """Count on how many items two models agree, and test whether one is right more often.

    Args:
        first: [n], whether the first model has each item right.
        second: [n], whether the second has.
    """
    one, other = np.asarray(first, np.bool_), np.asarray(second, np.bool_)
    if one.shape != other.shape:
        raise ValueError(f"the models must have the same items, got {one.size} and {other.size}")
    both, first_only = int((one & other).sum()), int((one & ~other).sum())
    second_only, neither = int((~one & other).sum()), int((~one & ~other).sum())
    return Discordance(both, first_only, second_only, neither, mcnemar(first_only, second_only))


def mcnemar(first_only: int, second_only: int) -> float:
    """Return the exact two-sided p-value of items that only one of two models has right.

    Twice the smaller tail of the binomial distribution with p = 1/2, at most 1: the exact conditional form of
    McNemar, Psychometrika 12, 1947 (Fagerland et al., BMC Medical Research Methodology 13:91, 2013).
    """
    if first_only < 0 or second_only < 0:
        raise ValueError(f"numbers of items must not be negative, got {first_only} and {second_only}")
    count = first_only + second_only
    ways, tail = 1, 0  # of choosing k of all, summed up to the smaller number; exact, as integers
    for k in range(min(first_only, second_only) + 1):
        tail += ways
        ways = ways * (count - k) // (k + 1)
    return min(1.0, 2 * tail / (1 << count))


def calibration(confidences: Numbers, rights: Rights, bins: int = 10) -> Calibration:
    """Compare confidences, [n], with outcomes, [n], n at least 1.

    The expected calibration error is the mean distance of confidence and share of right answers in bins of
    equally many items (Nguyen and O'Connor, EMNLP 2015), which, unlike bins of equal width, are never nearly
    empty. Items of equal confidence count with their mean outcome, so that it does not matter which bin they
    fall into.

    Raises:
        DataError: if a confidence is not between 0 and 1.
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    confidence, right = _paired(confidences, rights)
    outside = confidence[~((confidence >= 0) & (confidence <= 1))]
    if outside.size:
        raise DataError(f"A confidence must be between 0 and 1, got {outside[0]:g}.")
    brier = float(((confidence - right) ** 2).mean())
    confidence, right, _ = _ranked(confidence, right)
    parts = np.array_split(np.arange(confidence.size)[::-1], min(bins, confidence.size))
    made = tuple(Bin(part.size, float(confidence[part].mean()), float(right[part].mean())) for part in parts)
    error = sum(each.items * abs(each.confidence - each.right) for each in made) / confidence.size
    return Calibration(error, brier, made)


def risk_coverage(confidences: Numbers, rights: Rights) -> RiskCoverage:
    """Return the risks of answering only the most confident items, from confidences, [n], and outcomes, [n].

    El-Yaniv and Wiener, JMLR 11, 2010; area: Geifman et al., ICLR 2019. Items of equal confidence are
    answered together: the curve has no point between them, and the area is the mean over all orders of them.
    Any numbers will do as confidences, log-probabilities too; n is at least 1.

    Raises:
        DataError: if a confidence is not a number.
    """
    confidence, right = _paired(confidences, rights)
    if np.isnan(confidence).any():
        raise DataError("A confidence must be a number, got nan.")
    _, right, last = _ranked(confidence, right)
    answered = np.arange(1, right.size + 1)
    risks = np.cumsum(1 - right) / answered
    return RiskCoverage(
        tuple((answered[last] / right.size).tolist()), tuple(risks[last].tolist()), float(risks.mean())
    )


def _paired(confidences: Numbers, rights: Rights) -> tuple[FloatArray, FloatArray]:
    confidence, right = np.asarray(confidences, np.float64), np.asarray(rights, np.float64)
    if confidence.shape != right.shape or confidence.size == 0:
        raise ValueError(f"one confidence an item is needed, got {confidence.size} for {right.size} items")
    return confidence, right


def _ranked(
    confidence: FloatArray, right: FloatArray
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Return both by falling confidence, outcomes as the mean of equal confidences, and where those end."""
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], right[order]
    last = np.append(confidence[1:] != confidence[:-1], True)
    block = np.cumsum(last) - last
    return confidence, (np.bincount(block, right) / np.bincount(block))[block], last


def _resampled_sums(counts: Counts, rng: np.random.Generator, rounds: int) -> FloatArray:
    """Return [rounds, k], sums of counts, [n, k], over n items drawn with replacement."""
    items = np.asarray(counts, np.float64)
    if items.ndim != 2 or len(items) == 0:
        raise ValueError(f"counts must be of at least one item and have two dimensions, got {items.shape}")
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    count = len(items)
    sums = np.empty((rounds, items.shape[1]))
    for each in sums:  # one round at a time: all draws at once would not fit
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        each[:] = drawn.astype(np.float64) @ items
    return sums


def _percentiles(values: FloatArray, level: float) -> Interval:
    """Return the innermost two of the values with at most a share of (1 - level) / 2 beyond either."""
    _check_level(level)
    ordered = np.sort(values)
    outside = int(len(ordered) * (1 - level) / 2 + 1e-9)  # what is whole stays so when rounded
    return Interval(float(ordered[outside]), float(ordered[-1 - outside]))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
