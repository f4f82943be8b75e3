r"""The tree of a formula as the printers of other notations take it.

It is the tree of :mod:`inktex.latex.tree` with fewer forms of the same thing. There are no braces, spaces,
sizes and styles. Digits are one number, characters of running text one `\text`. Delimiters that belong
together are a :class:`Fence`, whether they were written with `\left` or not. Environments are `matrix` or
`aligned`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from inktex.latex.primes import primes_raised
from inktex.latex.spacing import head
from inktex.latex.spellings import LINES, MATRICES, SYNONYMS, TEXTS
from inktex.latex.tree import (
    ARITY,
    Command,
    Environment,
    Fence,
    Group,
    Node,
    Row,
    Script,
    Symbol,
    commands,
    is_well_formed,
    parse,
    to_tokens,
)
from inktex.mathml.rows import aligned, plain, word_tag
from inktex.mathml.symbols import FUNCTIONS, SIZES, SPACES
from inktex.notations.pairs import paired

_SILENT = (
    frozenset({"$", r"\(", r"\)", r"\[", r"\]", r"\/"})
    .union(commands("nolimits notag nonumber hline middle"))
    .union(commands("displaystyle textstyle scriptstyle scriptscriptstyle it"))
    .union(SIZES, SPACES)
    .difference({"~", r"\quad", r"\qquad"})
)
_SWITCHES = {r"\rm": r"\mathrm", r"\bf": r"\mathbf", r"\cal": r"\mathcal"}
_SAME = {r"\bm": r"\boldsymbol", r"\overarc": r"\widehat"}
_TRANSPARENT = frozenset(commands("mathop mathbin mathrel mathord mathnormal mathit substack"))
_EMPTY = frozenset(commands("phantom hphantom vphantom"))
_UPRIGHT = frozenset(commands("mathrm operatorname"))


def arranged(tokens: Sequence[str]) -> Row:
    r"""Return the tree of tokens.

    In it the token of a :class:`Symbol` may be a number such as `12.5`; the argument of `\text`,
    `\textcircled` and, where it is a word, `\mathrm` or `\operatorname` is one symbol that holds all of it;
    `\not` is a command with what it strikes out.

    Raises:
        LatexError: the tokens are not well-formed.
    """
    raised = primes_raised(tokens)
    return _row(parse(raised if is_well_formed(raised) else tokens))


def _row(row: Row) -> Row:
    return Row(tuple(paired(_joined(_visible(row.items)))))


def _visible(items: Sequence[Node]) -> list[Node]:
    """Return what draws something, each thing arranged but not yet joined with its neighbours."""
    result: list[Node] = []
    for place, item in enumerate(items):
        match item:
            case Symbol(token) if token in _SWITCHES:
                return [*result, *_command(Command(_SWITCHES[token], (Row(tuple(items[place + 1 :])),)))]
            case Symbol(token):
                result += [] if token in _SILENT else [item]
            case Row(inner) | Group(Row(inner)):
                result += _visible(inner)
            case Script():
                result += _script(item)
            case Fence(left, body, right):
                result.append(Fence(_delimiter(left), _row(body), _delimiter(right)))
            case Environment():
                result.append(_environment(item))
            case Command():
                result += _command(item)
    return result


def _script(node: Script) -> list[Node]:
    """Return a base with its scripts; of braces it is the last thing inside that carries them."""
    inside = [] if node.base is None else _visible([node.base])
    base = inside.pop() if inside else None
    if isinstance(base, Script):
        base = Group(Row((base,)))
    sub, sup = (row if row is None else _row(row) for row in (node.sub, node.sup))
    if not (sub and sub.items) and not (sup and sup.items):
        return [*inside, *([] if base is None else [base])]
    return [*inside, Script(base, sub if sub and sub.items else None, sup if sup and sup.items else None)]


def _command(node: Command) -> list[Node]:
    name = _canonical(node.name)
    body = node.arguments[-1]
    if name in _EMPTY:
        return []
    if name in _TRANSPARENT:
        return _visible(body.items)
    if name in TEXTS:
        return list(_texts(body))
    if name in _UPRIGHT:
        return _upright(name, body)
    if name == r"\textcircled":
        return [_word(name, "".join(to_tokens(body)))]
    option = None if node.option is None else _row(node.option)
    return [Command(name, tuple(_row(argument) for argument in node.arguments), option)]


def _canonical(name: str) -> str:
    name = _SAME.get(name, name)
    same = SYNONYMS.get(name, (name,))
    return same[0] if len(same) == 1 and same[0] in ARITY else name


def _texts(body: Row) -> Iterator[Node]:
    """Yield the words of a text, and the formulas within it."""
    for words, items in groupby(body.items, key=lambda item: isinstance(item, Symbol)):
        if not words:
            yield from _visible(list(items))
        elif text := "".join(plain(head(item)) for item in items):
            yield _word(r"\text", text)


def _upright(name: str, body: Row) -> list[Node]:
    """Return a function, a word or what else stands upright."""
    letters = "".join(to_tokens(body))
    if "\\" + letters in FUNCTIONS:
        return [Symbol("\\" + letters)]
    if letters.isalpha():
        return [_word(name, letters)]
    return [Command(r"\mathrm", (_row(body),))]


def _word(name: str, text: str) -> Command:
    return Command(name, (Row((Symbol(text),)),))


def _delimiter(token: str) -> str:
    """Return a delimiter by its usual name, "" for none."""
    if token == ".":
        return ""
    same = SYNONYMS.get(token, (token,))
    return {"<": r"\langle", ">": r"\rangle"}.get(token, same[0])


def _environment(node: Environment) -> Node:
    if node.name.removesuffix("*") in LINES:
        lines = aligned(Environment("aligned", node.rows)) if len(node.rows) > 1 else None
        cells = lines or [[cell.items for cell in cells] for cells in node.rows]
        rows = tuple(tuple(_row(Row(tuple(cell))) for cell in line) for line in cells)
        return Environment("aligned", _without_last(rows))
    matrix = Environment("matrix", _without_last(tuple(tuple(map(_row, cells)) for cells in node.rows)))
    left, right = MATRICES.get(node.name, ("", ""))
    return Fence(left, Row((matrix,)), right) if left or right else matrix


def _without_last(rows: tuple[tuple[Row, ...], ...]) -> tuple[tuple[Row, ...], ...]:
    """Return rows without one that only the end of the line before it began."""
    return rows[:-1] if len(rows) > 1 and not any(cell.items for cell in rows[-1]) else rows


def _joined(items: Sequence[Node]) -> list[Node]:
    r"""Join digits to numbers and characters to words, and give `\not` what it strikes out."""
    result: list[Node] = []
    place = 0
    while place < len(items):
        end = _end(items, place)
        heads = [head(item) for item in items[place:end]]
        last = items[end - 1]
        place = end
        if len(heads) == 1 and not _is_written(heads[0]):
            result.append(last)
            continue
        if heads[0] == r"\not":
            whole: Node = Command(r"\not", (Row((Symbol(heads[1]),)),))
        else:
            whole = _word(r"\text", "".join(heads)) if _is_written(heads[0]) else Symbol("".join(heads))
        result.append(Script(whole, last.sub, last.sup) if isinstance(last, Script) else whole)
    return result


def _end(items: Sequence[Node], place: int) -> int:
    """Return the end of the items from a place on that are one thing, the last perhaps with scripts."""
    first = head(items[place])
    end = place + 1
    if not isinstance(items[place], Symbol):
        return end
    if first == r"\not":
        return end + (end < len(items) and isinstance(_bare(items[end]), Symbol))
    if not _is_digit(first) and not _is_written(first):
        return end
    alike = _is_digit if _is_digit(first) else _is_written
    while end < len(items) and isinstance(items[end - 1], Symbol):
        if _is_symbol(items, end) and alike(head(items[end])):
            end += 1
        elif alike is _is_digit and _is_point(items, place, end):
            end += 2
        else:
            break
    return end


def _is_point(items: Sequence[Node], start: int, place: int) -> bool:
    """Whether the decimal point of a number that began before stands here: one with a digit after it."""
    after = place + 1 < len(items) and _is_symbol(items, place + 1) and _is_digit(head(items[place + 1]))
    return after and items[place] == Symbol(".") and Symbol(".") not in items[start:place]


def _is_symbol(items: Sequence[Node], place: int) -> bool:
    """Whether a symbol stands at a place, perhaps with scripts."""
    return isinstance(_bare(items[place]), Symbol)


def _bare(item: Node) -> Node | None:
    return item.base if isinstance(item, Script) else item


def _is_digit(token: str) -> bool:
    return len(token) == 1 and token.isascii() and token.isdigit()


def _is_written(token: str) -> bool:
    return word_tag(token, "") == "mtext"
