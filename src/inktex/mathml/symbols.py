r"""What the commands of LaTeX mean as characters: tables of symbols, spaces, accents and alphabets.

The classes of symbols are those of TeX (The TeXbook, chapter 18): they decide the space around a symbol.
"""

# ruff: noqa: RUF001  what looks like another character is the point of these tables

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What a thing in a row is to its neighbours; space tokens are nothing to them."""

    ORDINARY = "ordinary"
    FUNCTION = "function"  # \sin, \lim: words in front of an argument
    BIG = "big"  # \sum, \int
    BINARY = "binary"
    RELATION = "relation"
    OPENING = "opening"
    CLOSING = "closing"
    PUNCTUATION = "punctuation"
    SPACE = "space"


def _pairs(text: str) -> dict[str, str]:
    """Commands (without backslash) and their characters, in turn."""
    words = text.split()
    return {"\\" + name: char for name, char in zip(words[::2], words[1::2], strict=True)}


# Letters and what behaves as a letter. MathML slants single letters by itself, but for those told upright.
IDENTIFIERS: dict[str, str] = _pairs(
    "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ "
    "varkappa ϰ lambda λ mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ "
    "upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω digamma ϝ imath ı jmath ȷ partial ∂ ell ℓ hbar ℏ hslash ℏ"
)
_UPRIGHT = _pairs(
    "Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω nabla ∇ infty ∞ "
    "aleph ℵ beth ℶ gimel ℷ Re ℜ Im ℑ wp ℘ emptyset ∅ varnothing ∅ triangle △ square □ Box □ blacksquare ■ "
    "Diamond ◇ lozenge ◊ diamondsuit ♢ heartsuit ♡ spadesuit ♠ clubsuit ♣ bigstar ★ top ⊤ bot ⊥ eth ð "
    "degree ° checkmark ✓ % % # # & & $ $ _ _ S § P ¶ copyright © pounds £ yen ¥ AA Å mho ℧ complement ∁ "
    "Bbbk 𝕜 circledR ® circledS Ⓢ flat ♭ natural ♮ sharp ♯ l ł L Ł o ø O Ø ae æ AE Æ oe œ OE Œ ss ß"
)
FUNCTIONS: dict[str, str] = {
    **_pairs(
        "sin sin cos cos tan tan cot cot sec sec csc csc arcsin arcsin arccos arccos arctan arctan "
        "sinh sinh cosh cosh tanh tanh coth coth log log ln ln lg lg exp exp deg deg dim dim hom hom ker ker "
        "arg arg lim lim max max min min sup sup inf inf det det gcd gcd Pr Pr"
    ),
    r"\limsup": "lim sup",
    r"\liminf": "lim inf",
}
# Functions that have their subscript underneath in displayed formulas even without `\limits`.
LIMIT_FUNCTIONS: frozenset[str] = frozenset(
    "\\" + name for name in ["lim", "limsup", "liminf", "max", "min", "sup", "inf", "det", "gcd", "Pr"]
)
# Operators with their scripts above and below in displayed formulas, and those with scripts at the side.
STACKING: dict[str, str] = _pairs(
    "sum ∑ prod ∏ coprod ∐ bigcup ⋃ bigcap ⋂ bigvee ⋁ bigwedge ⋀ bigoplus ⨁ bigotimes ⨂ bigodot ⨀ "
    "bigsqcup ⨆ biguplus ⨄"
)
INTEGRALS: dict[str, str] = _pairs("int ∫ iint ∬ iiint ∭ iiiint ⨌ oint ∮ oiint ∯ oiiint ∰")

_BINARY = _pairs(
    "pm ± mp ∓ times × div ÷ cdot ⋅ ast ∗ star ⋆ circ ∘ bullet ∙ cap ∩ cup ∪ uplus ⊎ sqcap ⊓ sqcup ⊔ "
    "vee ∨ lor ∨ wedge ∧ land ∧ setminus ∖ smallsetminus ∖ wr ≀ diamond ⋄ bigtriangleup △ "
    "bigtriangledown ▽ triangleleft ◃ triangleright ▹ oplus ⊕ ominus ⊖ otimes ⊗ oslash ⊘ odot ⊙ bigcirc ◯ "
    "dagger † ddagger ‡ amalg ⨿ ltimes ⋉ rtimes ⋊ bmod mod mod mod boxplus ⊞ boxtimes ⊠ boxminus ⊟ boxdot ⊡"
)
_RELATIONS = _pairs(
    "leq ≤ le ≤ leqslant ⩽ leqq ≦ geq ≥ ge ≥ geqslant ⩾ geqq ≧ neq ≠ ne ≠ lt < gt > equiv ≡ sim ∼ "
    "backsim ∽ simeq ≃ approx ≈ cong ≅ doteq ≐ propto ∝ ll ≪ gg ≫ prec ≺ preceq ⪯ succ ≻ succeq ⪰ in ∈ "
    "notin ∉ ni ∋ subset ⊂ subseteq ⊆ subsetneq ⊊ subsetneqq ⫋ supset ⊃ supseteq ⊇ supsetneq ⊋ "
    "supsetneqq ⫌ sqsubset ⊏ sqsupset ⊐ sqsubseteq ⊑ sqsupseteq ⊒ nsubseteq ⊈ nsupseteq ⊉ mid ∣ nmid ∤ "
    "parallel ∥ nparallel ∦ perp ⊥ vdash ⊢ Vdash ⊩ dashv ⊣ models ⊨ vDash ⊨ asymp ≍ bowtie ⋈ smile ⌣ frown ⌢ "
    "therefore ∴ because ∵ lesssim ≲ gtrsim ≳ lessgtr ≶ gtrless ≷ triangleq ≜ coloneqq ≔ nless ≮ ngtr ≯ "
    "nleq ≰ ngeq ≱ lll ⋘ ggg ⋙ backsimeq ⋍ approxeq ≊ colon : "
    "rightarrow → to → leftarrow ← gets ← leftrightarrow ↔ Rightarrow ⇒ implies ⟹ Leftarrow ⇐ "
    "impliedby ⟸ Leftrightarrow ⇔ iff ⟺ longrightarrow ⟶ longleftarrow ⟵ longleftrightarrow ⟷ "
    "Longrightarrow ⟹ Longleftarrow ⟸ Longleftrightarrow ⟺ mapsto ↦ longmapsto ⟼ uparrow ↑ downarrow ↓ "
    "updownarrow ↕ Uparrow ⇑ Downarrow ⇓ Updownarrow ⇕ nearrow ↗ searrow ↘ swarrow ↙ nwarrow ↖ "
    "hookrightarrow ↪ hookleftarrow ↩ rightharpoonup ⇀ rightharpoondown ⇁ leftharpoonup ↼ "
    "leftharpoondown ↽ rightleftharpoons ⇌ leftrightharpoons ⇋ rightleftarrows ⇄ leftrightarrows ⇆ "
    "rightrightarrows ⇉ leftleftarrows ⇇ rightsquigarrow ⇝ leadsto ⇝ nrightarrow ↛ nleftarrow ↚ "
    "nRightarrow ⇏ nLeftarrow ⇍ twoheadrightarrow ↠ rightarrowtail ↣ curvearrowright ↷ curvearrowleft ↶"
)
_ORDINARY = _pairs(
    "ldots … dots … dotsc … dotsb ⋯ cdots ⋯ vdots ⋮ ddots ⋱ prime ′ backprime ‵ forall ∀ exists ∃ "
    "nexists ∄ neg ¬ lnot ¬ surd √ angle ∠ measuredangle ∡ sphericalangle ∢ not / backslash \\ vert | Vert ‖ "
    "| ‖"
)
_OPENING = _pairs("{ { lbrace { lbrack [ langle ⟨ lvert | lVert ‖ lfloor ⌊ lceil ⌈ lgroup ⟮ ulcorner ⌜")
_CLOSING = _pairs("} } rbrace } rbrack ] rangle ⟩ rvert | rVert ‖ rfloor ⌋ rceil ⌉ rgroup ⟯ urcorner ⌝")

# Symbols drawn as operators, by command and by character: the character, and what they are to their
# neighbours. Where one character has several commands, the last kind is the bare character's.
OPERATORS: dict[str, tuple[str, Kind]] = {
    name: (char, kind)
    for kind, table in {
        Kind.BIG: {**STACKING, **INTEGRALS},
        Kind.BINARY: {**_BINARY, "+": "+", "-": "−", "*": "∗"},
        Kind.RELATION: {**_RELATIONS, "=": "=", "<": "<", ">": ">", ":": ":"},
        Kind.OPENING: {**_OPENING, "(": "(", "[": "["},
        Kind.CLOSING: {**_CLOSING, ")": ")", "]": "]", "!": "!"},
        Kind.PUNCTUATION: {",": ",", ";": ";"},
        Kind.ORDINARY: {**_ORDINARY, "'": "′", ".": ".", "/": "/", "|": "|", "?": "?"},
    }.items()
    for token, char in table.items()
    for name in ((token,) if char.isascii() else (token, char))
}
UPRIGHT_IDENTIFIERS: dict[str, str] = {
    **_UPRIGHT,
    **{char: char for char in _UPRIGHT.values() if not char.isascii() and char not in OPERATORS},
}
# Characters that the operator dictionary of MathML spaces out or stretches though TeX does neither.
TIGHT: frozenset[str] = frozenset("…⋯⋮⋱./|‖\\?′‵√∠∡∢")
STRETCHING: frozenset[str] = frozenset("()[]{}|‖⟨⟩⌊⌋⌈⌉⟮⟯↑↓↕⇑⇓⇕/\\∣∥")
# As delimiters `<` and `>` are angle brackets.
ANGLES: dict[str, str] = {"<": "⟨", ">": "⟩"}

# Widths in em.
SPACES: dict[str, float] = {
    r"\,": 0.1667,
    r"\:": 0.2222,
    r"\>": 0.2222,
    r"\;": 0.2778,
    r"\!": -0.1667,
    "~": 0.3333,
    r"\quad": 1.0,
    r"\qquad": 2.0,
    r"\enspace": 0.5,
}
# Delimiters grow to these heights, in em.
SIZES: dict[str, float] = {
    "\\" + size + side: height
    for size, height in {"big": 1.2, "Big": 1.8, "bigg": 2.4, "Bigg": 3.0}.items()
    for side in ("", "l", "r", "m")
}
# (character, whether it grows with what is below it); most fonts widen the hat's combining form alone
ACCENTS: dict[str, tuple[str, bool]] = {
    r"\hat": ("^", False),
    r"\widehat": ("\u0302", True),
    r"\tilde": ("~", False),
    r"\widetilde": ("~", True),
    r"\bar": ("‾", False),
    r"\vec": ("→", False),
    r"\overrightarrow": ("→", True),
    r"\overleftarrow": ("←", True),
    r"\overparen": ("⏜", True),
    r"\wideparen": ("⏜", True),
    r"\overarc": ("⏜", True),
    r"\dot": ("˙", False),
    r"\ddot": ("¨", False),
    r"\check": ("ˇ", False),
    r"\breve": ("˘", False),
    r"\acute": ("´", False),
    r"\grave": ("`", False),
    r"\mathring": ("˚", False),
}
LABELLED_ARROWS: dict[str, str] = {r"\xrightarrow": "→", r"\xleftarrow": "←", r"\xlongequal": "="}

# Where the mathematical alphabets begin: capitals, small letters, digits (0: there are none).
_ALPHABETS: dict[str, tuple[int, int, int]] = {
    r"\mathbf": (0x1D400, 0x1D41A, 0x1D7CE),
    r"\boldsymbol": (0x1D468, 0x1D482, 0x1D7CE),
    r"\mathcal": (0x1D49C, 0x1D4B6, 0),
    r"\mathfrak": (0x1D504, 0x1D51E, 0),
    r"\mathbb": (0x1D538, 0x1D552, 0x1D7D8),
    r"\mathsf": (0x1D5A0, 0x1D5BA, 0x1D7E2),
    r"\mathtt": (0x1D670, 0x1D68A, 0x1D7F6),
}
_SAME = {r"\bm": r"\boldsymbol", r"\mathscr": r"\mathcal", r"\cal": r"\mathcal", r"\bf": r"\mathbf"}
# Letters that Unicode had before it had the alphabets.
_ELSEWHERE: dict[str, dict[str, str]] = {
    r"\mathcal": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)),
    r"\mathfrak": dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True)),
    r"\mathbb": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
}


def is_capital_greek(char: str) -> bool:
    """Whether TeX sets this letter upright where MathML would slant it."""
    return "Α" <= char <= "Ω" or char == "∇"


def in_alphabet(char: str, alphabet: str) -> str:
    r"""Return a letter or digit as the alphabet of a command such as `\mathbb` has it, or as it is."""
    alphabet = _SAME.get(alphabet, alphabet)
    if alphabet not in _ALPHABETS:
        return char
    if char in _ELSEWHERE.get(alphabet, {}):
        return _ELSEWHERE[alphabet][char]
    capitals, small, digits = _ALPHABETS[alphabet]
    bold_greek = alphabet == r"\boldsymbol"
    for first, last, start in (
        ("A", "Z", capitals),
        ("a", "z", small),
        ("0", "9", digits),
        ("Α", "Ω", 0x1D6A8 * bold_greek),
        ("α", "ω", 0x1D736 * bold_greek),
    ):
        if start and first <= char <= last:
            return chr(start + ord(char) - ord(first))
    return char
