# ruff: noqa: RUF001  look-alikes are meant
"""LaTeX as MathML: tables worked out by hand, marks, and the way back to LaTeX through Pandoc."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inktex.errors import LatexError
from inktex.latex.normalize import normalize
from inktex.latex.tree import (
    ARITY,
    DELIMITERS,
    LIMIT_OPERATORS,
    Command,
    Environment,
    Fence,
    Group,
    Node,
    Row,
    Script,
    Symbol,
    to_tokens,
    tokenize,
)
from inktex.mathml import to_mathml
from inktex.mathml.symbols import (
    FUNCTIONS,
    IDENTIFIERS,
    OPERATORS,
    SPACES,
    UPRIGHT_IDENTIFIERS,
    in_alphabet,
)

CAPTIONS = Path(__file__).parents[2] / "shared/data/crohme/offline.zip"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
# Elements that take so many others; the rest take any number.
CHILDREN = {
    "mfrac": 2,
    "mroot": 2,
    "msub": 2,
    "msup": 2,
    "munder": 2,
    "mover": 2,
    "msubsup": 3,
    "munderover": 3,
}
LEAVES = {"mi", "mn", "mo", "mtext", "mspace"}
GROUPS = {"math", "mrow", "msqrt", "mstyle", "mtable", "mtr", "mtd", "menclose", "mphantom", "mpadded"}


def content(text: str) -> str:
    """What stands in the `<math>` element of a formula."""
    return re.sub(r"</?math\b[^>]*>", "", to_mathml(tokenize(text)))


def text_of(element: ElementTree.Element) -> str:
    """All text of an element without what is invisible."""
    return "".join(element.itertext()).replace("\u2061", "")


def differing(tokens: Sequence[str], *marked: int) -> list[str]:
    """The text of each marked element, outer ones first."""
    root = ElementTree.fromstring(to_mathml(tokens, marked))
    return [text_of(element) for element in root.iter() if element.get("class") == "differs"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "<mi>x</mi>"),
        (r"\alpha \Delta", '<mi>α</mi><mi mathvariant="normal">Δ</mi>'),
        ("1 2 . 5 a", "<mn>12.5</mn><mi>a</mi>"),
        ("1 2 ^ 3 4", "<msup><mn>12</mn><mn>3</mn></msup><mn>4</mn>"),
        ("3 . a", '<mn>3</mn><mo lspace="0" rspace="0">.</mo><mi>a</mi>'),
        ("x ^ 2 _ 1", "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>"),
        ("_ n", "<msub><mrow/><mi>n</mi></msub>"),
        (r"\frac { a + b } 2", "<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac>"),
        (r"\frac { } x", "<mfrac><mrow></mrow><mi>x</mi></mfrac>"),
        (r"\sqrt x \sqrt [ 3 ] y", "<msqrt><mi>x</mi></msqrt><mroot><mi>y</mi><mn>3</mn></mroot>"),
        (r"a < b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
        (r"\hat x", '<mover accent="true"><mi>x</mi><mo stretchy="false">^</mo></mover>'),
        (r"\overset a =", "<mover><mo>=</mo><mi>a</mi></mover>"),
        (r"\overbrace x ^ n", '<mover><mover><mi>x</mi><mo stretchy="true">⏞</mo></mover><mi>n</mi></mover>'),
        (r"\boxed x", '<menclose notation="box"><mi>x</mi></menclose>'),
        (r"\textcircled { 1 2 }", "<mtext>⑫</mtext>"),
        (r"\text { i f ~ a }", "<mtext>if a</mtext>"),
        (r"\text { i f } x", '<mtext>if</mtext><mspace width="0.3333em"/><mi>x</mi>'),
        (r"( \text { 面 } x", '<mo stretchy="false">(</mo><mtext>面</mtext><mi>x</mi>'),
        ("面 积 S", "<mtext>面积</mtext><mi>S</mi>"),
        (r"\mathbb { R }", "<mi>ℝ</mi>"),
        (r"\mathrm { d } \mathrm { k g }", '<mi mathvariant="normal">d</mi><mi>kg</mi>'),
        (r"\not =", "<mo>≠</mo>"),
        (r"a \, b", '<mi>a</mi><mspace width="0.1667em"/><mi>b</mi>'),
        (r"\qux", "<mtext>\\qux</mtext>"),
        (r"x '", '<msup><mi>x</mi><mo lspace="0" rspace="0">′</mo></msup>'),
        (r"x ' ^ 2", '<msup><mi>x</mi><mrow><mo lspace="0" rspace="0">′</mo><mn>2</mn></mrow></msup>'),
        (r"x _ 1 '", '<msubsup><mi>x</mi><mn>1</mn><mo lspace="0" rspace="0">′</mo></msubsup>'),
        (r"\not D \not \equiv \not \Psi", "<mi>D̸</mi><mo>≢</mo><mi>Ψ̸</mi>"),
        (
            r"( \mod n )",
            '<mo stretchy="false">(</mo><mo form="prefix" lspace="0" rspace="0.3333em">mod</mo><mi>n</mi>'
            '<mo stretchy="false">)</mo>',
        ),
        (
            r"\begin{aligned} a = 1 \\ \Rightarrow b = 2 \\ c \end{aligned}",
            '<mtable columnalign="right left" columnspacing="0em" displaystyle="true">'
            + "".join(
                '<mtr><mtd style="text-align:right;padding-left:0;padding-right:0">' + left + "</mtd>"
                '<mtd style="text-align:left;padding-left:0;padding-right:0">' + right + "</mtd></mtr>"
                for left, right in (
                    ("<mi>a</mi>", "<mo>=</mo><mn>1</mn>"),
                    ("<mo>⇒</mo><mi>b</mi>", "<mo>=</mo><mn>2</mn>"),
                    ("", "<mi>c</mi>"),
                )
            )
            + "</mtable>",
        ),
        (r"\int \limits _ 0", "<munder><mo>∫</mo><mn>0</mn></munder>"),
        (r"\int _ 0 ^ 1", "<msubsup><mo>∫</mo><mn>0</mn><mn>1</mn></msubsup>"),
        (r"\sum _ i", "<munder><mo>∑</mo><mi>i</mi></munder>"),
        (r"\sum \limits ^ n", '<mover><mo movablelimits="false">∑</mo><mi>n</mi></mover>'),
        (r"\lim \limits _ x", "<munder><mi>lim</mi><mi>x</mi></munder>"),
        (
            r"\left ( x \right .",
            '<mrow><mo form="prefix" stretchy="true">(</mo><mi>x</mi></mrow>',
        ),
        (
            r"\begin{matrix} a & b \\ c \\ \end{matrix}",
            "<mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr>"
            "<mtr><mtd><mi>c</mi></mtd></mtr></mtable>",
        ),
        (
            r"\{ \begin{matrix} a \end{matrix} x",
            '<mo form="prefix" stretchy="true">{</mo><mtable><mtr><mtd><mi>a</mi></mtd></mtr></mtable>'
            "<mi>x</mi>",
        ),
        (
            r"| \begin{matrix} a \end{matrix} |",
            '<mo form="prefix" stretchy="true">|</mo><mtable><mtr><mtd><mi>a</mi></mtd></mtr></mtable>'
            '<mo form="postfix" stretchy="true">|</mo>',
        ),
        (
            r"\begin{array}{r|c} a & b \end{array}",
            '<mtable columnalign="right center" columnlines="solid"><mtr><mtd style="text-align:right">'
            '<mi>a</mi></mtd><mtd style="border-left:thin solid"><mi>b</mi></mtd></mtr></mtable>',
        ),
        (
            r"\begin{cases} x \end{cases}",
            '<mrow><mo form="prefix" stretchy="true">{</mo><mtable columnalign="left"><mtr>'
            '<mtd style="text-align:left"><mi>x</mi></mtd></mtr></mtable></mrow>',
        ),
    ],
)
def test_each_construct_has_the_elements_worked_out_by_hand(text: str, expected: str) -> None:
    """Letters, numbers, operators and every construct become the MathML written down here."""
    assert content(text) == expected


def spaced(text: str) -> str:
    """The formula's text with "_" where the printer puts space and "f" before a function's argument."""
    drawn = content(text).replace('<mspace width="0.1667em"/>', "_").replace("<mo>\u2061</mo>", "f")
    return re.sub("<[^>]*>", "", drawn)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\sin x", "sinf_x"),
        (r"\sin ( x )", "sinf(x)"),
        (r"\sin ^ { 2 } x", "sin2f_x"),
        (r"2 \sin x \cos y", "2_sinf_x_cosf_y"),
        (r"\sin + 1", "sin+1"),
        (r"a + \log _ { 2 } 8", "a+log2f_8"),
        (r"\frac { \sin } { x }", "sinx"),
        (r"\operatorname { a b } x", "abf_x"),
    ],
)
def test_functions_stand_off_as_in_tex(text: str, expected: str) -> None:
    """There is a thin space on either side of a function, but none next to operators and parentheses."""
    assert spaced(text) == expected


@pytest.mark.parametrize(
    ("text", "prefixes", "tight"),
    [
        ("a - b", 0, 0),
        ("- b", 1, 1),
        ("( - 1 )", 1, 1),
        ("a = - b", 1, 1),
        ("a - - b", 1, 1),
        ("| - 1 | - 1", 1, 3),  # and both bars
        (r"\sum - 1", 1, 1),
        ("a , - b", 1, 1),
        ("x ^ { 2 } - 1", 0, 0),
        (r"x \rightarrow 0 +", 0, 1),
        ("x ^ { + }", 0, 0),
    ],
)
def test_signs_before_operands_are_no_operators_between_them(text: str, prefixes: int, tight: int) -> None:
    """A sign without anything on its left is prefixed, and one without anything on a side has no space."""
    assert content(text).count('form="prefix"') == prefixes
    assert content(text).count('lspace="0" rspace="0"') == tight


def test_plain_brackets_keep_their_size_and_fences_grow() -> None:
    r"""`(` stays as it is round a fraction, `\left (` grows, `\big (` has its own height."""
    assert content("( [ |").count('stretchy="false"') == 3
    assert content(r"\left ( \right ]").count('stretchy="true"') == 2
    assert 'minsize="1.2em" maxsize="1.2em"' in content(r"\big (")


def test_limits_move_to_the_side_within_text_unless_told_otherwise() -> None:
    r"""`\lim` can move its subscript, `\lim \limits` and `\sum \limits` cannot; within text says so."""
    assert 'movablelimits="true"' in content(r"\lim _ x")
    assert 'movablelimits="true"' not in content(r"\lim \limits _ x")
    assert 'movablelimits="false"' in content(r"\sum \limits _ x")
    assert 'display="inline"' in to_mathml(["x"], display=False)
    assert 'display="block"' in to_mathml(["x"])


@pytest.mark.parametrize("name", sorted(ARITY))
def test_every_command_of_the_grammar_is_known(name: str) -> None:
    """No command with arguments is shown by its name, and each keeps the text of its last argument."""
    letters = [chr(ord("p") + number) for number in range(ARITY[name])]

    text = name + "".join(f"{{{letter}}}" for letter in letters)
    drawn = ElementTree.fromstring(to_mathml(tokenize(text)))

    normal = unicodedata.normalize("NFKC", text_of(drawn))
    assert "\\" not in normal
    assert all(letter in normal for letter in letters)


@pytest.mark.parametrize(
    "token", sorted(DELIMITERS | {name for name in LIMIT_OPERATORS if name not in ARITY})
)
def test_every_delimiter_and_operator_of_the_grammar_is_known(token: str) -> None:
    """What may follow `\\left`, and what may carry `\\limits`, is shown by a character, or not at all."""
    text = f"\\left {token} \\right ." if token in DELIMITERS else f"{token} \\limits"

    drawn = text_of(ElementTree.fromstring(to_mathml(tokenize(text))))

    assert (drawn == "") == (token == ".")
    assert "\\" not in drawn or token == r"\backslash"


def test_letters_are_those_of_their_unicode_names() -> None:
    """`\\alpha` is GREEK SMALL LETTER ALPHA, `\\Delta` GREEK CAPITAL LETTER DELTA, and so on."""
    variants = {"epsilon": "ϵ", "phi": "ϕ"}  # their plain names are those of variants in Unicode
    for table, case in ((IDENTIFIERS, "SMALL"), (UPRIGHT_IDENTIFIERS, "CAPITAL")):
        for token, char in table.items():
            name = unicodedata.name(char, "").replace("LAMDA", "LAMBDA")
            if name.startswith(f"GREEK {case} LETTER ") and len(token) > 1 and not token.startswith("\\var"):
                assert name.split()[-1] == token[1:].upper()
    assert {name: IDENTIFIERS["\\" + name] for name in variants} == variants


def test_no_symbol_is_in_two_tables() -> None:
    """A token has one meaning."""
    tables = (FUNCTIONS, IDENTIFIERS, OPERATORS, SPACES, UPRIGHT_IDENTIFIERS)

    assert sum(len(table) for table in tables) == len(set().union(*tables))


@pytest.mark.parametrize(
    ("alphabet", "name"),
    [
        (r"\mathbb", "DOUBLE-STRUCK"),
        (r"\mathcal", "SCRIPT"),
        (r"\mathfrak", "FRAKTUR|BLACK-LETTER"),
        (r"\mathbf", "BOLD"),
        (r"\boldsymbol", "BOLD ITALIC|BOLD DIGIT"),
        (r"\mathsf", "SANS-SERIF"),
        (r"\mathtt", "MONOSPACE"),
    ],
)
def test_alphabets_hold_the_same_letters_in_another_form(alphabet: str, name: str) -> None:
    """Unicode's compatibility form of each letter and digit is the plain one, and its name says the form."""
    for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789":
        styled = in_alphabet(char, alphabet)
        assert unicodedata.normalize("NFKC", styled) == char
        assert styled == char or re.search(name, unicodedata.name(styled))
    assert in_alphabet("R", alphabet) != "R"
    assert in_alphabet("+", alphabet) == "+"


def test_bold_greek_has_its_letters() -> None:
    """Every Greek letter is its own bold form's compatibility form."""
    for char in "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρςστυφχψω":
        assert unicodedata.normalize("NFKC", in_alphabet(char, r"\boldsymbol")) == char


@pytest.mark.parametrize("text", ["x ^", r"\frac a", "a & b", "{ x"])
def test_malformed_tokens_are_an_error(text: str) -> None:
    """What does not parse is refused as the parser refuses it."""
    with pytest.raises(LatexError, match="Malformed LaTeX"):
        to_mathml(text.split())


@pytest.mark.parametrize("token", ["<", '"', "\x00", "\ud800", "\ufffe", "<b>", "&amp;", "]]>"])
def test_any_token_gives_well_formed_xml(token: str) -> None:
    """Characters that mean something to XML or may not stand in it come out as text."""
    for tokens in ([token], [r"\text", "{", token, "}"], [r"\mathbf", "{", token, "}"]):
        root = ElementTree.fromstring(to_mathml(tokens).encode())
        assert len(list(root.iter())) == 2
        assert text_of(root) in (token, "\ufffd")


LETTERS = "abcdeghjklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
WRAPPERS = [r"\sqrt", r"\hat", r"\overline", r"\underbrace", r"\boxed", r"\mathbin", r"\text", r"\underline"]
PAIRS = [r"\frac", r"\binom", r"\overset", r"\underset", r"\tfrac"]


def random_node(random: Random, depth: int) -> Node:
    """A construct round others, down to symbols."""
    if depth == 0:
        return Symbol("?")

    def row() -> Row:
        return Row(tuple(random_node(random, random.randrange(depth)) for _ in range(random.randint(1, 2))))

    match random.randrange(9):
        case 0:
            return Command(random.choice(WRAPPERS), (row(),))
        case 1:
            return Command(random.choice(PAIRS), (row(), row()))
        case 2:
            return Command(r"\sqrt", (row(),), row())
        case 3:
            return Script(Symbol("?"), row(), None)
        case 4:
            return Script(Group(row()), row(), row())
        case 5:
            return Script(Symbol(r"\sum"), row(), row(), limits=True)
        case 6:
            return Fence("(", row(), ".")
        case 7:
            name = random.choice(["matrix", "cases", "aligned"])
            return Environment(name, ((row(), row()), (row(),)))
        case _:
            return Group(row())


@st.composite
def formulas(draw: st.DrawFn) -> list[str]:
    """Tokens of a random tree; its letters differ, unless there are very many."""
    random = Random(draw(st.integers(0, 2**32)))
    items = [random_node(random, random.randrange(4)) for _ in range(draw(st.integers(0, 4)))]
    letters = itertools.cycle(LETTERS)
    return [next(letters) if token == "?" else token for token in to_tokens(Row(tuple(items)))]


@given(formulas())
def test_every_formula_gives_elements_with_the_children_they_take(tokens: list[str]) -> None:
    """The XML parses, a fraction has two parts, and the letters come in an order with none lost."""
    root = ElementTree.fromstring(to_mathml(tokens))

    for element in root.iter():
        tag = element.tag.removeprefix(MATHML)
        if tag in LEAVES:
            assert len(element) == 0
        elif tag in CHILDREN:
            assert len(element) == CHILDREN[tag]
        else:
            assert tag in GROUPS
            assert not element.text
    letters = [token for token in tokens if token in LETTERS]
    assert sorted(char for char in text_of(root) if char in LETTERS) == sorted(letters)


@given(formulas(), st.data())
def test_a_marked_letter_is_the_one_marked_element(tokens: list[str], data: st.DataObject) -> None:
    """Marking any letters marks elements that hold these letters, and no others."""
    places = [place for place, token in enumerate(tokens) if token in LETTERS]
    marked = data.draw(st.sets(st.sampled_from(places)) if places else st.just(set()))

    found = differing(tokens, *marked)

    assert sorted("".join(found)) == sorted(tokens[place] for place in marked)


@given(formulas(), st.data())
def test_marks_change_nothing_but_marks(tokens: list[str], data: st.DataObject) -> None:
    """Without classes, and the rows and cuts they need, a marked formula reads as the unmarked one."""
    marked = data.draw(st.sets(st.integers(0, max(len(tokens) - 1, 0))))

    with_marks = ElementTree.fromstring(to_mathml(tokens, marked))

    assert text_of(with_marks) == text_of(ElementTree.fromstring(to_mathml(tokens)))


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        (r"\frac { a } { b }", 0, "ab"),  # the fraction, for its bar
        (r"\sqrt { a } b", 0, "a"),
        (r"\hat { a }", 0, "^"),
        (r"\xrightarrow { a }", 0, "→"),
        ("x ^ { a b }", 1, "ab"),
        ("x ^ { a b }", 2, "ab"),
        ("x ^ { a b }", 5, "ab"),
        ("x ^ 2 _ 1", 3, "1"),
        (r"\sum \limits _ { i }", 1, "∑"),
        (r"\frac { a } { b }", 4, "b"),
        (r"\sqrt [ 3 ] { a }", 1, "3"),
        ("{ a b } c", 0, "ab"),
        (r"\left ( a \right ]", 0, "("),
        (r"\left ( a \right ]", 3, "]"),
        (r"\begin{matrix} a & b \\ c \end{matrix}", 2, "b"),
        (r"\begin{matrix} a & b \\ c \end{matrix}", 4, "c"),
        (r"\begin{matrix} a & b \\ c \end{matrix}", 0, "abc"),
        (r"\begin{array} { l r } a & b \end{array}", 2, "ab"),
        ("1 2 3", 1, "2"),
        (r"\sin x", 0, "sin"),
        (r"\lim _ { x }", 0, "lim"),
        (r"\textcircled { 3 }", 2, "③"),
        (r"\text { i f } x", 3, "f"),
        (r"\text { i f } x", 1, "if"),
        (r"\mathbf { a } b", 0, "a"),
        ("1 2 ^ { 3 }", 1, "2"),
        (r"\not = b", 0, "≠"),
        ("x ' ^ { 2 }", 1, "′"),
        ("x ' ^ { 2 }", 4, "2"),
        (r"\begin{aligned} a = b \\ c = d \end{aligned}", 4, "c=d"),
    ],
)
def test_marks_fall_on_what_a_token_draws_or_governs(text: str, place: int, expected: str) -> None:
    """A token marks what it draws; one that only groups marks its script, argument, cell or line."""
    found = differing(tokenize(text), place)

    assert len(found) == 1
    assert unicodedata.normalize("NFKC", found[0]) == unicodedata.normalize("NFKC", expected)


def through_pandoc(formulas: Sequence[Sequence[str]]) -> list[list[str]]:
    """Formulas as MathML, read and written as LaTeX by Pandoc, brought into the dialect of captions."""
    paragraphs = "".join(f"<p>{to_mathml(tokens)}</p>" for tokens in formulas)
    done = subprocess.run(
        ["pandoc", "--from=html", "--to=json"], input=paragraphs, capture_output=True, text=True, check=True
    )
    blocks = json.loads(done.stdout)["blocks"]
    return [normalize(*(part["c"][1] for part in block["c"] if part["t"] == "Math")) for block in blocks]


needs_pandoc = pytest.mark.skipif(shutil.which("pandoc") is None, reason="pandoc is not installed")


@needs_pandoc
def test_pandoc_reads_back_what_was_written() -> None:
    """Another program's reading of the MathML, as LaTeX, is the formula that it came from."""
    texts = [
        r"x _ { 1 } ^ { 2 } + 1 2 . 5",
        r"\frac { - b \pm \sqrt { b ^ { 2 } - 4 a c } } { 2 a }",
        r"\sum \limits _ { i = 1 } ^ { n } i ^ { 3 } = \int \limits _ { 0 } ^ { \infty } e ^ { - x } d x",
        r"\lim \limits _ { x \rightarrow 0 } \frac { \sin x } { x } = 1",
        r"\sqrt [ 3 ] { x } \leq | - 2 | \neq \{ \alpha , \beta \}",
        r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}",
        r"\overline { A B } + \bar { x } + \hat { y } + \underline { z }",
        r"\mathbb { R } ^ { n } \cup \mathcal { L } \ldots \cdots",
    ]

    read = through_pandoc([text.split() for text in texts])

    for text, tokens in zip(texts, read, strict=True):
        # Pandoc ends every line of a table, the last one too.
        assert " ".join(tokens).replace(r"\\ \end", r"\end") == " ".join(normalize(text))


@needs_pandoc
@pytest.mark.skipif(not CAPTIONS.exists(), reason="the CROHME captions are not here")
def test_pandoc_reads_back_all_captions_of_crohme_2014() -> None:
    """Each of the 986 labels comes back token by token."""
    with zipfile.ZipFile(CAPTIONS) as archive:
        lines = archive.read("data/2014/caption.txt").decode().splitlines()
    captions = [line.split("\t")[1].split() for line in lines]

    assert through_pandoc(captions) == captions
