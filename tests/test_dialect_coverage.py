r"""Labels with every token of the dialect, and other collections' labels: written, read back, decoded."""

from __future__ import annotations

import lzma
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from inktex.decoding.grammar import Grammar
from inktex.errors import LatexError
from inktex.latex.normalize import normalize
from inktex.latex.readable import readable
from inktex.latex.tree import is_well_formed, parse, to_tokens
from inktex.latex.words import cut
from inktex.mathml import to_mathml
from inktex.metrics.layout_graph import layout_graph
from inktex.vocabulary import SPECIALS, Vocabulary

ROOT = Path(__file__).parents[1]
LISTS = ROOT.parent / "shared/data/labels"
VOCABULARY = Vocabulary.from_json((ROOT / "configs/vocabulary.json").read_text(encoding="utf-8"))
START, END = VOCABULARY.start_id, VOCABULARY.end_id

# Labels of the dialect, one a line.
LABELS = r"""
a b c d e f g h i j k l m n o p q r s t u v w x y z
A B C D E F G H I J K L M N O P Q R S T U V W X Y Z
0 1 2 3 4 5 6 7 8 9 . 5
a + b - c * d / e = f
x , y ; z : w . ?
n ! < m ! > k !
5 0 \% + \$ 3 \& \# 4 @
\_ + \_ = 7
\alpha + \beta - \gamma \delta \epsilon \varepsilon \zeta \eta
\theta \vartheta \iota \kappa \lambda \mu \nu \xi \pi \varpi
\rho \varrho \sigma \varsigma \tau \upsilon \phi \varphi \chi \psi \omega
\Gamma \Delta \Theta \Lambda \Xi \Pi \Sigma \Upsilon \Phi \Psi \Omega
\hat { x } \bar { y } \vec { v } \dot { q } \ddot { q } \tilde { u } \check { c }
\widehat { A B } \widetilde { x + y } \overline { a b } \underline { x }
\overrightarrow { A B } \overbrace { a + b } ^ { n } \underbrace { 1 + 1 } _ { 2 }
\hat { \mathbb { R } } _ { i } ^ { 2 } \bar { \imath } \vec { \jmath }
\mathbb { R } ^ { n } \subset \mathbb { C } ^ { n }
\mathcal { L } _ { \mathcal { X } } ( f )
a \equiv b \approx c \sim d \simeq e \cong f
a \propto b \doteq c \ll d \gg e
a \prec b \succ c \preceq d \succeq e
A \subset B \supset C \subseteq D \supseteq E \subsetneq F
x \in A \ni y \notin B
\exists x \nexists y \forall z \neg p
\Gamma \vdash p \Vdash q \models r \dashv \top
a \perp b \parallel c
a \triangleleft b \triangleright c \triangleq d
a \not \equiv b \not \subset c
i \not D \psi
a \leq b \geq c \neq d
a \pm b \mp c \times d \div e \cdot f
A \cap B \cup C \setminus D \sqcup E
a \oplus b \ominus c \otimes d \odot e
p \wedge q \vee r \star s \circ t \bullet u
A ^ { \dagger } B ^ { \ddagger } A ^ { \perp } A ^ { * }
\frac { \partial f } { \partial x } = \nabla f
\prod \limits _ { i = 1 } ^ { n } x _ { i } \coprod \limits _ { i } X _ { i }
\sum \limits _ { i = 1 } ^ { n } i + \sum \limits _ { i } + \sum x
\int \limits _ { 0 } ^ { 1 } f d x = \int f
\oint \limits _ { C } \iint \limits _ { D } \iiint \limits _ { V } f
\bigcup \limits _ { i } A _ { i } \bigcap \limits _ { i } B _ { i }
\bigoplus \limits _ { i } V _ { i } \bigotimes \limits ^ { n } V
\bigwedge \limits _ { i } p _ { i } \bigvee \limits _ { i } p _ { i }
a \leftarrow b \rightarrow c \leftrightarrow d
a \Leftarrow b \Rightarrow c \Leftrightarrow d
a \uparrow b \downarrow c \nearrow d \searrow e
f : x \mapsto y \hookrightarrow z
A \rightharpoonup B \rightleftharpoons C
( a ) [ b ] \{ c \} | d | \| e \|
\langle x , y \rangle + \lfloor x \rfloor - \lceil y \rceil
( 0 , 1 ] \cup [ 2 , 3 )
\{ x | x > 0 \}
P ( A | B ) = \| x - y \| _ { 2 }
\| \frac { a } { b } \| ^ { 2 } \leq | a | | b |
\hbar \ell \Re z \Im z \wp \aleph _ { 0 }
\emptyset \infty \angle A B C \because a \therefore b
1 , \ldots , n + \cdots \vdots \ddots
\natural \square + \checkmark
\sin x + \cos x + \tan x + \cot x + \sec x + \csc x
\arcsin x + \arccos x + \arctan x
\sinh x + \cosh x + \tanh x + \coth x
\log _ { 2 } x + \ln x + \lg x + \exp x
\lim \limits _ { x \rightarrow 0 } f ( x )
\limsup \limits _ { n } a _ { n } \geq \liminf \limits _ { n } a _ { n }
\max \limits _ { i } x _ { i } - \min \{ x \}
\sup \limits _ { x } f + \inf f
\det A + \dim V + \ker f + \deg p + \gcd ( a , b )
\arg z + \Pr ( X ) + \hom ( A , B )
\arg \max \limits _ { x } f ( x )
a \mod n
a \equiv b ( \mod n )
\frac { a + b } { \frac { c } { d } }
\sqrt { x } + \sqrt [ 3 ] { x + 1 }
\binom { n } { k } = \frac { n ! } { k ! ( n - k ) ! }
a \overset { ! } { = } b \underset { x } { \sim } c
\overset { d e f } { = } \underset { n } { \overset { k } { X } }
\textcircled { 1 } \boxed { x = 1 }
A \xrightarrow { f } B \xrightarrow [ b ] { a } C
x \xlongequal { y } z \xlongequal [ b ] { a } w
\text { i f } x > 0
x = 1 \text { f o r ~ a l l } y
\text { o t h e r w i s e }
2 \text { k g }
f ( x ) = \text { c o n s t . }
\begin{matrix} a & b \\ c & d \end{matrix}
( \begin{matrix} a & b \\ c & d \end{matrix} ) ^ { T }
[ \begin{matrix} 1 \\ 2 \end{matrix} ]
| \begin{matrix} a & b \\ c & d \end{matrix} | = a d - b c
\| \begin{matrix} a & b \end{matrix} \| _ { F }
\{ \begin{matrix} a & b \end{matrix} \}
f = \{ \begin{matrix} x & \text { i f } x > 0 \\ - x & \text { o t h e r w i s e } \end{matrix}
\{ \begin{matrix} x + y = 1 \\ x - y = 2 \end{matrix}
\{ \begin{matrix} a & b & c \\ d & e & f \end{matrix}
( \begin{matrix} a \\ b \\ c \end{matrix} )
( \begin{matrix} 1 & & 0 \\ & \ddots \\ 0 & \cdots & 1 \end{matrix} )
\begin{aligned} a = b \\ = c \end{aligned}
\begin{aligned} x + y = - 1 \\ \Rightarrow x = 2 \\ + 3 \end{aligned}
\begin{aligned} a \\ b \end{aligned}
\begin{aligned} f ( x ) : x > 0 \\ \therefore y \leq 1 \end{aligned}
\begin{aligned} ( \begin{matrix} 1 & 2 \end{matrix} ) = v \\ w = \sum \limits _ { i } x \end{aligned}
\sum \limits _ { \begin{matrix} i < n \\ j < m \end{matrix} } a _ { i j }
f ^ { \prime } ( x ) + f ^ { \prime \prime } + g ^ { \prime 2 } + h _ { 1 } ^ { \prime }
x _ { 1 } ^ { \prime n + 1 } y ^ { \prime \prime 2 }
x ^ { a \prime } + \sum \limits ^ { \prime } a
{ x ^ { a } } ^ { b }
^ { 4 } H e
_ { n } C _ { k }
9 0 ^ { \circ } + x ^ { * } + e ^ { i \pi }
a ^ { b ^ { c } } + a _ { b _ { c } }
x ^ { 2 } y ^ { 2 } z
2 ^ { \frac { 1 } { 2 } }
\frac { \sum \limits _ { i } x _ { i } } { \int \limits _ { 0 } ^ { 1 } f }
\sqrt { \sqrt { \sqrt { 2 } } }
- 1 + ( - 2 ) = \pm 3
\frac { d ^ { 2 } y } { d x ^ { 2 } } + \omega ^ { 2 } y = 0
1 , 0 0 0 , 0 0 0
1 \div 3 = 0 . \dot { 3 }
\{ 1 , 2 \} \times \{ a \}
| | x | - | y | |
f | _ { x = 0 }
| a | ^ { 2 } | b |
( a + b ) ^ { 2 } = a ^ { 2 } + 2 a b + b ^ { 2 }
x = \frac { - b \pm \sqrt { b ^ { 2 } - 4 a c } } { 2 a }
\lim \limits _ { n \rightarrow \infty } ( 1 + \frac { 1 } { n } ) ^ { n } = e
\int \limits _ { - \infty } ^ { \infty } e ^ { - x ^ { 2 } } d x = \sqrt { \pi }
\oint \limits _ { \partial S } \vec { B } \cdot d \vec { l }
\nabla \times \vec { E } = - \frac { \partial \vec { B } } { \partial t }
i \hbar \frac { \partial } { \partial t } | \psi \rangle = \hat { H } | \psi \rangle
\langle \phi | \hat { A } | \psi \rangle
H _ { 2 } + O _ { 2 } \xrightarrow { \Delta } H _ { 2 } O \uparrow
\Delta A B C \cong \Delta D E F
\angle A = 3 0 ^ { \circ }
A B \parallel C D , A B \perp E F
\overline { A B } = \overline { C D }
\forall \epsilon > 0 \exists \delta > 0 : | x - a | < \delta
A \cup B = \{ x | x \in A \vee x \in B \}
\neg ( p \wedge q ) \Leftrightarrow \neg p \vee \neg q
\widetilde { \tilde { f } } _ { n }
\widetilde { \tilde { x } }
\log _ { a } b = \frac { \ln b } { \ln a }
\sin ^ { 2 } x + \cos ^ { 2 } x = 1
\sin ^ { - 1 } x
\underbrace { \overbrace { a } ^ { b } } _ { c }
\boxed { \frac { a } { b } } + \underline { \underline { x } }
\textcircled { A } + \textcircled { 1 2 }
[ [ a ] ] + ( ( b ) )
a \rightarrow b \Rightarrow c \mapsto d
x \rightarrow 0 ^ { + }
\mathbb { 1 } _ { A }
\mathcal { O } ( n ^ { 2 } \log n )
""".strip().splitlines()

TAKEN: dict[str, float] = {"mathwriting_valid_16k": 98, "im2latex_val_8k": 93, "hme100k_train_75k": 99}


def refused(labels: Iterable[Sequence[str]], first: int, last: int) -> list[str]:
    """The labels that a search may not write where there is just room for them."""
    by_length: dict[int, list[Sequence[str]]] = defaultdict(list)
    for label in labels:
        by_length[len(label)].append(label)
    rules, found = Grammar(VOCABULARY), list[str]()
    for length, same in by_length.items():
        turned = [label if first == START else label[::-1] for label in same]
        written = np.array([[*VOCABULARY.encode(label), last] for label in turned])
        everyone = np.arange(len(same))
        writing, ok = rules.start(np.full(len(same), first), length + 1), np.full(len(same), True)
        for time in range(length + 1):
            ok &= writing.allowed()[everyone, written[:, time]]
            writing = writing.after(everyone, written[:, time])
        found += [" ".join(label) for label, fine in zip(same, ok, strict=True) if not fine]
    return found


def assert_round_trips(tokens: list[str]) -> None:
    """Readable LaTeX is read back as the same tokens, and MathML shows no command by its name."""
    text = readable(tokens)
    assert normalize(text) == tokens, text
    assert readable(cut(text)) == text
    root = ElementTree.fromstring(to_mathml(tokens))
    shown = [element.text or "" for element in root.iter() if element.tag.endswith("mtext")]
    assert not any("\\" in each for each in shown), shown
    assert layout_graph(tokens).symbols


@pytest.mark.parametrize("label", LABELS)
def test_a_label_of_the_dialect_is_its_own_form_and_survives(label: str) -> None:
    """Normalising leaves it, the parser and the printer agree on it, and both round trips keep it."""
    tokens = label.split()

    assert set(tokens) <= set(VOCABULARY.tokens)
    assert normalize(label) == tokens
    assert to_tokens(parse(tokens)) == tokens
    assert_round_trips(tokens)


def test_the_labels_hold_every_token() -> None:
    """No token of the vocabulary goes untested."""
    used = {token for label in LABELS for token in label.split()}

    assert set(VOCABULARY.tokens) - set(SPECIALS) == used


def test_the_page_names_every_token() -> None:
    """The tables of docs/dialect.md name all but letters, digits, and bars, which a table cannot hold."""
    page = (ROOT / "docs/dialect.md").read_text(encoding="utf-8")
    named = set(page[page.index("## Tokens") : page.index("## Spellings")].replace("`", " ").split())

    unnamed = {token for token in VOCABULARY.tokens[len(SPECIALS) :] if token.strip("|,.") not in named}

    assert {token for token in unnamed if not token.isalnum()} <= {"|", r"\|", ",", "."}


@pytest.mark.parametrize(("first", "last"), [(START, END), (END, START)], ids=["ahead", "back"])
def test_search_may_write_the_labels_in_either_direction(first: int, last: int) -> None:
    """Each label is allowed where there is just room for it."""
    assert refused([label.split() for label in LABELS], first, last) == []


def listed(name: str) -> list[str]:
    """The distinct labels of a list."""
    path = LISTS / f"{name}.txt.xz"
    if not path.exists():
        pytest.skip(f"the list of labels {path.name} is not at hand")
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return sorted({line.strip() for line in file if line.strip()})


@pytest.mark.parametrize("name", TAKEN)
def test_labels_of_other_collections_are_written(name: str) -> None:
    """A sample of each list is covered as far as the page says, and what is covered survives all of it."""
    labels = listed(name)
    sample = labels[:: max(1, len(labels) // 2_000)]
    known, written = set(VOCABULARY.tokens), []
    for label in sample:
        try:
            tokens = normalize(label)
        except LatexError:
            continue
        if known.issuperset(tokens):
            assert is_well_formed(tokens)
            assert_round_trips(tokens)
            written.append(tokens)

    assert len(written) >= len(sample) * (TAKEN[name] - 1) / 100
    for first, last in ((START, END), (END, START)):
        assert refused(written, first, last) == []
