"""Files and folders that are written whole or not at all.

What is written gets a name beside its target first, and takes the target's name once it is complete. Whatever
ends the process, the target is as it was before or as it was meant to be.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inktex.errors import FileError

_SUFFIX = ".part"
_LONGEST_STEM_BYTES = 200  # of the target's name in that of the unfinished file; 255 is the usual limit
_STREAMS = ("/dev", "/dev/fd", "/proc/self/fd")


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write a file.

    Raises:
        FileError: it cannot be written.
    """
    with whole_file(path) as unfinished:
        unfinished.write_bytes(data)


def write_text(path: Path | str, text: str) -> None:
    """Write a file as UTF-8, line ends as they are.

    Raises:
        FileError: it cannot be written.
    """
    write_bytes(path, text.encode())


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Yield the path that a writer has to write to; at the end of the block that file becomes ``path``.

    An existing file keeps its permissions, of a link it is the target that is replaced. Devices and pipes are
    no files: the path yielded is then their own.

    Raises:
        FileError: the file cannot be written.
    """
    with _named_errors(path):
        if _is_stream(Path(path)):
            yield Path(path)
            return
        target = _followed(path)
        if target.is_dir():
            raise _refusal(errno.EISDIR)
        if target.exists() and not os.access(target, os.W_OK):
            raise _refusal(errno.EACCES)
        with _unfinished(target) as unfinished:
            yield unfinished


@contextmanager
def whole_folder(path: Path | str) -> Iterator[Path]:
    """Yield an empty folder to fill; at the end of the block it becomes ``path``.

    Raises:
        FileError: ``path`` exists and is no empty folder, or the folder cannot be written.
    """
    with _named_errors(path):
        target = _followed(path)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise _refusal(errno.EEXIST)
        with _unfinished(target) as unfinished:
            unfinished.mkdir()
            yield unfinished


@contextmanager
def _named_errors(path: Path | str) -> Iterator[None]:
    """Turn errors of the system into one sentence that names the file."""
    try:
        yield
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from None


def _refusal(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _is_stream(path: Path) -> bool:
    """Tell whether a path is a device or a pipe, or another name of one of the process's open files."""
    return str(path.parent) in _STREAMS or (path.exists() and not path.is_file() and not path.is_dir())


def _followed(path: Path | str) -> Path:
    """Return what a path stands for once its links are followed; the last may lead to nothing yet."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise _refusal(errno.ELOOP)
    if not target.parent.is_dir():
        raise _refusal(errno.ENOENT)
    return target


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """Yield the name to write to, and give what stands there the target's name, or remove it."""
    stem = os.fsencode(target.name)[:_LONGEST_STEM_BYTES].decode(errors="ignore")
    _remove_abandoned(target.parent, stem)
    unfinished = target.with_name(f".{stem}.{os.getpid()}-{threading.get_native_id()}{_SUFFIX}")
    _remove(unfinished)
    try:
        yield unfinished
        if target.exists():
            _take_permissions(unfinished, target)
        os.replace(unfinished, target)
    finally:
        _remove(unfinished)


def _remove_abandoned(folder: Path, stem: str) -> None:
    """Remove what processes that are no longer there have left unfinished."""
    pattern = re.compile(rf"{re.escape(f'.{stem}.')}(\d+)-\d+{re.escape(_SUFFIX)}")
    with suppress(OSError):  # a folder that cannot be listed may still be written to
        for name in os.listdir(folder):
            match = pattern.fullmatch(name)
            if match and not _is_alive(int(match[1])):
                _remove(folder / name)


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # where asking would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _take_permissions(unfinished: Path, target: Path) -> None:
    """Give what is to replace a file that file's owner, as far as this process may, and its mode."""
    status = target.stat()
    if os.name != "nt":
        with suppress(PermissionError):
            os.chown(unfinished, status.st_uid, status.st_gid)
    unfinished.chmod(status.st_mode & 0o7777)
