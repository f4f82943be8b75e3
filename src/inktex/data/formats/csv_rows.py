"""Rows of CSV and TSV with a header; fields with a delimiter, a quote or a line break stand in quotes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from inktex.data.formats.columns import Columns, find_columns, lacking
from inktex.data.formats.files import LARGEST_FILE_BYTES
from inktex.data.formats.records import Rejected
from inktex.data.formats.rows import Row
from inktex.errors import DataError

SUFFIXES = (".csv", ".tsv")
_DELIMITERS = {".csv": (",", ";", "\t"), ".tsv": ("\t", ",")}  # a spreadsheet's export has its own idea
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}


def csv_rows(text: str, name: str) -> Iterator[Row | Rejected]:
    """Yield the rows of a table.

    Args:
        text: what the table holds.
        name: the table.

    Raises:
        DataError: no delimiter gives columns that are known.
    """
    delimiter, columns = _header(text, _DELIMITERS[PurePosixPath(name).suffix.lower()])
    return _rows(text, name, delimiter, columns)


def _header(text: str, delimiters: tuple[str, ...]) -> tuple[str, Columns]:
    """Return what separates the fields of a table, and its columns.

    Raises:
        DataError: no delimiter gives columns that are known.
    """
    headers: list[list[str]] = []
    for delimiter in delimiters:
        line = next(io.StringIO(text, newline=""), "")
        try:
            header = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise DataError(f"its header cannot be read: {error}") from None
        if columns := find_columns(header, header, header):
            return delimiter, columns
        headers.append(header)
    raise DataError(lacking(headers[0]))


def _rows(text: str, name: str, delimiter: str, columns: Columns) -> Iterator[Row | Rejected]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = next(reader)
    places = [None if column is None else header.index(column) for column in columns]
    while True:
        first = reader.line_num + 1
        problem = None
        try:
            with _long_fields():
                fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"its fields cannot be told apart: {error}"
        where = f"{name}, line {first}" + (f" to {reader.line_num}" if reader.line_num > first else "")
        if problem is None and not any(field.strip() for field in fields):
            continue
        if problem is None and len(fields) != len(header):
            problem = (
                f"it has {len(fields)} fields and the header {len(header)}; "
                f"a field with a {_NAMES[delimiter]} in it must stand in quotes"
            )
        if problem is not None:
            yield Rejected(where, problem)
            continue
        picture, label, own_id, split = ("" if place is None else fields[place].strip() for place in places)
        if picture:
            yield Row(where, first, picture, label, own_id, split)
        else:
            yield Rejected(where, "it names no picture")


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let fields be as long as files may be, such as pictures in data URLs."""
    before = csv.field_size_limit(LARGEST_FILE_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)
