r"""LaTeX tokens -> how the formula is said in English, in the manner of ClearSpeak.

ClearSpeak is ETS's manner of speaking mathematics. Here the end of fractions, roots and scripts of more than
one thing is said too, so that what is heard can be written in one way only.
"""

from __future__ import annotations

from collections.abc import Sequence

from inktex.latex.spacing import Kind, head, kinds
from inktex.latex.tree import Command, Environment, Fence, Group, Node, Row, Script, Symbol
from inktex.notations.arrangement import arranged
from inktex.notations.scripts import is_degree, without_primes
from inktex.notations.spacing import array_in, is_letter
from inktex.notations.speech import words
from inktex.notations.speech.numbers import common_fraction, power, root
from inktex.notations.symbols import as_typed, looked_up

_PRIMES = ("", "prime", "double prime", "triple prime")
_MEASURES = {"|": "absolute value", r"\|": "norm", r"\lfloor": "floor", r"\lceil": "ceiling"}
_CALLED = frozenset("fghFGHPφψ") | {r"\phi", r"\psi", r"\varphi"}
_SILENT = frozenset({"~", r"\quad", r"\qquad"})
_INVERSE = Row((Symbol("-"), Symbol("1")))


def to_speech(tokens: Sequence[str]) -> str:
    r"""Return what a person would say who reads the formula aloud.

    A command that is not known is said by its name.

    Args:
        tokens: LaTeX in or near the dialect of :mod:`inktex.latex.tree`.

    Raises:
        LatexError: the tokens are not well-formed.
    """
    tree = arranged(tokens)
    ended = len(tree.items) > 1 and tree.items[-1] == Symbol(".")
    return _row(Row(tree.items[:-1]) if ended else tree)


def _row(row: Row) -> str:
    items = [item for item in row.items if head(item) not in _SILENT]
    found = kinds(items)
    said: list[str] = []
    for place in range(len(items)):
        between = _between(items, found, place)
        if between and not said[-1].endswith(" of"):
            said.append(between)
        said.append(_in_row(items, found, place))
    return " ".join(filter(None, said))


def _between(items: Sequence[Node], found: Sequence[Kind], place: int) -> str:
    """Return the word that is not written: "times" before parentheses, "of" before those of a function."""
    if not place or not _is_parenthesis(items[place]):
        return ""
    before = items[place - 1]
    if found[place - 1] is Kind.FUNCTION or head(before) in words.FUNCTIONS or head(before) in _CALLED:
        return "of"
    operand = found[place - 1] in (Kind.ORDINARY, Kind.FENCE) and head(before) not in ("/", "!", "|")
    return "times" if operand else ""


def _in_row(items: Sequence[Node], found: Sequence[Kind], place: int) -> str:
    """Return a thing as it is said after the thing before it."""
    item = items[place]
    if item == Symbol("-") and found[place] is Kind.SIGN:
        return "negative"
    called = place and (head(items[place - 1]) in _CALLED or head(items[place - 1]) in words.FUNCTIONS)
    if called and isinstance(item, Fence) and _is_parenthesis(item) and _is_simple(item.body):
        return _row(item.body)
    return _node(item)


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
            return _table(node, "matrix" if node.name == "matrix" else "lines")
        case Command():
            return _command(node)


def _symbol(token: str) -> str:
    if token in words.LARGE:
        return f"the {words.LARGE[token]} of"
    said = looked_up(token, words.FUNCTIONS) or looked_up(token, words.WORDS)
    if said is not None:
        return said
    if is_letter(token) and token.isupper():
        return f"cap {token}"
    return as_typed(token).removeprefix("\\")


def _scripts(node: Script) -> str:
    name = head(node.base)
    if name in words.LARGE:
        return _large(name, node.sub, node.sup)
    if name in words.FUNCTIONS:
        return _function(name, node.sub, node.sup)
    base = "" if node.base is None else _node(node.base)
    if name in (r"\overbrace", r"\underbrace"):
        labels = [_row(row) for row in (node.sub, node.sup) if row is not None]
        return f"{base} labeled {' and '.join(labels)}"
    primes, sup = without_primes(node.sup)
    parts = [base, "" if node.sub is None else f"sub {_closed(node.sub, 'sub')}"]
    parts.append(_PRIMES[primes] if primes < len(_PRIMES) else f"{primes} primes")
    if is_degree(sup):
        parts.append("degrees")
    elif sup is not None:
        parts.append(power(sup, _row(sup)))
    return " ".join(filter(None, parts))


def _closed(row: Row, name: str) -> str:
    """Return a row, with its end said if it is more than one thing."""
    return _row(row) if _is_simple(row) else f"{_row(row)} end {name}"


def _large(token: str, sub: Row | None, sup: Row | None) -> str:
    name = words.LARGE[token]
    if sub is None:
        return f"the {name} of" if sup is None else f"the {name} to {_row(sup)} of"
    if token in words.LIMITS:
        arrows = [place for place, item in enumerate(sub.items) if head(item) == r"\rightarrow"]
        if len(arrows) == 1:
            what, goal = Row(sub.items[: arrows[0]]), Row(sub.items[arrows[0] + 1 :])
            return f"the {name} as {_row(what)} approaches {_goal(goal)} of"
    bounds = f"over {_row(sub)}" if sup is None else f"from {_row(sub)} to {_row(sup)}"
    return f"the {name} {bounds} of"


def _goal(row: Row) -> str:
    """Return what a variable approaches, and from which side."""
    last = row.items[-1] if row.items else None
    sides = {Row((Symbol("+"),)): "from the right", Row((Symbol("-"),)): "from the left"}
    if isinstance(last, Script) and last.sub is None and last.sup in sides and last.base is not None:
        return f"{_row(Row((*row.items[:-1], last.base)))} {sides[last.sup]}"
    return _row(row)


def _function(token: str, sub: Row | None, sup: Row | None) -> str:
    name = words.FUNCTIONS[token]
    primes, exponent = without_primes(sup)
    if exponent == _INVERSE and sub is None:
        return f"the inverse {name} of"
    parts = [name, _PRIMES[min(primes, len(_PRIMES) - 1)]]
    if exponent is not None:
        parts.append(power(exponent, _row(exponent)))
    said = " ".join(filter(None, parts))
    if sub is None:
        return said
    return f"the {said} {'base' if name.endswith('log') else 'sub'} {_row(sub)} of"


def _fence(node: Fence) -> str:
    array = array_in(node)
    if array is not None:
        kind = "determinant" if node.left == node.right == "|" else "matrix"
        return _table(array, "cases" if not (node.left and node.right) else kind)
    if node.left in _MEASURES and node.right in (node.left, node.left.replace(r"\l", r"\r")):
        return f"the {_MEASURES[node.left]} of {_closed(node.body, _MEASURES[node.left])}"
    bars = [place for place, item in enumerate(node.body.items) if item == Symbol("|")]
    if (node.left, node.right) == (r"\{", r"\}") and len(bars) == 1:
        what, condition = Row(node.body.items[: bars[0]]), Row(node.body.items[bars[0] + 1 :])
        return f"the set of all {_row(what)} such that {_closed(condition, 'set')}"
    left, right = (_symbol(token) if token else "" for token in (node.left, node.right))
    return " ".join(filter(None, [left, _row(node.body), right]))


def _table(node: Environment, kind: str) -> str:
    """Return rows of cells: a matrix, a determinant, cases or lines."""
    count = len(node.rows)
    if kind in ("cases", "lines"):
        rows = (" ".join(filter(None, map(_row, cells))) for cells in node.rows)
        lines = (f"{kind.removesuffix('s')} {number}: {row}" for number, row in enumerate(rows, 1))
        return f"{count} {kind}, {'; '.join(lines)}; end {kind}"
    columns = max(len(cells) for cells in node.rows)
    rows = (", ".join(map(_row, cells)) for cells in node.rows)
    lines = (f"row {number}: {row}" for number, row in enumerate(rows, 1))
    return f"the {count} by {columns} {kind}, {'; '.join(lines)}; end {kind}"


def _command(node: Command) -> str:
    name, first, last = node.name, node.arguments[0], node.arguments[-1]
    match name:
        case r"\frac":
            return _fraction(first, last)
        case r"\binom":
            return f"{_closed(first, 'top')} choose {_closed(last, 'bottom')}"
        case r"\sqrt":
            degree = Row((Symbol("2"),)) if node.option is None else node.option
            return f"the {root(degree, _row(degree))} of {_closed(first, 'root')}"
        case r"\overset" | r"\underset":
            side = "above" if name == r"\overset" else "below"
            return f"{_row(last)} with {_row(first)} {side}"
        case r"\pmod":
            return f"open paren mod {_row(first)} close paren"
        case r"\not":
            return f"not {_row(first)}".replace("not is ", "is not ").replace("not equals", "is not equal to")
        case r"\boxed":
            return f"box {_row(first)} end box"
        case r"\cancel":
            return f"crossed out {_closed(first, 'cross out')}"
        case r"\textcircled":
            return f"circled {' '.join(_symbol(char) for char in head(first.items[0]))}"
        case r"\text" | r"\operatorname":
            return head(first.items[0]).strip()
        case r"\mathrm":
            return _upright(first)
    return _decorated(node)


def _fraction(above: Row, below: Row) -> str:
    """Return a fraction: one half, x over y, the fraction with numerator ... and denominator ..."""
    common = common_fraction(above, below)
    if common is not None:
        return common
    if _is_simple(above) and _is_simple(below):
        return f"{_row(above)} over {_row(below)}"
    return f"the fraction with numerator {_row(above)} and denominator {_row(below)} end fraction"


def _decorated(node: Command) -> str:
    """Return what has an accent, a line, a brace, an arrow or a font of its own."""
    name, body = node.name, node.arguments[0]
    text = _row(body)
    alone = len(body.items) == 1 and isinstance(body.items[0], Symbol)
    if name == r"\vec" and alone:
        return f"vector {text}"
    if name in words.ARROWS:
        below = "" if node.option is None else f" and {_row(node.option)} below"
        return f"{words.ARROWS[name]} with {text} above{below}"
    if name in words.ALPHABETS:
        letter = head(body.items[0]) if alone and name == r"\mathbb" else ""
        return words.SETS.get(letter, f"{words.ALPHABETS[name]} {text}")
    if name in words.BELOW:
        return f"{text} with {words.BELOW[name]} below"
    accent = words.ACCENTS.get(name)
    if accent is None:
        return text
    plain = alone and name != r"\overbrace"
    return f"{text} {'bar' if accent == 'line' else accent}" if plain else f"{text} with {accent} above"


def _upright(body: Row) -> str:
    word = head(body.items[0]) if len(body.items) == 1 else ""
    return word if len(word) > 1 and word[0] != "\\" else _row(body)


def _is_simple(row: Row) -> bool:
    """Whether a row is one thing to the ear: a number, a letter, or letters and a number side by side."""
    ordinary = all(kind is Kind.ORDINARY for kind in kinds(row.items))
    return ordinary and all(isinstance(item, Symbol) for item in row.items)


def _is_parenthesis(node: Node) -> bool:
    bare = node.base if isinstance(node, Script) else node
    return isinstance(bare, Fence) and bare.left in ("(", "[") and array_in(bare) is None
