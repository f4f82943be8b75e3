"""LaTeX as AsciiMath: a table worked out by hand, and what holds of every formula."""

from __future__ import annotations

import re

import pytest

from every_token import FORMULAS
from inktex.errors import LatexError
from inktex.latex.tree import tokenize
from inktex.notations.asciimath import to_asciimath


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "x"),
        ("x y", "x y"),
        ("2 x + 3", "2x + 3"),
        (r"2 \pi r", "2 pi r"),
        ("1 2 . 5", "12.5"),
        ("- x + ( - y )", "-x + (-y)"),
        ("n ! = m", "n! = m"),
        ("a , b", "a, b"),
        ("x ^ 2", "x^2"),
        ("x _ 1 ^ 2", "x_1^2"),
        ("x _ { i j }", "x_(i j)"),
        ("x ^ { n + 1 }", "x^(n + 1)"),
        ("1 2 ^ { 1 0 }", "12^10"),
        (r"x _ { \alpha }", "x_alpha"),
        ("e ^ { - x }", "e^(-x)"),
        ("x ^ *", "x^(**)"),
        ("{ } _ n ^ k C", '""_n^k C'),
        ("{ x ^ 2 } ^ 3", "{:x^2:}^3"),
        ("a \\wedge ^ 2", "a {:^^:}^2"),
        ("f ' ( x )", "f'(x)"),
        ("f _ 1 ''", "f_1''"),
        ("f ' ^ 2", "f'^2"),
        (r"3 0 ^ { \circ }", "30^@"),
        (r"\frac 1 2", "1/2"),
        (r"\frac { a + b } { c }", "(a + b)/c"),
        (r"\frac { x ^ 2 } { 2 y }", "(x^2)/(2y)"),
        (r"\frac { ( a ) } b", "((a))/b"),
        (r"\frac a b ^ 2", "{:a/b:}^2"),
        (r"\frac { } x", '("")/x'),
        (r"\sin \frac x 2", "sin {:x/2:}"),
        (r"\log _ 2 \frac { a + b } 2", "log_2 {:(a + b)/2:}"),
        (r"\lim _ n \frac 1 n", "lim_n 1/n"),
        (r"a / b", "a // b"),
        (r"\sqrt { x }", "sqrt(x)"),
        (r"\sqrt [ 3 ] { x + 1 }", "root(3)(x + 1)"),
        (r"\binom n k", "((n), (k))"),
        ("( a + b )", "(a + b)"),
        ("[ 0 , 1 )", "[0, 1)"),
        ("] 0 , 1 [", '"]" 0, 1 "["'),
        ("| x | ^ 2", "abs(x)^2"),
        (r"\| x \|", "norm(x)"),
        (r"\lfloor x \rfloor + \lceil y \rceil", "floor(x) + ceil(y)"),
        (r"\langle x , y \rangle", "(:x, y:)"),
        ("P ( A | B )", "P(A :|: B)"),
        (r"\{ x | x > 0 \}", "{x :|: x > 0}"),
        ("g ( ( a , b ) )", 'g((a, b)"")'),
        ("x _ { ( a , b ) }", 'x_((a, b)"")'),
        (r"\left. x \right|", "{:x:|"),
        (r"\left( x \right.", "(x:}"),
        (r"\sum \limits _ { i = 1 } ^ { n } i", "sum_(i = 1)^n i"),
        (r"\int \limits _ { 0 } ^ { 1 } f d x", "int_0^1 f d x"),
        (r"\lim \limits _ { x \rightarrow 0 } x", "lim_(x -> 0) x"),
        (r"\sin x \cos ( y )", "sin x cos(y)"),
        (r"\lg x \sup A", '"lg" x "sup" A'),
        (r"\operatorname { l c m } ( a , b )", '"lcm" (a, b)'),
        (r"a \equiv b \pmod n", "a -= b quad (mod n)"),
        (r"\hat x \vec v \bar z \ddot x", "hat(x) vec(v) bar(z) ddot(x)"),
        (r"\check x", "overset(ˇ)(x)"),
        (r"\overline { A B } \underline x", "bar(A B) ul(x)"),
        (r"\overbrace { a + b } ^ n", "obrace(a + b)^n"),
        (r"\underbrace { a + b } _ n", "ubrace(a + b)_n"),
        (r"\overset ! =", "overset(!)(=)"),
        (r"\underset n x", "underset(n)(x)"),
        (r"\xrightarrow { a } x", "overset(a)(->) x"),
        (r"\xrightarrow [ b ] { a }", "underset(b)(overset(a)(->))"),
        (r"\mathbb R \mathbb P \mathcal L", "RR bbb(P) cc(L)"),
        (r"\mathrm { k g } \mathbf x", '"kg" bb(x)'),
        (r"\text { i f ~ } x", '"if " x'),
        ('\\text { a " b }', "\"a''b\""),
        ("面 积 = S", '"面积" = S'),
        (r"\boxed { x }", "ul(bar(|x|))"),
        (r"\textcircled { 1 2 }", "⑫"),
        (r"\textcircled { < }", '("<")'),
        (r"\not = \not \in \not \equiv \not D", "!= !in ≢ cancel(D)"),
        (r"\pm \times \div \cdot *", "+- xx -: * **"),
        (r"\cup \cap \vee \wedge \oplus \otimes", "uu nn vv ^^ o+ ox"),
        (r"\leq \neq \Rightarrow \mapsto \subseteq \ll", "<= != => |-> sube ≪"),
        (r"\forall \exists \infty \partial \nabla \emptyset", "AA EE oo del grad O/"),
        (r"\% \# \$ \& \_ @", '% # "$" & "_" "@"'),
        (r"\qux", r'"\qux"'),
        (r"( \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix} )", "((1, 2), (3, 4))"),
        (r"[ \begin{matrix} 1 & 2 \\ 3 \end{matrix} ]", '[[1, 2], [3, ""]]'),
        (r"| \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix} |", "|[1, 2], [3, 4]|"),
        (r"( \begin{matrix} a & b \end{matrix} )", "({:a quad b:})"),
        (r"\begin{matrix} a \\ b \end{matrix}", "{:[a], [b]:}"),
        (r"\{ \begin{matrix} x , & a \\ y & b \end{matrix}", "{[{:x,:}, a], [y, b]:}"),
        (r"\begin{aligned} x = 1 \\ y = 2 \end{aligned}", "{:[x, = 1], [y, = 2]:}"),
    ],
)
def test_formulas_by_hand(text: str, expected: str) -> None:
    """Each construct of LaTeX has its counterpart in AsciiMath, with as little round it as it needs."""
    assert to_asciimath(tokenize(text)) == expected


@pytest.mark.parametrize("tokens", FORMULAS, ids=lambda tokens: tokens[0])
def test_every_token_has_its_form(tokens: tuple[str, ...]) -> None:
    """Of no token of the vocabulary the command stays, and brackets that open are closed."""
    text = re.sub('"[^"]*"', "", to_asciimath(tokens))

    assert not re.search(r"\\[A-Za-z]", text)
    assert text.count("(") == text.count(")")
    assert text.count("[") == text.count("]")


def test_malformed_tokens_are_refused() -> None:
    """What does not parse has no AsciiMath."""
    with pytest.raises(LatexError, match="Malformed"):
        to_asciimath(["{", "x"])
