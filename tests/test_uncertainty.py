from __future__ import annotations

import itertools
import math
import random
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.errors import DataError
from inktex.metrics.sequence import Pair, bleu, bleu_counts, bleu_of_counts, distances, wer
from inktex.metrics.uncertainty import (
    Bin,
    Discordance,
    Interval,
    bootstrap,
    bootstrap_difference,
    calibration,
    compare_rights,
    mcnemar,
    ratio,
    risk_coverage,
    wilson,
)

answers = st.lists(st.tuples(st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=1)


@pytest.mark.parametrize(
    ("right", "count", "level", "interval"),
    [
        (81, 263, 0.95, (0.2553, 0.3662)),  # Newcombe, Statistics in Medicine 17, 1998, table I, method 3
        (15, 148, 0.95, (0.0624, 0.1605)),
        (0, 20, 0.95, (0.0, 0.1611)),
        (1, 29, 0.95, (0.0061, 0.1718)),
        (5, 10, 0.90, (0.2693, 0.7307)),  # 1/2 -+ z / 2 / sqrt(10 + z^2), z = 1.6449
    ],
)
def test_wilson_interval_of_known_examples(
    right: int, count: int, level: float, interval: tuple[float, float]
) -> None:
    """Published examples have the published interval."""
    assert wilson(right, count, level) == pytest.approx(interval, abs=5e-5)


@settings(deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_ends_are_where_the_score_test_turns(case: tuple[int, int], level: float) -> None:
    """At an end inside (0, 1), the share is z standard errors away, the error taken at that end."""
    right, count = case
    z = NormalDist().inv_cdf((1 + level) / 2)

    low, high = wilson(right, count, level)

    assert 0 <= low <= right / count <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(right / count - end) == pytest.approx(z * math.sqrt(end * (1 - end) / count), rel=1e-6)
    mirrored = wilson(count - right, count, level)
    assert (low, high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-12)


@pytest.mark.parametrize(("count", "share"), [(30, 0.5), (100, 0.9), (986, 0.6), (986, 0.97)])
def test_wilson_covers_the_true_share_as_often_as_it_says(count: int, share: float) -> None:
    """Over all outcomes, weighted by their probability, 95 % intervals hold the truth in 93 to 97 %."""
    covered = 0.0
    for right in range(count + 1):
        low, high = wilson(right, count)
        if low <= share <= high:
            ways = math.lgamma(count + 1) - math.lgamma(right + 1) - math.lgamma(count - right + 1)
            covered += math.exp(ways + right * math.log(share) + (count - right) * math.log(1 - share))

    assert 0.93 <= covered <= 0.97


def test_wilson_at_its_borders() -> None:
    """Nothing is known of no items; none and all right have a sharp end; what cannot be is refused."""
    assert wilson(0, 0) == Interval(0.0, 1.0)
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0
    for right, count, level in ((8, 7, 0.95), (-1, 7, 0.95), (1, 7, 1.0), (1, 7, 0.0)):
        with pytest.raises(ValueError, match="must be between"):
            wilson(right, count, level)


def pairs_with_errors(count: int, share: float, rng: random.Random) -> list[Pair]:
    """References of 1 to 20 of five symbols; a share of the predicted tokens is wrong."""
    references = [rng.choices("abcde", k=rng.randint(1, 20)) for _ in range(count)]
    return [
        (["x" if rng.random() < share else token for token in reference], reference)
        for reference in references
    ]


def wer_counts(pairs: list[Pair]) -> np.ndarray:
    return np.column_stack([distances(pairs), [len(reference) for _, reference in pairs]])


def redrawn(pairs: list[Pair], seed: int, rounds: int) -> list[list[Pair]]:
    """The corpora that the bootstrap with this seed sees, drawn one by one."""
    rng = np.random.default_rng(seed)
    return [[pairs[index] for index in rng.integers(len(pairs), size=len(pairs))] for _ in range(rounds)]


def test_bootstrap_sees_whole_corpora_drawn_again() -> None:
    """Its interval of WER and BLEU is that of the metrics of 100 corpora, the third from either end."""
    pairs = pairs_with_errors(25, 0.15, random.Random(1))
    corpora = redrawn(pairs, seed=4, rounds=100)

    for metric, counts, statistic in ((wer, wer_counts, ratio), (bleu, bleu_counts, bleu_of_counts)):
        scores = sorted(metric(corpus) for corpus in corpora)
        found = bootstrap(counts(pairs), statistic, np.random.default_rng(4), rounds=100, level=0.95)
        assert found == pytest.approx((scores[2], scores[-3]))


def test_paired_bootstrap_draws_the_same_items_for_both_models() -> None:
    """Its interval of the difference is that of the differences of WER on the same corpora."""
    rng = random.Random(2)
    first = pairs_with_errors(25, 0.3, rng)
    second = [(["x" if rng.random() < 0.1 else t for t in reference], reference) for _, reference in first]
    corpora = zip(redrawn(first, seed=5, rounds=100), redrawn(second, seed=5, rounds=100), strict=True)
    apart = sorted(wer(other) - wer(one) for one, other in corpora)

    found = bootstrap_difference(
        wer_counts(first), wer_counts(second), ratio, np.random.default_rng(5), rounds=100, level=0.9
    )

    assert found == pytest.approx((apart[5], apart[-6]))
    assert found.high < 0  # the second is better


def test_models_that_fail_alike_differ_by_nothing() -> None:
    """The same counts twice have a difference of exactly 0, however wide either interval is."""
    counts = wer_counts(pairs_with_errors(30, 0.3, random.Random(3)))

    assert bootstrap_difference(counts, counts, ratio, np.random.default_rng(0)) == (0.0, 0.0)


def test_bootstrap_is_like_all_possible_draws() -> None:
    """Of three items there are 27 draws; ends and shares of the bootstrap's values are those of the 27."""
    counts = np.array([[0, 1], [1, 2], [5, 3]])
    every = [counts[list(draw)].sum(axis=0) for draw in itertools.product(range(3), repeat=3)]
    values = sorted(above / below for above, below in every)

    # Beyond the ends lie 2 of 27 on either side, and no value is so near the edge that chance decides.
    found = bootstrap(counts, ratio, np.random.default_rng(0), rounds=20000, level=1 - 2 * 2.5 / 27)

    assert found == pytest.approx((values[2], values[-3]))


def test_bootstrap_covers_the_true_rate_about_as_often_as_it_says() -> None:
    """In 300 corpora of known error rate, 90 % intervals hold it in 85 to 95 %."""
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(300):
        lengths = rng.integers(1, 20, size=60)
        errors = rng.binomial(lengths, 0.2)
        low, high = bootstrap(np.column_stack([errors, lengths]), ratio, rng, rounds=100, level=0.9)
        covered += low <= 0.2 <= high

    assert 0.85 <= covered / 300 <= 0.95


def test_bootstrap_of_rights_is_near_wilson() -> None:
    """A mean of zeros and ones has about the interval that Wilson gives."""
    rights = np.arange(986) < 591

    found = bootstrap(
        np.column_stack([rights, np.ones(986)]), ratio, np.random.default_rng(7), rounds=4000, level=0.95
    )

    assert found == pytest.approx(wilson(591, 986), abs=0.004)


def test_bootstrap_repeats_itself() -> None:
    """The same generator gives the same interval, another one another."""
    counts = wer_counts(pairs_with_errors(50, 0.2, random.Random(8)))

    first, again, other = (bootstrap(counts, ratio, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert first == again != other


def test_bootstrap_of_rates_without_a_length() -> None:
    """0 / 0 is 0 and edits of nothing are infinite, in a corpus that may be drawn without references."""
    only_empty = bootstrap(np.zeros((3, 2)), ratio, np.random.default_rng(0))
    without = bootstrap(np.array([[1, 0], [1, 0]]), ratio, np.random.default_rng(0))

    assert only_empty == (0.0, 0.0)
    assert without == (math.inf, math.inf)


def test_bootstrap_refuses_what_cannot_be_drawn() -> None:
    """No items, one dimension, no rounds, no level and unlike models are refused."""
    rng, counts = np.random.default_rng(0), np.ones((4, 2))

    with pytest.raises(ValueError, match="at least one item"):
        bootstrap(np.empty((0, 2)), ratio, rng)
    with pytest.raises(ValueError, match="two dimensions"):
        bootstrap(np.ones(4), ratio, rng)
    with pytest.raises(ValueError, match="rounds must be at least 1"):
        bootstrap(counts, ratio, rng, rounds=0)
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        bootstrap(counts, ratio, rng, level=95)
    with pytest.raises(ValueError, match=r"same items, got \(4, 2\) and \(5, 2\)"):
        bootstrap_difference(counts, np.ones((5, 2)), ratio, rng)


@pytest.mark.parametrize("count", range(12))
def test_mcnemar_is_the_share_of_all_outcomes_as_uneven(count: int) -> None:
    """The p-value is the share of all throws of fair coins that lie at least as far from the middle."""
    outcomes = [sum(each) for each in itertools.product((0, 1), repeat=count)]
    for first_only in range(count + 1):
        apart = abs(2 * first_only - count)
        as_uneven = sum(abs(2 * outcome - count) >= apart for outcome in outcomes)

        assert mcnemar(first_only, count - first_only) == as_uneven / len(outcomes)


def test_mcnemar_of_known_examples() -> None:
    """Worked by hand: 2 (1 + 10 + 45) / 2^10 of 2 and 8; 2 / 2^6 of none and 6."""
    assert mcnemar(2, 8) == pytest.approx(112 / 1024)
    assert mcnemar(8, 2) == pytest.approx(112 / 1024)
    assert mcnemar(0, 6) == 1 / 32
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 5) == 1
    with pytest.raises(ValueError, match="must not be negative"):
        mcnemar(-1, 3)


def test_mcnemar_of_many_items() -> None:
    """With thousands it is the sum of binomial terms in logarithms; when vanishing, it is 0 and no error."""
    terms = [math.lgamma(5001) - math.lgamma(k + 1) - math.lgamma(5001 - k) for k in range(2401)]
    expected = 2 * sum(math.exp(term - 5000 * math.log(2)) for term in terms)

    assert mcnemar(2400, 2600) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(0, 25_000) == 0


def test_comparing_two_models_counts_every_item_once() -> None:
    """Both have four items, the first alone three, the second one, none two: p = 2 (1 + 4) / 16."""
    first = [True] * 7 + [False] * 3
    second = [True] * 4 + [False] * 3 + [True] + [False] * 2

    assert compare_rights(first, second) == Discordance(4, 3, 1, 2, 10 / 16)
    assert compare_rights(second, first) == Discordance(4, 1, 3, 2, 10 / 16)
    assert compare_rights([], []) == Discordance(0, 0, 0, 0, 1.0)
    with pytest.raises(ValueError, match="same items, got 1 and 2"):
        compare_rights([True], [True, False])


def test_calibration_of_a_table_worked_by_hand() -> None:
    """Five items in two bins of three and two; errors of 0.1 and 0.35 weigh 3/5 and 2/5."""
    confidences, rights = [0.9, 0.2, 0.4, 0.8, 0.1], [True, False, True, False, False]

    found = calibration(confidences, rights, bins=2)

    assert found.error == pytest.approx((3 * abs(0.7 / 3 - 1 / 3) + 2 * abs(0.85 - 0.5)) / 5)
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.36 + 0.64 + 0.01) / 5)
    assert [each.items for each in found.bins] == [3, 2]
    assert found.bins[1] == Bin(2, pytest.approx(0.85), pytest.approx(0.5))


@settings(deadline=None)
@given(answers, st.integers(1, 12), st.randoms())
def test_calibration_of_ties_does_not_depend_on_their_order(
    items: list[tuple[float, bool]], bins: int, rng: random.Random
) -> None:
    """Shuffled items have the same errors and bins, and no bin is larger than another by more than one."""
    shuffled = rng.sample(items, len(items))

    one, other = (calibration(*zip(*each, strict=True), bins) for each in (items, shuffled))

    assert one.error == pytest.approx(other.error, abs=1e-12)
    assert one.brier == pytest.approx(other.brier, abs=1e-12)
    sizes = [each.items for each in one.bins]
    assert sum(sizes) == len(items)
    assert len(sizes) == min(bins, len(items))
    assert max(sizes) - min(sizes) <= 1
    assert [each.confidence for each in one.bins] == pytest.approx(
        sorted(each.confidence for each in one.bins)
    )


@settings(deadline=None)
@given(answers)
def test_calibration_in_one_bin_is_the_distance_of_the_means(items: list[tuple[float, bool]]) -> None:
    """One bin compares mean confidence with the share of right answers; Brier is the mean square."""
    confidences, rights = np.array(items, float).T

    found = calibration(confidences, rights.astype(bool), bins=1)

    assert found.error == pytest.approx(abs(confidences.mean() - rights.mean()), abs=1e-12)
    assert found.brier == pytest.approx(float(np.mean([(c - r) ** 2 for c, r in items])))


def test_honest_confidences_have_a_small_error_and_boasts_a_large_one() -> None:
    """Outcomes drawn with the stated probability err by little; told as certain, by their share."""
    rng = np.random.default_rng(9)
    confidences = rng.uniform(0.5, 1, size=20000)
    rights = rng.random(20000) < confidences

    assert calibration(confidences, rights).error < 0.015
    assert calibration(np.ones(20000), rights).error == pytest.approx(1 - rights.mean())
    assert calibration(confidences, rights).brier == pytest.approx(
        np.mean(confidences * (1 - confidences)), abs=0.005
    )


def test_calibration_needs_confidences_between_none_and_full() -> None:
    """A confidence outside 0 to 1 is a mistake of the data and is named; a wrong number of them is a bug."""
    with pytest.raises(DataError, match=r"between 0 and 1, got -3\.5"):
        calibration([0.5, -3.5], [True, False])
    with pytest.raises(DataError, match="between 0 and 1, got nan"):
        calibration([0.5, math.nan], [True, False])
    with pytest.raises(ValueError, match="got 2 for 1 items"):
        calibration([0.5, 0.5], [True])
    with pytest.raises(ValueError, match="got 0 for 0 items"):
        calibration([], [])
    with pytest.raises(ValueError, match="bins must be at least 1"):
        calibration([0.5], [True], bins=0)


def test_risk_coverage_of_a_table_worked_by_hand() -> None:
    """The most confident is right, then one of a tie of two is wrong, then the last is wrong."""
    found = risk_coverage([0.5, 0.9, 0.5, 0.1], [False, True, True, False])

    assert found.coverages == (0.25, 0.75, 1.0)
    assert found.risks == pytest.approx((0, 1 / 3, 2 / 4))
    assert found.area == pytest.approx((0 + 0.5 / 2 + 1 / 3 + 2 / 4) / 4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-7.0, 0.5, 2.0]), st.booleans()), min_size=1, max_size=6))
def test_risk_coverage_of_ties_is_the_mean_over_their_orders(items: list[tuple[float, bool]]) -> None:
    """The area is the mean, over all orders in which confidence falls, of the risks of the first 1, 2, ..."""
    areas = []
    for order in itertools.permutations(items):
        if all(one[0] >= other[0] for one, other in itertools.pairwise(order)):
            wrong = list(itertools.accumulate(not right for _, right in order))
            areas.append(sum(each / rank for rank, each in enumerate(wrong, 1)) / len(items))

    found = risk_coverage(*zip(*items, strict=True))

    assert found.area == pytest.approx(sum(areas) / len(areas))
    for coverage, risk, confidence in zip(
        found.coverages, found.risks, sorted({each for each, _ in items}, reverse=True), strict=True
    ):
        answered = [right for each, right in items if each >= confidence]
        assert coverage == pytest.approx(len(answered) / len(items))
        assert risk == pytest.approx(answered.count(False) / len(answered))


def test_risk_falls_with_coverage_where_confidence_tells_right_from_wrong() -> None:
    """To know what is right has the least area, to know nothing the share of errors, to be misled most."""
    rights = np.arange(100) < 70
    telling, nothing, misled = (
        risk_coverage(confidence, rights) for confidence in (rights * 1.0, np.zeros(100), -1.0 * rights)
    )

    assert telling.area < nothing.area < misled.area
    assert nothing.area == pytest.approx(0.3)
    assert nothing.coverages == (1.0,)
    assert telling.area == pytest.approx(sum((k - 70) / k for k in range(71, 101)) / 100)
    assert telling.risks == pytest.approx((0, 0.3))


def test_risk_coverage_needs_numbers() -> None:
    """A confidence that is not a number has no rank; infinities have."""
    with pytest.raises(DataError, match="must be a number, got nan"):
        risk_coverage([0.5, math.nan], [True, False])
    assert risk_coverage([-math.inf, 0.0], [False, True]).risks == (0.0, 0.5)
