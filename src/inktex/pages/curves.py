"""How runs were trained, as curves: loss, error rates, ExpRate and learning rate over the updates."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from inktex.errors import RunError
from inktex.mathml.elements import text
from inktex.pages.document import render
from inktex.training.run_log import read_log

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
_MOST_MARKERS = 40
_STYLE: Any = {"svg.hashsalt": "inktex", "svg.fonttype": "none", "font.size": 9.0, "axes.titlesize": 10.0}


class Line(NamedTuple):
    """What a panel draws of a run.

    Attributes:
        columns: of the log, of which the first that is there is drawn.
        name: in the legend; "" where the panel's title says it.
        dashed: whether it is.
        faint: whether it stands in the background.
    """

    columns: tuple[str, ...]
    name: str = ""
    dashed: bool = False
    faint: bool = False


class Panel(NamedTuple):
    """A plot of the picture."""

    title: str
    lines: tuple[Line, ...]


PANELS = (
    Panel(
        "loss",
        (
            Line(("train/loss_step",), faint=True),
            Line(("train/loss_epoch", "train/loss"), "training"),
            Line(("val/loss",), "validation", dashed=True),
        ),
    ),
    Panel("WER and CER, %", (Line(("val/wer",), "WER"), Line(("val/cer",), "CER", dashed=True))),
    Panel("ExpRate, %", (Line(("val/exprate",)),)),
    Panel("learning rate", (Line(("lr", "lr-AdamW", "lr-SGD", "lr-Adadelta")),)),
)


@dataclass(frozen=True)
class History:
    """What a run logged.

    Attributes:
        name: of the run.
        series: (updates done, value) in order, by the names of the log's columns.
    """

    name: str
    series: dict[str, list[tuple[int, float]]]

    @property
    def best(self) -> tuple[int, float] | None:
        """The updates done and the ExpRate of the best validation, the first of equals."""
        return max(self.series.get("val/exprate", ()), key=lambda point: point[1], default=None)

    @property
    def updates(self) -> int:
        """How many updates the log covers."""
        return max(points[-1][0] for points in self.series.values())


def read_history(run: Path) -> History:
    """Read the log of a run, of all its starts; what a resumed run did again counts once, the later time.

    Raises:
        RunError: the folder holds no log, or one that cannot be read.
    """
    starts = [[row for row in rows if "step" in row] for rows in read_log(run)]
    starts = [rows for rows in starts if rows]
    if not starts:
        raise RunError(f"{run} holds no training log: log/version_*/metrics.csv is missing or empty")
    series: dict[str, list[tuple[int, float]]] = {}
    for number, rows in enumerate(starts):
        again = min((later[0]["step"] for later in starts[number + 1 :]), default=math.inf)
        for row in rows:
            for name, value in row.items() if row["step"] < again else ():
                if name not in ("epoch", "step"):
                    series.setdefault(name, []).append((int(row["step"]) + 1, value))
    return History(run.resolve().name, series)


def draw_curves(histories: Sequence[History], form: str) -> bytes:
    """Draw runs into one picture, each in a colour of its own.

    Args:
        histories: the runs.
        form: ``png`` or ``svg``.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(10, 6.2), dpi=120, layout="constrained")
        for axes, panel in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
            _draw_panel(axes, panel, histories)
        handles = [
            Line2D([], [], color=_colour(number), label=history.name)
            for number, history in enumerate(histories)
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(5, len(handles)), frameon=False)
        data = io.BytesIO()
        figure.savefig(data, format=form, metadata={"Date": None} if form == "svg" else None)
    return data.getvalue()


def curves_page(histories: Sequence[History]) -> str:
    """Return the picture as an HTML page of one file, with a table of the runs."""
    svg = draw_curves(histories, "svg").decode()
    rows = []
    for history in histories:
        best = history.best
        cells = (
            history.name,
            f"{history.updates:,}",
            "" if best is None else f"{best[1]:.2f} %",
            "" if best is None else f"{best[0]:,}",
        )
        rows.append("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in cells) + "</tr>")
    return render("curves_page", {"curves": svg[svg.index("<svg") :], "rows": "".join(rows)})


def _draw_panel(axes: Axes, panel: Panel, histories: Sequence[History]) -> None:
    axes.set_title(panel.title, loc="left")
    axes.grid(color="#e0e0e0", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("updates")
    drawn = []
    for line in panel.lines:
        found = [_draw_line(axes, line, history, _colour(number)) for number, history in enumerate(histories)]
        drawn += [line] * any(found)
    if not drawn:
        axes.text(0.5, 0.5, "not in the log", transform=axes.transAxes, ha="center", color="#707070")
        axes.set_xticks([])
        axes.set_yticks([])
    named = [line for line in drawn if line.name]
    if named:
        handles = [
            Line2D([], [], color="#505050", linestyle="--" if line.dashed else "-", label=line.name)
            for line in named
        ]
        axes.legend(handles=handles, frameon=False)


def _draw_line(axes: Axes, line: Line, history: History, colour: str) -> bool:
    """Draw what a run has of a line; tell whether it has anything."""
    points = next((history.series[column] for column in line.columns if column in history.series), None)
    if points is None:
        return False
    steps, values = zip(*points, strict=True)
    if line.faint:
        axes.plot(steps, values, color=colour, linewidth=0.7, alpha=0.35)
    else:
        marker = "o" if len(points) <= _MOST_MARKERS else ""
        axes.plot(
            steps,
            values,
            color=colour,
            linestyle="--" if line.dashed else "-",
            linewidth=1.5,
            marker=marker,
            markersize=3,
        )
    return True


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]
