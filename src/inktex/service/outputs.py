"""What a reading can be written as, by the names that clients ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inktex.errors import LatexError
from inktex.recognition.result import Alternative, Recognition
from inktex.service.errors import Reason, RequestError

Output = Callable[[Sequence[str]], str]


def _latex(tokens: Sequence[str]) -> str:
    from inktex.latex.readable import readable

    return readable(tokens)


def _mathml(tokens: Sequence[str]) -> str:
    from inktex.mathml import to_mathml

    return to_mathml(tokens)


OUTPUTS: dict[str, Output] = {"latex": _latex, "mathml": _mathml}


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
