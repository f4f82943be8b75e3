r"""Formulas that together hold every token of configs/vocabulary.json that is written."""

from __future__ import annotations

import json
from pathlib import Path

VOCABULARY = Path(__file__).parents[1] / "configs" / "vocabulary.json"

_FORMULAS = r"""
0 + 1 - 2 . 5 * 3 / 4 = 6 7 8 9 < a > b
A B C D E F G H I J K L M N O P Q R S T U V W X Y Z
a b c d e f g h i j k l m n o p q r s t u v w x y z
\alpha \beta \gamma \delta \epsilon \varepsilon \zeta \eta \theta \vartheta \iota \kappa \lambda \mu \nu \xi
\pi \varpi \rho \varrho \sigma \varsigma \tau \upsilon \phi \varphi \chi \psi \omega
\Gamma \Delta \Theta \Lambda \Xi \Pi \Sigma \Upsilon \Phi \Psi \Omega
f ( x , y ) = [ a ; b ] \{ c : d \} | e | n ! ?
5 0 \% + \$ 3 \& \# 4 \_ @ x ~ y
x ^ { 2 } _ { 1 } + y _ { n } ^ { \prime }
\frac { a + b } { 2 } \sqrt { x } \sqrt [ 3 ] { x } \binom { n } { k }
\sum \limits _ { i = 1 } ^ { n } i \prod \limits _ { k } a _ { k } \coprod A
\int \limits _ { 0 } ^ { 1 } x d x \oint f \iint g \iiint h
\bigcup \limits _ { i } A \bigcap B \bigoplus C \bigotimes D \bigwedge p \bigvee q
\lim \limits _ { x \rightarrow 0 } \frac { \sin x } { x } \limsup a \liminf b
\cos x \tan x \cot x \sec x \csc x \arcsin x \arccos x \arctan x \sinh x \cosh x \tanh x \coth x
\log _ { 2 } x \ln x \lg x \exp x \max x \min x \sup x \inf x \det A \dim V \ker f \deg p \gcd ( a , b )
\arg z \Pr ( A ) \hom ( A , B ) a \mod b
\hat x \bar x \vec x \dot x \ddot x \tilde x \check x
\widehat { A B } \widetilde { A B } \overline { A B } \underline { A B } \overrightarrow { A B }
\overbrace { a + b } ^ { n } \underbrace { a + b } _ { n }
\mathbb { R } \mathcal { L } \boxed { x } \textcircled { 1 } \text { i f } x
\overset { a } { = } \underset { n } { b } \xrightarrow { a } \xlongequal { b }
a \equiv b \sim c \simeq d \approx e \cong f \propto g \doteq h \neq i
a \leq b \geq c \ll d \gg e \prec f \succ g \preceq h \succeq i
a \in A \subset B \supset C \subseteq D \supseteq E \subsetneq F \ni b \notin G
\forall x \exists y \nexists z \neg p \vdash q \Vdash r \models s \dashv t \top \perp
a \parallel b \triangleleft c \triangleright d \triangleq e \not = f
a \pm b \mp c \times d \div e \cdot f \star g \bullet h \circ i \dagger j \ddagger k
A \cap B \cup C \setminus D \sqcup E \oplus F \ominus G \otimes H \odot I \wedge J \vee K
a \rightarrow b \leftarrow c \leftrightarrow d \Rightarrow e \Leftarrow f \Leftrightarrow g \mapsto h
a \hookrightarrow b \rightharpoonup c \rightleftharpoons d \nearrow e \searrow f \uparrow g \downarrow h
\| x \| \langle a , b \rangle \lfloor x \rfloor \lceil x \rceil
\hbar \ell \Re \Im \wp \aleph \emptyset \imath \jmath \natural \square \checkmark \partial \nabla \infty
\therefore a \because b \angle A 3 0 ^ { \circ } 1 \ldots 2 \cdots 3 \vdots 4 \ddots
( \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix} )
\begin{aligned} x & = 1 \\ y & = 2 \end{aligned}
"""
FORMULAS: tuple[tuple[str, ...], ...] = tuple(tuple(line.split()) for line in _FORMULAS.strip().splitlines())


def written_tokens() -> frozenset[str]:
    """Every token of the vocabulary but the special ones."""
    return frozenset(json.loads(VOCABULARY.read_text(encoding="utf-8"))) - {"<pad>", "<sos>", "<eos>"}
