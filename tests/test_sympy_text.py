r"""LaTeX as SymPy text: a table worked out by hand, what SymPy makes of it, and its way back to LaTeX."""

from __future__ import annotations

import math
from typing import Any

import pytest

from every_token import FORMULAS, written_tokens
from inktex.errors import LatexError
from inktex.latex.tree import is_well_formed, tokenize
from inktex.notations.sympy import to_sympy


def sympified(text: str) -> Any:
    """What SymPy makes of a formula."""
    return pytest.importorskip("sympy").sympify(to_sympy(tokenize(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "x"),
        ("2 x y", "2*x*y"),
        ("1 2 . 5 x", "12.5*x"),
        ("0 0 7", "7"),
        ("a b + c", "a*b + c"),
        ("a - ( b - c )", "a - (b - c)"),
        ("- x ^ 2", "-x**2"),
        ("( - x ) ^ 2", "(-x)**2"),
        ("a - - b", "a + b"),
        (r"2 \times - 3", "2*(-3)"),
        (r"a \cdot b * c", "a*b*c"),
        (r"6 \div 2 / x", "6/2/x"),
        ("x ( x + 1 )", "x*(x + 1)"),
        ("[ ( a + b ) c ] d", "(a + b)*c*d"),
        ("x ^ { n + 1 }", "x**(n + 1)"),
        ("x ^ { y ^ z }", "x**(y**z)"),
        ("2 ^ { - 1 }", "2**(-1)"),
        ("( a b ) ^ 2", "(a*b)**2"),
        ("e ^ { - x ^ 2 }", "exp(-x**2)"),
        (r"e + \pi + \infty", "E + pi + oo"),
        (r"\frac a { b c }", "a/(b*c)"),
        (r"\frac { a + 1 } b c", "(a + 1)/b*c"),
        (r"\frac 1 { \frac a b }", "1/(a/b)"),
        (r"\frac { a } { b ^ 2 }", "a/b**2"),
        (r"\frac a b ^ 2", "(a/b)**2"),
        (r"\sqrt { - x }", "sqrt(-x)"),
        (r"\sqrt [ 3 ] x", "root(x, 3)"),
        (r"\binom n k", "binomial(n, k)"),
        ("n !", "factorial(n)"),
        ("( n + 1 ) !", "factorial(n + 1)"),
        (r"5 0 \%", "50/100"),
        (r"7 \mod 3", "Mod(7, 3)"),
        ("| x - 1 |", "Abs(x - 1)"),
        (r"\lfloor x \rfloor + \lceil y \rceil", "floor(x) + ceiling(y)"),
        (r"\boxed { x + 1 }", "x + 1"),
        ("x _ 1 + x _ { m a x } + v _ x", "x_1 + x_max + v_x"),
        ("a _ n + a _ { n + 1 }", "Indexed('a', n) + Indexed('a', n + 1)"),
        ("a _ { i j } b _ { 1 , 2 }", "Indexed('a', i, j)*Indexed('b', 1, 2)"),
        (r"\alpha \beta \lambda", "alpha*Symbol('beta')*Symbol('lambda')"),
        ("S + N + I", "Symbol('S') + Symbol('N') + Symbol('I')"),
        (r"\hat x + \vec v _ 1 + y '", "xhat + vvec_1 + yprime"),
        (r"\mathrm { v o l } x", "vol*x"),
        (r"\sin 2 x \cos y", "sin(2*x)*cos(y)"),
        (r"\sin ( x ) y", "sin(x)*y"),
        (r"\sin \frac x 2 + 1", "sin(x/2) + 1"),
        (r"\sin x / 2", "sin(x)/2"),
        (r"\sin ^ 2 x", "sin(x)**2"),
        (r"\sin ^ { - 1 } x", "asin(x)"),
        (r"\arctan x \coth y", "atan(x)*coth(y)"),
        (r"\ln \ln x", "log(log(x))"),
        (r"\log _ 2 8 + \lg x + \log x", "log(8, 2) + log(x, 10) + log(x)"),
        (r"\sin - x", "sin(-x)"),
        (r"\cos 6 0 ^ { \circ }", "cos(rad(60))"),
        (r"\max ( a , b )", "Max(a, b)"),
        (r"\Re z + \arg z", "re(z) + arg(z)"),
        ("f ( x ) + x ( y )", "f(x) + x*y"),
        ("u ( x , t )", "u(x, t)"),
        ("f ^ 2 ( x )", "f(x)**2"),
        ("f ' ( x )", "Derivative(f(x), x)"),
        ("f '' ( 2 )", "Subs(Derivative(f(x), (x, 2)), x, 2)"),
        (r"\operatorname { l c m } ( 2 , 3 )", "lcm(2, 3)"),
        (r"\sum \limits _ { i = 1 } ^ { n } i ^ 2 + 1", "Sum(i**2, (i, 1, n)) + 1"),
        (r"\prod _ { k = 1 } ^ n k", "Product(k, (k, 1, n))"),
        (r"\int x d x", "Integral(x, x)"),
        (r"\int \limits _ 0 ^ 1 x d x + 1", "Integral(x, (x, 0, 1)) + 1"),
        (r"\int \frac { d x } x", "Integral(1/x, x)"),
        (r"\int d x", "Integral(1, x)"),
        (r"\iint x y d x d y", "Integral(x*y, x, y)"),
        (r"\int _ 0 ^ 1 \int _ 0 ^ x y d y d x", "Integral(Integral(y, (y, 0, x)), (x, 0, 1))"),
        (r"\int \sin \theta \mathrm { d } \theta", "Integral(sin(theta), theta)"),
        (r"\lim _ { x \rightarrow 0 } \frac { \sin x } x", "Limit(sin(x)/x, x, 0)"),
        (r"\lim _ { x \rightarrow 0 ^ + } \ln x", "Limit(log(x), x, 0, '+')"),
        (r"\frac { d y } { d x }", "Derivative(y, x)"),
        (r"\frac d { d x } x ^ 2 + 1", "Derivative(x**2, x) + 1"),
        (r"\frac { d ^ 2 y } { d x ^ 2 }", "Derivative(y, (x, 2))"),
        (r"\frac { \partial ^ 2 f } { \partial x \partial y }", "Derivative(f, x, y)"),
        (r"\frac d { d + 1 }", "d/(d + 1)"),
        ("x = 1", "Eq(x, 1)"),
        (r"x \neq 1", "Ne(x, 1)"),
        (r"a \leq x < b", "And(a <= x, x < b)"),
        ("a = b = c", "And(Eq(a, b), Eq(b, c))"),
        ("x = 1 , y = 2 .", "[Eq(x, 1), Eq(y, 2)]"),
        (r"\begin{aligned} x & = 1 \\ & = y \\ z & = 2 \end{aligned}", "[And(Eq(x, 1), Eq(1, y)), Eq(z, 2)]"),
        (r"\{ \begin{matrix} x + y = 1 \\ x = y \end{matrix}", "[Eq(x + y, 1), Eq(x, y)]"),
        (
            r"\{ \begin{matrix} x , & x > 0 \\ - x , & \text { i f ~ } x \leq 0 \end{matrix}",
            "Piecewise((x, x > 0), (-x, x <= 0))",
        ),
        (r"( \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix} ) ^ 2", "Matrix([[1, 2], [3, 4]])**2"),
        (r"| \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix} |", "det(Matrix([[1, 2], [3, 4]]))"),
        (r"\{ 1 , 2 \}", "FiniteSet(1, 2)"),
        ("( x , y )", "Tuple(x, y)"),
    ],
)
def test_formulas_by_hand(text: str, expected: str) -> None:
    """What has a mathematical meaning is written as a SymPy expression, and SymPy reads it."""
    assert to_sympy(tokenize(text)) == expected
    sympified(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"2 + 3 \times 4", 14),
        (r"- 2 ^ 2", -4),
        (r"( - 2 ) ^ 2", 4),
        (r"2 ^ { 3 ^ 2 }", 512),
        (r"1 2 \div 4 \times 3", 9),
        (r"8 - 5 - 2", 1),
        (r"8 - ( 5 - 2 )", 5),
        (r"2 ( 3 + 4 )", 14),
        (r"\frac { 1 + 2 } { 4 - 1 }", 1),
        (r"\frac 1 { \frac 1 4 } \frac 1 2", 2),
        (r"\sqrt [ 3 ] { 2 7 } + \sqrt { 1 6 }", 7),
        (r"3 ! ! / 5 !", 6),
        (r"\binom 5 2", 10),
        (r"| 3 - 5 | ^ 3", 8),
        (r"\lfloor 2 . 7 \rfloor + \lceil 2 . 2 \rceil", 5),
        (r"1 7 \mod 5", 2),
        (r"2 0 \% \times 5", 1),
        (r"\sin 3 0 ^ { \circ }", 0.5),
        (r"\sin ^ 2 1 + \cos ^ 2 1", 1),
        (r"\tan ^ { - 1 } 1", math.pi / 4),
        (r"\log _ 2 8 + \lg 1 0 0 + \ln e", 6),
        (r"e ^ { \ln 3 }", 3),
        (r"\max ( 2 , 7 ) \min ( 3 , 5 )", 21),
        (r"\sum \limits _ { i = 1 } ^ { 1 0 } i", 55),
        (r"\sum _ { i = 1 } ^ 3 \sum _ { j = 1 } ^ 2 i j", 18),
        (r"\prod _ { k = 1 } ^ 5 k", 120),
        (r"\sum _ { n = 0 } ^ \infty \frac 1 { 2 ^ n }", 2),
        (r"\int \limits _ 0 ^ 1 x ^ 2 d x", 1 / 3),
        (r"\int _ 1 ^ e \frac { d x } x", 1),
        (r"\int _ 0 ^ 1 \int _ 0 ^ x 2 y d y d x", 1 / 3),
        (r"\lim \limits _ { x \rightarrow 0 } \frac { \sin x } x", 1),
        (r"\lim _ { n \rightarrow \infty } ( 1 + \frac 1 n ) ^ n", math.e),
        (r"| \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix} |", -2),
        (r"2 \frac 3 4", 1.5),
    ],
)
def test_values_by_hand(text: str, value: float) -> None:
    """SymPy works out what one works out by hand."""
    assert complex(sympified(text).doit().evalf()) == pytest.approx(value)


def test_derivatives_are_worked_out() -> None:
    """The derivative of a product of a power and a sine is that of the product rule."""
    sympy = pytest.importorskip("sympy")
    x = sympy.Symbol("x")

    found = sympified(r"\frac d { d x } x ^ 2 \sin x").doit()

    assert sympy.simplify(found - (2 * x * sympy.sin(x) + x**2 * sympy.cos(x))) == 0


def test_equations_are_solved() -> None:
    """SymPy solves a system of equations that was written with a brace."""
    sympy = pytest.importorskip("sympy")
    system = sympified(r"\{ \begin{matrix} x + y = 5 \\ 2 x - y = 1 \end{matrix}")

    assert sympy.solve(system) == {sympy.Symbol("x"): 2, sympy.Symbol("y"): 3}


@pytest.mark.parametrize(
    "text",
    [
        r"\hat{x}",
        r"\bar{y}_{1}",
        r"\vec{v}",
        r"\ddot{\theta}",
        r"x_{max}",
        r"\lambda",
        r"\gamma_{1}",
        r"\int\limits_{0}^{1} x^{2}\, dx",
        r"\sum_{i=1}^{n} i",
        r"\frac{d}{d x} f{\left(x \right)}",
        r"\sqrt[3]{x}",
        r"{\binom{n}{k}}",
        r"\left|{x}\right|",
    ],
)
def test_sympy_writes_the_latex_back(text: str) -> None:
    """SymPy's printer gives the LaTeX that was read, for names with accents and subscripts too."""
    sympy = pytest.importorskip("sympy")

    assert sympy.latex(sympified(text)) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (r"a \rightarrow b", r"'\\rightarrow'"),
        (r"x = \pm 1", r"'\\pm'"),
        (r"\text { s o }", r"'\\text'"),
        (r"1 + \cdots + n", r"'\\cdots'"),
        (r"x \in A", r"'\\in'"),
        (r"\oint f d x", r"'\\oint'"),
        (r"\nabla f", r"'\\nabla'"),
        ("x ?", r"'\?'"),
        (r"\det A", r"'\\det'"),
        ("x =", "both sides"),
        ("a + ", "operand"),
        (r"\int x", "variable"),
        (r"\sum a", "bounds"),
        (r"\sum \limits _ { i \in I } ^ n i", "runs over"),
        (r"\int _ A x d x", "bounds"),
        (r"\max x", "parentheses"),
        (r"\sin _ 1 x", "subscript"),
        ("( a", r"'\('"),
        (r"\frac { } x", "operand"),
        ("f ^ { - 1 } ( x )", "inverse"),
        ("", "empty"),
        ("{ x", "Malformed"),
    ],
)
def test_what_means_nothing_to_sympy_is_refused(text: str, problem: str) -> None:
    """What is no expression or equation is refused in one sentence that names what stands in the way."""
    with pytest.raises(LatexError, match=problem) as caught:
        to_sympy(tokenize(text))

    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("token", sorted(token for token in written_tokens() if is_well_formed([token])))
def test_every_token_is_read_or_refused(token: str) -> None:
    """A token alone is something that SymPy reads as one value, or is refused."""
    try:
        text = to_sympy([token])
    except LatexError:
        return
    value = pytest.importorskip("sympy").sympify(text)
    assert value + 1 != value or text == "oo"


@pytest.mark.parametrize("tokens", FORMULAS, ids=lambda tokens: tokens[0])
def test_formulas_are_read_or_refused(tokens: tuple[str, ...]) -> None:
    """A formula of any tokens is text that SymPy parses, or is refused."""
    try:
        text = to_sympy(tokens)
    except LatexError:
        return
    pytest.importorskip("sympy").sympify(text)
