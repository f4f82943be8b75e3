"""The layers of a picture of attention, warmth, ink and print, in few enough colours for a GIF."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from inktex.visualize.lettering import GreyArray

FloatArray = npt.NDArray[np.float32]
ColourArray = npt.NDArray[np.uint8]  # [h, w, 3], blue, green, red, as OpenCV has them

# From paper to the warmest, as (blue, green, red).
_WARMTH = ((255, 255, 255), (158, 230, 255), (70, 160, 255), (32, 70, 235))
_INK = (34, 30, 28)
_ACCENT = (10, 45, 200)
# 20 x 10 shades of ink on warm paper, and 10 of the accent on white, are fewer than the 256 of a GIF.
_WARMTH_LEVELS, _INK_LEVELS = 20, 10


class Layers(NamedTuple):
    """A drawing that is being made; each part is [h, w], 0 to 255.

    Attributes:
        warmth: how warm the paper is.
        ink: how dark the ink is.
        accent: how dark the coloured print is; it stands where there is neither warmth nor ink.
    """

    warmth: GreyArray
    ink: GreyArray
    accent: GreyArray


def blank(height: int, width: int) -> Layers:
    """Return an empty drawing."""
    return Layers(*(np.zeros((height, width), np.uint8) for _ in range(3)))


def place(layers: Layers, picture: FloatArray, zoom: float, top: int, left: int) -> None:
    """Draw a canonical picture [h, w], ink 1 on 0, ``zoom`` times as large.

    Args:
        layers: the drawing.
        picture: the ink.
        zoom: pixels of the drawing a pixel of the picture.
        top: row of the drawing where it begins.
        left: column of the drawing where it begins.
    """
    _put(layers.ink, _enlarged(picture, picture.shape, zoom), top, left)


def warm(
    layers: Layers, values: FloatArray, stride: int, shape: tuple[int, ...], zoom: float, top: int, left: int
) -> None:
    """Warm the paper where values [rows, columns], 0 to 1, are high.

    Args:
        layers: the drawing.
        values: one for each square of ``stride`` x ``stride`` pixels of the picture.
        stride: side of a square.
        shape: height and width of the picture, past which nothing is drawn.
        zoom: as for :func:`place`.
        top: as for :func:`place`.
        left: as for :func:`place`.
    """
    rows, columns = values.shape
    whole = _enlarged(values, (rows * stride, columns * stride), zoom)
    height, width = _size(shape, zoom)
    _put(layers.warmth, whole[:height, :width], top, left)


def shape_px(picture: FloatArray, zoom: float) -> tuple[int, int]:
    """Return the height and width that a picture takes in a drawing."""
    return _size(picture.shape, zoom)


def colours(layers: Layers) -> ColourArray:
    """Return the drawing in colour."""
    warmth = np.linspace(0, len(_WARMTH) - 1, _WARMTH_LEVELS)
    paper = np.stack(
        [np.interp(warmth, range(len(_WARMTH)), stops) for stops in zip(*_WARMTH, strict=True)], axis=1
    )
    shades = np.linspace(0, 1, _INK_LEVELS)[:, None, None]
    inked = paper * (1 - shades) + np.array(_INK) * shades  # [ink levels, warmth levels, 3]
    accents = paper[0] * (1 - shades[:, 0]) + np.array(_ACCENT) * shades[:, 0]  # [ink levels, 3]
    result = _bytes(inked)[_level(_INK_LEVELS)[layers.ink], _level(_WARMTH_LEVELS)[layers.warmth]]
    printed = layers.accent > 0
    result[printed] = _bytes(accents)[_level(_INK_LEVELS)[layers.accent[printed]]]
    return result


def _level(count: int) -> npt.NDArray[np.int64]:
    """Return the nearest of ``count`` levels for each value from 0 to 255."""
    return np.rint(np.linspace(0, count - 1, 256)).astype(np.int64)


def _bytes(colour: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    return np.rint(colour).astype(np.uint8)


def _size(shape: tuple[int, ...], zoom: float) -> tuple[int, int]:
    return max(1, round(shape[0] * zoom)), max(1, round(shape[1] * zoom))


def _enlarged(values: FloatArray, shape: tuple[int, ...], zoom: float) -> GreyArray:
    """Return values 0 to 1 that cover ``shape`` as 0 to 255, ``zoom`` times as large."""
    height, width = _size(shape, zoom)
    method = cv2.INTER_LINEAR if height >= values.shape[0] else cv2.INTER_AREA
    resized = cv2.resize(values, (width, height), interpolation=method)
    return np.rint(np.clip(resized, 0, 1) * 255).astype(np.uint8)


def _put(layer: GreyArray, values: GreyArray, top: int, left: int) -> None:
    layer[top : top + values.shape[0], left : left + values.shape[1]] = values
