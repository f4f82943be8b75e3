r"""What Typst calls the symbols of LaTeX; plain data.

Names that are the command's own (`alpha`, `sum`, `sin`) stand in one list, the others with the command before
them. Symbols whose names have changed between versions of Typst stand as characters, which it reads as well,
and so do those that are in no table.
"""

from __future__ import annotations

from inktex.latex.tree import commands
from inktex.notations.symbols import pairs

_OWN = """
alpha beta gamma delta zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth log ln lg exp lim limsup liminf max min sup
inf det dim ker deg gcd arg mod Pr hom
sum exists in approx top perp parallel diamond Re Im square
"""
FUNCTIONS: frozenset[str] = frozenset(
    commands(
        "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth log ln lg exp lim limsup liminf"
    )
    + commands("max min sup inf det dim ker deg gcd arg Pr hom")
)
_RENAMED = """
epsilon epsilon.alt varepsilon epsilon vartheta theta.alt varpi pi.alt varrho rho.alt varsigma sigma.alt
phi phi.alt varphi phi varkappa kappa.alt
infty infinity partial partial nabla nabla hbar ℏ ell ell wp ℘ aleph ℵ emptyset emptyset
imath dotless.i jmath dotless.j angle angle natural natural checkmark checkmark prime prime
forall forall nexists exists.not neg not therefore therefore because because triangle triangle.stroked.t
pm plus.minus mp minus.plus times times div div cdot dot.c ast ast.op circ compose star star.op
bullet bullet dagger dagger ddagger dagger.double setminus without cap inter cup union sqcup union.sq
sqcap inter.sq oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙ wedge and vee or
triangleleft ⊲ triangleright ⊳
prod product coprod product.co int integral iint integral.double iiint integral.triple oint integral.cont
bigcup union.big bigcap inter.big bigoplus ⨁ bigotimes ⨂ bigodot ⨀
bigwedge and.big bigvee or.big bigsqcup union.sq.big
leq <= geq >= neq != equiv equiv sim tilde.op simeq tilde.eq cong tilde.equiv propto prop
doteq ≐ triangleq eq.delta ll << gg >> prec prec succ succ preceq prec.eq succeq succ.eq
subset subset supset supset subseteq subset.eq supseteq supset.eq subsetneq subset.neq supsetneq supset.neq
ni in.rev notin in.not vdash tack.r dashv tack.l Vdash forces models models mid divides asymp ≍
rightarrow -> leftarrow <- leftrightarrow <-> Rightarrow => Leftarrow arrow.l.double Leftrightarrow <=>
mapsto |-> hookrightarrow arrow.r.hook rightharpoonup harpoon.rt rightleftharpoons harpoons.rtlb
nearrow arrow.tr searrow arrow.br swarrow arrow.bl nwarrow arrow.tl uparrow arrow.t downarrow arrow.b
longrightarrow --> Longrightarrow ==>
ldots dots.h cdots dots.h.c vdots dots.v ddots dots.down
backslash backslash % % quad quad qquad wide
"""
SYMBOLS: dict[str, str] = {**dict(zip(commands(_OWN), _OWN.split(), strict=True)), **pairs(_RENAMED)}
ACCENTS: dict[str, str] = pairs(
    "hat hat widehat hat tilde tilde widetilde tilde bar macron overline overline underline underline "
    "vec arrow overrightarrow arrow overleftarrow arrow.l dot dot ddot dot.double check caron breve breve "
    "acute acute grave grave mathring circle overbrace overbrace underbrace underbrace cancel cancel"
)
CALLS: dict[str, str] = pairs("frac frac binom binom sqrt sqrt")
ARROWS: dict[str, str] = pairs("xrightarrow -> xleftarrow <- xlongequal =")
# Calls round a letter, the innermost first.
ALPHABETS: dict[str, str] = {
    r"\mathbf": "upright bold",
    **pairs("mathbb bb mathcal cal mathfrak frak mathsf sans mathtt mono mathrm upright boldsymbol bold"),
}
