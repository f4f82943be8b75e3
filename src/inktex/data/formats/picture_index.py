"""The pictures of a source, found by what lists call them."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath

from inktex.data.formats.files import Files
from inktex.data.formats.pictures import is_picture, without_suffix
from inktex.data.formats.records import Rejected
from inktex.data.formats.split_names import folder_split
from inktex.errors import DataError


class PictureIndex:
    """The pictures of a source by path, by file name and by stem, and which of them have a label."""

    def __init__(self, files: Files) -> None:
        self._all = [name for name in files.names if is_picture(name)]
        self._paths = frozenset(self._all)
        self._by_name: dict[str, list[str]] = {}
        for name in self._all:
            file = PurePosixPath(name).name
            self._by_name.setdefault(file, []).append(name)
            self._by_name.setdefault(without_suffix(file), []).append(name)
        self._taken: set[str] = set()

    def find(self, name: str, beside: str, split: str = "") -> str:
        """Return the picture that a list calls by path, file name or stem.

        A path is one from the list or from the top of the source. A file name alone may lie anywhere, if only
        one picture has it; what lies below the list comes first, and what lies in a folder of another split
        is not meant.

        Args:
            name: what the list says.
            beside: the list.
            split: the split the picture belongs to, or "".

        Raises:
            DataError: there is no such picture, or more than one.
        """
        below = PurePosixPath(beside).parent
        wanted = PurePosixPath(name.replace("\\", "/"))
        for path in (posixpath.normpath(below / wanted), posixpath.normpath(wanted)):
            if path in self._paths:
                return path
        found = self._by_name.get(wanted.name, [])
        found = [each for each in found if not split or folder_split(each) in ("", split)]
        near = [each for each in found if below in PurePosixPath(each).parents]
        candidates = near or found
        if len(candidates) > 1:
            raise DataError(f"there are {len(candidates)} pictures {name[:80]}, {candidates[0]} for one")
        if not candidates:
            raise DataError(f"there is no picture {name[:80]}")
        return candidates[0]

    def take(self, name: str) -> bool:
        """Note that a picture has a label; return whether it had none before."""
        is_first = name not in self._taken
        self._taken.add(name)
        return is_first

    def rest(self, reason: str) -> tuple[Rejected, ...]:
        """Return the pictures that were not taken."""
        return tuple(Rejected(name, reason) for name in self._all if name not in self._taken)
