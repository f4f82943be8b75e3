from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import jiwer
import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from inktex.metrics.sequence import (
    Edit,
    Pair,
    bleu,
    bleu_counts,
    bleu_of_counts,
    cer,
    counting_errors,
    distances,
    edit_distance,
    edit_operations,
    edit_score,
    error_rate,
    exact_match,
    exprate,
    expression_rates,
    longer_lengths,
    matching_share,
    mean_error_rate,
    overall,
    token_error_rate,
    well_formed_share,
    wer,
    wer_with_end,
    word_rate,
)

sequences = st.lists(st.sampled_from("abc"), max_size=8)
short = st.lists(st.sampled_from("ab"), max_size=5)

# Predicted and reference, and worked out by hand: edits, tokens of the longer side.
TABLE: list[tuple[str, str, int, int]] = [
    ("a b c d e", "a b c d e", 0, 5),
    ("a", "a b", 1, 2),
    ("b a c", "a b c", 2, 3),
    ("x x x x", "", 4, 4),
    ("", "y z", 2, 2),
    ("", "", 0, 0),
    ("a b c d x y", "a b c d e", 2, 6),
]
PAIRS: list[Pair] = [(predicted.split(), reference.split()) for predicted, reference, *_ in TABLE]


def tokens(text: str) -> list[str]:
    return text.split()


def random_pairs(count: int, seed: int, longest: int = 30) -> list[Pair]:
    """Pairs of all kinds: unrelated, a few edits apart, equal, with empty sides, of few or many symbols."""
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        symbols = [f"w{index}" for index in range(draw.choice((1, 2, 5, 40)))]
        reference = draw.choices(symbols, k=draw.choice((0, 1, 2, 5, draw.randint(0, longest))))
        predicted = list(reference)
        if draw.random() < 0.2:
            predicted = draw.choices(symbols, k=draw.randint(0, longest))
        for _ in range(draw.choice((0, 0, 1, 2, 5))):
            place = draw.randint(0, len(predicted))
            predicted[place : place + draw.randint(0, 1)] = draw.choices(symbols, k=draw.randint(0, 1))
        pairs.append((predicted, reference))
    return pairs


@settings(deadline=None)
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


@settings(deadline=None)
@given(sequences, sequences, sequences)
def test_edit_distance_is_a_metric(a: list[str], b: list[str], c: list[str]) -> None:
    """It is symmetric, zero exactly for equals, and keeps the triangle inequality."""
    assert edit_distance(a, b) == edit_distance(b, a)
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


@pytest.mark.parametrize("longest", [12, 63, 64, 65, 300])
def test_edit_distance_is_that_of_rapidfuzz(longest: int) -> None:
    """At any length, also around and beyond a machine word, an independent implementation agrees."""
    pairs = random_pairs(2000, seed=longest, longest=longest)

    assert distances(pairs) == [Levenshtein.distance(*pair) for pair in pairs]


def applied(edits: Sequence[Edit], predicted: Sequence[str], reference: Sequence[str]) -> list[str]:
    """What the edits make of the prediction, reading it from left to right."""
    made, place = [], 0
    for edit in edits:
        if edit.predicted_index is not None:
            assert edit.predicted_index == place
            place += 1
        if edit.kind == "equal":
            assert edit.predicted_index is not None
            made.append(predicted[edit.predicted_index])
        elif edit.kind != "added":
            assert edit.reference_index == len(made)
            made.append(reference[edit.reference_index])
    assert place == len(predicted)
    return made


@settings(deadline=None)
@given(sequences, sequences)
def test_edit_operations_turn_the_prediction_into_the_reference(a: list[str], b: list[str]) -> None:
    """Every token of either side has its place, in order, and the edits are as few as the distance."""
    edits = edit_operations(a, b)

    assert applied(edits, a, b) == b
    assert sum(edit.kind != "equal" for edit in edits) == edit_distance(a, b)
    for edit in edits:
        assert (edit.predicted_index is None) == (edit.kind == "missing")
        assert (edit.reference_index is None) == (edit.kind == "added")
    for kind, same in (("equal", True), ("substituted", False)):
        both = [edit for edit in edits if edit.kind == kind]
        assert all((a[edit.predicted_index] == b[edit.reference_index]) == same for edit in both)


@settings(deadline=None)
@given(short, short)
def test_edit_operations_keep_the_most_tokens(a: list[str], b: list[str]) -> None:
    """Of all alignments with the fewest edits, listed one by one, none has more equal tokens."""

    @cache
    def alignments(i: int, j: int) -> frozenset[tuple[int, int]]:  # (edits, equal tokens) of what is left
        if i == len(a) and j == len(b):
            return frozenset({(0, 0)})
        found = set()
        if i < len(a) and j < len(b):
            same = int(a[i] == b[j])
            found |= {(edits + 1 - same, equal + same) for edits, equal in alignments(i + 1, j + 1)}
        if i < len(a):
            found |= {(edits + 1, equal) for edits, equal in alignments(i + 1, j)}
        if j < len(b):
            found |= {(edits + 1, equal) for edits, equal in alignments(i, j + 1)}
        return frozenset(found)

    edits, equal = min(alignments(0, 0), key=lambda each: (each[0], -each[1]))
    kinds = Counter(edit.kind for edit in edit_operations(a, b))

    assert kinds["equal"] == equal
    assert kinds.total() - kinds["equal"] == edits


def test_edit_operations_of_examples_worked_by_hand() -> None:
    """A wrong symbol is substituted, a swap is added and missing, and ends may be missing or added."""
    assert edit_operations("x^2+1", "x^z+1") == (
        Edit("equal", 0, 0),
        Edit("equal", 1, 1),
        Edit("substituted", 2, 2),
        Edit("equal", 3, 3),
        Edit("equal", 4, 4),
    )
    assert [edit.kind for edit in edit_operations("ab", "ba")] in (
        ["added", "equal", "missing"],
        ["missing", "equal", "added"],
    )
    assert edit_operations("", "a") == (Edit("missing", None, 0),)
    assert edit_operations("a", "") == (Edit("added", 0, None),)
    assert edit_operations("", "") == ()
    assert edit_operations(("a", "b"), ["a", "b"]) == edit_operations(["a", "b"], ("a", "b"))


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


def test_all_metrics_of_a_table_worked_by_hand() -> None:
    """11 edits over 17 reference tokens and 22 of the longer sides, and 2 of 7 pairs are right."""
    assert distances(PAIRS) == [edits for _, _, edits, _ in TABLE]
    assert longer_lengths(PAIRS) == [longer for _, _, _, longer in TABLE]
    assert wer(PAIRS) == pytest.approx(11 / 17)
    assert wer_with_end(PAIRS) == pytest.approx(11 / (17 + 7))
    assert token_error_rate(PAIRS) == pytest.approx(11 / 22)
    assert edit_score(PAIRS) == pytest.approx(1 - 11 / 22)
    assert cer(PAIRS) == pytest.approx((0 + 1 / 2 + 2 / 3 + 1 + 1 + 0 + 2 / 6) / 7)
    assert exact_match(PAIRS) == pytest.approx(2 / 7)
    assert word_rate(PAIRS) == pytest.approx((1 + 1 / 2 + 2 / 3 + 0 + 0 + 1 + 4 / 5) / 7)
    assert overall(0.9, 0.6, 0.3) == pytest.approx(0.6)


def test_bleu_of_a_table_worked_by_hand() -> None:
    """Right n-grams are 13, 7, 5 and 3 of 19, 14, 10 and 6; with 19 tokens for 17, nothing is too brief."""
    expected = np.array(
        [
            [5, 4, 3, 2, 5, 4, 3, 2, 5],
            [1, 0, 0, 0, 1, 0, 0, 0, 2],
            [3, 0, 0, 0, 3, 2, 1, 0, 3],
            [0, 0, 0, 0, 4, 3, 2, 1, 0],
            [0, 0, 0, 0, 0, 0, 0, 0, 2],
            [0, 0, 0, 0, 0, 0, 0, 0, 0],
            [4, 3, 2, 1, 6, 5, 4, 3, 5],
        ]
    )

    assert np.array_equal(bleu_counts(PAIRS), expected)
    product = (13 / 19) * (7 / 14) * (5 / 10) * (3 / 6)
    assert bleu(PAIRS) == pytest.approx(product**0.25)


def test_bleu_counts_an_ngram_at_most_as_often_as_the_reference_has_it() -> None:
    """Papineni's example: of seven times "the", two are right."""
    counts = bleu_counts([(tokens("the the the the the the the"), tokens("the cat is on the mat"))])

    assert counts[0].tolist() == [2, 0, 0, 0, 7, 6, 5, 4, 6]


def test_bleu_of_a_brief_prediction_is_lowered() -> None:
    """All of the four tokens are right but the reference has six: exp(1 - 6 / 4)."""
    assert bleu([(list("abcd"), list("abcdef"))]) == pytest.approx(math.exp(-0.5))
    assert bleu([(list("abcdef"), list("abcdef"))]) == pytest.approx(1)


def test_bleu_without_a_match_of_every_order_is_nothing() -> None:
    """It is 0 if no run of four matches, if there is none, and if there is nothing at all."""
    assert bleu([(list("abcxabc"), list("abcabc"))]) == 0
    assert bleu([(list("abc"), list("abc"))]) == 0
    assert bleu([([], list("abcd"))]) == 0
    assert bleu([(list("abcd"), [])]) == 0
    assert bleu([([], [])]) == 0
    assert bleu([]) == 0


def test_bleu_is_that_of_sacrebleu() -> None:
    """Corpora of 1 to 40 random pairs have the BLEU of an independent implementation, unsmoothed."""
    scorer = sacrebleu.BLEU(tokenize="none", smooth_method="none", force=True)
    pairs = random_pairs(2500, seed=5)
    draw = random.Random(6)
    scores = []
    while pairs:
        corpus = [pairs.pop() for _ in range(min(draw.randint(1, 40), len(pairs)))]
        predicted, reference = ([" ".join(side) for side in sides] for sides in zip(*corpus, strict=True))

        scores.append(bleu(corpus))

        assert 100 * scores[-1] == pytest.approx(scorer.corpus_score(predicted, [reference]).score, abs=1e-9)
    assert np.mean([0 < score < 1 for score in scores]) > 0.5


def test_bleu_of_many_corpora_at_once_is_that_of_each() -> None:
    """Sums in rows give the scores of their corpora, those without a match included."""
    corpora = [random_pairs(5, seed) for seed in range(50)] + [[([], [])], []]
    sums = np.array([bleu_counts(corpus).sum(axis=0) for corpus in corpora])

    assert bleu_of_counts(sums) == pytest.approx([bleu(corpus) for corpus in corpora])


def test_error_rates_are_those_of_jiwer() -> None:
    """An independent implementation finds the same edits over all reference tokens, with and without ends."""
    pairs = [pair for pair in random_pairs(3000, seed=7) if pair[1]]  # it takes no empty reference
    reference = [" ".join(reference) for _, reference in pairs]
    predicted = [" ".join(predicted) for predicted, _ in pairs]

    assert wer(pairs) == pytest.approx(jiwer.wer(reference, predicted))
    for limit in (None, 4):
        cut = [limit is not None and len(predicted) >= limit for predicted, _ in pairs]
        ended = [text if over else f"{text} <end>" for text, over in zip(predicted, cut, strict=True)]
        expected = jiwer.wer([f"{text} <end>" for text in reference], ended)
        assert wer_with_end(pairs, limit) == pytest.approx(expected)


def test_rates_over_longer_lengths_are_those_of_rapidfuzz() -> None:
    """Its normalised distance is edits / longer length of a pair; CER is the mean of it."""
    pairs = random_pairs(3000, seed=8)
    edits = [Levenshtein.distance(*pair) for pair in pairs]
    longer = [max(map(len, pair)) for pair in pairs]

    assert cer(pairs) == pytest.approx(np.mean([Levenshtein.normalized_distance(*pair) for pair in pairs]))
    assert token_error_rate(pairs) == pytest.approx(sum(edits) / sum(longer))
    assert edit_score(pairs) == pytest.approx(1 - sum(edits) / sum(longer))
    assert exact_match(pairs) == pytest.approx(edits.count(0) / len(pairs))
    assert exprate(pairs)[2] == pytest.approx(sum(edit <= 2 for edit in edits) / len(pairs))


def test_what_was_counted_gives_the_same_as_the_pairs() -> None:
    """Edits and lengths counted once serve all rates of edits."""
    pairs = random_pairs(200, seed=9)
    edits, longer = distances(pairs), longer_lengths(pairs)

    assert expression_rates(edits) == exprate(pairs)
    assert error_rate(edits, [len(reference) for _, reference in pairs]) == wer(pairs)
    assert error_rate(edits, [len(reference) + 1 for _, reference in pairs]) == wer_with_end(pairs)
    assert error_rate(edits, longer) == token_error_rate(pairs)
    assert mean_error_rate(edits, longer) == cer(pairs)


def test_a_prediction_at_the_limit_has_no_end() -> None:
    """Right but as long as the limit, it costs the missing end; one token fewer, it costs nothing."""
    pairs = [(list("abc"), list("abc"))]

    assert wer_with_end(pairs, limit=3) == pytest.approx(1 / 4)
    assert wer_with_end(pairs, limit=2) == pytest.approx(1 / 4)
    assert wer_with_end(pairs, limit=4) == 0
    assert wer_with_end([(list("abx"), list("ab"))], limit=3) == pytest.approx(1 / 3)


def longest_runs(a: Sequence[str], b: Sequence[str]) -> int:
    """Matching tokens by definition: the longest common run, first in a, then in b; the same beside it."""
    runs = [
        (-length, i, j)
        for i in range(len(a))
        for j in range(len(b))
        for length in range(1, min(len(a) - i, len(b) - j) + 1)
        if a[i : i + length] == b[j : j + length]
    ]
    if not runs:
        return 0
    length, i, j = min(runs)
    return -length + longest_runs(a[:i], b[:j]) + longest_runs(a[i - length :], b[j - length :])


def test_matching_share_is_that_of_longest_runs() -> None:
    """Runs sought by trying all of them give the share, of predictions cut to the reference."""
    for predicted, reference in random_pairs(1500, seed=10, longest=9):
        if reference:
            expected = longest_runs(reference, predicted[: len(reference)]) / len(reference)
            assert matching_share(predicted, reference) == pytest.approx(expected)


def test_matching_share_has_no_junk_heuristic() -> None:
    """A token that fills a long sequence still matches."""
    assert matching_share(["b", *"a" * 299], ["c", *"a" * 299]) == pytest.approx(299 / 300)


def test_matching_share_of_empty_and_cut_sequences() -> None:
    """What is beyond the reference does not count, unless there is no reference."""
    assert matching_share(list("abcde"), list("abc")) == 1
    assert matching_share(["a"], []) == 0
    assert matching_share([], []) == 1
    assert matching_share([], ["a"]) == 0


def test_counting_errors_of_a_table_worked_by_hand() -> None:
    """x is one short and y two too many over the classes x, y, 2; the braces are not counted."""
    pairs = [(tokens("y y { 2 }"), tokens("x ^ { 2 }")), (tokens("x"), tokens("x"))]

    errors = counting_errors(pairs)

    assert errors.mae == pytest.approx((3 / 3 + 0) / 2)
    assert errors.rmse == pytest.approx((math.sqrt((1 + 4) / 3) + 0) / 2)


def test_counting_errors_over_a_vocabulary() -> None:
    """The mean is over the classes given, however often named; what is none of them is not counted."""
    pairs = [(tokens("y y"), tokens("x"))]

    errors = counting_errors(pairs, ["x", "z", "z", "\\alpha", "q", "{", "^"])

    assert errors.mae == pytest.approx(1 / 4)
    assert errors.rmse == pytest.approx(math.sqrt(1 / 4))
    assert counting_errors(pairs, []) == (0, 0)


def test_counting_errors_are_those_of_arrays() -> None:
    """Counts in an array, samples by classes, have the same means."""
    pairs = random_pairs(500, seed=11)
    classes = sorted({token for pair in pairs for side in pair for token in side})
    counts = np.array([[[side.count(each) for each in classes] for side in pair] for pair in pairs])
    apart = counts[:, 0] - counts[:, 1]

    errors = counting_errors(pairs)

    assert errors.mae == pytest.approx(np.abs(apart).mean(axis=1).mean())
    assert errors.rmse == pytest.approx(np.sqrt((apart**2).mean(axis=1)).mean())


def test_well_formed_share_of_a_few() -> None:
    """Two of four parse, the empty one among them."""
    predictions = [tokens(r"\frac { 1 } { 2 }"), [], tokens(r"\frac { 1 }"), tokens("{ x")]

    assert well_formed_share(predictions) == 0.5
    assert well_formed_share([]) == 0


def test_nothing_to_compare() -> None:
    """No pairs have rates of 0; tokens predicted against empty references are infinitely wrong."""
    assert exprate([]) == [0.0] * 4
    assert wer([]) == 0.0
    assert wer([([], [])]) == 0.0
    assert wer([(["a"], [])]) == float("inf")


@pytest.mark.parametrize(
    ("metric", "of_nothing", "of_empties"),
    [
        (wer_with_end, 0, 0),
        (token_error_rate, 0, 0),
        (edit_score, 1, 1),
        (cer, 0, 0),
        (exact_match, 0, 1),
        (bleu, 0, 0),
        (word_rate, 0, 1),
        (counting_errors, (0, 0), (0, 0)),
    ],
)
def test_metrics_of_nothing_and_of_empty_sequences(
    metric: Callable[[list[Pair]], object], of_nothing: object, of_empties: object
) -> None:
    """Every metric has a value without pairs, and for a pair of empty sequences."""
    assert metric([]) == of_nothing
    assert metric([([], [])]) == of_empties


@settings(deadline=None)
@given(st.lists(st.tuples(sequences, sequences), max_size=6))
def test_shares_lie_between_none_and_all(pairs: list[Pair]) -> None:
    """Shares are from 0 to 1, and all are 1, errors 0, exactly where all pairs are equal."""
    scores = [edit_score(pairs), exact_match(pairs), word_rate(pairs), bleu(pairs), 1 - cer(pairs)]

    assert all(0 <= score <= 1 for score in scores)
    if pairs:
        equal = all(predicted == reference for predicted, reference in pairs)
        assert (cer(pairs) == 0) == (edit_score(pairs) == 1) == (exact_match(pairs) == 1) == equal
