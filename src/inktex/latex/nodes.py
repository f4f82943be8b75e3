"""What a formula is made of: the nodes of its tree."""

from dataclasses import dataclass


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
