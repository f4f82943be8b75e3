"""All metrics at once, and where the errors are."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest

from inktex.metrics import sequence
from inktex.metrics.breakdown import breakdowns, confusions, depth, structures, wrong_parts
from inktex.metrics.item import Item
from inktex.metrics.report import Metrics, compare, measure, report
from inktex.metrics.structure import layout_score, structure_rates


def item(name: str, prediction: str | None, reference: str, **more: object) -> Item:
    return Item(
        name, None if prediction is None else tuple(prediction.split()), tuple(reference.split()), **more
    )


RIGHT = item("right", "x ^ { 2 }", "x ^ { 2 }", confidence=0.9)
ONE_OFF = item("one off", "a + c", "a + b", confidence=0.6)
MALFORMED = item("malformed", r"\frac { 1", r"\frac { 1 } { 2 }", confidence=0.2)
MISSING = item("missing", None, "y", problem="no ink")
ITEMS = (RIGHT, ONE_OFF, MALFORMED, MISSING)


def test_figures_equal_a_table_worked_by_hand() -> None:
    """Four items: edits 0, 1, 4 (} { 2 } are missing) and 1, of 5, 3, 7 and 1 tokens."""
    figures = measure(ITEMS)

    assert (figures.count, figures.missing) == (4, 1)
    assert (figures.exprate, figures.exprate_1, figures.exprate_3) == (25, 50, 50)
    assert figures.exact_match == figures.exprate
    assert figures.wer == pytest.approx(100 * 6 / 16)
    assert figures.wer_with_end == pytest.approx(100 * 6 / 20)
    assert figures.token_error_rate == pytest.approx(100 * 6 / 16)
    assert figures.edit_score == pytest.approx(100 - 100 * 6 / 16)
    assert figures.cer == pytest.approx(100 * (0 + 1 / 3 + 4 / 7 + 1) / 4)
    assert figures.word_rate == pytest.approx(100 * (1 + 2 / 3 + 3 / 7 + 0) / 4)
    assert figures.well_formed == 50
    assert figures.overall == pytest.approx((figures.bleu + figures.edit_score + figures.exprate) / 3)
    # a, b, c, 1, 2, \frac, x, y, + are nine classes; the errors are of b and c, of 2, and of y
    assert figures.counting_mae == pytest.approx((2 / 9 + 1 / 9 + 1 / 9) / 4)
    assert figures.counting_rmse == pytest.approx((math.sqrt(2 / 9) + 2 * math.sqrt(1 / 9)) / 4)
    # right and one off have the right places; of 2 + 3 + 3 + 1 symbols, 2 + 2 are right
    assert figures.structure_rate == 50
    assert figures.graph_exprate == 25
    assert figures.graph_exprate_1 == 50


def test_figures_equal_the_functions_that_define_them() -> None:
    """On random pairs without a missing one, each figure is what its function says of all pairs."""
    rng = np.random.default_rng(5)
    items = [random_item(rng, number) for number in range(300)]
    pairs = [(each.prediction or (), each.reference) for each in items]
    graphs = structure_rates([layout_score(*pair) for pair in pairs])

    figures = measure(items)

    assert figures.exprate_2 == pytest.approx(100 * sequence.exprate(pairs)[2])
    assert figures.wer == pytest.approx(100 * sequence.wer(pairs))
    assert figures.wer_with_end == pytest.approx(100 * sequence.wer_with_end(pairs))
    assert figures.cer == pytest.approx(100 * sequence.cer(pairs))
    assert figures.bleu == pytest.approx(100 * sequence.bleu(pairs))
    assert figures.edit_score == pytest.approx(100 * sequence.edit_score(pairs))
    assert figures.word_rate == pytest.approx(100 * sequence.word_rate(pairs))
    assert (figures.counting_mae, figures.counting_rmse) == pytest.approx(sequence.counting_errors(pairs))
    assert figures.well_formed == pytest.approx(100 * sequence.well_formed_share(each for each, _ in pairs))
    assert figures.structure_rate == pytest.approx(100 * graphs.structure_rate)
    assert figures.symbol_rate == pytest.approx(100 * graphs.symbol_rate)
    assert figures.graph_exprate_3 == pytest.approx(100 * graphs.expression_rates[3])


def random_item(rng: np.random.Generator, number: int) -> Item:
    """Return an item of some tokens and, half of the time, another prediction."""
    tokens = ["a", "b", "c", "1", "2", "+", "{", "}", "^", "_"]
    reference = tuple(rng.choice(tokens, rng.integers(1, 9)))
    prediction = tuple(rng.choice(tokens, rng.integers(0, 9))) if rng.random() < 0.5 else reference
    return Item(str(number), prediction, reference, float(rng.random()))


def test_every_figure_lies_in_its_interval() -> None:
    """Intervals are of all figures, surround them, and come again with the same seed."""
    rng = np.random.default_rng(6)
    items = [random_item(rng, number) for number in range(120)]

    first, again = report(items, seed=3), report(items, seed=3)

    assert set(first.intervals) == {field.name for field in fields(Metrics)} - {"count", "missing"}
    assert first == again
    for name, (low, high) in first.intervals.items():
        assert low <= getattr(first.metrics, name) <= high
        assert low < high


def test_what_was_not_read_counts_as_not_confident() -> None:
    """Risk at full coverage is the share of wrong answers, missing ones too; it takes confidences."""
    result = report(ITEMS)

    assert result.risk_coverage is not None
    assert result.calibration is not None
    assert result.risk_coverage.risks[-1] == pytest.approx(1 - result.metrics.exprate / 100)
    assert sum(part.items for part in result.calibration.bins) == 4
    assert report([item("a", "x", "x"), MISSING]).risk_coverage is None


def test_two_models_are_compared_item_by_item() -> None:
    """Counts worked by hand; a model against itself differs nowhere."""
    other = (
        item("right", "x", "x ^ { 2 }"),
        item("one off", "a + b", "a + b"),
        MALFORMED,
        item("missing", "y", "y"),
    )

    result = compare(ITEMS, other)
    same = compare(ITEMS, ITEMS)

    counts = result.discordance
    assert (counts.both, counts.first_only, counts.second_only, counts.neither) == (0, 1, 2, 1)
    assert result.differing == (0, 1, 3)
    assert (result.first.exprate, result.second.exprate) == (25, 50)
    assert result.differences["exprate"].low < 25 < result.differences["exprate"].high
    assert same.differing == ()
    assert all(interval == (0, 0) for interval in same.differences.values())


@pytest.mark.parametrize(
    ("label", "names", "nested"),
    [
        ("a + b", ("plain",), 0),
        (r"\frac { a } { b }", ("fraction",), 1),
        (r"\sqrt { x _ { 1 } }", ("root", "subscript"), 2),
        (r"\sum \limits _ { i } ^ { n } i", ("subscript", "superscript", "big operator"), 1),
        (r"\hat { x } ( y )", ("accent", "brackets"), 1),
        (r"\left ( \begin{matrix} a \end{matrix} \right )", ("brackets", "array"), 1),
        ("{ x }", ("plain",), 0),
        ("x ^ { y ^ { 2 } }", ("superscript",), 2),
        ("x ^", ("malformed",), 0),
    ],
)
def test_structures_and_depth_are_told(label: str, names: tuple[str, ...], nested: int) -> None:
    """Structures come in a fixed order; braces and brackets nest nothing."""
    assert structures(label.split()) == names
    assert depth(label.split()) == nested


def test_bands_hold_every_item_once_but_for_structures() -> None:
    """Counts of length, depth and source add up; a band counts what is right in it."""
    items = [item(str(number), "x ^ { 2 }", "x ^ { 2 }", source="ab"[number % 2]) for number in range(5)]
    items += [item("long", "x", " + ".join("abcdefghijkl"), source="c")]

    found = {each.name: each.bands for each in breakdowns(items)}

    assert [(band.name, band.right, band.count) for band in found["length"]] == [
        ("0 to 5 tokens", 5, 5),
        ("21 to 40 tokens", 0, 1),
    ]
    assert [(band.name, band.right, band.count) for band in found["structure"]] == [
        ("plain", 0, 1),
        ("superscript", 5, 5),
    ]
    assert [(band.name, band.count) for band in found["depth"]] == [("0", 1), ("1", 5)]
    assert [(band.name, band.count) for band in found["source"]] == [("a", 3), ("b", 2), ("c", 1)]
    assert "source" not in {each.name for each in breakdowns(items[:1])}


def test_confusions_are_counted_by_what_stands_for_what() -> None:
    """Substituted, missing and added tokens, the most frequent first; what was not read confuses nothing."""
    items = [ONE_OFF, item("again", "c", "b"), item("long", "x + y", "x"), item("short", "x", "x y"), MISSING]

    found = [(each.reference, each.predicted, each.count) for each in confusions(items)]

    assert found == [("b", "c", 2), ("", "+", 1), ("", "y", 1), ("y", "", 1)]


def test_wrong_parts_are_the_smallest_constructs_with_an_error() -> None:
    """The script with the wrong index, not the sum around it; a symbol of the row itself is no part."""
    items = [
        item("script", "a + x _ { 2 }", "a + x _ { 1 }"),
        item("inside", r"\frac { 1 } { x _ { 2 } }", r"\frac { 1 } { x _ { 1 } }"),
        item("bar", r"1 x", r"\frac { 1 } { x }"),
        item("row", "a + c", "a + b"),
    ]

    found = [(" ".join(each.reference), " ".join(each.predicted), each.count) for each in wrong_parts(items)]

    assert found == [("x _ { 1 }", "x _ { 2 }", 2), (r"\frac { 1 } { x }", "1 x", 1)]
