"""Any data set of the field -> samples: the layout is recognised, and everything in it read or accounted for.

A source is a folder, a zip archive (read in place, never unpacked to disk) or one file of a layout. What
cannot be used is passed over and named with its reason; nothing is passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from inktex.data.dataset import Sample
from inktex.data.formats.captions import find_bare_captions, find_captions, find_texts, find_with_labels
from inktex.data.formats.files import Files, open_files
from inktex.data.formats.lists import find_im2latex, find_json
from inktex.data.formats.pickles import find_pickles
from inktex.data.formats.pictures import PICTURE_SUFFIXES, draw
from inktex.data.formats.records import Found, Part, Rejected, read_entry
from inktex.data.formats.tokenizers import Tokenizer
from inktex.errors import DataError, InktexError
from inktex.ink.inkml import read_inkml
from inktex.latex.normalize import normalize

__all__ = ["PICTURE_SUFFIXES", "Rejected", "Source", "read_source"]

_INSTEAD = "the pictures beside it are read instead; name the file itself to import it"
_Task = Callable[[], Sample | Rejected]


@dataclass(frozen=True)
class Source:
    """An opened source: its length is known at once, each item is read when its turn comes."""

    tasks: Sequence[_Task]

    def __len__(self) -> int:
        return len(self.tasks)

    def __iter__(self) -> Iterator[Sample | Rejected]:
        return (task() for task in self.tasks)


def read_source(
    path: Path | str, split: str | None = None, labels: Path | None = None, cut: Tokenizer | None = None
) -> Source:
    """Open a data set; docs/data.md lists the layouts that are recognised.

    Of the layouts of pictures the first that fits is read; every ``.inkml`` file besides is an expression.
    The order is that of the names, and within a list that of its lines.

    Args:
        path: the folder or file.
        split: of several splits the one to take; for InkML, for a single list, and where the layout names no
            split, what to call it. Without it: all splits, and a name from the name of the source.
        labels: the list of labels of the pictures or pickles in ``path``, if it does not lie beside them.
        cut: makes tokens of the labels of pictures, in place of what suits the layout.

    Raises:
        DataError: no such path, a damaged archive or pickle, nothing to import, or no split of that name.
    """
    path = Path(path)
    files = open_files(path)
    inks = files.named(".inkml")
    found = _recognise(files, labels)
    if not found.parts and not inks:
        raise DataError(
            f"{path} holds neither InkML files nor pictures with labels in a layout that is known"
        )
    label = split or _infer_split(path, inks)
    tasks: list[_Task] = []
    one_list = files.chosen is not None or labels is not None  # nothing is left to choose: the name is theirs
    for part in found.parts if one_list else _choose(found.parts, split, path):
        name = (split if one_list else None) or part.split or label
        tasks.extend(_tasks(part, name, path.stem, cut))
    if split is None:
        tasks.extend(partial(_same, rejected) for rejected in found.rest)
    if split is None or not found.parts:
        tasks.extend(partial(_read_ink, files, name, label, _parent(name) or path.stem) for name in inks)
    return Source(tasks)


def _recognise(files: Files, labels: Path | None) -> Found:
    """Return what the first layout that fits finds.

    Pictures come before pickles, which are made of them, and lists before what nothing else explains.
    """
    if labels is not None:
        pickled = find_pickles(files, labels)
        return pickled if pickled.parts else find_with_labels(files, labels)
    pictures = find_captions(files)
    if pictures.parts:
        pickles = files.named(".pkl", ".list")
        return Found(pictures.parts, tuple(Rejected(name, _INSTEAD) for name in pickles))
    for find in (partial(find_pickles, labels=None), find_im2latex, find_json, find_texts):
        found = find(files)
        if found.parts:
            return found
    return find_bare_captions(files)


def _choose(parts: Sequence[Part], split: str | None, path: Path) -> Sequence[Part]:
    """Return the parts of the wanted split; where the layout names none, they take any name."""
    if split is None or all(not part.split for part in parts):
        return parts
    chosen = [part for part in parts if part.split == split]
    if not chosen:
        known = ", ".join(sorted({part.split for part in parts if part.split}))
        raise DataError(f"{path} has no split {split!r}; it has: {known}")
    return chosen


def _tasks(part: Part, split: str, source: str, cut: Tokenizer | None) -> Iterator[_Task]:
    for entry in part.entries:
        if isinstance(entry, Rejected):
            yield partial(_same, entry)
        else:
            yield partial(read_entry, entry, split, source, cut or part.cut)


def _same(rejected: Rejected) -> Rejected:
    return rejected


def _infer_split(path: Path, inks: Sequence[str]) -> str:
    """Return "train", a year, "val" or "test" from the name of the source or of a folder within, else ""."""
    for name in (path.resolve().name, *sorted({name.partition("/")[0] for name in inks if "/" in name})):
        for pattern in ("train", r"20\d\d", "val", "test"):
            if found := re.search(pattern, name.lower()):
                return found[0]
    return ""


def _parent(name: str) -> str:
    return PurePosixPath(name).parent.name


def _read_ink(files: Files, name: str, split: str, source: str) -> Sample | Rejected:
    try:
        document = read_inkml(files.read(name), "the file")
        if document.truth is None:
            return Rejected(name, "it has no truth annotation")
        tokens = tuple(normalize(document.truth, document.mathml))
        image = draw(document.ink)
    except InktexError as error:
        return Rejected(name, str(error))
    return Sample(
        id=PurePosixPath(name).stem,
        split=split,
        source=source,
        tokens=tokens,
        image=image,
        ink=document.ink,
        writer=document.writer,
        mathml=document.mathml,
    )
