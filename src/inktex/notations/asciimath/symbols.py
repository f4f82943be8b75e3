r"""What AsciiMath calls the symbols of LaTeX; plain data.

Names that are the command's own (`alpha`, `sum`, `sin`) stand in one list, the others with the command before
them. Symbols that are in no table are written as characters, which AsciiMath reads as well.
"""

# ruff: noqa: RUF001  the signs of accents are meant

from __future__ import annotations

from inktex.latex.tree import commands
from inktex.notations.symbols import pairs

# Words that AsciiMath sets upright by itself.
FUNCTIONS: frozenset[str] = frozenset(
    commands(
        "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth log ln exp lim max min det dim gcd"
    )
)
_OWN = """
alpha beta gamma delta epsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi
varphi chi psi omega varepsilon Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega
sum prod int oint in mod aleph vdots ddots cdots ldots prime square setminus quad qquad
"""
_RENAMED = r"""
infty oo partial del nabla grad emptyset O/ angle /_ triangle /_\ pm +- mp -+ times xx div -: cdot * ast **
star *** circ @ cap nn cup uu bigcap nnn bigcup uuu wedge ^^ vee vv bigwedge ^^^ bigvee vvv oplus o+ otimes
ox odot o. leq <= geq >= neq != equiv -= sim ~ approx ~~ cong ~= propto prop prec -< succ >- preceq -<=
succeq >-= notin !in subset sub supset sup subseteq sube supseteq supe forall AA exists EE neg not perp _|_
top TT vdash |-- models |== therefore :. because :' rightarrow -> leftarrow larr leftrightarrow harr
Rightarrow => Leftarrow lArr Leftrightarrow <=> mapsto |-> uparrow uarr downarrow darr longrightarrow ->
Longrightarrow => hom "hom" ker "ker" deg "deg" arg "arg" Pr "Pr" lg "lg" sup "sup" inf "inf" % % _ "_" $ "$"
"""
SYMBOLS: dict[str, str] = {
    **{token: token[1:] for token in FUNCTIONS},
    **dict(zip(commands(_OWN), _OWN.split(), strict=True)),
    **pairs(_RENAMED),
    r"\limsup": '"lim sup"',
    r"\liminf": '"lim inf"',
    "*": "**",
    "/": "//",
    "~": "\\ ",
    "|": ":|:",  # a bar that belongs to no other
    r"\|": "‖",
    # Delimiters that belong to no other, which would end or begin a group.
    **{sign: f'"{sign[-1]}"' for sign in ("(", ")", "[", "]", r"\{", r"\}", "@", "`", "_", "^")},
}
ACCENTS: dict[str, str] = pairs(
    "hat hat widehat hat tilde tilde widetilde tilde bar bar overline bar underline ul vec vec "
    "overrightarrow vec dot dot ddot ddot overbrace obrace underbrace ubrace cancel cancel sqrt sqrt"
)
# Accents without a name, as the sign over the letter.
OVERSET: dict[str, str] = pairs("check ˇ breve ˘ acute ´ grave ` mathring ˚ overleftarrow larr")
ARROWS: dict[str, str] = pairs("xrightarrow -> xleftarrow larr xlongequal =")
ALPHABETS: dict[str, str] = pairs(
    "mathbb bbb mathcal cc mathfrak fr mathsf sf mathtt tt mathbf bb boldsymbol bb mathrm text"
)
NUMBER_SETS: frozenset[str] = frozenset("CNQRZ")
