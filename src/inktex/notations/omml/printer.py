r"""LaTeX tokens -> Office Math, the equations of Word, PowerPoint and OneNote (OMML)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from inktex.latex.spacing import Kind, head, kinds
from inktex.latex.tree import Command, Environment, Fence, Group, Node, Row, Script, Symbol
from inktex.mathml.elements import circled
from inktex.mathml.symbols import (
    FUNCTIONS,
    INTEGRALS,
    LABELLED_ARROWS,
    LIMIT_FUNCTIONS,
    STACKING,
    is_capital_greek,
)
from inktex.notations.arrangement import arranged
from inktex.notations.omml import elements as omml
from inktex.notations.operands import argument_end, term_end
from inktex.notations.spacing import array_in
from inktex.notations.symbols import character

_UPRIGHT = omml.value("sty", "p")
_TEXT = "<m:nor/>"
_SPACES = {"~": "\u00a0", r"\quad": "\u2003", r"\qquad": "\u2003\u2003"}
# Combining characters, which Word stretches where they grow.
_ACCENTS = {
    "\\" + name: chr(code)
    for name, code in {
        "hat": 0x302, "widehat": 0x302, "tilde": 0x303, "widetilde": 0x303, "bar": 0x305, "vec": 0x20D7,
        "overrightarrow": 0x20D7, "overleftarrow": 0x20D6, "dot": 0x307, "ddot": 0x308, "check": 0x30C,
        "breve": 0x306, "acute": 0x301, "grave": 0x300, "mathring": 0x30A,
    }.items()
}  # fmt: skip
_ALPHABETS = {
    r"\mathbb": omml.value("scr", "double-struck") + _UPRIGHT,
    r"\mathcal": omml.value("scr", "script") + _UPRIGHT,
    r"\mathfrak": omml.value("scr", "fraktur") + _UPRIGHT,
    r"\mathsf": omml.value("scr", "sans-serif") + _UPRIGHT,
    r"\mathtt": omml.value("scr", "monospace") + _UPRIGHT,
    r"\mathbf": omml.value("sty", "b"),
    r"\boldsymbol": omml.value("sty", "bi"),
    r"\mathrm": _UPRIGHT,
    r"\operatorname": _UPRIGHT,
}


def to_omml(tokens: Sequence[str]) -> str:
    r"""Return tokens as an `m:oMath` element, which is well-formed XML.

    A command that is not known is shown by its name.

    Args:
        tokens: LaTeX in or near the dialect of :mod:`inktex.latex.tree`.

    Raises:
        LatexError: the tokens are not well-formed.
    """
    return omml.math(_row(arranged(tokens)))


def _row(row: Row, look: str = "") -> str:
    """Return a row; the look is that of its letters."""
    return _items(row.items, kinds(row.items), look)


def _items(items: Sequence[Node], found: Sequence[Kind], look: str) -> str:
    pieces: list[str] = []
    place = 0
    while place < len(items):
        item, start = items[place], place + 1
        token = head(item)
        if token in STACKING or token in INTEGRALS:
            place = term_end(items, found, start)
            pieces.append(_large(item, _items(items[start:place], found[start:place], look)))
        elif token in FUNCTIONS and argument_end(items, found, start) > start:
            place = argument_end(items, found, start)
            name = _node(item, look)
            pieces.append(omml.function(name, _items(items[start:place], found[start:place], look)))
        elif isinstance(item, Script) and item.base is None and start < len(items):
            place = start + 1
            sub, sup = _optional(item.sub), _optional(item.sup)
            pieces.append(omml.before(sub, sup, _node(items[start], look)))
        else:
            pieces.append(_node(item, look))
            place = start
    return omml.joined(pieces)


def _node(node: Node, look: str) -> str:
    match node:
        case Symbol(token):
            return _symbol(token, look)
        case Row() | Group(Row()):
            return _row(node if isinstance(node, Row) else node.body, look)
        case Script():
            return _scripts(node, look)
        case Fence():
            return _fence(node, look)
        case Environment("aligned", rows):
            return omml.equations([_aligned(cells) for cells in rows])
        case Environment(_, rows):
            return omml.matrix([[_row(cell) for cell in cells] for cells in rows])
        case Command():
            return _command(node, look)


def _symbol(token: str, look: str) -> str:
    if token in _SPACES:
        return omml.run(_SPACES[token], _TEXT)
    char = character(token)
    if token in FUNCTIONS or (len(char) > 1 and not char[0].isdigit()):
        return omml.run(char, _UPRIGHT)
    return omml.run(char, look or (_UPRIGHT if is_capital_greek(char) else ""))


def _scripts(node: Script, look: str) -> str:
    base = omml.run("\u200b") if node.base is None else _node(node.base, look)
    name = head(node.base)
    sub, sup = _optional(node.sub), _optional(node.sup)
    if name in LIMIT_FUNCTIONS or name in (r"\overbrace", r"\underbrace"):
        return omml.stacked(base, sub, sup)
    return omml.scripts(base, sub, sup)


def _optional(row: Row | None) -> str | None:
    return None if row is None else _row(row)


def _large(item: Node, body: str) -> str:
    sub, sup = (_optional(item.sub), _optional(item.sup)) if isinstance(item, Script) else (None, None)
    token = head(item)
    return omml.large(character(token), sub, sup, body, at_side=token in INTEGRALS)


def _fence(node: Fence, look: str) -> str:
    array = array_in(node)
    if array is not None and array.name == "matrix" and not (node.left and node.right):
        body = omml.matrix([[_row(cell) for cell in cells] for cells in array.rows], "left")
    else:
        body = _row(node.body, look)
    return omml.delimited(character(node.left), body, character(node.right))


def _aligned(cells: Sequence[Row]) -> str:
    """Return a line whose cells begin under one another."""
    mark = omml.run("&")
    return omml.joined([part for cell in cells for part in (mark, _row(cell))][1:])


def _command(node: Command, look: str) -> str:
    name = node.name
    if name in _ALPHABETS:
        return _in_alphabet(node.arguments[0], _ALPHABETS[name])
    word = head(node.arguments[0].items[0]) if node.arguments[0].items else ""
    match name:
        case r"\text":
            return omml.run(word, _TEXT)
        case r"\textcircled":
            return omml.run(circled(word), _TEXT) if circled(word) else omml.boxed(omml.run(word, _TEXT))
        case r"\not":
            char = unicodedata.normalize("NFC", character(word) + "\u0338")
            return omml.run(char)
    arguments = [_row(argument, look) for argument in node.arguments]
    return _composed(node, arguments[0], arguments[-1])


def _composed(node: Command, first: str, last: str) -> str:
    """Return what a command makes of its arguments."""
    name = node.name
    if name in _ACCENTS:
        return omml.accented(_ACCENTS[name], first)
    if name in LABELLED_ARROWS:
        arrow = omml.grouped(LABELLED_ARROWS[name], first, "bot", "top")
        return omml.stacked(arrow, _optional(node.option), None)
    match name:
        case r"\frac":
            return omml.fraction(first, last)
        case r"\binom":
            return omml.delimited("(", omml.fraction(first, last, line=False), ")")
        case r"\sqrt":
            return omml.radical(first, _optional(node.option))
        case r"\overset":
            return omml.stacked(last, None, first)
        case r"\underset":
            return omml.stacked(last, first, None)
        case r"\overline":
            return omml.ruled(first, "top")
        case r"\underline":
            return omml.ruled(first, "bot")
        case r"\overbrace":
            return omml.grouped("⏞", first, "top", "bot")
        case r"\underbrace":
            return omml.grouped("⏟", first, "bot", "top")
        case r"\boxed":
            return omml.boxed(first)
        case r"\cancel":
            return omml.struck(first)
        case r"\pmod":
            return omml.joined([omml.run("\u2003(", _TEXT), omml.run("mod ", _UPRIGHT), first, omml.run(")")])
    return first


def _in_alphabet(body: Row, look: str) -> str:
    if all(isinstance(item, Symbol) for item in body.items):
        return omml.run("".join(character(head(item)) for item in body.items), look)
    return _row(body, look)
