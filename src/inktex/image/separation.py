"""Ink apart from its background: polarity, light, specks, the width of the pen."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inktex.errors import ImageError
from inktex.image.box import FloatArray

ByteArray = npt.NDArray[np.uint8]

_WORKING_PIXELS = 2_000_000  # larger pictures are reduced first
_LIGHT_PX = 640  # longest side of the picture in which the background of a photo is measured
_NARROW_PX, _WIDE_PX = 15, 63  # windows in that picture, odd
_POLARITY_PX = 320  # longest side of the picture in which the polarity is found
_DARKEST_LIGHT = 96  # deeper shadow is not made up for, or its grain would show
_MIN_CONTRAST = 16  # grey levels of 255 between background and ink
_FLAT_LEVELS = 6  # within so many grey levels a background is that of a drawing or a screenshot
_FAINTEST = 0.1  # what is fainter on a flat background is compression noise
_PAPER, _STROKE = 0.35, 0.85  # of a photo's contrast: below the one is paper, above the other full ink
_FILL_LEVEL = 240  # of bright ink
_FILL_LENGTH = 0.4  # of the shorter side: ink does not meet the border at such a length
_SPECK, _SPECK_OF_PHOTO = 0.3, 0.6  # of the square of the pen's width
_FINE_PIXELS = 500_000  # photos of fewer are enlarged first, or thin strokes would break
_MOST_ENLARGED = 3.0
_FRAGMENT = 0.5  # of the usual height: lower pieces at the upper and lower border belong to other lines
_THIN_PEN_PX = 3  # thinner strokes are looked at in a finer grid
_LARGEST_FINER = 4


def separate_ink(grey: FloatArray) -> FloatArray:
    """Find the ink of a picture.

    Args:
        grey: picture [h, w], 0 black to 1 white, ink dark or light.

    Returns:
        Picture, ink 1 on 0 with soft edges; smaller than the given one if that has over two million pixels, a
        photo larger if it has few.

    Raises:
        ImageError: there is no ink to be seen.
    """
    levels = _working_copy(grey)
    if int(levels.max()) - int(levels.min()) < _MIN_CONTRAST:
        raise ImageError("the picture shows no ink: it is all one shade")
    ink = _on_flat_ground(levels)
    if ink is not None:
        return _drop_specks(ink, _SPECK)
    return _drop_specks(_drop_fragments(_on_uneven_ground(levels)), _SPECK_OF_PHOTO)


def has_light_ink(grey: FloatArray) -> bool:
    """Whether the ink is lighter than what it stands on, decided as :func:`separate_ink` does.

    Args:
        grey: picture [h, w], 0 black to 1 white.

    Raises:
        ImageError: there is no ink to be seen.
    """
    levels = _working_copy(grey)
    if int(levels.max()) - int(levels.min()) < _MIN_CONTRAST:
        raise ImageError("the picture shows no ink: it is all one shade")
    if _on_flat_ground(levels) is None:
        return _has_bright_ink(levels)
    return float(cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1].mean()) <= 0.5


def sharp_binary(ink: FloatArray, thinnest: float = _THIN_PEN_PX) -> tuple[ByteArray, int, float]:
    """Make ink binary in a grid so fine that few pixels neither join nor break strokes.

    Args:
        ink: picture [h, w], 0..1.
        thinnest: width of strokes, in pixels, that need no finer grid.

    Returns:
        The binary picture [h * finer, w * finer], finer, and the width of its strokes by :func:`pen_px`.
    """
    binary = (ink > 0.5).astype(np.uint8)
    pen = pen_px(binary)
    if pen >= thinnest:
        return binary, 1, pen
    finer = min(math.ceil(2 * thinnest / pen), _LARGEST_FINER)
    height, width = ink.shape
    binary = (resize(ink, width * finer, height * finer) > 0.5).astype(np.uint8)
    return binary, finer, pen_px(binary)


def pen_px(binary: ByteArray) -> float:
    """Estimate the width of the strokes in a binary picture, at least 1.

    It is twice the distance from the middle line to the edge. Of the pixels of middle lines the median is
    taken, weighted by that distance, so that neither specks nor a few blots decide.
    """
    framed = cv2.copyMakeBorder(binary, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 3)
    middle = distance[(distance > 0) & (distance == cv2.dilate(distance, np.ones((3, 3), np.uint8)))]
    return max(2 * _median(middle, middle) - 0.5, 1.0)


def thin(ink: FloatArray, binary: ByteArray, pen: float, width: float) -> FloatArray:
    """Make strokes thinner by what the pen is wider than ``width``, but none thinner than that.

    Args:
        ink: picture [h, w], 0..1.
        binary: the same, made by :func:`sharp_binary`.
        pen: the width of its strokes.
        width: of strokes that stay as they are, in pixels of ``binary``.

    Returns:
        Picture [h, w].
    """
    depth = cv2.distanceTransform(np.pad(binary, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    side = 2 * math.ceil(pen / 2) + 1
    deepest = cv2.dilate(depth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    taken = np.minimum(np.maximum(deepest - width / 2, 0), (pen - width) / 2)
    left = np.clip(depth - taken, 0, 1)
    return np.asarray(np.minimum(ink, resize(left, ink.shape[1], ink.shape[0])), dtype=np.float32)


def resize(picture: npt.NDArray[Any], width: int, height: int) -> npt.NDArray[Any]:
    """Resize, by area means when shrinking and smoothly when enlarging."""
    shrinks = width * height < picture.size
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def _working_copy(grey: FloatArray) -> ByteArray:
    """Return the picture in 256 levels, reduced if it is large."""
    height, width = grey.shape
    factor = math.sqrt(_WORKING_PIXELS / (height * width))
    if factor < 1:
        grey = resize(grey, max(1, round(width * factor)), max(1, round(height * factor)))
    return np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)


def _reduced(levels: ByteArray, longest: int) -> ByteArray:
    """Return the picture with its longer side at most ``longest``."""
    height, width = levels.shape
    factor = longest / max(height, width)
    return (
        levels
        if factor >= 1
        else resize(levels, max(1, round(width * factor)), max(1, round(height * factor)))
    )


def _enlarged(levels: ByteArray) -> ByteArray:
    """Return a small photo enlarged."""
    height, width = levels.shape
    factor = min(math.sqrt(_FINE_PIXELS / (height * width)), _MOST_ENLARGED)
    return levels if factor <= 1 else resize(levels, round(width * factor), round(height * factor))


def _on_flat_ground(levels: ByteArray) -> FloatArray | None:
    """Return the ink of a drawing or screenshot, or None if the background is not of one shade.

    Ink covers less of the picture than the background does.
    """
    _, mask = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    if mask.mean() > 0.5:
        levels, mask = 255 - levels, 1 - mask
    far = cv2.dilate(mask, np.ones((7, 7), np.uint8)) == 0  # out of reach of soft edges
    paper = _histogram(levels, far if far.mean() > 0.1 else mask == 0)
    ground = int(paper.argmax())
    unevenness = _level(np.bincount(np.abs(np.arange(256) - ground), weights=paper), 0.98)
    full = _level(_histogram(levels, mask), 0.75)
    if unevenness > _FLAT_LEVELS or full - ground < _MIN_CONTRAST:
        return None
    return _stretch(levels, ground + _FAINTEST * (full - ground), full)


def _on_uneven_ground(levels: ByteArray) -> FloatArray:
    """Return the ink of a photo: what stands out from a background that is free of anything thin."""
    if not _has_bright_ink(levels):
        levels = 255 - levels
    rise = _rise(levels)
    contrast = _contrast(rise)  # of a small photo too: enlarged, its grain would pass for ink
    finer = _enlarged(levels)
    if finer is not levels:
        rise = _rise(finer)
        contrast = _contrast(rise)
    return _stretch(rise, _PAPER * contrast, _STROKE * contrast)


def _rise(levels: ByteArray) -> npt.NDArray[Any]:
    """Return how far, of 255, a photo with bright ink rises above its background at every pixel."""
    ground = _ground(levels)
    light = np.maximum(255 - ground, _DARKEST_LIGHT)
    rise = cv2.divide(cv2.subtract(levels, ground), light, scale=255)  # in shadow ink stands out less
    rise[_filled_border(levels)] = 0
    return rise


def _ground(levels: ByteArray) -> ByteArray:
    """Return the background of a photo with bright ink: free of strokes, but sharp at a shadow.

    What a wide window takes for ink tells the width of the pen, and that the window needed.
    """
    small = cv2.medianBlur(_reduced(levels, _LIGHT_PX), 3)
    stands_out = cv2.subtract(small, _opened(small, _WIDE_PX))
    _, mask = cv2.threshold(stands_out, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    side = int(np.clip(3 * pen_px(mask.astype(np.uint8)), _NARROW_PX, _WIDE_PX)) | 1
    ground = _opened(small, side)
    return np.asarray(cv2.resize(ground, levels.shape[::-1], interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _opened(levels: npt.NDArray[Any], side: int) -> ByteArray:
    """Return the picture without what is bright and narrower than the window, smooth except at edges."""
    framed = cv2.copyMakeBorder(levels, side, side, side, side, cv2.BORDER_REFLECT)
    opened = cv2.morphologyEx(framed, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    smooth = cv2.GaussianBlur(opened, (0, 0), side / 6)
    return np.asarray(np.maximum(opened, smooth)[side:-side, side:-side], dtype=np.uint8)


def _contrast(rise: npt.NDArray[Any]) -> int:
    """Return how far, of 255, the ink of a photo rises above its background.

    Raises:
        ImageError: nothing rises above the grain.
    """
    quarter, middle, upper = (_quantile(rise, share) for share in (0.25, 0.5, 0.75))
    separating, _ = cv2.threshold(rise, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    above_grain = min(middle + 7 * (upper - middle) + 2, int(rise.max()) // 2)
    for threshold in (separating, above_grain):  # where ink is rare, Otsu's threshold lies within the grain
        contrast = _quantile(rise[rise > threshold], 0.6)
        if contrast >= max(_MIN_CONTRAST, middle + 5 * (middle - quarter)):
            return contrast
    raise ImageError("the picture shows no ink")


def _has_bright_ink(levels: ByteArray) -> bool:
    """Tell the polarity of a photo.

    Ink is sparse and stands out from its surroundings: the difference to the local mean is skewed towards it.
    """
    small = _reduced(levels, _POLARITY_PX).astype(np.float32)
    side = min(21, *small.shape)
    off = small - cv2.blur(small, (side, side), borderType=cv2.BORDER_REFLECT)
    return float((off * off * off).mean()) >= 0


def _filled_border(levels: ByteArray) -> npt.NDArray[np.bool_]:
    """Tell which pixels belong to the black wedges that turning a picture leaves along the border."""
    full = cv2.threshold(levels, _FILL_LEVEL, 1, cv2.THRESH_BINARY)[1]
    count, labels = cv2.connectedComponents(full, connectivity=8)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    filled = np.bincount(border, minlength=count) >= _FILL_LENGTH * min(levels.shape)
    filled[0] = False
    return np.asarray(cv2.dilate(filled.astype(np.uint8)[labels], np.ones((7, 7), np.uint8)) != 0)


def _stretch(levels: npt.NDArray[Any], none: float, full: float) -> FloatArray:
    """Return 0 for levels up to ``none``, 1 from ``full`` on, linear between."""
    table = np.clip((np.arange(256) - none) / (full - none), 0, 1).astype(np.float32)
    return np.asarray(cv2.LUT(levels, table), dtype=np.float32)


def _drop_fragments(ink: FloatArray) -> FloatArray:
    """Clear what the upper or lower border of a photo cut off from other lines of the page."""
    binary = (ink > 0.5).astype(np.uint8)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    _, top, _, height, area = statistics.T
    is_cut = (top <= 1) | (top + height >= len(ink) - 1)
    usual = _median(height[1:], area[1:])
    return _kept(ink, binary, labels, ~is_cut | (height >= _FRAGMENT * usual))


def _drop_specks(ink: FloatArray, share: float) -> FloatArray:
    """Clear what is far smaller than a dot of the pen: a share of the square of the pen's width."""
    binary = (ink > 0.5).astype(np.uint8)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    return _kept(ink, binary, labels, statistics[:, cv2.CC_STAT_AREA] >= share * pen_px(binary) ** 2)


def _kept(
    ink: FloatArray, binary: ByteArray, labels: npt.NDArray[Any], kept: npt.NDArray[np.bool_]
) -> FloatArray:
    """Return the ink with those components alone that are kept; with all of them if none is.

    Args:
        ink: picture [h, w].
        binary: the same.
        labels: [h, w], its component at every pixel; 0 is the background.
        kept: [components], whether each is.
    """
    if kept[1:].all() or not kept[1:].any():
        return ink
    dropped = (~kept).astype(np.uint8)[labels] & binary
    halo = (
        cv2.dilate(dropped, np.ones((3, 3), np.uint8)) > binary
    )  # the soft edge of a piece, not of a stroke
    return np.where(halo | (dropped != 0), np.float32(0), ink)


def _median(values: npt.NDArray[Any], weights: npt.NDArray[Any]) -> float:
    """Return the weighted median; 0 of nothing."""
    if not len(values):
        return 0.0
    order = np.argsort(values, kind="stable")
    weight = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(weight, weight[-1] / 2)])


def _quantile(levels: npt.NDArray[Any], share: float) -> int:
    """Return the level that a share of the pixels does not exceed; 0 if there are none."""
    return _level(np.bincount(levels.ravel(), minlength=256), share)


def _histogram(levels: ByteArray, mask: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return how many pixels have each level [256], of those where the mask is not 0 (or false)."""
    counts = cv2.calcHist([levels], [0], mask.view(np.uint8), [256], [0, 256])
    return np.asarray(counts.ravel(), dtype=np.float32)


def _level(histogram: npt.NDArray[Any], share: float) -> int:
    """Return the level that a share of the pixels does not exceed, given how many have each level."""
    counts = np.cumsum(histogram)
    return int(np.searchsorted(counts, share * counts[-1]))
