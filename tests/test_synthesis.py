"""New samples from real ink: trees with their ink, cutting, measuring, composing and writing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.data.alignment import align_tokens, token_reference
from inktex.data.dataset import Sample
from inktex.data.synthesis.composition import ComposeOptions, Composer, preferences
from inktex.data.synthesis.expressions import Written, cut, decompose, is_closed, read_written
from inktex.data.synthesis.handwriting import Library, NeverWrittenError, Scribe
from inktex.data.synthesis.layout import measure
from inktex.data.synthesis.synthesizer import Decomposition, Synthesizer, read_expressions
from inktex.errors import ConfigError, DataError
from inktex.ink.strokes import Ink, Symbol
from inktex.latex.tree import is_well_formed
from typewriter import CLASSES, GAP, SCRIPT, typed


def written(label: str, size: float = 20.0) -> Written:
    found = read_written(typed(label, size))
    assert found is not None
    return found


LABELS = (
    "x + y",
    "x ^ { 2 } + b = 1",
    "\\frac { x + 1 } { y } = 2",
    "\\sqrt { x + y } + 2",
    "x _ { 1 } ^ { 2 } = b",
    "( x + b ) ^ { 2 } = y",
    "\\frac { 1 } { \\sqrt { x } } + | y |",
    "y = \\frac { 2 } { x + b }",
)


@pytest.mark.parametrize(
    ("label", "spans"),
    [
        ("x + y", ["x +", "+ y"]),
        ("x ^ { 2 + b } y", ["x ^ { 2 + b }", "2 +", "2 + b", "+ b"]),
        ("( x + y ) b", ["( x + y )", "x +", "x + y", "+ y"]),
        ("\\frac { x y } { 2 } + b", ["\\frac { x y } { 2 }", "\\frac { x y } { 2 } +", "x y", "+ b"]),
        ("| x + y", ["x +", "x + y", "+ y"]),
        ("x", []),
    ],
)
def test_sub_expressions_are_those_of_a_table_made_by_hand(label: str, spans: list[str]) -> None:
    """Arguments, scripts and runs of a row are cut, where brackets and bars are closed within them."""
    found = written(label)

    cuts = [" ".join(found.sample.tokens[start:end]) for start, end in decompose(found)]

    assert sorted(cuts) == sorted(spans)


@pytest.mark.parametrize("label", LABELS)
def test_a_cut_has_the_strokes_of_its_tokens_and_no_others(label: str) -> None:
    """The strokes of a cut are, token by token, those the whole has for the same tokens."""
    found = written(label)
    strokes = dict(
        zip((symbol.reference for symbol in found.sample.ink.symbols), found.sample.ink.strokes, strict=True)
    )
    for start, end in decompose(found):
        piece = cut(found, start, end)

        assert is_well_formed(piece.tokens)
        assert piece.tokens == found.sample.tokens[start:end]
        alignment = align_tokens(piece.tokens, piece.ink, piece.mathml)
        for place, symbol in enumerate(alignment):
            expected = strokes.get(token_reference(start + place))
            assert (symbol >= 0) == (expected is not None)
            if expected is not None:
                (stroke,) = piece.ink.symbols[symbol].strokes
                np.testing.assert_array_equal(piece.ink.strokes[stroke], expected)


def test_ink_that_does_not_name_every_symbol_is_passed_over() -> None:
    """Without the strokes of a token, or with a stroke of two tokens, a cut would be wrong."""
    whole = typed("x + y")
    missing = Ink(whole.ink.strokes, whole.ink.symbols[:2])
    shared = Ink(whole.ink.strokes, (*whole.ink.symbols[:2], Symbol("y", (0,), token_reference(2))))

    for ink in (missing, shared):
        assert read_written(Sample("s", "train", "test", whole.tokens, None, ink)) is None
    with pytest.raises(DataError, match="none of the samples"):
        read_expressions([Sample("s", "train", "test", whole.tokens, None, missing)])


@pytest.mark.parametrize(
    ("tokens", "closed"),
    [
        ("( x )", True),
        ("( x", False),
        ("x )", False),
        ("( x ]", False),
        ("| x |", True),
        ("| x", False),
        ("[ ( x ) ]", True),
    ],
)
def test_brackets_and_bars_close(tokens: str, closed: bool) -> None:
    """Brackets have partners of their kind, and bars come in pairs."""
    assert is_closed(tokens.split()) is closed


def test_measured_sizes_lines_and_gaps_are_those_that_were_typed() -> None:
    """Rows of known size, middle line and gaps are found again, although no class's shape is told."""
    sizes = (10.0, 20.0, 35.0)
    expressions = [written(label, size) for label in LABELS for size in sizes]

    habits = measure(expressions)

    x_diagonal = np.hypot(*CLASSES["x"][:2])
    for found, frames in zip(expressions, habits.frames, strict=True):
        size = frames[0].size / x_diagonal
        own = sizes[expressions.index(found) % 3]
        assert size == pytest.approx(own, rel=0.1)
        assert frames[0].middle == pytest.approx(50, abs=0.12 * own)
    gaps = [gap * x_diagonal for gap in habits.places["gap letter operator", ""]]
    np.testing.assert_allclose(gaps, GAP, rtol=0.12)
    ratios = [place.ratio for place in habits.places["sup x", ""]]
    np.testing.assert_allclose(ratios, SCRIPT, rtol=0.25)


def library(*labels: str) -> Library:
    return Library([written(label) for label in labels for _ in range(3)])


def boxes(strokes: list[list[np.ndarray]]) -> list[np.ndarray | None]:
    """Left, top, right and bottom of each token."""
    return [
        np.concatenate([np.concatenate(group).min(axis=0), np.concatenate(group).max(axis=0)])
        if group
        else None
        for group in strokes
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_label_is_laid_out_as_it_reads(seed: int) -> None:
    """Scripts stand at their corners, numerator over bar over denominator, radicands under their roof."""
    label = "b + \\frac { x ^ { 2 } + y } { \\sqrt { 2 + x } } = y _ { 1 }"
    tokens = tuple(label.split())

    strokes = Scribe(library(*LABELS), "w", np.random.default_rng(seed)).write(tokens)

    found = boxes(strokes)
    assert [place for place, box in enumerate(found) if box is not None] == [
        place for place, token in enumerate(tokens) if token not in ("{", "}", "^", "_")
    ]

    def box(token: str, which: int = 0) -> np.ndarray:
        return found[[place for place, other in enumerate(tokens) if other == token][which]]

    bar, radical = box("\\frac"), box("\\sqrt")
    numerator = [box("x"), box("2"), box("+", 1), box("y")]
    denominator = [radical, box("2", 1), box("+", 2), box("x", 1)]
    assert all(other[3] < bar[1] for other in numerator)
    assert all(other[1] > bar[3] for other in denominator)
    assert all(radical[0] <= other[0] and radical[1] <= other[1] for other in denominator)
    assert all(bar[0] - 10 <= other[0] and other[2] <= bar[2] + 10 for other in numerator + denominator)
    assert (box("2")[:2] > box("x")[:2]).tolist() == [True, False]  # the superscript: right of it, and above
    assert (box("1")[2:] > box("y", 1)[2:]).tolist() == [True, True]  # the subscript: right of it, and below
    for row in (["b", "+", "\\frac", "=", "y"], ["x", "+", "y"]):
        which = {"+": row[0] == "x", "y": row[0] == "b"}
        lefts = [box(token, which.get(token, 0))[0] for token in row]
        assert lefts == sorted(lefts)


def test_a_group_that_was_written_is_taken_over_as_it_was() -> None:
    """Ink of a label that stands in the library is the original's, but for place and size."""
    made = Scribe(library("x + y"), "w", np.random.default_rng(0))
    tokens = ("x", "+", "y")

    whole = [np.concatenate([group for strokes in made.write(tokens) for group in strokes]) for _ in range(8)]

    original = np.concatenate(typed("x + y").ink.strokes)
    shapes = [(points - points.min(axis=0)) / np.ptp(points[:, 0]) for points in (original, *whole)]
    assert any(np.allclose(shape, shapes[0], atol=1e-4) for shape in shapes[1:])


def test_what_nobody_wrote_is_said() -> None:
    """A symbol that is not in the library cannot be written."""
    with pytest.raises(NeverWrittenError):
        Scribe(library("x + y"), "w", np.random.default_rng(0)).write(("x", "+", "2"))


def test_ink_is_the_writers_own_where_there_is_any() -> None:
    """Of two writers with symbols of different shape, each writes with the own."""
    wide = typed("x = y", writer="wide")
    stretched = Ink(tuple(stroke * np.float32([3, 1]) for stroke in wide.ink.strokes), wide.ink.symbols)
    wide = Sample("wide", "train", "test", wide.tokens, None, stretched, "wide")
    shelf = Library(read_expressions([typed("x = y", writer="narrow"), wide] * 3))

    for writer, ratio in (("test/narrow", 0.8 / 0.6), ("test/wide", 3 * 0.8 / 0.6)):
        (x,), *_ = Scribe(shelf, writer, np.random.default_rng(1)).write(("x", "=", "y"))
        width, height = np.ptp(x, axis=0)
        assert width / height == pytest.approx(ratio, rel=1e-3)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=150, deadline=None)
def test_composed_labels_are_well_formed_and_within_bounds(seed: int) -> None:
    """Whatever is exchanged and renamed, a label parses, is not too long and holds known tokens only."""
    rng = np.random.default_rng(seed)
    expressions = [written(label) for label in LABELS]
    known = {token for label in LABELS for token in label.split()}
    composer = Composer(expressions, [], ComposeOptions(exchanges=3, longest=20))

    tokens = composer.compose(tuple(LABELS[seed % len(LABELS)].split()), rng)

    assert is_well_formed(tokens)
    assert len(tokens) <= 20
    assert set(tokens) <= known


def test_renaming_stays_within_a_family_and_a_letter_keeps_its_name() -> None:
    """Digits become digits and letters letters; what was one letter is one letter afterwards."""
    expressions = [written(label) for label in LABELS]
    composer = Composer(expressions, [], ComposeOptions(exchanges=0, rename=1, renamed=1))
    label = ("x", "+", "x", "=", "2", "y")

    found = {composer.compose(label, np.random.default_rng(seed)) for seed in range(40)}

    assert len(found) > 5
    for tokens in found:
        assert tokens[0] == tokens[2]
        assert {tokens[0], tokens[5]} <= set("xyb")
        assert tokens[4] in "12"


@pytest.mark.parametrize(("rarity", "share"), [(0, 0.2), (0.5, 1 / 3), (1, 0.5)])
def test_labels_with_rare_symbols_are_preferred(rarity: float, share: float) -> None:
    """Of 400 labels of frequent symbols and 100 with one four times rarer, by the formula by hand."""
    labels = [("x", "+", "x")] * 400 + [("x", "y")] * 100

    chances = preferences(labels, rarity)

    assert chances.sum() == pytest.approx(1)
    assert chances[400:].sum() == pytest.approx(share)
    composer = Composer([written(" ".join(label)) for label in labels], [], ComposeOptions(rarity=rarity))
    rng = np.random.default_rng(0)
    assert np.mean([composer.choose(rng) >= 400 for _ in range(1000)]) == pytest.approx(share, abs=0.06)


def test_what_hardly_occurs_is_not_drawn_all_the_time() -> None:
    """A symbol written once is preferred no more than one written fifty times."""
    chances = preferences([("x",)] * 400 + [("y",)] * 50 + [("b",)], 1)

    assert chances[-1] == pytest.approx(chances[-2])
    assert chances[-2] == pytest.approx(8 * chances[0])


def test_nothing_to_change_leaves_the_label() -> None:
    """Without exchanges, renaming and a list a label stays as it is."""
    composer = Composer([written("x + y")], [], ComposeOptions(exchanges=0, rename=0))

    assert composer.compose(("x", "+", "y"), np.random.default_rng(0)) == ("x", "+", "y")


def test_listed_labels_are_those_that_can_be_written() -> None:
    """Unknown tokens, malformed and overlong labels are left out, and what comes twice; the others are
    written as they are."""
    labels = ["x = y", "x = z", "x ^", "x + y + x + y + x + y", "x = y"]
    options = ComposeOptions(exchanges=0, rename=0, listed=1, longest=10)
    composer = Composer([written("x ^ { y } = x + y")], [[label.split() for label in labels]], options)

    assert composer.listed == [[("x", "=", "y")]]
    assert composer.compose(("x",), np.random.default_rng(0)) == ("x", "=", "y")


@pytest.mark.parametrize("share", [0.0, 0.75, 1.0])
def test_a_share_of_labels_is_taken_from_the_list(share: float) -> None:
    """Of 400 labels; the bounds are five standard deviations away."""
    options = ComposeOptions(exchanges=0, rename=0, listed=share)
    composer = Composer([written("x + y")], [[("y", "+", "x")]], options)
    rng = np.random.default_rng(0)

    listed = sum(composer.compose(("x", "+", "y"), rng) == ("y", "+", "x") for _ in range(400))

    assert abs(listed - 400 * share) <= 5 * (400 * share * (1 - share)) ** 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"longest": 0}, "at least 1 token"),
        ({"listed": 1.5}, "from 0 to 1"),
        ({"listed": -0.1}, "from 0 to 1"),
    ],
)
def test_options_that_make_no_label_are_refused(options: dict[str, float], message: str) -> None:
    """A label of no tokens cannot be, nor a share beyond all or none."""
    with pytest.raises(ConfigError, match=message):
        ComposeOptions(**options)


def test_made_samples_are_complete_and_depend_on_the_seed_alone() -> None:
    """Every visible token of a new sample has strokes of its own; the same generator gives the same bytes."""
    synthesizer = Synthesizer([written(label) for label in LABELS])

    def make(seed: int) -> Sample:
        return synthesizer.make(f"s{seed}", np.random.default_rng(seed))

    samples = [make(seed) for seed in range(30)]
    assert len({sample.tokens for sample in samples}) > 20
    for seed, sample in enumerate(samples):
        assert is_well_formed(sample.tokens)
        assert read_written(sample) is not None
        assert sorted(stroke for symbol in sample.ink.symbols for stroke in symbol.strokes) == list(
            range(len(sample.ink.strokes))
        )
        again = make(seed)
        assert again.tokens == sample.tokens
        assert all(map(np.array_equal, again.ink.strokes, sample.ink.strokes))


def test_a_decomposition_counts_and_cuts_what_is_listed() -> None:
    """Its length is the number of spans of all expressions, and each item is the cut of one of them."""
    expressions = [written(label) for label in LABELS]
    pieces = Decomposition(expressions, least=1)

    expected = sorted(
        " ".join(found.sample.tokens[start:end])
        for found in expressions
        for start, end in decompose(found, 1)
    )
    assert sorted(" ".join(pieces[index].tokens) for index in range(len(pieces))) == expected


def test_of_the_sub_expressions_those_with_rare_symbols_are_chosen_first() -> None:
    """Each is chosen once at most, and of many alike the few with a rare symbol oftener than by chance."""
    pieces = Decomposition([written("x + x = x")] * 60 + [written("x + x = y")] * 20, least=1)
    rare = {number for number in range(len(pieces)) if "y" in pieces[number].tokens}

    chosen = pieces.choose(len(pieces) // 4, np.random.default_rng(0))

    assert len(set(chosen)) == len(chosen) == len(pieces) // 4
    assert len(rare.intersection(chosen)) / len(chosen) > 1.5 * len(rare) / len(pieces)
