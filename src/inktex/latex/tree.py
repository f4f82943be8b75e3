r"""LaTeX as tokens and as a tree: tokenise, parse, print, validate; pure strings, no rendering.

The dialect is that of the official CROHME captions: braces round every argument, subscript before
superscript, `\sum \limits _ { i } ^ { n }`. The parser also takes what TeX takes (`x^2_1`, `\frac12`), so
that raw labels can be read; the printer writes the dialect only. The tables are plain data, for decoding too.
"""

from collections.abc import Iterator, Sequence

from inktex.errors import LatexError
from inktex.latex.nodes import Command, Environment, Fence, Group, Node, Row, Script, Symbol
from inktex.latex.tokens import (
    ARITY,
    COLUMN_ENVIRONMENTS,
    DELIMITERS,
    LIMIT_OPERATORS,
    MAX_DEPTH,
    OPTIONAL_ARGUMENT,
    PAIRS,
    SCRIPTS,
    commands,
    tokenize,
)

__all__ = [
    "ARITY",
    "DELIMITERS",
    "LIMIT_OPERATORS",
    "MAX_DEPTH",
    "OPTIONAL_ARGUMENT",
    "PAIRS",
    "SCRIPTS",
    "Command",
    "Environment",
    "Fence",
    "Group",
    "Node",
    "Row",
    "Script",
    "Symbol",
    "commands",
    "is_well_formed",
    "parse",
    "to_tokens",
    "tokenize",
    "validate",
]


def parse(tokens: Sequence[str]) -> Row:
    """Read tokens into a tree.

    Raises:
        LatexError: if the tokens are not well-formed, with the position of the first that does not fit.
    """
    return _Parser(tokens).row(frozenset())


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
