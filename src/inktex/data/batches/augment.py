"""Ink as training sees it: prepared once, drawn anew with another pen and another hand every time."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from inktex.data.batches import degrade
from inktex.data.batches.options import USUAL_PEN_PX, AugmentOptions
from inktex.image.canonical import CANONICAL_SYMBOL_PX
from inktex.image.symbol_size import typical_symbol_px
from inktex.ink.strokes import Ink, draw_strokes, rasterize, symbol_size

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

CELL_PX = 8  # side of the cells that symbol boxes are reported in: the encoders' stride
_SPACING_PX = 0.7  # distance of resampled points
_SURVEY_PX = 32.0  # symbol size at which an ink's typical symbol is measured
_WAVES = 3
_USUAL_WAVELENGTH = 4.0  # in typical symbols
_STEEPEST = 0.25  # of perspective, so that nothing comes too near


class PreparedInk(NamedTuple):
    """Ink in pixels of the canonical picture, resampled evenly.

    Attributes:
        points: [points, 2].
        starts: [strokes], index of each stroke's first point.
        symbol: [points], index of the symbol each point belongs to, -1 for none.
        symbols: number of symbols.
    """

    points: FloatArray
    starts: IntArray
    symbol: IntArray
    symbols: int


class Drawing(NamedTuple):
    """A drawn ink: picture [h, w], sides multiples of 8, and each symbol's cells [symbols, h / 8, w / 8]."""

    picture: FloatArray
    cells: npt.NDArray[np.bool_]


def prepare(ink: Ink) -> PreparedInk:
    """Bring an ink to canonical scale, measured on a drawing of it just as a picture's scale is measured."""
    survey = rasterize(ink, _SURVEY_PX, _SURVEY_PX / 12)
    measured = typical_symbol_px((survey > 0.5).astype(np.uint8))
    scale = CANONICAL_SYMBOL_PX / measured * _SURVEY_PX / symbol_size(ink)
    strokes = [_resample(stroke * np.float32(scale)) for stroke in ink.strokes]
    owner = np.full(len(strokes), -1)
    for index, symbol in enumerate(ink.symbols):
        owner[list(symbol.strokes)] = index
    lengths = [len(stroke) for stroke in strokes]
    return PreparedInk(
        points=np.concatenate(strokes),
        starts=np.cumsum([0, *lengths[:-1]]),
        symbol=np.repeat(owner, lengths),
        symbols=len(ink.symbols),
    )


def draw(
    ink: PreparedInk,
    options: AugmentOptions,
    rng: np.random.Generator,
    scale: float = 1.0,
    largest: tuple[int, int] | None = None,
    enlarged: float = 1.0,
) -> Drawing:
    """Draw the ink at ``scale`` times its canonical size, by another hand, pen and paper every time.

    Args:
        ink: the strokes.
        options: strengths of the random changes.
        rng: draws them.
        scale: factor on the canonical size.
        largest: largest height and width of the picture, multiples of 8; a larger drawing is shrunk.
        enlarged: factor on everything, the pen too.
    """
    pen_px = float(rng.uniform(*options.pen_px)) * enlarged
    margin = pen_px / 2 + rng.uniform(1, 5, size=4)  # left, top, right, bottom
    points = _jitter_symbols(_retrace(ink, options, rng), options, rng)
    points = _shift_strokes(points, ink.starts, options, rng)
    points = points @ (scale * _random_affine(options, rng)).T
    points = enlarged * _tilt(points + _wave(points, options, rng), options, rng)
    if rng.random() < options.canonicalized:
        pens, size = options.canonicalized_pen_px, scale * enlarged
        picture, points = degrade.draw_canonicalized(points, ink.starts, size, pens, largest, rng)
        return Drawing(picture, _cells(points, ink, picture.shape))
    if largest is not None:
        room = np.array(largest[::-1]) - margin[:2] - margin[2:]
        points = points * min(1.0, *(room / np.maximum(np.ptp(points, axis=0), 1)))
    points = (points - points.min(axis=0) + margin[:2]).astype(np.float32)
    needed = points.max(axis=0) + margin[2:] - 1e-3  # rounding must not call for another cell
    width, height = (int(np.ceil(size / CELL_PX)) * CELL_PX for size in needed)
    if rng.random() < options.pressure:
        picture = degrade.draw_pressed(points, ink.starts, height, width, pen_px, rng)
    else:
        picture = draw_strokes(np.split(points, ink.starts[1:]), height, width, pen_px)
    picture = _wear(picture, ink._replace(points=points), pen_px, options, rng)
    return Drawing(picture, _cells(points, ink, picture.shape))


def draw_picture(
    picture: FloatArray,
    options: AugmentOptions,
    rng: np.random.Generator,
    scale: float = 1.0,
    largest: tuple[int, int] | None = None,
) -> Drawing:
    """Change a picture of which there is no ink: size, slant, aspect, rotation, paper, lens and file.

    The arguments are those of :func:`draw`, with a canonical picture [h, w] in place of the ink.
    """
    height, width = picture.shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=np.float32)
    affine = scale * _random_affine(options, rng)
    extent = np.ptp(corners @ affine.T, axis=0)
    if largest is not None:
        affine = affine * min(1.0, *(np.array(largest[::-1]) / extent))
        extent = np.ptp(corners @ affine.T, axis=0)
    columns, rows = (max(1, int(np.ceil((side - 1e-3) / CELL_PX))) * CELL_PX for side in extent)
    shift = -(corners @ affine.T).min(axis=0)
    matrix = np.concatenate([affine, (shift + affine.sum(axis=1) / 2 - 0.5)[:, None]], axis=1)
    factor = float(np.sqrt(np.linalg.det(affine)))
    if factor < 0.9:  # or strokes would fall between the sampled points
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.7 / factor - 0.4), dtype=np.float32)
    changed = np.asarray(cv2.warpAffine(picture, matrix, (columns, rows)), dtype=np.float32)
    bare = PreparedInk(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64), 0)
    worn = _wear(changed, bare, USUAL_PEN_PX * scale, replace(options, gaps=0.0), rng)
    return Drawing(worn, np.zeros((0, rows // CELL_PX, columns // CELL_PX), dtype=np.bool_))


def _cells(points: FloatArray, ink: PreparedInk, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return the cells [symbols, h / 8, w / 8] of a picture [h, w] that each symbol's points lie in."""
    rows, columns = (side // CELL_PX for side in shape)
    cells = np.zeros((ink.symbols, rows, columns), dtype=np.bool_)
    known = ink.symbol >= 0
    column, row = (points[known] // CELL_PX).astype(np.int64).T
    cells[ink.symbol[known], row.clip(0, rows - 1), column.clip(0, columns - 1)] = True
    return cells


def _wear(
    picture: FloatArray, ink: PreparedInk, pen_px: float, options: AugmentOptions, rng: np.random.Generator
) -> FloatArray:
    """Change the drawn picture in the order of nature: pen, paper, lens, file."""
    if rng.random() < options.fading:
        picture = degrade.faded(picture, rng)
    if rng.random() < options.gaps:
        lengths = degrade.stroke_lengths(ink.points, ink.starts)
        long = np.repeat(lengths * _SPACING_PX >= CANONICAL_SYMBOL_PX / 2, lengths)
        picture = degrade.broken(picture, ink.points[long], pen_px, rng)
    if rng.random() < options.ruling:
        picture = degrade.ruled(picture, rng)
    if rng.random() < options.shade:
        picture = degrade.shaded(picture, rng)
    if rng.random() < options.specks:
        picture = degrade.speckled(picture, pen_px, rng)
    if rng.random() < options.blur:
        picture = degrade.blurred(picture, rng)
    if rng.random() < options.resampling:
        picture = degrade.resampled(picture, pen_px, rng)
    if rng.random() < options.jpeg:
        picture = degrade.compressed(picture, rng)
    return degrade.noisy(picture, options.noise, rng) if options.noise else picture


def _resample(stroke: FloatArray) -> FloatArray:
    """Return points at even distances along the stroke; a stroke of no length becomes one point."""
    steps = np.hypot(*np.diff(stroke, axis=0).T) if len(stroke) > 1 else np.zeros(0)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] == 0:
        return stroke[:1]
    at = np.linspace(0, along[-1], int(np.ceil(along[-1] / _SPACING_PX)) + 1)
    return np.stack([np.interp(at, along, stroke[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


def _retrace(ink: PreparedInk, options: AugmentOptions, rng: np.random.Generator) -> PreparedInk:
    """Smooth all strokes, or make them of straight pieces, or both."""
    points = ink.points
    if rng.random() < options.smoothing:
        points = degrade.smoothed(points, ink.starts, rng)
    if rng.random() < options.coarsening:
        points = degrade.coarsened(points, ink.starts, rng)
    return ink._replace(points=points)


def _jitter_symbols(ink: PreparedInk, options: AugmentOptions, rng: np.random.Generator) -> FloatArray:
    """Scale, turn and shift every symbol about its own centre; points of no symbol stay."""
    if not ink.symbols or not (options.symbol_scale or options.symbol_shift or options.symbol_rotation_deg):
        return ink.points
    count = np.maximum(np.bincount(ink.symbol + 1, minlength=ink.symbols + 1), 1)
    centre = np.stack(
        [np.bincount(ink.symbol + 1, ink.points[:, axis], ink.symbols + 1) / count for axis in (0, 1)], 1
    )
    angle = np.deg2rad(options.symbol_rotation_deg) * rng.standard_normal(ink.symbols + 1)
    scale = np.exp(options.symbol_scale * rng.standard_normal(ink.symbols + 1))
    shift = options.symbol_shift * CANONICAL_SYMBOL_PX * rng.standard_normal((ink.symbols + 1, 2))
    angle[0], scale[0], shift[0] = 0, 1, 0
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    owner = ink.symbol + 1
    x, y = (ink.points - centre[owner]).T
    turned = np.stack([cosine[owner] * x - sine[owner] * y, sine[owner] * x + cosine[owner] * y], axis=1)
    return (turned + centre[owner] + shift[owner]).astype(np.float32)


def _shift_strokes(
    points: FloatArray, starts: IntArray, options: AugmentOptions, rng: np.random.Generator
) -> FloatArray:
    """Shift every stroke by itself."""
    if not options.stroke_shift:
        return points
    shift = (
        options.stroke_shift * CANONICAL_SYMBOL_PX * rng.standard_normal((len(starts), 2), dtype=np.float32)
    )
    return points + np.repeat(shift, degrade.stroke_lengths(points, starts), axis=0)


def _random_affine(options: AugmentOptions, rng: np.random.Generator) -> FloatArray:
    """Return the 2 x 2 matrix of the whole ink's aspect, slant and rotation."""
    aspect, slant, turn = rng.standard_normal(3)
    stretch = np.exp(options.aspect * aspect / 2)
    angle = np.deg2rad(options.rotation_deg * turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, options.slant * slant], [0, 1]])
    matrix: FloatArray = (rotation @ shear @ np.diag([stretch, 1 / stretch])).astype(np.float32)
    return matrix


def _wave(points: FloatArray, options: AugmentOptions, rng: np.random.Generator) -> FloatArray:
    """Return a smooth displacement [points, 2]: sines of random direction, wavelength and phase.

    The longer a wave the higher it is, or short ones alone would bend the strokes. All are divided by the
    root of their number, so that together they are as strong as one.
    """
    if not options.wave:
        return np.zeros(2, dtype=np.float32)
    wavelength = 1.5 * 5 ** rng.random(_WAVES)  # 1.5 to 7.5 typical symbols
    height = CANONICAL_SYMBOL_PX * options.wave * wavelength / _USUAL_WAVELENGTH / np.sqrt(_WAVES)
    amplitude = height[:, None] * rng.uniform(-1, 1, (_WAVES, 2))
    direction, phase = rng.uniform(0, 2 * np.pi, (2, _WAVES))
    frequency = 2 * np.pi / (CANONICAL_SYMBOL_PX * wavelength)
    angle = points @ (frequency * np.stack([np.cos(direction), np.sin(direction)])) + phase
    return np.asarray(np.sin(angle.astype(np.float32)) @ amplitude, dtype=np.float32)


def _tilt(points: FloatArray, options: AugmentOptions, rng: np.random.Generator) -> FloatArray:
    """Look at the ink at a slant, by a random amount along each axis: what is nearer becomes larger."""
    if not options.perspective:
        return points
    tilt = np.clip(options.perspective * rng.standard_normal(2), -_STEEPEST, _STEEPEST)
    centred = points - (points.min(axis=0) + points.max(axis=0)) / 2
    distance = 1 + centred @ tilt / max(float(np.abs(centred).max()), 1.0)
    return np.asarray(centred / distance[:, None], dtype=np.float32)
