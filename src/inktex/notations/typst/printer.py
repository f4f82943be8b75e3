r"""LaTeX tokens -> Typst's mathematics (https://typst.app/docs/reference/math/), without its dollars.

Delimiters that belong together grow with what they hold, as Typst has it; the others are escaped. Within the
arguments of a call commas, semicolons and colons are escaped too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from inktex.latex.spacing import head, kinds
from inktex.latex.tree import Command, Environment, Fence, Group, Node, Row, Script, Symbol
from inktex.mathml.elements import circled
from inktex.notations.arrangement import arranged
from inktex.notations.scripts import is_degree, without_primes
from inktex.notations.spacing import array_in, is_glued
from inktex.notations.symbols import as_typed, character, looked_up
from inktex.notations.typst.symbols import ACCENTS, ALPHABETS, ARROWS, CALLS, FUNCTIONS, SYMBOLS

_ESCAPED = frozenset('/#$&_^@"`()[]{}⟨⟩⌊⌋⌈⌉\\')
_ESCAPED_IN_CALLS = frozenset(",;:")
_NAMED_FENCES = {"|": "abs", r"\|": "norm", r"\lfloor": "floor", r"\lceil": "ceil"}
_OPENING, _CLOSING = frozenset("([{⟨"), frozenset(")]}⟩")
_MATRIX_DELIMITERS = {("(", ")"): "", ("[", "]"): "[", (r"\{", r"\}"): "{", ("|", "|"): "|"}
_NOTHING = '""'
_SIMPLE_SIGNS = frozenset("*+")


def to_typst(tokens: Sequence[str]) -> str:
    r"""Return tokens as Typst writes formulas, on one line: `frac(a, b) + x^2`.

    Lines of `aligned` are separated by a backslash, as Typst's own. A command that is not known is shown by
    its name, as text.

    Args:
        tokens: LaTeX in or near the dialect of :mod:`inktex.latex.tree`.

    Raises:
        LatexError: the tokens are not well-formed.
    """
    tree = arranged(tokens)
    match tree.items:
        case (Environment("aligned", rows),):
            return " \\ ".join(_line(cells, call=False) for cells in rows)
        case _:
            return _row(tree, call=False)


def _row(row: Row, call: bool) -> str:
    """Return a row; ``call`` tells whether it is, or stands within, an argument of a call."""
    found = kinds(row.items)
    text = ""
    for place, item in enumerate(row.items):
        piece = _node(item, call)
        text += " " * (place > 0 and not is_glued(row.items, found, place, FUNCTIONS)) + piece
    return text


def _node(node: Node, call: bool) -> str:
    match node:
        case Symbol(token):
            return _symbol(token, call)
        case Row():
            return _row(node, call)
        case Group(body):
            return _row(body, call)
        case Script():
            return _scripts(node, call)
        case Fence():
            return _fence(node, call)
        case Environment():
            return _matrix(node, "#none")
        case Command():
            return _command(node)


def _symbol(token: str, call: bool) -> str:
    name = looked_up(token, SYMBOLS)
    if name is not None:
        return name
    if token == r"\|":
        return "||"
    char = as_typed(token)
    if len(char) > 1:
        return char if char[0].isdigit() else _string(char)
    if char in _ESCAPED or (call and char in _ESCAPED_IN_CALLS):
        return "\\" + char
    return "space" if char == "~" else char


def _scripts(node: Script, call: bool) -> str:
    primes, sup = without_primes(node.sup)
    if isinstance(node.base, Group):  # scripts on scripts
        inner = _row(node.base.body, call=True)
        named = [("b", node.sub), ("t", node.sup)]
        return _call("attach", inner, *(f"{name}: {_row(row, True)}" for name, row in named if row))
    name = head(node.base)
    if isinstance(node.base, Command) and name in (r"\overbrace", r"\underbrace"):
        label, left = (sup, node.sub) if name == r"\overbrace" else (node.sub, sup)
        if label is not None and left is None and not primes:
            return _call(name[1:], _row(node.base.arguments[0], True), _row(label, True))
    base = _NOTHING if node.base is None else _node(node.base, call)
    if is_degree(sup) and node.sub is None and node.base is not None:
        return base + "'" * primes + " degree"
    sub = "" if node.sub is None else "_" + _script(node.sub)
    return base + "'" * primes + sub + ("" if sup is None else "^" + _script(sup))


def _script(row: Row) -> str:
    text = _row(row, call=False)
    simple = len(row.items) == 1 and isinstance(row.items[0], Symbol)
    if simple and (text in _SIMPLE_SIGNS or text.replace(".", "").isalnum()):
        return text
    return f"({text})"


def _fence(node: Fence, call: bool) -> str:
    array = array_in(node)
    if array is not None and (node.left, node.right) in _MATRIX_DELIMITERS and array.name == "matrix":
        return _matrix(array, _MATRIX_DELIMITERS[node.left, node.right])
    if array is not None and {node.left, node.right} <= {"", r"\{", r"\}"}:
        rows = [_line(cells, call=True) for cells in array.rows]
        return _call("cases", *(["reverse: #true"] if node.right else []), *rows)
    if node.left in _NAMED_FENCES and node.right in (node.left, node.left.replace(r"\l", r"\r")):
        return _call(_NAMED_FENCES[node.left], _row(node.body, True))
    left, right = (_symbol(token, call=False) if token else "" for token in (node.left, node.right))
    if left[-1:] in _OPENING and right[-1:] in _CLOSING:
        body = _row(node.body, call=False)
        bars = "|" in (body[:1], body[-1:])  # `[|` is a sign of its own
        return f"{left[-1]} {body} {right[-1]}" if bars else f"{left[-1]}{body}{right[-1]}"
    return f"lr({' '.join(filter(None, (left, _row(node.body, call=True), right)))})"


def _matrix(node: Environment, delimiter: str) -> str:
    """Return a table; the delimiter is "" for parentheses."""
    rows = "; ".join(", ".join(_row(cell, True) for cell in cells) for cells in node.rows)
    if delimiter and delimiter[0] != "#":
        delimiter = f'"{delimiter}"'
    return f"mat({f'delim: {delimiter}, ' * bool(delimiter)}{rows})"


def _line(cells: Sequence[Row], call: bool) -> str:
    first, *others = (_row(cell, call) for cell in cells)
    return " ".join(filter(None, [first, *(f"&{cell}" for cell in others)]))


def _command(node: Command) -> str:
    name = node.name
    match name:
        case r"\sqrt" if node.option is not None:
            return _call("root", _row(node.option, True), _row(node.arguments[0], True))
        case r"\overset" | r"\underset":
            sign = "^" if name == r"\overset" else "_"
            return _call("limits", _row(node.arguments[1], True)) + sign + _script(node.arguments[0])
        case r"\pmod":
            return f"quad (mod {_row(node.arguments[0], False)})"
        case r"\not":
            return _struck(head(node.arguments[0].items[0]))
        case r"\boxed":
            return f"#box(stroke: 0.5pt, inset: 3pt, ${_row(node.arguments[0], False)}$)"
        case r"\textcircled":
            word = head(node.arguments[0].items[0])
            return circled(word) or f"#circle(inset: 2pt, ${_string(word)}$)"
        case r"\text":
            return _string(head(node.arguments[0].items[0]))
        case r"\operatorname":
            return _call("op", _string(head(node.arguments[0].items[0])))
    if name in ARROWS:
        below = "" if node.option is None else "_" + _script(node.option)
        return f"stretch({ARROWS[name]}){below}^{_script(node.arguments[0])}"
    if name in ALPHABETS:
        return _in_alphabet(name, node.arguments[0])
    arguments = (_row(argument, True) for argument in node.arguments)
    return _call(ACCENTS.get(name) or CALLS.get(name, ""), *arguments)


def _in_alphabet(name: str, body: Row) -> str:
    letter = head(body.items[0]) if len(body.items) == 1 and isinstance(body.items[0], Symbol) else ""
    if name == r"\mathbb" and len(letter) == 1 and "A" <= letter <= "Z":
        return letter * 2
    if name == r"\mathrm" and len(letter) > 1 and letter[0] != "\\":
        return _string(letter)
    text = _row(body, True)
    for call in ALPHABETS[name].split():
        text = _call(call, text)
    return text


def _struck(token: str) -> str:
    """Return a symbol with a stroke through it."""
    char = unicodedata.normalize("NFC", character(token) + "\u0338")
    return char if len(char) == 1 else _call("cancel", _symbol(token, True))


def _call(name: str, *arguments: str) -> str:
    return f"{name}({', '.join(argument or _NOTHING for argument in arguments)})"


def _string(words: str) -> str:
    return '"' + words.replace("\\", r"\\").replace('"', r"\"") + '"'
