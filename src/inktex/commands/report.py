"""How a report is shown and written by the commands that make one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from inktex.metrics.report import Metrics, Report

PAGE_HELP = "write a page to look through: figures, curves, and every expression with its picture"
_HEADINGS = {  # figures as they are shown
    "exprate": "ExpRate",
    "exprate_1": "  <= 1 error",
    "exprate_2": "  <= 2 errors",
    "exprate_3": "  <= 3 errors",
    "wer": "WER",
    "wer_with_end": "WER with end token",
    "cer": "CER",
    "token_error_rate": "token error rate",
    "bleu": "BLEU-4",
    "edit_score": "edit score",
    "overall": "overall",
    "word_rate": "WordRate",
    "counting_mae": "counting MAE (symbols)",
    "counting_rmse": "counting RMSE (symbols)",
    "well_formed": "well-formed",
    "structure_rate": "structure rate",
    "symbol_rate": "symbol rate",
    "graph_exprate": "ExpRate on graphs",
    "graph_exprate_1": "  <= 1 error",
    "graph_exprate_2": "  <= 2 errors",
    "graph_exprate_3": "  <= 3 errors",
}
_PLAIN = ("counting_mae", "counting_rmse")
_NOTHING = "(nothing)"
_SHOWN = 10  # rows of a table of errors
_BANDS_SHOWN = 12


def report_values(report: Report) -> dict[str, Any]:
    """Return a report as what JSON can hold: the figures by name, the rest beneath a name of its own."""
    values = asdict(report)
    return {**values.pop("metrics"), **values}


def print_report(report: Report, others: Mapping[str, Metrics] | None = None) -> None:
    """Print figures with their intervals, breakdowns and the most frequent errors.

    Args:
        report: what is printed.
        others: further columns of figures, by heading.
    """
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_figures(report, others or {}))
    console.print(_breakdowns(report))
    for title, substituted in (("tokens read as others", True), ("tokens missing or added", False)):
        rows = [
            (each.reference, each.predicted, each.count)
            for each in report.confusions
            if bool(each.reference and each.predicted) is substituted
        ]
        _print_errors(console, title, rows)
    parts = [(" ".join(each.reference), " ".join(each.predicted), each.count) for each in report.wrong_parts]
    _print_errors(console, "sub-expressions read wrong", parts)
    if report.calibration is not None and report.risk_coverage is not None:
        coverages, risks = report.risk_coverage.coverages, report.risk_coverage.risks
        half = next(risk for coverage, risk in zip(coverages, risks, strict=True) if coverage >= 0.5)
        console.print(
            f"confidence: calibration error {report.calibration.error:.3f}, Brier score "
            f"{report.calibration.brier:.3f}; of the most confident half {100 * (1 - half):.2f} % are right"
        )


def figure(name: str, value: float) -> str:
    """Return a figure as it is shown."""
    if math.isinf(value):
        return "infinite"
    return f"{value:.4f}" if name in _PLAIN else f"{value:.2f} %"


def heading(name: str) -> str:
    """Return how a figure is called."""
    return _HEADINGS[name]


def shown_figures() -> Iterable[str]:
    """Return the names of the figures that are shown, in order."""
    return _HEADINGS


def _figures(report: Report, others: Mapping[str, Metrics]) -> Table:
    table = _table(f"{report.metrics.count:,} expressions", "", "95 %", *others)
    for name in _HEADINGS:
        low, high = report.intervals[name]
        between = f"{figure(name, low).removesuffix(' %')} to {figure(name, high).removesuffix(' %')}"
        more = (figure(name, getattr(metrics, name)) for metrics in others.values())
        table.add_row(_HEADINGS[name], figure(name, getattr(report.metrics, name)), between, *more)
    if report.metrics.missing:
        table.add_row("without a prediction", f"{report.metrics.missing:,}", "", *("" for _ in others))
    return table


def _breakdowns(report: Report) -> Table:
    table = _table("", "expressions", "ExpRate", "95 %")
    for breakdown in report.breakdowns:
        bands = breakdown.bands
        if len(bands) > _BANDS_SHOWN:
            bands = tuple(sorted(bands, key=lambda band: -band.count)[:_BANDS_SHOWN])
        title = breakdown.name + (
            f", the largest of {len(breakdown.bands)}" if bands != breakdown.bands else ""
        )
        table.add_row(f"[bold]by {title}[/]")
        for band in bands:
            low, high = (100 * end for end in band.interval)
            share = 100 * band.right / band.count
            table.add_row(
                f"  {_plain(band.name)}", f"{band.count:,}", f"{share:.2f} %", f"{low:.1f} to {high:.1f}"
            )
    return table


def _print_errors(console: Console, title: str, rows: Sequence[tuple[str, str, int]]) -> None:
    if not rows:
        return
    table = _table(title, "read as", "times", left=2)
    for reference, predicted, count in rows[:_SHOWN]:
        table.add_row(_plain(reference or _NOTHING), _plain(predicted or _NOTHING), f"{count:,}")
    if len(rows) > _SHOWN:
        table.add_row(f"and {len(rows) - _SHOWN:,} others", "", f"{sum(row[2] for row in rows[_SHOWN:]):,}")
    console.print(table)


def _table(*headings: str, left: int = 1) -> Table:
    """Return a table whose columns but the first ``left`` are set to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE)
    for number, name in enumerate(headings):
        table.add_column(name, justify="left" if number < left else "right", overflow="fold")
    return table


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
