"""The command line: a table of commands, each of which imports what it needs when it runs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inktex import __version__
from inktex.errors import ConfigError, DataError, InktexError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

    from inktex.data.dataset import Sample
    from inktex.data.description import Description, Spread
    from inktex.data.sources import Rejected, Source

_USER_ERROR = 2
_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
_BROKEN_PIPE = 141  # 128 + SIGPIPE
_REJECTED_SHOWN = 20


@dataclass(frozen=True)
class Command:
    """One command of the table.

    Attributes:
        name: what the user types after ``inktex``.
        summary: one line for the help.
        add_arguments: declares the options; only called when the command is the one that was typed.
        run: does the work and returns the exit code.
    """

    name: str
    summary: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Any], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code: 0, or 2 for whatever the user can put right."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except InktexError as error:
        print(f"inktex: error: {error}", file=sys.stderr)
        return _USER_ERROR
    except KeyboardInterrupt:
        print("inktex: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output is gone; without this Python complains once more while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except SystemExit as leaving:  # --help of a command
        return leaving.code if isinstance(leaving.code, int) else _USER_ERROR


def _dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage(), file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else _USER_ERROR
    if arguments[0] == "--version":
        print(f"inktex {__version__}")
        return 0
    command = next((command for command in COMMANDS if command.name == arguments[0]), None)
    if command is None:
        known = ", ".join(command.name for command in COMMANDS)
        raise ConfigError(f"there is no command {arguments[0]!r}; the commands are: {known}")
    return command.run(_parse(command, arguments[1:]))


def _usage() -> str:
    width = max(len(command.name) for command in COMMANDS)
    lines = [f"  {command.name:<{width}}  {command.summary}" for command in COMMANDS]
    return "\n".join(
        (
            "usage: inktex [--help | --version] COMMAND ...",
            "",
            "Handwritten mathematics in (a picture or pen strokes), LaTeX out.",
            "",
            "commands:",
            *lines,
            "",
            "'inktex COMMAND --help' lists the options of a command.",
        )
    )


def _parse(command: Command, arguments: Sequence[str]) -> Any:
    from jsonargparse import ArgumentError, ArgumentParser

    name, summary = f"inktex {command.name}", command.summary
    parser = ArgumentParser(prog=name, description=summary, exit_on_error=False, allow_abbrev=False)
    command.add_arguments(parser)
    try:
        return parser.parse_args(arguments)
    except ArgumentError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{problem} (see '{name} --help')") from None


def _add_json(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--json", type=str, metavar="FILE", help="also write the figures to this file as JSON"
    )


def _write_file(path: str, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if target.exists() and not target.is_file():  # a device or pipe is written to, not replaced
            target.write_bytes(data)
            return
        part.write_bytes(data)
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from None


def _write_json(path: str, figures: dict[str, Any]) -> None:
    _write_file(path, (json.dumps(figures, ensure_ascii=False, indent=2) + "\n").encode())


# --- import


def _add_import(parser: ArgumentParser) -> None:
    parser.add_argument("source", help="a folder, a zip archive or one .inkml file")
    parser.add_argument("output", help="the Parquet file to write")
    parser.add_argument(
        "--split",
        type=str,
        help="of several splits with captions the one to take; for InkML its split's name",
    )
    _add_json(parser)


def _run_import(options: Any) -> int:
    from inktex.data.dataset import write_dataset
    from inktex.data.sources import read_source

    start = time.perf_counter()
    rejected: list[Rejected] = []
    splits: dict[str, int] = {}
    source = read_source(options.source, options.split)
    try:
        count = write_dataset(_accepted(source, rejected, splits), options.output)
    finally:
        _print_rejected(rejected)
    by_split = ", ".join(f"{name or 'no split'} {rows:,}" for name, rows in splits.items())
    print(f"{options.output}: {count:,} {'row' if count == 1 else 'rows'} ({by_split})")
    if options.json:
        figures = {"count": count, "splits": splits, "rejected": [asdict(file) for file in rejected]}
        _write_json(options.json, {**figures, "seconds": round(time.perf_counter() - start, 3)})
    return 0


def _accepted(source: Source, rejected: list[Rejected], splits: dict[str, int]) -> Iterator[Sample]:
    """Yield the samples of a source, behind a progress bar; collect what is passed over, count the splits."""
    from rich.console import Console
    from rich.progress import track

    from inktex.data.sources import Rejected

    console = Console(stderr=True)
    silent = not console.is_terminal
    for item in track(source, "importing", len(source), console=console, transient=True, disable=silent):
        if isinstance(item, Rejected):
            rejected.append(item)
        else:
            splits[item.split] = splits.get(item.split, 0) + 1
            yield item


def _print_rejected(rejected: Sequence[Rejected]) -> None:
    if rejected:
        print(f"{len(rejected):,} passed over:")
    for file in rejected[:_REJECTED_SHOWN]:
        print(f"  {file.name}: {file.reason}")
    if len(rejected) > _REJECTED_SHOWN:
        print(f"  and {len(rejected) - _REJECTED_SHOWN:,} more")


# --- describe


def _add_describe(parser: ArgumentParser) -> None:
    parser.add_argument("data", help="a Parquet file made by 'inktex import'")
    parser.add_argument("--sheet", type=str, metavar="PNG", help="also draw a contact sheet")
    parser.add_argument("--sheet-size", type=int, default=48, help="pictures on the sheet (default: 48)")
    _add_json(parser)


def _run_describe(options: Any) -> int:
    from inktex.data.dataset import read_dataset
    from inktex.data.description import describe

    if options.sheet_size < 1:
        raise ConfigError(f"--sheet-size must be at least 1, got {options.sheet_size}")
    samples = read_dataset(options.data)
    description = describe(samples)
    _print_description(description)
    if options.sheet:
        _write_sheet(samples, options.sheet_size, options.sheet)
    if options.json:
        _write_json(options.json, asdict(description))
    return 0


def _print_description(description: Description) -> None:
    from rich import box
    from rich.columns import Columns
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    counts = Table("", "count", box=box.SIMPLE)
    counts.columns[1].justify = "right"
    rows = {
        "expressions": description.count,
        "with a picture": description.with_image,
        "with ink": description.with_ink,
        "with symbols": description.with_symbols,
        "distinct labels": description.distinct_labels,
        "token types": len(description.tokens),
        **{f"split {name}": count for name, count in description.splits.items()},
        **{f"source {name}": count for name, count in description.sources.items()},
    }
    for name, count in rows.items():
        counts.add_row(Text(name), f"{count:,}")
    spreads = Table("", "min", "median", "95 %", "max", box=box.SIMPLE)
    for column in spreads.columns[1:]:
        column.justify = "right"
    for name, spread in _spreads(description):
        figures = (spread.smallest, spread.median, spread.p95, spread.largest)
        spreads.add_row(name, *(f"{figure:,}" for figure in figures))
    console.print(counts, spreads)
    tokens = [Text(f"{token} {count:,}") for token, count in description.tokens.items()]
    console.print(Columns(tokens, padding=(0, 3), column_first=True))


def _spreads(description: Description) -> tuple[tuple[str, Spread], ...]:
    return (
        ("height, px", description.height_px),
        ("width, px", description.width_px),
        ("strokes", description.strokes),
        ("tokens of a label", description.length),
    )


def _write_sheet(samples: Sequence[Sample], size: int, path: str) -> None:
    """Draw samples taken at even distances through the data set."""
    import cv2

    from inktex.visualize import contact_sheet

    count = min(size, len(samples))
    chosen = [samples[number * len(samples) // count] for number in range(count)]
    _write_file(path, bytes(cv2.imencode(".png", contact_sheet(chosen))[1]))


COMMANDS: tuple[Command, ...] = (
    Command("import", "Turn InkML or pictures with captions into a Parquet file.", _add_import, _run_import),
    Command("describe", "Count what a Parquet file holds.", _add_describe, _run_describe),
)


if __name__ == "__main__":
    sys.exit(main())
