"""What holds of all notations beside MathML: whatever parses has its form, however deep it nests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from every_token import written_tokens
from inktex.errors import LatexError
from inktex.latex.tree import ARITY, Fence, Row, Script, Symbol, is_well_formed, tokenize
from inktex.notations.arrangement import arranged
from inktex.notations.asciimath import to_asciimath
from inktex.notations.omml import to_omml
from inktex.notations.speech import to_speech
from inktex.notations.sympy import to_sympy
from inktex.notations.typst import to_typst

PRINTERS: dict[str, Callable[[Sequence[str]], str]] = {
    "typst": to_typst,
    "asciimath": to_asciimath,
    "sympy": to_sympy,
    "speech": to_speech,
    "omml": to_omml,
}
SYMBOLS = sorted(token for token in written_tokens() if is_well_formed([token]))
COMMANDS = sorted(written_tokens() & set(ARITY))


def grown(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    """Rows, scripts, fences, commands and arrays of what is there already."""

    def command(name: str, arguments: list[list[str]]) -> list[str]:
        parts = [["{", *each, "}"] for each in arguments[: ARITY[name]]]
        return [name, *(token for part in parts for token in part)]

    def array(first: list[str], second: list[str], name: str) -> list[str]:
        return [f"\\begin{{{name}}}", *first, "&", *second, r"\\", *second, f"\\end{{{name}}}"]

    pair = st.lists(inner, min_size=2, max_size=2)
    return st.one_of(
        st.lists(inner, max_size=4).map(lambda rows: [token for row in rows for token in row]),
        st.tuples(inner, st.sampled_from("_^"), inner).map(
            lambda three: [*three[0], three[1], "{", *three[2], "}"]
        ),
        inner.map(lambda row: ["(", *row, ")"]),
        st.builds(command, st.sampled_from(COMMANDS), pair),
        st.builds(array, inner, inner, st.sampled_from(["matrix", "aligned"])),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.sampled_from(SYMBOLS).map(lambda token: [token]), grown, max_leaves=12))
def test_any_tokens_have_their_form(tokens: list[str]) -> None:
    """Whatever parses is written in every notation; SymPy alone may refuse it, and OMML is XML."""
    if not is_well_formed(tokens):
        return

    for name, printer in PRINTERS.items():
        try:
            text = printer(tokens)
        except LatexError:
            assert name == "sympy"
        else:
            assert "\n" not in text
    ElementTree.fromstring(to_omml(tokens))


@pytest.mark.parametrize("name", PRINTERS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (r"\sqrt {", "}"),
        (r"\frac {", "} { 2 }"),
        (r"\frac { 1 } {", "}"),
        (r"\overset { a } {", "}"),
        (r"\overset {", "} { a }"),
        (r"\boxed {", "}"),
        (r"\hat {", "}"),
        (r"\mathbb {", "}"),
        (r"\xrightarrow {", "}"),
        ("x ^ {", "}"),
        ("x _ {", "}"),
        ("(", ")"),
        ("|", "| + 1"),
        (r"\sum _ { i = 1 } ^ n {", "}"),
        (r"\int {", "d x }"),
        (r"\sin {", "}"),
        (r"\{ \begin{matrix}", r"\end{matrix}"),
        (r"\begin{aligned}", r"\end{aligned}"),
    ],
)
def test_depth_costs_no_more_than_length(name: str, before: str, after: str) -> None:
    """What nests 60 deep is written at once: no part of it is written twice."""
    tokens = [*tokenize(before) * 60, "x", *tokenize(after) * 60]

    try:
        text = PRINTERS[name](tokens)
    except LatexError:
        assert name == "sympy"
    else:
        assert len(text) < 200 * len(tokens)


def test_plain_delimiters_are_matched() -> None:
    """Brackets belong together by kind, bars by what stands between; those left over stay as they are."""
    x, comma = Symbol("x"), Symbol(",")

    assert arranged(tokenize("( x ] )")) == Row((Fence("(", Row((x, Symbol("]"))), ")"),))
    assert arranged(tokenize("( x , x ]")) == Row((Fence("(", Row((x, comma, x)), "]"),))
    assert arranged(tokenize("( x ]")) == Row((Symbol("("), x, Symbol("]")))
    assert arranged(tokenize("x | x = x | x")) == Row(
        tuple(Symbol(token) for token in tokenize("x | x = x | x"))
    )
    assert arranged(tokenize("( x ) ^ 2")) == Row(
        (Script(Fence("(", Row((x,)), ")"), None, Row((Symbol("2"),))),)
    )
    assert arranged(tokenize(r"\left\lbrace x \right.")) == Row((Fence(r"\{", Row((x,)), ""),))


def test_digits_are_numbers_with_one_point() -> None:
    """Digits side by side are one number, with its point; a second point is none of it."""
    assert arranged(tokenize("1 2 . 5 x")).items == (Symbol("12.5"), Symbol("x"))
    assert arranged(tokenize("1 . 2 . 3")).items == (Symbol("1.2"), Symbol("."), Symbol("3"))
    assert arranged(tokenize("3 .")).items == (Symbol("3"), Symbol("."))
    assert arranged(tokenize("1 2 ^ 3 4")).items == (
        Script(Symbol("12"), None, Row((Symbol("3"),))),
        Symbol("4"),
    )
