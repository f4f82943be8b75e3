"""Readers of the field's data sets: CROHME's InkML, and pictures with a ``caption.txt`` (CoMER's layout).

A source is a folder or a zip archive (read in place, never unpacked to disk). A file that cannot be used is
passed over and named with its reason; nothing is passed over in silence.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import numpy.typing as npt

from inktex import image as picture_file
from inktex.data.dataset import Sample
from inktex.errors import DataError, InktexError
from inktex.ink import Ink, rasterize
from inktex.inkml import read_inkml
from inktex.latex_normalize import normalize

CAPTION_FILE = "caption.txt"
PICTURE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"))
SYMBOL_SIZE_PX = 40.0
PEN_WIDTH_PX = 4.0
_LARGEST_FILE_BYTES = 64 * 2**20
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Rejected:
    """A file that was passed over.

    Attributes:
        name: the file within the source.
        reason: why, without the name.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Source:
    """An opened source: its length is known at once, each item is read when its turn comes."""

    tasks: Sequence[Callable[[], Sample | Rejected]]

    def __len__(self) -> int:
        return len(self.tasks)

    def __iter__(self) -> Iterator[Sample | Rejected]:
        return (task() for task in self.tasks)


def read_source(path: Path | str, split: str | None = None) -> Source:
    """Open a folder, a zip archive or a single InkML file.

    Pictures go with the ``caption.txt`` of their split (``SPLIT/caption.txt`` and ``SPLIT/img/NAME.png``, at
    any depth); every ``.inkml`` file is an expression. The order is that of the names.

    Args:
        path: the folder or file.
        split: of several splits with captions the one to take; for InkML, and for captions outside any
            folder, what to call the split. Without it: all splits, and a name from the name of the source.

    Raises:
        DataError: no such path, a damaged archive, nothing to import in it, or no split of that name.
    """
    path = Path(path)
    files = _open(path)
    captions = [name for name in files.names if PurePosixPath(name).name == CAPTION_FILE]
    inks = [name for name in files.names if name.lower().endswith(".inkml")]
    if not captions and not inks:
        raise DataError(f"{path} holds neither InkML files nor a {CAPTION_FILE}")
    label = split or _infer_split(path, inks)
    tasks: list[Callable[[], Sample | Rejected]] = []
    for caption in _choose(captions, split, path):
        tasks.extend(_caption_tasks(files, caption, label, path.stem))
    if split is None or not captions:
        tasks.extend(partial(_read_ink, files, name, label, _parent(name) or path.stem) for name in inks)
    return Source(tasks)


@dataclass(frozen=True)
class _Files:
    """The files of a folder or archive: sorted names with forward slashes, and how to read one."""

    names: tuple[str, ...]
    read: Callable[[str], bytes]


def _open(path: Path) -> _Files:
    try:
        if path.is_dir():
            found = (file.relative_to(path) for file in path.rglob("*") if file.is_file())
            visible = {_to_text(file): path / file for file in found if not _is_hidden(file.parts)}
            return _Files(tuple(sorted(visible)), lambda name: _read_file(visible[name]))
        if path.suffix.lower() == ".inkml" and path.is_file():
            return _Files((path.name,), lambda _: _read_file(path))
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DataError(f"{path} is no folder, InkML file or sound zip archive: {error}") from None
    entries = (entry.filename for entry in archive.infolist() if not entry.is_dir())
    names = sorted({name for name in entries if not _is_hidden(PurePosixPath(name).parts)})
    return _Files(tuple(names), partial(_read_entry, archive))


def _to_text(file: Path) -> str:
    """Return the path with forward slashes; bytes that are not UTF-8 become "?"."""
    return file.as_posix().encode("utf-8", "replace").decode()


def _is_hidden(parts: Sequence[str]) -> bool:
    return any(part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in parts)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror or error}") from None
    return _bounded(data)


def _read_entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read one entry; the bound holds whatever size the archive claims."""
    try:
        with archive.open(name) as file:
            data = file.read(_LARGEST_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise DataError(f"the archive's entry is damaged or encrypted: {error}") from None
    return _bounded(data)


def _bounded(data: bytes) -> bytes:
    if len(data) > _LARGEST_FILE_BYTES:
        raise DataError(f"it is larger than {_LARGEST_FILE_BYTES >> 20} MiB")
    return data


def _infer_split(path: Path, inks: Sequence[str]) -> str:
    """Return "train", a year, "val" or "test" from the name of the source or of a folder within, else ""."""
    for name in (path.resolve().name, *sorted({name.partition("/")[0] for name in inks if "/" in name})):
        for pattern in ("train", r"20\d\d", "val", "test"):
            if found := re.search(pattern, name.lower()):
                return found[0]
    return ""


def _parent(name: str) -> str:
    return PurePosixPath(name).parent.name


def _choose(captions: Sequence[str], split: str | None, path: Path) -> Sequence[str]:
    """Return the caption files of the wanted split; one outside any folder takes any name."""
    if split is None or all(not _parent(caption) for caption in captions):
        return captions
    chosen = [caption for caption in captions if _parent(caption) == split]
    if not chosen:
        known = ", ".join(sorted(_parent(caption) for caption in captions))
        raise DataError(f"{path} has no split {split!r}; it has: {known}")
    return chosen


def _read_ink(files: _Files, name: str, split: str, source: str) -> Sample | Rejected:
    try:
        document = read_inkml(files.read(name), "the file")
        if document.truth is None:
            return Rejected(name, "it has no truth annotation")
        tokens = tuple(normalize(document.truth, document.mathml))
        image = _encode(document.ink)
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


def _encode(ink: Ink) -> bytes:
    """Draw the ink as 8-bit PNG, white on black as the field's own picture sets are."""
    return _to_png(rasterize(ink, SYMBOL_SIZE_PX, PEN_WIDTH_PX))


def _to_png(grey: npt.NDArray[np.float32]) -> bytes:
    return bytes(cv2.imencode(".png", np.rint(grey * 255).astype(np.uint8))[1])


def _caption_tasks(
    files: _Files, caption: str, label: str, source: str
) -> Iterator[Callable[[], Sample | Rejected]]:
    """Yield a task for each caption, then one for each picture that has none."""
    folder = PurePosixPath(caption).parent
    below = "" if folder.name == "" else f"{folder}/"
    pictures: dict[str, str] = {}
    for name in files.names:
        if name.startswith(f"{below}img/") and PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES:
            pictures.setdefault(PurePosixPath(name).stem, name)
    try:
        lines = files.read(caption).decode("utf-8-sig").splitlines()
    except (DataError, UnicodeDecodeError) as error:
        yield partial(Rejected, caption, f"it cannot be read as captions: {error}")
        return
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, _, latex = (part.strip() for part in line.partition("\t"))
        stem = name.removesuffix(PurePosixPath(name).suffix) if _is_picture(name) else name
        where = f"{caption}, line {number}"
        if not latex or not name:
            yield partial(Rejected, where, "it is not NAME<TAB>TOKENS")
        elif stem in seen:
            yield partial(Rejected, where, f"there is a second caption for {stem}")
        elif stem not in pictures:
            yield partial(Rejected, where, f"there is no picture {below}img/{stem}.png")
        else:
            yield partial(
                _read_picture, files, pictures[stem], stem, folder.name or label, source, tuple(latex.split())
            )
        seen.add(stem)
    for stem, name in pictures.items():
        if stem not in seen:
            yield partial(Rejected, name, f"there is no caption for it in {caption}")


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES


def _read_picture(
    files: _Files, name: str, stem: str, split: str, source: str, tokens: tuple[str, ...]
) -> Sample | Rejected:
    """Read a picture; a sound PNG is kept as it is, anything else becomes one."""
    try:
        data = files.read(name)
        picture = picture_file.decode(data, "the file")
    except InktexError as error:
        return Rejected(name, str(error))
    image = data if data.startswith(_PNG_SIGNATURE) else _to_png(picture)
    return Sample(stem, split, source, tokens, image, None)
