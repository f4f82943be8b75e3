r"""LaTeX tokens -> text that `sympy.sympify` reads.

What stands side by side is multiplied. `e` is Euler's number, `i` a variable like others, `\log` the natural
logarithm unless it has a base. A product is the argument of a function without parentheses, and what `\sum`
and `\lim` apply to. Before parentheses `f`, `g`, `h`, their capitals and `\phi`, `\psi` are functions, other
letters factors, unless there is a comma. A subscript is part of a name (`x_1`), but for indices
(`Indexed('a', n + 1)`). Names that SymPy uses itself stand as `Symbol('S')`.
"""

from __future__ import annotations

from collections.abc import Sequence

from inktex.errors import LatexError
from inktex.latex.spacing import head
from inktex.latex.tree import Environment, Node, Row, Symbol
from inktex.mathml.symbols import OPERATORS, Kind
from inktex.notations.arrangement import arranged
from inktex.notations.sympy.expressions import Expression
from inktex.notations.sympy.names import RELATIONS
from inktex.notations.sympy.values import refusal
from inktex.notations.sympy.variables import visible

_SEPARATORS = frozenset({Symbol(","), Symbol(";")})
_END = _SEPARATORS | {Symbol(".")}


def to_sympy(tokens: Sequence[str]) -> str:
    r"""Return tokens as SymPy text: `Eq(x**2, 2*y)`.

    Several statements, in lines or after commas, are a list; relations in a row are joined by `And`.

    Args:
        tokens: LaTeX in or near the dialect of :mod:`inktex.latex.tree`.

    Raises:
        LatexError: the tokens are not well-formed, or hold what has no mathematical meaning of its own, such
            as text, dots or an arrow; the sentence names the token.
    """
    tree = arranged(tokens)
    if not tree.items:
        raise LatexError("SymPy has no counterpart for an empty formula.")
    match tree.items:
        case (Environment("aligned", rows),):
            statements = [_statement(line) for line in _lines(rows)]
        case items:
            statements = [_statement(part) for part in _parts(items)]
    return statements[0] if len(statements) == 1 else f"[{', '.join(statements)}]"


def _lines(rows: Sequence[Sequence[Row]]) -> list[list[Node]]:
    """Return the lines of equations; one that begins with a relation goes on with the line before it."""
    lines: list[list[Node]] = []
    for cells in rows:
        items = visible([item for cell in cells for item in cell.items])
        if lines and items and head(items[0]) in RELATIONS:
            lines[-1] += items
        else:
            lines.append(items)
    return lines


def _parts(items: Sequence[Node]) -> list[list[Node]]:
    """Return what commas separate, without the full stop at the end."""
    items = visible(items)
    while len(items) > 1 and items[-1] in _END:
        items.pop()
    parts: list[list[Node]] = [[]]
    for item in items:
        if item in _SEPARATORS:
            parts.append([])
        else:
            parts[-1].append(item)
    return parts


def _statement(items: Sequence[Node]) -> str:
    """Return an expression, or the relations between several."""
    sides: list[list[Node]] = [[]]
    signs: list[str] = []
    for item in visible(items):
        token = head(item)
        if token in RELATIONS:
            signs.append(RELATIONS[token])
            sides.append([])
        elif token in OPERATORS and OPERATORS[token][1] is Kind.RELATION:
            raise refusal(token)
        else:
            sides[-1].append(item)
    if signs and not (sides[0] and sides[-1]):
        raise LatexError("SymPy needs something on both sides of an equation.")
    texts = [Expression(side, _statement).read().text for side in sides]
    if not signs:
        return texts[0]
    relations = [
        f"{sign}({left}, {right})" if sign.isalpha() else f"{left} {sign} {right}"
        for left, sign, right in zip(texts, signs, texts[1:], strict=False)
    ]
    return relations[0] if len(relations) == 1 else f"And({', '.join(relations)})"
