"""Labels in JSON: lists of objects that name a picture and its LaTeX, and objects of names and LaTeX.

A list is ``[{"images": PICTURE, "labels": LATEX}, ...]``, with these keys or others that
:mod:`inktex.data.formats.columns` knows, or such an object a line. An object is ``{NAME: LATEX, ...}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from inktex.data.formats.captions import split_word
from inktex.data.formats.columns import Columns
from inktex.data.formats.files import Files
from inktex.data.formats.json_rows import json_lines, object_columns, object_rows
from inktex.data.formats.picture_index import PictureIndex
from inktex.data.formats.pictures import without_suffix
from inktex.data.formats.records import Entry, Found, Part, Rejected
from inktex.data.formats.rows import to_parts
from inktex.data.formats.tokenizers import tokens_or_latex, well_formed
from inktex.errors import DataError

_WRITTEN = Columns("images", "labels")  # the keys that export writes


def find_json(files: Files) -> Found:
    """Find lists of objects with keys that are known; where there are none, objects of names and LaTeX."""
    pictures = PictureIndex(files)
    lists: list[Part] = []
    tables: list[tuple[str, dict[str, str]]] = []
    faults: list[Rejected] = []
    for name in files.named(".json"):
        split = split_word(PurePosixPath(name).stem)
        try:
            value = _value(files.read_text(name))
        except (DataError, ValueError, RecursionError) as error:
            faults.append(Rejected(name, f"it cannot be read as JSON: {error}"))
            continue
        if isinstance(value, list):
            try:
                columns = object_columns(value)
            except DataError as error:
                if name == files.chosen:  # other lists may hold anything
                    faults.append(Rejected(name, str(error)))
                continue
            cut = tokens_or_latex if columns[:2] == _WRITTEN[:2] else well_formed
            lists += to_parts(files, name, split, object_rows(value, name, "entry", columns), pictures, cut)
        elif _is_table(value):
            tables.append((name, value))
    parts = lists or [part for name, value in tables if (part := _table(files, name, value, pictures))]
    return Found(tuple(parts), pictures.rest("no label names it"), tuple(faults))


def _value(text: str) -> Any:
    """Return what JSON holds; several objects after one another, a line each, are a list.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return json.loads(text)
    except ValueError:
        first, _, rest = text.strip().partition("\n")
        if not rest or not first.startswith("{"):
            raise
        json.loads(first)
        return json_lines(text)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(each, str) for each in value.values())


def _table(files: Files, name: str, value: dict[str, str], pictures: PictureIndex) -> Part | None:
    """Return an object of names and LaTeX; None if it names no picture, since it may hold anything then."""
    entries = tuple(_tabled(files, name, value, pictures))
    return Part("", entries, tokens_or_latex) if any(isinstance(each, Entry) for each in entries) else None


def _tabled(
    files: Files, name: str, value: dict[str, str], pictures: PictureIndex
) -> Iterator[Entry | Rejected]:
    for called, label in value.items():
        where = f"{name}, {called}"
        try:
            found = pictures.find(called, name)
        except DataError as error:
            yield Rejected(where, str(error))
            continue
        pictures.take(found)
        stem = without_suffix(PurePosixPath(found).name)
        yield Entry(stem, label, where, found, partial(files.read, found))
