"""The files of a source: a folder, an archive (read in place), or one file with what lies beside it."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from inktex.data.formats.tar_archive import SUFFIXES, is_tar, open_tar
from inktex.errors import DataError

LARGEST_FILE_BYTES = 64 * 2**20
SINGLE_SUFFIXES = frozenset(
    (".csv", ".inkml", ".json", ".jsonl", ".list", ".lst", ".ndjson", ".parquet", ".pkl", ".tsv", ".txt")
)
_NAMES_PATHS = frozenset((".csv", ".json", ".jsonl", ".ndjson", ".tsv"))  # such as images/train/a.png
DAMAGED = (  # what reading a damaged archive raises, besides OSError
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


@dataclass(frozen=True)
class Files:
    """Named files that can be read.

    Attributes:
        names: sorted (in a tar archive as they come), with forward slashes; hidden files are left out.
        open: returns a stream of the bytes of a name.
        chosen: the one file that the user named in place of a folder or archive, or None.
    """

    names: tuple[str, ...]
    open: Callable[[str], IO[bytes]]
    chosen: str | None = None

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return what a file holds.

        Args:
            name: one of ``names``.
            limit: the most bytes it may have, ``LARGEST_FILE_BYTES`` unless told; it holds whatever size an
                archive claims.

        Raises:
            DataError: it cannot be read, is damaged, encrypted or too large; the name is not in the sentence.
        """
        limit = LARGEST_FILE_BYTES if limit is None else limit
        try:
            with self.open(name) as file:
                data = file.read(limit + 1)
        except DAMAGED as error:
            raise DataError(f"the archive's entry is damaged or encrypted: {error}") from None
        except OSError as error:
            raise DataError(f"it cannot be read: {error.strerror or error}") from None
        if len(data) > limit:
            raise DataError(f"it is larger than {limit >> 20} MiB")
        return data

    def read_text(self, name: str) -> str:
        """Return what a file in UTF-8 holds, without a byte order mark.

        Raises:
            DataError: as for :meth:`read`, or it is not UTF-8.
        """
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"it is not text in UTF-8: {error.reason} at byte {error.start}") from None

    def named(self, *suffixes: str) -> list[str]:
        """Return the names with one of these suffixes; of a single file that was named only itself."""
        names = self.names if self.chosen is None else (self.chosen,)
        return [name for name in names if PurePosixPath(name).suffix.lower() in suffixes]


def open_files(path: Path) -> Files:
    """Open a folder (searched at any depth), a zip or tar archive, or a file that stands for its layout.

    Of a single file other than InkML, the files beside it and in the folders beside it belong to it.

    Raises:
        DataError: no such path, a folder that cannot be read, or neither a file of a known kind nor a sound
            archive.
    """
    try:
        if path.is_dir():
            return _on_disk(path, (file for file in path.rglob("*") if file.is_file()))
        if path.suffix.lower() in SINGLE_SUFFIXES and path.is_file():
            return _single(path)
        if is_tar(path):
            found, open_one = open_tar(path)
            return Files(tuple(_visible(found)), open_one)
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DataError(
            f"{path} is no folder, sound archive (.zip, {', '.join(SUFFIXES)}) or file of a layout "
            f"({', '.join(sorted(SINGLE_SUFFIXES))}): {error}"
        ) from None
    names = {entry.filename for entry in archive.infolist() if entry.filename and not entry.is_dir()}
    return Files(tuple(sorted(_visible(names))), partial(archive.open, mode="r"))


def _single(path: Path) -> Files:
    if path.suffix.lower() == ".inkml":
        return Files((path.name,), lambda _: path.open("rb"), path.name)
    patterns = ["*", "*/*", "*/*/*"] if path.suffix.lower() in _NAMES_PATHS else ["*", "*/*"]
    near = (file for pattern in patterns for file in path.parent.glob(pattern) if file.is_file())
    return _on_disk(path.parent, near, path.name)


def _on_disk(folder: Path, found: Iterable[Path], chosen: str | None = None) -> Files:
    relative = (file.relative_to(folder) for file in found)
    visible = {_to_text(file): folder / file for file in relative if not _is_hidden(file.parts)}
    return Files(tuple(sorted(visible)), lambda name: visible[name].open("rb"), chosen)


def _visible(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if not _is_hidden(PurePosixPath(name).parts))


def _to_text(file: Path) -> str:
    """Return the path with forward slashes; bytes that are not UTF-8 become "?"."""
    return file.as_posix().encode("utf-8", "replace").decode()


def _is_hidden(parts: Sequence[str]) -> bool:
    return any(part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in parts)
