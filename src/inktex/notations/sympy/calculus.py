r"""How integrals and derivatives are written: where the `d x` stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inktex.latex.spacing import head
from inktex.latex.tree import Command, Node, Row, Script, Symbol
from inktex.notations.sympy.names import letter

INTEGRALS: dict[str, int] = {r"\int": 1, r"\iint": 2, r"\iiint": 3}
_ONE = (Symbol("1"),)


class Integrand(NamedTuple):
    """What is integrated, the variables in their order, and how many things of the row that takes."""

    body: Sequence[Node]
    variables: Sequence[Node]
    length: int


class Derivation(NamedTuple):
    """What is differentiated, nothing if it follows, and by what: variables, each with its order or None."""

    function: Sequence[Node]
    variables: Sequence[tuple[Node, Row | None]]


def integrand(items: Sequence[Node], count: int) -> Integrand | None:
    """Return the integrand after an integral of so many variables; None if a variable is missing.

    Args:
        items: what follows the integral in its row; integrals among them have variables of their own.
        count: 1 to 3.
    """
    missing = count
    for place, item in enumerate(items):
        missing += INTEGRALS.get(head(item), 0)
        if not is_differential(items, place):
            continue
        missing -= 1
        if not missing:
            begin = place - 2 * (count - 1)
            places = range(begin, place + 1, 2)
            if begin < 0 or not all(is_differential(items, each) for each in places):
                return None
            return Integrand(items[:begin], [items[each + 1] for each in places], place + 2)
    return _over_fraction(items) if count == 1 else None


def is_differential(items: Sequence[Node], place: int) -> bool:
    """Whether a `d x` stands at a place."""
    if place + 1 >= len(items) or not _is_d(items[place]):
        return False
    following = items[place + 1]
    plain = isinstance(following, Symbol) or (isinstance(following, Script) and following.sup is None)
    return plain and letter(head(following)) is not None


def derivation(node: Command) -> Derivation | None:
    """Return what a fraction differentiates; None if it is a fraction like others."""
    above, below = node.arguments[0].items, node.arguments[-1].items
    signs = {head(item) for item in (above[:1] + below[:1])} if above and below else set()
    if len(signs) != 1 or not signs <= {"d", r"\partial"} or not _is_d(above[0], raised=True):
        return None
    variables: list[tuple[Node, Row | None]] = []
    for place in range(0, len(below), 2):
        if not _is_d(below[place]) or place + 1 == len(below) or letter(head(below[place + 1])) is None:
            return None
        variable = below[place + 1]
        order = variable.sup if isinstance(variable, Script) else None
        if isinstance(variable, Script):
            variable = Script(variable.base, variable.sub, None) if variable.sub else variable.base or Row(())
        variables.append((variable, order))
    return Derivation(above[1:], variables)


def _over_fraction(items: Sequence[Node]) -> Integrand | None:
    r"""Return the integrand of `\frac { d x } { x }`."""
    for at, item in enumerate(items):
        if not isinstance(item, Command) or item.name != r"\frac":
            continue
        above = item.arguments[0].items
        for place in range(len(above)):
            if is_differential(above, place):
                rest = above[:place] + above[place + 2 :]
                changed = Command(r"\frac", (Row(rest or _ONE), item.arguments[1]))
                return Integrand((*items[:at], changed), (above[place + 1],), at + 1)
    return None


def _is_d(node: Node, raised: bool = False) -> bool:
    r"""Whether this is the d or `\partial` of a derivative, with its order if it may have one."""
    if isinstance(node, Script):
        return raised and node.sub is None and node.base is not None and _is_d(node.base)
    if isinstance(node, Command) and node.name == r"\mathrm":
        return node.arguments[0].items == (Symbol("d"),)
    return node in (Symbol("d"), Symbol(r"\partial"))
