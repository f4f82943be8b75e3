r"""Labels with words, accents, fences, boxes and labelled arrows, of which lists hold too few.

What is drawn for a part comes from the labels of lists, see :mod:`inktex.data.synthesis.constructs`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from inktex.latex.spacing import KINDS, Kind
from inktex.latex.tree import Row, commands, parse, to_tokens

Tokens = tuple[str, ...]
Draw = Callable[[int], Tokens]  # a label of at most so many tokens

LETTERS = tuple("abcdkmnpqrstuvwxyzABCDEFMNPQRSTXYZ")
_GREEK = commands(
    "alpha beta gamma delta epsilon eta theta lambda mu nu xi pi rho sigma tau phi varphi psi omega"
)
_WORD_LIST = """
if otherwise for and or where then let with when even odd is not such that all as in on else unless iff since
hence thus so by of the we get have are real integer prime finite almost every some any const area rate time
mass speed total cost error data train test loss input output wenn sonst und oder falls mit si et ou pour avec
sinon
"""
_AROUND = (
    (r"\|", r"\|"),
    (r"\lfloor", r"\rfloor"),
    (r"\lceil", r"\rceil"),
    (r"\langle", r"\rangle"),
    ("|", "|"),
)
_ACCENTS = (r"\hat", r"\bar", r"\vec", r"\dot", r"\ddot", r"\tilde", r"\check")
_WIDE = (
    r"\widehat",
    r"\widetilde",
    r"\overline",
    r"\underline",
    r"\overrightarrow",
    r"\underbrace",
    r"\overbrace",
)
TRIES = 12
RELATIONS = frozenset(token for token, kind in KINDS.items() if kind is Kind.RELATION)


def text(draw: Draw, rng: np.random.Generator) -> Tokens:
    """Return words between formulas, before one, or after one."""
    found = words(rng, ())
    kind = rng.random()
    if kind < 0.15:
        return found
    first = with_relation(draw, 14) if rng.random() < 0.5 else draw(10)
    if kind < 0.4:
        return (*found, *first)
    return (*first, *found, *draw(10)) if kind < 0.8 else (*first, *found)


def words(rng: np.random.Generator, choices: Sequence[str]) -> Tokens:
    """Return one of the choices as a text, or a few words if there are none."""
    known = _WORD_LIST.split()
    some = rng.choice(choices, size=1) if choices else rng.choice(known, size=int(rng.integers(1, 4)))
    spelled = [token for word in some for token in ("~", *str(word))][1:]
    return (r"\text", "{", *spelled, "}")


def accents(draw: Draw, rng: np.random.Generator) -> Tokens:
    """Return a label some of whose letters bear an accent, or a part of which lies under a wide one."""
    tokens = list(draw(25))
    if rng.random() < 0.25:
        return _wide(tuple(tokens), rng)
    accent = str(rng.choice(_ACCENTS, p=(0.22, 0.2, 0.2, 0.14, 0.07, 0.14, 0.03)))
    letters = sorted({token for token in tokens if _is_letter(token)})
    chosen = {letter for letter in letters if rng.random() < 0.5} or set(letters[:1])
    if not chosen:
        return (accent, "{", str(rng.choice([*LETTERS, *_GREEK])), "}", *tokens)
    return tuple(
        part for token in tokens for part in ((accent, "{", token, "}") if token in chosen else (token,))
    )


def _wide(tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Return a label with a run of its items under a wide accent."""
    items = parse(tokens).items
    first = int(rng.integers(len(items)))
    last = min(len(items), first + int(rng.integers(2, 5)))
    name = str(rng.choice(_WIDE, p=(0.12, 0.12, 0.32, 0.12, 0.12, 0.12, 0.08)))
    inside = ("{", *to_tokens(Row(items[first:last])), "}")
    label: Tokens = ()
    if name in (r"\underbrace", r"\overbrace") and rng.random() < 0.6:
        label = ("_" if name == r"\underbrace" else "^", "{", str(rng.choice(LETTERS)), "}")
    return (*to_tokens(Row(items[:first])), name, *inside, *label, *to_tokens(Row(items[last:])))


def fences(draw: Draw, rng: np.random.Generator) -> Tokens:
    """Return a label with a part of it in bars, floors or angles."""
    left, right = _AROUND[int(rng.choice(len(_AROUND), p=(0.4, 0.17, 0.15, 0.2, 0.08)))]
    inner = draw(10)
    if left == r"\langle" and rng.random() < 0.7:
        inner = (*inner, ",", *draw(5)) if rng.random() < 0.5 else (*draw(4), "|", *draw(4))
    after: Tokens = (
        ("_", "{", str(rng.choice(("2", "1", r"\infty", "F", "p"))), "}")
        if left == r"\|" and rng.random() < 0.3
        else ()
    )
    rest = rng.random()
    fenced = (left, *inner, right, *after)
    if rest < 0.35:
        return fenced
    sign = str(rng.choice(("=", "+", r"\leq", "<", "-", r"\geq")))
    return (*fenced, sign, *draw(12)) if rest < 0.7 else (*draw(10), sign, *fenced)


def marks(draw: Draw, rng: np.random.Generator) -> Tokens:
    """Return a boxed result, a circled number, a labelled arrow, a sign below a word, a struck relation."""
    kind = rng.random()
    if kind < 0.25:
        return (r"\boxed", "{", *with_relation(draw, 14), "}")
    if kind < 0.4:
        return (*draw(14), r"\textcircled", "{", str(rng.integers(1, 10)), "}")
    if kind < 0.6:
        name = r"\xrightarrow" if rng.random() < 0.7 else r"\xlongequal"
        return (*draw(8), name, "{", *draw(5), "}", *draw(8))
    if kind < 0.8:
        name = r"\overset" if rng.random() < 0.7 else r"\underset"
        above = _spelled(rng) if rng.random() < 0.5 else draw(3)
        return (
            *draw(6),
            name,
            "{",
            *above,
            "}",
            "{",
            str(rng.choice(("=", r"\rightarrow", r"\sim", r"\leq"))),
            "}",
            *draw(8),
        )
    return (
        *draw(6),
        r"\not",
        str(rng.choice((r"\subset", r"\equiv", r"\sim", r"\leq", r"\rightarrow", r"\parallel"))),
        *draw(6),
    )


def _spelled(rng: np.random.Generator) -> Tokens:
    return tuple(str(rng.choice(("def", "!", "?", "d", "iid", "H"))))


def with_relation(draw: Draw, longest: int) -> Tokens:
    """Return a label with a relation in it, if one is found soon."""
    label = draw(longest)
    for _ in range(TRIES):
        if not RELATIONS.isdisjoint(label):
            return label
        label = draw(longest)
    return label


def _is_letter(token: str) -> bool:
    return token in LETTERS or token in _GREEK
