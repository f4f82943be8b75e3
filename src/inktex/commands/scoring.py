"""``inktex score`` and ``inktex compare``: anyone's predictions, without a model."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inktex.commands.output import add_json, check_targets, write_json
from inktex.commands.page import write_page
from inktex.commands.report import (
    PAGE_HELP,
    figure,
    heading,
    print_report,
    report_values,
    shown_figures,
)
from inktex.errors import ConfigError, DataError

if TYPE_CHECKING:
    from inktex.metrics.item import Item
    from inktex.metrics.report import Comparison
    from inktex.predictions import Matched, Normalised

_HASH_SHOWN = 16  # hexadecimal digits
_NAMES_SHOWN = 5
_RULES_SHOWN = 12
_DIFFERING_SHOWN = 20


def add_score(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex score``."""
    parser.description = (
        "Score predictions of any system. Files are read as captions or TSV (name, tab, LaTeX), JSON lines, "
        "the JSON that other systems write, a zip of %key and $latex$ files, a Parquet data set, or plain "
        "lines in order. A prediction that is missing is wrong."
    )
    parser.add_argument("predictions", help="the file of predictions")
    parser.add_argument(
        "references", nargs="?", help="the file of labels (default: those in the file of predictions)"
    )
    parser.add_argument("--page", metavar="FILE", help=PAGE_HELP)
    parser.add_argument(
        "--normalise",
        action="store_true",
        help="also score with both sides in the dialect of the CROHME captions, and tell what was changed",
    )
    _add_seed(parser)
    add_json(parser)


def run_score(options: Namespace) -> int:
    """Match predictions with references, and print how right they are."""
    from inktex.metrics.report import measure, report
    from inktex.predictions import match, normalise, reference_hash
    from inktex.predictions.writing import item_values

    _check_seed(options)
    check_targets(options.json, options.page)
    start = time.perf_counter()
    matched = match(options.predictions, options.references)
    labels = reference_hash(matched.items)
    result = report(matched.items, options.seed)
    normalised = normalise(matched.items) if options.normalise else None
    others = {} if normalised is None else {"normalised": measure(normalised.items)}
    if options.page:
        pictures = _pictures(matched, options.references)
        write_page(options.page, f"Inktex: {Path(options.predictions).name}", result, matched.items, pictures)
    if options.json:
        values = {**report_values(result), "reference_hash": labels, **_matched_values(matched)}
        if normalised is not None:
            rules = [change._asdict() for change in normalised.changes]
            values["normalised"] = {**vars(others["normalised"]), "rules": rules}
        values["seconds"] = round(time.perf_counter() - start, 3)
        write_json(options.json, {**values, "items": [item_values(item) for item in matched.items]})
    _print_matched(matched, labels)  # after the files: who reads only the beginning must not lose them
    print_report(result, others)
    if normalised is not None:
        _print_rules(normalised)
    return 0


def _matched_values(matched: Matched) -> dict[str, Any]:
    """Return the names of what could not be matched, for JSON."""
    return {
        "missing_items": matched.missing,
        "extra_items": matched.extra,
        "double_items": matched.double,
        "double_references": matched.double_references,
        "broken_references": matched.broken_references,
    }


def add_compare(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex compare``."""
    parser.description = (
        "Compare two models on the same items, from the files that 'inktex score --json' or 'inktex evaluate "
        "--json' wrote: the differences with their intervals, a paired test, and the items where they differ."
    )
    parser.add_argument("first", help="the JSON file of one model")
    parser.add_argument("second", help="the JSON file of the other")
    parser.add_argument(
        "--all", action="store_true", help=f"list all items that differ, not the first {_DIFFERING_SHOWN}"
    )
    _add_seed(parser)
    add_json(parser)


def run_compare(options: Namespace) -> int:
    """Print how two models differ on the same items."""
    from inktex.metrics.report import compare
    from inktex.predictions.writing import item_values

    _check_seed(options)
    check_targets(options.json)
    first, second = _in_same_order(_read_items(options.first), _read_items(options.second), options)
    result = compare(first, second, options.seed)
    if options.json:
        write_json(
            options.json,
            {
                "first": vars(result.first),
                "second": vars(result.second),
                "differences": result.differences,
                "discordance": result.discordance._asdict(),
                "differing": [
                    {**item_values(first[index]), "second": " ".join(second[index].prediction or ())}
                    for index in result.differing
                ],
            },
        )
    _print_comparison(result, options.first, options.second)
    _print_differing(first, second, result.differing, None if options.all else _DIFFERING_SHOWN)
    return 0


def _pictures(matched: Matched, references: str | None) -> dict[str, bytes]:
    """Return the pictures of the references by the ids of items, if they come from a data set."""
    from inktex.data.dataset import read_dataset
    from inktex.predictions import Format, item_id
    from inktex.visualize.sheets import encoded_picture

    if references is None or matched.references_format is not Format.PARQUET:
        return {}
    return {item_id(sample.id): encoded_picture(sample) for sample in read_dataset(references)}


def _add_seed(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the bootstrap's draws (default: 0)"
    )


def _check_seed(options: Namespace) -> None:
    if options.seed < 0:
        raise ConfigError(f"--seed must not be negative, got {options.seed}")


def _print_matched(matched: Matched, labels: str) -> None:
    source = matched.references_format
    print(
        f"{len(matched.items):,} references ({(source or matched.predictions_format).value}, "
        f"labels {labels[:_HASH_SHOWN]}), predictions from {matched.predictions_format.value}"
    )
    for problem, names in (
        ("without a prediction, and wrong", matched.missing),
        ("predictions of nothing that is asked for, passed over", matched.extra),
        ("predicted more than once, of which the first counts", matched.double),
        ("labelled more than once, of which the first counts", matched.double_references),
        ("references that are not LaTeX", matched.broken_references),
    ):
        if names:
            more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
            print(f"{len(names):,} {problem}: {', '.join(names[:_NAMES_SHOWN])}{more}")
    for note in matched.notes:
        print(note)


def _print_rules(normalised: Normalised) -> None:
    print(
        f"normalised: {normalised.predictions:,} predictions and {normalised.references:,} references are "
        f"changed; {normalised.malformed_predictions:,} and {normalised.malformed_references:,} are "
        f"malformed and stay as they are"
    )
    for rule in normalised.changes[:_RULES_SHOWN]:
        print(
            f"  {rule.before} -> {rule.after or '(nothing)'}: "
            f"{rule.predictions:,} predictions, {rule.references:,} references"
        )
    if len(normalised.changes) > _RULES_SHOWN:
        print(f"  and {len(normalised.changes) - _RULES_SHOWN:,} other changes")


def _read_items(path: str) -> dict[str, Item]:
    """Return the items of a JSON file of figures by id.

    Raises:
        DataError: it cannot be read, or holds no items.
    """
    from inktex.metrics.item import Item

    try:
        values: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise DataError(f"{path} is not JSON") from None
    try:
        items = {
            each["id"]: Item(
                each["id"],
                tuple(each["prediction"].split()) if "prediction" in each else None,
                tuple(each["reference"].split()),
            )
            for each in values["items"]
        }
    except (TypeError, KeyError, AttributeError):
        items = {}
    if not items:
        raise DataError(
            f"{path} holds no items: it must be written by 'inktex score --json' or 'inktex evaluate --json'"
        )
    return items


def _in_same_order(
    first: dict[str, Item], second: dict[str, Item], options: Namespace
) -> tuple[list[Item], list[Item]]:
    """Return the items of both in the order of the first.

    Raises:
        DataError: they are not of the same references.
    """
    for name in first.keys() ^ second.keys():
        holder = options.first if name in first else options.second
        raise DataError(f"the files are not of the same items: only {holder} has {name}")
    for name, item in first.items():
        if item.reference != second[name].reference:
            raise DataError(f"the files are not of the same references: they differ at {name}")
    return list(first.values()), [second[name] for name in first]


def _print_comparison(result: Comparison, first: str, second: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(f"{result.first.count:,} expressions", box=box.SIMPLE)
    for name in (Path(first).stem, Path(second).stem, "difference", "95 %"):
        table.add_column(name, justify="right")
    for name in shown_figures():
        one, other = getattr(result.first, name), getattr(result.second, name)
        low, high = result.differences[name]
        ends = (figure(name, end).removesuffix(" %") for end in (low, high))
        apart = figure(name, other - one) if other != one else figure(name, 0.0)
        table.add_row(heading(name), figure(name, one), figure(name, other), apart, " to ".join(ends))
    Console(highlight=False).print(table)
    counts = result.discordance
    print(
        f"both right {counts.both:,}, neither {counts.neither:,}, only the first {counts.first_only:,}, "
        f"only the second {counts.second_only:,}; McNemar's exact test: p = {counts.p_value:.2g}"
    )


def _print_differing(
    first: Sequence[Item], second: Sequence[Item], differing: Sequence[int], most: int | None
) -> None:
    for index in differing[:most]:
        item = first[index]
        wrong, other = (second, "second") if item.prediction == item.reference else (first, "first")
        print(f"{item.id}: {' '.join(item.reference)}")
        print(f"    the {other} has: {' '.join(wrong[index].prediction or ()) or '(nothing)'}")
    if most is not None and len(differing) > most:
        print(f"and {len(differing) - most:,} more; --all lists them")
