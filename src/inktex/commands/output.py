"""What commands share: figures and lines in files, and a progress bar."""

from __future__ import annotations

import json
import math
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from inktex.errors import DataError
from inktex.files import write_text

Result = TypeVar("Result")
Advance = Callable[[], None]  # one more is done
Say = Callable[[str], None]  # print a line without spoiling the progress bar


def add_json(parser: ArgumentParser) -> None:
    """Declare ``--json FILE``."""
    parser.add_argument("--json", metavar="FILE", help="also write the figures to this file as JSON")


def check_targets(*paths: str | None) -> None:
    """Refuse files that cannot be written before any work is done for them; ``None`` stands for no file.

    Raises:
        DataError: a folder of that name is there, or the folder it would lie in is not.
    """
    for path in paths:
        if path is None:
            continue
        if Path(path).is_dir():
            raise DataError(f"{path} cannot be written: it is a folder")
        if not Path(path).parent.is_dir():
            raise DataError(f"{path} cannot be written: there is no folder {Path(path).parent}")


def write_lines(path: str, lines: list[str]) -> None:
    """Write a text file, a line each."""
    write_text(path, "".join(f"{line}\n" for line in lines))


def write_json(path: str, figures: Mapping[str, Any]) -> None:
    """Write figures as JSON; what is no finite number becomes null, since JSON has no word for it."""
    write_text(path, json.dumps(_plain(figures), ensure_ascii=False, indent=2) + "\n")


def _plain(value: Any) -> Any:
    """Return nested values without numbers that are not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def in_order(results: Iterable[tuple[int, Result]]) -> Iterator[tuple[int, Result]]:
    """Yield numbered results in the order of their numbers, each as soon as those before it are there."""
    waiting: dict[int, Result] = {}
    turn = 0
    for index, result in results:
        waiting[index] = result
        while turn in waiting:
            yield turn, waiting.pop(turn)
            turn += 1


def printable(text: str) -> str:
    """Return text that any output can encode: what is not Unicode in a file name is escaped."""
    return text.encode(errors="backslashreplace").decode()


@contextmanager
def progress(task: str, total: int) -> Iterator[tuple[Advance, Say]]:
    """Show a progress bar on stderr if that is a terminal and there is more than one thing to do."""
    if total < 2 or not sys.stderr.isatty():
        yield (lambda: None), print
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Rich would turn what goes to stdout to stderr, even where stdout is a file.
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        running = bar.add_task(task, total=total)

        def say(line: str) -> None:
            if sys.stdout.isatty():
                console.print(Text(line), soft_wrap=True)  # above the bar
            else:
                print(line)

        yield (lambda: bar.advance(running)), say
