"""Pen strokes: what they are, JSON in and out, and drawing.

Coordinates are those of InkML: x grows to the right, y grows downwards, in the device's own unit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from inktex.errors import InkError
from inktex.limits import DEFAULT_LIMITS, Limits

FloatArray = npt.NDArray[np.float32]

_SUPERSAMPLING = 4  # strokes are drawn this many times larger and averaged down
_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates
_LARGEST_SIDE_PX = 8192
_LARGEST_AREA_PX = 8_000_000
_LARGEST_COORDINATE = 1e30


@dataclass(frozen=True)
class Symbol:
    """One written symbol: its label and the strokes it is made of.

    Attributes:
        label: LaTeX of the symbol as annotated.
        strokes: indices into the ink's strokes.
        reference: ``xml:id`` of the symbol's leaf in the document's MathML, or the symbol's token (see
            :func:`inktex.data.alignment.token_reference`), if it names either.
    """

    label: str
    strokes: tuple[int, ...]
    reference: str | None = None


@dataclass(frozen=True, eq=False)
class Ink:
    """Strokes of one expression.

    Attributes:
        strokes: float32 arrays [points, 2] of x and y; every stroke has at least one point.
        symbols: which strokes form which symbol, where that is known.
    """

    strokes: tuple[FloatArray, ...]
    symbols: tuple[Symbol, ...] = ()

    def bounds(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) in ink units."""
        points = np.concatenate(self.strokes)
        left, top = points.min(axis=0)
        right, bottom = points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def ink_from_json(text: str | bytes, source: str = "the JSON", limits: Limits = DEFAULT_LIMITS) -> Ink:
    """Read strokes from JSON of the form ``[[[x, y], ...], ...]``: a list of strokes, each a list of points.

    Further numbers of a point (time, pressure) are ignored; an object with the key ``strokes`` is read too.

    Raises:
        InkError: not JSON, another form, a number that is not finite, no strokes, or beyond the limits on
            bytes, strokes and points.
    """
    if len(text) > limits.file_bytes:
        raise InkError(f"{source} is too large: ink may have {limits.file_bytes / 2**20:g} MiB")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InkError(f"{source} is not JSON: {error}") from None
    return ink_from_lists(value.get("strokes") if isinstance(value, dict) else value, source, limits)


def ink_from_lists(value: Any, source: str = "the ink", limits: Limits = DEFAULT_LIMITS) -> Ink:
    """Build an ink from nested sequences ``[[[x, y], ...], ...]``.

    Raises:
        InkError: another form, a number that is not finite, no strokes, or beyond the limits on strokes and
            points.
    """
    form = "a list of strokes, each a list of [x, y] points"
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str | bytes):
        raise InkError(f"{source} must be {form}")
    try:
        _check_size(value, source, limits)
        strokes = [
            np.array([(point[0], point[1]) for point in stroke], np.float64)
            for stroke in value
            if len(stroke)
        ]
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise InkError(f"{source} must be {form}") from None
    if not strokes:
        raise InkError(f"{source} holds no strokes")
    if not all(stroke.ndim == 2 for stroke in strokes):
        raise InkError(f"{source} must be {form}")
    return Ink(tuple(checked_points(stroke, source) for stroke in strokes))


def _check_size(strokes: Sequence[Any] | npt.NDArray[Any], source: str, limits: Limits) -> None:
    points = sum(len(stroke) for stroke in strokes)
    for found, allowed, what in (
        (len(strokes), limits.strokes, "strokes"),
        (points, limits.points, "points"),
    ):
        if found > allowed:
            raise InkError(f"{source} is too large: {found:,} {what}, where {allowed:,} are allowed")


def ink_to_json(ink: Ink) -> str:
    """Return the strokes as JSON ``[[[x, y], ...], ...]``."""
    return json.dumps([[[float(x), float(y)] for x, y in stroke] for stroke in ink.strokes])


def checked_points(points: npt.NDArray[np.float64], source: str) -> FloatArray:
    """Return points [n, 2] as float32.

    Raises:
        InkError: a coordinate that is not finite, or absurdly large.
    """
    if not (np.abs(points) <= _LARGEST_COORDINATE).all():  # not a number is not smaller either
        raise InkError(f"{source} holds a coordinate that is not a finite number")
    return points.astype(np.float32)


def symbol_size(ink: Ink) -> float:
    """Estimate the size of a typical symbol (a digit, say) in ink units; it scales exactly with the ink.

    The form is the power law of :mod:`inktex.image.symbol_size`, here over strokes: within a factor of 1.4 of
    the size that the symbol groups show for 90 % of CROHME's training inks. An ink of one dot has size 1.
    """
    boxes = np.array([(*stroke.min(axis=0), *stroke.max(axis=0)) for stroke in ink.strokes], dtype=np.float64)
    left, top, right, bottom = boxes.T
    sides = np.maximum(right - left, bottom - top)
    columns, rows = right.max() - left.min(), bottom.max() - top.min()
    largest = max(columns, rows)
    if largest == 0:
        return 1.0
    median = max(float(np.median(sides)), largest / 1000)
    rows, columns = max(rows, largest / 20), max(columns, largest / 20)
    return float(1.06 * median ** (1 / 2) * rows ** (1 / 6) * (columns / len(sides)) ** (1 / 3))


class Raster(NamedTuple):
    """A drawn ink.

    Attributes:
        picture: [h, w], ink 1 on background 0.
        scale: pixels in a unit of the ink.
        left: the ink's x at the picture's left edge.
        top: the ink's y at its upper edge.
    """

    picture: FloatArray
    scale: float
    left: float
    top: float


def rasterize(
    ink: Ink, symbol_size_px: float = 32.0, pen_width_px: float = 2.5, margin_px: float = 4.0
) -> FloatArray:
    """Draw the ink with round, anti-aliased strokes.

    Args:
        ink: the strokes.
        symbol_size_px: size of a typical symbol (see :func:`symbol_size`) in the picture.
        pen_width_px: width of the strokes.
        margin_px: empty border around the outermost points.

    Returns:
        Picture [h, w], ink 1 on background 0. It is held to 8,192 px a side and 8 megapixels.
    """
    return raster(ink, symbol_size_px, pen_width_px, margin_px).picture


def raster(
    ink: Ink, symbol_size_px: float = 32.0, pen_width_px: float = 2.5, margin_px: float = 4.0
) -> Raster:
    """Draw the ink as :func:`rasterize` does, and tell where it lies in the picture."""
    left, top, right, bottom = ink.bounds()
    scale = symbol_size_px / symbol_size(ink)
    width, height = max(right - left, 1e-6), max(bottom - top, 1e-6)
    scale = min(scale, _LARGEST_SIDE_PX / max(width, height), math.sqrt(_LARGEST_AREA_PX / (width * height)))
    border = margin_px + pen_width_px / 2
    strokes = [(stroke - np.array([left, top], dtype=np.float32)) * scale + border for stroke in ink.strokes]
    height = math.ceil((bottom - top) * scale + 2 * border)
    width = math.ceil((right - left) * scale + 2 * border)
    picture = draw_strokes(strokes, height, width, pen_width_px)
    return Raster(picture, scale, left - border / scale, top - border / scale)


def draw_strokes(strokes: Sequence[FloatArray], height: int, width: int, pen_width_px: float) -> FloatArray:
    """Draw strokes that are given in pixels.

    Args:
        strokes: arrays [points, 2]; pixel (0, 0) covers the square from 0 to 1 in x and y.
        height: rows of the picture.
        width: columns of the picture.
        pen_width_px: width of the strokes; a quarter of a pixel is the finest step.

    Returns:
        Picture [height, width], ink 1 on background 0.
    """
    canvas = np.zeros((height * _SUPERSAMPLING, width * _SUPERSAMPLING), dtype=np.uint8)
    thickness = max(
        1, round(pen_width_px * _SUPERSAMPLING) - 1
    )  # OpenCV's lines come out a pixel or two wider
    factor = _SUPERSAMPLING * (1 << _SHIFT)
    half = (1 << _SHIFT) // 2  # OpenCV puts integer coordinates on pixel centres
    lines: list[npt.NDArray[np.int32]] = []
    dots: list[npt.NDArray[np.int32]] = []
    for stroke in strokes:
        fixed = np.rint(stroke * factor - half).astype(np.int32)
        (lines if np.ptp(fixed, axis=0).any() else dots).append(fixed)
    if lines:
        cv2.polylines(canvas, lines, False, 255, thickness, cv2.LINE_8, _SHIFT)
    radius = round(pen_width_px * factor / 2)
    for dot in dots:
        cv2.circle(canvas, (int(dot[0, 0]), int(dot[0, 1])), radius, 255, -1, cv2.LINE_8, _SHIFT)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32) / np.float32(255)
