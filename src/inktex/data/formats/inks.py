"""InkML files as samples: those of CROHME, and those of MathWriting, which name their split themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from inktex.data.dataset import Sample
from inktex.data.formats.files import Files
from inktex.data.formats.pictures import draw
from inktex.data.formats.records import Rejected
from inktex.data.formats.split_names import folder_split, usual_name
from inktex.errors import DataError, InktexError
from inktex.ink.inkml import read_inkml
from inktex.latex.normalize import normalize


@dataclass(frozen=True)
class InkFile:
    """An InkML file that is to be read.

    Attributes:
        name: the file.
        split: the sample's split, where the file does not name it.
        source: the sample's source.
        wanted: the only split that is wanted of files that name theirs, or None for any.
    """

    name: str
    split: str
    source: str
    wanted: str | None


def find_inks(files: Files, title: str, split: str | None, inferred: str) -> list[InkFile]:
    """Find the InkML files of a source.

    Where they lie in several folders that are named for splits, those are theirs.

    Args:
        files: the source.
        title: what the source is called.
        split: of several splits the one to take, else what to call all; None for all as they are.
        inferred: the split of files that lie in no such folder, if ``split`` is None.

    Raises:
        DataError: the files lie in folders of several splits, and none is the wanted one.
    """
    names = files.named(".inkml")
    folders = {name: folder_split(name) for name in names}
    several = {folder for folder in folders.values() if folder}
    wanted = None if split is None else usual_name(split)
    if len(several) < 2:
        folders = {}
    elif wanted is not None:
        names = [name for name in names if folders[name] == wanted]
        if not names:
            known = ", ".join(sorted(several))
            raise DataError(f"{title} has no split {split!r}; it has: {known}")
    return [
        InkFile(name, folders.get(name) or split or inferred, _group(name) or title, wanted) for name in names
    ]


def read_ink(files: Files, file: InkFile) -> Sample | Rejected:
    """Read an InkML file, bring its label into the dialect and draw it."""
    name = file.name
    try:
        document = read_inkml(files.read(name), "the file")
        if document.truth is None:
            return Rejected(name, "it has no truth annotation")
        own = usual_name(document.split)
        if own and file.wanted not in (None, own):
            return Rejected(name, f"its split is {own!r}")
        tokens = tuple(normalize(document.truth, document.mathml))
        image = draw(document.ink)
    except InktexError as error:
        return Rejected(name, str(error))
    return Sample(
        id=document.sample_id or PurePosixPath(name).stem,
        split=own or file.split,
        source=file.source,
        tokens=tokens,
        image=image,
        ink=document.ink,
        writer=document.writer,
        mathml=document.mathml,
    )


def _group(name: str) -> str:
    """Return the folder of a file, unless it is named for a split."""
    parent = PurePosixPath(name).parent
    return "" if folder_split(f"{parent.name}/x") else parent.name
