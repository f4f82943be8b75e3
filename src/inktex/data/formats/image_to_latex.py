"""image-to-latex's lists: labels by number, and the pictures that have them.

``im2latex_formulas.norm.new.lst`` holds a label a line, and ``im2latex_train_filter.lst``,
``..._validate_filter.lst`` and ``..._test_filter.lst`` hold ``PICTURE NUMBER``, the number of a line from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath

from inktex.data.formats.files import Files
from inktex.data.formats.picture_index import PictureIndex
from inktex.data.formats.pictures import without_suffix
from inktex.data.formats.records import Entry, Found, Part, Rejected, caption_part
from inktex.data.splits import usual_split
from inktex.errors import DataError

_FILTER = "filter"
_FORMULAS = "formulas"
_PREFERRED = ("norm.new.lst", "norm.lst")  # of several files of labels, the normalised
_MOST_DIGITS = 9  # of a line's number


def find_im2latex(files: Files) -> Found:
    """Find image-to-latex's label list and filters."""
    names = [name for name in files.names if name.lower().endswith(".lst")]
    filters = [name for name in files.named(".lst") if _FILTER in PurePosixPath(name).stem.lower()]
    if not filters and files.named(".lst"):  # the label list itself was named
        filters = [name for name in names if _FILTER in PurePosixPath(name).stem.lower()]
    pictures = PictureIndex(files)
    parts: list[Part] = []
    for name in filters:
        formulas = _formulas_beside(name, names)
        if formulas is not None:
            split = usual_split(PurePosixPath(name).stem.lower())
            parts.append(caption_part(split, _filtered(files, name, formulas, pictures)))
    return Found(tuple(parts), pictures.rest("no filter names it") if parts else ())


def _formulas_beside(name: str, names: Sequence[str]) -> str | None:
    folder = PurePosixPath(name).parent
    beside = [each for each in names if PurePosixPath(each).parent == folder and _FILTER not in each.lower()]
    formulas = [each for each in beside if _FORMULAS in PurePosixPath(each).name.lower()]
    preferred = [each for ending in _PREFERRED for each in formulas if each.lower().endswith(ending)]
    return next(iter(preferred + formulas), None)


def _filtered(files: Files, name: str, formulas: str, pictures: PictureIndex) -> Iterator[Entry | Rejected]:
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
        elif len(index) > _MOST_DIGITS or int(index) >= len(labels):
            yield Rejected(where, f"{formulas} has no line {index[:20]}, counted from 0")
        else:
            try:
                found = pictures.find(picture.strip(), name)
            except DataError as error:
                yield Rejected(where, str(error))
                continue
            pictures.take(found)
            stem = without_suffix(PurePosixPath(found).name)
            yield Entry(stem, labels[int(index)], where, found, partial(files.read, found))
