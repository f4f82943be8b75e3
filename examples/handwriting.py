"""A handwriting of our own: LaTeX tokens become pen strokes, never twice the same.

``alphabet.json`` gives for each symbol one or more ways to write it. A way is a list of strokes, a stroke a
few control points ``x,y`` with y upwards and the baseline at 0; small letters are 50 high, digits 76. ``|``
makes the point before it a corner. A writer keeps to one way for each symbol.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
ALPHABET: dict[str, list[list[str]]] = json.loads(Path(__file__).with_name("alphabet.json").read_text())
AXIS = 30.0  # height of fraction bars and of the middle of + and =
RELATIONS = {"=", "<", "\\rightarrow"}
OPERATORS = {"+", "-", "\\pm"}
FUNCTIONS = {"\\sin", "\\lim"}
WIDE = FUNCTIONS | {"\\sum", "\\int", "\\frac"}


@dataclass(frozen=True)
class Box:
    """Written symbols: (label, strokes [points, 2] with y upwards) in writing order."""

    symbols: tuple[tuple[str, tuple[Points, ...]], ...]

    @property
    def points(self) -> Points:
        """All points of all strokes [points, 2]."""
        return np.concatenate([stroke for _, strokes in self.symbols for stroke in strokes])

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top edge."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def placed(self, x: float, y: float, scale: float = 1.0) -> Box:
        """Return the box scaled about its origin, then moved by (x, y)."""
        return Box(
            tuple((label, tuple(s * scale + (x, y) for s in strokes)) for label, strokes in self.symbols)
        )

    def __add__(self, other: Box) -> Box:
        return Box(self.symbols + other.symbols)

    def right_beside(self, low: float, high: float) -> float:
        """Right edge of what is written between two heights."""
        x, y = self.points.T
        beside = x[(y > low) & (y < high)]
        return float(beside.max()) if len(beside) else float(x.mean())


@dataclass
class Hand:
    """A writer: draws each symbol a little differently every time.

    Attributes:
        random: source of all irregularity.
        slant: lean to the right, as x per y.
        wild: size of the irregularity; 1 is a careful writer.
        wide: factor on the breadth of symbols and the space between them.
    """

    random: np.random.Generator
    slant: float = 0.08
    wild: float = 1.0
    wide: float = 1.0

    def __post_init__(self) -> None:
        self.ways = {label: int(self.random.integers(len(ways))) for label, ways in ALPHABET.items()}

    def about(self, value: float, spread: float) -> float:
        """Return the value with this writer's irregularity."""
        return float(value + self.random.normal() * spread * self.wild)

    def write(self, latex: str) -> Box:
        """Write LaTeX whose tokens are separated by spaces."""
        return self._row(deque(latex.split()))

    def _row(self, tokens: deque[str]) -> Box:
        """Write tokens up to the end or the closing brace, left to right along a wavering baseline."""
        row, before, height = None, "", 0.0
        while tokens and tokens[0] != "}":
            name = tokens.popleft()
            item = self._scripts(name, self._item(name, tokens), tokens)
            gap = self._gap(before, name) if row else 0.0
            x = (row.bounds[2] if row else 0.0) + gap - item.bounds[0]
            height = 0.7 * height + self.about(0, 1.8)
            item = item.placed(x, height)
            row, before = (row + item if row else item), name
        if tokens:
            tokens.popleft()
        assert row is not None, "an empty group"
        return row

    def _group(self, tokens: deque[str]) -> Box:
        assert tokens.popleft() == "{"
        return self._row(tokens)

    def _gap(self, before: str, name: str) -> float:
        if {before, name} & RELATIONS:
            gap = 24.0
        elif name in OPERATORS or before in OPERATORS:
            gap = 10.0 if before in {"", "("} | OPERATORS | RELATIONS else 18.0
        elif {before, name} & WIDE:
            gap = 22.0
        else:
            gap = 11.0
        return max(4.0, self.about(gap * self.wide, 2.5))

    def _item(self, name: str, tokens: deque[str]) -> Box:
        if name == "\\frac":
            return self._fraction(self._group(tokens), self._group(tokens))
        if name == "\\sqrt":
            return self._root(self._group(tokens))
        if name in FUNCTIONS:
            word = self._symbol(name[1])
            for letter in name[2:]:
                x = word.bounds[2] + max(3.0, self.about(8, 1.5))
                word += self._symbol(letter).placed(x, self.about(0, 1))
            return word
        return self._symbol(name)

    def _scripts(self, name: str, base: Box, tokens: deque[str]) -> Box:
        limits = bool(tokens) and tokens[0] == "\\limits"
        if limits:
            tokens.popleft()
        left, bottom, right, top = base.bounds
        while tokens and tokens[0] in {"_", "^"}:
            above = tokens.popleft() == "^"
            script = self._group(tokens).placed(0, 0, self.about(0.62, 0.02))
            s_left, s_bottom, s_right, s_top = script.bounds
            if limits:
                x = (left + right - s_left - s_right) / 2 + self.about(0, 2)
                y = top - s_bottom + self.about(13, 1.5) if above else bottom - s_top - self.about(13, 1.5)
            else:
                y = self.about(max(42.0, top - 36) if above else min(-20.0, bottom - 6), 2)
                edge = base.right_beside(s_bottom + y - 20, s_top + y + 20)
                x = edge - s_left + max(4.0, self.about(7, 1.5))
            base += script.placed(x, y)
        return base

    def _fraction(self, over: Box, under: Box) -> Box:
        over, under = (part.placed(0, 0, self.about(0.92, 0.02)) for part in (over, under))
        (left, bottom, right, _), (left_under, _, right_under, top) = over.bounds, under.bounds
        half = max(right - left, right_under - left_under) / 2 + self.about(12, 2)
        bar = self._strokes([[(-half, AXIS), (0, self.about(AXIS, 0.8)), (half, self.about(AXIS + 1, 1))]])
        over = over.placed(self.about(-(left + right) / 2, 2.5), AXIS + self.about(13, 2) - bottom)
        under = under.placed(self.about(-(left_under + right_under) / 2, 2.5), AXIS - self.about(13, 2) - top)
        return over + Box((("-", bar),)) + under

    def _root(self, inside: Box) -> Box:
        left, bottom, right, top = inside.bounds
        low, high = min(bottom, 0) - self.about(4, 1), max(top, 50.0) + self.about(12, 1.5)
        foot, x = low + 0.42 * (high - low), left - 12
        sign = [(x - 34, foot - 7), (x - 25, foot), (x - 25, foot), (x - 15, low), (x - 15, low)]
        sign += [(x - 4, (low + high) / 2), (x + 3, high), (x + 3, high), ((x + right) / 2, high + 1)]
        sign += [(right + self.about(9, 2), self.about(high + 2, 1))]
        return Box((("\\sqrt", self._strokes([sign])),)) + inside

    def _symbol(self, name: str) -> Box:
        """Write one symbol of the alphabet, a little narrower, taller or more turned than the last time."""
        way = ALPHABET[name][self.ways[name]]
        turn = self.about(0, 0.025)
        lean, bend = self.about(self.slant, 0.025) + turn, self.about(0, 2)
        shape = np.array([[self.about(1, 0.06) * self.wide, lean], [-turn, self.about(1, 0.05)]])
        strokes = [
            [tuple(shape @ (x + bend * (y / 50 - 0.5) ** 2, y)) for x, y in _control_points(text)]
            for text in way
        ]
        return Box(((name, self._strokes(strokes)),))

    def _strokes(self, strokes: Iterable[list[tuple[float, float]]]) -> tuple[Points, ...]:
        """Draw strokes through their control points, with a hand that is not quite steady."""
        written = []
        for stroke in strokes:
            noise: dict[tuple[float, float], Points] = {}  # both copies of a corner move together
            for point in stroke:
                noise.setdefault(point, self.random.normal(0, 1.7 * self.wild, 2))
            line = _smooth(np.array([noise[point] + point for point in stroke]))
            line += self.random.normal(0, 0.8 * self.wild, 2)
            line += np.stack([drift(self.random, len(line), 0.6 * self.wild) for _ in "xy"], axis=1)
            written.append(line)
        return tuple(written)


def drift(random: np.random.Generator, count: int, spread: float) -> Points:
    """Return smooth noise [count] of the given standard deviation."""
    window = np.hanning(27)[1:-1]
    return np.convolve(random.normal(0, spread, count + 24), window / np.linalg.norm(window), "valid")


def _control_points(text: str) -> list[tuple[float, float]]:
    """Read ``"0,4 8,2 | 5,5"``; the point before ``|`` is given twice."""
    points: list[tuple[float, float]] = []
    for word in text.split():
        x, _, y = word.partition(",")
        points.append(points[-1] if word == "|" else (float(x), float(y)))
    return points


def _smooth(points: Points, step: float = 2.5) -> Points:
    """Return the centripetal Catmull-Rom curve through the points; a doubled point is a corner.

    Args:
        points: control points [points, 2].
        step: distance between the samples.
    """
    corners = np.flatnonzero((points[1:] == points[:-1]).all(axis=1)) + 1
    pieces = []
    for part in np.split(points, corners):
        path = np.concatenate([[2 * part[0] - part[1]], part, [2 * part[-1] - part[-2]]])
        d = np.sqrt(np.linalg.norm(np.diff(path, axis=0), axis=1))[:, None]  # knot distances
        slope = np.diff(path, axis=0) / d
        tangent = slope[:-1] + slope[1:] - (path[2:] - path[:-2]) / (d[:-1] + d[1:])
        for i in range(len(part) - 1):
            u = np.linspace(0, 1, max(2, round(float(d[i + 1, 0]) ** 2 / step)), endpoint=False)[:, None]
            ends = (1 + 2 * u) * (1 - u) ** 2 * part[i] + u**2 * (3 - 2 * u) * part[i + 1]
            pull = u * (1 - u) ** 2 * tangent[i] - u**2 * (1 - u) * tangent[i + 1]
            pieces.append(ends + pull * d[i + 1])
    return np.concatenate([*pieces, points[-1:]])
