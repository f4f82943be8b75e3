r"""What SymPy calls the functions of LaTeX, and how it spells letters; plain data."""

from __future__ import annotations

import keyword

from inktex.latex.tree import commands
from inktex.notations.symbols import pairs

# Functions of one argument.
FUNCTIONS: dict[str, str] = {
    **{name: name[1:] for name in commands("sin cos tan cot sec csc sinh cosh tanh coth exp log arg det")},
    **pairs("ln log lg log Re re Im im arcsin asin arccos acos arctan atan"),
}
# What `\sin ^ { - 1 }` means.
INVERSES: dict[str, str] = {
    name[1:]: f"a{name[1:]}" for name in commands("sin cos tan cot sec csc sinh cosh tanh coth")
}
# Functions of several arguments.
LISTS: dict[str, str] = pairs("max Max min Min")
RELATIONS: dict[str, str] = {
    "=": "Eq",
    r"\neq": "Ne",
    "<": "<",
    ">": ">",
    r"\leq": "<=",
    r"\geq": ">=",
}
CONSTANTS: dict[str, str] = {r"\pi": "pi", r"\infty": "oo", "e": "E"}
# Letters that are functions where parentheses follow; others are factors.
CALLED: frozenset[str] = frozenset("fghFGH").union(commands("phi varphi psi Phi Psi"))
# Letters that number things where they stand in a subscript.
INDICES: frozenset[str] = frozenset("ijklmn")
# SymPy's own spelling of accents, which its printers know.
ACCENTS: dict[str, str] = pairs(
    "hat hat widehat hat bar bar overline bar tilde tilde widetilde tilde vec vec overrightarrow vec dot dot "
    "ddot ddot check check breve breve acute acute grave grave mathring mathring mathbf bold boldsymbol bold "
    "mathcal cal mathfrak frak"
)
# Names that SymPy has for things of its own.
_TAKEN: frozenset[str] = frozenset({*"EINOQS", "beta", "gamma", "zeta", "Lambda"})
_LETTERS: dict[str, str] = {
    name: name[1:]
    for name in commands(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
        "upsilon phi chi psi omega varepsilon vartheta varpi varrho varsigma varphi Gamma Delta Theta "
        "Lambda Xi Pi Sigma Upsilon Phi Psi Omega hbar ell imath jmath"
    )
}


def letter(token: str) -> str | None:
    """Return the name of a variable, None if the token is no letter."""
    if len(token) == 1 and token.isalpha():
        return token
    return _LETTERS.get(token)


def symbol(name: str) -> str:
    """Return a variable of a name."""
    free = name.isidentifier() and not keyword.iskeyword(name) and name not in _TAKEN
    return name if free else f"Symbol({name!r})"
