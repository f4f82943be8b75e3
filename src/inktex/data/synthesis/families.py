r"""Symbols that can stand for one another in a label, and those that differ little on paper."""

from __future__ import annotations

_LETTERS = r"""
a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F G H I J K L M N O P Q R S T U V W X Y Z
\alpha \beta \gamma \delta \epsilon \varepsilon \zeta \eta \theta \vartheta \iota \kappa \lambda \mu \nu \xi
\pi \rho \sigma \tau \upsilon \phi \varphi \chi \psi \omega \Gamma \Delta \Theta \Lambda \Xi \Pi \Sigma
\Upsilon \Phi \Psi \Omega \ell \hbar \infty \partial \nabla
"""
_RELATIONS = r"""
= \neq < > \leq \geq \rightarrow \in \equiv \approx \sim \simeq \cong \propto \ll \gg \subset \subseteq
\supset \supseteq \notin \mapsto \Rightarrow \Leftrightarrow \leftarrow \leftrightarrow \perp \parallel \prec
\succ
"""
_FUNCTIONS = r"""
\sin \cos \tan \log \ln \exp \cot \sinh \cosh \tanh \arcsin \arccos \arctan \det \dim \ker
"""
_FAMILIES: tuple[str, ...] = (
    "0 1 2 3 4 5 6 7 8 9",
    _LETTERS,
    r"+ - \times \div \pm / \mp \cdot * \circ \oplus \ominus \otimes \odot \wedge \vee \cap \cup \setminus"
    r" \star",
    _RELATIONS,
    _FUNCTIONS,
    r"\lim \max \min \sup \inf",
    r"\sum \prod \bigcup \bigcap \bigoplus \bigotimes",
    r"\int \oint \iint",
    r"\hat \bar \vec \dot \ddot \tilde",
    r"\ldots \cdots",
)
_LOOKALIKES: tuple[str, ...] = (
    "o O 0",
    "9 g q",
    "2 z Z",
    "7 >",
    "5 S s",
    r"x X \chi",
    "y Y 4",
    "c C",
    r"k K \kappa",
    r"p P \rho",
    r"u U \mu",
    r"v V \nu",
    r"w W \omega",
    r"a \alpha \partial",
    r"B \beta",
    "l 1 I",
    r"E \epsilon \varepsilon",
    r"n \eta",
    r"t \tau",
    r"i \iota",
    r"\phi \varphi \psi",
    r"\xi \zeta",
    r"\Delta A",
    r"\theta \Theta",
    r"r \gamma",
    "h b",
    r"\in \epsilon",
    r"\cup U",
    r"\times x",
)

FAMILY: dict[str, tuple[str, ...]] = {
    token: tuple(family.split()) for family in _FAMILIES for token in family.split()
}
"""Of each symbol those that it may be renamed to: letters to letters, relations to relations."""
ALIKE: dict[str, tuple[str, ...]] = {
    token: tuple(other for other in group.split() if other != token)
    for group in reversed(_LOOKALIKES)
    for token in group.split()
}
"""Of each symbol those that look much like it: what tells them apart is size, place and neighbours."""
