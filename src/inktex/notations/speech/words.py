r"""How tokens are said in English; plain data.

Names that are the command's own (`alpha`) stand in one list, the others with the command before them, a line
each.
"""

from __future__ import annotations

from inktex.latex.tree import commands

_OWN = """
alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi
omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
infty prime angle square natural star bullet dagger aleph therefore because triangle wp
"""


def _lines(text: str) -> dict[str, str]:
    """Return tokens and what is said, given as lines of a token, a blank and words."""
    return dict(line.split(" ", 1) for line in text.strip().splitlines())


def _own(name: str) -> str:
    return f"cap {name.lower()}" if name[0].isupper() else name


WORDS: dict[str, str] = {
    **{token: _own(token[1:]) for token in commands(_OWN)},
    **_lines(r"""
\varepsilon variant epsilon
\vartheta variant theta
\varpi variant pi
\varrho variant rho
\varsigma final sigma
\varphi variant phi
\infty infinity
\partial partial
\nabla nabla
\hbar h bar
\ell script l
\wp Weierstrass p
\Re the real part of
\Im the imaginary part of
\imath dotless i
\jmath dotless j
\emptyset the empty set
\forall for all
\exists there exists
\nexists there does not exist
\neg not
\top top
\checkmark check mark
\ddagger double dagger
\ldots dot dot dot
\cdots dot dot dot
\vdots vertical dots
\ddots diagonal dots
+ plus
- minus
* times
/ divided by
\pm plus or minus
\mp minus or plus
\times times
\cdot times
\div divided by
\mod mod
\circ composed with
\cap intersection
\cup union
\sqcup square union
\setminus set minus
\oplus circled plus
\ominus circled minus
\otimes circled times
\odot circled dot
\wedge and
\vee or
\triangleleft left triangle
\triangleright right triangle
= equals
\neq is not equal to
< is less than
> is greater than
\leq is less than or equal to
\geq is greater than or equal to
\ll is much less than
\gg is much greater than
\equiv is equivalent to
\sim is similar to
\simeq is asymptotically equal to
\approx is approximately equal to
\cong is congruent to
\propto is proportional to
\doteq approaches
\triangleq is defined as
\prec precedes
\succ succeeds
\preceq precedes or equals
\succeq succeeds or equals
\in is a member of
\notin is not a member of
\ni contains
\subset is a proper subset of
\supset is a proper superset of
\subseteq is a subset of
\supseteq is a superset of
\subsetneq is a subset of but not equal to
\perp is perpendicular to
\parallel is parallel to
\vdash proves
\dashv is left adjoint to
\Vdash forces
\models models
\rightarrow right arrow
\leftarrow left arrow
\leftrightarrow left right arrow
\Rightarrow implies
\Leftarrow is implied by
\Leftrightarrow if and only if
\mapsto maps to
\hookrightarrow hooked right arrow
\rightharpoonup right harpoon
\rightleftharpoons equilibrium arrows
\uparrow up arrow
\downarrow down arrow
\nearrow up right arrow
\searrow down right arrow
( open paren
) close paren
[ open bracket
] close bracket
\{ open brace
\} close brace
\langle open angle bracket
\rangle close angle bracket
\lfloor open floor
\rfloor close floor
\lceil open ceiling
\rceil close ceiling
| vertical bar
\| double vertical bar
, comma
; semicolon
: colon
. point
! factorial
? question mark
' prime
\% percent
\$ dollar
\& and
\# number sign
\_ underscore
@ at
\not not
"""),
}
FUNCTIONS: dict[str, str] = _lines(r"""
\sin sine
\cos cosine
\tan tangent
\cot cotangent
\sec secant
\csc cosecant
\arcsin arc sine
\arccos arc cosine
\arctan arc tangent
\sinh hyperbolic sine
\cosh hyperbolic cosine
\tanh hyperbolic tangent
\coth hyperbolic cotangent
\log log
\ln natural log
\lg log
\exp exp
""")
# What stands before "from ... to ... of".
LARGE: dict[str, str] = _lines(r"""
\sum sum
\prod product
\coprod coproduct
\int integral
\iint double integral
\iiint triple integral
\oint contour integral
\bigcup union
\bigcap intersection
\bigoplus direct sum
\bigotimes tensor product
\bigwedge conjunction
\bigvee disjunction
\lim limit
\limsup limit superior
\liminf limit inferior
\max maximum
\min minimum
\sup supremum
\inf infimum
\det determinant
\dim dimension
\ker kernel
\deg degree
\gcd greatest common divisor
\arg argument
\Pr probability
\hom hom
""")
LIMITS: frozenset[str] = frozenset(commands("lim limsup liminf"))
# Said after a letter; of several things, what stands above them.
ACCENTS: dict[str, str] = _lines(r"""
\hat hat
\widehat hat
\tilde tilde
\widetilde tilde
\bar bar
\overline line
\vec arrow
\overrightarrow arrow
\overleftarrow left arrow
\dot dot
\ddot double dot
\check check
\breve breve
\acute acute accent
\grave grave accent
\mathring ring
\overbrace brace
""")
BELOW: dict[str, str] = _lines(r"""
\underline line
\underbrace brace
""")
ARROWS: dict[str, str] = _lines(r"""
\xrightarrow right arrow
\xleftarrow left arrow
\xlongequal equals
""")
ALPHABETS: dict[str, str] = _lines(r"""
\mathbb double-struck
\mathcal script
\mathfrak fraktur
\mathbf bold
\boldsymbol bold
\mathsf sans-serif
\mathtt monospace
""")
SETS: dict[str, str] = {
    "N": "the natural numbers",
    "Z": "the integers",
    "Q": "the rational numbers",
    "R": "the real numbers",
    "C": "the complex numbers",
}
