"""Which pictures stand together in a batch: those of like size, in few shapes, within an area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.data.batches.augment import CELL_PX

_HEIGHTS = (32, 48, 64, 80, 96, 128, 160)  # of batches, in pixels
_WIDTHS = (32, 64, 96, 128, 160, 192, 256, 320, 384, 448, 512)


@dataclass(frozen=True)
class BatchOptions:
    """How training pictures are put together.

    Attributes:
        pixels: largest padded area of a batch.
        pictures: most pictures in a batch.
        growing_epochs: epochs in which only the smaller pictures are trained on, a larger share of all each
            time.
        both_ways: whether every label is also read from right to left, by the same network.
    """

    pixels: int = 400_000
    pictures: int = 48
    growing_epochs: int = 0
    both_ways: bool = True


class Planned(NamedTuple):
    """A batch to be: which examples, how much larger than usual each is drawn, and the height and width."""

    examples: list[int]
    scales: list[float]
    shape: tuple[int, int]


def plan_batches(
    shapes: Sequence[tuple[int, int]],
    scales: npt.NDArray[np.float32],
    options: BatchOptions,
    rng: np.random.Generator,
    enlarged: float = 1.0,
) -> list[Planned]:
    """Group pictures of like size into batches within the limits; every picture stands in exactly one batch.

    Batches come in few shapes and, but for the last of each shape, one size a shape: compiled kernels are
    made once. The random scale is known here and not only when a picture is drawn, so it mixes batches
    without adding to their padding.

    Args:
        shapes: expected height and width of each picture in pixels.
        scales: the random scale of each.
        options: the limits.
        rng: decides the order.
        enlarged: how much larger than 16 px symbols are, by which the shapes of batches grow.
    """
    heights, widths = (
        [int(np.ceil(step * enlarged / CELL_PX)) * CELL_PX for step in steps] for steps in (_HEIGHTS, _WIDTHS)
    )
    sizes = np.array(shapes) * scales[:, None]
    waiting: dict[tuple[int, int], list[int]] = {}
    for index in rng.permutation(len(shapes)).tolist():
        waiting.setdefault(
            (round_up(sizes[index, 0], heights), round_up(sizes[index, 1], widths)), []
        ).append(index)
    batches: list[Planned] = []

    def add(members: list[int], shape: tuple[int, int]) -> None:
        batches.append(Planned(members, scales[members].tolist(), shape))

    for shape in sorted(waiting, key=lambda shape: (shape[1], shape[0])):
        members = waiting[shape]
        full = max(1, min(options.pictures, options.pixels // (shape[0] * shape[1])))
        while len(members) >= full:
            add(members[:full], shape)
            members = members[full:]
        larger = [
            other for other in waiting if other[0] >= shape[0] and other[1] >= shape[1] and other != shape
        ]
        nearest = min(larger, key=lambda other: other[0] * other[1], default=None)
        if nearest is not None and nearest[0] * nearest[1] <= 2 * shape[0] * shape[1] and nearest > shape:
            waiting[nearest] = members + waiting[nearest]
        elif members:
            add(members, shape)
    return [batches[i] for i in rng.permutation(len(batches))]


def round_up(size: float, steps: Sequence[int]) -> int:
    """Return the smallest step that holds the size, or beyond the last step a multiple of it."""
    return next((step for step in steps if step >= size), int(np.ceil(size / steps[-1])) * steps[-1])
