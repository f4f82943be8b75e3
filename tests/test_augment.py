"""Ink at canonical scale, drawn anew."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from inktex.data.batches.augment import CELL_PX, draw, draw_picture, prepare
from inktex.data.batches.options import NO_AUGMENTATION, USUAL_PEN_PX, AugmentOptions
from inktex.errors import ConfigError
from inktex.image.canonical import CANONICAL_SYMBOL_PX, MARGIN_PX, canonicalize
from inktex.image.separation import sharp_binary
from inktex.image.symbol_size import typical_symbol_px
from inktex.ink.strokes import Ink, Symbol, draw_strokes, rasterize

MOVING = {"perspective": 0.1, "wave": 0.1, "stroke_shift": 0.04}  # each strong
SHARES = (
    "canonicalized",
    "smoothing",
    "coarsening",
    "pressure",
    "fading",
    "gaps",
    "ruling",
    "shade",
    "specks",
    "blur",
    "resampling",
    "jpeg",
)
EVERYTHING = dataclasses.replace(AugmentOptions(), **dict.fromkeys(SHARES, 1.0) | {"canonicalized": 0.0})


def square(left: float, top: float, side: float) -> np.ndarray:
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    return np.array([(left + side * x, top + side * y) for x, y in corners], dtype=np.float32)


def squares(scale: float = 1.0) -> Ink:
    """Three squares in a row: the first two one symbol each, the third of no symbol."""
    strokes = tuple(square(30 * i * scale, 0, 20 * scale) for i in range(3))
    return Ink(strokes, (Symbol("a", (0,)), Symbol("b", (1,))))


@pytest.mark.parametrize("scale", [0.01, 1.0, 700.0])
def test_device_units_do_not_matter(scale: float) -> None:
    """The same ink in other units is prepared to the same points."""
    np.testing.assert_allclose(prepare(squares(scale)).points, prepare(squares()).points, atol=0.3)


def test_prepared_size_is_that_of_the_canonical_picture() -> None:
    """A drawing of prepared ink has the extent that the picture path gives the same ink."""
    drawn = draw(prepare(squares()), NO_AUGMENTATION, np.random.default_rng(0)).picture
    read = canonicalize(rasterize(squares(), 60, 5), CANONICAL_SYMBOL_PX)

    def extent(picture: np.ndarray) -> np.ndarray:
        return np.ptp(np.argwhere(picture > 0.3), axis=0)

    np.testing.assert_allclose(extent(drawn), extent(read), atol=3)


def test_points_are_evenly_spaced_along_every_stroke() -> None:
    """Resampling leaves no gap that could hide a symbol from the cells it passes through."""
    ink = prepare(squares())

    for stroke in np.split(ink.points, ink.starts[1:]):
        assert np.hypot(*np.diff(stroke, axis=0).T).max() <= 0.71


def test_cells_hold_each_symbol_and_nothing_else() -> None:
    """A symbol's cells are those in which its own ink lies, found a second way from the drawn picture."""
    drawing = draw(prepare(squares()), NO_AUGMENTATION, np.random.default_rng(0))
    rows, columns = drawing.cells.shape[1:]
    inked = drawing.picture.reshape(rows, CELL_PX, columns, CELL_PX).max(axis=(1, 3)) > 0.6

    assert drawing.cells.shape[0] == 2
    assert not (drawing.cells.any(axis=0) & ~inked).any()
    assert not (drawing.cells[0] & drawing.cells[1]).any()
    third = inked & ~drawing.cells.any(axis=0)
    assert np.argwhere(third)[:, 1].min() >= np.argwhere(drawing.cells[1])[:, 1].max()


def test_same_generator_same_picture() -> None:
    """Drawing is a function of the generator's seed, and another seed draws otherwise."""
    ink = prepare(squares())
    first, again, other = (
        draw(ink, AugmentOptions(), np.random.default_rng(seed)).picture for seed in (1, 1, 2)
    )

    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("seed", range(20))
def test_drawing_stays_within_its_bounds(seed: int) -> None:
    """A drawing is shrunk to the largest shape; sides are multiples of 8 and no ink touches the border."""
    wild = dataclasses.replace(AugmentOptions(), scale=0.5, rotation_deg=20, slant=0.5)
    picture = draw(prepare(squares()), wild, np.random.default_rng(seed), 2.0, (24, 64)).picture

    assert picture.shape[0] <= 24
    assert picture.shape[1] <= 64
    assert picture.shape[0] % CELL_PX == picture.shape[1] % CELL_PX == 0
    assert 0 <= picture.min() <= picture.max() <= 1
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert border.max() < 0.7


def test_scale_enlarges() -> None:
    """Twice the scale gives about twice the extent."""
    usual, large = (
        draw(prepare(squares()), NO_AUGMENTATION, np.random.default_rng(0), scale).picture.shape[1]
        for scale in (1, 2)
    )

    assert large == pytest.approx(2 * usual, abs=2 * CANONICAL_SYMBOL_PX / 2)


def test_a_dot_can_be_drawn() -> None:
    """An ink of a single point becomes a small picture with ink."""
    ink = Ink((np.array([[5, 5]], dtype=np.float32),))

    assert draw(prepare(ink), AugmentOptions(), np.random.default_rng(0)).picture.max() > 0.4


def plain(seed: int) -> np.ndarray:
    return draw(prepare(squares()), NO_AUGMENTATION, np.random.default_rng(seed)).picture


def only(name: str, strength: float) -> AugmentOptions:
    return dataclasses.replace(NO_AUGMENTATION, **{name: strength})


def test_no_augmentation_has_every_strength_at_zero() -> None:
    """All that is left are pens of one width."""
    strengths = dataclasses.asdict(NO_AUGMENTATION)

    assert strengths.pop("pen_px") == strengths.pop("canonicalized_pen_px") == (USUAL_PEN_PX, USUAL_PEN_PX)
    assert strengths.pop("strength") == 1.0
    assert not any(strengths.values())


def test_without_augmentation_the_prepared_points_are_drawn() -> None:
    """The picture is that of the strokes themselves, shifted by the margin alone."""
    ink, rng = prepare(squares()), np.random.default_rng(3)
    pen_px = rng.uniform(*NO_AUGMENTATION.pen_px)
    margin = pen_px / 2 + rng.uniform(1, 5, size=4)
    points = (ink.points - ink.points.min(axis=0) + margin[:2]).astype(np.float32)

    picture = plain(3)

    np.testing.assert_array_equal(
        picture, draw_strokes(np.split(points, ink.starts[1:]), *picture.shape, pen_px)
    )


@pytest.mark.parametrize("name", SHARES)
def test_a_share_of_the_pictures_is_changed_and_no_other(name: str) -> None:
    """Of pictures drawn with a change at one half, about half are those without it, to the bit."""
    seeds = range(40)
    ink = prepare(squares())
    drawn = [draw(ink, only(name, 0.5), np.random.default_rng(seed)).picture for seed in seeds]

    same = sum(np.array_equal(picture, plain(seed)) for picture, seed in zip(drawn, seeds, strict=True))

    assert 8 <= same <= 32


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", MOVING)
def test_moving_points_keeps_the_ink(name: str, seed: int) -> None:
    """What moves the strokes changes the picture, but hardly its extent nor the amount of ink."""
    moved = draw(prepare(squares()), only(name, MOVING[name]), np.random.default_rng(seed)).picture
    usual = plain(seed)

    assert moved.shape != usual.shape or not np.array_equal(moved, usual)
    assert moved.sum() == pytest.approx(usual.sum(), rel=0.2)
    extents = [np.ptp(np.argwhere(picture > 0.3), axis=0) for picture in (moved, usual)]
    assert np.abs(extents[0] - extents[1]).max() <= 0.75 * CANONICAL_SYMBOL_PX


def test_perspective_makes_one_end_larger_at_the_cost_of_the_other() -> None:
    """The inverse heights of what stands at both ends keep their mean, whatever the tilt."""
    ink = prepare(Ink((square(0, 0, 20), square(200, 0, 20))))

    def heights(options: AugmentOptions, seed: int) -> np.ndarray:
        picture = draw(ink, options, np.random.default_rng(seed), 6.0).picture > 0.5
        halves = np.array_split(picture, 2, axis=1)
        return np.array([np.ptp(np.flatnonzero(half.any(axis=1))) for half in halves])

    usual = heights(NO_AUGMENTATION, 0)
    tilted = np.array([heights(only("perspective", 0.1), seed) for seed in range(8)])

    assert np.abs(tilted[:, 0] - tilted[:, 1]).max() > 0.1 * usual.mean()
    np.testing.assert_allclose((1 / tilted).mean(axis=1), (1 / usual).mean(), rtol=0.08)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", [*MOVING, "smoothing", "coarsening", "pressure", "resampling", "jpeg"])
def test_cells_follow_the_changes(name: str, seed: int) -> None:
    """Ink lies in a symbol's cells or beside them, and in each of these cells there is ink."""
    ink = prepare(Ink((square(0, 0, 20), square(60, 0, 20)), (Symbol("a", (0,)), Symbol("b", (1,)))))
    drawing = draw(ink, only(name, MOVING.get(name, 1.0)), np.random.default_rng(seed), 2.0)
    rows, columns = drawing.cells.shape[1:]
    blocks = drawing.picture.reshape(rows, CELL_PX, columns, CELL_PX).max(axis=(1, 3))
    around = np.pad(drawing.cells.any(axis=0), 1)
    near = np.any([around[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0)

    assert not ((blocks > 0.5) & ~near).any()
    assert (blocks[drawing.cells.any(axis=0)] > 0.1).all()
    assert np.argwhere(drawing.cells[0])[:, 1].max() < np.argwhere(drawing.cells[1])[:, 1].min()


@pytest.mark.parametrize("seed", range(10))
def test_a_canonicalized_drawing_is_what_the_recognizer_would_see(seed: int) -> None:
    """Whatever the pen, symbols measure what they should, strokes are no wider than the recognizer leaves
    them, and the margin is its own."""
    options = dataclasses.replace(only("canonicalized", 1.0), canonicalized_pen_px=(1.0, 4.2))
    picture = draw(prepare(squares()), options, np.random.default_rng(seed), 1.5).picture
    ink = picture > 0.5

    assert typical_symbol_px(ink.astype(np.uint8)) == pytest.approx(1.5 * CANONICAL_SYMBOL_PX, rel=0.1)
    _, finer, pen = sharp_binary(picture)
    assert pen / finer < 1.5 * 2.2 + 0.7
    assert np.argwhere(ink).min(axis=0).tolist() == pytest.approx([MARGIN_PX, MARGIN_PX], abs=1)


@pytest.mark.parametrize("seed", range(10))
def test_a_canonicalized_drawing_keeps_within_its_bounds(seed: int) -> None:
    """It is made smaller until it fits, and the cells go along."""
    options = dataclasses.replace(only("canonicalized", 1.0), canonicalized_pen_px=(1.0, 4.2))
    drawing = draw(prepare(squares()), options, np.random.default_rng(seed), 2.0, (24, 64))

    assert drawing.picture.shape[0] <= 24
    assert drawing.picture.shape[1] <= 64
    assert drawing.cells.shape[1:] == tuple(side // CELL_PX for side in drawing.picture.shape)
    assert drawing.cells.any(axis=(1, 2)).all()


@pytest.mark.parametrize("seed", range(10))
def test_everything_at_once_is_still_a_picture(seed: int) -> None:
    """With every change made, the same seed gives the same bytes, in 0..1, sides multiples of 8."""
    ink = prepare(squares())

    first, again = (draw(ink, EVERYTHING, np.random.default_rng(seed)).picture for _ in range(2))

    assert first.tobytes() == again.tobytes()
    assert first.dtype == np.float32
    assert first.shape[0] % CELL_PX == first.shape[1] % CELL_PX == 0
    assert 0 <= first.min() <= first.max() <= 1
    assert first.max() > 0.4


@pytest.mark.parametrize("seed", range(5))
def test_gaps_spare_the_dots(seed: int) -> None:
    """Holes are made in a long stroke; a dot beside it stays as it is."""
    line = np.array([[0, 0], [60, 0], [60, 20]], dtype=np.float32)
    ink = prepare(Ink((line, np.array([[20, 40]], dtype=np.float32))))

    usual, worn = (
        draw(ink, options, np.random.default_rng(seed), 2.0).picture
        for options in (NO_AUGMENTATION, only("gaps", 1.0))
    )

    dot = slice(usual.shape[0] * 2 // 3, None)  # below the stroke
    np.testing.assert_array_equal(worn[dot], usual[dot])
    assert usual[dot].max() > 0.3
    assert worn.sum() < usual.sum()


def test_strength_is_a_factor_on_every_change() -> None:
    """At half strength every strength is halved and pens vary half as much around the usual one."""
    pens: dict[str, Any] = {"pen_px": (0.8, 3.2), "canonicalized_pen_px": (1.2, 4.0)}
    whole, half = AugmentOptions(**pens), AugmentOptions(**pens, strength=0.5)

    given, found = dataclasses.asdict(whole), dataclasses.asdict(half.at_full_strength())

    assert found.pop("pen_px") == pytest.approx((1.2, 2.4))
    assert found.pop("canonicalized_pen_px") == pytest.approx((1.4, 2.8))
    assert (found.pop("strength"), found.pop("scale_range")) == (1.0, None)
    assert found == pytest.approx({name: given[name] / 2 for name in found})


@pytest.mark.parametrize("canonicalized", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_halves_of_the_pens_draw_the_same_hand(canonicalized: float, seed: int) -> None:
    """Of any seed the thicker half's picture is as much larger as its pen is thicker, and has more ink."""
    pens: dict[str, Any] = {"pen_px": (1.0, 5.0), "canonicalized_pen_px": (1.0, 2.0)}
    options = dataclasses.replace(NO_AUGMENTATION, canonicalized=canonicalized, wave=0.3, slant=0.3, **pens)
    ink = prepare(squares())

    thin, thick = (draw(ink, half, np.random.default_rng(seed)).picture for half in options.by_pen())

    grown = np.ptp(np.argwhere(thick > 0.5), axis=0) - np.ptp(np.argwhere(thin > 0.5), axis=0)
    assert grown == pytest.approx([0.5, 0.5] if canonicalized else [2, 2], abs=3 if canonicalized else 1)
    assert thick.sum() > 1.1 * thin.sum()


def test_the_halves_of_the_pens_are_all_pens() -> None:
    """The thinner half ends where the thicker one begins."""
    thin, thick = AugmentOptions(pen_px=(1.0, 3.0), canonicalized_pen_px=(1.0, 5.0)).by_pen()

    assert (thin.pen_px, thick.pen_px) == ((1.0, 2.0), (2.0, 3.0))
    assert (thin.canonicalized_pen_px, thick.canonicalized_pen_px) == ((1.0, 3.0), (3.0, 5.0))


def test_scales_fill_their_range_evenly() -> None:
    """A range of scales is met from end to end, all parts alike, at any strength."""
    options = AugmentOptions(strength=0.0, scale_range=(0.5, 3.0)).at_full_strength()

    scales = options.scales(4000, np.random.default_rng(0))

    counts, _ = np.histogram(scales, bins=5, range=(0.5, 3.0))
    assert counts.sum() == 4000
    assert counts.min() > 700


@pytest.mark.parametrize(
    "wrong",
    [
        {"strength": -0.5},
        {"scale_range": (1.4, 0.7)},
        {"scale_range": (0.0, 1.0)},
        {"pen_px": (3.0, 2.0)},
        {"canonicalized_pen_px": (0.0, 2.0)},
    ],
)
def test_impossible_changes_are_refused(wrong: dict[str, Any]) -> None:
    """The error names the key."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        AugmentOptions(**wrong)


def test_an_enlarged_drawing_is_the_drawing_at_a_larger_size() -> None:
    """Twice as large, pen and all, and averaged down again, a drawing is what it was."""
    usual = draw(prepare(squares()), only("wave", 0.2), np.random.default_rng(5)).picture
    large = draw(prepare(squares()), only("wave", 0.2), np.random.default_rng(5), enlarged=2.0).picture

    rows, columns = (np.ptp(np.flatnonzero((large > 0.5).any(axis=axis))) for axis in (1, 0))
    expected = [np.ptp(np.flatnonzero((usual > 0.5).any(axis=axis))) for axis in (1, 0)]

    assert [rows, columns] == pytest.approx([2 * side for side in expected], abs=3)
    assert large.sum() == pytest.approx(4 * usual.sum(), rel=0.1)  # an edge stays a pixel wide


def test_a_picture_without_changes_stays_as_it_is() -> None:
    """A picture of which there is no ink is only changed by what the options ask for."""
    picture = draw(prepare(squares()), NO_AUGMENTATION, np.random.default_rng(0)).picture

    drawing = draw_picture(picture, NO_AUGMENTATION, np.random.default_rng(1))

    np.testing.assert_allclose(drawing.picture, picture, atol=1e-6)
    assert drawing.cells.shape == (0, picture.shape[0] // CELL_PX, picture.shape[1] // CELL_PX)


@pytest.mark.parametrize("factor", [0.5, 0.75, 2.0])
def test_a_scaled_picture_keeps_its_ink(factor: float) -> None:
    """Ink covers the square of the factor as much area, and its centre moves by the factor."""
    picture = draw(prepare(squares()), NO_AUGMENTATION, np.random.default_rng(0)).picture

    changed = draw_picture(picture, NO_AUGMENTATION, np.random.default_rng(1), factor).picture

    assert changed.sum() == pytest.approx(factor**2 * picture.sum(), rel=0.05)
    for axis in (0, 1):
        before, after = (
            (np.arange(each.shape[axis]) + 0.5) @ each.sum(axis=1 - axis) / each.sum()
            for each in (picture, changed)
        )
        assert after == pytest.approx(factor * before, abs=0.5)


@pytest.mark.parametrize("seed", range(6))
def test_a_changed_picture_stays_within_its_bounds(seed: int) -> None:
    """Whatever is done to it, a picture keeps to the largest shape and to grey values, and loses no ink."""
    picture = draw(prepare(squares()), NO_AUGMENTATION, np.random.default_rng(0)).picture
    wild = dataclasses.replace(AugmentOptions(), rotation_deg=20, slant=0.5)

    changed = draw_picture(picture, wild, np.random.default_rng(seed), 2.5, (48, 96)).picture

    assert changed.shape[0] <= 48
    assert changed.shape[1] <= 96
    assert changed.shape[0] % CELL_PX == changed.shape[1] % CELL_PX == 0
    assert 0 <= changed.min() <= changed.max() <= 1
    assert changed.max() > 0.4
