"""Tables of pictures and labels: which columns, or keys of JSON objects, hold what.

Columns are known by their names, whatever their case, underscores, hyphens and spaces. Where several fit, the
first of these lists is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

PICTURES: tuple[str, ...] = (
    "image",
    "images",
    "img",
    "picture",
    "file_name",
    "image_path",
    "image_file",
    "image_name",
    "file_path",
    "file",
    "path",
    "png",
    "jpg",
)
LABELS: tuple[str, ...] = (
    "latex",
    "latex_formula",
    "formula",
    "latex_code",
    "equation",
    "normalized_label",
    "text",
    "label",
    "labels",
    "caption",
    "ground_truth",
    "gt",
    "transcription",
)
IDS: tuple[str, ...] = ("id", "sample_id", "uid")
SPLITS: tuple[str, ...] = ("split",)


class Columns(NamedTuple):
    """Which columns of a table hold what.

    Attributes:
        picture: the picture, or where it lies.
        label: the label.
        id: the name of the expression, or None.
        split: its split, or None.
    """

    picture: str
    label: str
    id: str | None = None
    split: str | None = None


def find_columns(pictures: Iterable[str], labels: Iterable[str], others: Iterable[str]) -> Columns | None:
    """Return the columns of a table, or None if it has none for pictures or none for labels.

    Args:
        pictures: columns that can hold pictures.
        labels: columns that can hold labels.
        others: all columns.
    """
    all_columns = list(others)
    picture, label = _first(pictures, PICTURES), _first(labels, LABELS)
    if picture is None or label is None:
        return None
    return Columns(picture, label, _first(all_columns, IDS), _first(all_columns, SPLITS))


def lacking(columns: Iterable[str]) -> str:
    """Return the sentence that a table has no columns that are known."""
    names = ", ".join(name.strip()[:40] for name in columns)
    return (
        f"it needs a column for pictures ({', '.join(PICTURES[:5])}, ...) and one for labels "
        f"({', '.join(LABELS[:3])}, text, label, ...), and has: {names[:200] or 'none'}"
    )


def _first(columns: Iterable[str], wanted: Iterable[str]) -> str | None:
    plain = {_plain(column): column for column in reversed(list(columns))}
    return next((plain[_plain(name)] for name in wanted if _plain(name) in plain), None)


def _plain(name: str) -> str:
    return re.sub(r"[_\-\s]", "", name).lower()
