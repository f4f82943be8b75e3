# ruff: noqa: RUF001  look-alikes are meant
"""LaTeX as Typst: a table worked out by hand, the compiler, and Typst's own way to MathML beside ours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pytest

from every_token import FORMULAS
from inktex.errors import LatexError
from inktex.latex.tree import tokenize
from inktex.mathml import to_mathml
from inktex.notations.symbols import character
from inktex.notations.typst import to_typst
from inktex.notations.typst.symbols import SYMBOLS
from listed_labels import some_labels

# Characters that differ between Typst's MathML and ours, and mean the same.
_SAME = str.maketrans("·•⟂⧧⊧-–*¯⊲⊳ˆ\u0302\u0303˜→\u20d7\u0307\u0308\u030c'°", "⋅∙⊥⊨⊨−−∗‾◃▹^^~~→→˙¨ˇ′∘")
_NO_INK = re.compile("[\\s\u2061\u200b_‾\u0332\u0304\u0305\u0338\ufe00-\ufe0f]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "x"),
        ("x y", "x y"),
        ("2 x + 3", "2x + 3"),
        ("2 \\pi r", "2 pi r"),
        ("1 2 . 5 x", "12.5x"),
        ("- x + ( - y )", "-x + (-y)"),
        (r"a \times - b", "a times -b"),
        ("n ! = m", "n! = m"),
        ("a , b ; c", "a, b; c"),
        ("x ^ 2", "x^2"),
        ("x _ 1 ^ 2", "x_1^2"),
        ("x _ { i j }", "x_(i j)"),
        ("x ^ { n + 1 }", "x^(n + 1)"),
        ("x ^ { ( n ) }", "x^((n))"),
        ("1 2 ^ { 1 0 }", "12^10"),
        ("x ^ *", "x^*"),
        ("x ^ -", "x^(-)"),
        ("e ^ { - x }", "e^(-x)"),
        ("_ n", '""_n'),
        ("{ } _ n ^ k C", '""_n^k C'),
        ("{ x ^ 2 } ^ 3", "attach(x^2, t: 3)"),
        ("f ' ( x )", "f'(x)"),
        ("f '' ^ 2", "f''^2"),
        (r"y ^ { \prime }", "y'"),
        (r"3 0 ^ { \circ }", "30 degree"),
        (r"f \circ g", "f compose g"),
        (r"\frac { a + b } { c }", "frac(a + b, c)"),
        (r"\frac { a , b } { c ; d }", r"frac(a\, b, c\; d)"),
        (r"\frac { f ( a , b ) } { 2 }", "frac(f(a, b), 2)"),
        (r"\frac { } x", 'frac("", x)'),
        (r"\frac { a : b } 2", r"frac(a \: b, 2)"),
        (r"a / b", r"a \/ b"),
        (r"\sqrt { x }", "sqrt(x)"),
        (r"\sqrt [ 3 ] { x + 1 }", "root(3, x + 1)"),
        (r"\binom n k", "binom(n, k)"),
        ("( a + b )", "(a + b)"),
        ("[ 0 , 1 )", "[0, 1)"),
        ("] 0 , 1 [", r"\] 0, 1 \["),
        ("( a", r"\( a"),
        ("a ) ^ 2", r"a \)^2"),
        ("| x | ^ 2", "abs(x)^2"),
        (r"\| x \|", "norm(x)"),
        (r"\lfloor x \rfloor + \lceil y \rceil", "floor(x) + ceil(y)"),
        (r"\langle x , y \rangle", "⟨x, y⟩"),
        (r"\{ x | x > 0 \}", "{x | x > 0}"),
        (r"[ | x ]", "[ | x ]"),
        (r"\left( \frac a b \right]", "(frac(a, b)]"),
        (r"\left. x \right|", "lr(x |)"),
        (r"\left\{ x \right.", r"lr(\{ x)"),
        (r"\sum \limits _ { i = 1 } ^ { n } i", "sum_(i = 1)^n i"),
        (r"\int \limits _ { 0 } ^ { 1 } f d x", "integral_0^1 f d x"),
        (r"\lim \limits _ { x \rightarrow 0 } x", "lim_(x -> 0) x"),
        (r"\sin x \cos ( y )", "sin x cos(y)"),
        (r"\log _ 2 8", "log_2 8"),
        (r"\mathrm { s i n } x", "sin x"),
        (r"\operatorname { l c m } ( a , b )", 'op("lcm") (a, b)'),
        (r"a \equiv b \pmod n", "a equiv b quad (mod n)"),
        (r"\hat x \vec v \bar z \ddot x", "hat(x) arrow(v) macron(z) dot.double(x)"),
        (r"\overline { A B } \underline x", "overline(A B) underline(x)"),
        (r"\overbrace { a + b } ^ n", "overbrace(a + b, n)"),
        (r"\underbrace { a + b } _ n", "underbrace(a + b, n)"),
        (r"\underbrace { a } ^ n", "underbrace(a)^n"),
        (r"\overset ! =", "limits(=)^(!)"),
        (r"\underset n { \max }", "limits(max)_n"),
        (r"\xrightarrow { a b } x", "stretch(->)^(a b) x"),
        (r"\xrightarrow [ b ] { a }", "stretch(->)_b^a"),
        (r"\mathbb R \mathbb { 1 } \mathcal L", "RR bb(1) cal(L)"),
        (r"\mathbf x \mathrm d \mathrm { k g }", 'bold(upright(x)) upright(d) "kg"'),
        (r"\text { i f ~ } x", '"if " x'),
        ('\\text { a " b }', r'"a\"b"'),
        ("面 积 = S", '"面积" = S'),
        (r"\boxed { x , y }", "#box(stroke: 0.5pt, inset: 3pt, $x, y$)"),
        (r"\textcircled { 1 2 }", "⑫"),
        (r"\textcircled { < }", '#circle(inset: 2pt, $"<"$)'),
        (r"\not = \not \in \not D", "≠ ∉ cancel(D)"),
        (r"\leq \neq \Rightarrow \mapsto", "<= != => |->"),
        (r"\% \# \$ \& \_", r"% \# \$ \& \_"),
        (r"\qux", r'"\\qux"'),
        (r"( \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix} )", "mat(1, 2; 3, 4)"),
        (r"[ \begin{matrix} 1 & , \end{matrix} ]", r'mat(delim: "[", 1, \,)'),
        (r"| \begin{matrix} a \\ b \end{matrix} | ^ 2", 'mat(delim: "|", a; b)^2'),
        (r"\begin{matrix} a & b \end{matrix}", "mat(delim: #none, a, b)"),
        (r"\begin{pmatrix} a \\ b \\ \end{pmatrix}", "mat(a; b)"),
        (r"\{ \begin{matrix} x & a \\ y & b \end{matrix}", "cases(x &a, y &b)"),
        (r"\begin{matrix} x \\ y \end{matrix} \}", "cases(reverse: #true, x, y)"),
        (r"\begin{aligned} x & = 1 \\ y & = 2 \end{aligned}", r"x &= 1 \ y &= 2"),
        (r"\begin{aligned} x = 1 \\ y = 2 \end{aligned}", r"x &= 1 \ y &= 2"),
        (r"\left( x \right) \, \quad \big( y \big)", "(x) quad (y)"),
    ],
)
def test_formulas_by_hand(text: str, expected: str) -> None:
    """Each construct of LaTeX has its counterpart in Typst, with as little round it as it needs."""
    assert to_typst(tokenize(text)) == expected


def test_malformed_tokens_are_refused() -> None:
    """What does not parse has no Typst."""
    with pytest.raises(LatexError, match="Malformed"):
        to_typst(["{", "x"])


def compiler() -> Any:
    """The compiler of Typst, with the fonts that come with it."""
    return pytest.importorskip("typst", reason="the typst package is not installed").Compiler(
        ignore_system_fonts=True
    )


def problems(formulas: Sequence[Sequence[str]]) -> list[str]:
    """Formulas that Typst does not compile, or not without a warning, with what it says."""
    typst = compiler()
    found = []
    for tokens in formulas:
        text = to_typst(tokens)
        try:
            _, warnings = typst.compile_with_warnings(input=f"$ {text} $".encode(), format="svg")
            found += [f"{text}: {warning.message}" for warning in warnings]
        except RuntimeError as error:
            found.append(f"{text}: {error}")
    return found


def test_every_token_compiles() -> None:
    """Typst compiles formulas that hold every token of the vocabulary, alone and together."""
    tokens = sorted(SYMBOLS)
    alone = [["a", token, "b"] for token in tokens]

    assert not problems(FORMULAS)
    assert not problems(alone)


def test_labels_of_lists_compile() -> None:
    """Typst compiles 300 formulas of the lists of labels."""
    assert not problems(some_labels(300, seed=30))


def drawn(mathml: str) -> str:
    """The characters of a formula in MathML, in the order in which they stand there."""
    text = "".join(ElementTree.fromstring(mathml).itertext()).translate(_SAME)
    return _NO_INK.sub("", unicodedata.normalize("NFKD", text).translate(_SAME))


def mathml_of_typst(text: str) -> str:
    """The MathML that Typst writes of a formula; the test is skipped where it writes none."""
    typst = compiler()
    try:
        page = typst.compile(input=f"$ {text} $".encode(), format="html").decode()
    except (RuntimeError, ValueError):
        page = ""
    if "<math" not in page:
        pytest.skip("this Typst does not write MathML")
    return str(page[page.index("<math") : page.index("</math>") + len("</math>")])


@pytest.mark.parametrize("listed", [False, True])
def test_typst_draws_what_mathml_draws(listed: bool) -> None:
    """Typst's own MathML of what we write holds the characters that our MathML of the same tokens holds."""
    formulas = some_labels(150, seed=3) if listed else FORMULAS
    for tokens in formulas:
        if r"\textcircled" not in tokens:  # a circle that is drawn is not in MathML
            text = to_typst(tokens)
            assert drawn(mathml_of_typst(text)) == drawn(to_mathml(tokens)), text


def test_names_are_those_of_the_same_characters() -> None:
    """A name of Typst's stands for the character that the command draws, or for one that looks the same."""
    compiler()
    import typst

    alike = {r"\quad", r"\qquad", r"\limsup", r"\liminf", r"\diamond"}
    tokens = [token for token in SYMBOLS if token not in alike]
    source = "".join(f"#let it = $ {SYMBOLS[token]} $\n#metadata(repr(it.body)) <x>\n" for token in tokens)

    values = re.findall(r'"value":\s*"((?:[^"\\]|\\.)*)"', typst.query(source.encode(), "<x>"))

    assert len(values) == len(tokens)
    for token, value in zip(tokens, values, strict=True):
        wanted = character(token).translate(_SAME)
        assert wanted in value.translate(_SAME), (token, value)
