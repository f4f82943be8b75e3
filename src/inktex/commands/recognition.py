"""``inktex recognize`` and ``inktex evaluate``: what a model reads, and how right it is."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inktex.commands.documents import DOCUMENTS, check_document, reading, write_document
from inktex.commands.output import (
    add_json,
    check_targets,
    in_order,
    printable,
    progress,
    write_json,
    write_lines,
)
from inktex.commands.output_formats import Form, add_form, chosen_form
from inktex.commands.page import write_page
from inktex.commands.report import PAGE_HELP, print_report, report_values
from inktex.errors import ConfigError, DataError, InktexError, LatexError
from inktex.files import write_bytes

if TYPE_CHECKING:
    from inktex.data.dataset import Sample
    from inktex.metrics.item import Item
    from inktex.metrics.report import Report
    from inktex.recognition.recognizer import Recognizer
    from inktex.recognition.result import Recognition

_STANDARD_INPUT = "-"
_INK_SUFFIXES = frozenset((".inkml", ".json"))
_UNREADABLE_SHOWN = 20


class _Named(NamedTuple):
    """What to read, and its name."""

    name: str
    value: Path | bytes


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
    parser.add_argument(
        "--one-look", action="store_true", help="read no picture again at another size, which is faster"
    )
    parser.add_argument("--no-grammar", action="store_true", help="let the model write malformed LaTeX too")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="threads that compute (default: one a core, at most 4)"
    )


def _recognizer(options: Namespace) -> Recognizer:
    from inktex.recognition.recognizer import Recognizer

    return Recognizer(
        options.model,
        threads=options.threads,
        width=options.width,
        both_ways=False if options.one_way else None,
        second_look=False if options.one_look else None,
        grammar=False if options.no_grammar else None,
    )


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
    add_form(parser)
    parser.add_argument(
        "--output", metavar="FILE", help="write to this file instead of standard output; of tex a folder"
    )


def run_recognize(options: Namespace) -> int:
    """Read files and print what stands in them; files that cannot be read are reported and passed over."""
    if options.format in DOCUMENTS:
        return _recognize_into_document(options)
    check_targets(options.output)
    alone = len(options.files) == 1 and not Path(options.files[0]).is_dir()
    form = chosen_form(options, named=not alone)
    sources = [source for name in options.files for source in _sources(name)]
    recognizer = _recognizer(options)
    lines: list[str] = []
    failed = 0
    with progress("recognizing", len(sources)) as (advance, say):
        put = say if form.streams and not options.output else lines.append
        for head in form.head():
            put(head)
        results = recognizer.recognize_each((source.value for source in sources), details=options.details)
        for index, result in in_order(results):
            advance()
            name = printable(sources[index].name)
            printed, error = _line(form, name, result)
            if error is not None:
                failed += 1
                print(f"inktex: error: {error}", file=sys.stderr)
            if printed is not None:
                put(printed)
    if not form.streams:
        lines = form.document(lines)
    if not options.output:
        for line in lines:
            print(line)
    elif failed < len(sources):
        write_lines(options.output, lines)
    return 2 if failed else 0


def _recognize_into_document(options: Namespace) -> int:
    """Read files and write a document of them, unless nothing could be read."""
    form = chosen_form(options, named=True)
    check_document(form.format, options.output)
    sources = [source for name in options.files for source in _sources(name)]
    recognizer = _recognizer(options)
    readings = []
    with progress("recognizing", len(sources)) as (advance, _):
        for index, result in in_order(recognizer.recognize_each(source.value for source in sources)):
            advance()
            name = printable(sources[index].name)
            if isinstance(result, InktexError):
                about = f"standard input: {result}" if name == _STANDARD_INPUT else str(result)
                print(f"inktex: error: {about}", file=sys.stderr)
            else:
                readings.append(reading(name, sources[index].value, result))
    if readings:
        write_document(form.format, options.output, readings)
    return 0 if len(readings) == len(sources) else 2


def _line(form: Form, name: str, result: Recognition | InktexError) -> tuple[str | None, str | None]:
    """Return the line to print, if there is one, and what to complain of, if anything."""
    if not isinstance(result, InktexError):
        try:
            return form.line(name, result), None
        except LatexError as error:
            result = error if name == _STANDARD_INPUT else LatexError(f"{name}: {error}")
    about = f"standard input: {result}" if name == _STANDARD_INPUT else str(result)
    return form.problem(name, result), about


def _sources(name: str) -> Iterator[_Named]:
    """Yield what an argument stands for: a file, standard input, or the files of a folder that may be read.

    Raises:
        DataError: a folder that cannot be read, or holds no such file.
    """
    if name == _STANDARD_INPUT:
        yield _Named(name, sys.stdin.buffer.read())
        return
    path = Path(name)
    if not path.is_dir():
        yield _Named(name, path)
        return
    from inktex.data.formats.sources import PICTURE_SUFFIXES

    try:
        files = sorted(
            file for file in path.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES | _INK_SUFFIXES
        )
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}") from None
    files = [file for file in files if file.is_file() and not file.name.startswith(".")]
    if not files:
        raise DataError(f"the folder {name} holds no pictures and no ink (.inkml, .json)")
    yield from (_Named(str(file), file) for file in files)


def add_evaluate(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex evaluate``."""
    parser.add_argument(
        "data", help="a Parquet file made by 'inktex import'; ink is read where there is no picture"
    )
    _add_model(parser)
    parser.add_argument("--split", metavar="NAME", help="of a file with several splits, the one to read")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N expressions")
    parser.add_argument(
        "--predictions",
        metavar="FILE",
        help="write what was read, for 'inktex score' too: .jsonl an object a line, .json a list of them, "
        ".txt the tokens alone, a line each, .zip a file each of %%id and $tokens$",
    )
    parser.add_argument(
        "--bad-cases", metavar="FILE", help="write what was read wrong as JSON, {id: {label, predi}}"
    )
    parser.add_argument("--page", metavar="FILE", help=PAGE_HELP)
    add_json(parser)


def run_evaluate(options: Namespace) -> int:
    """Read the pictures of a data set and compare with its labels."""
    from inktex.data.dataset import read_dataset
    from inktex.metrics.report import report
    from inktex.predictions.evaluation import predict

    if options.limit is not None and options.limit < 1:
        raise ConfigError(f"--limit must be at least 1, got {options.limit}")
    check_targets(options.predictions, options.bad_cases, options.json, options.page)
    recognizer = _recognizer(options)
    samples = _of_one_split(read_dataset(options.data), options)[: options.limit]
    if not samples:
        raise DataError(f"{options.data} holds no samples")
    _check_formats(options, samples)
    start = time.perf_counter()
    with progress("recognizing", len(samples)) as (advance, _):
        items = predict(recognizer, samples, advance)
    seconds = round(time.perf_counter() - start, 3)
    _print_unreadable([item for item in items if item.problem is not None])
    result = report(items)
    _write_evaluation(options, samples, items, result, seconds)
    print_report(result)  # after the files: who reads only the beginning of it must not lose them
    print(f"read in {seconds:.1f} s")
    return 0


def _of_one_split(samples: Sequence[Sample], options: Namespace) -> Sequence[Sample]:
    """Return the samples of the split that was asked for, or all if they are of one split.

    Raises:
        DataError: there is no such split, or there are several and none was asked for.
    """
    from inktex.data.splits import named_splits, take_split

    if options.split is not None:
        return take_split(samples, options.data, options.split)
    if len({sample.split for sample in samples}) > 1:
        raise DataError(f"{options.data} has several splits, name one with --split: {named_splits(samples)}")
    return samples


def _check_formats(options: Namespace, samples: Sequence[Sample]) -> None:
    """Refuse files that predictions of these samples cannot be written to, before there are any."""
    from inktex.predictions.writing import check_bad_cases, check_predictions

    ids = [sample.id for sample in samples]
    if options.predictions:
        check_predictions(options.predictions, ids)
    if options.bad_cases:
        check_bad_cases(options.bad_cases, ids)


def _write_evaluation(
    options: Namespace, samples: Sequence[Sample], items: Sequence[Item], result: Report, seconds: float
) -> None:
    """Write the files that were asked for."""
    from inktex.predictions.writing import bad_cases_file, item_values, predictions_file

    if options.predictions:
        write_bytes(options.predictions, predictions_file(options.predictions, items))
    if options.bad_cases:
        write_bytes(options.bad_cases, bad_cases_file(items))
    if options.page:
        from inktex.visualize.sheets import encoded_picture

        pictures = {sample.id: encoded_picture(sample) for sample in samples}
        write_page(options.page, f"Inktex: {Path(options.data).name}", result, items, pictures)
    if options.json:
        values = {**report_values(result), "seconds": seconds, "items": [item_values(item) for item in items]}
        write_json(options.json, values)


def _print_unreadable(items: Sequence[Item]) -> None:
    if items:
        print(f"{len(items):,} could not be read and count as wrong:", file=sys.stderr)
    for item in items[:_UNREADABLE_SHOWN]:
        print(f"  {item.id}: {item.problem}", file=sys.stderr)
    if len(items) > _UNREADABLE_SHOWN:
        print(f"  and {len(items) - _UNREADABLE_SHOWN:,} more", file=sys.stderr)
