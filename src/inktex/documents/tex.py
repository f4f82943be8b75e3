r"""Readings beside their pictures as a LaTeX document that compiles, and the pictures that it includes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from inktex.documents.reading import Reading, least_sure_first
from inktex.errors import LatexError
from inktex.latex.readable import Wrapping, readable, wrap

FILE = "formulas.tex"
_PICTURES = "pictures"
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{char: "\\" + char for char in "{}$&#%_"},
}
_OTHER_SCRIPTS = re.compile("[\u0250-\uffff]|[^\u0000-\uffff]")
_HEAD = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{amsmath, amssymb, graphicx}
\usepackage[margin=2cm]{geometry}
\providecommand{\xlongequal}[2][]{\overset{#2}{\underset{#1}{=\!=}}}
\setlength{\parindent}{0pt}
"""
_CHINESE = "\\usepackage[UTF8]{ctex} % compile with xelatex\n"
_ROW = r"""\begin{minipage}[c]{0.45\textwidth}
\includegraphics[width=\linewidth, height=4cm, keepaspectratio]{%(picture)s}\\
\texttt{%(name)s}, %(sure)d\,\%% sure
\end{minipage}\hfill
\begin{minipage}[c]{0.5\textwidth}
%(formula)s
\end{minipage}\par\bigskip
"""


def write_tex(folder: Path, readings: Sequence[Reading]) -> None:
    """Fill a folder with a document and its pictures, the least sure reading first."""
    (folder / _PICTURES).mkdir()
    rows = []
    for number, reading in enumerate(least_sure_first(readings), 1):
        picture = f"{_PICTURES}/{number:04}.png"
        (folder / picture).write_bytes(reading.picture)
        rows.append(_row(reading, picture))
    body = "\n".join(rows)
    chinese = _CHINESE if _OTHER_SCRIPTS.search(body) else ""
    text = f"{_HEAD}{chinese}\\begin{{document}}\n\n{body}\n\\end{{document}}\n"
    (folder / FILE).write_text(text, encoding="utf-8")


def _row(reading: Reading, picture: str) -> str:
    try:
        formula = wrap(readable(reading.tokens), Wrapping.BRACKETS)
    except LatexError:
        formula = rf"\texttt{{{_escaped(readable(reading.tokens))}}}"
    values = {"picture": picture, "name": _escaped(reading.name), "formula": formula}
    return _ROW % {**values, "sure": round(100 * reading.confidence)}


def _escaped(text: str) -> str:
    """Return text as LaTeX sets it, whatever is in it."""
    return "".join(_SPECIAL.get(char, char) for char in text)
