"""What a document shows of one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """What was read of a file.

    Attributes:
        name: the file's.
        picture: PNG of what it shows.
        width_px: of the picture.
        height_px: of the picture.
        tokens: the LaTeX as tokens; malformed ones are shown as text.
        confidence: how often readings like this are right, 0 to 1.
    """

    name: str
    picture: bytes
    width_px: int
    height_px: int
    tokens: tuple[str, ...]
    confidence: float


def least_sure_first(readings: Sequence[Reading]) -> list[Reading]:
    """Return readings in the order in which a person should look at them."""
    return sorted(readings, key=lambda reading: reading.confidence)
