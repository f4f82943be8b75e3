"""A model folder is replaced so that whoever reads it, at any moment, finds the old one or the new one."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inktex.errors import FileError
from inktex.recognition.bundle import Bundle, load_bundle
from inktex.recognition.metadata import Metadata
from inktex.vocabulary import Vocabulary

KILLED = 9
STEPS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")  # as Python's audit names them


def model(name: str) -> Bundle:
    """A bundle of no real graphs, of which every file tells the name."""
    vocabulary = Vocabulary.build([["x", name]])
    return Bundle(
        name.encode() * 1000, name.encode(), vocabulary, Metadata("inktex", 9, 16.0, 8, licence=name)
    )


OLD, NEW = model("old"), model("new")


def loaded(folder: Path) -> Bundle:
    """What stands in a folder, without its name."""
    return replace(load_bundle(folder), source=OLD.source)


def names(folder: Path) -> list[str]:
    """All that is in a folder, hidden files too."""
    return sorted(os.listdir(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the old model, and nothing beside it."""
    OLD.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def on_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Call a function before and after whatever moves or removes something."""

    def watch(check: Callable[[], None]) -> None:
        def around(real: Callable[..., Any]) -> Callable[..., Any]:
            def watched(*arguments: Any, **options: Any) -> Any:
                check()
                result = real(*arguments, **options)
                check()
                return result

            return watched

        monkeypatch.setattr(os, "replace", around(os.replace))
        monkeypatch.setattr(shutil, "rmtree", around(shutil.rmtree))

    return watch


def test_every_moment_has_a_model(folder: Path, on_step: Callable[[Callable[[], None]], None]) -> None:
    """Before and after each step of the writer a reader finds the old model, from some step on the new."""
    seen: list[str] = []
    on_step(lambda: seen.append(loaded(folder).metadata.licence))

    NEW.save(folder)

    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {"old", "new"}
    assert loaded(folder) == NEW


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_step_that_fails_leaves_the_old_model(
    folder: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever renaming fails, the old model stands where it stood, alone, and the error is told."""
    rename = os.replace
    for failing in range(1, 4):
        calls = 0

        def limited(source: Any, target: Any, failing: int = failing) -> None:
            nonlocal calls
            calls += 1
            if calls == failing:
                raise error
            rename(source, target)

        monkeypatch.setattr(os, "replace", limited)
        with pytest.raises(FileError if isinstance(error, OSError) else type(error)) as told:
            NEW.save(folder)
        assert calls >= failing
        assert loaded(folder) == OLD
        assert names(folder.parent) == ["model"]
        if isinstance(error, OSError):
            assert "model" in str(told.value)
            assert "cannot be written: No space left on device" in str(told.value)


def save_and_die(bundle: Bundle, folder: Path, step: int) -> int:
    """Save in another process, which is ended before it takes so many steps on the disk; its exit code."""
    process = os.fork()
    if process == 0:
        left = step

        def count(event: str, _: Any) -> None:
            nonlocal left
            left -= event in STEPS
            if left == 0:
                os._exit(KILLED)

        sys.addaudithook(count)
        bundle.save(folder)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that share what they have loaded")
def test_a_writer_that_is_killed_leaves_a_model_and_the_next_one_clears_up(tmp_path: Path) -> None:
    """Wherever it ends, a reader finds the old model or the new; the next writer leaves nothing else."""
    after: list[str] = []
    for step in range(1, 100):
        folder = tmp_path / str(step) / "model"
        OLD.save(folder)
        code = save_and_die(NEW, folder, step)
        found = loaded(folder)
        assert found in (OLD, NEW)
        after.append(found.metadata.licence)

        OLD.save(folder)

        assert loaded(folder) == OLD
        assert names(folder.parent) == ["model"]
        if code == 0:
            break
        assert code == KILLED

    assert code == 0
    assert after == sorted(after, reverse=True)
    assert 5 < after.count("old") < len(after) - 1


def test_readers_beside_a_writer_always_read_one_model(folder: Path) -> None:
    """While a folder is replaced twenty times, whoever loads it gets a model whose files belong together."""
    done = threading.Event()
    read: list[Bundle] = []
    failed: list[Exception] = []

    def keep_reading() -> None:
        while not done.is_set():
            try:
                read.append(loaded(folder))
            except Exception as error:
                failed.append(error)

    readers = [threading.Thread(target=keep_reading) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(20):
        (NEW, OLD)[number % 2].save(folder)
    done.set()
    for reader in readers:
        reader.join()

    assert not failed
    assert read
    assert all(each in (OLD, NEW) for each in read)


def test_a_model_replaced_while_it_is_read_is_read_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that has the old description when the new folder comes takes none of it."""
    read_bytes = Path.read_bytes

    def and_replace(path: Path) -> bytes:
        data = read_bytes(path)
        if path.name == "model.json" and b'"old"' in data:
            NEW.save(folder)
        return data

    monkeypatch.setattr(Path, "read_bytes", and_replace)

    assert loaded(folder) == NEW


def test_what_a_killed_writer_moved_aside_is_put_back_first(folder: Path) -> None:
    """A model that stands aside is neither lost when the next writer fails, nor taken for another."""
    aside = folder.with_name(".model.old")
    folder.rename(aside)
    assert loaded(folder) == OLD

    (folder.parent / "..model.new.part").mkdir()
    NEW.save(folder)

    assert loaded(folder) == NEW
    assert not aside.exists()


def test_a_link_keeps_its_name(folder: Path) -> None:
    """The folder that a link leads to is replaced, and the link leads there still."""
    link = folder.parent / "link"
    link.symlink_to("model")

    NEW.save(link)

    assert link.is_symlink()
    assert loaded(link) == loaded(folder) == NEW
    assert names(folder.parent) == ["link", "model"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """A folder that is there and empty becomes the model's."""
    (tmp_path / "model").mkdir()

    NEW.save(tmp_path / "model")

    assert loaded(tmp_path / "model") == NEW
    assert names(tmp_path) == ["model"]
