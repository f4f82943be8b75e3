"""What tablet, pen, paper, scanner and compression make of ink."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from inktex.data.batches import degrade
from inktex.ink.strokes import draw_strokes

PEN_PX = 2.0
HEIGHT, WIDTH = 48, 96
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def written() -> tuple[np.ndarray, np.ndarray]:
    """Points and starts of a long wavy stroke, a short straight one and a dot."""
    x = np.arange(10, 86, 0.6)
    wavy = np.stack([x, 20 + 8 * np.sin(x / 6)], axis=1)
    straight = np.stack([np.arange(40, 50, 0.7), np.full(15, 40.0)], axis=1)
    points = np.concatenate([wavy, straight, [[70.0, 40.0]]]).astype(np.float32)
    return points, np.array([0, len(wavy), len(wavy) + len(straight)])


def drawn(pen_px: float = PEN_PX) -> np.ndarray:
    points, starts = written()
    return draw_strokes(np.split(points, starts[1:]), HEIGHT, WIDTH, pen_px)


CHANGES: dict[str, Change] = {
    "faded": degrade.faded,
    "broken": lambda picture, rng: degrade.broken(picture, written()[0], PEN_PX, rng),
    "speckled": lambda picture, rng: degrade.speckled(picture, PEN_PX, rng),
    "ruled": degrade.ruled,
    "shaded": degrade.shaded,
    "blurred": degrade.blurred,
    "resampled": lambda picture, rng: degrade.resampled(picture, PEN_PX, rng),
    "compressed": degrade.compressed,
    "noisy": lambda picture, rng: degrade.noisy(picture, 0.2, rng),
}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_picture_keeps_its_form(name: str, seed: int) -> None:
    """Shape, kind and range of the values stay, and so does the picture that was given."""
    picture = drawn()

    changed = CHANGES[name](picture, np.random.default_rng(seed))

    assert changed.shape == picture.shape
    assert changed.dtype == np.float32
    assert 0 <= changed.min() <= changed.max() <= 1
    np.testing.assert_array_equal(picture, drawn())


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_picture_shows_the_same_ink(name: str, seed: int) -> None:
    """Averaged over squares of 4 pixels, as seen from afar, the picture is like the one before."""
    picture = drawn()
    afar = WIDTH // 4, HEIGHT // 4

    changed = CHANGES[name](picture, np.random.default_rng(seed))

    before, after = (cv2.resize(each, afar, interpolation=cv2.INTER_AREA) for each in (picture, changed))
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.85
    assert 0.4 * before.sum() <= after.sum() <= before.sum() + 0.15 * before.size


@pytest.mark.parametrize("name", ["speckled", "ruled", "shaded"])
def test_paper_adds_to_the_ink(name: str) -> None:
    """Nothing gets lighter, and some pictures get darker in places."""
    changed = [CHANGES[name](drawn(), np.random.default_rng(seed)) for seed in range(10)]

    assert all((each >= drawn()).all() for each in changed)
    assert any((each > drawn()).any() for each in changed)


@pytest.mark.parametrize(("name", "darkest"), [("ruled", 0.4), ("shaded", 0.35)])
def test_traces_of_paper_are_faint(name: str, darkest: float) -> None:
    """On an empty page they are all grey, and most of the page stays white."""
    for seed in range(30):
        page = CHANGES[name](np.zeros((HEIGHT, WIDTH), np.float32), np.random.default_rng(seed))

        assert page.max() <= darkest
        assert np.median(page) < 0.1


@pytest.mark.parametrize("name", ["faded", "broken"])
def test_worn_ink_is_lighter_and_nowhere_darker(name: str) -> None:
    """Ink is lost but some of it stays everywhere on the whole."""
    for seed in range(10):
        worn = CHANGES[name](drawn(), np.random.default_rng(seed))

        assert (worn <= drawn()).all()
        assert 0.4 * drawn().sum() <= worn.sum() < drawn().sum()


def test_ink_fades_smoothly() -> None:
    """On a page full of ink, neighbouring pixels differ little and none is lighter than two fifths."""
    page = degrade.faded(np.ones((HEIGHT, WIDTH), np.float32), np.random.default_rng(0))

    assert page.min() >= 0.4 - 1e-6
    assert max(np.abs(np.diff(page, axis=axis)).max() for axis in (0, 1)) < 0.06
    assert np.ptp(page) > 0.1


@pytest.mark.parametrize("pen_px", [0.9, 1.5, 2.9])
def test_specks_are_no_dots(pen_px: float) -> None:
    """Even where two meet, a speck has half the ink of a dot of the same pen, and half its blackness."""
    dot = draw_strokes([np.full((1, 2), 8.5, np.float32)], 16, 16, pen_px)
    for seed in range(20):
        page = degrade.speckled(np.zeros((96, 96), np.float32), pen_px, np.random.default_rng(seed))
        count, labels = cv2.connectedComponents((page > 0.05).astype(np.uint8))

        assert page.max() <= 0.6 * dot.max()
        assert all(page[labels == speck].sum() <= 0.6 * dot.sum() for speck in range(1, count))


@pytest.mark.parametrize("seed", range(5))
def test_smoothing_takes_means_along_each_stroke(seed: int) -> None:
    """Each point becomes the mean of as many points on both sides, fewer near the ends."""
    points, starts = written()
    reach = int(np.random.default_rng(seed).integers(2, 6))

    smooth = degrade.smoothed(points, starts, np.random.default_rng(seed))

    for before, after in zip(np.split(points, starts[1:]), np.split(smooth, starts[1:]), strict=True):
        for i in range(len(before)):
            side = min(reach, i, len(before) - 1 - i)
            np.testing.assert_allclose(after[i], before[i - side : i + side + 1].mean(axis=0), atol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_coarse_strokes_are_straight_between_points_of_their_own(seed: int) -> None:
    """A coarse stroke bends only at points of the stroke before, at most every third, and keeps its ends."""
    points, starts = written()

    coarse = degrade.coarsened(points, starts, np.random.default_rng(seed))

    for before, after in zip(np.split(points, starts[1:]), np.split(coarse, starts[1:]), strict=True):
        np.testing.assert_array_equal(before[[0, -1]], after[[0, -1]])
        bend = np.abs(np.diff(after, 2, axis=0)).max(axis=1, initial=0) > 1e-3
        corners = np.flatnonzero(bend) + 1
        np.testing.assert_allclose(after[corners], before[corners], atol=1e-5)
        assert len(corners) <= len(before) / 3
        assert np.abs(after - before).max() < 2


@pytest.mark.parametrize("pen_px", [0.9, 2.0, 2.9])
@pytest.mark.parametrize("seed", range(5))
def test_pressure_varies_the_width_within_bounds(pen_px: float, seed: int) -> None:
    """The picture lies between those of a thinner and a thicker pen, and near that of the usual one."""
    points, starts = written()

    pressed = degrade.draw_pressed(points, starts, HEIGHT, WIDTH, pen_px, np.random.default_rng(seed))

    thin, thick = drawn(0.65 * pen_px - 0.25), drawn(1.35 * pen_px + 0.25)
    assert (pressed >= thin - 0.15).all()
    assert (pressed <= thick + 0.15).all()
    assert pressed.sum() == pytest.approx(drawn(pen_px).sum(), rel=0.3)
    assert not np.array_equal(pressed, drawn(pen_px))
