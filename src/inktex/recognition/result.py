"""What was read: its LaTeX, how sure that is, what else it may be, and where each token stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from inktex.errors import LatexError
from inktex.image.box import Box
from inktex.latex.readable import readable


@dataclass(frozen=True)
class TokenDetail:
    """A token of what was read.

    Attributes:
        token: the token.
        confidence: its probability, 0 to 1, after the tokens before it; where the model reads both ways, the
            mean of that and its probability after those behind it, from the end.
        box: where it stands, in pixels of the picture (turned upright by its EXIF tag) or in the coordinates
            of the ink; None for tokens that nobody writes, such as ``{``, ``^`` and ``\\limits``.
    """

    token: str
    confidence: float
    box: Box | None


@dataclass(frozen=True)
class Alternative:
    """Another reading.

    Attributes:
        latex: the LaTeX as a person would type it.
        tokens: the LaTeX as tokens.
        confidence: as that of a :class:`Recognition`.
    """

    latex: str = field(init=False)
    tokens: tuple[str, ...]
    confidence: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "latex", readable(self.tokens))


@dataclass(frozen=True)
class Recognition:
    """What was read.

    Attributes:
        latex: the LaTeX as a person would type it; see :func:`inktex.latex.readable.readable`.
        tokens: the LaTeX as the tokens that the model wrote.
        confidence: how often readings like this are right, 0 to 1, by a calibrated model such as the one that
            ships; by others the model's own probability. 0 if it was cut short by the length bound.
        alternatives: other readings, the best first as search ranks them, which takes account of length.
        bounded: whether the bound on length, or that on repetition, cut the reading short or bent it.
        details: one for every token, or none if they were not asked for.
    """

    latex: str = field(init=False)
    tokens: tuple[str, ...]
    confidence: float
    alternatives: tuple[Alternative, ...] = ()
    bounded: bool = False
    details: tuple[TokenDetail, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "latex", readable(self.tokens))

    @property
    def mathml(self) -> str:
        """The expression as a ``<math>`` element, in display style.

        Raises:
            LatexError: the LaTeX is malformed, as it may be where grammar was switched off.
        """
        from inktex.mathml import to_mathml  # here, since most who recognize do without

        return to_mathml(self.tokens)

    @property
    def typst(self) -> str:
        """The expression as Typst writes it, without dollars; raises LatexError as :attr:`mathml` does."""
        from inktex.notations.typst import to_typst

        return to_typst(self.tokens)

    @property
    def asciimath(self) -> str:
        """The expression as AsciiMath, without backquotes; raises LatexError as :attr:`mathml` does."""
        from inktex.notations.asciimath import to_asciimath

        return to_asciimath(self.tokens)

    @property
    def sympy(self) -> str:
        """The expression as text that ``sympy.sympify`` reads.

        Raises:
            LatexError: the LaTeX is malformed, or holds what means nothing to SymPy, which it names.
        """
        from inktex.notations.sympy import to_sympy

        return to_sympy(self.tokens)

    @property
    def speech(self) -> str:
        """The expression as it is said in English; raises LatexError as :attr:`mathml` does."""
        from inktex.notations.speech import to_speech

        return to_speech(self.tokens)

    @property
    def omml(self) -> str:
        """The expression as an ``m:oMath`` element, Word's own; raises LatexError as :attr:`mathml` does."""
        from inktex.notations.omml import to_omml

        return to_omml(self.tokens)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values that JSON can hold.

        The keys are latex, mathml (None where the LaTeX is malformed), confidence, bounded, alternatives
        (each with latex, tokens, confidence), tokens, and details (each with token, confidence, and box as
        [left, top, right, bottom] or None).
        """
        try:
            mathml = self.mathml
        except LatexError:
            mathml = None
        return {
            "latex": self.latex,
            "mathml": mathml,
            "confidence": self.confidence,
            "bounded": self.bounded,
            "alternatives": [
                {"latex": each.latex, "tokens": list(each.tokens), "confidence": each.confidence}
                for each in self.alternatives
            ],
            "tokens": list(self.tokens),
            "details": [
                {"token": each.token, "confidence": each.confidence, "box": each.box and list(each.box)}
                for each in self.details
            ],
        }
