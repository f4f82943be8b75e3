r"""LaTeX tokens -> MathML, for browsers, Word and Pandoc.

What comes out is MathML Core (https://www.w3.org/TR/mathml-core/), with two additions from MathML 3 for
other readers: `menclose` (of `\boxed`, `\cancel` and `\textcircled`), which browsers that do not know it show
as a row, and `columnalign` and `columnlines` of tables, beside the same in CSS.
"""

from inktex.mathml.printer import to_mathml

__all__ = ["to_mathml"]
