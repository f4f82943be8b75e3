"""The frame of every row: middle line and size, from all its symbols at once.

A row's size is the diagonal of an x in it, its middle line the height of an x's middle. Both are found by
what is usual for the classes of its symbols.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.data.synthesis.expressions import Written
from inktex.latex.spans import Part
from inktex.latex.tree import Command, Row
from inktex.latex.tree import Symbol as SymbolNode

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_ROUNDS = 8  # of alternating estimates; they change by less than a hundredth after five
_PRIOR_SPREAD = 0.35  # of the logarithm of a row's size about what its depth suggests
_LEAST_SPREAD = 0.1  # of a class, so that no class decides alone
_REFERENCE = "x"


class Frame(NamedTuple):
    """The height of a row's middle line and the size of an x in it, in ink units."""

    middle: float
    size: float


def find_frames(expressions: Sequence[Written]) -> tuple[dict[int, Frame], ...]:
    """Estimate middle line and size of every row of every expression, by the first token of each row."""
    rows = [
        (number, row, depth)
        for number, written in enumerate(expressions)
        for row, depth in _with_depth(written.root, 0)
    ]
    survey = _survey(expressions, rows)
    sizes = _log_sizes(survey)
    lines = _middle_lines(survey, np.exp(sizes))
    known = np.bincount(survey.row, minlength=len(rows)) > 0
    frames: tuple[dict[int, Frame], ...] = tuple({} for _ in expressions)
    for index, (number, row, _) in enumerate(rows):
        line = lines[index] if known[index] else _middle_without_symbols(expressions[number], row)
        frames[number][row.start] = Frame(float(line), float(np.exp(sizes[index])))
    return frames


class _Survey(NamedTuple):
    """What frames are estimated from: one entry a symbol that stands directly in a row, then one entry a row.

    Attributes:
        row: [symbols], number of the row.
        token: [symbols], number of the class.
        diagonal: [symbols], logarithm of the box's diagonal.
        middle: [symbols], height of the box's middle, downwards.
        expression: [rows], number of the expression.
        depth: [rows], scripts the row is within, at most 3.
        classes: how many there are.
        reference: number of the class that sets size and middle line.
    """

    row: IntArray
    token: IntArray
    diagonal: FloatArray
    middle: FloatArray
    expression: IntArray
    depth: IntArray
    classes: int
    reference: int


def _survey(expressions: Sequence[Written], rows: Sequence[tuple[int, Part, int]]) -> _Survey:
    leaves: list[tuple[int, int, float, float]] = []
    classes: dict[str, int] = {}
    for index, (number, row, _) in enumerate(rows):
        for item in row.items:
            core = item.children.get("base", item)
            if isinstance(core.node, SymbolNode):
                left, top, right, bottom = expressions[number].boxes[core.start].tolist()
                diagonal = max(math.hypot(right - left, bottom - top), 1e-3)
                token = classes.setdefault(core.node.token, len(classes))
                leaves.append((index, token, math.log(diagonal), (top + bottom) / 2))
    row_of, token_of, diagonals, middles = (np.array(column) for column in zip(*leaves, strict=True))
    return _Survey(
        row=row_of,
        token=token_of,
        diagonal=diagonals,
        middle=middles,
        expression=np.array([number for number, _, _ in rows]),
        depth=np.array([min(depth, 3) for _, _, depth in rows]),
        classes=len(classes),
        reference=classes.get(_REFERENCE, 0),
    )


def _log_sizes(survey: _Survey) -> FloatArray:
    """Return the logarithm of every row's size: from its symbols, drawn towards what its depth suggests.

    By alternation: a class's usual size from the rows' sizes, a row's from its symbols' over their usual.
    """
    rows, expressions = len(survey.expression), int(survey.expression[-1]) + 1
    of_symbol = survey.expression[survey.row]
    usual, spread = np.zeros(survey.classes), np.ones(survey.classes)
    smaller = np.zeros(4)  # by depth
    sizes = np.zeros(rows)
    for _ in range(_ROUNDS):
        weight = 1 / spread[survey.token] ** 2
        apparent = survey.diagonal - usual[survey.token]
        whole = _weighted_mean(
            of_symbol, apparent - smaller[survey.depth[survey.row]], weight, expressions
        )  # size of the outermost row
        prior = whole[survey.expression] + smaller[survey.depth]
        total = np.bincount(survey.row, weight, rows) + _PRIOR_SPREAD**-2
        sizes = (np.bincount(survey.row, weight * apparent, rows) + prior * _PRIOR_SPREAD**-2) / total
        usual, spread = _by_class(survey, survey.diagonal - sizes[survey.row])
        away = sizes - whole[survey.expression]
        smaller = _weighted_mean(survey.depth, away, np.ones(rows), 4)
        smaller -= smaller[0]
    return sizes


def _middle_lines(survey: _Survey, sizes: FloatArray) -> FloatArray:
    """Return the height of every row's middle line, 0 for rows without symbols; by alternation likewise."""
    rows = len(sizes)
    scale = sizes[survey.row]
    lift, spread = np.zeros(survey.classes), np.ones(survey.classes)  # of a class's middle above the row's
    lines = np.zeros(rows)
    for _ in range(_ROUNDS):
        lines = _weighted_mean(
            survey.row, survey.middle + lift[survey.token] * scale, 1 / spread[survey.token] ** 2, rows
        )
        lift, spread = _by_class(survey, (lines[survey.row] - survey.middle) / scale)
    return lines


def _weighted_mean(group: IntArray, values: FloatArray, weight: FloatArray, groups: int) -> FloatArray:
    """Return the mean of each group's values, 0 for a group without any."""
    total = np.bincount(group, weight, groups)
    return np.asarray(np.bincount(group, weight * values, groups) / np.maximum(total, 1e-9))


def _by_class(survey: _Survey, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each class's mean less that of the reference, and its spread."""
    ones = np.ones(len(values))
    mean = _weighted_mean(survey.token, values, ones, survey.classes)
    spread = np.sqrt(_weighted_mean(survey.token, (values - mean[survey.token]) ** 2, ones, survey.classes))
    return mean - mean[survey.reference], np.maximum(spread, _LEAST_SPREAD)


def _with_depth(part: Part, depth: int) -> Iterator[tuple[Part, int]]:
    """Yield every row that holds anything, with the number of scripts it is within."""
    if isinstance(part.node, Row) and part.children:
        yield part, depth
    for role, child in part.children.items():
        yield from _with_depth(child, depth + (role in ("sub", "sup", "option")))


def _middle_without_symbols(written: Written, row: Part) -> float:
    """Return the middle line of a row of nothing but fractions, roots and groups."""
    for item in row.items:
        if isinstance(item.node, Command) and item.node.name == "\\frac":
            return float(written.boxes[item.start, [1, 3]].mean())
    box = written.box(row.start, row.end)
    return float(box[1] + box[3]) / 2
