"""One HTML page about predictions: figures, curves, tables, and a browser of the expressions.

The page is one file: style, script, data and pictures are inside it, and its content security policy lets the
browser load nothing else and run no script but its own.
"""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from inktex.errors import LatexError
from inktex.mathml import to_mathml
from inktex.mathml.elements import text as _text
from inktex.pages.document import embedded_json, render

_WIDTH, _HEIGHT = 340, 236
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 328, 8, 186  # edges of the plot
_MOST_DOTS = 60  # points drawn as dots; more would be a band
_NUMBER = re.compile(r"\W?[\d.,]+\s?%?|\W?")  # with any sign, or a dash alone


@dataclass(frozen=True)
class Figure:
    """A number with its name; the note (an interval, a count) stands under it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """A line through points.

    Attributes:
        title: what it shows.
        x_label: name and unit of the horizontal axis.
        y_label: name and unit of the vertical axis.
        points: (x, y), in the order in which they are joined.
        band: lower and upper bound of y at each point, or nothing.
        y_range: least and greatest y of the axis; None: what the points and the band need.
    """

    title: str
    x_label: str
    y_label: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float]] = ()
    y_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Table:
    """Rows of text; a column of numbers alone is set flush right."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Row:
    """An expression.

    Attributes:
        id: its name.
        truth: the tokens of the label.
        prediction: the predicted tokens; None where there is no prediction.
        distance: edits between the two; an expression is right if it is 0.
        truth_marks: places in the truth of tokens that differ.
        prediction_marks: places in the prediction of tokens that differ.
        confidence: 0 to 1, or None.
        structures: what the truth contains ("fraction", "root"), to filter by.
        source: its writer or part of the data set, or "".
        problem: why there is no prediction, or "".
        picture: an encoded picture (PNG, JPEG, WebP), dark on light or light on dark, or None.
    """

    id: str
    truth: Sequence[str]
    prediction: Sequence[str] | None
    distance: int
    truth_marks: Collection[int] = ()
    prediction_marks: Collection[int] = ()
    confidence: float | None = None
    structures: Sequence[str] = ()
    source: str = ""
    problem: str = ""
    picture: bytes | None = None


def render_page(
    title: str,
    figures: Sequence[Figure],
    curves: Sequence[Curve],
    tables: Sequence[Table],
    rows: Sequence[Row],
) -> str:
    """Return the page as HTML, to be written as UTF-8.

    Any text may stand in what is given: it is shown as it is. Malformed LaTeX is shown as its tokens alone.
    """
    return render(
        "error_page",
        {
            "title": _text(title),
            "figures": _figures(figures),
            "panels": _panels([_curve(curve) for curve in curves] + [_table(table) for table in tables]),
            "rows": embedded_json([_row(row) for row in rows]),
        },
    )


def _row(row: Row) -> dict[str, object]:
    """Return an expression as the script reads it."""
    truth = _math(row.truth, row.truth_marks)
    prediction = None if row.prediction is None else _math(row.prediction, row.prediction_marks)
    return {
        "id": row.id,
        "truth": " ".join(row.truth),
        "truthMath": truth,
        "truthMarks": sorted(row.truth_marks),
        "prediction": None if row.prediction is None else " ".join(row.prediction),
        "predictionMath": None if prediction == truth else prediction,
        "predictionMarks": sorted(row.prediction_marks),
        "malformed": prediction == "",
        "distance": row.distance,
        "length": len(row.truth),
        "confidence": row.confidence,
        "structures": list(row.structures),
        "source": row.source,
        "problem": row.problem,
        "picture": "" if row.picture is None else b64encode(row.picture).decode(),
    }


def _math(tokens: Sequence[str], marks: Collection[int]) -> str:
    """Return the formula as MathML, or nothing where the tokens are malformed."""
    try:
        return to_mathml(tokens, frozenset(marks))
    except LatexError:
        return ""


def _figures(figures: Sequence[Figure]) -> str:
    if not figures:
        return ""
    parts = []
    for figure in figures:
        note = f'<dd class="note">{_text(figure.note)}</dd>' if figure.note else ""
        parts.append(f"<div><dt>{_text(figure.label)}</dt><dd>{_text(figure.value)}</dd>{note}</div>")
    return f'<dl class="figures">{"".join(parts)}</dl>'


def _panels(panels: Sequence[str]) -> str:
    return f'<div class="panels">{"".join(panels)}</div>' if panels else ""


def _table(table: Table) -> str:
    columns = range(len(table.headings))
    numeric = [all(_NUMBER.fullmatch(row[column]) for row in table.rows) for column in columns]

    def cells(tag: str, texts: Sequence[str]) -> str:
        kinds = (' class="number"' if number else "" for number in numeric)
        return "".join(f"<{tag}{kind}>{_text(text)}</{tag}>" for kind, text in zip(kinds, texts, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in table.rows)
    return (
        f'<div class="panel scrolling" tabindex="0"><table><caption>{_text(table.title)}</caption>'
        f"<thead><tr>{cells('th', table.headings)}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _curve(curve: Curve) -> str:
    """Return a curve as a figure with an SVG; the dots say their values when pointed at."""
    name = f'<figure class="panel"><figcaption>{_text(curve.title)}</figcaption>'
    if not curve.points:
        return f'{name}<p class="nothing">no points</p></figure>'
    xs = [x for x, _ in curve.points]
    ys = [y for _, y in curve.points] + [bound for bounds in curve.band for bound in bounds]
    horizontal = _Axis.over(min(xs), max(xs))
    vertical = _Axis.over(*(curve.y_range or (min(ys), max(ys))))

    def place(x: float, y: float) -> str:
        return (
            f"{_LEFT + horizontal.share(x) * (_RIGHT - _LEFT):.1f},"
            f"{_BOTTOM - vertical.share(y) * (_BOTTOM - _TOP):.1f}"
        )

    lower = [place(x, low) for x, (low, _) in zip(xs, curve.band, strict=False)]
    upper = [place(x, high) for x, (_, high) in zip(xs, curve.band, strict=False)]
    places = [place(x, y) for x, y in curve.points]
    (first_x, first_y), (last_x, last_y) = curve.points[0], curve.points[-1]
    summary = (
        f"{curve.title}: {curve.y_label} against {curve.x_label}, "
        f"from {first_y:.4g} at {first_x:.4g} to {last_y:.4g} at {last_x:.4g}"
    )
    drawn = [_frame(curve, horizontal, vertical)]
    if lower:
        drawn.append(f'<polygon class="band" points="{" ".join(lower + upper[::-1])}"/>')
    drawn.append(f'<polyline class="line" points="{" ".join(places)}"/>')
    if len(places) <= _MOST_DOTS:
        for (x, y), at in zip(curve.points, places, strict=True):
            across, down = at.split(",")
            value = f"<title>{x:.4g}: {y:.4g}</title>"
            drawn.append(f'<circle class="point" cx="{across}" cy="{down}" r="4">{value}</circle>')
    return (
        f'{name}<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{_text(summary)}">'
        f"{''.join(drawn)}</svg></figure>"
    )


@dataclass(frozen=True)
class _Axis:
    least: float
    greatest: float
    step: float

    @classmethod
    def over(cls, least: float, greatest: float) -> _Axis:
        """Return an axis from round number to round number, with some five steps."""
        if least == greatest:
            least, greatest = min(least, 0.0), max(greatest, 0.0) or 1.0 * (least == 0)
        span = greatest - least
        power = 10.0 ** math.floor(math.log10(span / 5))
        step = power * next(times for times in (1, 2, 2.5, 5, 10) if span / (power * times) <= 6)
        return cls(math.floor(least / step) * step, math.ceil(greatest / step) * step, step)

    def share(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1."""
        return (value - self.least) / (self.greatest - self.least)

    def ticks(self) -> list[tuple[float, str]]:
        """Return values and their names."""
        count = round((self.greatest - self.least) / self.step)
        return [(value, f"{value:.10g}") for value in (self.least + n * self.step for n in range(count + 1))]


def _frame(curve: Curve, horizontal: _Axis, vertical: _Axis) -> str:
    """Return the grid, the numbers and the names of the axes."""
    parts = []
    for value, name in vertical.ticks():
        y = _BOTTOM - vertical.share(value) * (_BOTTOM - _TOP)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>')
    for value, name in horizontal.ticks():
        x = _LEFT + horizontal.share(value) * (_RIGHT - _LEFT)
        parts.append(f'<text x="{x:.1f}" y="{_BOTTOM + 18}" text-anchor="middle">{name}</text>')
    across, down = (_LEFT + _RIGHT) / 2, (_TOP + _BOTTOM) / 2
    turned = f'transform="translate(12 {down}) rotate(-90)"'
    parts.append(f'<text x="{across}" y="{_HEIGHT - 8}" text-anchor="middle">{_text(curve.x_label)}</text>')
    parts.append(f'<text {turned} text-anchor="middle">{_text(curve.y_label)}</text>')
    return "".join(parts)
