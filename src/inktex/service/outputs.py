"""What a reading can be written as, by the names that clients ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inktex.errors import LatexError
from inktex.latex.readable import readable
from inktex.mathml import to_mathml
from inktex.notations.asciimath import to_asciimath
from inktex.notations.speech import to_speech
from inktex.notations.sympy import to_sympy
from inktex.notations.typst import to_typst
from inktex.recognition.result import Alternative, Recognition
from inktex.service.errors import Reason, RequestError

Output = Callable[[Sequence[str]], str]  # raises LatexError where there is no such form

OUTPUTS: dict[str, Output] = {
    "latex": readable,
    "mathml": to_mathml,
    "typst": to_typst,
    "asciimath": to_asciimath,
    "sympy": to_sympy,
    "speech": to_speech,
}


def written(name: str, reading: Recognition | Alternative) -> str | None:
    """Return a reading in one of the formats, None where it has no form in that.

    Raises:
        RequestError: there is no format of that name.
    """
    if name not in OUTPUTS:
        raise RequestError(
            422, f"there is no format {name[:40]!r}; there are: {', '.join(OUTPUTS)}", Reason.OPTION
        )
    try:
        return OUTPUTS[name](reading.tokens)
    except LatexError:
        return None
