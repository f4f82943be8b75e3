"""Any data set of the field -> samples: the layout is recognised, and everything in it read or accounted for.

A source is a folder, an archive (read in place, never unpacked to disk) or one file of a layout. What
cannot be used is passed over and named with its reason; nothing is passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from inktex.data.dataset import Sample
from inktex.data.formats.captions import find_bare_captions, find_captions, find_texts, find_with_labels
from inktex.data.formats.files import Files, open_files
from inktex.data.formats.image_to_latex import find_im2latex
from inktex.data.formats.inks import find_inks, read_ink
from inktex.data.formats.json_lists import find_json
from inktex.data.formats.parquet import find_parquet
from inktex.data.formats.pickles import find_pickles
from inktex.data.formats.pictures import PICTURE_SUFFIXES, is_picture
from inktex.data.formats.records import Entry, Found, Later, Part, Rejected, read_entry
from inktex.data.formats.split_names import usual_name
from inktex.data.formats.tables import find_tables
from inktex.data.formats.tokenizers import Tokenizer
from inktex.errors import DataError

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
    The order is that of the names (in a tar archive its own), and within a list that of its lines.

    Args:
        path: the folder or file.
        split: of several splits the one to take; for a single list, and where neither the layout nor an ink
            names a split, what to call it. Without it: all splits, and a name from the name of the source.
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
        raise DataError(_nothing(path, found))
    title = Path(path.name.removesuffix(".gz")).stem
    label = split or _infer_split(path, inks)
    tasks: list[_Task] = []
    # Where nothing is left to choose, the name is for all.
    one_list = (files.chosen is not None or labels is not None) and len(found.parts) == 1
    for part in found.parts if one_list else _choose(found.parts, split, path):
        name = (split if one_list else None) or part.split or label
        tasks.extend(_tasks(part, name, title, cut))
    if split is None and found.parts:
        tasks.extend(partial(_same, rejected) for rejected in (*found.faults, *found.rest))
    if split is None or not found.parts:
        tasks.extend(partial(read_ink, files, ink) for ink in find_inks(files, title, split, label))
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
    finders: list[Callable[[Files], Found]] = [partial(find_pickles, labels=None), find_im2latex]
    if not files.named(".inkml") or any(map(is_picture, files.names)):  # MathWriting's tables are no labels
        finders += [find_tables, find_json, find_parquet]
    attempts: list[Found] = []
    for find in (*finders, find_texts, find_bare_captions):
        found = find(files)
        if found.has_entries:
            return found
        attempts.insert(0, found)
    faults = tuple(fault for found in reversed(attempts) for fault in found.faults)
    return next((found for found in attempts if found.parts), Found((), faults=faults))


def _nothing(path: Path, found: Found) -> str:
    """Return the sentence that nothing can be imported, with the reason if one file all but fits."""
    fault = next(iter(found.faults), None)
    if fault is not None and fault.name == path.name:
        return f"{path} cannot be imported: {fault.reason}"
    told = f"{path} holds neither InkML files nor pictures with labels in a layout that is known"
    return f"{told}; of {fault.name}: {fault.reason}" if fault is not None else told


def _choose(parts: Sequence[Part], split: str | None, path: Path) -> Sequence[Part]:
    """Return the parts of the wanted split; where the layout names none, they take any name."""
    if split is None or all(not part.split for part in parts):
        return parts
    chosen = [part for part in parts if part.split in (split, usual_name(split))]
    if not chosen:
        known = ", ".join(sorted({part.split for part in parts if part.split}))
        raise DataError(f"{path} has no split {split!r}; it has: {known}")
    return chosen


def _tasks(part: Part, split: str, source: str, cut: Tokenizer | None) -> Iterator[_Task]:
    for entry in part.entries:
        if isinstance(entry, Rejected):
            yield partial(_same, entry)
        else:
            yield partial(_read, entry, split, source, cut or part.cut)


def _read(entry: Entry | Later, split: str, source: str, cut: Tokenizer) -> Sample | Rejected:
    found = entry if isinstance(entry, Entry) else entry()
    return found if isinstance(found, Rejected) else read_entry(found, split, source, cut)


def _same(rejected: Rejected) -> Rejected:
    return rejected


def _infer_split(path: Path, inks: Sequence[str]) -> str:
    """Return "train", a year, "val" or "test" from the name of the source or of a folder within, else ""."""
    for name in (path.resolve().name, *sorted({name.partition("/")[0] for name in inks if "/" in name})):
        for pattern in ("train", r"20\d\d", "val", "test"):
            if found := re.search(pattern, name.lower()):
                return found[0]
    return ""
