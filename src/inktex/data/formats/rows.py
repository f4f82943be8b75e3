"""Rows of tables, as CSV and JSON have them: what a row says, and the expressions that all of them make."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

from inktex.data.formats.files import Files
from inktex.data.formats.picture_index import PictureIndex
from inktex.data.formats.pictures import without_suffix
from inktex.data.formats.records import MOST_ROWS, Entry, Part, Rejected
from inktex.data.formats.split_names import usual_name
from inktex.data.formats.tokenizers import Tokenizer
from inktex.errors import DataError


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        where: the table and the row's number, for messages.
        number: the row's number.
        picture: the name of a picture, or a data URL.
        label: the label as it stands there.
        id: the name of the expression, or "" for the picture's.
        split: the split, or "" for the table's.
    """

    where: str
    number: int
    picture: str
    label: str
    id: str = ""
    split: str = ""


def to_parts(
    files: Files,
    name: str,
    split: str,
    rows: Iterable[Row | Rejected],
    pictures: PictureIndex,
    cut: Tokenizer,
) -> list[Part]:
    """Join the rows of a table with their pictures, and return a part for each split that rows name.

    Args:
        files: where the pictures are.
        name: the table.
        split: the split of rows that name none, or "".
        rows: what the table holds.
        pictures: all pictures; those that rows name are marked.
        cut: makes tokens of the labels.
    """
    by_split: dict[str, list[Entry | Rejected]] = {}
    for count, row in enumerate(rows, start=1):
        if count > MOST_ROWS:
            return [Part(split, (Rejected(name, f"it has more than {MOST_ROWS:,} rows"),), cut)]
        if isinstance(row, Rejected):
            by_split.setdefault(split, []).append(row)
        else:
            own = usual_name(row.split) or split
            by_split.setdefault(own, []).append(_entry(files, name, row, own, pictures))
    return [Part(own, tuple(entries), cut) for own, entries in by_split.items()]


def picture_from_url(url: str) -> bytes:
    """Return the bytes in a data URL.

    Raises:
        DataError: it is not base64.
    """
    head, _, body = url.partition(",")
    if not head.lower().endswith(";base64"):
        raise DataError("its picture is a data URL that is not base64")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise DataError("its picture is a data URL whose base64 is damaged") from None


def is_data_url(text: str) -> bool:
    """Whether a text holds a picture itself, and does not name one."""
    return text[:5].lower() == "data:"


def _entry(files: Files, table: str, row: Row, split: str, pictures: PictureIndex) -> Entry | Rejected:
    if is_data_url(row.picture):
        made = f"{PurePosixPath(table).stem}-{row.number}"
        return Entry(row.id or made, row.label, row.where, row.where, partial(picture_from_url, row.picture))
    try:
        found = pictures.find(row.picture, table, split)
    except DataError as error:
        return Rejected(row.where, str(error))
    if not pictures.take(found):
        return Rejected(row.where, f"there is a second label for {found}")
    stem = without_suffix(PurePosixPath(found).name)
    return Entry(row.id or stem, row.label, row.where, found, partial(files.read, found))
