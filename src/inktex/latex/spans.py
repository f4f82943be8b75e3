"""A label's tree with the tokens that each node spans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inktex.latex.tree import Command, Environment, Fence, Group, Node, Row, Script, parse, to_tokens


@dataclass(frozen=True)
class Part:
    """A node of a label's tree and the tokens it spans.

    Attributes:
        node: the node.
        start: its first token.
        end: one past its last token.
        children: the rows and bases below it, by role: "base", "sub", "sup", "first" and "second" argument,
            "option"; of a row its items, and of an environment its cells, in order, as "0", "1", ...
    """

    node: Node
    start: int
    end: int
    children: dict[str, Part]

    @property
    def items(self) -> tuple[Part, ...]:
        """The items of a row."""
        return tuple(self.children.values())

    def walk(self) -> Iterator[Part]:
        """Yield the part itself and all below it, each before those below it."""
        yield self
        for child in self.children.values():
            yield from child.walk()


def read_tree(tokens: Sequence[str]) -> Part:
    """Return the tree of a label in the dialect, printed as :func:`inktex.latex.tree.to_tokens` does.

    Raises:
        LatexError: the tokens are not well-formed.
    """
    return to_part(parse(tokens))


def to_part(node: Node, start: int = 0) -> Part:
    """Number the tokens of a tree as :func:`inktex.latex.tree.to_tokens` prints it."""
    children: dict[str, Part] = {}
    at = start

    def add(role: str, below: Node, before: int = 0, behind: int = 0) -> None:
        """Add a child that has so many tokens of its parent's before and behind it."""
        nonlocal at
        children[role] = to_part(below, at + before)
        at = children[role].end + behind

    match node:
        case Row(items):
            for number, item in enumerate(items):
                add(str(number), item)
        case Script(base, sub, sup, limits):
            if base is not None:
                add("base", base)
            at += limits
            for role, row in (("sub", sub), ("sup", sup)):
                if row is not None:
                    add(role, row, before=2, behind=1)
        case Command(_, arguments, option):
            at += 1
            if option is not None:
                add("option", option, before=1, behind=1)
            for role, row in zip(("first", "second"), arguments, strict=False):
                add(role, row, before=1, behind=1)
        case Group(body):
            add("first", body, before=1, behind=1)
        case Fence(_, body, _):
            add("first", body, before=2, behind=2)
        case Environment(_, rows, columns):
            at += 1 if columns is None else len(columns) + 3
            for cell in (cell for cells in rows for cell in cells):
                add(str(len(children)), cell, behind=1)
        case _:
            at += len(to_tokens(node))
    return Part(node, start, at, children)
