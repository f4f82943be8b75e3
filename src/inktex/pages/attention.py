"""Attention as a page: the picture and the formula so far, to be stepped through token by token."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

import cv2
import numpy as np

from inktex.errors import LatexError
from inktex.latex.tree import ARITY, OPTIONAL_ARGUMENT, PAIRS, SCRIPTS
from inktex.mathml import to_mathml
from inktex.mathml.elements import text
from inktex.pages.document import embedded_json, render
from inktex.visualize.explain import Explanation
from inktex.visualize.overlay import FloatArray

_ARGUMENT, _DELIMITER = "an argument", "a delimiter"  # what is awaited besides tokens that close
_CLOSING = {_ARGUMENT: ("{", "}"), _DELIMITER: (".",), r"\right": (r"\right", ".")}
_LARGEST_ZOOM = 4
_LARGEST_PX = 2400  # width of the page's picture


def attention_page(title: str, explanation: Explanation) -> str:
    """Return the page as HTML of one file, to be written as UTF-8.

    Args:
        title: of the page.
        explanation: how an expression was read, of at least one token.
    """
    height, width = explanation.picture.shape
    tokens = explanation.tokens
    return render(
        "attention_page",
        {
            "title": text(title),
            "picture": b64encode(_transparent(explanation.picture)).decode(),
            "reading": embedded_json(
                {
                    "tokens": tokens,
                    "probabilities": [round(float(each), 4) for each in explanation.probabilities],
                    "formulas": [_formula(tokens[: count + 1]) for count in range(len(tokens))],
                    "warmth": [_bytes(explanation.warmth(step)) for step in range(len(tokens))],
                    "grid": explanation.attention.shape[1:],
                    "stride": explanation.stride,
                    "height": height,
                    "width": width,
                }
            ),
        },
    )


def closed(tokens: Sequence[str]) -> list[str]:
    r"""Return the beginning of an expression with all that is still open closed.

    Missing arguments are empty: ``\frac { a`` becomes ``\frac { a } { }``. What is malformed stays so.
    """
    awaited: list[str] = []  # the next at the end
    before = ""
    for token in tokens:
        due = awaited.pop() if awaited and awaited[-1] in (token, _ARGUMENT, _DELIMITER) else ""
        if due == _ARGUMENT and token == "[" and before in OPTIONAL_ARGUMENT:
            awaited += [_ARGUMENT, "]"]
        elif due == r"\right":
            awaited.append(_DELIMITER)
        elif due in ("", _ARGUMENT):
            awaited += _awaited_after(token)
        before = token
    return [*tokens, *(each for name in reversed(awaited) for each in _CLOSING.get(name, (name,)))]


def _awaited_after(token: str) -> list[str]:
    """Return what a token calls for, the first at the end."""
    if token == r"\left":
        return [r"\right", _DELIMITER]
    if token in PAIRS:
        return [PAIRS[token]]
    if token.startswith(r"\begin{"):
        return [r"\end" + token.removeprefix(r"\begin")]
    return [_ARGUMENT] * (1 if token in SCRIPTS else ARITY.get(token, 0))


def _formula(tokens: Sequence[str]) -> str:
    """Return what is written so far as MathML, the last token marked, or nothing if it cannot be typeset."""
    try:
        return to_mathml(closed(tokens), frozenset((len(tokens) - 1,)))
    except LatexError:
        return ""


def _bytes(warmth: FloatArray) -> str:
    """Return values of 0 to 1 as a byte each."""
    return b64encode(np.rint(warmth * 255).astype(np.uint8).tobytes()).decode()


def _transparent(picture: FloatArray) -> bytes:
    """Return a PNG of black ink on nothing."""
    zoom = max(1, min(_LARGEST_ZOOM, _LARGEST_PX // picture.shape[1]))
    large = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
    pixels = np.zeros((*large.shape, 4), np.uint8)
    pixels[:, :, 3] = np.rint(np.clip(large, 0, 1) * 255)
    return bytes(cv2.imencode(".png", pixels)[1])
