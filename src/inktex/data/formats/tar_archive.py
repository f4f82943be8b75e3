"""Tar archives, gzipped or not, read in place.

A gzipped archive can be read forwards only, and going back begins anew. The names therefore keep the order of
the archive, and whoever reads its files in that order reads it twice: once for the names, once for the files.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple, cast

from inktex.errors import DataError

SUFFIXES = (".tar", ".tar.gz", ".tgz")
MOST_FILES = 5_000_000
_GZIP = b"\x1f\x8b"
_LARGEST_HEADER_BYTES = 2**20


class _Place(NamedTuple):
    """Where the bytes of a file begin, and how many they are."""

    start: int
    size: int


class _Stream:
    """An archive's bytes; while names are read, no header may claim more than a megabyte."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.largest_read: int | None = _LARGEST_HEADER_BYTES

    def read(self, size: int = -1) -> bytes:
        if self.largest_read is not None and not 0 <= size <= self.largest_read:
            raise tarfile.ReadError("a header of more than a megabyte")
        return self._file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def is_tar(path: Path) -> bool:
    """Whether a file's name says that it is a tar archive."""
    return path.name.lower().endswith(SUFFIXES)


def open_tar(path: Path) -> tuple[list[str], Callable[[str], IO[bytes]]]:
    """Return the names of the regular files of an archive, in its order, and what opens one of them.

    Of several files with one name it is the last, as when unpacking.

    Raises:
        DataError: it is damaged, or has more than ``MOST_FILES`` files.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        zipped = file.read(len(_GZIP)) == _GZIP
    stream = _Stream(cast(IO[bytes], gzip.GzipFile(path)) if zipped else path.open("rb"))
    try:
        archive = tarfile.TarFile(fileobj=cast(IO[bytes], stream))
        places = _places(archive, path)
    except (tarfile.TarError, EOFError, zlib.error, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"{path} is no sound tar archive: {' '.join(str(error).split())}") from None
    stream.largest_read = None

    def open_one(name: str) -> IO[bytes]:
        member = tarfile.TarInfo(name)
        member.offset_data, member.size = places[name]
        opened = archive.extractfile(member)
        assert opened is not None
        return opened

    return list(places), open_one


def _places(archive: tarfile.TarFile, path: Path) -> dict[str, _Place]:
    places: dict[str, _Place] = {}
    while (member := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]  # or every header of the archive is kept
        if member.size < 0:
            raise tarfile.ReadError("a file of less than no bytes")
        if member.isreg() and not member.issparse():
            name = (
                member.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").removeprefix("./")
            )
            places.pop(name, None)
            places[name] = _Place(member.offset_data, member.size)
        if len(places) > MOST_FILES:
            raise DataError(f"{path} has more than {MOST_FILES:,} files")
    return places
