"""Strokes in the forms that programs send them in."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi")
from hypothesis import given
from hypothesis import strategies as st

from inktex.errors import InktexError
from inktex.limits import Limits
from inktex.service.errors import RequestError
from inktex.service.strokes import ink_of

LIMITS = Limits(strokes=5, points=12)
# Two strokes, a plus: 1, 2 -> 3, 2 and 2, 1 -> 2, 3.
PLUS = [[(1, 2), (3, 2)], [(2, 1), (2, 3)]]
COLUMNS = [{"x": [1, 3], "y": [2, 2]}, {"x": [2, 2], "y": [1, 3]}]
OBJECTS = [[{"x": 1, "y": 2}, {"x": 3, "y": 2}], [{"x": 2, "y": 1}, {"x": 2, "y": 3}]]
FORMS: dict[str, Any] = {
    "lists": [[[1, 2], [3, 2]], [[2, 1], [2, 3]]],
    "lists with pressure": [[[1, 2, 0.5], [3, 2, 0.7]], [[2, 1, 0.5], [2, 3, 0.1]]],
    "under a key": {"strokes": [[[1, 2], [3, 2]], [[2, 1], [2, 3]]]},
    "objects": OBJECTS,
    "objects under a key": {"strokes": OBJECTS},
    "signature_pad": [{"penColor": "black", "points": points} for points in OBJECTS],
    "Mathpix": {"strokes": {"strokes": {"x": [[1, 3], [2, 2]], "y": [[2, 2], [1, 3]]}}},
    "Mathpix, once": {"x": [[1, 3], [2, 2]], "y": [[2, 2], [1, 3]]},
    "MyScript, groups": {"strokeGroups": [{"penStyle": "", "strokes": COLUMNS}]},
    "MyScript, a group each": {"strokeGroups": [{"strokes": [each]} for each in COLUMNS]},
    "MyScript, strokes": {"scaleX": 1, "strokes": [{"id": "a", **each, "t": [0, 9]} for each in COLUMNS]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_ink(form: str) -> None:
    """Whatever form strokes are sent in, the ink has the same points."""
    ink = ink_of(json.loads(json.dumps(FORMS[form])), LIMITS)

    assert [stroke.tolist() for stroke in ink.strokes] == [[list(map(float, p)) for p in s] for s in PLUS]


def test_strokes_without_points_are_left_out() -> None:
    """A stroke without points is none."""
    assert len(ink_of([[], [[1, 2]], []], LIMITS).strokes) == 1


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ([], 422),
        ([[]], 422),
        ({}, 422),
        ("strokes", 422),
        (None, 422),
        (3, 422),
        ([3], 422),
        ([[3]], 422),
        ([[[1]]], 422),
        ([[["1", "2"]]], 422),
        ([[[True, False]]], 422),
        ([[[None, 1]]], 422),
        ([[{"x": 1}]], 422),
        ([[[10**400, 1]]], 422),
        ({"x": [[1]], "y": [[1, 2]]}, 422),
        ({"x": [[1]], "y": [[1], [2]]}, 422),
        ({"x": [1], "y": [1]}, 422),
        ({"x": 1, "y": 1}, 422),
        ({"strokes": {"strokes": {"strokes": {"strokes": {"strokes": {"strokes": [[[1, 2]]]}}}}}}, 422),
        ([[[1, 2]]] * 6, 413),
        ([[[1, 2]] * 13], 413),
        ([[[1, 2]] * 7, [[1, 2]] * 6], 413),
    ],
)
def test_other_values_are_refused(value: Any, status: int) -> None:
    """What is no ink is refused with 422, and what is too much of it with 413."""
    with pytest.raises(RequestError) as refused:
        ink_of(value, LIMITS)

    assert refused.value.status == status


KEYS = st.sampled_from(["x", "y", "strokes", "strokeGroups", "points"])


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3), nested, max_leaves=30
)


@given(VALUES)
def test_any_value_gives_ink_or_a_refusal(value: Any) -> None:
    """Whatever JSON holds, it is an ink of finite points within the limits, or refused."""
    try:
        ink = ink_of(value, LIMITS)
    except InktexError:
        return
    points = np.concatenate(ink.strokes)
    assert np.isfinite(points).all()
    assert 1 <= len(points) <= LIMITS.points
    assert len(ink.strokes) <= LIMITS.strokes
