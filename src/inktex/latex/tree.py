r"""LaTeX as tokens and as a tree: tokenise, parse, print, validate; pure strings, no rendering.

The dialect is that of the official CROHME captions: braces round every argument, subscript before
superscript, `\sum \limits _ { i } ^ { n }`. The parser also takes what TeX takes (`x^2_1`, `\frac12`), so
that raw labels can be read; the printer writes the dialect only. The tables are plain data, for decoding too.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inktex.errors import LatexError


def commands(names: str) -> tuple[str, ...]:
    """Names of commands, without their backslashes, as tokens."""
    return tuple("\\" + name for name in names.split())


# Commands that take arguments, and how many.
ARITY: dict[str, int] = {
    **dict.fromkeys(commands("frac dfrac tfrac cfrac binom dbinom tbinom overset underset stackrel"), 2),
    **dict.fromkeys(commands("sqrt xrightarrow xleftarrow xlongequal overbrace underbrace boxed cancel"), 1),
    **dict.fromkeys(commands("overline underline overrightarrow overleftarrow overparen wideparen"), 1),
    **dict.fromkeys(commands("overarc widehat widetilde hat tilde bar vec dot ddot check breve acute"), 1),
    **dict.fromkeys(commands("grave mathring text textrm textbf textit textcircled mbox hbox pmod"), 1),
    **dict.fromkeys(commands("operatorname substack mathrm mathbf mathbb mathcal mathscr mathfrak"), 1),
    **dict.fromkeys(commands("mathsf mathit mathtt mathnormal boldsymbol bm mathop mathbin mathrel"), 1),
    **dict.fromkeys(commands("mathord phantom hphantom vphantom"), 1),
}
# Commands with an optional argument in brackets before the others: `\sqrt [ 3 ] { x }`.
OPTIONAL_ARGUMENT: frozenset[str] = frozenset(commands("sqrt xrightarrow xleftarrow xlongequal"))
# What may carry `\limits`.
LIMIT_OPERATORS: frozenset[str] = frozenset(
    commands("sum prod coprod int iint iiint oint lim limsup liminf max min sup inf arg det gcd Pr")
    + commands("bigcup bigcap bigvee bigwedge bigoplus bigotimes bigsqcup operatorname mathop")
)
# A token that opens, and the one that closes it. Environments pair by name: `\begin{matrix}`, `\end{matrix}`.
PAIRS: dict[str, str] = {"{": "}", r"\left": r"\right"}
# What may follow `\left` and `\right`; "." is no delimiter at all.
DELIMITERS: frozenset[str] = frozenset("()[]|/.<>").union(
    {r"\{", r"\}", r"\|"},
    commands("lbrace rbrace lbrack rbrack langle rangle vert Vert lvert rvert lVert rVert"),
    commands("lfloor rfloor lceil rceil backslash uparrow downarrow"),
)
SCRIPTS: tuple[str, str] = ("_", "^")  # in the order in which they are written
# Environments whose name is followed by a column specification in braces.
COLUMN_ENVIRONMENTS: frozenset[str] = frozenset({"array", "tabular"})
# Arrays without delimiters of their own, what may stand round them as a plain symbol, and what may not come
# before that, since it takes the symbol for itself.
_BARE_ARRAYS = frozenset({"matrix", "array"})
_AROUND: dict[str, str] = {"(": ")", "[": "]", "|": "|", r"\{": r"\}"}
_TAKES_DELIMITER = frozenset(commands("big Big bigg Bigg bigl Bigl biggl Biggl not middle"))
# Groups and arguments may be nested this deep; handwriting stays below ten.
MAX_DEPTH = 64

_TOKEN = re.compile(r"\\(begin|end)\s*\{\s*([A-Za-z]+\s*\*?)\s*\}|\\[A-Za-z]+|\\\S|\\(?=\s)|\S")


@dataclass(frozen=True)
class Symbol:
    """One token that takes no argument: a letter, a digit, a sign, `\\alpha`, `\\sin`."""

    token: str


@dataclass(frozen=True)
class Row:
    """Things written one after the other: a whole formula, an argument, a cell."""

    items: tuple["Node", ...]


@dataclass(frozen=True)
class Group:
    """Braces that are no argument: `{ x }`."""

    body: Row


@dataclass(frozen=True)
class Command:
    r"""A command with its arguments; `option` is what stands in brackets (`\sqrt [ 3 ] { x }`)."""

    name: str
    arguments: tuple[Row, ...]
    option: Row | None = None


@dataclass(frozen=True)
class Script:
    r"""A base with a subscript, a superscript or both; `limits` puts them under and over it."""

    base: "Node | None"
    sub: Row | None
    sup: Row | None
    limits: bool = False


@dataclass(frozen=True)
class Fence:
    r"""`\left` and `\right` with what stands between; a delimiter "." is invisible."""

    left: str
    body: Row
    right: str


@dataclass(frozen=True)
class Environment:
    r"""`\begin{name}` ... `\end{name}`: rows of cells; `columns` is the specification of an array."""

    name: str
    rows: tuple[tuple[Row, ...], ...]
    columns: tuple[str, ...] | None = None


Node = Symbol | Row | Group | Command | Script | Fence | Environment


def tokenize(latex: str) -> list[str]:
    r"""Cut LaTeX into tokens; white space separates and is dropped.

    A token is a command (`\frac`), an escaped character (`\{`, `\,`, `\\`), one end of an environment with
    its name (`\begin{matrix}`), or a single character. A backslash before white space is dropped with it.

    Raises:
        LatexError: if the text ends in a lone backslash.
    """
    tokens = []
    for match in _TOKEN.finditer(latex):
        if match[1]:
            tokens.append(f"\\{match[1]}{{{''.join(match[2].split())}}}")
        elif match[0] != "\\":
            tokens.append(match[0])
        elif match.end() == len(latex):
            raise LatexError("The LaTeX ends in a lone backslash.")
    return tokens


def parse(tokens: Sequence[str]) -> Row:
    """Read tokens into a tree.

    Raises:
        LatexError: if the tokens are not well-formed, with the position of the first that does not fit.
    """
    return _Parser(tokens).row(frozenset())


def arrays_between(items: Sequence[Node]) -> Iterator[tuple[int, str]]:
    r"""Yield where arrays stand between plain delimiters, which have to be as high, and what closes each.

    The symbol before such an array opens; what closes is the symbol after it, or nothing after a brace that
    stands alone, as before several cases.

    Args:
        items: of a row.
    """
    free = 0  # the first item that is none of an array's
    for place in range(1, len(items)):
        opening, array = items[place - 1], items[place]
        after = items[place + 1] if place + 1 < len(items) else None
        before = items[place - 2] if place > 1 else None
        taken = isinstance(before, Symbol) and before.token in _TAKES_DELIMITER
        if place <= free or taken or not isinstance(opening, Symbol) or opening.token not in _AROUND:
            continue
        if not isinstance(array, Environment) or array.name not in _BARE_ARRAYS:
            continue
        closing = Symbol(_AROUND[opening.token])
        if after == closing:
            free = place + 2
            yield place, closing.token
        elif opening.token == r"\{" and not (isinstance(after, Script) and after.base == closing):
            yield place, ""


def to_tokens(tree: Node) -> list[str]:
    """Print a tree: braces round every argument, subscript before superscript."""
    return list(_print(tree))


def validate(tokens: Sequence[str]) -> None:
    """Check that tokens are well-formed.

    Raises:
        LatexError: if they are not, in one sentence.
    """
    parse(tokens)


def is_well_formed(tokens: Sequence[str]) -> bool:
    """Whether the tokens parse."""
    try:
        parse(tokens)
    except LatexError:
        return False
    return True


class _Parser:
    """Recursive descent over tokens; the depth is bounded, so no input exhausts the stack."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    def row(self, stops: frozenset[str]) -> Row:
        items: list[Node] = []
        while (token := self.peek()) is not None and token not in stops:
            items.append(self.item())
        return Row(tuple(items))

    def item(self) -> Node:
        """An atom with its scripts; a script without anything before it has no base."""
        base = None if self.peek() in SCRIPTS else self.atom()
        limits = self.peek() == r"\limits"
        if limits:
            if _head(base) not in LIMIT_OPERATORS:
                raise self.error(r"\limits must follow an operator such as \sum")
            self.position += 1
        scripts: dict[str, Row] = {}
        while (token := self.peek()) in SCRIPTS:
            if token in scripts:
                raise self.error(f"there is a second '{token}' on one base")
            self.position += 1
            scripts[token] = self.argument(token)
        if not scripts and not limits and base is not None:
            return base
        return Script(base, scripts.get("_"), scripts.get("^"), limits)

    def atom(self) -> Node:
        token = self.take("a symbol")
        if token == "{":
            return Group(self.nested(PAIRS[token], token))
        if token in ARITY:
            option = None
            if token in OPTIONAL_ARGUMENT and self.peek() == "[":
                self.position += 1
                option = self.nested("]", token)
            return Command(token, tuple(self.argument(token) for _ in range(ARITY[token])), option)
        if token == r"\left":
            return self.fence()
        if token.startswith(r"\begin{"):
            return self.environment(token)
        if token in ("}", r"\right", r"\limits", "&", r"\\") or token.startswith(r"\end{"):
            self.position -= 1
            raise self.error(f"'{token}' does not belong here")
        return Symbol(token)

    def argument(self, owner: str) -> Row:
        token = self.peek()
        if token is None or token in SCRIPTS or token == "}":
            raise self.error(f"an argument of '{owner}' is missing")
        if token == "{":
            self.position += 1
            return self.nested("}", owner)
        self.deepen()
        row = Row((self.atom(),))
        self.depth -= 1
        return row

    def nested(self, close: str, owner: str) -> Row:
        self.deepen()
        row = self.row(frozenset((close,)))
        self.depth -= 1
        if self.peek() is None:
            raise self.error(f"the '{close}' of '{owner}' is missing")
        self.position += 1
        return row

    def fence(self) -> Fence:
        left = self.delimiter(r"\left")
        body = self.nested(PAIRS[r"\left"], r"\left")
        return Fence(left, body, self.delimiter(r"\right"))

    def delimiter(self, owner: str) -> str:
        if self.peek() not in DELIMITERS:
            raise self.error(f"'{owner}' needs a delimiter")
        return self.take("a delimiter")

    def environment(self, begin: str) -> Environment:
        name, end = begin[7:-1], r"\end" + begin[6:]
        columns = None
        if name in COLUMN_ENVIRONMENTS and self.peek() == "{":
            self.position += 1
            columns = tuple(to_tokens(self.nested("}", begin)))
        stops = frozenset(("&", r"\\", end))
        rows: list[list[Row]] = [[]]
        self.deepen()
        while True:
            rows[-1].append(self.row(stops))
            token = self.take(end)
            if token == end:
                self.depth -= 1
                return Environment(name, tuple(tuple(row) for row in rows), columns)
            if token == r"\\":
                rows.append([])

    def deepen(self) -> None:
        """Count one level of nesting; an error ends the parse, so only success counts back."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"groups are nested more than {MAX_DEPTH} deep")

    def peek(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, wanted: str) -> str:
        token = self.peek()
        if token is None:
            raise self.error(f"{wanted} is missing")
        self.position += 1
        return token

    def error(self, problem: str) -> LatexError:
        where = f"at token {self.position + 1}" if self.position < len(self.tokens) else "at the end"
        return LatexError(f"Malformed LaTeX: {problem} ({where}).")


def _head(node: Node | None) -> str | None:
    if isinstance(node, Symbol):
        return node.token
    return node.name if isinstance(node, Command) else None


def _braced(row: Row) -> Iterator[str]:
    yield "{"
    yield from _print(row)
    yield "}"


def _print(node: Node) -> Iterator[str]:
    match node:
        case Symbol(token):
            yield token
        case Row(items):
            for item in items:
                yield from _print(item)
        case Group(body):
            yield from _braced(body)
        case Command(name, arguments, option):
            yield name
            if option is not None:
                yield from ("[", *_print(option), "]")
            for argument in arguments:
                yield from _braced(argument)
        case Script(base, sub, sup, limits):
            if base is not None:
                yield from _print(base)
            if limits:
                yield r"\limits"
            for sign, row in zip(SCRIPTS, (sub, sup), strict=True):
                if row is not None:
                    yield sign
                    yield from _braced(row)
        case Fence(left, body, right):
            yield from (r"\left", left, *_print(body), r"\right", right)
        case Environment(name, rows, columns):
            yield f"\\begin{{{name}}}"
            if columns is not None:
                yield from ("{", *columns, "}")
            for number, cells in enumerate(rows):
                if number:
                    yield r"\\"
                for column, cell in enumerate(cells):
                    if column:
                        yield "&"
                    yield from _print(cell)
            yield f"\\end{{{name}}}"
