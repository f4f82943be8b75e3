"""Upright rectangles, and pictures that know which part of their source they show."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class Box(NamedTuple):
    """An upright rectangle; x grows to the right, y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    def scaled(self, x: float, y: float) -> Box:
        """Return the rectangle in other units."""
        return Box(self.left * x, self.top * y, self.right * x, self.bottom * y)

    def moved(self, x: float, y: float) -> Box:
        """Return the rectangle elsewhere."""
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)


class Canonical(NamedTuple):
    """A canonical picture.

    Attributes:
        picture: [h, w], ink 1 on 0.
        area: what it shows of its source, in pixels of the picture that it was made of or in the coordinates
            of the ink; its margins may lie beyond the edges.
    """

    picture: FloatArray
    area: Box

    def in_source(self, box: Box) -> Box:
        """Return where in the source a rectangle lies that is given in pixels of the canonical picture."""
        rows, columns = self.picture.shape
        area = self.area
        return box.scaled(area.width / columns, area.height / rows).moved(area.left, area.top)
