r"""LaTeX tokens -> AsciiMath (http://asciimath.org), without its backquotes.

What AsciiMath has no name for is written as its character of Unicode, or made up: a box of lines round its
content, a binomial coefficient as a column in parentheses.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from inktex.latex.spacing import head, kinds
from inktex.latex.tree import Command, Environment, Fence, Group, Node, Row, Script, Symbol
from inktex.mathml.elements import circled
from inktex.notations.arrangement import arranged
from inktex.notations.asciimath.symbols import (
    ACCENTS,
    ALPHABETS,
    ARROWS,
    FUNCTIONS,
    NUMBER_SETS,
    OVERSET,
    SYMBOLS,
)
from inktex.notations.scripts import without_primes
from inktex.notations.spacing import array_in, is_glued
from inktex.notations.symbols import as_typed, character, looked_up

_NAMED_FENCES = {"|": "abs", r"\|": "norm", r"\lfloor": "floor", r"\lceil": "ceil"}
# A fraction after one of these would have it in its numerator.
_GREEDY = FUNCTIONS - {r"\lim", r"\max", r"\min", r"\dim"} | {"f", "g"}
# How each delimiter is written on the left and on the right.
_LEFT = {
    "": "{:",
    "(": "(",
    "[": "[",
    r"\{": "{",
    r"\langle": "(:",
    "|": "|:",
    r"\lfloor": "|__",
    r"\lceil": "|~",
}
_RIGHT = {
    "": ":}",
    ")": ")",
    "]": "]",
    r"\}": "}",
    r"\rangle": ":)",
    "|": ":|",
    r"\rfloor": "__|",
    r"\rceil": "~|",
}
_NOTHING = '""'


def to_asciimath(tokens: Sequence[str]) -> str:
    r"""Return tokens as AsciiMath: `(a + b)/2 + x^2`.

    A command that is not known is shown by its name, as text.

    Args:
        tokens: LaTeX in or near the dialect of :mod:`inktex.latex.tree`.

    Raises:
        LatexError: the tokens are not well-formed.
    """
    return _row(arranged(tokens))


def _row(row: Row) -> str:
    items = row.items
    found = kinds(items)
    text = ""
    for place, item in enumerate(items):
        piece = _node(item)
        if (
            place
            and head(item) == r"\frac"
            and head(items[place - 1]) in _GREEDY
            and isinstance(item, Command)
        ):
            piece = f"{{:{piece}:}}"
        text += " " * (place > 0 and not is_glued(items, found, place, FUNCTIONS)) + piece
    return text


def _node(node: Node) -> str:
    match node:
        case Symbol(token):
            return _symbol(token)
        case Row() | Group(Row()):
            return _row(node if isinstance(node, Row) else node.body)
        case Script():
            return _scripts(node)
        case Fence():
            return _fence(node)
        case Environment():
            return _array(node, "{:", ":}")
        case Command():
            return _command(node)


def _symbol(token: str) -> str:
    name = looked_up(token, SYMBOLS)
    if name is not None:
        return name
    char = as_typed(token)
    return char if len(char) == 1 or char[0].isdigit() else _string(char)


def _argument(row: Row) -> str:
    """Return a row as one thing; the parentheses are not drawn."""
    if len(row.items) == 1 and isinstance(row.items[0], Symbol):
        text = _row(row)
        if text.isascii() and (text == "@" or text.replace(".", "").isalnum()):
            return text
    return f"({_inside(row) or _NOTHING})"


def _inside(row: Row) -> str:
    """Return a row between delimiters; a list in parentheses at its end would make it a matrix."""
    last = row.items[-1] if row.items else None
    listed = isinstance(last, Fence) and last.left in ("(", "[") and Symbol(",") in last.body.items
    alone = len(row.items) == 1 or row.items[-2:-1] == (Symbol(","),)
    return _row(row) + _NOTHING * (listed and alone)


def _scripts(node: Script) -> str:
    primes, sup = without_primes(node.sup)
    base = _NOTHING if node.base is None else _node(node.base)
    if isinstance(node.base, Group) or head(node.base) == r"\frac" or base[-1] in "^_":
        base = f"{{:{base}:}}"
    sub = "" if node.sub is None else "_" + _argument(node.sub)
    return base + sub + "'" * primes + ("" if sup is None else "^" + _argument(sup))


def _fence(node: Fence) -> str:
    array = array_in(node)
    bars = node.left == node.right == "|"
    if array is not None and len(array.rows) > 1 and (bars or (node.left in _LEFT and node.right in _RIGHT)):
        return _array(array, *(("|", "|") if bars else (_LEFT[node.left], _RIGHT[node.right])))
    body = _inside(node.body)
    if node.left in _NAMED_FENCES and node.right in (node.left, node.left.replace(r"\l", r"\r")):
        return f"{_NAMED_FENCES[node.left]}({body})"
    left, right = _LEFT.get(node.left), _RIGHT.get(node.right)
    before = "" if left else _symbol(node.left) + " "
    after = "" if right else " " + _symbol(node.right)
    return f"{before}{left or '{:'}{body}{right or ':}'}{after}"


def _array(node: Environment, left: str, right: str) -> str:
    """Return a table between delimiters; a single line is no table to AsciiMath."""
    lines = [[_cell(cell) for cell in cells] for cells in node.rows]
    if len(lines) == 1:
        return f"{left}{' quad '.join(lines[0])}{right}"
    width = max(map(len, lines))
    lines = [[*cells, *[_NOTHING] * (width - len(cells))] for cells in lines]
    opening, closing = "()" if left == "(" else "[]"
    return left + ", ".join(f"{opening}{', '.join(cells)}{closing}" for cells in lines) + right


def _cell(cell: Row) -> str:
    text = _row(cell) or _NOTHING
    return f"{{:{text}:}}" if Symbol(",") in cell.items else text


def _command(node: Command) -> str:
    name = node.name
    first, last = node.arguments[0], node.arguments[-1]
    match name:
        case r"\frac":
            return f"{_argument(first)}/{_argument(last)}"
        case r"\binom":
            return f"(({_row(first)}), ({_row(last)}))"
        case r"\sqrt" if node.option is not None:
            return f"root({_row(node.option)})({_row(first)})"
        case r"\overset" | r"\underset":
            return f"{name[1:]}({_row(first)})({_row(last)})"
        case r"\pmod":
            return f"quad (mod {_row(first)})"
        case r"\not":
            return _struck(head(first.items[0]))
        case r"\boxed":
            return f"ul(bar(|{_row(first)}|))"
        case r"\textcircled":
            return circled(head(first.items[0])) or f"({_string(head(first.items[0]))})"
        case r"\text" | r"\operatorname":
            return _string(head(first.items[0]))
    if name in ARROWS:
        arrow = f"overset({_row(first) or _NOTHING})({ARROWS[name]})"
        return arrow if node.option is None else f"underset({_row(node.option)})({arrow})"
    if name in OVERSET:
        return f"overset({OVERSET[name]})({_row(first)})"
    if name in ALPHABETS:
        return _in_alphabet(name, first)
    return f"{ACCENTS.get(name, '')}({_row(first) or _NOTHING})"


def _in_alphabet(name: str, body: Row) -> str:
    letter = head(body.items[0]) if len(body.items) == 1 and isinstance(body.items[0], Symbol) else ""
    if name == r"\mathbb" and letter in NUMBER_SETS and letter:
        return letter * 2
    if name == r"\mathrm":
        return _string(letter) if letter and letter[0] != "\\" else _row(body)
    return f"{ALPHABETS[name]}({_row(body)})"


def _struck(token: str) -> str:
    """Return a symbol with a stroke through it."""
    char = unicodedata.normalize("NFC", character(token) + "\u0338")
    known = {"≠": "!=", "∉": "!in"}
    return known.get(char, char) if len(char) == 1 else f"cancel({_symbol(token)})"


def _string(words: str) -> str:
    return '"' + words.replace('"', "''") + '"'
