"""Formulas said in English: a table worked out by hand, and what holds of every formula."""

from __future__ import annotations

import re

import pytest

from every_token import FORMULAS, written_tokens
from inktex.errors import LatexError
from inktex.latex.tree import is_well_formed, tokenize
from inktex.notations.speech import to_speech


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "x"),
        ("A B C", "cap A cap B cap C"),
        (r"\alpha + \Delta", "alpha plus cap delta"),
        ("1 2 . 5", "12.5"),
        ("a + b - c", "a plus b minus c"),
        ("- x", "negative x"),
        (r"a \times - b", "a times negative b"),
        (r"a \cdot b \div c / d", "a times b divided by c divided by d"),
        (r"x = \pm 1", "x equals plus or minus 1"),
        ("2 ( x + 1 )", "2 times open paren x plus 1 close paren"),
        ("( a ) ( b )", "open paren a close paren times open paren b close paren"),
        ("x + ( y )", "x plus open paren y close paren"),
        ("f ( x )", "f of x"),
        ("f ( x + 1 )", "f of open paren x plus 1 close paren"),
        ("f ( x , y )", "f of open paren x comma y close paren"),
        ("f ' ( x )", "f prime of x"),
        ("f '' + g '''", "f double prime plus g triple prime"),
        ("x ^ 2", "x squared"),
        ("x ^ 3", "x cubed"),
        ("x ^ 4", "x to the fourth power"),
        ("x ^ { 2 1 }", "x to the 21st power"),
        ("x ^ n", "x to the n-th power"),
        ("x ^ { - 1 }", "x to the negative 1 power"),
        ("x ^ { n + 1 }", "x raised to the n plus 1 power"),
        (r"x ^ \alpha", "x to the alpha power"),
        ("x ^ * + y ^ +", "x super star plus y super plus"),
        (r"3 0 ^ { \circ }", "30 degrees"),
        ("x _ 1", "x sub 1"),
        ("x _ { i j }", "x sub i j"),
        ("x _ { i + 1 } + 2", "x sub i plus 1 end sub plus 2"),
        ("x _ 1 ^ 2", "x sub 1 squared"),
        (r"\frac 1 2", "one half"),
        (r"\frac 3 4", "three fourths"),
        (r"\frac { 1 2 } { 3 5 }", "12 over 35"),
        (r"\frac x { 2 y }", "x over 2 y"),
        (r"\frac { a + 1 } b", "the fraction with numerator a plus 1 and denominator b end fraction"),
        (r"\frac { d y } { d x }", "d y over d x"),
        (r"\sqrt 2", "the square root of 2"),
        (r"\sqrt { x + 1 } y", "the square root of x plus 1 end root y"),
        (r"\sqrt [ 3 ] x", "the cube root of x"),
        (r"\sqrt [ n ] x", "the n-th root of x"),
        (r"\sqrt [ 4 ] x", "the fourth root of x"),
        (r"\sum \limits _ { i = 1 } ^ { n } i", "the sum from i equals 1 to n of i"),
        (r"\sum \limits _ { i } i", "the sum over i of i"),
        (r"\prod a", "the product of a"),
        (r"\int \limits _ 0 ^ 1 x d x", "the integral from 0 to 1 of x d x"),
        (r"\lim \limits _ { x \rightarrow 0 } x", "the limit as x approaches 0 of x"),
        (r"\lim _ { x \rightarrow 0 ^ + } x", "the limit as x approaches 0 from the right of x"),
        (r"\max \limits _ x f", "the maximum over x of f"),
        (r"\sin x", "sine x"),
        (r"\sin ( x + y )", "sine of open paren x plus y close paren"),
        (r"\sin ^ 2 x", "sine squared x"),
        (r"\tan ^ { - 1 } x", "the inverse tangent of x"),
        (r"\log _ 2 8", "the log base 2 of 8"),
        (r"\log _ 2 ( x + 1 )", "the log base 2 of open paren x plus 1 close paren"),
        (r"\dim ( V )", "the dimension of open paren cap V close paren"),
        (r"\ln x", "natural log x"),
        (r"\det A", "the determinant of cap A"),
        ("| x |", "the absolute value of x"),
        ("| x + 1 | ^ 2", "the absolute value of x plus 1 end absolute value squared"),
        (r"\| v \|", "the norm of v"),
        (r"\lfloor x \rfloor", "the floor of x"),
        (r"\{ x | x > 0 \}", "the set of all x such that x is greater than 0 end set"),
        ("[ 0 , 1 )", "open bracket 0 comma 1 close paren"),
        ("n !", "n factorial"),
        (r"\binom n k", "n choose k"),
        (r"A \cup B \subseteq C", "cap A union cap B is a subset of cap C"),
        (r"x \in \mathbb R", "x is a member of the real numbers"),
        (r"\mathbb P \mathcal L", "double-struck cap P script cap L"),
        (r"a \neq b \leq c", "a is not equal to b is less than or equal to c"),
        (r"\not = \not \in", "is not equal to is not a member of"),
        (r"\hat x \bar z \vec v", "x hat z bar vector v"),
        (r"\overline { A B }", "cap A cap B with line above"),
        (r"\underbrace { a + b } _ n", "a plus b with brace below labeled n"),
        (r"\overset ! =", "equals with factorial above"),
        (r"\xrightarrow [ b ] a", "right arrow with a above and b below"),
        (r"\boxed { 7 }", "box 7 end box"),
        (r"\textcircled { 1 }", "circled 1"),
        (r"\text { i f ~ } x", "if x"),
        ("1 , 2 , \\ldots", "1 comma 2 comma dot dot dot"),
        (
            r"( \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix} )",
            "the 2 by 2 matrix, row 1: 1, 2; row 2: 3, 4; end matrix",
        ),
        (
            r"| \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix} |",
            "the 2 by 2 determinant, row 1: 1, 2; row 2: 3, 4; end determinant",
        ),
        (
            r"\{ \begin{matrix} x = 1 \\ y = 2 \end{matrix}",
            "2 cases, case 1: x equals 1; case 2: y equals 2; end cases",
        ),
        (
            r"\begin{aligned} x = 1 \\ y = 2 \end{aligned}",
            "2 lines, line 1: x equals 1; line 2: y equals 2; end lines",
        ),
        ("x = 1 .", "x equals 1"),
    ],
)
def test_formulas_by_hand(text: str, expected: str) -> None:
    """Each construct is said as a teacher would say it, with the end of what is long."""
    assert to_speech(tokenize(text)) == expected


@pytest.mark.parametrize("token", sorted(token for token in written_tokens() if is_well_formed([token])))
def test_every_symbol_has_words(token: str) -> None:
    """A symbol is said in words, or by its own letter or digit; only the blank is silent."""
    said = to_speech([token])

    assert re.fullmatch("[A-Za-z0-9 -]+", said) or token == "~"


@pytest.mark.parametrize("tokens", FORMULAS, ids=lambda tokens: tokens[0])
def test_no_sign_is_left_in_what_is_said(tokens: tuple[str, ...]) -> None:
    """What is said of a formula has no signs but those that make a pause."""
    assert re.fullmatch(r"[\w\s,;:.-]+", to_speech(tokens))


def test_malformed_tokens_are_refused() -> None:
    """What does not parse cannot be said."""
    with pytest.raises(LatexError, match="Malformed"):
        to_speech(["{", "x"])
