"""Constructs laid out by rule: accents, arrays, lines, circles, words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from inktex.data.dataset import Sample
from inktex.data.synthesis.synthesizer import Synthesizer, read_expressions
from inktex.ink.strokes import Ink, Symbol
from inktex.latex.normalize import normalize
from inktex.latex.tree import tokenize
from typewriter import typed

Box = tuple[float, float, float, float]
ROOM = 100.0


def drawn(token: str, width: float, height: float) -> Sample:
    stroke = np.array([[0, -height / 2], [width, height / 2], [0, height / 2]], np.float32) * np.float32(ROOM)
    return Sample(
        token, "train", "made", (token,), None, Ink((stroke,), (Symbol(token, (0,), "token-0"),)), "w"
    )


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    """A library of typed expressions and of boxes for all that the constructs need."""
    expressions = read_expressions(
        [
            typed(label)
            for label in ("x + y = 2", "x ^ { 2 } b", "x _ { 1 } ( y )", "\\frac { x } { y }", "| x | = 1")
            * 4
        ]
    )
    signs = {
        "-": (0.8, 0.05),
        r"\rightarrow": (1.0, 0.3),
        ".": (0.05, 0.05),
        r"\hat": (0.5, 0.3),
        r"\tilde": (0.5, 0.2),
        r"\circ": (0.3, 0.3),
        r"\square": (0.8, 0.8),
        r"\{": (0.3, 1.2),
        "/": (0.4, 1.2),
        "=": (0.7, 0.3),
    }
    letters = dict.fromkeys("acdefimnopsux", (0.6, 0.7))
    return Synthesizer(
        expressions, symbols=[drawn(token, *size) for token, size in (signs | letters).items()]
    )


def boxes(synthesizer: Synthesizer, latex: str, seed: int = 0) -> dict[int, Box]:
    """The box of the ink of each token that has some."""
    strokes = synthesizer.write(tuple(normalize(latex)), "test/w", np.random.default_rng(seed))
    assert strokes is not None, latex
    found = {}
    for place, group in enumerate(strokes):
        if group:
            points = np.concatenate(group)
            found[place] = (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("accent", ["hat", "bar", "vec", "dot", "ddot", "tilde"])
def test_an_accent_stands_above_its_letter(synthesizer: Synthesizer, accent: str, seed: int) -> None:
    """Its ink ends above where the letter's begins, near its middle, and is hardly wider."""
    found = boxes(synthesizer, rf"\{accent}{{x}}", seed)
    mark, letter = found[0], found[2]

    assert mark[3] < letter[1]
    assert abs(mark[0] + mark[2] - letter[0] - letter[2]) / 2 < 0.4 * ROOM
    assert mark[2] - mark[0] < 1.3 * (letter[2] - letter[0])


@pytest.mark.parametrize(
    ("command", "above"),
    [
        ("overline", True),
        ("underline", False),
        ("overrightarrow", True),
        ("underbrace", False),
        ("overbrace", True),
    ],
)
def test_a_line_over_or_under_a_group_is_as_long_as_the_group(
    synthesizer: Synthesizer, command: str, above: bool
) -> None:
    """The line lies wholly on its side of the group and covers at least four fifths of its width."""
    found = boxes(synthesizer, rf"\{command}{{x+y+b}}")
    line = found.pop(0)
    left, top = min(box[0] for box in found.values()), min(box[1] for box in found.values())
    right, bottom = max(box[2] for box in found.values()), max(box[3] for box in found.values())

    assert line[3] < top if above else line[1] > bottom
    assert line[2] - line[0] > 0.8 * (right - left)


@pytest.mark.parametrize("seed", range(5))
def test_cells_of_a_matrix_stand_in_rows_and_columns_within_its_fence(
    synthesizer: Synthesizer, seed: int
) -> None:
    """Of 2 x 2 cells each is right of or below its neighbours, and both brackets span both rows."""
    found = boxes(synthesizer, r"\begin{pmatrix} x & y \\ b & 2 \end{pmatrix}", seed)
    opening, a, b, c, d, closing = (found[place] for place in sorted(found))

    assert a[2] < b[0]
    assert c[2] < d[0]
    assert max(a[3], b[3]) < min(c[1], d[1])
    for fence in (opening, closing):
        assert fence[3] - fence[1] > 0.9 * (max(c[3], d[3]) - min(a[1], b[1]))
    assert opening[0] < min(a[0], c[0])
    assert closing[2] > max(b[2], d[2])


def test_a_brace_before_cases_is_as_high_as_they_are(synthesizer: Synthesizer) -> None:
    """It grows although nothing closes it."""
    found = boxes(synthesizer, r"\begin{cases} x=1 \\ y=2 \\ b=1 \end{cases}")
    brace = found.pop(0)

    assert brace[3] - brace[1] > 0.9 * (max(b[3] for b in found.values()) - min(b[1] for b in found.values()))


def test_lines_of_a_derivation_stand_below_one_another(synthesizer: Synthesizer) -> None:
    """Every line's ink begins below the ink of the line before."""
    latex = r"\begin{aligned} x &= y+2 \\ &= b \\ &= 1 \end{aligned}"
    tokens = normalize(latex)
    found = boxes(synthesizer, latex)
    ends = [place for place, token in enumerate(tokens) if token in (r"\\", r"\end{aligned}")]
    between = pairwise([0, *ends])
    rows = [[box for place, box in found.items() if start < place < end] for start, end in between]

    for upper, lower in pairwise(rows):
        assert max(box[3] for box in upper) < min(box[1] for box in lower)


def test_a_circle_and_a_box_surround_what_they_hold(synthesizer: Synthesizer) -> None:
    """Their ink reaches beyond that of the content on every side."""
    for latex in (r"\textcircled{2}", r"\boxed{x+y}"):
        found = boxes(synthesizer, latex)
        frame = found.pop(0)
        for box in found.values():
            assert frame[0] < box[0]
            assert frame[1] < box[1]
            assert frame[2] > box[2]
            assert frame[3] > box[3]


def test_words_and_functions_are_spelled_in_letters(synthesizer: Synthesizer) -> None:
    """A word has ink for every letter but not for its space; a function is the ink of its one token."""
    tokens = normalize(r"\text{if one}")
    found = boxes(synthesizer, r"\text{if one}")

    assert sorted(found) == [
        place for place, token in enumerate(tokens) if token not in (r"\text", "{", "}", "~")
    ]
    assert list(boxes(synthesizer, r"\max")) == [0]
    strokes = synthesizer.write((r"\max",), "test/w", np.random.default_rng(0))
    assert strokes is not None
    assert len(strokes[0]) == 3


def test_what_nobody_wrote_is_not_written(synthesizer: Synthesizer) -> None:
    """A letter without ink, an empty accent and a letter in an alphabet that nobody drew give nothing."""
    for latex in (r"\Omega", r"\mathbb{R}", r"\hat{}"):
        assert synthesizer.write(tuple(tokenize(latex)), "test/w", np.random.default_rng(0)) is None
