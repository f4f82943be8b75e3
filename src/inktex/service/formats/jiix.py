"""A reading as MyScript's JSON Interactive Ink eXchange format (JIIX), for math.

An expression has a type, a label (its LaTeX) and operands; leaves have the symbol that was read. Operators
stand among the operands of a group, as they were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from inktex.errors import LatexError
from inktex.image.box import Box
from inktex.latex.readable import readable
from inktex.latex.spans import Part, read_tree
from inktex.latex.tree import Command, Environment, Fence, Script, Symbol, parse, to_tokens
from inktex.recognition.result import Recognition

_VERSION = "3"
_DIGITS = frozenset("0123456789.")
_COMMANDS = {r"\frac": "fraction", r"\dfrac": "fraction", r"\tfrac": "fraction", r"\overline": "overline"}

_Boxes = Sequence[Box | None]


def jiix(reading: Recognition, boxes: bool = False) -> dict[str, Any]:
    """Return the document.

    Args:
        reading: what was read.
        boxes: whether to say where each expression stands; the reading must have details then.
    """
    places: _Boxes = [detail.box for detail in reading.details] if boxes else ()
    values: dict[str, Any] = {"type": "Math", "id": "MainBlock", "version": _VERSION, "label": reading.latex}
    try:
        whole = read_tree(reading.tokens)
        if to_tokens(parse(reading.tokens)) != list(reading.tokens):
            places = ()  # the tokens of the tree are not those that were located
        values["expressions"] = [_row(whole, reading.tokens, places)]
    except LatexError:
        values["expressions"] = []
    return {**values, **_bounding_box(places, 0, len(places))}


def _row(part: Part, tokens: Sequence[str], boxes: _Boxes) -> dict[str, Any]:
    """Return a row: its only item, or a group of all."""
    operands: list[dict[str, Any]] = []
    for digits, run in groupby(part.items, _is_digit):
        items = list(run)
        operands += (
            [_number(items, boxes)] if digits else [_expression(item, tokens, boxes) for item in items]
        )
    if len(operands) == 1:
        return operands[0]
    return _node("group", part, tokens, boxes, operands)


def _expression(part: Part, tokens: Sequence[str], boxes: _Boxes) -> dict[str, Any]:
    """Return what an item of a row stands for."""
    below = [_row_or_item(child, tokens, boxes) for child in part.children.values()]
    match part.node:
        case Symbol(token):
            symbols = [{"symbol": token, "candidates": [token]}]
            kind = "number" if token in _DIGITS else "symbol"
            return _node(kind, part, tokens, boxes, []) | {"symbols": symbols}
        case Script(_, sub, sup, limits):
            under, over, both = (
                ("underscript", "overscript", "underoverscript")
                if limits
                else ("subscript", "superscript", "subsuperscript")
            )
            return _node(both if sub and sup else under if sub else over, part, tokens, boxes, below)
        case Command(name, _, option):
            kind = (
                "square root"
                if name == r"\sqrt" and option is None
                else _COMMANDS.get(name, name.lstrip("\\"))
            )
            return _node("nth root" if kind == "sqrt" else kind, part, tokens, boxes, below)
        case Fence(left, _, right):
            fence = _node("fence", part, tokens, boxes, below)
            return fence | {"open symbol": left, "close symbol": right}
        case Environment(_, rows, _):
            cells = iter(below)
            table = [{"cells": [next(cells) for _ in row]} for row in rows]
            return _node("matrix", part, tokens, boxes, []) | {"rows": table}
        case _:
            return _node("group", part, tokens, boxes, below)


def _row_or_item(part: Part, tokens: Sequence[str], boxes: _Boxes) -> dict[str, Any]:
    return _expression(part, tokens, boxes) if isinstance(part.node, Symbol) else _row(part, tokens, boxes)


def _node(
    kind: str, part: Part, tokens: Sequence[str], boxes: _Boxes, operands: list[dict[str, Any]]
) -> dict[str, Any]:
    values: dict[str, Any] = {"type": kind, "label": readable(tokens[part.start : part.end])}
    if operands:
        values["operands"] = operands
    return values | _bounding_box(boxes, part.start, part.end)


def _is_digit(part: Part) -> bool:
    return isinstance(part.node, Symbol) and part.node.token in _DIGITS


def _number(items: Sequence[Part], boxes: _Boxes) -> dict[str, Any]:
    """Return digits that stand side by side as one number."""
    digits = [item.node.token for item in items if isinstance(item.node, Symbol)]
    label = "".join(digits)
    values: dict[str, Any] = {"type": "number", "label": label}
    if label.count(".") <= 1 and label != ".":
        values["value"] = float(label)
    values["symbols"] = [{"symbol": digit, "candidates": [digit]} for digit in digits]
    return values | _bounding_box(boxes, items[0].start, items[-1].end)


def _bounding_box(boxes: _Boxes, start: int, end: int) -> dict[str, Any]:
    """Return the rectangle round some tokens, in millimetres, if they have one."""
    found = [box for box in boxes[start:end] if box is not None]
    if not found:
        return {}
    left, top = min(box.left for box in found), min(box.top for box in found)
    right, bottom = max(box.right for box in found), max(box.bottom for box in found)
    return {"bounding-box": {"x": left, "y": top, "width": right - left, "height": bottom - top}}
