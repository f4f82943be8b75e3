r"""Sums, limits, integrals, derivatives and functions in SymPy's words, from parts that are read already."""

from __future__ import annotations

from collections.abc import Sequence

from inktex.errors import LatexError
from inktex.latex.spacing import head
from inktex.latex.tree import Node, Row, Symbol
from inktex.notations.sympy.calculus import Derivation
from inktex.notations.sympy.names import FUNCTIONS, INVERSES
from inktex.notations.sympy.values import Value, call, power, refusal
from inktex.notations.sympy.variables import Read, visible

_SERIES = {r"\sum": "Sum", r"\prod": "Product"}
_SIDES = {Symbol("+"): "'+'", Symbol("-"): "'-'"}
_INVERSE = (Symbol("-"), Symbol("1"))
_ARROWS = frozenset({r"\rightarrow", r"\to", r"\longrightarrow"})
_BASES = {r"\lg": ["10"]}


def series(token: str, sub: Row | None, sup: Row | None, body: Value, read: Read) -> Value:
    """Return a sum or product with its bounds.

    Raises:
        LatexError: the bounds are not those of one number that counts up.
    """
    if sub is None or sup is None:
        raise LatexError(f"SymPy needs both bounds of '{token}'.")
    name, first = _parted(sub, frozenset("="), token, read)
    return call(_SERIES[token], body.text, f"({name.text}, {first.text}, {read(sup).text})")


def limit(sub: Row | None, body: Value, read: Read) -> Value:
    """Return a limit.

    Raises:
        LatexError: what goes where is not said.
    """
    items = visible(sub.items) if sub else []
    side = []
    last = items[-1] if items else None
    sup = getattr(last, "sup", None)
    if sup is not None and len(sup.items) == 1 and sup.items[0] in _SIDES:
        side = [_SIDES[sup.items[0]]]
        items = [*items[:-1], getattr(last, "base", None) or Symbol("0")]
    name, goal = _parted(Row(tuple(items)), _ARROWS, r"\lim", read)
    return call("Limit", body.text, name.text, goal.text, *side)


def integral(
    variables: Sequence[Node], body: Value, sub: Row | None, sup: Row | None, token: str, read: Read
) -> Value:
    """Return an integral.

    Raises:
        LatexError: it has one bound, or bounds of several variables.
    """
    names = [read(Row((each,))).text for each in variables]
    if sub is None and sup is None:
        return call("Integral", body.text, *names)
    if sub is None or sup is None or len(names) > 1:
        raise LatexError(f"SymPy needs both bounds of '{token}', one pair for a variable.")
    return call("Integral", body.text, f"({names[0]}, {read(sub).text}, {read(sup).text})")


def derivative(found: Derivation, function: Value, read: Read) -> Value:
    """Return a derivative that is not worked out."""
    names = []
    for node, order in found.variables:
        name = read(Row((node,))).text
        names.append(name if order is None else f"({name}, {read(order).text})")
    return call("Derivative", function.text, *names)


def function(token: str, sub: Row | None, sup: Row | None, argument: Value, read: Read) -> Value:
    """Return a function of one argument, its inverse or its power.

    Raises:
        LatexError: it has a subscript that is no base of a logarithm.
    """
    if sub is not None and token != r"\log":
        raise LatexError(f"SymPy has no counterpart for a subscript of '{token}'.")
    name = FUNCTIONS[token]
    if sup is not None and sup.items == _INVERSE and name in INVERSES:
        return call(INVERSES[name], argument.text)
    if name == "det" and not argument.text.startswith("Matrix("):
        raise refusal(token)
    base = _BASES.get(token, []) if sub is None else [read(sub).text]
    value = call(name, argument.text, *base)
    return value if sup is None else power(value, read(sup))


def _parted(row: Row, signs: frozenset[str], token: str, read: Read) -> tuple[Value, Value]:
    """Return what stands left and right of a sign."""
    places = [place for place, item in enumerate(row.items) if head(item) in signs]
    if len(places) != 1:
        raise LatexError(f"SymPy needs to be told of '{token}' what it runs over, and from where.")
    return read(Row(row.items[: places[0]])), read(Row(row.items[places[0] + 1 :]))
