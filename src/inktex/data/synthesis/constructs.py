"""Labels of constructs that lists hold too few of: arrays, cases, derivations, bounds, and ornaments.

Each is made around labels that people wrote, taken from lists, so that what stands in a cell, on a line or
under an accent is what usually does. Every function is of a generator and of a function that draws such a
label of at most so many tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from inktex.data.synthesis.ornaments import (
    LETTERS,
    RELATIONS,
    TRIES,
    Draw,
    Tokens,
    accents,
    fences,
    marks,
    text,
    with_relation,
    words,
)
from inktex.errors import LatexError
from inktex.latex.normalize import normalize

_FENCES = (("(", ")"), ("[", "]"), ("|", "|"), (r"\|", r"\|"), (r"\{", r"\}"), ("", ""))
_STACKED = (
    r"\sum",
    r"\prod",
    r"\bigcup",
    r"\bigcap",
    r"\bigoplus",
    r"\bigotimes",
    r"\int",
    r"\oint",
    r"\iint",
)
_NAMED = (r"\max", r"\min", r"\sup", r"\inf", r"\lim", r"\limsup", r"\liminf")


def construct(draw: Draw, rng: np.random.Generator) -> Tokens:
    """Return a label with one of the constructs, in the dialect."""
    for _ in range(TRIES):
        make = _KINDS[int(rng.choice(len(_KINDS), p=_SHARES))]
        try:
            return tuple(normalize(" ".join(make(draw, rng))))
        except LatexError:
            continue
    return draw(30)


def _array(rows: Sequence[Sequence[Tokens]]) -> Tokens:
    lines = [[*line[0], *(token for cell in line[1:] for token in ("&", *cell))] for line in rows]
    inside = [*lines[0], *(token for line in lines[1:] for token in (r"\\", *line))]
    return (r"\begin{matrix}", *inside, r"\end{matrix}")


def _matrix(draw: Draw, rng: np.random.Generator) -> Tokens:
    rows, columns = (int(rng.choice((1, 2, 3, 4), p=(0.08, 0.47, 0.33, 0.12))) for _ in range(2))
    if rows * columns == 1:
        rows = 2
    entry = _entries(draw, rng)
    cells = [[entry() for _ in range(columns)] for _ in range(rows)]
    if min(rows, columns) > 2 and rng.random() < 0.25:  # dots along the middle
        for row in range(rows):
            cells[row][columns - 2] = (r"\cdots",)
        cells[rows - 2] = [(r"\vdots",)] * columns
        cells[rows - 2][columns - 2] = (r"\ddots",)
    left, right = _FENCES[int(rng.choice(len(_FENCES), p=(0.4, 0.3, 0.15, 0.03, 0.04, 0.08)))]
    matrix = tuple(filter(None, (left, *_array(cells), right)))
    kind = rng.random()
    if kind < 0.3:
        return (str(rng.choice(LETTERS)), "=", *matrix)
    if kind < 0.4:
        return (*draw(8), *matrix)
    if kind < 0.5 and right:
        return (*matrix, "^", "{", *((("T",), ("-", "1"), ("n",))[rng.integers(3)]), "}")
    if kind < 0.65 and right:
        second = [[entry()] for _ in range(columns)]
        return (*matrix, left, *_array(second), right)
    return matrix


def _entries(draw: Draw, rng: np.random.Generator) -> Callable[[], Tokens]:
    """Return what draws the cells of one matrix: digits, signed numbers, letters with indices, or labels."""
    kind = rng.random()
    letter = str(rng.choice(LETTERS))

    def digits() -> Tokens:
        return (str(rng.integers(10)),)

    def numbers() -> Tokens:
        sign = ("-",) if rng.random() < 0.3 else ()
        return (*sign, *str(rng.integers(0, 30)))

    def letters() -> Tokens:
        return (str(rng.choice(LETTERS)),)

    def indexed() -> Tokens:
        return (
            letter,
            "_",
            "{",
            str(rng.integers(1, 5)),
            *([str(rng.integers(1, 5))] if kind < 0.62 else []),
            "}",
        )

    def anything() -> Tokens:
        return draw(7) if rng.random() < 0.5 else numbers()

    return (
        digits
        if kind < 0.25
        else numbers
        if kind < 0.4
        else letters
        if kind < 0.55
        else indexed
        if kind < 0.68
        else anything
    )


def _cases(draw: Draw, rng: np.random.Generator) -> Tokens:
    """Return a function by cases, or a system of equations."""
    count = int(rng.choice((2, 3, 4), p=(0.6, 0.32, 0.08)))
    if rng.random() < 0.4:
        rows = [[with_relation(draw, 18)] for _ in range(count)]
        start: Tokens = ()
    else:
        condition = rng.random() < 0.6
        rows = [
            [
                draw(12),
                (*(words(rng, ("if", "for", "wenn", "si")) if condition else ()), *with_relation(draw, 9)),
            ]
            for _ in range(count)
        ]
        if rng.random() < 0.3:
            rows[-1][1] = words(rng, ("otherwise", "else", "sonst"))
        name = str(rng.choice(("f", "g", "h", "u", "F", r"\phi")))
        variable = str(rng.choice(("x", "t", "n", "z")))
        start = (name, "(", variable, ")", "=") if rng.random() < 0.7 else (*draw(4), "=")
    return (*start, r"\{", *_array(rows))


def _lines(draw: Draw, rng: np.random.Generator) -> Tokens:
    """Return a derivation: equations, of which later ones may begin with their relation."""
    count = int(rng.choice((2, 3, 4, 5), p=(0.45, 0.3, 0.15, 0.1)))
    lines = [with_relation(draw, 26)]
    goes_on = rng.random() < 0.6
    for _ in range(count - 1):
        line = with_relation(draw, 22)
        place = next((n for n, token in enumerate(line) if token in RELATIONS), 0)
        lines.append(line[place:] if goes_on else line)
    inside = [*lines[0], *(token for line in lines[1:] for token in (r"\\", *line))]
    return (r"\begin{aligned}", *inside, r"\end{aligned}")


def _bounds(draw: Draw, rng: np.random.Generator) -> Tokens:
    """Return a large operator or function with what stands under and over it, and a term."""
    index = str(rng.choice(("i", "j", "k", "n", "m", "x")))
    if rng.random() < 0.35:
        name = str(rng.choice(_NAMED))
        below: Tokens = (
            index,
            str(rng.choice((r"\rightarrow", r"\in", r"\leq", r"\geq"))),
            str(rng.choice(("A", "S", "n", "0", r"\infty", "X"))),
        )
        above: Tokens = ()
    else:
        name = str(rng.choice(_STACKED, p=(0.2, 0.25, 0.13, 0.1, 0.06, 0.06, 0.1, 0.06, 0.04)))
        below = (index, "=", str(rng.integers(2))) if rng.random() < 0.6 else draw(5)
        above = (str(rng.choice(("n", "m", "N", "k", r"\infty"))),) if rng.random() < 0.6 else ()
    scripts = ("_", "{", *below, "}", *(("^", "{", *above, "}") if above else ()))
    before = (*draw(6), "=") if rng.random() < 0.4 else ()
    return (*before, name, *scripts, *draw(14))


_KINDS = (_matrix, _cases, _lines, text, accents, fences, _bounds, marks)
_SHARES = (0.17, 0.12, 0.14, 0.11, 0.17, 0.1, 0.12, 0.07)
