"""What writes the parts of a construct, as the constructs know it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from inktex.data.synthesis.blocks import Block
from inktex.latex.spans import Part


class Hand(Protocol):
    """What writes the parts of a construct."""

    rng: np.random.Generator

    def row(self, part: Part) -> Block:
        """Write a row."""
        ...

    def mark(self, token: str, place: int) -> Block:
        """Write a symbol as the token of a place."""
        ...

    def word(self, letters: Sequence[tuple[str, int]]) -> Block:
        """Write letters close together."""
        ...
