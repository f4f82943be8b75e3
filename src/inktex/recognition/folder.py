"""Folders that are replaced without a moment in which a reader finds none.

No system renames a folder over another that is not empty. So the new folder is written whole beside the old
one, the old one steps aside under a name that readers know, and the new one takes its place. Whatever ends
the writer, a reader finds the old folder or the new one, and the next writer clears away what was left.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from inktex.errors import FileError
from inktex.files import whole_folder


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files; a folder that is there already is replaced as a whole.

    A link keeps its name, and the folder that it leads to is replaced.

    Args:
        folder: to write.
        files: what stands in each file, by name.

    Raises:
        FileError: it cannot be written; what was there before still is.
    """
    target = Path(os.path.realpath(folder))
    new, old = _beside(target, "new"), _beside(target, "old")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _settle(target, new, old)
        with whole_folder(new) as unfinished:
            for name, data in files.items():
                (unfinished / name).write_bytes(data)
        try:
            if target.exists():
                os.replace(target, old)
            os.replace(new, target)
        finally:
            _settle(target, new, old)
    except OSError as error:
        raise FileError(f"{folder} cannot be written: {error.strerror or error}") from None


def standing_folder(folder: Path) -> Path:
    """Return where the files of a folder stand: in the moment in which it is replaced, that is beside it."""
    if os.path.exists(folder):
        return folder
    try:
        old = _beside(Path(os.path.realpath(folder)), "old")
    except ValueError:  # a null byte in the name
        return folder
    return old if os.path.isdir(old) else folder


def _beside(target: Path, part: str) -> Path:
    return target.with_name(f".{target.name}.{part}")


def _settle(target: Path, new: Path, old: Path) -> None:
    """Put back what stepped aside for nothing, and clear away what is needed no longer."""
    if old.exists() and not target.exists():
        os.replace(old, target)
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
