"""Each token of what was read: how sure it is, and where it stands."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn import png, scribble
from inktex.image.box import Box, Canonical
from inktex.recognition.inputs import canonical_pictures
from inktex.recognition.recognizer import Recognizer
from inktex.recognition.token_boxes import token_boxes, unwritten
from inktex.visualize.explain import follow

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "src/inktex/weights/model.json"
CROHME = ROOT.parent / "shared/data/crohme/inkml_test2013.zip"
STRIDE = 8


def drawn(*boxes: tuple[int, int, int, int], shape: tuple[int, int] = (32, 64)) -> Canonical:
    """A picture of filled boxes (left, top, right, bottom) that shows its source as it is."""
    picture = np.zeros(shape, np.float32)
    for left, top, right, bottom in boxes:
        picture[top:bottom, left:right] = 1
    return Canonical(picture, Box(0, 0, shape[1], shape[0]))


def looking(shares: dict[tuple[int, int], float], shape: tuple[int, int] = (4, 8)) -> np.ndarray:
    """Attention [rows, columns] by squares."""
    attention = np.zeros(shape, np.float32)
    for square, share in shares.items():
        attention[square] = share
    return attention


@pytest.mark.parametrize(
    ("latex", "written"),
    [
        (r"\sqrt [ 3 ] { x }", r"\sqrt 3 x"),
        (r"[ 3 ] \sqrt { [ x ] }", r"[ 3 ] \sqrt [ x ]"),
        (r"\sqrt [ \left [ 3 \right ] ] { x ] }", r"\sqrt [ 3 ] x ]"),
        (r"\sqrt [ { a ] } b ] { x ] }", r"\sqrt a ] b x ]"),
        (r"( 0 , 1 ] + \sqrt [ n ] { [ x }", r"( 0 , 1 ] + \sqrt n [ x"),
        (r"\sqrt [ 3", r"\sqrt 3"),
        (r"\sum \limits _ { i } ^ { n }", r"\sum i n"),
        (r"\left ( x \right .", "( x"),
        (r"\left [ 1 , 2 \right ] . ] [", "[ 1 , 2 ] . ] ["),
        (r"\begin{matrix} a & b \\ c \end{matrix}", "a b c"),
        (r"\mathbf { x } \hat { y } \frac { 1 } { 2 }", r"x \hat y \frac 1 2"),
        ("", ""),
    ],
)
def test_what_nobody_writes(latex: str, written: str) -> None:
    """Layout, fonts, the brackets of a root's index and the missing delimiter have no ink; all others do."""
    tokens = latex.split()

    assert [token for place, token in enumerate(tokens) if place not in unwritten(tokens)] == written.split()


def test_a_box_is_that_of_the_ink_that_is_looked_at() -> None:
    """Two symbols, the second of two pieces: each token has its own pieces, and a brace has none."""
    canonical = drawn((5, 6, 12, 20), (30, 4, 33, 7), (29, 12, 36, 27))
    attention = np.stack(
        [
            looking({(1, 0): 0.6, (1, 1): 0.3, (1, 3): 0.1}),
            looking({(0, 4): 0.4, (2, 4): 0.4, (2, 3): 0.2}),
            looking({(0, 7): 1.0}),
        ]
    )

    boxes = token_boxes(canonical, STRIDE, ["x", "i", "}"], attention)

    assert boxes == [(5, 6, 12, 20), (29, 4, 36, 27), None]


def test_a_box_is_given_in_the_source() -> None:
    """The box of a picture that shows a quarter of its source, moved, is twice as large and moved."""
    picture = drawn((8, 8, 16, 24)).picture
    canonical = Canonical(picture, Box(100, -10, 228, 54))

    (box,) = token_boxes(canonical, STRIDE, ["x"], looking({(1, 1): 1.0})[None])

    assert box == pytest.approx((116, 6, 132, 38))


def test_tokens_share_the_ink_of_symbols_that_touch() -> None:
    """One piece of ink that two tokens look at from either end is divided between them."""
    canonical = drawn((8, 8, 56, 16))
    attention = np.stack([looking({(1, 1): 0.5, (1, 2): 0.5}), looking({(1, 5): 0.5, (1, 6): 0.5})])

    one, other = token_boxes(canonical, STRIDE, ["1", "2"], attention)

    assert one is not None
    assert other is not None
    assert (one.left, other.right) == (8, 56)
    assert one.right == pytest.approx(32, abs=4)
    assert one.right == other.left


def test_a_token_without_ink_has_what_it_looks_at() -> None:
    """It has the ink in the squares that hold 60 % of its attention, or all ink if they are empty."""
    canonical = drawn((9, 9, 15, 15), (25, 9, 31, 15), (41, 9, 47, 15))
    others = [looking({(1, column): 1.0}) for column in (1, 3, 5)]
    torn = looking({(1, 1): 0.35, (1, 3): 0.33, (1, 5): 0.32})
    astray = looking({(3, 0): 1.0})

    boxes = token_boxes(canonical, STRIDE, list("abcde"), np.stack([*others, torn, astray]))

    assert boxes == [(9, 9, 15, 15), (25, 9, 31, 15), (41, 9, 47, 15), (9, 9, 31, 15), (9, 9, 47, 15)]


def literal_boxes(picture: np.ndarray, stride: int, attention: np.ndarray) -> list[tuple[float, ...]]:
    """The rule of the module's docstring, pixel by pixel; every token is written and finds its ink."""
    height, width = picture.shape
    ink = [(y, x) for y in range(height) for x in range(width) if picture[y, x] > 0.4]
    half = stride // 2
    weights = []
    for look in attention.astype(np.float64):
        weight = {}
        for y, x in ink:
            rows, columns = look.shape
            v = min(max((y + 0.5) / stride - 0.5, 0), rows - 1)
            u = min(max((x + 0.5) / stride - 0.5, 0), columns - 1)
            top, left = min(int(v), max(rows - 2, 0)), min(int(u), max(columns - 2, 0))
            below, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            value = (
                look[top, left] * (1 - v + top) * (1 - u + left)
                + look[top, right] * (1 - v + top) * (u - left)
                + look[below, left] * (v - top) * (1 - u + left)
                + look[below, right] * (v - top) * (u - left)
            )
            around = picture[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1] > 0.4
            weight[y, x] = value / (around.sum() / (2 * half + 1) ** 2)
        total = sum(weight.values()) + 1e-6
        weights.append({pixel: value / total for pixel, value in weight.items()})
    owner: dict[tuple[int, int], int] = {}
    left_over = set(ink)
    while left_over:
        piece, edge = set(), [left_over.pop()]
        while edge:
            y, x = edge.pop()
            piece.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left_over
            left_over -= near
            edge += near
        shares = [sum(weight[pixel] for pixel in piece) for weight in weights]
        if max(shares) < 0.02:
            continue
        claims = [row for row, share in enumerate(shares) if share > 0.5 or share == max(shares)]
        for pixel in piece:
            owner[pixel] = max(claims, key=lambda row, pixel=pixel: weights[row][pixel])
    result = []
    for row in range(len(attention)):
        own = [pixel for pixel, whose in owner.items() if whose == row]
        ys, xs = [y for y, _ in own], [x for _, x in own]
        result.append((min(xs), min(ys), max(xs) + 1, max(ys) + 1) if own else ())
    return result


@given(st.integers(0, 10**6), st.sampled_from([8, 16]))
@settings(max_examples=25, deadline=None)
def test_boxes_follow_the_rule_as_it_is_written(seed: int, stride: int) -> None:
    """On random ink and attention, boxes are those of a transcription of the rule, pixel by pixel."""
    generator = np.random.default_rng(seed)
    corners = generator.integers(0, (50, 26), (6, 2))
    sizes = generator.integers(2, 12, (6, 2))
    canonical = drawn(
        *(tuple(map(int, (*at, *(at + size)))) for at, size in zip(corners, sizes, strict=True))
    )
    grid = (-(-32 // stride), -(-64 // stride))
    attention = generator.dirichlet(np.full(grid[0] * grid[1], 0.1), 4).reshape(4, *grid).astype(np.float32)

    boxes = token_boxes(canonical, stride, list("abcd"), attention)

    for box, expected in zip(boxes, literal_boxes(canonical.picture, stride, attention), strict=True):
        assert box is not None
        assert 0 <= box.left < box.right <= 64
        assert 0 <= box.top < box.bottom <= 32
        assert not expected or box == expected


@pytest.mark.parametrize("both_ways", [False, True])
def test_details_are_those_of_a_pass_over_what_was_found(tiny_bundle: Path, both_ways: bool) -> None:
    """Confidences are the probabilities of each token, both directions' mean; boxes lie within the ink."""
    recognizer = Recognizer(tiny_bundle, threads=1, both_ways=both_ways)
    vocabulary = recognizer.bundle.vocabulary
    inks = [scribble(seed, 1 + seed % 4) for seed in range(20)]

    answers = recognizer.recognize_many(inks, details=True)

    assert sum(len(answer.tokens) for answer in answers) > 10
    for ink, answer, plain in zip(inks, answers, recognizer.recognize_many(inks), strict=True):
        assert plain.details == ()
        assert (plain.tokens, plain.alternatives) == (answer.tokens, answer.alternatives)
        assert tuple(detail.token for detail in answer.details) == answer.tokens
        picture = canonical_pictures(ink, [16.0])[0].picture
        seen = follow(recognizer.stepper(), vocabulary, STRIDE, picture, answer.tokens)
        expected = seen.probabilities
        if both_ways:
            expected = (expected + backwards(recognizer, picture, answer.tokens)) / 2
        confidences = [detail.confidence for detail in answer.details]
        assert confidences == pytest.approx(expected.tolist(), abs=1e-4)
        left, top, right, bottom = ink.bounds()
        pen = 0.1 * max(right - left, bottom - top)
        for detail in answer.details:
            box = detail.box
            assert box is not None
            assert left - pen <= box.left < box.right <= right + pen
            assert top - pen <= box.top < box.bottom <= bottom + pen


def backwards(recognizer: Recognizer, picture: np.ndarray, tokens: tuple[str, ...]) -> np.ndarray:
    """The probabilities of tokens, each after those behind it, by single steps."""
    vocabulary, stepper = recognizer.bundle.vocabulary, recognizer.stepper()
    stepper.start(picture[None, None], np.zeros((1, *picture.shape), bool))
    fed, result = vocabulary.end_id, []
    for following in vocabulary.encode(tokens)[::-1]:
        logits = stepper.step(np.array([fed]), np.array([0]))[0].astype(np.float64)
        logits[[vocabulary.pad_id, vocabulary.end_id]] = -np.inf
        result.append(np.exp(logits[following]) / np.exp(logits).sum())
        fed = following
    return np.array(result[::-1])


def test_boxes_of_a_picture_are_in_its_own_pixels(tiny_bundle: Path) -> None:
    """A picture with a wide border on two sides has its boxes shifted by that border."""
    import cv2

    recognizer = Recognizer(tiny_bundle, threads=1)
    grey = cv2.imdecode(np.frombuffer(png(scribble(4)), np.uint8), cv2.IMREAD_GRAYSCALE)
    framed = np.pad(grey, ((70, 0), (110, 0)), constant_values=255)

    plain, moved = recognizer.recognize_many([grey, framed], details=True)

    assert plain.tokens == moved.tokens
    for one, other in zip(plain.details, moved.details, strict=True):
        assert one.box is not None
        assert other.box == pytest.approx(one.box.moved(110, 70), abs=1)


@pytest.mark.parametrize("family", ["wap", "resnet_lstm", "im2latex"])
def test_models_of_any_stride_tell_details(family: str, tmp_path: Path) -> None:
    """Pictures of different sizes in one batch: whatever a model's stride, boxes lie within each ink."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from inktex.decoding.options import SearchOptions
    from inktex.export.onnx import export
    from inktex.models.families import FAMILIES
    from inktex.recognition.metadata import Metadata
    from inktex.vocabulary import Vocabulary
    from tiny_models import TINY

    torch.manual_seed(1)
    vocabulary = Vocabulary.build([list("abcde")])
    network = FAMILIES[family].build(len(vocabulary), TINY[family]).eval()
    search = SearchOptions(width=1, max_length=5)
    export(network, vocabulary, Metadata(family, 64, 16.0, network.stride, search=search), tmp_path / "model")
    inks = [scribble(seed, 2 + 2 * seed) for seed in range(3)]

    answers = Recognizer(tmp_path / "model", threads=1).recognize_many(inks, details=True)

    assert any(answer.details for answer in answers)
    for ink, answer in zip(inks, answers, strict=True):
        left, top, right, bottom = ink.bounds()
        pen = 0.1 * (bottom - top)
        for detail in answer.details:
            assert detail.box is not None
            assert left - pen <= detail.box.left < detail.box.right <= right + pen
            assert top - pen <= detail.box.top < detail.box.bottom <= bottom + pen


def test_an_empty_reading_has_no_details() -> None:
    """Nothing read, nothing told."""
    assert token_boxes(drawn((8, 8, 16, 16)), STRIDE, [], np.zeros((0, 4, 8), np.float32)) == []


@pytest.mark.skipif(not (CROHME.exists() and SHIPPED.exists()), reason="CROHME or the model is not at hand")
def test_boxes_are_those_of_the_symbols_that_were_written() -> None:
    """On ink of CROHME 2013, nine boxes of ten have their centre within the true symbol's box."""
    pytest.importorskip("pyarrow")
    from inktex.data.alignment import align_tokens
    from inktex.data.dataset import Sample
    from inktex.data.formats.sources import read_source

    samples = (item for item in read_source(CROHME) if isinstance(item, Sample))
    chosen = list(islice(samples, 16))
    inside = []
    for sample, answer in zip(
        chosen,
        Recognizer().recognize_many([sample.ink for sample in chosen], details=True),
        strict=True,
    ):
        if answer.tokens != sample.tokens:
            continue
        for detail, symbol in zip(
            answer.details, align_tokens(sample.tokens, sample.ink, sample.mathml), strict=True
        ):
            if symbol < 0:
                continue
            strokes = [sample.ink.strokes[number] for number in sample.ink.symbols[symbol].strokes]
            points = np.concatenate(strokes)
            assert detail.box is not None
            centre = np.array(detail.box).reshape(2, 2).mean(axis=0)
            pen = 0.05 * np.ptp(np.concatenate(sample.ink.strokes), axis=0).min()
            low, high = points.min(axis=0) - pen, points.max(axis=0) + pen
            inside.append(bool(((low <= centre) & (centre <= high)).all()))

    assert len(inside) > 20
    assert np.mean(inside) >= 0.9
