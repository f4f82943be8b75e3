# ruff: noqa: RUF001  look-alikes are meant
import html
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.errors import LatexError
from inktex.latex.normalize import normalize

CROHME = Path(__file__).parents[2] / "shared/data/crohme"
needs_crohme = pytest.mark.skipif(not CROHME.exists(), reason="the CROHME archives are not at hand")

# Raw truth -> label, by hand.
PAIRS = [
    ("$x$", "x"),
    (r"\frac12", r"\frac { 1 } { 2 }"),
    (r"\frac {\sqrt x} 2 d x", r"\frac { \sqrt { x } } { 2 } d x"),
    (r"\sqrt[3]x", r"\sqrt [ 3 ] { x }"),
    (r"$x^2_1$", "x _ { 1 } ^ { 2 }"),
    (r"{x_1}^2 {y^2}_1", "x _ { 1 } ^ { 2 } y _ { 1 } ^ { 2 }"),
    (r"{ { a } - { \mbox { b } } }", "a - b"),
    (r"\left\lbrack a \right] \left. b \right|", "[ a ] b |"),
    (r"\Bigg( \lbrace a \rbrace \Bigg)", r"( \{ a \} )"),
    (r"I_\mathrm{S} = 1\,2\!\ 3\quad 4 \;", "I _ { S } = 1 2 3 4"),
    (r"a\lt b\gtN \ltimes", r"a < b > N \ltimes"),
    (r"a \to b \le c \ge d \ne \dots", r"a \rightarrow b \leq c \geq d \neq \ldots"),
    (r"|x \parallel y|", r"| x \parallel y |"),
    (r"\sum_{i=1}^n i", r"\sum \limits _ { i = 1 } ^ { n } i"),
    (r"\int^{b}_a f + \int g", r"\int \limits _ { a } ^ { b } f + \int g"),
    (r"\lim_{x \to 0} \sum x", r"\lim \limits _ { x \rightarrow 0 } \sum x"),
    (r"\sum\nolimits_i", r"\sum \limits _ { i }"),
    (r"\mathop{\int}\limits_0", r"\int \limits _ { 0 }"),
    (r"f' + x^{'} + {'}", r"f ^ { \prime } + x ^ { \prime } + \prime"),
    (r"f''_1 g'^2 h'^{n+1}", r"f _ { 1 } ^ { \prime \prime } g ^ { \prime 2 } h ^ { \prime n + 1 }"),
    (r"{y^{\prime}}^2", r"y ^ { \prime 2 }"),
    (r"{x^a}^b", "{ x ^ { a } } ^ { b }"),
    ("1, 000 _ {}, 000 ^ {}", "1 , 0 0 0 , 0 0 0"),
]


# Spellings of what looks alike, and their one form; by the part of the dialect that decides.
SPELLINGS = r"""
# relations
a \leqslant b \leqq c \geqq d  =>  a \leq b \leq c \geq d
\bot \varpropto \mid \nmid  =>  \perp \propto | \not |
\not= \not\in \not\exists \not\equiv  =>  \neq \notin \nexists \not \equiv
\nleq \nsubseteq \nparallel  =>  \not \leq \not \subseteq \not \parallel
# arrows
\gets \longrightarrow \Longrightarrow \implies  =>  \leftarrow \rightarrow \Rightarrow \Rightarrow
\iff \impliedby \longmapsto  =>  \Leftrightarrow \Leftarrow \mapsto
\xrightarrow{} \xlongequal{} \xrightarrow[a]{b}  =>  \rightarrow = \xrightarrow [ a ] { b }
# operators and signs
\land \lor \lnot \dag \ddag  =>  \wedge \vee \neg \dagger \ddagger
\ast \colon \slash \backslash \cdotp  =>  * : / \setminus \cdot
\triangle \vartriangle \bigtriangleup \Box  =>  \Delta \Delta \Delta \square
\varnothing \hslash \dotsc \dotsb  =>  \emptyset \hbar \ldots \cdots
90^\degree 90° 90^{°}  =>  9 0 ^ { \circ } 9 0 ^ { \circ } 9 0 ^ { \circ }
50% 12 √  =>  5 0 \% 1 2 \checkmark
# delimiters
\Vert x \rVert \| y \parallel + z  =>  \| x \| \| y \| + z
x \| y  =>  x \parallel y
\parallel x \parallel_2  =>  \| x \| _ { 2 }
\frac{\parallel x \parallel}{a \| b}  =>  \frac { \| x \| } { a \parallel b }
\left< x \middle| y \right>  =>  \langle x | y \rangle
\bigl( x \bigr) \lvert y \rvert  =>  ( x ) | y |
# letters
\mathbf{v} {\bf w} \boldsymbol{u} \mathfrak{g} \mathit{k}  =>  v w u g k
\R \Bbb Z \mathds{N} ℂ \mathbb{RP}^2
    =>  \mathbb { R } \mathbb { Z } \mathbb { N } \mathbb { C } \mathbb { R } \mathbb { P } ^ { 2 }
\mathscr{L} {\cal AB} c \mathcal{F}_1
    =>  \mathcal { L } \mathcal { A } \mathcal { B } c \mathcal { F } _ { 1 }
{\cal L_X + e^{iS}}  =>  \mathcal { L } _ { \mathcal { X } } + e ^ { i \mathcal { S } }
\upalpha \mathrm{\Delta} \varGamma \omicron  =>  \alpha \Delta \Gamma o
# functions
\operatorname{sin}x \mathrm{ln}y {\rm det}A \text{max}  =>  \sin x \ln y \det A \max
\operatorname*{lim}_{x} \operatorname*{argmax}_x f  =>  \lim \limits _ { x } \arg \max \limits _ { x } f
\operatorname{tr} A \mathrm{Im} z  =>  t r A I m z
\bmod a \pmod{n}  =>  \mod a ( \mod n )
\underset{x}{\max} \overset{n}{\underset{i}{\sum}}  =>  \max \limits _ { x } \sum \limits _ { i } ^ { n }
\mathop{A}\limits_x \det\limits^n  =>  \underset { x } { A } \overset { n } { \det }
\bigcup_i \prod\nolimits_j  =>  \bigcup \limits _ { i } \prod \limits _ { j }
# accents
\hat{ab} \widehat{x} \overline z \vec{AB}
    =>  \widehat { a b } \hat { x } \bar { z } \overrightarrow { A B }
\widetilde{\mathbb{R}} \bar{x_1} \tilde{\tilde x}
    =>  \tilde { \mathbb { R } } \overline { x _ { 1 } } \widetilde { \tilde { x } }
\overset{\to}{a} \overarc{AB} \stackrel{!}{=}  =>  \vec { a } \widehat { A B } \overset { ! } { = }
# texts
x \text{ if } y \mbox{for all }n  =>  x \text { i f } y \text { f o r ~ a l l } n
\text { i f ~ x } \mathrm { ~ f o r ~ }  =>  \text { i f ~ x } \text { f o r }
\text{a} \textrm{12} \textit{x + y} \mathrm{for}  =>  a 1 2 x + y f o r
\text{where $x_1$ is in A}  =>  \text { w h e r e } x _ { 1 } \text { i s ~ i n ~ A }
\text{\bf so}\ \text{in\ cm}  =>  \text { s o } \text { i n ~ c m }
# fractions
a \over b  =>  \frac { a } { b }
\left( 1 \over x \right)^2 {n \choose k}  =>  ( \frac { 1 } { x } ) ^ { 2 } \binom { n } { k }
{a \atop b} \dfrac12 \tbinom nk \cfrac{1}{2}
    =>  \begin{matrix} a \\ b \end{matrix} \frac { 1 } { 2 } \binom { n } { k } \frac { 1 } { 2 }
\root 3 \of x \buildrel a \over = b  =>  \sqrt [ 3 ] { x } \overset { a } { = } b
# matrices
\begin{pmatrix} a & b \\ c & d \\ \end{pmatrix}  =>  ( \begin{matrix} a & b \\ c & d \end{matrix} )
\left[ \begin{array}{c|c} 1 & \\[2pt] \hline 3 & 4 \end{array} \right]
    =>  [ \begin{matrix} 1 \\ 3 & 4 \end{matrix} ]
\begin{cases} x & \text{if } y \\ 0 \end{cases}
    =>  \{ \begin{matrix} x & \text { i f } y \\ 0 \end{matrix}
\begin{Vmatrix} 1 & 2 \end{Vmatrix}  =>  \| \begin{matrix} 1 & 2 \end{matrix} \|
\begin{pmatrix} n \\ k \end{pmatrix}^2  =>  \binom { n } { k } ^ { 2 }
\sum_{\substack{i<n \\ j}}  =>  \sum \limits _ { \begin{matrix} i < n \\ j \end{matrix} }
\begin{matrix} x \end{matrix} + \begin{matrix} & \end{matrix} 1  =>  x + 1
# lines
\begin{align*} a &= b \\ &= c \end{align*}  =>  \begin{aligned} a = b \\ = c \end{aligned}
\begin{eqnarray} a &=& b, \nonumber \\ c &=& d \end{eqnarray}
    =>  \begin{aligned} a = b , \\ c = d \end{aligned}
a = b \\ c = d  =>  \begin{aligned} a = b \\ c = d \end{aligned}
\begin{gather} a \end{gather}  =>  a
# scripts
x'^2 x'_1{}^2 x_1{}_2  =>  x ^ { \prime 2 } x _ { 1 } ^ { \prime 2 } x _ { 1 2 }
R^a{}_b{}^c {}^4He  =>  R _ { b } ^ { a c 4 } H e
x\sp2 y\sb{i} z^{^{*}}  =>  x ^ { 2 } y _ { i } z ^ { * }
# space
a \hspace{1 cm} b \kern 1pt c \phantom{xx} d \label{eq}  =>  a b c d
\displaystyle \left. a \right| \bigg  =>  a |
# characters
x²+y₁−½ ∑ ≤ ∞ α  =>  x ^ { 2 } + y _ { 1 } - \frac { 1 } { 2 } \sum \leq \infty \alpha
（１，ｘ）、ℝ。  =>  ( 1 , x ) , \mathbb { R } .
√x → ¬∃ ‖a‖  =>  \sqrt { x } \rightarrow \neg \exists \| a \|
"""
PAIRS += [
    (typed.strip(), label)
    for typed, label in re.findall(r"^([^#\n].*?)\s+=>  (.*)$", SPELLINGS, re.MULTILINE)
]


@pytest.mark.parametrize(("truth", "label"), PAIRS)
def test_raw_truth_becomes_the_label_of_the_dialect(truth: str, label: str) -> None:
    """Each rule gives the label written by hand, and a label is left as it is."""
    assert " ".join(normalize(truth)) == label
    assert " ".join(normalize(label)) == label


NO_FORMULAS = ["", "$ $", "{ x", "x }", r"\frac {1}", "x^1^2", "f'^", r"x \limits _ 1", "a \\"]
FOREIGN = [r"\sqrt {x} ABOVE {n}", r"\vtop {\hbox {\sqrt {}} \hbox {3}}"]


@pytest.mark.parametrize("truth", [*NO_FORMULAS, *FOREIGN, "{" * 1000])
def test_what_is_no_formula_is_refused(truth: str) -> None:
    """Empty, malformed and foreign annotations raise a LatexError when there is no MathML."""
    with pytest.raises(LatexError):
        normalize(truth)


MATHML = """<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>
  <munder><mi xml:id="0:1:">\\lim</mi><mrow><mi>x</mi><mrow><mo>rarr</mo><mi>infin</mi></mrow></mrow></munder>
  <mroot><mn>8</mn><mn>3</mn></mroot>
  <msup><msub><mo>\\int</mo><mn>0</mn></msub><mi xml:id="x:1'">\\pi</mi></msup>
  <mfrac><msqrt><mi>a</mi><mo>+</mo><mi>b</mi></msqrt><msubsup><mi>y</mi><mi>i</mi><mo>prime</mo></msubsup></mfrac>
</mrow></math>"""
MATHML_LABEL = (
    r"\lim \limits _ { x \rightarrow \infty } \sqrt [ 3 ] { 8 } \int \limits _ { 0 } ^ { \pi } "
    r"\frac { \sqrt { a + b } } { y _ { i } ^ { \prime } }"
)


@pytest.mark.parametrize("truth", ["", r"\lim \limits _ {x}} 8", r"\sqrt {8} ABOVE {3}", "lim _ x 8"])
def test_mathml_stands_in_for_an_annotation_that_is_not_latex(truth: str) -> None:
    """Where the annotation is empty, malformed, foreign or spells `lim`, the label is the MathML's."""
    assert " ".join(normalize(truth, MATHML)) == MATHML_LABEL


def test_a_sound_annotation_goes_before_the_mathml() -> None:
    """The annotation decides where it is LaTeX; letters stay letters where the MathML has letters too."""
    letters = "<math><msub><mi>a</mi><mrow><mi>t</mi><mi>a</mi><mi>n</mi></mrow></msub></math>"

    assert normalize("$x - y$", MATHML) == ["x", "-", "y"]
    assert normalize(r"$sinc \sin x$", "<math><mi>sin</mi><mi>x</mi></math>")[:5] == [*"sinc", r"\sin"]
    assert normalize("$a_{tan}$", letters) == ["a", "_", "{", "t", "a", "n", "}"]


@pytest.mark.parametrize(
    "mathml",
    [
        "",
        "no XML",
        "<math>",
        "<math><mtable><mtr/></mtable></math>",
        "<math><mfrac><mi>x</mi></mfrac></math>",
        '<!DOCTYPE m [<!ENTITY e SYSTEM "file:///etc/hostname">]><math>&e;</math>',
        "<mrow>" * 100_000,
    ],
)
def test_unusable_mathml_is_ignored(mathml: str) -> None:
    """MathML that cannot be read changes nothing: no entity is followed, no stack exhausted."""
    assert normalize("x_1", mathml) == ["x", "_", "{", "1", "}"]
    with pytest.raises(LatexError):
        normalize("{", mathml)


ALPHABET = (
    r"x 2 { } { } _ ^ ' [ ] \frac \sqrt \sum \int \limits \left \right ( ) . \mathrm \to \ltx $ \, \| & \\ "
    r"\begin{array} \end{array} \begin{cases} \end{cases} \begin{align*} \end{align*} \prime \text ~ \over "
    r"\cal L \hat \overline \vec \overset \mathbb \not = \pmod \mathop \xrightarrow \substack ° \rm \hspace"
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(ALPHABET.split()), max_size=14))
def test_normalising_twice_changes_nothing(tokens: list[str]) -> None:
    """Any input is refused with a LatexError or becomes a label that is its own normal form."""
    try:
        label = normalize(" ".join(tokens))
    except LatexError:
        return
    assert normalize(" ".join(label)) == label


def captions(split: str) -> dict[str, str]:
    """File stem -> official caption."""
    with zipfile.ZipFile(CROHME / "offline.zip") as archive:
        lines = archive.read(f"data/{split}/caption.txt").decode().splitlines()
    return dict(line.split("\t", 1) for line in lines if line.strip())


def annotations(name: str) -> dict[str, tuple[str, str | None]]:
    """File stem -> truth and MathML, cut out of the InkML text without an XML parser."""
    found = {}
    with zipfile.ZipFile(CROHME / name) as archive:
        for member in archive.namelist():
            text = archive.read(member).decode(errors="replace") if member.endswith(".inkml") else ""
            if truth := re.search(r'<annotation type="truth">(.*?)</annotation>', text, re.DOTALL):
                math = re.search(r"<math\b.*?</math>", text, re.DOTALL)
                found[Path(member).stem] = (html.unescape(truth[1]), math[0] if math else None)
    return found


@needs_crohme
@pytest.mark.parametrize("split", ["train", "2014"])
def test_official_captions_are_their_own_normal_form(split: str) -> None:
    """Normalising a caption gives the caption, token for token."""
    labels = [caption.split() for caption in captions(split).values()]

    assert [normalize(" ".join(label)) for label in labels] == labels


@needs_crohme
@pytest.mark.parametrize(("archive", "split"), [("inkml_train.zip", "train"), ("inkml_test2014.zip", "2014")])
def test_normalised_ink_labels_are_the_official_captions(archive: str, split: str) -> None:
    """At most one label in five hundred differs from the official caption."""
    official, found = captions(split), annotations(archive)
    different = [name for name, caption in official.items() if " ".join(normalize(*found[name])) != caption]

    assert len(different) <= len(official) / 500


@needs_crohme
@pytest.mark.parametrize("archive", ["inkml_test2012.zip", "inkml_test2013.zip"])
def test_labels_without_captions_keep_to_the_tokens_of_the_captions(archive: str) -> None:
    """Every label of the years without captions is made of tokens of the training captions."""
    known = {token for caption in captions("train").values() for token in caption.split()}
    used = {token for found in annotations(archive).values() for token in normalize(*found)}

    assert used <= known
