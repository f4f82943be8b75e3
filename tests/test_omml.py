# ruff: noqa: RUF001  look-alikes are meant
"""LaTeX as Office Math: a table worked out by hand, the schema's order of elements, MathML beside it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest

from every_token import FORMULAS
from inktex.errors import LatexError
from inktex.latex.tree import tokenize
from inktex.mathml import to_mathml
from inktex.notations.omml import to_omml
from listed_labels import some_labels

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
# The children of each element in their order, as ECMA-376 (part 1, annex on shared-math.xsd) has them.
_MATH = "(r|f|rad|sSub|sSup|sSubSup|sPre|nary|func|d|m|eqArr|acc|bar|groupChr|borderBox|limLow|limUpp) "
_ARGUMENT = f"({_MATH})*"
CHILDREN = {
    **dict.fromkeys(["oMath", "e", "num", "den", "deg", "sub", "sup", "lim", "fName"], _ARGUMENT),
    "r": "(rPr )?t ",
    "rPr": "(nor |(scr )?(sty )?)",
    "f": "(fPr )?num den ",
    "fPr": "type ",
    "rad": "(radPr )?deg e ",
    "radPr": "degHide ",
    "sSub": "e sub ",
    "sSup": "e sup ",
    "sSubSup": "e sub sup ",
    "sPre": "sub sup e ",
    "nary": "naryPr sub sup e ",
    "naryPr": "chr limLoc (subHide )?(supHide )?",
    "func": "fName e ",
    "d": "dPr (e )+",
    "dPr": "begChr endChr ",
    "m": "mPr (mr )+",
    "mPr": "mcs ",
    "mcs": "mc ",
    "mc": "mcPr ",
    "mcPr": "count mcJc ",
    "mr": "(e )+",
    "eqArr": "(e )+",
    "acc": "accPr e ",
    "accPr": "chr ",
    "bar": "barPr e ",
    "barPr": "pos ",
    "groupChr": "groupChrPr e ",
    "groupChrPr": "chr pos vertJc ",
    "borderBox": "(borderBoxPr )?e ",
    "borderBoxPr": "hideTop hideBot hideLeft hideRight strikeBLTR ",
    "limLow": "e lim ",
    "limUpp": "e lim ",
}
EMPTY = {
    "t",
    "nor",
    "scr",
    "sty",
    "type",
    "degHide",
    "chr",
    "limLoc",
    "subHide",
    "supHide",
    "begChr",
    "endChr",
    "count",
    "mcJc",
    "pos",
    "vertJc",
    "hideTop",
    "hideBot",
    "hideLeft",
    "hideRight",
    "strikeBLTR",
}


def brief(text: str) -> str:
    """A formula in OMML without namespaces, plain runs as their characters."""
    xml = to_omml(tokenize(text))
    xml = re.sub(r"</?m:oMath[^>]*>|m:", "", xml)
    return re.sub(r"<r><t[^>]*>([^<]*)</t></r>", r"\1", xml)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + 1 2 . 5", "x+12.5"),
        ("a < b", "a&lt;b"),
        (r"\alpha \leq \infty", "α≤∞"),
        (r"\Delta", '<r><rPr><sty val="p"/></rPr><t>Δ</t></r>'),
        ("x ^ 2", "<sSup><e>x</e><sup>2</sup></sSup>"),
        ("x _ 1", "<sSub><e>x</e><sub>1</sub></sSub>"),
        ("x ^ 2 _ 1", "<sSubSup><e>x</e><sub>1</sub><sup>2</sup></sSubSup>"),
        ("f '", "<sSup><e>f</e><sup>′</sup></sSup>"),
        ("{ } _ n ^ k C", "<sPre><sub>n</sub><sup>k</sup><e>C</e></sPre>"),
        (r"\frac a { b + c }", "<f><num>a</num><den>b+c</den></f>"),
        (
            r"\binom n k",
            '<d><dPr><begChr val="("/><endChr val=")"/></dPr><e>'
            '<f><fPr><type val="noBar"/></fPr><num>n</num><den>k</den></f></e></d>',
        ),
        (r"\sqrt x", '<rad><radPr><degHide val="1"/></radPr><deg></deg><e>x</e></rad>'),
        (r"\sqrt [ 3 ] x", "<rad><deg>3</deg><e>x</e></rad>"),
        ("( a )", '<d><dPr><begChr val="("/><endChr val=")"/></dPr><e>a</e></d>'),
        ("[ a )", "[a)"),
        ("[ a , b )", '<d><dPr><begChr val="["/><endChr val=")"/></dPr><e>a,b</e></d>'),
        ("| a |", '<d><dPr><begChr val="|"/><endChr val="|"/></dPr><e>a</e></d>'),
        (r"\left. a \right|", '<d><dPr><begChr val=""/><endChr val="|"/></dPr><e>a</e></d>'),
        (r"\lfloor a \rfloor", '<d><dPr><begChr val="⌊"/><endChr val="⌋"/></dPr><e>a</e></d>'),
        (r"\langle a \rangle", '<d><dPr><begChr val="⟨"/><endChr val="⟩"/></dPr><e>a</e></d>'),
        (
            r"( a ) ^ 2",
            '<sSup><e><d><dPr><begChr val="("/><endChr val=")"/></dPr><e>a</e></d></e><sup>2</sup></sSup>',
        ),
        (
            r"\sum \limits _ { i = 1 } ^ { n } i + 1",
            '<nary><naryPr><chr val="∑"/><limLoc val="undOvr"/></naryPr>'
            "<sub>i=1</sub><sup>n</sup><e>i</e></nary>+1",
        ),
        (
            r"\int f d x = 2",
            '<nary><naryPr><chr val="∫"/><limLoc val="subSup"/><subHide val="1"/><supHide val="1"/></naryPr>'
            "<sub></sub><sup></sup><e>fdx</e></nary>=2",
        ),
        (
            r"\prod _ k a _ k b",
            '<nary><naryPr><chr val="∏"/><limLoc val="undOvr"/><supHide val="1"/></naryPr>'
            "<sub>k</sub><sup></sup><e><sSub><e>a</e><sub>k</sub></sSub>b</e></nary>",
        ),
        (
            r"\sin x y + 1",
            '<func><fName><r><rPr><sty val="p"/></rPr><t>sin</t></r></fName><e>xy</e></func>+1',
        ),
        (
            r"\sin ( x ) y",
            '<func><fName><r><rPr><sty val="p"/></rPr><t>sin</t></r></fName><e>'
            '<d><dPr><begChr val="("/><endChr val=")"/></dPr><e>x</e></d></e></func>y',
        ),
        (
            r"\log _ 2 8",
            '<func><fName><sSub><e><r><rPr><sty val="p"/></rPr><t>log</t></r></e><sub>2</sub></sSub></fName>'
            "<e>8</e></func>",
        ),
        (
            r"\lim \limits _ { x \rightarrow 0 } f",
            '<func><fName><limLow><e><r><rPr><sty val="p"/></rPr><t>lim</t></r></e><lim>x→0</lim></limLow>'
            "</fName><e>f</e></func>",
        ),
        (r"\hat x", '<acc><accPr><chr val="\u0302"/></accPr><e>x</e></acc>'),
        (r"\vec v", '<acc><accPr><chr val="\u20d7"/></accPr><e>v</e></acc>'),
        (r"\ddot x", '<acc><accPr><chr val="\u0308"/></accPr><e>x</e></acc>'),
        (r"\overline { A B }", '<bar><barPr><pos val="top"/></barPr><e>AB</e></bar>'),
        (r"\underline x", '<bar><barPr><pos val="bot"/></barPr><e>x</e></bar>'),
        (
            r"\overbrace x ^ n",
            '<limUpp><e><groupChr><groupChrPr><chr val="⏞"/><pos val="top"/><vertJc val="bot"/></groupChrPr>'
            "<e>x</e></groupChr></e><lim>n</lim></limUpp>",
        ),
        (
            r"\underbrace x _ n",
            '<limLow><e><groupChr><groupChrPr><chr val="⏟"/><pos val="bot"/><vertJc val="top"/></groupChrPr>'
            "<e>x</e></groupChr></e><lim>n</lim></limLow>",
        ),
        (r"\overset ! =", "<limUpp><e>=</e><lim>!</lim></limUpp>"),
        (r"\underset n x", "<limLow><e>x</e><lim>n</lim></limLow>"),
        (
            r"\xrightarrow a",
            '<groupChr><groupChrPr><chr val="→"/><pos val="bot"/><vertJc val="top"/></groupChrPr>'
            "<e>a</e></groupChr>",
        ),
        (r"\boxed x", "<borderBox><e>x</e></borderBox>"),
        (
            r"\cancel x",
            '<borderBox><borderBoxPr><hideTop val="1"/><hideBot val="1"/><hideLeft val="1"/>'
            '<hideRight val="1"/><strikeBLTR val="1"/></borderBoxPr><e>x</e></borderBox>',
        ),
        (r"\mathbb R", '<r><rPr><scr val="double-struck"/><sty val="p"/></rPr><t>R</t></r>'),
        (r"\mathcal L", '<r><rPr><scr val="script"/><sty val="p"/></rPr><t>L</t></r>'),
        (r"\mathbf x", '<r><rPr><sty val="b"/></rPr><t>x</t></r>'),
        (r"\mathrm { k g }", '<r><rPr><sty val="p"/></rPr><t>kg</t></r>'),
        (r"\text { i f ~ }", '<r><rPr><nor/></rPr><t xml:space="preserve">if </t></r>'),
        ("面 积", "<r><rPr><nor/></rPr><t>面积</t></r>"),
        (r"\textcircled { 1 }", "<r><rPr><nor/></rPr><t>①</t></r>"),
        (r"\textcircled <", "<borderBox><e><r><rPr><nor/></rPr><t>&lt;</t></r></e></borderBox>"),
        (r"\not = \not \in", "≠∉"),
        (r"1 \ldots n", "1…n"),
        (r"\therefore a \because b", "∴a∵b"),
        (r"a \equiv b", "a≡b"),
        (r"\forall x \exists y", "∀x∃y"),
        (r"3 0 ^ { \circ }", "<sSup><e>30</e><sup>∘</sup></sSup>"),
        (r"\% \& \#", "%&amp;#"),
        (r"\qux", '<r><rPr><sty val="p"/></rPr><t>\\qux</t></r>'),
        (
            r"\begin{matrix} 1 & 2 \\ 3 \end{matrix}",
            '<m><mPr><mcs><mc><mcPr><count val="2"/><mcJc val="center"/></mcPr></mc></mcs></mPr>'
            "<mr><e>1</e><e>2</e></mr><mr><e>3</e><e></e></mr></m>",
        ),
        (
            r"[ \begin{matrix} 1 \end{matrix} ]",
            '<d><dPr><begChr val="["/><endChr val="]"/></dPr><e>'
            '<m><mPr><mcs><mc><mcPr><count val="1"/><mcJc val="center"/></mcPr></mc></mcs></mPr>'
            "<mr><e>1</e></mr></m></e></d>",
        ),
        (
            r"\{ \begin{matrix} x & a \\ y & b \end{matrix}",
            '<d><dPr><begChr val="{"/><endChr val=""/></dPr><e>'
            '<m><mPr><mcs><mc><mcPr><count val="2"/><mcJc val="left"/></mcPr></mc></mcs></mPr>'
            "<mr><e>x</e><e>a</e></mr><mr><e>y</e><e>b</e></mr></m></e></d>",
        ),
        (r"\begin{aligned} x = 1 \\ y = 2 \end{aligned}", "<eqArr><e>x&amp;=1</e><e>y&amp;=2</e></eqArr>"),
    ],
)
def test_formulas_by_hand(text: str, expected: str) -> None:
    """Each construct of LaTeX is the element that Word itself writes for it."""
    assert brief(text) == expected


def misplaced(root: ElementTree.Element) -> list[str]:
    """Elements whose children are not those of the schema, in its order."""
    found = []
    for node in root.iter():
        tag = node.tag.removeprefix(M)
        children = "".join(f"{child.tag.removeprefix(M)} " for child in node)
        if not re.fullmatch(CHILDREN.get(tag, "" if tag in EMPTY else "never"), children):
            found.append(f"{tag}: {children}")
    return found


def characters(root: ElementTree.Element) -> Counter[str]:
    """The characters of a formula in OMML, with those that are attributes."""
    text = "".join("".join(node.itertext()) for node in root.iter(f"{M}t")).replace("&", "")
    signs = "".join(
        node.get(f"{M}val", "") for tag in ("chr", "begChr", "endChr") for node in root.iter(M + tag)
    )
    return plain(text + signs)


def plain(text: str) -> Counter[str]:
    """Characters without space, accents and alphabets."""
    text = unicodedata.normalize("NFKD", text).translate(str.maketrans("-*", "−∗"))
    return Counter(char for char in text if not (char.isspace() or unicodedata.combining(char)))


@pytest.mark.parametrize("listed", [False, True])
def test_word_draws_what_mathml_draws(listed: bool) -> None:
    """Elements stand where the schema has them, and hold the characters that our MathML holds."""
    formulas: Sequence[Sequence[str]] = some_labels(300, seed=30) if listed else FORMULAS
    invisible = "\u2061\u200b‾^~→˙¨ˇ´`˘˚"
    for tokens in formulas:
        root = ElementTree.fromstring(to_omml(tokens))
        mathml = "".join(ElementTree.fromstring(to_mathml(tokens)).itertext())
        difference = characters(root)
        difference.subtract(plain(mathml.replace("&", "")))

        assert not misplaced(root), tokens
        assert not {char for char, count in difference.items() if count and char not in invisible}, tokens


def test_malformed_tokens_are_refused() -> None:
    """What does not parse has no OMML."""
    with pytest.raises(LatexError, match="Malformed"):
        to_omml(["{", "x"])
