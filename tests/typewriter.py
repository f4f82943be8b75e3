"""Ink typed by hand-made rules, each symbol a box, so that sizes, middle lines and gaps are known."""

from collections.abc import Sequence

import numpy as np

from inktex.data.alignment import token_reference
from inktex.data.dataset import Sample
from inktex.ink.strokes import Ink, Symbol

# Typewriter ink: each class a box of its own width and height, and its middle above the row's (all in x's).
CLASSES = {
    "x": (0.8, 0.6, 0.0), "y": (0.7, 0.9, -0.3), "b": (0.5, 1.1, 0.25), "2": (0.6, 1.0, 0.2),
    "1": (0.2, 1.0, 0.2), "+": (0.7, 0.7, 0.0), "=": (0.7, 0.3, 0.0), "(": (0.3, 1.5, 0.0),
    ")": (0.3, 1.5, 0.0), "|": (0.1, 1.5, 0.0),
}  # fmt: skip
GAP = 0.4
SCRIPT = 0.6


class Typewriter:
    """Writes tokens by hand-made rules, so that sizes, middle lines and gaps are known."""

    def __init__(self) -> None:
        self.strokes: list[np.ndarray] = []
        self.symbols: list[Symbol] = []

    def put(self, place: int, token: str, left: float, top: float, right: float, bottom: float) -> None:
        box = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        self.symbols.append(Symbol(token, (len(self.strokes),), token_reference(place)))
        self.strokes.append(np.array(box, dtype=np.float32))

    def row(self, tokens: Sequence[str], first: int, left: float, middle: float, size: float) -> float:
        """Write tokens ``first`` and on of a label; return the right edge."""
        at, edge = 0, left
        while at < len(tokens):
            token, place = tokens[at], first + at
            if token in CLASSES:
                width, height, lift = (size * number for number in CLASSES[token])
                right = edge + width
                self.put(place, token, edge, middle - lift - height / 2, right, middle - lift + height / 2)
                top, bottom = middle - lift - height / 2, middle - lift + height / 2
                at += 1
                while at < len(tokens) and tokens[at] in "^_":
                    end = closing(tokens, at + 1)
                    line = top if tokens[at] == "^" else bottom
                    script = self.row(tokens[at + 2 : end], first + at + 2, edge + width, line, size * SCRIPT)
                    right = max(right, script)
                    at = end + 1
                edge = right + GAP * size
            elif token == "\\frac":
                end = closing(tokens, at + 1)
                last = closing(tokens, end + 1)
                above, below = tokens[at + 2 : end], tokens[end + 2 : last]
                right = max(
                    self.row(above, place + 2, edge + 0.1 * size, middle - 1.2 * size, size),
                    self.row(below, first + end + 2, edge + 0.1 * size, middle + 1.2 * size, size),
                )
                self.put(place, "-", edge, middle - 0.01, right + 0.1 * size, middle + 0.01)
                at, edge = last + 1, right + 0.1 * size + GAP * size
            elif token == "\\sqrt":
                end = closing(tokens, at + 1)
                right = self.row(tokens[at + 2 : end], place + 2, edge + size, middle, size)
                self.put(place, token, edge, middle - size, right, middle + size)
                at, edge = end + 1, right + GAP * size
            else:
                raise ValueError(f"the typewriter has no {token}")
        return edge - GAP * size


def closing(tokens: Sequence[str], opening: int) -> int:
    """The place of the brace that closes the one at ``opening``."""
    depth = 0
    for place in range(opening, len(tokens)):
        depth += (tokens[place] == "{") - (tokens[place] == "}")
        if depth == 0:
            return place
    raise AssertionError


def typed(label: str, size: float = 20.0, writer: str = "w") -> Sample:
    machine = Typewriter()
    tokens = tuple(label.split())
    machine.row(tokens, 0, 5.0, 50.0, size)
    return Sample(
        label, "train", "test", tokens, None, Ink(tuple(machine.strokes), tuple(machine.symbols)), writer
    )
