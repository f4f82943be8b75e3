r"""What does nothing, taken out of a tree before it is written: groups, `\limits` where it is the default.

What the dialect writes in plain parts gets the form that people type: `\begin{pmatrix}`, `\begin{cases}`,
`\pmod { n }`, and `&` where lines are aligned.
"""

from __future__ import annotations

from collections.abc import Sequence

from inktex.latex.arrays import aligned_cells, arrays_between
from inktex.latex.spacing import INTEGRALS, KINDS, LETTERS, OTHERS, Kind, head, kind
from inktex.latex.tokens import ARITY, LIMIT_OPERATORS, commands
from inktex.latex.tree import Command, Environment, Fence, Group, Node, Row, Script, Symbol

_KNOWN = LETTERS.union(KINDS, ARITY, OTHERS)
# Bounds under and over them in display style, with and without `\limits`.
STACKED = LIMIT_OPERATORS - INTEGRALS - {r"\arg", r"\operatorname"}
# What leaves display style on; fractions, for one, do not.
_SAME_STYLE = frozenset(
    commands("sqrt overline underline overbrace underbrace boxed cancel mathrm mathbf mathit boldsymbol")
)
_DISPLAYED = frozenset({"aligned", "gathered", "split"})
# Environments with delimiters of their own.
_FENCED: dict[tuple[str, str], str] = {
    ("(", ")"): "pmatrix",
    ("[", "]"): "bmatrix",
    (r"\{", r"\}"): "Bmatrix",
    ("|", "|"): "vmatrix",
    (r"\|", r"\|"): "Vmatrix",
    (r"\{", ""): "cases",
}
_CASES = 2  # columns that `cases` has at most


def inside(row: Row, display: bool) -> Row:
    """Prune a row that something encloses, so that braces round all of it do nothing."""
    while len(row.items) == 1 and isinstance(row.items[0], Group):
        row = row.items[0].body
    return _pruned_row(row, display)


def _pruned_row(row: Row, display: bool, before: Node | None = None) -> Row:
    items: list[Node] = []
    for item in row.items:
        node = _pruned(item, display)
        given = _takes_arguments(items[-1] if items else before)
        if isinstance(node, Script) and isinstance(node.base, Group) and not given:
            base = _ungrouped(node.base)
            node = Script(base if isinstance(base, Symbol) else node.base, node.sub, node.sup)
        items.append(node if given else _ungrouped(node))
    for place, closing in reversed(list(arrays_between(items))):
        opening, array = items[place - 1 : place + 1]
        assert isinstance(opening, Symbol)
        assert isinstance(array, Environment)
        fenced = _fenced(opening.token, array, closing)
        after = items[place + 1] if closing else None
        end = place + 1 + bool(closing)
        items[place - 1 : end] = [
            Script(fenced, after.sub, after.sup) if isinstance(after, Script) else fenced
        ]
    return Row(tuple(_with_moduli(items)))


def _fenced(opening: str, array: Environment, closing: str) -> Node:
    """An array with its delimiters, as the environment that has them where there is one."""
    name = _FENCED.get((opening, closing))
    width = max(map(len, array.rows))
    if name is None or array.name != "matrix" or (name == "cases" and width > _CASES):
        return Fence(opening, Row((array,)), closing or ".")
    return Environment(name, array.rows)


def _with_moduli(items: Sequence[Node]) -> list[Node]:
    r"""`( \mod n )` as `\pmod { n }`."""
    result: list[Node] = []
    for item in items:
        start = _opening(result) if item == Symbol(")") else None
        if start is not None and result[start + 1 : start + 2] == [Symbol(r"\mod")]:
            result[start:] = [Command(r"\pmod", (Row(tuple(result[start + 2 :])),))]
        else:
            result.append(item)
    return result


def _opening(items: Sequence[Node]) -> int | None:
    """The place of the parenthesis that is closed next, if no other pair stands after it."""
    places = range(len(items) - 1, -1, -1)
    last = next((place for place in places if items[place] in (Symbol("("), Symbol(")"))), None)
    return last if last is not None and items[last] == Symbol("(") else None


def _pruned(node: Node, display: bool) -> Node:
    match node:
        case Group(body):
            return Group(inside(body, display))
        case Command(name, arguments, option):
            inner = display and name in _SAME_STYLE
            option = None if option is None else _pruned_row(option, False)  # braces may hide a bracket
            return Command(name, tuple(inside(argument, inner) for argument in arguments), option)
        case Script(base, sub, sup, limits):
            base = None if base is None else _pruned(base, display)
            limits = limits and not (display and head(base) in STACKED)
            if base is not None and sub is None and sup is None and not limits:
                return base
            sub, sup = (None if row is None else inside(row, False) for row in (sub, sup))
            return Script(base, sub, sup, limits)
        case Fence(left, body, right):
            return Fence(left, inside(body, display), right)
        case Environment():
            return _pruned_environment(node, display and node.name in _DISPLAYED)
        case _:
            return node


def _pruned_environment(node: Environment, display: bool) -> Environment:
    """Prune cells; what the first begins with may be an argument: `\\begin{alignedat} { 2 }`."""
    first = _pruned_row(node.rows[0][0], display, before=Group(Row(())))
    others = tuple(inside(cell, display) for cell in node.rows[0][1:])
    rows = [(first, *others), *(tuple(inside(cell, display) for cell in row) for row in node.rows[1:])]
    if node.name == "aligned" and all(len(cells) == 1 for cells in rows):
        lines = aligned_cells([cells[0].items for cells in rows])
        rows = rows if lines is None else [(Row(tuple(a)), Row(tuple(b))) for a, b in lines]
    return Environment(node.name, tuple(rows), node.columns)


def _ungrouped(node: Node) -> Node:
    """Return the one thing in a group, if it is the same to its neighbours as the group is."""
    match node:
        case Group(Row((alone,))) if _is_plain(alone):
            return alone
        case _:
            return node


def _is_plain(node: Node | None) -> bool:
    match node:
        case Symbol(token):
            return token in LETTERS or (len(token) == 1 and token.isalnum())
        case Command():
            return kind(node) is Kind.ORDINARY
        case Script(base):
            return _is_plain(base)
        case _:
            return False


def _takes_arguments(node: Node | None) -> bool:
    r"""Whether a group after this may be an argument, as it may after a command that is not known."""
    name = head(node)
    unknown = name[:1] == "\\" and name[1:].isalpha() and name not in _KNOWN
    return unknown or name == "]" or isinstance(node, Group)
