"""Ink at canonical scale, drawn anew."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from inktex.data.augment import CELL_PX, NO_AUGMENTATION, AugmentOptions, draw, prepare
from inktex.image import CANONICAL_SYMBOL_PX, canonicalize
from inktex.ink import Ink, Symbol, rasterize


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
    read = canonicalize(rasterize(squares(), 60, 5))

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
