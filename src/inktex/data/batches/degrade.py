"""What tablet, pen, paper, scanner and compression make of ink: random changes to strokes and to pictures.

Strokes are given as points [points, 2], evenly spaced, of all strokes, and the index of each stroke's first
point, starts [strokes]. Pictures [h, w] are canonical, ink 1 on background 0; a changed one has the same
shape and keeps within 0..1. The changes imitate what is left of their cause once
:func:`inktex.image.canonical.canonicalize` has evened out light, cut off what is faint and cleared specks. A
dot of the pen stays darker or larger than all that is added beside the ink.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from inktex.image.canonical import CANONICAL_SYMBOL_PX, canonicalize_at
from inktex.ink.strokes import draw_strokes

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_PRESSURE = 0.35  # the pen's width varies by this share to both sides
_PRESSURE_POINTS = 14  # along the stroke, from one random width to the next
_THINNEST_PX = 0.75  # a thinner stroke would fade, and no canonical picture has it throughout
_WIDTHS_PER_PX = 4  # draw_strokes knows no finer steps
_SOURCE_ZOOM = (1.4, 3.0)  # pixels of a picture to be canonicalised in one of the canonical picture
_SOURCE_MARGIN_PX = 8
_FAINTEST = 0.1  # what is fainter is cut off when a compressed picture is made canonical


def stroke_lengths(points: FloatArray, starts: IntArray) -> IntArray:
    """Return the number of points of each stroke [strokes]."""
    return np.asarray(np.diff(starts, append=len(points)))


def smoothed(points: FloatArray, starts: IntArray, rng: np.random.Generator) -> FloatArray:
    """Replace points by the mean of their neighbours on both sides; ends of strokes stay."""
    at, first, last = _places(points, starts)
    reach = np.minimum(rng.integers(2, 6), np.minimum(at - first, last - at))
    total = np.concatenate([np.zeros((1, 2)), np.cumsum(points, axis=0, dtype=np.float64)])
    means = (total[at + reach + 1] - total[at - reach]) / (2 * reach + 1)[:, None]
    return np.asarray(means, dtype=np.float32)


def coarsened(points: FloatArray, starts: IntArray, rng: np.random.Generator) -> FloatArray:
    """Keep every few points and move those between onto the straight line, as a slow tablet cuts corners."""
    at, first, last = _places(points, starts)
    step = rng.integers(3, 8)
    before = at - (at - first) % step
    after = np.minimum(before + step, last)
    share = (at - before) / np.maximum(after - before, 1)
    moved = points[before] + share[:, None] * (points[after] - points[before])
    return np.asarray(moved, dtype=np.float32)


def draw_pressed(
    points: FloatArray, starts: IntArray, height: int, width: int, pen_px: float, rng: np.random.Generator
) -> FloatArray:
    """Draw strokes whose width varies smoothly along them, as under a pen that is pressed unevenly.

    Args:
        points: of all strokes, in pixels.
        starts: index of each stroke's first point.
        height: rows of the picture.
        width: columns of the picture.
        pen_px: mean width of the strokes.
        rng: draws the pressure.
    """
    at = np.arange(len(points)) / _PRESSURE_POINTS
    pressure = rng.uniform(1 - _PRESSURE, 1 + _PRESSURE, int(at[-1]) + 2)
    steps = np.rint(np.interp(at, np.arange(len(pressure)), pressure) * pen_px * _WIDTHS_PER_PX)
    steps = np.maximum(steps, _THINNEST_PX * _WIDTHS_PER_PX)
    begins = np.union1d(starts, np.flatnonzero(np.diff(steps)) + 1)
    ends = np.append(begins[1:], len(points))
    ends += ~np.isin(ends, [*starts, len(points)])  # a run reaches the next one's first point
    picture = np.zeros((height, width), dtype=np.float32)
    for step in np.unique(steps[begins]):
        runs = [points[begin:end] for begin, end in zip(begins, ends, strict=True) if steps[begin] == step]
        picture = np.maximum(picture, draw_strokes(runs, height, width, float(step) / _WIDTHS_PER_PX))
    return picture


def draw_canonicalized(
    points: FloatArray,
    starts: IntArray,
    scale: float,
    pen_px: tuple[float, float],
    largest: tuple[int, int] | None,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Draw points large, with any pen, and let the recognizer make the canonical picture of it.

    Its estimate of the size of symbols and its thinning of strokes are then what training sees.

    Args:
        points: [points, 2] in pixels of the canonical picture, at ``scale``.
        starts: index of each stroke's first point.
        scale: size of symbols against the usual one.
        pen_px: thinnest and thickest pen, in pixels of a canonical picture with symbols of the usual size.
        largest: largest height and width of the picture; a larger one is made smaller.
        rng: draws pen and size.

    Returns:
        The picture and where in it the points lie.
    """
    zoom = rng.uniform(*_SOURCE_ZOOM) / scale
    width_px = zoom * scale * rng.uniform(*pen_px)
    border = width_px / 2 + _SOURCE_MARGIN_PX
    source = ((points - points.min(axis=0)) * zoom + border).astype(np.float32)
    width, height = np.ceil(source.max(axis=0) + border).astype(int)
    drawn = draw_strokes(np.split(source, starts[1:]), height, width, width_px)
    if rng.random() < 0.5:
        drawn = np.rint(drawn)  # one bit a pixel, as the field's fixed pictures have
    symbol_px = CANONICAL_SYMBOL_PX * scale
    while True:
        picture, area = canonicalize_at(1 - drawn, (symbol_px,))[0]
        share = 1.0 if largest is None else min(np.array(largest) / picture.shape)
        if share >= 1:
            break
        symbol_px *= 0.98 * share
    corner, opposite = np.array(area).reshape(2, 2)
    size = np.array(picture.shape[::-1])
    return picture, np.asarray((source - corner) * size / (opposite - corner), dtype=np.float32)


def faded(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Weaken the ink smoothly, here more and there less, by at most three fifths."""
    depth = np.float32(rng.uniform(0.2, 0.6))
    return picture * (1 - depth * _smooth_field(picture.shape, 2 * CANONICAL_SYMBOL_PX, rng))


def broken(picture: FloatArray, points: FloatArray, pen_px: float, rng: np.random.Generator) -> FloatArray:
    """Nibble small holes into the ink, where the pen skipped or the paper's grain shows.

    Args:
        picture: the picture.
        points: [points, 2], where holes may lie: those of long strokes, for a dot could vanish.
        pen_px: width of the strokes; a hole is at most as wide.
        rng: draws the holes.
    """
    count = rng.poisson(len(points) * rng.uniform(0.01, 0.05))
    if not count:
        return picture
    centres = rng.choice(points, count) + rng.normal(0, 0.3 * pen_px, (count, 2))
    dots = [centre[None] for centre in centres.astype(np.float32)]
    height, width = picture.shape
    holes = draw_strokes(dots, height, width, pen_px * rng.uniform(0.5, 1.0))
    return picture * (1 - np.float32(rng.uniform(0.5, 1)) * holes)


def speckled(picture: FloatArray, pen_px: float, rng: np.random.Generator) -> FloatArray:
    """Scatter soft specks, each of at most a quarter of the ink of a dot of the pen."""
    height, width = picture.shape
    count = rng.poisson(picture.size / CANONICAL_SYMBOL_PX**2 * rng.uniform(0.05, 0.4))
    dot = np.pi / 4 * pen_px**2
    points = np.zeros((height, width), dtype=np.float32)
    points[rng.integers(0, height, count), rng.integers(0, width, count)] = dot * rng.uniform(
        0.05, 0.25, count
    )
    specks = cv2.GaussianBlur(points, (0, 0), 0.25 * pen_px + 0.1, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(np.clip(specks, picture, 1), dtype=np.float32)


def ruled(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Leave patchy grey traces of the lines or squares that the paper was ruled with."""
    height, width = picture.shape
    spacing = CANONICAL_SYMBOL_PX * rng.uniform(0.8, 2.5)
    turn = rng.normal(0, 0.01)
    rows = _parallels(width, height, spacing, turn, rng)
    columns = [line[:, ::-1] for line in _parallels(height, width, spacing, -turn, rng)]
    lines = (rows, columns, rows + columns)[rng.integers(3)]
    traces = draw_strokes(lines, height, width, float(rng.uniform(0.6, 1.2)))
    patches = np.clip(2.5 * _smooth_field(picture.shape, CANONICAL_SYMBOL_PX / 2, rng) - 0.75, 0, 1)
    return np.asarray(np.maximum(picture, np.float32(rng.uniform(0.1, 0.4)) * patches * traces))


def shaded(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Leave faint, grainy patches of a shadow on the paper."""
    patches = np.clip(3 * _smooth_field(picture.shape, 2 * CANONICAL_SYMBOL_PX, rng) - 2, 0, 1)
    grain = rng.random(picture.shape, dtype=np.float32)
    return np.asarray(np.maximum(picture, np.float32(rng.uniform(0.1, 0.35)) * patches * grain))


def blurred(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Blur the picture a little."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 0.7))), dtype=np.float32)


def resampled(picture: FloatArray, pen_px: float, rng: np.random.Generator) -> FloatArray:
    """Make the picture smaller and enlarge it again, edges as sharp as canonical pictures have them.

    Strokes keep a width of some 0.9 pixels in the smaller picture, which canonical pictures have at least.
    """
    height, width = picture.shape
    factor = rng.uniform(np.clip(0.9 / pen_px, 0.4, 0.9), 0.9)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    full = max(float(np.quantile(small[small >= small.max() / 2], 0.75)), _FAINTEST)
    large = cv2.resize(small / np.float32(full), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip((large - 0.5) / np.float32(factor) + 0.5, 0, 1), dtype=np.float32)


def compressed(picture: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Send the picture through JPEG at a low quality and cut off the faintest traces."""
    height, width = picture.shape
    down, right = rng.integers(0, 8, 2)  # the blocks need not begin at the corner
    levels = np.rint(np.pad(picture, ((down, 0), (right, 0))) * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", 255 - levels, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(10, 61))))
    grey = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    ink = 1 - grey[down : down + height, right : right + width].astype(np.float32) / 255
    return np.asarray(np.clip((ink - _FAINTEST) / (1 - _FAINTEST), 0, 1), dtype=np.float32)


def noisy(picture: FloatArray, strength: float, rng: np.random.Generator) -> FloatArray:
    """Vary the ink's grey values from pixel to pixel by a standard deviation of at most ``strength``."""
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    return np.clip(picture * (1 + np.float32(rng.uniform(0, strength)) * noise), 0, 1)


def _places(points: FloatArray, starts: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return for every point its own index and those of its stroke's first and last point."""
    lengths = stroke_lengths(points, starts)
    return np.arange(len(points)), np.repeat(starts, lengths), np.repeat(starts + lengths - 1, lengths)


def _smooth_field(shape: tuple[int, ...], cell_px: float, rng: np.random.Generator) -> FloatArray:
    """Return random values 0..1 [h, w] that change over distances of about ``cell_px``."""
    height, width = shape
    coarse = rng.random((int(height / cell_px) + 2, int(width / cell_px) + 2), dtype=np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(field, 0, 1), dtype=np.float32)


def _parallels(
    length: float, breadth: float, spacing: float, turn: float, rng: np.random.Generator
) -> list[FloatArray]:
    """Return lines [2, 2] along x that cover length and breadth at even distances."""
    offsets = np.arange(rng.uniform(0, spacing), breadth, spacing)
    return [np.array([(0, at), (length, at + turn * length)], dtype=np.float32) for at in offsets]
