"""Labels that name the files of their pictures: image-to-latex's lists, and JSON.

image-to-latex: ``im2latex_formulas.norm.new.lst`` holds a label a line, and ``im2latex_train_filter.lst``,
``..._validate_filter.lst`` and ``..._test_filter.lst`` hold ``PICTURE NUMBER``, the number of a line from 0.
JSON is a list of ``{"images": PICTURE, "labels": LATEX}`` or an object of names and LaTeX; labels are raw.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from inktex.data.formats.captions import split_word
from inktex.data.formats.files import Files
from inktex.data.formats.pictures import by_stem, is_picture, without_suffix
from inktex.data.formats.records import Entry, Found, Part, Rejected
from inktex.data.formats.tokenizers import latex_tokens, whitespace
from inktex.data.splits import usual_split
from inktex.errors import DataError

_FILTER = "filter"
_FORMULAS = "formulas"
_PREFERRED = ("norm.new.lst", "norm.lst")  # of several files of labels, the normalised
_PICTURE, _LABEL = "images", "labels"  # keys of a JSON entry


class _Pictures:
    """The pictures of a source by path or by file name, and which of them have been asked for."""

    def __init__(self, files: Files) -> None:
        self._all = [name for name in files.names if is_picture(name)]
        self._by_path = dict.fromkeys(self._all)
        self._by_name = {PurePosixPath(name).name: name for name in reversed(self._all)}
        self._by_stem = by_stem(self._all)
        self._used: set[str] = set()

    def find(self, name: str, beside: str) -> str | None:
        """Return the picture that a file ``beside`` names, by path, file name or stem."""
        path = (PurePosixPath(beside).parent / name).as_posix()
        found = path if path in self._by_path else None
        found = found or self._by_name.get(PurePosixPath(name).name) or self._by_stem.get(name)
        if found:
            self._used.add(found)
        return found

    def rest(self, reason: str) -> tuple[Rejected, ...]:
        """Return the pictures that nobody asked for."""
        return tuple(Rejected(name, reason) for name in self._all if name not in self._used)


def find_im2latex(files: Files) -> Found:
    """Find image-to-latex's label list and filters."""
    names = [name for name in files.names if name.lower().endswith(".lst")]
    filters = [name for name in files.named(".lst") if _FILTER in PurePosixPath(name).stem.lower()]
    if not filters:  # the label list itself was named
        filters = [name for name in names if _FILTER in PurePosixPath(name).stem.lower()]
    pictures = _Pictures(files)
    parts = []
    for name in filters:
        formulas = _formulas_beside(name, names)
        if formulas is not None:
            split = usual_split(PurePosixPath(name).stem.lower())
            parts.append(Part(split, tuple(_filtered(files, name, formulas, pictures)), whitespace))
    return Found(tuple(parts), pictures.rest("no filter names it") if parts else ())


def _formulas_beside(name: str, names: Sequence[str]) -> str | None:
    folder = PurePosixPath(name).parent
    beside = [each for each in names if PurePosixPath(each).parent == folder and _FILTER not in each.lower()]
    formulas = [each for each in beside if _FORMULAS in PurePosixPath(each).name.lower()]
    preferred = [each for ending in _PREFERRED for each in formulas if each.lower().endswith(ending)]
    return next(iter(preferred + formulas), None)


def _filtered(files: Files, name: str, formulas: str, pictures: _Pictures) -> Iterator[Entry | Rejected]:
    try:
        labels = files.read_text(formulas).split("\n")
        lines = files.read_text(name).splitlines()
    except DataError as error:
        yield Rejected(name, f"it cannot be read with {formulas}: {error}")
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        picture, _, index = line.strip().rpartition(" ")
        if not picture or not (index.isascii() and index.isdigit()):
            yield Rejected(where, "it is not PICTURE NUMBER")
        elif int(index) >= len(labels):
            yield Rejected(where, f"{formulas} has no line {index}, counted from 0")
        else:
            yield _entry(files, pictures, picture.strip(), labels[int(index)], where)


def _entry(files: Files, pictures: _Pictures, picture: str, label: str, where: str) -> Entry | Rejected:
    found = pictures.find(picture, where)
    if found is None:
        return Rejected(where, f"there is no picture {picture}")
    return Entry(without_suffix(PurePosixPath(found).name), label, where, found, partial(files.read, found))


def find_json(files: Files) -> Found:
    """Find lists of ``{"images": ..., "labels": ...}``; where there are none, objects of names and LaTeX."""
    pictures = _Pictures(files)
    lists: list[Part] = []
    tables: list[Part] = []
    for name in files.named(".json"):
        split = split_word(PurePosixPath(name).stem)
        try:
            value = json.loads(files.read_text(name))
        except (DataError, ValueError, RecursionError) as error:
            lists.append(Part(split, (Rejected(name, f"it cannot be read as JSON: {error}"),), latex_tokens))
            continue
        if _is_list(value):
            entries = tuple(_listed(files, name, value, pictures))
            lists.append(Part(split, entries, latex_tokens))
        elif _is_table(value):
            tables.append(Part("", tuple(_tabled(files, name, value, pictures)), latex_tokens))
    parts = tuple(lists or tables)
    if not any(isinstance(entry, Entry) for part in parts for entry in part.entries):
        return Found(())
    return Found(parts, pictures.rest("no label names it"))


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and any(
        isinstance(each, dict) and _PICTURE in each and _LABEL in each for each in value
    )


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(each, str) for each in value.values())


def _listed(files: Files, name: str, value: list[Any], pictures: _Pictures) -> Iterator[Entry | Rejected]:
    for number, each in enumerate(value, start=1):
        where = f"{name}, entry {number}"
        picture, label = (each.get(_PICTURE), each.get(_LABEL)) if isinstance(each, dict) else (None, None)
        if isinstance(picture, str) and picture and isinstance(label, str):
            yield _entry(files, pictures, picture, label, where)
        else:
            yield Rejected(where, f'it is not {{"{_PICTURE}": PICTURE, "{_LABEL}": LATEX}}')


def _tabled(
    files: Files, name: str, value: dict[str, str], pictures: _Pictures
) -> Iterator[Entry | Rejected]:
    for picture, label in value.items():
        yield _entry(files, pictures, picture, label, f"{name}, {picture}")
