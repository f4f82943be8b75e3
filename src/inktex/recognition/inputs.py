"""Whatever a recognizer reads -> canonical pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from inktex.errors import ImageError, InkError
from inktex.image.box import Canonical, FloatArray
from inktex.image.canonical import canonicalize_at, decode, from_array
from inktex.ink.strokes import Ink, ink_from_json, raster

_INK_SUFFIXES = (".inkml", ".json")
_PLAIN_MODES = ("1", "L", "RGB", "RGBA", "I;16")  # of Pillow: those whose arrays are colours as they stand


class OffersArray(Protocol):
    """What NumPy can take pixels from, such as an array or a Pillow picture."""

    @property
    def __array_interface__(self) -> Any:
        """Shape, type and place of the pixels."""
        ...


Source = str | os.PathLike[str] | bytes | bytearray | memoryview | Ink | OffersArray


def canonical_pictures(
    source: Source, sizes: Sequence[float], most_symbols: float = math.inf
) -> list[Canonical]:
    """Return the canonical pictures of whatever a recognizer reads, one for each size.

    Each knows which part of its source it shows: in pixels of the picture (turned upright by its EXIF tag)
    or in the ink's own coordinates.

    Args:
        source: a path, or the bytes, of a picture, of InkML or of JSON strokes; a NumPy array; a Pillow
            picture; an :class:`inktex.ink.strokes.Ink`.
        sizes: of a typical symbol, in pixels.
        most_symbols: if the first picture covers more areas of a typical symbol than this, it is the only
            one.

    Raises:
        ImageError: it cannot be read as a picture.
        InkError: it cannot be read as ink.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return _from_bytes(_file(path), str(path), path.suffix.lower(), sizes, most_symbols)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), None, "", sizes, most_symbols)
    if isinstance(source, Ink):
        return _of_ink(source, sizes, most_symbols)
    if hasattr(source, "__array__") or hasattr(source, "__array_interface__"):
        return canonicalize_at(from_array(_pixels(source)), sizes, most_symbols)
    raise ImageError(
        "a path, bytes, a NumPy array, a Pillow picture or an Ink can be read, "
        f"not an object of type {type(source).__name__}"
    )


def grey_picture(source: str | os.PathLike[str] | bytes) -> FloatArray:
    """Return what a file shows: a picture turned upright, or an ink drawn.

    Args:
        source: a path, or the bytes, of a picture, of InkML or of JSON strokes.

    Returns:
        Picture [h, w], 0 black to 1 white.

    Raises:
        ImageError: it cannot be read as a picture.
        InkError: it cannot be read as ink.
    """
    if isinstance(source, bytes):
        opened = _opened(source, None, "")
    else:
        path = Path(source)
        opened = _opened(_file(path), str(path), path.suffix.lower())
    return 1 - raster(opened).picture if isinstance(opened, Ink) else opened


def _of_ink(ink: Ink, sizes: Sequence[float], most_symbols: float) -> list[Canonical]:
    """Draw strokes, and canonicalise the picture as any other."""
    drawn = raster(ink)
    return [
        Canonical(picture, area.scaled(1 / drawn.scale, 1 / drawn.scale).moved(drawn.left, drawn.top))
        for picture, area in canonicalize_at(1 - drawn.picture, sizes, most_symbols)
    ]


def _pixels(source: Any) -> np.ndarray[Any, Any]:
    """Return the array of what offers one, such as a Pillow picture."""
    try:
        if getattr(source, "mode", "L") not in _PLAIN_MODES and hasattr(source, "convert"):
            source = source.convert("RGBA")  # a palette, CMYK and the like
        return np.asarray(source)
    except (OSError, SyntaxError, TypeError, ValueError) as error:  # Pillow reads a file no sooner than here
        raise ImageError(f"the picture's pixels cannot be read: {error}") from None


def _file(path: Path) -> bytes:
    kind = InkError if path.suffix.lower() in _INK_SUFFIXES else ImageError
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise kind(f"{path}: no such file") from None
    except IsADirectoryError:
        raise kind(f"{path} is a folder, not a file") from None
    except PermissionError:
        raise kind(f"{path}: no permission to read it") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise kind(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from None


def _from_bytes(
    data: bytes, name: str | None, suffix: str, sizes: Sequence[float], most_symbols: float
) -> list[Canonical]:
    opened = _opened(data, name, suffix)
    if isinstance(opened, Ink):
        return _of_ink(opened, sizes, most_symbols)
    try:
        return canonicalize_at(opened, sizes, most_symbols)
    except ImageError as error:
        raise ImageError(f"{name}: {error}" if name else str(error)) from None


def _opened(data: bytes, name: str | None, suffix: str) -> Ink | FloatArray:
    """Tell InkML, JSON and pictures apart by suffix, else by their first character."""
    begin = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    about = name or "the data"
    if suffix == ".inkml" or (suffix != ".json" and begin == b"<"):
        from inktex.ink.inkml import read_inkml  # here, since it loads lxml, which pictures do without

        return read_inkml(data, about).ink
    if suffix == ".json" or begin in (b"[", b"{"):
        return ink_from_json(data, about)
    return decode(data, about)
