"""Files and folders written whole or not at all, whatever comes between."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from inktex import files
from inktex.errors import FileError
from inktex.files import whole_file, whole_folder, write_bytes, write_text

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def names(folder: Path) -> list[str]:
    """Return the names in a folder, hidden ones too."""
    return sorted(os.listdir(folder))


def fill(folder: Path) -> None:
    """Write a folder of two files, one of them deeper."""
    with whole_folder(folder) as unfinished:
        (unfinished / "deeper").mkdir()
        (unfinished / "deeper" / "a").write_text("a")
        (unfinished / "b").write_text("b")


def test_text_is_utf8_and_keeps_its_line_ends(tmp_path: Path) -> None:
    """What is read back in bytes is the text in UTF-8, unchanged on any system."""
    write_text(tmp_path / "text", "ä\n\r\nö")

    assert (tmp_path / "text").read_bytes() == "ä\n\r\nö".encode()
    assert names(tmp_path) == ["text"]


@contextmanager
def interrupted_at(line: int) -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` before so many lines of the module under test have run."""
    left = line

    def follow(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != files.__file__:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return follow

    sys.settrace(follow)
    try:
        yield
    finally:
        sys.settrace(None)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_interruption_at_any_line_leaves_the_old_or_the_new(kind: str, tmp_path: Path) -> None:
    """Wherever it comes, the target is as it was or as it was to be; what is left beside it is gone after the
    next time."""
    target = tmp_path / "target"
    is_file = kind == "file"
    act: Callable[[], None] = (lambda: write_bytes(target, b"new")) if is_file else (lambda: fill(target))

    def state() -> object:
        if target.is_dir():
            return sorted(str(path.relative_to(target)) for path in target.rglob("*"))
        return target.read_bytes() if target.exists() else None

    seen, line, is_over = [], 0, False
    while not is_over:
        line += 1
        if is_file:
            target.write_bytes(b"old")
        elif target.exists():
            for path in sorted(target.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            target.rmdir()
        try:
            with interrupted_at(line):
                act()
            is_over = True
        except KeyboardInterrupt:
            seen.append(state())

    assert line > 20
    old, new = (b"old", b"new") if is_file else (None, ["b", "deeper", "deeper/a"])
    assert [each for each in seen if each not in (old, new)] == []
    assert seen[0] == old
    assert seen[-1] == state() == new
    assert names(tmp_path) == ["target"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """After a kill in the middle the old file is there and something unfinished beside it; the next writer
    removes that, but nothing of a process that lives, and nothing of other targets."""
    write_text(tmp_path / "target", "old")
    code = (
        "import sys\n"
        "from inktex.files import whole_file, whole_folder\n"
        "with whole_file(sys.argv[1]) as unfinished, whole_folder(sys.argv[1] + '2') as folder:\n"
        "    unfinished.write_text('half'); (folder / 'half').write_text('half')\n"
        "    print('ready', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "target")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as killed, subprocess.Popen(command, **pipes) as living:
        for process in (killed, living):
            assert process.stdout.readline() == b"ready\n"
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert (tmp_path / "target").read_text() == "old"
        assert len(names(tmp_path)) == 5

        write_text(tmp_path / "target", "new")
        kept = names(tmp_path)
        fill(tmp_path / "target2")
        living.kill()

    of_killed = [name for name in kept if f".{killed.pid}-" in name]
    assert [name.startswith(".target2.") for name in of_killed] == [True]
    assert len([name for name in kept if f".{living.pid}-" in name]) == 2
    assert (tmp_path / "target").read_text() == "new"
    assert len(names(tmp_path)) == 4  # two targets, and what the one that lived then had begun


def test_two_threads_do_not_write_to_one_name(tmp_path: Path) -> None:
    """Of two that write one file at a time, the one that ends last has its text there, whole."""
    begun = threading.Barrier(2)

    def write(text: str) -> None:
        with whole_file(tmp_path / "target") as unfinished:
            unfinished.write_text(text)
            begun.wait(10)

    threads = [threading.Thread(target=write, args=(letter * 1000,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (tmp_path / "target").read_text() in ("a" * 1000, "b" * 1000)
    assert names(tmp_path) == ["target"]


def test_links_are_followed(tmp_path: Path) -> None:
    """A link stays one, and what it leads to is written, whether it is there already or not; a link to itself
    is refused."""
    (tmp_path / "there").mkdir()
    write_text(tmp_path / "there" / "old", "old")
    for name in ("old", "new", "folder"):
        (tmp_path / name).symlink_to(tmp_path / "there" / name)
    (tmp_path / "circle").symlink_to(tmp_path / "circle")

    write_text(tmp_path / "old", "1")
    write_text(tmp_path / "new", "2")
    fill(tmp_path / "folder")
    with pytest.raises(FileError, match="circle cannot be written"):
        write_text(tmp_path / "circle", "3")

    assert all((tmp_path / name).is_symlink() for name in ("old", "new", "folder", "circle"))
    assert [(tmp_path / "there" / name).read_text() for name in ("old", "new", "folder/b")] == ["1", "2", "b"]
    assert names(tmp_path / "there") == ["folder", "new", "old"]


def test_permissions_are_kept(tmp_path: Path) -> None:
    """An existing file keeps its mode and owner; a new one has what the umask leaves."""
    write_text(tmp_path / "private", "old")
    (tmp_path / "private").chmod(0o640)
    if IS_ROOT:
        os.chown(tmp_path / "private", 12345, 54321)
    before = (tmp_path / "private").stat()
    mask = os.umask(0o027)
    try:
        for name in ("private", "fresh"):
            write_text(tmp_path / name, "new")
    finally:
        os.umask(mask)

    after = (tmp_path / "private").stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert (tmp_path / "fresh").stat().st_mode & 0o777 == 0o640


def test_devices_and_pipes_are_written_to(tmp_path: Path) -> None:
    """They receive the bytes and stay what they are, with nothing beside them."""
    os.mkfifo(tmp_path / "pipe")
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append((tmp_path / "pipe").read_bytes()))
    reader.start()

    write_bytes(tmp_path / "pipe", b"data")
    write_bytes("/dev/null", b"data")
    reader.join()

    assert received == [b"data"]
    assert (tmp_path / "pipe").is_fifo()
    assert Path("/dev/null").is_char_device()
    assert names(tmp_path) == ["pipe"]


def test_standard_output_is_no_file_to_replace(tmp_path: Path) -> None:
    """/dev/stdout that leads to a file is written to as it is open."""
    code = "from inktex.files import write_text; write_text('/dev/stdout', 'figures')"
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)

    assert (tmp_path / "out").read_text() == "figures"
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.parametrize("kind", ["limit", "full"])
def test_a_full_disk_leaves_the_old_file(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where space or the allowed size ends: one sentence, the old bytes, nothing beside."""
    resource = pytest.importorskip("resource")
    write_text(tmp_path / "target", "old")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)

    def write(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if kind == "full":
        monkeypatch.setattr(Path, "write_bytes", write)
    try:
        if kind == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, usual[1]))
        with pytest.raises(FileError) as caught:
            write_bytes(tmp_path / "target", bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)

    reason = {"limit": "File too large", "full": "No space left on device"}[kind]
    assert str(caught.value) == f"{tmp_path / 'target'} cannot be written: {reason}"
    assert (tmp_path / "target").read_text() == "old"
    assert names(tmp_path) == ["target"]


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    """A missing or read-only folder, a folder for a file, a file for a folder and a folder that is not empty
    are refused in one sentence each."""
    (tmp_path / "folder").mkdir()
    write_text(tmp_path / "folder" / "file", "")
    (tmp_path / "closed").mkdir(0o500)
    closed = Path("/sys/kernel") if IS_ROOT and Path("/sys/kernel").is_dir() else tmp_path / "closed"
    for path, reason in (
        (tmp_path / "none" / "file", "No such file or directory"),
        (tmp_path / "folder", "Is a directory"),
        (closed / "file", "Permission denied|Operation not permitted|Read-only file system"),
    ):
        with pytest.raises(FileError, match=f"cannot be written: ({reason})$"):
            write_text(path, "new")
    for path in (tmp_path / "folder", tmp_path / "folder" / "file"):
        with pytest.raises(FileError, match="File exists"), whole_folder(path):
            pytest.fail("the work was begun")

    assert names(tmp_path) == ["closed", "folder"]
    assert names(tmp_path / "folder") == ["file"]


@pytest.mark.skipif(IS_ROOT, reason="root may write to any file")
def test_a_protected_file_is_refused(tmp_path: Path) -> None:
    """A file that may not be written is not replaced either, though its folder would allow it."""
    write_text(tmp_path / "target", "old")
    (tmp_path / "target").chmod(0o400)

    with pytest.raises(FileError, match="Permission denied"):
        write_text(tmp_path / "target", "new")

    assert (tmp_path / "target").read_text() == "old"


def test_errors_of_the_writer_pass_through(tmp_path: Path) -> None:
    """What is no error of the system reaches the caller as it is, and nothing is written."""

    def write() -> None:
        with whole_file(tmp_path / "target") as unfinished:
            unfinished.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()

    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["ü" * 127, "x" * 255, "-", "a b\n"])
def test_any_name_will_do(name: str, tmp_path: Path) -> None:
    """Names as long as a file system allows, and odd ones, are written like others."""
    write_text(tmp_path / name, "1")
    write_text(tmp_path / name, "2")

    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_text() == "2"
