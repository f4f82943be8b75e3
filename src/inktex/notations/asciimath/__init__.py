"""LaTeX tokens -> AsciiMath."""

from inktex.notations.asciimath.printer import to_asciimath

__all__ = ["to_asciimath"]
