"""Placed ink: strokes by token of a label, moved, scaled and put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]

_LEAST = 0.02  # extent of what is stretched, in sizes of the row, so that a dot is none without end


class Block(NamedTuple):
    """Placed ink, in sizes of its row about its middle line.

    Attributes:
        strokes: by token of the label.
        box: left, top, right and bottom.
    """

    strokes: dict[int, list[FloatArray]]
    box: Box

    @property
    def width(self) -> float:
        """Extent from left to right."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        """Extent from top to bottom."""
        return self.box[3] - self.box[1]

    def moved(self, scale: float = 1.0, right: float = 0.0, down: float = 0.0) -> Block:
        """Return the block scaled about the origin, then moved."""
        factor, shift = np.float32(scale), np.array([right, down], dtype=np.float32)
        x0, y0, x1, y1 = self.box
        return Block(
            {place: [stroke * factor + shift for stroke in group] for place, group in self.strokes.items()},
            (x0 * scale + right, y0 * scale + down, x1 * scale + right, y1 * scale + down),
        )

    def mapped(self, change: Callable[[FloatArray], FloatArray]) -> Block:
        """Return the block with the points of each stroke changed; its box is that of the ink."""
        strokes = {
            place: [change(stroke).astype(np.float32) for stroke in group]
            for place, group in self.strokes.items()
        }
        return Block(strokes, bounds([stroke for group in strokes.values() for stroke in group]))

    def fitted(self, box: Box) -> Block:
        """Return the block stretched along both axes to fill a box."""
        left, top = self.box[:2]
        across = (box[2] - box[0]) / max(self.width, _LEAST)
        along = (box[3] - box[1]) / max(self.height, _LEAST)
        start = np.array([left, top], dtype=np.float32)
        scale = np.array([across, along], dtype=np.float32)
        target = np.array(box[:2], dtype=np.float32)
        return self.mapped(lambda points: (points - start) * scale + target)


def union(blocks: Sequence[Block]) -> Block:
    """Return blocks as one; they must not share tokens."""
    boxes = np.array([block.box for block in blocks])
    strokes = {place: group for block in blocks for place, group in block.strokes.items()}
    return Block(strokes, (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()))


def merged(blocks: Sequence[Block], place: int) -> Block:
    """Return blocks as the ink of a single token."""
    strokes = [stroke for block in blocks for group in block.strokes.values() for stroke in group]
    return Block({place: strokes}, union(blocks).box)


def bounds(strokes: Sequence[FloatArray]) -> Box:
    """Return left, top, right and bottom of strokes."""
    points = np.concatenate(strokes)
    left, top = points.min(axis=0).tolist()
    right, bottom = points.max(axis=0).tolist()
    return left, top, right, bottom
