import gzip
import html
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inktex.errors import LatexError
from inktex.latex.normalize import normalize
from inktex.latex.primes import primes_raised
from inktex.latex.readable import Wrapping, readable, wrap
from inktex.latex.tree import (
    Command,
    Environment,
    Fence,
    Group,
    Node,
    Row,
    Script,
    Symbol,
    is_well_formed,
    parse,
    to_tokens,
    tokenize,
)
from inktex.latex.words import cut
from inktex.mathml import to_mathml

DATA = Path(__file__).parents[2] / "shared/data"
LISTS = ("leikrit_pure_58k", "leikrit_mixed_zh_56k", "mlhme38k_labels")

# Tokens -> what a person would type, by hand.
TYPED = [
    ("", ""),
    (r"x ^ { 2 } + \frac { a } { b c }", r"x^2 + \frac{a}{bc}"),
    # Scripts: braces where there is more than a letter, a digit or a simple sign.
    ("x _ { i } ^ { 1 0 } y _ { 1 } ^ { n + 1 }", "x_i^{10}y_1^{n+1}"),
    (r"e ^ { \pi } e ^ { i \pi } x ^ { - 1 } 0 ^ { + }", r"e^\pi e^{i\pi}x^{-1}0^+"),
    (r"f ^ { \prime } ( x ) + f ^ { \prime \prime }", "f'(x) + f''"),
    (r"x ^ { \prime 2 } y _ { 1 } ^ { \prime n + 1 }", r"x'^2 y_1'^{n+1}"),
    ("x ' ^ 2 y ' _ 1", r"x'^2 y_1'"),
    (r"\sum \limits ^ { \prime } x ^ { a \prime } \prime", r"\sum^\prime x^{a\prime}\prime"),
    (r"9 0 ^ { \circ } x ^ { \sqrt { 2 } } x ^ { \leq }", r"90^\circ x^{\sqrt{2}}x^{\leq}"),
    (r"a _ { b _ { c } ^ { 2 } } x ^ { 面 } x ^ { }", "a_{b_c^2}x^{面}x^{}"),
    ("x ^ { 2 } y x ^ { 2 } 3 x ^ { 1 0 } y x ^ { 2 } ( y )", "x^2 yx^2 3x^{10}yx^2(y)"),
    # Letters, digits and commands.
    (r"2 \pi r a b \alpha x \alpha \beta \angle 1", r"2\pi rab\alpha x\alpha\beta\angle 1"),
    ("3 . 1 4 = 1 0 0", "3.14 = 100"),
    (r"\alpha 面", r"\alpha 面"),
    # Operators, relations and signs.
    ("a + b - c = - d", "a + b - c = -d"),
    (r"- x \times - y * ( - z ) , - 1", r"-x \times -y * (-z), -1"),
    (r"\pm 1 \pm \sqrt { 2 }", r"\pm 1 \pm \sqrt{2}"),
    (r"f ( 0 + ) : = + \infty", r"f(0+) := +\infty"),
    (r"1 + 2 + 3 =", "1 + 2 + 3 ="),
    (r"a \leq b \not = c", r"a \leq b \not= c"),
    (r"\frac { a + b } { - 2 }", r"\frac{a + b}{-2}"),
    (r"x _ { a = - 1 , b \in A }", r"x_{a=-1,b \in A}"),
    (r"x \overset { ! } { = } y \xrightarrow { f } z", r"x \overset{!}{=} y \xrightarrow{f} z"),
    # Functions, sums, integrals.
    (r"2 \sin x \cos ( x ) + \sin ^ { 2 } \theta", r"2\sin x \cos(x) + \sin^2 \theta"),
    (r"a \log _ { 2 } - x \ln \left( y \right)", r"a \log_2 -x \ln\left( y \right)"),
    (r"\sum \limits _ { i = 1 } ^ { n } i \sum \limits ( x )", r"\sum_{i=1}^n i \sum (x)"),
    (r"\lim \limits _ { x \rightarrow 0 } f", r"\lim_{x \rightarrow 0} f"),
    (r"\int \limits _ { 0 } ^ { 1 } f ( x ) d x", r"\int\limits_0^1 f(x) dx"),
    (r"\int x d x x ^ { 2 } = \int d t x d", r"\int x dx x^2 = \int dt xd"),
    (r"\int f d \theta \mathrm { d } \phi + x d y / d x", r"\int f d\theta \mathrm{d}\phi + x dy/dx"),
    (r"\frac { \sum \limits _ { i } x } { 2 }", r"\frac{\sum\limits_i x}{2}"),
    (r"\sqrt { \sum \limits _ { i } x }", r"\sqrt{\sum_i x}"),
    (r"\textstyle \sum \limits _ { i } x", r"\textstyle \sum\limits_i x"),
    # Brackets, bars, commas, dots.
    (r"( x ) ( y ) z \{ 1 , \ldots , n \} \ldots", r"(x)(y)z\{1, \ldots, n\} \ldots"),
    (r"\left( \frac { 1 } { 2 } \right) ^ { n } x", r"\left( \frac{1}{2} \right)^n x"),
    (r"x \left\{ y \right. \left( x \right)", r"x\left\{ y \right. \left( x \right)"),
    (r"x ^ { \left( n \right) \left\langle a \right| }", r"x^{\left(n\right)\left\langle a\right|}"),
    (r"| - x | - | y | + | | a | - b |", r"|-x| - |y| + ||a| - b|"),
    (r"\{ x | - 1 < x \} P ( A | - B ) f | _ { 0 } - 1", r"\{x | -1 < x\}P(A|-B)f|_0 - 1"),
    (r"\left\{ x | | x | < 1 \right\}", r"\left\{ x | |x| < 1 \right\}"),
    (r"\langle x , y \rangle + \lfloor x \rfloor", r"\langle x, y \rangle + \lfloor x \rfloor"),
    ("( 1 , 2 ) = 1 , 0 0 0 , 0 0 0 ; 1 , 0 0", "(1, 2) = 1,000,000; 1, 00"),
    (r"x _ { 1 } , x _ { 1 , 2 }", "x_1, x_{1,2}"),
    ("n ! - 1", "n! - 1"),
    # Delimiters round an array grow with it, where no script holds on to one; a brace may stand alone.
    (r"( \begin{matrix} a \\ b \end{matrix} ) x", r"\begin{pmatrix} a \\ b \end{pmatrix} x"),
    (r"\| \begin{matrix} a & b \end{matrix} \|", r"\begin{Vmatrix} a & b \end{Vmatrix}"),
    (r"( \begin{array} { c } a \end{array} ) x", r"\left( \begin{array}{c} a \end{array} \right) x"),
    (r"\{ \begin{matrix} a & 1 \\ b \end{matrix} .", r"\begin{cases} a & 1 \\ b \end{cases} ."),
    (r"\{ \begin{matrix} a & b & c \end{matrix}", r"\left\{ \begin{matrix} a & b & c \end{matrix} \right."),
    (r"( \begin{matrix} a \\ b \end{matrix} ] x", r"(\begin{matrix} a \\ b \end{matrix}]x"),
    (r"( \begin{matrix} a \\ b \end{matrix} ) ^ { 2 }", r"\begin{pmatrix} a \\ b \end{pmatrix}^2"),
    (r"\{ \begin{matrix} a \end{matrix} \} _ { 2 }", r"\begin{Bmatrix} a \end{Bmatrix}_2"),
    (r"\big ( \begin{matrix} a \end{matrix} )", r"\big(\begin{matrix} a \end{matrix})"),
    # Environments and text.
    (r"A = \begin{matrix} a & - b \\ & d \end{matrix} x", r"A = \begin{matrix} a & -b \\ & d \end{matrix} x"),
    (r"\begin{array} { c | c } x \end{array}", r"\begin{array}{c|c} x \end{array}"),
    (r"2 \text { 若 a - b , \alpha 若 } x", r"2 \text{若a-b,\alpha 若} x"),
    (r"x \text { i f ~ a } y = 1 \text { k g } .", r"x \text{ if a } y = 1 \text{ kg}."),
    (r"( \text { o n } , x _ { \text { i n } x } )", r"(\text{on}, x_{\text{in}x})"),
    (
        r"\begin{aligned} a = - b \\ \Rightarrow c \leq d \\ + 2 \end{aligned}",
        r"\begin{aligned} a &= -b \\ \Rightarrow c &\leq d \\ &+2 \end{aligned}",
    ),
    (r"\begin{aligned} a \\ b \end{aligned}", r"\begin{aligned} a \\ b \end{aligned}"),
    # Moduli, strokes and daggers.
    (r"a \equiv b ( \mod n ) = c \mod d", r"a \equiv b \pmod{n} = c \bmod d"),
    (r"( ( \mod n ) x ) \not \equiv i \not D A ^ { \dagger }", r"(\pmod{n} x) \not\equiv i\not DA^\dagger"),
    (r"\sqrt [ n + 1 ] { x } 5 \mathrm { ~ k g }", r"\sqrt[n+1]{x}5\mathrm{~kg}"),
    # Braces that do nothing, and those that do something.
    (r"{ x } + { y } ^ { { 2 } } + \frac { { a + b } } { { { c } } }", r"x + y^2 + \frac{a + b}{c}"),
    (r"{ x ^ { 2 } } y { \frac { a } { b } }", r"x^2 y\frac{a}{b}"),
    ("{ x ^ { a } } ^ { b } { } _ { n } C", "{x^a}^b{}_n C"),
    (r"{ a b } ^ { 2 } { = } { a + b } c", r"{ab}^2{=}{a + b}c"),
    (r"\foo { x } { y } \begin{foo} { 2 } x \end{foo}", r"\foo{x}{y} \begin{foo} {2}x \end{foo}"),
    (r"\foo [ 1 ] { x } + { x }", r"\foo[1]{x} + x"),
    (r"\sqrt [ { ] } ] { x }", r"\sqrt[{]}]{x}"),
]  # fmt: skip


@pytest.mark.parametrize(("tokens", "typed"), TYPED)
def test_tokens_are_written_as_a_person_would(tokens: str, typed: str) -> None:
    """Each construct is written as it was by hand."""
    assert readable(tokenize(tokens)) == typed


@pytest.mark.parametrize(
    ("tokens", "typed"),
    [
        (r"x ^ { 2 + \alpha b", r"x^{2+\alpha b"),
        (r"\frac { 1 } & \\ a", r"\frac{1}&\\a"),
        ("1 2 <unk> x", "1 2 <unk> x"),
        (r"10 + \sin", r"10 + \sin"),
        (r"\begin { m a }", r"\begin { m a }"),
        ("x \\", "x \\"),
    ],
)
def test_what_is_malformed_keeps_its_tokens(tokens: str, typed: str) -> None:
    """Malformed tokens lose spaces at most, and what no text would be cut into not even these."""
    assert readable(tokens.split()) == typed


def rows(items: st.SearchStrategy[Node], size: int = 4) -> st.SearchStrategy[Row]:
    """Rows of a few items."""
    return st.builds(Row, st.lists(items, max_size=size).map(tuple))


SYMBOLS = (
    r"x d 1 0 + - * / = : , . ! ' ( ) [ ] | \{ \} \| \langle \rangle \alpha \infty \sin \int \pm \leq \not "
    r"面 \ldots \quad \, \foo \displaystyle"
)
LEAVES: st.SearchStrategy[Node] = st.sampled_from([Symbol(token) for token in SYMBOLS.split()])


def larger(items: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Every construct, made of smaller things."""
    row = rows(items)
    argument = row.map(lambda row: (row,))
    operator = st.sampled_from([Symbol(r"\sum"), Symbol(r"\int"), Symbol(r"\lim"), Symbol(r"\max")])
    names = st.sampled_from([r"\overline", r"\text", r"\operatorname", r"\mathrm", r"\xrightarrow"])
    script = st.builds(Script, st.one_of(LEAVES, st.builds(Group, row)), st.none() | row, row)
    return st.one_of(
        st.builds(Group, row),
        st.builds(Command, st.sampled_from([r"\frac", r"\overset"]), st.tuples(row, row)),
        st.builds(Command, names, argument),
        st.builds(Command, st.just(r"\sqrt"), argument, st.none() | row),
        script,
        st.builds(Script, operator, row, st.none() | row, st.booleans()),
        st.builds(
            Fence,
            st.sampled_from(["(", r"\{", ".", r"\langle"]),
            row,
            st.sampled_from([")", "|", r"\rangle"]),
        ),
        st.builds(
            Environment,
            st.sampled_from(["matrix", "aligned", "foo"]),
            st.lists(st.tuples(row, row), min_size=1, max_size=2).map(tuple),
        ),
    )


FORMULAS = rows(st.recursive(LEAVES, larger, max_leaves=14), 6).map(to_tokens).filter(is_well_formed)


FENCED = {
    "pmatrix": (["("], [")"]),
    "bmatrix": (["["], ["]"]),
    "Bmatrix": ([r"\{"], [r"\}"]),
    "vmatrix": (["|"], ["|"]),
    "Vmatrix": ([r"\|"], [r"\|"]),
    "cases": ([r"\{"], []),
}


def plain(node: Node | None) -> Any:
    r"""A tree as tuples, with groups dissolved where no script holds on to them, and without `\limits`."""
    match node:
        case Row(items):
            return tuple(each for item in items for each in dissolved(item))
        case Command(name, arguments, option):
            return name, *(worded(name, each) for each in map(plain, arguments)), plain(option)
        case Script(base, sub, sup):
            if sub is None and sup is None:
                return plain(base)
            held = () if base is None else dissolved(base)
            alone = len(held) == 1 and isinstance(held[0], Symbol)
            return "script", held[0] if alone else plain(base), plain(sub), plain(sup)
        case Group(body):
            return "group", plain(body)
        case Fence(left, body, right):
            return left, plain(body), right
        case Environment("aligned", lines):
            return "aligned", *(tuple(each for cell in cells for each in plain(cell)) for cells in lines)
        case Environment(name, lines, columns):
            return name, columns, *(tuple(map(plain, cells)) for cells in lines)
        case _:
            return node


def worded(name: str, body: object) -> object:
    """A text without the blanks at its ends."""
    blank = (Symbol("~"),)
    while name == r"\text" and isinstance(body, tuple) and blank in (body[:1], body[-1:]):
        body = body[1:] if body[:1] == blank else body[:-1]
    return body


def dissolved(item: Node) -> tuple[object, ...]:
    r"""What an item of a row is, its items if it is a group; an array and its delimiters one by one."""
    match item:
        case Environment(name, lines) if name in FENCED:
            left, right = FENCED[name]
            return *map(Symbol, left), plain(Environment("matrix", lines)), *map(Symbol, right)
        case Script(Environment(name) as array, sub, sup) if FENCED.get(name, ("", ""))[1]:
            return *dissolved(array)[:-1], ("script", Symbol(FENCED[name][1][0]), plain(sub), plain(sup))
        case Group(Row(items)):
            return tuple(each for inner in items for each in dissolved(inner))
        case Fence(left, Row((Environment(name) as array,)), right) if name in ("matrix", "array"):
            return *map(Symbol, left.strip(".")), plain(array), *map(Symbol, right.strip("."))
    return (plain(item),)


def raised(tokens: list[str]) -> Row:
    """The tree with primes as superscripts, where they can be."""
    try:
        return parse(primes_raised(tokens))
    except LatexError:  # a prime alone is an argument: `\sqrt '`
        return parse([r"\prime" if token == "'" else token for token in tokens])


def assert_law(tokens: list[str]) -> None:
    """What is written reads as the same tree, is its own readable form and no longer than the tokens, but for
    the delimiters of arrays."""
    text = readable(tokens)
    tree = parse(tokens)

    assert plain(raised(cut(text))) == plain(raised(cut(" ".join(tokens))))
    assert readable(cut(text)) == text
    delimiters = sum(len(r"\left \right. ") for token in tokens if token.startswith("\\begin"))
    primes = tokens.count("'") * len("prime") + len("^{}") * ("'" in tokens)
    assert len(text) <= len(" ".join(to_tokens(tree))) + delimiters + primes
    assert " ".join(text.split()) == text


@settings(deadline=None)
@given(FORMULAS)
def test_reading_what_was_written_gives_the_same_tree(tokens: list[str]) -> None:
    """The law holds for every tree."""
    assert_law(tokens)


ALPHABET = (
    r"x 2 { } { } _ ^ ' [ ] \frac \sqrt \sum \limits \left \right ( . | \text & \\ \foo "
    r"\begin{array} \end{array}"
)


@example(["\\sqrt", "'"])
@example(["\\sum", "'", "'"])
@example(["\\text", "[", "{", "x", "'", "}"])
@settings(deadline=None)
@given(st.lists(st.sampled_from(ALPHABET.split()), max_size=14))
def test_any_tokens_are_written(tokens: list[str]) -> None:
    """Malformed tokens are read back as they were; for the others the law holds."""
    if is_well_formed(tokens):
        assert_law(tokens)
    else:
        assert tokenize(readable(tokens)) == tokens


def captions(split: str) -> list[str]:
    """The distinct official captions."""
    with zipfile.ZipFile(DATA / "crohme/offline.zip") as archive:
        lines = archive.read(f"data/{split}/caption.txt").decode().splitlines()
    return sorted({line.split("\t", 1)[1] for line in lines if line.strip()})


def truths() -> Iterator[str]:
    """The annotations of CROHME 2013 as far as they are LaTeX, cut out without an XML parser."""
    with zipfile.ZipFile(DATA / "crohme/inkml_test2013.zip") as archive:
        for member in archive.namelist():
            text = archive.read(member).decode(errors="replace") if member.endswith(".inkml") else ""
            if truth := re.search(r'<annotation type="truth">(.*?)</annotation>', text, re.DOTALL):
                try:
                    yield " ".join(normalize(html.unescape(truth[1])))
                except LatexError:
                    continue


@pytest.mark.skipif(not DATA.exists(), reason="the CROHME archives are not at hand")
@pytest.mark.parametrize("split", ["train", "2013", "2014"])
def test_labels_of_crohme_survive(split: str) -> None:
    r"""The law holds, and normalising what was written gives the label back, `\limits` and all."""
    labels = list(truths()) if split == "2013" else captions(split)

    assert len(labels) > 600
    for label in labels:
        assert_law(label.split())
        assert " ".join(normalize(readable(label.split()))) == label


@pytest.mark.skipif(not DATA.exists(), reason="the CROHME archives are not at hand")
def test_labels_of_crohme_look_the_same() -> None:
    r"""But for `\limits`, a label and what is written of it are the same MathML."""

    def look(tokens: list[str]) -> str:
        return to_mathml([token for token in tokens if token != r"\limits"])

    for label in captions("2014"):
        assert look(cut(readable(label.split()))) == look(label.split())


@pytest.mark.skipif(not DATA.exists(), reason="the lists of labels are not at hand")
@pytest.mark.parametrize("name", LISTS)
def test_labels_of_school_mathematics_survive(name: str) -> None:
    """The law holds for every 25th label of three lists, with Chinese text and systems of equations."""
    with gzip.open(DATA / f"labels/{name}.txt.gz", "rt", encoding="utf-8") as file:
        labels = sorted({line.strip() for line in file})[::25]

    well_formed = [tokens for tokens in map(tokenize, labels) if is_well_formed(tokens)]
    assert len(well_formed) > len(labels) * 0.99
    for tokens in well_formed:
        assert_law(tokens)


@pytest.mark.parametrize(
    ("wrapping", "wrapped"),
    [("none", "x^2"), ("inline", "$x^2$"), ("display", "$$x^2$$"), ("brackets", r"\[x^2\]")],
)
def test_marks_are_put_round_a_formula(wrapping: str, wrapped: str) -> None:
    """Each style has its marks, without spaces inside, which some readers of Markdown do not take."""
    assert wrap(" x^2\n", Wrapping(wrapping)) == wrapped
    assert wrap(" ", Wrapping(wrapping)) == ""


@pytest.mark.parametrize(
    ("latex", "obstacle"),
    [
        ("a$b", "$"),
        (r"\text{if $x$}", "$"),
        ("50%", "%"),
        (r"a\]b", r"\]"),
        (r"\begin{align*} x \end{align*}", r"\begin{align*}"),
        ("a\n \nb", "a blank line"),
        ("x^{2", "is missing"),
        ("x\\", "lone backslash"),
    ],
)
def test_what_would_break_the_marks_is_refused(latex: str, obstacle: str) -> None:
    """What cannot stand between marks raises a LatexError that names it; without marks all passes."""
    for wrapping in (Wrapping.INLINE, Wrapping.DISPLAY, Wrapping.BRACKETS):
        with pytest.raises(LatexError, match=re.escape(obstacle)):
            wrap(latex, wrapping)
    assert wrap(latex, Wrapping.NONE) == latex


@pytest.mark.parametrize(
    "latex", [r"50\%", r"\$5", r"\begin{aligned} a & b \\ c \end{aligned}", "[1]", "a\nb"]
)
def test_what_only_resembles_a_mark_is_wrapped(latex: str) -> None:
    """Escaped signs, inner environments, brackets and single line ends stand between marks."""
    assert wrap(latex, Wrapping.INLINE) == f"${latex}$"
