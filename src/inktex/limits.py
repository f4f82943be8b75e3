"""How much a foreign file may ask of the machine that reads it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from inktex.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Bounds that a reader is given; what exceeds one is refused before the work that it would cost.

    Attributes:
        file_bytes: of one file.
        pixels: of a picture, as its header announces it.
        strokes: of one ink.
        points: of one ink, all strokes together.
        entries: of an archive.
        unpacked_bytes: of all that is taken out of one archive or container.
        seconds: of work on one file.
    """

    file_bytes: int = 64 * 2**20
    pixels: int = 50_000_000
    strokes: int = 10_000
    points: int = 1_000_000
    entries: int = 2_000_000
    unpacked_bytes: int = 8 * 2**30
    seconds: float = 60.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ConfigError(f"the limit {field.name} must be above 0, got {value}")


DEFAULT_LIMITS = Limits()
