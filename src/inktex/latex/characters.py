r"""Characters of Unicode that stand for LaTeX: `≤` for `\leq`, `²` for a superscript; plain data."""

# ruff: noqa: RUF001  what looks like another character is the point of these tables

import re
import unicodedata

# Greek letters: name and character in turn.
_GREEK = """
alpha α beta β gamma γ delta δ epsilon ϵ zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ pi π
rho ρ sigma σ tau τ upsilon υ phi ϕ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ
Upsilon Υ Phi Φ Psi Ψ Omega Ω varepsilon ε vartheta ϑ varpi ϖ varrho ϱ varsigma ς varphi φ
"""
# Character and command without its backslash, or the sign, in turn.
_SIGNS = """
− - – - — - － - × times ÷ div · cdot ⋅ cdot ∙ cdot • bullet ∗ * ∘ circ ○ circ 〇 circ ± pm ∓ mp ⋆ star ★ star
≤ leq ≥ geq ⩽ leq ⩾ geq ≦ leq ≧ geq ≠ neq ≡ equiv ≈ approx ∼ sim ～ sim ≃ simeq ≅ cong ∝ propto ≐ doteq
≜ triangleq ≪ ll ≫ gg ≺ prec ≻ succ ⪯ preceq ⪰ succeq ∶ : ∈ in ∋ ni ∉ notin
⊂ subset ⊃ supset ⊆ subseteq ⊇ supseteq ⊊ subsetneq ∪ cup ∩ cap ⊔ sqcup ∖ setminus
⊢ vdash ⊩ Vdash ⊨ models ⊣ dashv ⊤ top ⊥ perp ∥ parallel ∣ | ¬ neg ∧ wedge ∨ vee ∀ forall ∃ exists ∄ nexists
⊕ oplus ⊖ ominus ⊗ otimes ⊙ odot † dagger ‡ ddagger
∑ sum ∏ prod ∐ coprod ∫ int ∬ iint ∭ iiint ∮ oint
⋃ bigcup ⋂ bigcap ⨁ bigoplus ⨂ bigotimes ⋀ bigwedge ⋁ bigvee
→ rightarrow ← leftarrow ↔ leftrightarrow ⇒ Rightarrow ⇐ Leftarrow ⇔ Leftrightarrow ↑ uparrow ↓ downarrow
⟶ rightarrow ⟵ leftarrow ⟹ Rightarrow ⟺ Leftrightarrow
↦ mapsto ↪ hookrightarrow ⇀ rightharpoonup ⇌ rightleftharpoons ↗ nearrow ↘ searrow
⟨ langle ⟩ rangle 〈 langle 〉 rangle ⌊ lfloor ⌋ rfloor ⌈ lceil ⌉ rceil ｛ { ｝ }
∞ infty ∂ partial ∇ nabla ▽ nabla △ Delta ∆ Delta √ sqrt ∠ angle ∵ because ∴ therefore ∅ emptyset
ℏ hbar ℓ ell ℜ Re ℑ Im ℘ wp ℵ aleph µ mu ı imath ȷ jmath □ square ✓ checkmark ♮ natural
… ldots ⋯ cdots ⋮ vdots ⋱ ddots ′ ' ’ ' 、 , 。 . ％ %
"""
_ESCAPED = frozenset("{}%")  # signs that LaTeX writes with a backslash
_SEVERAL: dict[str, tuple[str, ...]] = {
    "″": ("'", "'"),
    "‴": ("'", "'", "'"),
    "‖": (r"\|",),
    "\u00a0": ("~",),
    "\u3000": ("~",),
}
_DOUBLE_STRUCK = dict(zip("ℝℤℕℂℚℙℍ𝔽𝔼", "RZNCQPHFE", strict=True))
# Superscript and subscript characters, and what they raise or lower.
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", "0123456789+-=()ni", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", "0123456789+-=()", strict=True))
_SCRIPTS = re.compile(f"([{''.join(_RAISED)}]+)|[{''.join(_LOWERED)}]+")
# Full-width forms, mathematical alphabets and fractions: Unicode knows what they are made of.
_COMPATIBLE = re.compile("[\uff01-\uff5e\U0001d400-\U0001d7ff¼-¾⅐-⅞]")


def _characters() -> dict[str, tuple[str, ...]]:
    greek, signs = _GREEK.split(), _SIGNS.split()
    table = {char: ("\\" + name,) for name, char in zip(greek[::2], greek[1::2], strict=True)}
    for char, name in zip(signs[::2], signs[1::2], strict=True):
        table[char] = ("\\" + name if name.isalpha() or name in _ESCAPED else name,)
    struck = {char: (r"\mathbb", "{", letter, "}") for char, letter in _DOUBLE_STRUCK.items()}
    return {**table, **struck, **_SEVERAL}


GREEK_NAMES: tuple[str, ...] = tuple(_GREEK.split()[::2])
# One character -> its tokens.
CHARACTERS: dict[str, tuple[str, ...]] = _characters()


def spelled_out(latex: str) -> str:
    """Write runs of raised and lowered characters, fractions and full-width letters in plain LaTeX."""
    if latex.isascii():
        return latex
    return _COMPATIBLE.sub(_compatible, _SCRIPTS.sub(_script, latex))


def _script(match: re.Match[str]) -> str:
    sign, table = ("^", _RAISED) if match[1] else ("_", _LOWERED)
    return f" {sign}{{{''.join(table[character] for character in match[0])}}}"


def _compatible(match: re.Match[str]) -> str:
    if match[0] in CHARACTERS:
        return match[0]
    above, bar, below = unicodedata.normalize("NFKC", match[0]).partition("\u2044")
    if bar:
        return f"\\frac{{{above}}}{{{below}}}"
    return CHARACTERS[above][0] + " " if above in CHARACTERS else above
