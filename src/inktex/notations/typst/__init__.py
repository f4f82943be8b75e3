"""LaTeX tokens -> Typst."""

from inktex.notations.typst.printer import to_typst

__all__ = ["to_typst"]
