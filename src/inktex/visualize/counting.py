"""Counting maps as a sheet: where a model that counts sees each symbol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inktex.visualize.lettering import MEDIUM, SMALL, text_px, write
from inktex.visualize.overlay import ColourArray, FloatArray, blank, colours, place, shape_px, warm

_MARGIN_PX = 16
_SHEET_PX = 1200
_CELL_PX = 360
_LARGEST_ZOOM = 2.0
_NARROWEST_CELL_PX = 150


class CountingMap(NamedTuple):
    """Where and how often a model sees a symbol.

    Attributes:
        token: the symbol.
        total: how often, the sum of the map.
        values: [rows, columns], the count at each position.
    """

    token: str
    total: float
    values: FloatArray


def counting_sheet(
    picture: FloatArray, stride: int, maps: Sequence[CountingMap], columns: int = 4
) -> ColourArray:
    """Draw the map of each symbol over the picture, with the symbol and its count underneath.

    Counts of 1 and more at a position are the warmest.

    Args:
        picture: canonical picture [h, w].
        stride: side of the square of pixels that one position of a map stands for.
        maps: at least one.
        columns: most maps in a row; wide pictures leave room for fewer.

    Returns:
        Picture [h, w, 3].
    """
    zoom = min(_LARGEST_ZOOM, _CELL_PX / picture.shape[1])
    height, width = shape_px(picture, zoom)
    cell_width = max(width, _NARROWEST_CELL_PX) + _MARGIN_PX
    cell_height = height + MEDIUM.line_px + _MARGIN_PX
    columns = max(1, min(columns, len(maps), _SHEET_PX // cell_width))
    layers = blank(-(-len(maps) // columns) * cell_height + _MARGIN_PX, columns * cell_width + _MARGIN_PX)
    for number, each in enumerate(maps):
        row, column = divmod(number, columns)
        top, left = row * cell_height + _MARGIN_PX, column * cell_width + _MARGIN_PX
        warm(layers, np.clip(each.values, 0, 1), stride, picture.shape, zoom, top, left)
        place(layers, picture, zoom, top, left)
        base = top + height + SMALL.line_px
        write(layers.accent, each.token, left, base, 255, MEDIUM)
        write(layers.ink, f"{each.total:.2f}", left + text_px(f"{each.token} ", MEDIUM), base, 255, SMALL)
    return colours(layers)
