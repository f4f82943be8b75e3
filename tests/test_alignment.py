"""Which written symbol each token is."""

from __future__ import annotations

import numpy as np

from inktex.data.alignment import UNALIGNED, align_tokens, token_reference
from inktex.ink.strokes import Ink, Symbol

STROKES = tuple(np.array([[i, 0], [i, 1]], dtype=np.float32) for i in range(6))


def ink(*symbols: tuple[str, str]) -> Ink:
    return Ink(STROKES, tuple(Symbol(label, (i,), reference) for i, (label, reference) in enumerate(symbols)))


MATHML = """<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>
<mfrac xml:id="f"><msup><mi xml:id="x_1">x</mi><mn xml:id="2_1">2</mn></msup><mi xml:id="x_2">x</mi></mfrac>
</mrow></math>"""


def test_tokens_follow_the_order_of_the_mathml() -> None:
    """Symbols written in any order are found in reading order; layout tokens are not symbols."""
    written = ink(("x", "x_2"), ("-", "f"), ("2", "2_1"), ("x", "x_1"))

    label = ["\\frac", "{", "x", "^", "{", "2", "}", "}", "{", "x", "}"]
    alignment = align_tokens(label, written, MATHML)

    none = UNALIGNED
    assert alignment == [1, none, 3, none, none, 2, none, none, none, 0, none]


def test_without_mathml_nothing_is_aligned() -> None:
    """An ink whose symbols no MathML orders gives no alignment."""
    assert align_tokens(["x", "2"], ink(("x", "a"), ("2", "b")), None) == [UNALIGNED, UNALIGNED]


def test_a_symbol_that_the_label_lacks_is_passed_over() -> None:
    """Tokens beside a mismatch are still aligned."""
    mathml = '<math><mrow><mi xml:id="a">a</mi><mo xml:id="p">+</mo><mi xml:id="b">b</mi></mrow></math>'

    assert align_tokens(["a", "-", "b"], ink(("a", "a"), ("+", "p"), ("b", "b")), mathml) == [0, UNALIGNED, 2]


def test_dots_of_any_name_are_dots() -> None:
    """Annotators called one sign a period, another dots: what stands in its place is aligned."""
    mathml = '<math><mrow><mi xml:id="a">a</mi><mo xml:id="p">.</mo><mi xml:id="b">b</mi></mrow></math>'

    for token in (".", "\\cdot", "\\cdots", "\\ldots"):
        assert align_tokens(["a", token, "b"], ink(("a", "a"), (".", "p"), ("b", "b")), mathml) == [0, 1, 2]


def test_the_index_of_a_root_comes_before_its_radicand() -> None:
    """MathML names the index last, LaTeX first; the brackets round it are not written."""
    mathml = """<math><mrow><mroot xml:id="r"><mi xml:id="x_1">x</mi><mn xml:id="3_1">3</mn></mroot>
    <mo xml:id="p">+</mo><mn xml:id="3_2">3</mn></mrow></math>"""
    written = ink(("\\sqrt", "r"), ("x", "x_1"), ("3", "3_1"), ("+", "p"), ("3", "3_2"))

    alignment = align_tokens(["\\sqrt", "[", "3", "]", "{", "x", "}", "+", "3"], written, mathml)

    none = UNALIGNED
    assert alignment == [0, none, 2, none, none, 1, none, 3, 4]


def test_symbols_can_name_their_tokens_themselves() -> None:
    """Without MathML, references to tokens of the label align them; one beyond the label is passed over."""
    written = ink(("2", token_reference(3)), ("x", token_reference(0)), ("y", token_reference(9)))

    assert align_tokens(["x", "^", "{", "2", "}"], written, None) == [1, UNALIGNED, UNALIGNED, 0, UNALIGNED]
