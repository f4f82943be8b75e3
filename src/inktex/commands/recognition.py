"""``inktex recognize`` and ``inktex evaluate``: what a model reads, and how right it is."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inktex.commands.output import (
    add_json,
    check_targets,
    printable,
    progress,
    write_json,
    write_lines,
)
from inktex.errors import ConfigError, DataError, InktexError

if TYPE_CHECKING:
    from inktex.evaluation import Figures, Prediction
    from inktex.recognizer import Recognition, Recognizer

_STANDARD_INPUT = "-"
_INK_SUFFIXES = frozenset((".inkml", ".json"))
_UNREADABLE_SHOWN = 20


class _Source(NamedTuple):
    """What to read: its name, and what the recognizer takes."""

    name: str
    value: Any


def _add_model(parser: ArgumentParser) -> None:
    parser.add_argument("--model", metavar="FOLDER", help="the model to read with (default: the shipped one)")
    parser.add_argument(
        "--width",
        type=int,
        metavar="N",
        help="readings followed at a time, 1 is fastest (default: the model's)",
    )
    parser.add_argument(
        "--one-way", action="store_true", help="read from left to right only, which is faster"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads that compute (default: one a core)")


def _recognizer(options: Namespace) -> Recognizer:
    from inktex.recognizer import Recognizer

    both_ways = False if options.one_way else None
    return Recognizer(options.model, threads=options.threads, width=options.width, both_ways=both_ways)


def add_recognize(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex recognize``."""
    parser.description = (
        "Read handwritten mathematics and print LaTeX: of one file the LaTeX alone, of several a line each "
        "of name, tab and LaTeX. What cannot be read is reported on stderr, and the exit code is then 2."
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a picture, InkML or JSON strokes; a folder of such files; or - for standard input",
    )
    _add_model(parser)
    parser.add_argument(
        "--json-lines",
        action="store_true",
        help="print JSON objects, one a line: file, latex, confidence, alternatives, tokens; or file, error",
    )
    parser.add_argument("--output", metavar="FILE", help="write to this file instead of standard output")


def run_recognize(options: Namespace) -> int:
    """Read files and print what stands in them; files that cannot be read are reported and passed over."""
    check_targets(options.output)
    sources = [source for name in options.files for source in _sources(name)]
    alone = len(options.files) == 1 and not Path(options.files[0]).is_dir()
    recognizer = _recognizer(options)
    lines: list[str] = []
    failed = 0
    with progress("recognizing", len(sources)) as (advance, say):
        for index, result in _in_order(recognizer.recognize_each(source.value for source in sources)):
            name = printable(sources[index].name)
            advance()
            if isinstance(result, InktexError):
                failed += 1
                about = f"standard input: {result}" if name == _STANDARD_INPUT else str(result)
                print(f"inktex: error: {about}", file=sys.stderr)
            line = _json_line(name, result) if options.json_lines else _text_line(name, result, alone)
            if line is not None:
                (lines.append if options.output else say)(line)
    if options.output and failed < len(sources):
        write_lines(options.output, lines)
    return 2 if failed else 0


def _json_line(name: str, result: Recognition | InktexError) -> str:
    fields = {"error": str(result)} if isinstance(result, InktexError) else asdict(result)
    return json.dumps({"file": name, **fields}, ensure_ascii=False)


def _text_line(name: str, result: Recognition | InktexError, alone: bool) -> str | None:
    if isinstance(result, InktexError):
        return None
    return result.latex if alone else f"{name}\t{result.latex}"


def _sources(name: str) -> Iterator[_Source]:
    """Yield what an argument stands for: a file, standard input, or the files of a folder that may be read.

    Raises:
        DataError: a folder that cannot be read, or holds no such file.
    """
    if name == _STANDARD_INPUT:
        yield _Source(name, sys.stdin.buffer.read())
        return
    path = Path(name)
    if not path.is_dir():
        yield _Source(name, path)
        return
    from inktex.data.sources import PICTURE_SUFFIXES

    try:
        files = sorted(
            file for file in path.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES | _INK_SUFFIXES
        )
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}") from None
    files = [file for file in files if file.is_file() and not file.name.startswith(".")]
    if not files:
        raise DataError(f"the folder {name} holds no pictures and no ink (.inkml, .json)")
    yield from (_Source(str(file), file) for file in files)


def _in_order(
    results: Iterable[tuple[int, Recognition | InktexError]],
) -> Iterator[tuple[int, Recognition | InktexError]]:
    """Yield numbered results in the order of their numbers, each as soon as those before it are there."""
    waiting: dict[int, Recognition | InktexError] = {}
    turn = 0
    for index, result in results:
        waiting[index] = result
        while turn in waiting:
            yield turn, waiting.pop(turn)
            turn += 1


def add_evaluate(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex evaluate``."""
    parser.add_argument(
        "data", help="a Parquet file made by 'inktex import'; ink is read where there is no picture"
    )
    _add_model(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N expressions")
    parser.add_argument(
        "--predictions", metavar="FILE", help="write what was read as JSON lines: id, prediction, reference"
    )
    add_json(parser)


def run_evaluate(options: Namespace) -> int:
    """Read the pictures of a data set and compare with its labels."""
    from inktex.data.dataset import read_dataset
    from inktex.evaluation import figures, predict

    if options.limit is not None and options.limit < 1:
        raise ConfigError(f"--limit must be at least 1, got {options.limit}")
    check_targets(options.predictions, options.json)
    recognizer = _recognizer(options)
    samples = read_dataset(options.data)[: options.limit]
    start = time.perf_counter()
    with progress("recognizing", len(samples)) as (advance, _):
        predictions = predict(recognizer, samples, advance)
    result = figures(predictions, round(time.perf_counter() - start, 3))
    _print_unreadable([each for each in predictions if each.problem is not None])
    _print_figures(result)
    if options.predictions:
        write_lines(options.predictions, [_prediction_line(each) for each in predictions])
    if options.json:
        write_json(options.json, asdict(result))
    return 0


def _prediction_line(prediction: Prediction) -> str:
    texts = {"prediction": " ".join(prediction.tokens), "reference": " ".join(prediction.reference)}
    return json.dumps({"id": prediction.id, **texts}, ensure_ascii=False)


def _print_unreadable(predictions: Sequence[Prediction]) -> None:
    if predictions:
        print(f"{len(predictions):,} could not be read and count as wrong:", file=sys.stderr)
    for prediction in predictions[:_UNREADABLE_SHOWN]:
        print(f"  {prediction.id}: {prediction.problem}", file=sys.stderr)
    if len(predictions) > _UNREADABLE_SHOWN:
        print(f"  and {len(predictions) - _UNREADABLE_SHOWN:,} more", file=sys.stderr)


def _print_figures(figures: Figures) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    headings = ("ExpRate", "<=1", "<=2", "<=3", "WER", "count", "seconds")
    table = Table(*headings, box=box.SIMPLE)
    for column in table.columns:
        column.justify = "right"
    rates = (figures.exprate, figures.exprate_1, figures.exprate_2, figures.exprate_3, figures.wer)
    table.add_row(*(f"{rate:.2f} %" for rate in rates), f"{figures.count:,}", f"{figures.seconds:.1f}")
    Console(highlight=False).print(table)
