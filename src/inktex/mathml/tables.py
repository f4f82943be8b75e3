"""Matrices, cases and alignments as tables of MathML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from inktex.mathml.elements import element, row

_FENCES = {"pmatrix": "()", "bmatrix": "[]", "Bmatrix": "{}", "vmatrix": "||", "Vmatrix": "‖‖", "cases": "{"}
_ALIGNED = re.compile(r"(?:align|alignat|flalign|aligned|alignedat|split|eqnarray)\*?")
_ALIGNMENTS = {"l": "left", "c": "center", "r": "right"}


class Cell(NamedTuple):
    """The elements of a cell and whether the `&` before it is marked."""

    content: str
    differs: bool


class Line(NamedTuple):
    r"""The cells of a line and whether the `\\` before it is marked."""

    cells: Sequence[Cell]
    differs: bool


class _Column(NamedTuple):
    alignment: str
    ruled: bool = False  # whether a line is drawn on its left


def table(name: str, columns: Sequence[str] | None, lines: Sequence[Line], differs: bool) -> str:
    """Return an environment.

    Args:
        name: of the environment; an unknown one is a table without fences.
        columns: tokens of an array's column specification, or None.
        lines: what stands in it.
        differs: whether the environment itself is marked.
    """
    if len(lines) > 1 and [cell.content for cell in lines[-1].cells] == [""]:
        lines = lines[:-1]  # a line's end before the environment's begins no line
    width = max(len(line.cells) for line in lines)
    aligned = _ALIGNED.fullmatch(name) is not None
    specified = _columns(name, aligned, columns or ())
    specified += [_Column("center")] * (width - len(specified))
    used = specified[:width]
    styles = [_style(column, aligned) for column in used]
    content = "".join(_line(line, styles) for line in lines)
    whole = element("mtable", content, _attributes(name, aligned, used), differs)
    fences = _FENCES.get(name, "")
    if not fences:
        return whole
    left = element("mo", fences[0], ' form="prefix" stretchy="true"')
    right = [element("mo", sign, ' form="postfix" stretchy="true"') for sign in fences[1:]]
    return row([left, whole, *right])


def _columns(name: str, aligned: bool, specification: Sequence[str]) -> list[_Column]:
    if aligned:
        return [_Column("right"), _Column("left")] * 16
    if name == "cases":
        return [_Column("left")] * 2
    columns: list[_Column] = []
    ruled = False
    for token in specification:
        if token in _ALIGNMENTS:
            columns.append(_Column(_ALIGNMENTS[token], ruled))
        ruled = token == "|"
    return columns


def _style(column: _Column, aligned: bool) -> str:
    rules = []
    if column.alignment != "center":
        rules.append(f"text-align:{column.alignment}")
    if aligned:
        rules.append("padding-left:0;padding-right:0")
    if column.ruled:
        rules.append("border-left:thin solid")
    return f' style="{";".join(rules)}"' if rules else ""


def _attributes(name: str, aligned: bool, columns: Sequence[_Column]) -> str:
    attributes = ""
    if any(column.alignment != "center" for column in columns):
        attributes += f' columnalign="{" ".join(column.alignment for column in columns)}"'
    if any(column.ruled for column in columns[1:]):
        lines = " ".join("solid" if column.ruled else "none" for column in columns[1:])
        attributes += f' columnlines="{lines}"'
    if aligned:
        attributes += ' columnspacing="0em" displaystyle="true"'
    return attributes + (' scriptlevel="1"' if name == "smallmatrix" else "")


def _line(line: Line, styles: Sequence[str]) -> str:
    cells = zip(line.cells, styles, strict=False)
    drawn = "".join(element("mtd", cell.content, style, cell.differs) for cell, style in cells)
    return element("mtr", drawn, differs=line.differs)
