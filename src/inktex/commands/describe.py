"""``inktex describe``: what a data set holds."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from inktex.commands.output import add_json, check_targets, write_json
from inktex.errors import ConfigError
from inktex.files import write_bytes

if TYPE_CHECKING:
    from inktex.data.dataset import Sample
    from inktex.data.description import Description, Spread

_SEVERAL_SPLITS = (
    "Of several splits, 'inktex train' takes train, and 'inktex evaluate' the one that --split names.\n"
)


def add_describe(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex describe``."""
    parser.add_argument("data", help="a Parquet file made by 'inktex import'")
    parser.add_argument("--sheet", metavar="PNG", help="also draw a contact sheet")
    parser.add_argument("--sheet-size", type=int, default=48, help="pictures on the sheet (default: 48)")
    add_json(parser)


def run_describe(options: Namespace) -> int:
    """Count what a Parquet file holds."""
    from inktex.data.dataset import read_dataset
    from inktex.data.description import describe

    if options.sheet_size < 1:
        raise ConfigError(f"--sheet-size must be at least 1, got {options.sheet_size}")
    check_targets(options.sheet, options.json)
    samples = read_dataset(options.data)
    description = describe(samples)
    _print_description(description)
    if options.sheet:
        _write_sheet(samples, options.sheet_size, options.sheet)
    if options.json:
        write_json(options.json, asdict(description))
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
    if len(description.splits) > 1:
        console.print(Text(_SEVERAL_SPLITS))
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

    from inktex.visualize.sheets import contact_sheet

    count = min(size, len(samples))
    chosen = [samples[number * len(samples) // count] for number in range(count)]
    write_bytes(path, bytes(cv2.imencode(".png", contact_sheet(chosen))[1]))
