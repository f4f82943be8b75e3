"""LaTeX tokens -> Word's OMML."""

from inktex.notations.omml.printer import to_omml

__all__ = ["to_omml"]
