"""A label's tree with the tokens that each node spans."""

from __future__ import annotations

import pytest

from inktex.latex.spans import read_tree
from inktex.latex.tree import to_tokens, tokenize

LABELS = (
    r"x",
    r"a + b ^ { 2 }",
    r"\sum \limits _ { i = 1 } ^ { n } i ^ { 3 }",
    r"\sqrt [ 3 ] { \frac { 1 } { x _ { 0 } } } - { y }",
    r"\left ( \hat { x } \right ] ^ { 2 }",
    r"\begin{array} { c c } 1 & x ^ { 2 } \\ & 4 \end{array} = 0",
    r"\begin{matrix} a \end{matrix}",
    r"^ { 2 } x",
)


@pytest.mark.parametrize("label", LABELS)
def test_every_part_spans_the_tokens_that_it_prints(label: str) -> None:
    """What lies between a part's first and last token is what its node prints."""
    tokens = tokenize(label)

    parts = list(read_tree(tokens).walk())

    assert len(parts) > 1
    assert [tokens[part.start : part.end] for part in parts] == [to_tokens(part.node) for part in parts]


def test_children_are_named_by_their_role() -> None:
    """Indices worked out by hand: ``\\sqrt [ 3 ] { x } + y _ { 1 } ^ { 2 }``."""
    tokens = tokenize(r"\sqrt [ 3 ] { x } + y _ { 1 } ^ { 2 }")

    root, plus, script = read_tree(tokens).items

    assert {role: (part.start, part.end) for role, part in root.children.items()} == {
        "option": (2, 3),
        "first": (5, 6),
    }
    assert (plus.start, plus.end) == (7, 8)
    assert {role: (part.start, part.end) for role, part in script.children.items()} == {
        "base": (8, 9),
        "sub": (11, 12),
        "sup": (15, 16),
    }
