"""A report as a page to look through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inktex.commands.report import figure, heading
from inktex.files import write_text

if TYPE_CHECKING:
    from inktex.metrics.breakdown import Breakdown
    from inktex.metrics.item import Item
    from inktex.metrics.report import Report
    from inktex.pages.errors import Curve, Row, Table

_AT_THE_TOP = (
    *("exprate", "exprate_1", "exprate_2", "exprate_3", "wer", "bleu"),
    *("structure_rate", "symbol_rate", "graph_exprate", "well_formed"),
)
_ROWS = 15  # of a table


def write_page(
    path: str, title: str, report: Report, items: Sequence[Item], pictures: Mapping[str, bytes]
) -> None:
    """Write a page of figures, curves and tables, with a browser of the expressions.

    Args:
        path: the file to write.
        title: of the page.
        report: the figures.
        items: what they were made of.
        pictures: encoded pictures by the ids of items, of as many as there are.
    """
    from inktex.pages.errors import Figure, render_page

    figures = [
        Figure(
            heading(name).strip(),
            figure(name, getattr(report.metrics, name)),
            " to ".join(figure(name, end).removesuffix(" %") for end in report.intervals[name]),
        )
        for name in _AT_THE_TOP
    ]
    rows = [_row(item, pictures.get(item.id)) for item in items]
    write_text(path, render_page(title, figures, _curves(report, items), _tables(report), rows))


def _row(item: Item, picture: bytes | None) -> Row:
    from inktex.metrics.breakdown import structures
    from inktex.metrics.sequence import edit_operations
    from inktex.pages.errors import Row

    edits = edit_operations(item.prediction or (), item.reference)
    wrong = [edit for edit in edits if edit.kind != "equal"]
    distance = len(wrong)
    if item.prediction is None:  # is wrong even where there was nothing to read
        distance = max(distance, 1)
    return Row(
        item.id,
        item.reference,
        item.prediction,
        distance,
        [edit.reference_index for edit in wrong if edit.reference_index is not None],
        [edit.predicted_index for edit in wrong if edit.predicted_index is not None],
        item.confidence,
        structures(item.reference),
        item.source or "",
        item.problem or "",
        picture,
    )


def _curves(report: Report, items: Sequence[Item]) -> list[Curve]:
    from inktex.pages.errors import Curve

    curves = [_by_length(items)]
    if report.risk_coverage is not None:
        points = [
            (100 * coverage, 100 * risk)
            for coverage, risk in zip(report.risk_coverage.coverages, report.risk_coverage.risks, strict=True)
        ]
        curves.append(
            Curve("Errors among the most confident", "answers given, %", "wrong, %", points, y_range=(0, 100))
        )
    if report.calibration is not None:
        points = [(100 * each.confidence, 100 * each.right) for each in report.calibration.bins]
        curves.append(
            Curve("Right answers by confidence", "confidence, %", "right, %", points, y_range=(0, 100))
        )
    return curves


def _by_length(items: Sequence[Item]) -> Curve:
    """Return ExpRate against length, in some ten groups of equally many expressions."""
    from inktex.metrics.uncertainty import wilson
    from inktex.pages.errors import Curve

    ordered = sorted(items, key=lambda item: len(item.reference))
    groups = min(10, len(ordered))
    cuts = [len(ordered) * number // groups for number in range(groups + 1)]
    points, band = [], []
    for start, end in pairwise(cuts):
        group = ordered[start:end]
        right = sum(item.prediction == item.reference for item in group)
        low, high = wilson(right, len(group))
        points.append((sum(len(item.reference) for item in group) / len(group), 100 * right / len(group)))
        band.append((100 * low, 100 * high))
    return Curve("ExpRate by length", "tokens of the label", "ExpRate, %", points, band, (0, 100))


def _tables(report: Report) -> list[Table]:
    from inktex.pages.errors import Table

    tables = [_band_table(breakdown) for breakdown in report.breakdowns if breakdown.name != "length"]
    for title, substituted in (("Tokens read as others", True), ("Tokens missing or added", False)):
        rows = [
            (each.reference or "—", each.predicted or "—", f"{each.count:,}")
            for each in report.confusions
            if bool(each.reference and each.predicted) is substituted
        ]
        tables.append(Table(title, ("label", "read as", "times"), rows[:_ROWS]))
    parts = [
        (" ".join(each.reference), " ".join(each.predicted) or "—", f"{each.count:,}")
        for each in report.wrong_parts
    ]
    tables.append(Table("Sub-expressions read wrong", ("label", "read as", "times"), parts[:_ROWS]))
    return [table for table in tables if table.rows]


def _band_table(breakdown: Breakdown) -> Table:
    from inktex.pages.errors import Table

    bands = sorted(breakdown.bands, key=lambda band: -band.count)[:_ROWS]
    rows = [
        (band.name, f"{band.count:,}", f"{100 * band.right / band.count:.1f} %")
        for band in breakdown.bands
        if band in bands
    ]
    return Table(f"By {breakdown.name}", (breakdown.name, "expressions", "ExpRate"), rows)
