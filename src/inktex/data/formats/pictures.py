"""Pictures as data sets hold them: found by name, brought to PNG, drawn from ink."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from inktex.errors import DataError, ImageError
from inktex.image import canonical as picture_file
from inktex.image.separation import has_light_ink
from inktex.ink.strokes import Ink, rasterize
from inktex.limits import DEFAULT_LIMITS

PICTURE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"))
SYMBOL_SIZE_PX = 40.0
PEN_WIDTH_PX = 4.0
Polarity = Literal["light ink on dark", "dark ink on light", "no ink"]
ByteArray = npt.NDArray[np.uint8]

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def is_picture(name: str) -> bool:
    """Whether a file's name has the suffix of a picture."""
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES


def without_suffix(name: str) -> str:
    """Return a name without the suffix of a picture; other dots stay."""
    return name[: -len(PurePosixPath(name).suffix)] if is_picture(name) else name


def by_stem(names: Iterable[str]) -> dict[str, str]:
    """Return the pictures among names by their own name without folder and suffix, the first of each."""
    found: dict[str, str] = {}
    for name in names:
        if is_picture(name):
            found.setdefault(without_suffix(PurePosixPath(name).name), name)
    return found


def as_png(data: bytes) -> bytes:
    """Return a sound PNG as it is, and a picture of another format as PNG.

    Raises:
        ImageError: it cannot be read as a picture.
    """
    picture = picture_file.decode(data, "the file")
    return data if data.startswith(_PNG_SIGNATURE) else encode(to_levels(picture))


def to_levels(grey: npt.NDArray[np.float32]) -> ByteArray:
    """Return grey values 0..1 [h, w] as 0..255."""
    return np.rint(grey * 255).astype(np.uint8)


def encode(levels: ByteArray, suffix: str = ".png") -> bytes:
    """Return grey levels [h, w] as a picture file."""
    return bytes(cv2.imencode(suffix, levels)[1])


def draw(ink: Ink) -> bytes:
    """Draw ink as 8-bit PNG, white on black as the field's own picture sets are."""
    return encode(to_levels(rasterize(ink, SYMBOL_SIZE_PX, PEN_WIDTH_PX)))


def from_levels(array: npt.NDArray[Any]) -> bytes:
    """Return an array [h, w] or [1, h, w] of bytes or truth values as PNG.

    Raises:
        DataError: another shape or type, or no pixels.
    """
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2 or not array.size or array.dtype not in (np.uint8, np.bool_):
        raise DataError(
            f"its picture must be uint8 [h, w] or [1, h, w], not {array.dtype} {list(array.shape)}"
        )
    if array.size > DEFAULT_LIMITS.pixels:
        raise DataError(f"its picture has more than {DEFAULT_LIMITS.pixels / 1e6:g} megapixels")
    levels = array.astype(np.uint8) * np.uint8(255) if array.dtype == np.bool_ else array
    return encode(np.ascontiguousarray(levels))


def polarity(image: bytes) -> Polarity:
    """Tell whether a picture's ink is lighter or darker than what it stands on.

    Raises:
        ImageError: it cannot be read as a picture.
    """
    grey = picture_file.decode(image, "the picture")
    try:
        return "light ink on dark" if has_light_ink(grey) else "dark ink on light"
    except ImageError:
        return "no ink"
