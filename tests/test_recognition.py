"""What was read, as an object: its forms and its plain values."""

from __future__ import annotations

import json

import pytest

from inktex.errors import LatexError
from inktex.image.box import Box
from inktex.mathml import to_mathml
from inktex.recognition.result import Alternative, Recognition, TokenDetail

SQUARE = ("x", "^", "{", "2", "}")


def test_latex_is_readable_and_tokens_stay() -> None:
    """The LaTeX is as a person would type it, that of alternatives too; MathML is that of the tokens."""
    read = Recognition(SQUARE, 0.9, (Alternative((r"\frac", "{", "x", "}", "{", "2", "}"), 0.1),))

    assert (read.latex, read.tokens) == ("x^2", SQUARE)
    assert read.alternatives[0].latex == r"\frac{x}{2}"
    assert read.mathml == to_mathml(SQUARE)
    assert "<msup>" in read.mathml


def test_malformed_latex_is_kept_and_has_no_mathml() -> None:
    """Tokens that do not parse, as without grammar, are shown as they are; asking for MathML says why not."""
    read = Recognition(("x", "^", "{"), 0.9)

    assert read.latex == "x^{"
    assert read.to_dict()["mathml"] is None
    with pytest.raises(LatexError):
        _ = read.mathml


def test_values_are_all_there_is_as_json() -> None:
    """The values survive JSON unchanged, and hold every field by its name."""
    details = (TokenDetail("x", 0.5, Box(1.0, 2.0, 3.5, 4.0)), TokenDetail("^", 0.25, None))
    read = Recognition(SQUARE, 0.9, (Alternative(("x",), 0.1),), bounded=True, details=details)

    assert json.loads(json.dumps(read.to_dict())) == {
        "latex": "x^2",
        "mathml": read.mathml,
        "confidence": 0.9,
        "bounded": True,
        "alternatives": [{"latex": "x", "tokens": ["x"], "confidence": 0.1}],
        "tokens": ["x", "^", "{", "2", "}"],
        "details": [
            {"token": "x", "confidence": 0.5, "box": [1.0, 2.0, 3.5, 4.0]},
            {"token": "^", "confidence": 0.25, "box": None},
        ],
    }


def test_recognitions_are_compared_by_what_was_read() -> None:
    """Two with the same fields are equal, also after their MathML was asked for."""
    one, other = Recognition(SQUARE, 0.9), Recognition(SQUARE, 0.9)

    assert one.mathml
    assert one == other
    assert one != Recognition(SQUARE, 0.8)
