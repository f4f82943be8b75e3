"""``inktex symbols``: collections of single symbols as one library to write with."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path

from inktex.commands.output import add_json, check_targets, write_json
from inktex.errors import DataError

_SHOWN = 12  # reasons that are printed


def add_symbols(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex symbols``."""
    parser.add_argument(
        "data", help="a Parquet file with ink of expressions, by which sizes and heights are measured"
    )
    parser.add_argument("output", help="the Parquet file to write")
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="collections of symbols: JSON lines as of UNIPEN or Detexify, plain or .xz, or Omniglot's zip",
    )
    parser.add_argument(
        "--vocabulary", metavar="FILE", required=True, help="JSON list of the tokens that may be labels"
    )
    parser.add_argument(
        "--held-back",
        metavar="FILE",
        help="JSON of ids and writers (SOURCE/WRITER) that are for evaluation alone: their split is 'held'",
    )
    parser.add_argument(
        "--left-out",
        metavar="FILE",
        help="JSON of ids of drawings that are mislabelled: they are passed over",
    )
    add_json(parser)


def run_symbols(options: Namespace) -> int:
    """Read collections of symbols and write them as one library."""
    from inktex.data.dataset import read_dataset, write_dataset
    from inktex.data.formats.symbols import read_drawings
    from inktex.data.synthesis.symbols import make_library
    from inktex.data.synthesis.synthesizer import read_expressions

    check_targets(options.output, options.json)
    rejected: Counter[str] = Counter()
    known = _names(options.vocabulary)
    held_back, left_out = _names(options.held_back), _names(options.left_out)
    drawings = [drawing for source in options.sources for drawing in read_drawings(Path(source), rejected)]
    expressions = read_expressions(read_dataset(options.data))
    library = make_library(drawings, expressions, known, held_back, left_out, rejected)
    samples = list(library)
    write_dataset(samples, options.output)
    kinds = Counter(" ".join(sample.tokens) for sample in samples)
    splits = Counter(sample.split for sample in samples)
    print(
        f"{options.output}: {len(samples):,} drawings of {len(kinds)} symbols, {splits['held']:,} held back"
    )
    for reason, count in rejected.most_common(_SHOWN):
        print(f"  {count:,} passed over: {reason}")
    if len(rejected) > _SHOWN:
        print(f"  {sum(rejected.values()):,} passed over in all, for {len(rejected)} reasons")
    if options.json:
        write_json(options.json, {"symbols": dict(kinds), "splits": dict(splits), "rejected": dict(rejected)})
    return 0


def _names(path: str | None) -> frozenset[str]:
    """Return the strings of a JSON list, or of the lists in a JSON object.

    Raises:
        DataError: the file cannot be read, or holds something else.
    """
    if path is None:
        return frozenset()
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}") from None
    lists = list(value.values()) if isinstance(value, dict) else [value]
    names = [name for some in lists if isinstance(some, list) for name in some]
    if not names or not all(isinstance(name, str) for name in names):
        raise DataError(f"{path} must hold a JSON list of strings, or an object of such lists")
    return frozenset(names)
