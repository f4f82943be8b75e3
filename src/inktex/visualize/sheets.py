"""Contact sheets of samples."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from inktex.data.dataset import Sample
from inktex.errors import ImageError
from inktex.ink.strokes import rasterize
from inktex.visualize.lettering import SMALL, GreyArray, text_px, write

_GAP_PX = 8
_PAPER = 255
_PRINT = 0


def contact_sheet(
    samples: Sequence[Sample],
    columns: int = 4,
    picture_height_px: int = 96,
    column_width_px: int = 360,
    lines: int = 3,
) -> GreyArray:
    """Lay samples out in a grid, each picture as it is with its id and LaTeX underneath.

    Args:
        samples: what to show, row by row.
        columns: pictures in a row.
        picture_height_px: height kept for a picture; larger pictures are shrunk to fit.
        column_width_px: width kept for a picture.
        lines: lines of print under a picture; longer LaTeX is cut and ends in "...".

    Returns:
        Picture [h, w], black print on white.

    Raises:
        ImageError: a sample's picture cannot be read.
    """
    cell_height = picture_height_px + (lines + 1) * SMALL.line_px + _GAP_PX
    rows = -(-len(samples) // columns)
    height = rows * cell_height + _GAP_PX
    width = columns * (column_width_px + _GAP_PX) + _GAP_PX
    sheet = np.full((height, width), _PAPER, dtype=np.uint8)
    for number, sample in enumerate(samples):
        row, column = divmod(number, columns)
        top, left = row * cell_height + _GAP_PX, column * (column_width_px + _GAP_PX) + _GAP_PX
        picture = _fit(_picture(sample), picture_height_px, column_width_px)
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        text = [sample.id, *_wrap(" ".join(sample.tokens), column_width_px, lines)]
        for line, words in enumerate(text, start=1):
            write(sheet, words, left, top + picture_height_px + line * SMALL.line_px, _PRINT, SMALL)
    return sheet


def _picture(sample: Sample) -> GreyArray:
    """Return the sample's own picture, or its ink drawn white on black."""
    if sample.image is not None:
        grey = cv2.imdecode(np.frombuffer(sample.image, np.uint8), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise ImageError(f"The picture of {sample.id} cannot be read")
        return np.asarray(grey, dtype=np.uint8)
    if sample.ink is None:
        raise ImageError(f"{sample.id} has neither a picture nor ink")
    return np.rint(rasterize(sample.ink) * 255).astype(np.uint8)


def encoded_picture(sample: Sample) -> bytes:
    """Return a sample's picture as the file it came from, or a PNG of its ink, black on white."""
    if sample.image is not None:
        return sample.image
    return cv2.imencode(".png", 255 - _picture(sample))[1].tobytes()


def _fit(picture: GreyArray, height: int, width: int) -> GreyArray:
    scale = min(1.0, height / picture.shape[0], width / picture.shape[1])
    size = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _wrap(text: str, width_px: int, lines: int) -> list[str]:
    """Break the text at spaces into at most ``lines`` lines of the sheet's print."""
    result = [""]
    for word in text.split(" "):
        longer = f"{result[-1]} {word}".strip()
        if text_px(longer, SMALL) <= width_px or not result[-1]:
            result[-1] = longer
        elif len(result) < lines:
            result.append(word)
        else:
            while result[-1] and text_px(result[-1] + " ...", SMALL) > width_px:
                result[-1] = result[-1].rpartition(" ")[0]
            result[-1] += " ..."
            break
    return result
