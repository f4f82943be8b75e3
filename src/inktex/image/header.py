"""What a picture file says about itself before a pixel is decoded: format, size and EXIF turn.

Six formats are known: PNG (W3C), JPEG (ITU-T T.81), BMP, GIF89a, TIFF 6.0 and WebP (RFC 9649).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from inktex.errors import ImageError
from inktex.limits import Limits

FORMATS = "PNG, JPEG, BMP, GIF, TIFF or WebP"

_ORIENTATION = 0x0112  # EXIF and TIFF share their tags
_TIFF_WIDTH, _TIFF_HEIGHT = 0x0100, 0x0101
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..SOF15 without DHT, JPG, DAC
_JPEG_BARE = frozenset(range(0xD0, 0xD8)) | {0x01}  # markers without a length


@dataclass(frozen=True)
class Header:
    """The announced form of a picture.

    Attributes:
        format: which of the six formats.
        width: columns as stored, before any turn.
        height: rows as stored, before any turn.
        orientation: EXIF orientation 1..8; 1 is upright.
    """

    format: Literal["PNG", "JPEG", "BMP", "GIF", "TIFF", "WebP"]
    width: int
    height: int
    orientation: int = 1


def read_header(data: bytes) -> Header | None:
    """Return the header of a picture file, or None if the format is not known or the header is cut short."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _read_png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _read_jpeg(data)
        if data.startswith(b"BM"):
            return _read_bmp(data)
        if data.startswith((b"GIF87a", b"GIF89a")):
            return Header("GIF", *struct.unpack_from("<HH", data, 6))
        if data.startswith((b"II*\0", b"MM\0*")):
            tags = _read_tags(data)
            return Header("TIFF", tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT], _turn(tags))
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _read_webp(data)
    except (struct.error, KeyError):
        pass
    return None


def check_size(header: Header, source: str, limits: Limits) -> None:
    """Refuse a picture by what its header announces.

    Raises:
        ImageError: it has more pixels than are allowed.
    """
    if header.width * header.height > limits.pixels:
        size = f"{header.width} x {header.height} pixels"
        allowed = f"{limits.pixels / 1e6:g} megapixels"
        raise ImageError(f"{source} is too large: {size}, where {allowed} are allowed")


def _read_png(data: bytes) -> Header | None:
    if data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    position, orientation = 8, 1
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"eXIf":
            orientation = _exif_turn(data[position + 8 : position + 8 + length])
        position += length + 12  # length, kind, body, checksum
    return Header("PNG", width, height, orientation)


def _read_jpeg(data: bytes) -> Header | None:
    position, orientation = 2, 1
    while True:
        prefix, marker = struct.unpack_from("BB", data, position)
        if prefix != 0xFF:
            return None
        if marker == 0xFF or marker in _JPEG_BARE:  # a fill byte, or a marker that stands alone
            position += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        body = position + 4
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, body + 1)
            return Header("JPEG", width, height, orientation)
        if marker == 0xE1 and data[body : body + 6] == b"Exif\0\0":
            orientation = _exif_turn(data[body + 6 : position + 2 + length])
        position += 2 + max(length, 2)


def _read_bmp(data: bytes) -> Header:
    (header_size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header_size == 12 else "<ii", data, 18)
    return Header("BMP", abs(width), abs(height))  # a negative height means rows from the top


def _read_webp(data: bytes) -> Header | None:
    kind, body = data[12:16], 20
    if kind == b"VP8X":
        packed = struct.unpack_from("<6B", data, body + 4)  # two 24-bit numbers
        width, height = 1 + int.from_bytes(packed[:3], "little"), 1 + int.from_bytes(packed[3:], "little")
        return Header("WebP", width, height, _webp_turn(data))
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, body + 1)
        return Header("WebP", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, body + 6)
        return Header("WebP", width & 0x3FFF, height & 0x3FFF)
    return None


def _webp_turn(data: bytes) -> int:
    position = 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if kind == b"EXIF":
            return _exif_turn(data[position + 8 : position + 8 + length].removeprefix(b"Exif\0\0"))
        position += 8 + length + length % 2
    return 1


def _exif_turn(exif: bytes) -> int:
    """Return the orientation in an EXIF block (a small TIFF file); a damaged block means upright."""
    try:
        return _turn(_read_tags(exif))
    except struct.error:
        return 1


def _turn(tags: dict[int, int]) -> int:
    orientation = tags.get(_ORIENTATION, 1)
    return orientation if 1 <= orientation <= 8 else 1


def _read_tags(tiff: bytes) -> dict[int, int]:
    """Return the first directory's tags that are one whole number (16 or 32 bit)."""
    if tiff[:2] not in (b"II", b"MM"):
        return {}
    order = "<" if tiff[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, start)
    tags = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", tiff, entry)
        if kind in (3, 4) and values == 1:
            (tags[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), tiff, entry + 8)
    return tags
