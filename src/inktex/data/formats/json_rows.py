"""Rows of JSON: objects that name a picture and its LaTeX, in a list or a line each.

The keys are ``image`` and ``latex`` or others that :mod:`inktex.data.formats.columns` knows; the first object
that has such keys tells which they are.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from inktex.data.formats.columns import Columns, find_columns, lacking
from inktex.data.formats.records import MOST_ROWS, Rejected
from inktex.data.formats.rows import Row
from inktex.errors import DataError

LINE_SUFFIXES = (".jsonl", ".ndjson")
_TELLING_ROWS = 100  # the first object with known keys is among so many


class _Unread(NamedTuple):
    """A line that is no JSON, and why; "" for an empty one."""

    problem: str


def line_rows(text: str, name: str) -> Iterator[Row | Rejected]:
    """Yield the rows of JSON lines.

    Raises:
        DataError: no object among the first has keys that are known.
    """
    values = json_lines(text)
    return object_rows(values, name, "line", object_columns(values))


def json_lines(text: str) -> list[Any]:
    """Return what every line that is not empty holds; no more of them than a list may have, and one."""
    values: list[Any] = []
    for line in io.StringIO(text, newline="\n"):
        if not line.strip():
            values.append(_Unread(""))
            continue
        try:
            values.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            values.append(_Unread(f"it is not JSON: {' '.join(str(error).split())}"))
        if len(values) > MOST_ROWS:
            break
    return values


def object_columns(values: Sequence[Any]) -> Columns:
    """Return the keys of the first object that names a picture and a label.

    Raises:
        DataError: there is none among the first.
    """
    first: list[str] = []
    for value in values[:_TELLING_ROWS]:
        if isinstance(value, dict):
            text = [key for key, held in value.items() if isinstance(held, str)]
            if columns := find_columns(text, text, value):
                return columns
            first = first or list(value)
    raise DataError(lacking(first))


def object_rows(values: Sequence[Any], name: str, word: str, columns: Columns) -> Iterator[Row | Rejected]:
    """Yield the rows of a list; empty lines are none."""
    for number, value in enumerate(values, start=1):
        where = f"{name}, {word} {number}"
        if not isinstance(value, _Unread):
            yield _row(value, where, number, columns)
        elif value.problem:
            yield Rejected(where, value.problem)


def _row(value: Any, where: str, number: int, columns: Columns) -> Row | Rejected:
    held = [value.get(key) if isinstance(value, dict) and key else None for key in columns]
    picture, label, own_id, split = held
    if not isinstance(picture, str) or not picture or not isinstance(label, str):
        return Rejected(where, f'it is not {{"{columns.picture}": PICTURE, "{columns.label}": LATEX}}')
    name = str(own_id) if isinstance(own_id, str | int) else ""
    return Row(where, number, picture, label, name, split if isinstance(split, str) else "")
