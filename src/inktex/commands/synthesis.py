"""``inktex synthesize``: new samples from real ink."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from inktex.commands.output import add_json, check_targets, progress, write_json
from inktex.errors import ConfigError, DataError

if TYPE_CHECKING:
    from inktex.data.dataset import Sample
    from inktex.data.synthesis.expressions import Written

_DEFAULT_COUNT = 10_000


def add_synthesize(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex synthesize``."""
    parser.add_argument("data", help="a Parquet file with ink, as 'inktex import' makes of InkML")
    parser.add_argument("output", help="the Parquet file to write: ink without pictures")
    parser.add_argument(
        "--count",
        type=int,
        help=f"samples to make, those with rare symbols preferred (default: {_DEFAULT_COUNT:,}; with "
        "--decompose all there are)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="the same seed makes the same samples (default: 0)"
    )
    parser.add_argument(
        "--symbols",
        metavar="FILE",
        help="single symbols to write with besides, as 'inktex symbols' makes them; those held back are not "
        "used",
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        nargs="+",
        help="LaTeX to write besides, an expression a line, plain or gzipped; what the ink has no symbols "
        "for is left out; of several files a long one is drawn from more often, by the root of its length",
    )
    parser.add_argument(
        "--listed",
        type=float,
        metavar="SHARE",
        help="share of samples whose label is one of --labels, perhaps with parts exchanged or renamed "
        "(default: 0.25)",
    )
    for name, what in (
        ("single", "one symbol alone"),
        ("arithmetic", "numbers and everyday arithmetic"),
        ("constructs", "arrays, lines, words, accents and the like, made around those of --labels"),
    ):
        parser.add_argument(
            f"--{name}",
            type=float,
            metavar="SHARE",
            help=f"share of samples whose label is {what} (default: 0)",
        )
    parser.add_argument(
        "--rename",
        type=float,
        metavar="SHARE",
        help="share of new labels whose letters, digits and signs are renamed; a small one keeps what often "
        "stands together (default: 0.7)",
    )
    parser.add_argument(
        "--decompose",
        action="store_true",
        help="cut sub-expressions out of the samples instead of writing new expressions",
    )
    parser.add_argument(
        "--least", type=int, default=2, help="fewest symbols of a sub-expression (default: 2)"
    )
    add_json(parser)


def run_synthesize(options: Namespace) -> int:
    """Write new expressions with the ink of others, or cut out their sub-expressions."""
    from inktex.data.dataset import read_dataset, write_dataset
    from inktex.data.splits import usual_part
    from inktex.data.synthesis.composition import read_labels
    from inktex.data.synthesis.symbols import HELD
    from inktex.data.synthesis.synthesizer import read_expressions

    if options.count is not None and options.count < 1:
        raise ConfigError(f"--count must be at least 1, got {options.count}")
    if options.seed < 0:
        raise ConfigError(f"--seed must be at least 0, got {options.seed}")
    if options.least < 1:
        raise ConfigError(f"--least must be at least 1, got {options.least}")
    for name in ("labels", "symbols", "rename", "single", "arithmetic", "constructs"):
        if options.decompose and getattr(options, name) is not None:
            raise ConfigError(f"--{name} is for new expressions; with --decompose there are none")
    if options.listed is not None and not options.labels:
        raise ConfigError("--listed is a share of the labels in --labels: name a file of them")
    if options.constructs and not options.labels:
        raise ConfigError("--constructs are made around the labels in --labels: name a file of them")
    if options.single and not options.symbols:
        raise ConfigError("--single is a share of the symbols in --symbols: name a file of them")
    for name in ("listed", "rename", "single", "arithmetic", "constructs"):
        share = getattr(options, name)
        if share is not None and not 0 <= share <= 1:
            raise ConfigError(f"--{name} must be from 0 to 1, got {share:g}")
    check_targets(options.output, options.json)
    start = time.perf_counter()
    lines = [read_labels(Path(path)) for path in options.labels or ()]
    symbols = (
        [sample for sample in read_dataset(options.symbols) if sample.split != HELD]
        if options.symbols
        else []
    )
    expressions = read_expressions(usual_part(read_dataset(options.data), options.data, "train"))
    if options.decompose:
        count, make = _cutter(expressions, options)
    else:
        count, make = _writer(expressions, lines, symbols, options)
    labels: set[tuple[str, ...]] = set()
    with closing(_made(count, make, labels)) as samples:
        write_dataset(samples, options.output)
    made = f"{count:,} samples of {len(labels):,} labels"
    print(f"{options.output}: {made}, from {len(expressions):,} expressions")
    if options.json:
        figures = {"count": count, "distinct_labels": len(labels), "expressions": len(expressions)}
        write_json(options.json, {**figures, "seconds": round(time.perf_counter() - start, 3)})
    return 0


def _cutter(expressions: list[Written], options: Namespace) -> tuple[int, Callable[[int], Sample]]:
    """Return how many sub-expressions to cut out, and what cuts the one of a number."""
    import numpy as np

    from inktex.data.synthesis.synthesizer import Decomposition

    pieces = Decomposition(expressions, options.least)
    if not len(pieces):
        raise DataError(f"{options.data} has no sub-expressions of {options.least} symbols or more")
    if options.count is None or options.count >= len(pieces):
        return len(pieces), pieces.__getitem__
    chosen = pieces.choose(options.count, np.random.default_rng(options.seed))
    return options.count, lambda number: pieces[chosen[number]]


def _writer(
    expressions: list[Written], labels: list[list[list[str]]], symbols: list[Sample], options: Namespace
) -> tuple[int, Callable[[int], Sample]]:
    """Return how many expressions to write, and what writes the one of a number."""
    import numpy as np

    from inktex.data.synthesis.composition import ComposeOptions
    from inktex.data.synthesis.synthesizer import Synthesizer

    stated = {
        name: getattr(options, name) for name in ("listed", "rename", "single", "arithmetic", "constructs")
    }
    how = ComposeOptions(**{name: share for name, share in stated.items() if share is not None})
    synthesizer = Synthesizer(expressions, labels, how, symbols)
    if labels:
        count = sum(map(len, labels))
        print(f"{', '.join(options.labels)}: {synthesizer.listed:,} of {count:,} expressions can be written")

    def write(number: int) -> Sample:
        return synthesizer.make(f"synthetic-{number}", np.random.default_rng([options.seed, number]))

    return options.count or _DEFAULT_COUNT, write


def _made(
    count: int, make: Callable[[int], Sample], labels: set[tuple[str, ...]]
) -> Generator[Sample, None, None]:
    """Yield samples behind a progress bar; collect their labels."""
    with progress("synthesizing", count) as (advance, _):
        for number in range(count):
            sample = make(number)
            labels.add(sample.tokens)
            yield sample
            advance()
