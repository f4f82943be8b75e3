"""LaTeX tokens -> SymPy text."""

from inktex.notations.sympy.statements import to_sympy

__all__ = ["to_sympy"]
