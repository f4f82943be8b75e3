"""Any picture of handwriting -> the canonical picture: ink 1 on 0, cropped, symbols at one typical size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inktex.errors import ImageError
from inktex.image.box import Box, Canonical, FloatArray
from inktex.image.header import FORMATS, Header, check_size, read_header
from inktex.image.separation import resize, separate_ink, sharp_binary, thin
from inktex.image.symbol_size import typical_symbol_px
from inktex.limits import DEFAULT_LIMITS, Limits

CANONICAL_SYMBOL_PX = 16.0
MAX_WIDTH_PX = 1024  # of the canonical picture; as all sizes here with symbols of CANONICAL_SYMBOL_PX
MAX_HEIGHT_PX = 384
_LARGE_AREA = 19_200  # of the ink's box; where it is larger, symbols are smaller: read as well in less time
_LEAST_SHARE = 0.8  # of their usual size
MARGIN_PX = 4  # empty border of the canonical picture, whatever the size of symbols
MULTIPLE_PX = 8  # its sides are multiples of this

_FINEST_PEN_PX = 0.9  # in the canonical picture; thinner strokes are thickened, or they would fade
_COARSEST_PEN_PX = 2.2  # thicker ones are thinned: they touch
_THINNED_PEN_PX = 5  # thinner ones, in the picture, are thinned in a finer grid, or they would break


def read_picture(path: Path, limits: Limits = DEFAULT_LIMITS) -> FloatArray:
    """Read a picture file as greyscale.

    Args:
        path: the file.
        limits: on its bytes and pixels.

    Returns:
        Picture [h, w], 0 black to 1 white.

    Raises:
        ImageError: the file cannot be read, or :func:`decode` cannot read what it holds.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ImageError(f"{path} is a folder, not a picture") from None
    except PermissionError:
        raise ImageError(f"{path}: no permission to read it") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from None
    return decode(data, str(path), limits)


def decode(data: bytes, source: str = "the picture", limits: Limits = DEFAULT_LIMITS) -> FloatArray:
    """Decode a PNG, JPEG, BMP, GIF, TIFF or WebP file as greyscale, turned upright by its EXIF tag.

    Transparent pictures are laid on white if their ink is dark, else on black. Of an animation it is the
    first frame, of a TIFF the first page.

    Args:
        data: the file's bytes.
        source: how errors name the picture.
        limits: on its bytes and pixels.

    Returns:
        Picture [h, w], 0 black to 1 white.

    Raises:
        ImageError: empty, beyond the limits, not one of the formats, damaged or cut short.
    """
    if not data:
        raise ImageError(f"{source} is empty")
    if len(data) > limits.file_bytes:
        allowed = f"{limits.file_bytes / 2**20:g} MiB"
        raise ImageError(f"{source} is too large: the file of a picture may have {allowed}")
    header = read_header(data)
    if header is None:
        raise ImageError(f"{source} is not a picture: it must be {FORMATS}, whole")
    check_size(header, source, limits)
    pixels = _decode_pixels(data, header)
    if pixels is None or not pixels.size:
        raise ImageError(f"{source} is a damaged {header.format} file, or one cut short")
    premultiplied = header.format == "TIFF" and pixels.dtype == np.uint8  # so libtiff hands transparency over
    grey = _to_grey(pixels, cv2.COLOR_BGR2GRAY, premultiplied)
    return _upright(grey, 1 if header.format == "TIFF" else header.orientation)  # OpenCV turns TIFF itself


def from_array(array: Any) -> FloatArray:
    """Take a picture from a NumPy array of dtype uint8, uint16, bool or float (0..1).

    Args:
        array: grey [h, w] or [h, w, 1], RGB [h, w, 3] or RGBA [h, w, 4].

    Returns:
        Picture [h, w], 0 black to 1 white.

    Raises:
        ImageError: another shape or dtype, no pixels, or floats that are not within 0..1.
    """
    form = "a picture array must be uint8, uint16, bool or float [h, w], [h, w, 1], [h, w, 3] or [h, w, 4]"
    if not isinstance(array, np.ndarray):
        raise ImageError(f"{form}, not {type(array).__name__}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or not array.size:
        raise ImageError(f"{form}, not of shape {list(array.shape)}")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float32)
        if not (array.min() >= 0 and array.max() <= 1):
            raise ImageError("a picture array of floats must lie within 0 (black) and 1 (white)")
    elif array.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"{form}, not {array.dtype}")
    return _to_grey(np.ascontiguousarray(array), cv2.COLOR_RGB2GRAY, premultiplied=False)


def canonicalize(grey: FloatArray, symbol_px: float) -> FloatArray:
    """Bring a picture into the one form that the recognizer knows.

    Ink becomes 1 on 0 whether it was dark or light, uneven light and specks are removed, strokes of a thick
    pen are thinned, and the picture is cropped to the ink and scaled so that a typical symbol (see
    :mod:`inktex.image.symbol_size`) has ``symbol_px``, or in large pictures down to four fifths of that.

    Args:
        grey: picture [h, w], 0 black to 1 white.
        symbol_px: the size of a typical symbol that a model wants.

    Returns:
        Picture [h', w'], 0..1; the sides are multiples of 8, and with symbols of ``CANONICAL_SYMBOL_PX`` at
        most ``MAX_HEIGHT_PX`` and ``MAX_WIDTH_PX``, with larger ones in proportion more.

    Raises:
        ImageError: there is no ink to be seen.
    """
    return canonicalize_at(grey, (symbol_px,))[0].picture


def canonicalize_at(
    grey: FloatArray, sizes: Sequence[float], most_symbols: float = math.inf
) -> list[Canonical]:
    """Return the canonical picture at each of several sizes of a typical symbol, for the cost of little more
    than one, with what it shows of ``grey``; see :func:`canonicalize`. If the first covers more than
    ``most_symbols`` areas of a typical symbol, it is the only one."""
    ink = separate_ink(grey)
    binary, finer, pen = sharp_binary(ink)
    if not binary.any():
        raise ImageError("the picture shows no ink")
    typical = typical_symbol_px(binary, pen)
    coarsest = _COARSEST_PEN_PX / _scale(binary, typical, CANONICAL_SYMBOL_PX)
    if pen - coarsest >= finer:  # less than a pixel of the picture is left alone
        fine, times, width = sharp_binary(ink, _THINNED_PEN_PX)
        thinned = thin(ink, fine, width, coarsest / finer * times)
        sharp = sharp_binary(thinned)
        if sharp[0].any():  # of a speck, nothing may be left
            ink, (binary, finer, pen) = thinned, sharp
            typical = typical_symbol_px(binary, pen)
    left, top, width, height = cv2.boundingRect(binary)
    box = Box(*(side / finer for side in (left, top, left + width, top + height)))
    pixels = grey.shape[1] / ink.shape[1], grey.shape[0] / ink.shape[0]  # of ``grey`` in one of the ink
    pictures = []
    for symbol_px in sizes:
        scale = _scale(binary, typical, symbol_px) * finer
        finest = _FINEST_PEN_PX * symbol_px / CANONICAL_SYMBOL_PX
        largest = _largest(symbol_px)
        picture = _place(_thicken(ink, pen / finer, finest / scale), box, scale, largest)
        shown = Box(0, 0, picture.shape[1], picture.shape[0]).moved(-MARGIN_PX, -MARGIN_PX)
        area = shown.scaled(1 / scale, 1 / scale).moved(box.left, box.top).scaled(*pixels)
        pictures.append(Canonical(picture, area))
        if picture.size > most_symbols * symbol_px**2:
            break
    return pictures


def _decode_pixels(data: bytes, header: Header) -> npt.NDArray[Any] | None:
    """Return the pixels as stored [h, w] or [h, w, channels] (BGR), or None if the file is damaged."""
    if header.format == "JPEG" and b"\xff\xd9" not in data:
        return None  # the end marker is missing, and libjpeg would fill up with grey
    # OpenCV's messages are kept off the terminal: the caller raises one sentence.
    level, silent = cv2.utils.logging.getLogLevel(), cv2.utils.logging.LOG_LEVEL_SILENT
    if level != silent:  # else the user, or another thread, has seen to it and puts it back
        cv2.utils.logging.setLogLevel(silent)
    try:
        return cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    finally:
        if level != silent:
            cv2.utils.logging.setLogLevel(level)


def _to_grey(pixels: npt.NDArray[Any], conversion: int, premultiplied: bool) -> FloatArray:
    """Return [h, w] in 0..1 of pixels [h, w], [h, w, 1], [h, w, 3] or [h, w, 4] (alpha last)."""
    if pixels.dtype in (np.uint8, np.uint16):
        largest = float(np.iinfo(pixels.dtype).max)
    else:
        pixels = np.maximum(np.nan_to_num(pixels.astype(np.float32), posinf=0, neginf=0), 0)
        largest = max(float(pixels.max()), 1.0)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(np.multiply(pixels.reshape(pixels.shape[:2]), 1 / largest, dtype=np.float32))
    colour = cv2.cvtColor(np.ascontiguousarray(pixels[:, :, :3]), conversion)
    grey: FloatArray = np.multiply(colour, 1 / largest, dtype=np.float32)
    if pixels.shape[2] == 3 or pixels[:, :, 3].min() == largest:
        return grey
    alpha: FloatArray = np.multiply(pixels[:, :, 3], 1 / largest, dtype=np.float32)
    return _composite(grey if premultiplied else grey * alpha, alpha)


def _composite(visible: FloatArray, alpha: FloatArray) -> FloatArray:
    """Lay a transparent picture, given as it looks on black, on the shade that lets its ink be seen.

    Where most is transparent, ink alone is visible and needs the opposite shade; where most is opaque, the
    visible part brings its own paper, and the rest is given the same.
    """
    dark = float(visible.sum(dtype=np.float64)) <= 0.5 * float(alpha.sum(dtype=np.float64))
    mostly_opaque = float(alpha.mean()) > 0.5
    return visible if dark == mostly_opaque else np.asarray(visible + (1 - alpha))


def _upright(grey: FloatArray, orientation: int) -> FloatArray:
    """Undo an EXIF orientation: 5 to 8 are transposed, then either axis may be flipped."""
    if orientation >= 5:
        grey = grey.T
    if orientation in (2, 3, 6, 7):
        grey = grey[:, ::-1]
    if orientation in (3, 4, 7, 8):
        grey = grey[::-1]
    return np.ascontiguousarray(grey)


def _largest(symbol_px: float) -> tuple[int, int]:
    """Return the largest height and width of a canonical picture with symbols of that size."""
    share = symbol_px / CANONICAL_SYMBOL_PX / MULTIPLE_PX
    return math.ceil(MAX_HEIGHT_PX * share) * MULTIPLE_PX, math.ceil(MAX_WIDTH_PX * share) * MULTIPLE_PX


def _scale(binary: npt.NDArray[np.uint8], typical: float, symbol_px: float) -> float:
    """Return the factor that gives typical symbols their size, or less where a picture would be large."""
    _, _, width, height = cv2.boundingRect(binary)
    largest_height, largest_width = _largest(symbol_px)
    usual = symbol_px / typical
    large = _LARGE_AREA * (symbol_px / CANONICAL_SYMBOL_PX) ** 2
    share = math.sqrt(large / (width * height)) / usual  # at which the ink covers that area
    return min(
        usual * min(max(share, _LEAST_SHARE), 1.0),
        (largest_width - 2 * MARGIN_PX) / width,
        (largest_height - 2 * MARGIN_PX) / height,
    )


def _thicken(ink: FloatArray, pen: float, finest: float) -> FloatArray:
    """Widen strokes that are finer than ``finest``, in pixels of the ink as ``pen`` is."""
    missing = finest - pen
    if missing < 1:
        return ink
    side = 1 + round(missing)
    wider = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return np.asarray(wider, dtype=np.float32)


def _place(ink: FloatArray, box: Box, scale: float, largest: tuple[int, int]) -> FloatArray:
    """Return the box of the ink scaled, with an empty margin and padded sides, at most ``largest`` (height,
    width).

    It is drawn in a grid at least as fine as the ink's own and averaged down, so that it does not matter how
    the box lies in the pixels.
    """
    columns = min(_padded(box.width * scale + 2 * MARGIN_PX), largest[1])
    rows = min(_padded(box.height * scale + 2 * MARGIN_PX), largest[0])
    finer = max(math.ceil(1 / scale), 1)
    step = scale * finer
    x, y = (
        MARGIN_PX * finer - 0.5 + step * (0.5 - start) for start in (box.left, box.top)
    )  # pixel centres lie at halves
    matrix = np.array([[step, 0, x], [0, step, y]])
    fine = cv2.warpAffine(ink, matrix, (columns * finer, rows * finer), flags=cv2.INTER_CUBIC)
    canonical = resize(fine, columns, rows)
    if scale > 1:
        canonical = (canonical - 0.5) * scale + 0.5  # an edge stays as sharp as it was
    return np.asarray(np.clip(canonical, 0, 1), dtype=np.float32)


def _padded(side: float) -> int:
    return math.ceil(side / MULTIPLE_PX) * MULTIPLE_PX
