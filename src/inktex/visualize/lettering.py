"""Print on pictures, in the fonts of OpenCV, which know ASCII alone."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

GreyArray = npt.NDArray[np.uint8]

_FONT = cv2.FONT_HERSHEY_SIMPLEX


class Print(NamedTuple):
    """A size of print: its scale, and the distance of lines in pixels."""

    scale: float
    line_px: int


SMALL, MEDIUM = Print(0.4, 15), Print(0.5, 20)


def write(canvas: GreyArray, text: str, left: int, base: int, value: int, size: Print) -> None:
    """Write a line of text on a picture [h, w], which is changed.

    Args:
        canvas: the picture.
        text: what to write; characters that are not ASCII become "?".
        left: column of the first pixel.
        base: row on which letters stand.
        value: of the pixels that are written.
        size: of the print.
    """
    cv2.putText(canvas, _ascii(text), (left, base), _FONT, size.scale, value, 1, cv2.LINE_AA)


def text_px(text: str, size: Print) -> int:
    """Return how many columns a text takes."""
    return int(cv2.getTextSize(_ascii(text), _FONT, size.scale, 1)[0][0])


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
