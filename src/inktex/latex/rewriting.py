r"""The tree of any LaTeX as the tree of the dialect: one form for what looks alike on paper.

Groups and fonts that draw nothing go; `a \over b` becomes a fraction, `\mathrm { s i n }` a function,
`\hat { a b }` a wide accent, `\begin{pmatrix}` a matrix between parentheses.
"""

from collections.abc import Iterable, Sequence

from inktex.errors import LatexError
from inktex.latex.spellings import (
    ALPHABETS,
    LINES,
    MATRICES,
    NARROW,
    NOT,
    STACKED,
    TRANSPARENT,
    UPRIGHT,
    WIDE,
)
from inktex.latex.styles import accent, in_alphabet, upright
from inktex.latex.tree import Command, Environment, Group, Node, Row, Script, Symbol

_INFIX: dict[str, str] = {r"\over": r"\frac", r"\choose": r"\binom", r"\atop": "matrix"}
_AROUND_INFIX: dict[str, tuple[str, str]] = {r"\brack": ("[", "]"), r"\brace": (r"\{", r"\}")}
_SIGNS = frozenset({r"\cal", *_INFIX, *_AROUND_INFIX})
_CLOSING = Symbol(")")
_DOUBLE_BARS = frozenset({Symbol(r"\parallel"), Symbol(r"\|")})
_PLAIN_ARROWS: dict[str, str] = {r"\xrightarrow": r"\rightarrow", r"\xlongequal": "="}


def rewritten(row: Row) -> Row:
    """A row in the dialect."""
    row = _without_infix(_loosened(row))
    items: list[Node] = []
    style: str | None = None
    for item in row.items:
        if item == Symbol(r"\cal"):
            style = r"\mathcal"
            continue
        items.extend(_item(item) if style is None else in_alphabet(_item(item), style, capitals=True))
    return _joined(items)


def _joined(items: Sequence[Node]) -> Row:
    """Items as one row: what is to stand together has come to stand side by side."""
    return Row(tuple(_columns(_paired(_negated(_attached(items))))))


def _paired(items: Sequence[Node]) -> list[Node]:
    r"""Double bars: one alone in its row is the relation `\parallel`, several are the fences `\|`."""
    bars = [place for place, item in enumerate(items) if _bare(item) in _DOUBLE_BARS]
    result = list(items)
    for place in bars:
        item, bar = items[place], Symbol(r"\parallel" if len(bars) == 1 else r"\|")
        result[place] = Script(bar, item.sub, item.sup, item.limits) if isinstance(item, Script) else bar
    return result


def _bare(node: Node | None) -> Node | None:
    return node.base if isinstance(node, Script) else node


def _loosened(row: Row) -> Row:
    r"""`\over` and `\cal` without the scripts that stand behind them: those have no base."""
    items: list[Node] = []
    for item in row.items:
        match item:
            case Script(Symbol(token) as sign, sub, sup) if token in _SIGNS:
                items += [sign, Script(None, sub, sup)]
            case _:
                items.append(item)
    return Row(tuple(items))


def _without_infix(row: Row) -> Row:
    r"""`a \over b` as `\frac { a } { b }`."""
    places = [
        place
        for place, item in enumerate(row.items)
        if isinstance(item, Symbol) and (item.token in _INFIX or item.token in _AROUND_INFIX)
    ]
    if not places:
        return row
    if len(places) > 1:
        raise LatexError("Malformed LaTeX: two fractions in one group.")
    above, sign, below = row.items[: places[0]], row.items[places[0]], row.items[places[0] + 1 :]
    assert isinstance(sign, Symbol)
    arguments = (Row(above), Row(below))
    if sign.token in (r"\over", r"\choose"):
        return Row((Command(_INFIX[sign.token], arguments),))
    matrix = Environment("matrix", tuple((argument,) for argument in arguments))
    around = _AROUND_INFIX.get(sign.token)
    return Row((matrix,) if around is None else (Symbol(around[0]), matrix, Symbol(around[1])))


def _attached(items: Sequence[Node]) -> list[Node]:
    """Scripts without a base stand on what comes before them: `{ x } { } ^ 2` looks like `x ^ 2`."""
    result: list[Node] = []
    place = 0
    while place < len(items):
        end = place + 1
        while end < len(items) and _is_baseless(items[end]):
            end += 1
        result.append(
            _with_scripts(items[place], items[place + 1 : end]) if end > place + 1 else items[place]
        )
        place = end
    return result


def _is_baseless(node: Node) -> bool:
    return isinstance(node, Script) and node.base is None


def _with_scripts(node: Node, scripts: Sequence[Node]) -> Node:
    base, limits = (node.base, node.limits) if isinstance(node, Script) else (node, False)
    parts: tuple[list[Node], list[Node]] = ([], [])
    for script in (node, *scripts):
        if isinstance(script, Script):
            parts[0].extend(script.sub.items if script.sub else ())
            parts[1].extend(script.sup.items if script.sup else ())
    sub, sup = (Row(tuple(part)) if part else None for part in parts)
    return Script(base, sub, sup, limits or _is_stacked(base))


def _negated(items: Sequence[Node]) -> list[Node]:
    r"""`\not =` as `\neq`."""
    result: list[Node] = []
    for item in items:
        known = NOT.get(item.token) if isinstance(item, Symbol) else None
        if known and result and result[-1] == Symbol(r"\not"):
            result[-1] = Symbol(known)
        else:
            result.append(item)
    return result


def _columns(items: Sequence[Node]) -> list[Node]:
    r"""Two things one above the other in parentheses are a `\binom`."""
    result: list[Node] = []
    for item in items:
        closed = item == _CLOSING or (isinstance(item, Script) and item.base == _CLOSING)
        column = _column(result[-2:]) if closed else None
        if column is None:
            result.append(item)
            continue
        result[-2:] = [Script(column, item.sub, item.sup) if isinstance(item, Script) else column]
    return result


def _column(items: Sequence[Node]) -> Command | None:
    match items:
        case [Symbol("("), Environment("matrix", ((above,), (below,)))]:
            return Command(r"\binom", (above, below))
        case _:
            return None


def _item(node: Node) -> tuple[Node, ...]:
    match node:
        case Group(body):
            return rewritten(body).items
        case Command():
            return _command(node)
        case Script():
            return _script(node)
        case Environment():
            return _environment(node)
        case _:
            return (node,)


def _command(node: Command) -> tuple[Node, ...]:
    if node.name == r"\text":
        return (node,)
    name = node.name
    option = None if node.option is None else _option(rewritten(node.option))
    arguments = tuple(map(rewritten, node.arguments))
    match name, arguments:
        case _, (body,) if name in TRANSPARENT:
            return upright(body) if name in UPRIGHT else body.items
        case _, (body,) if name in ALPHABETS:
            return tuple(in_alphabet(body.items, name, capitals=False))
        case _, (body,) if name in WIDE or name in NARROW:
            return (Command(accent(name, body), arguments),)
        case ((r"\overset" | r"\underset"), (mark, body)):
            return _set(name, mark, body)
        case r"\pmod", (body,):
            return (Symbol("("), Symbol(r"\mod"), *body.items, Symbol(")"))
        case _, (Row(()),) if option is None and name in _PLAIN_ARROWS:
            return (Symbol(_PLAIN_ARROWS[name]),)
        case _:
            return (Command(name, arguments, option),)


def _option(row: Row) -> Row | None:
    """What stands in brackets; braces round it where a bracket of its own would end it."""
    brackets = [
        item for item in row.items if (item.base if isinstance(item, Script) else item) == Symbol("]")
    ]
    return Row((Group(row),)) if brackets else row if row.items else None


def _set(name: str, mark: Row, body: Row) -> tuple[Node, ...]:
    r"""Something over or under something: bounds of a large operator, an arrow accent, or `\overset`."""
    if not mark.items:
        return body.items
    base = body.items[0] if len(body.items) == 1 else None
    inner = base if isinstance(base, Script) else Script(base, None, None, limits=True)
    if _is_stacked(inner.base):
        if name == r"\underset" and inner.sub is None:
            return (Script(inner.base, mark, inner.sup, limits=True),)
        if name == r"\overset" and inner.sup is None:
            return (Script(inner.base, inner.sub, mark, limits=True),)
    if name == r"\overset" and mark.items == (Symbol(r"\rightarrow"),) and body.items:
        return (Command(accent(r"\vec", body), (body,)),)
    return (Command(name, (mark, body)),)


def _is_stacked(node: Node | None) -> bool:
    return isinstance(node, Symbol) and node.token in STACKED


def _script(node: Script) -> tuple[Node, ...]:
    """The base, with the scripts on the last thing in it; empty scripts draw nothing."""
    before = () if node.base is None else _item(node.base)
    sub, sup = _drawn(node.sub, "sub"), _drawn(node.sup, "sup")
    if sub is None and sup is None:
        return before
    base = before[-1] if before else None
    if node.limits and before and not (len(before) == 1 and _is_stacked(base)):
        return _around(before, sub, sup)
    if isinstance(base, Script):
        merged = _merged(base, sub, sup)
    else:
        merged = Script(base, sub, sup, _is_stacked(base))
    return (*before[:-1], merged)


def _around(items: tuple[Node, ...], sub: Row | None, sup: Row | None) -> tuple[Node, ...]:
    r"""`\mathop { A } \limits _ x`: over and under something that is no large operator."""
    for name, mark in ((r"\overset", sup), (r"\underset", sub)):
        items = items if mark is None else _set(name, mark, Row(items))
    return items


def _merged(inner: Script, sub: Row | None, sup: Row | None) -> Script:
    """`{ x _ 1 } ^ 2` and `{ y ' } ^ 2` as one base with its scripts; else the braces stay."""
    if sup and inner.sup and _is_prime(inner.sup):
        sup = Row(inner.sup.items + sup.items)
        inner = Script(inner.base, inner.sub, None, inner.limits)
    if (sub and inner.sub) or (sup and inner.sup):
        return Script(Group(Row((inner,))), sub, sup)
    return Script(inner.base, sub or inner.sub, sup or inner.sup, inner.limits)


def _drawn(row: Row | None, place: str) -> Row | None:
    """A script; one of nothing but a script, as `^ { ^ { 2 } }`, is that script."""
    flat = None if row is None else rewritten(row)
    while flat is not None:
        match flat.items:
            case (Script(None, Row() as inside, None),) if place == "sub":
                flat = inside
            case (Script(None, None, Row() as inside),) if place == "sup":
                flat = inside
            case _:
                break
    return flat if flat and flat.items else None


def _is_prime(row: Row) -> bool:
    return all(item == Symbol(r"\prime") for item in row.items)


def _environment(node: Environment) -> tuple[Node, ...]:
    rows = [tuple(map(rewritten, cells)) for cells in node.rows]
    name = node.name.rstrip("*")
    if name in LINES:
        lines = [_joined([item for cell in cells for item in cell.items]) for cells in rows]
        lines = [line for line in lines if line.items]
        if len(lines) > 1:
            return (Environment("aligned", tuple((line,) for line in lines)),)
        return lines[0].items if lines else ()
    if name not in MATRICES:
        return (Environment(node.name, tuple(rows), node.columns),)
    opening, closing = MATRICES[name]
    return (*map(Symbol, opening and (opening,)), *_matrix(rows), *map(Symbol, closing and (closing,)))


def _matrix(rows: Iterable[tuple[Row, ...]]) -> tuple[Node, ...]:
    """A matrix without empty rows and without empty cells at the ends of rows; one cell is no matrix."""
    kept = []
    for cells in rows:
        last = max((number for number, cell in enumerate(cells, 1) if cell.items), default=0)
        if last:
            kept.append(cells[:last])
    if not kept or (len(kept) == 1 and len(kept[0]) == 1):
        return kept[0][0].items if kept else ()
    return (Environment("matrix", tuple(kept)),)
