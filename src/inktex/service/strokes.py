"""Strokes in JSON, in the forms that programs send them in -> ink.

A stroke is a list of points or an object; a point is ``[x, y, ...]`` or ``{"x": x, "y": y}``::

    [[[x, y], ...], ...]                                  this project, perfect-freehand
    [[{"x": x, "y": y}, ...], ...]                        signature_pad, with or without {"points": [...]}
    {"x": [[x, ...], ...], "y": [[y, ...], ...]}          Mathpix
    [{"x": [x, ...], "y": [y, ...]}, ...]                 MyScript
    [{"strokes": [...]}, ...]                             MyScript's groups of strokes

Each may stand under the key ``strokes`` (Mathpix has it twice) or ``strokeGroups``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from inktex.ink.strokes import FloatArray, Ink, checked_points
from inktex.limits import Limits
from inktex.service.errors import Reason, RequestError

_FORMS = (
    "[[[x, y], ...], ...], lists of {x, y}, Mathpix's {x: [[...]], y: [[...]]} or MyScript's "
    "[{x: [...], y: [...]}]"
)
_DEEPEST = 4  # of keys round the strokes themselves

_Points = list[tuple[float, float]]


def ink_of(value: Any, limits: Limits) -> Ink:
    """Return the ink that strokes from JSON stand for; strokes without points are left out.

    Raises:
        RequestError: another form, no strokes, or too many strokes or points.
        InkError: a coordinate that is not finite.
    """
    strokes: list[FloatArray] = []
    points = 0
    for number, stroke in enumerate(_strokes(value, 0), 1):
        if number > limits.strokes:
            raise RequestError(413, f"an ink may have {limits.strokes:,} strokes at most", Reason.TOO_LARGE)
        coordinates = _points(stroke, limits.points - points)
        points += len(coordinates)
        if coordinates:
            strokes.append(checked_points(np.array(coordinates, np.float64), "the ink"))
    if not strokes:
        raise RequestError(422, "there are no strokes", Reason.MISSING)
    return Ink(tuple(strokes))


def _strokes(value: Any, depth: int) -> Iterator[Any]:
    """Yield the strokes of a value, each in one of the forms of a stroke."""
    if depth > _DEEPEST:
        _refuse("the strokes are nested too deeply")
    if isinstance(value, dict):
        for key in ("strokes", "strokeGroups"):
            if key in value:
                yield from _strokes(value[key], depth + 1)
                return
        if "x" not in value or "y" not in value:
            _refuse("the strokes have another form")
        yield from _paired(value["x"], value["y"])
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict) and ("strokes" in each or "strokeGroups" in each):
                yield from _strokes(each, depth + 1)
            else:
                yield each
    else:
        _refuse("the strokes have another form")


def _paired(xs: Any, ys: Any) -> Iterator[Any]:
    """Yield the strokes of Mathpix's two lists of lists."""
    if not isinstance(xs, list) or not isinstance(ys, list):
        _refuse("x and y must be lists of strokes")
    if len(xs) != len(ys):
        _refuse(f"there are {len(xs)} strokes in x and {len(ys)} in y")
    for x, y in zip(xs, ys, strict=True):
        yield {"x": x, "y": y}


def _points(stroke: Any, most: int) -> _Points:
    if isinstance(stroke, dict) and "points" in stroke:
        stroke = stroke["points"]
    columns = isinstance(stroke, dict)
    values = stroke.get("x") if columns else stroke
    others = stroke.get("y") if columns else values
    if not isinstance(values, list) or not isinstance(others, list):
        _refuse("the strokes have another form")
    if len(values) > most:
        raise RequestError(413, "the ink has too many points", Reason.TOO_LARGE)
    if columns:
        if len(values) != len(others):
            _refuse(f"a stroke has {len(values)} x and {len(others)} y")
        return [(_number(x), _number(y)) for x, y in zip(values, others, strict=True)]
    return [_point(value) for value in values]


def _point(value: Any) -> tuple[float, float]:
    if isinstance(value, list) and len(value) >= 2:
        return _number(value[0]), _number(value[1])
    if isinstance(value, dict):
        return _number(value.get("x")), _number(value.get("y"))
    return _refuse("a point is neither [x, y] nor {x, y}")


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            _refuse("a coordinate is not a finite number")
    return _refuse(f"a coordinate is {str(value)[:20]!r}, not a number")


def _refuse(problem: str) -> NoReturn:
    raise RequestError(422, f"{problem}; strokes are {_FORMS}", Reason.INK)
