"""Everyday arithmetic: numbers, sums and equations as in exercise books, of which CROHME has little."""

from __future__ import annotations

import numpy as np

_OPERATORS = ("+", "-", r"\times", r"\div", r"\cdot", "/", ":")
_RELATIONS = ("=", "=", "=", "=", r"\approx", "<", ">", r"\neq", r"\leq", r"\geq")


def arithmetic(rng: np.random.Generator) -> tuple[str, ...]:
    """Return a label: a number alone, a sum, or an equation of both."""
    kind = rng.random()
    if kind < 0.25:
        return _number(rng)
    terms = _terms(rng, int(rng.integers(1, 5)))
    if kind < 0.5:
        return terms
    right = _number(rng) if rng.random() < 0.7 else _terms(rng, int(rng.integers(1, 3)))
    return (*terms, _RELATIONS[rng.integers(len(_RELATIONS))], *right)


def _terms(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    tokens = _term(rng)
    for _ in range(count - 1):
        tokens = (*tokens, _OPERATORS[rng.choice(7, p=(0.35, 0.25, 0.2, 0.1, 0.05, 0.03, 0.02))], *_term(rng))
    return tokens


def _term(rng: np.random.Generator) -> tuple[str, ...]:
    kind = rng.random()
    if kind < 0.08:
        return ("(", *_terms(rng, 2), ")")
    if kind < 0.16:
        return (r"\frac", "{", *_digits(rng, 2), "}", "{", *_digits(rng, 2), "}")
    if kind < 0.22:
        return (*_digits(rng, 2), "^", "{", *_digits(rng, 1), "}")
    if kind < 0.25:
        return (r"\sqrt", "{", *_digits(rng, 3), "}")
    return _number(rng)


def _number(rng: np.random.Generator) -> tuple[str, ...]:
    """Return a number: whole, with decimals, in thousands, or a percentage."""
    kind = rng.random()
    whole = _digits(rng, 5)
    if kind < 0.55:
        return whole
    if kind < 0.8:
        point = "." if rng.random() < 0.8 else ","
        return (*(_digits(rng, 3)), point, *(str(rng.integers(10)) for _ in range(rng.integers(1, 4))))
    if kind < 0.9:
        groups = [str(rng.integers(10)) for _ in range(3 * int(rng.integers(1, 3)))]
        separated = [token for at in range(0, len(groups), 3) for token in (",", *groups[at : at + 3])]
        return (*_digits(rng, 3), *separated)
    return (*_digits(rng, 3), r"\%")


def _digits(rng: np.random.Generator, most: int) -> tuple[str, ...]:
    """Return up to so many digits, the first of them not 0 unless it is alone."""
    count = int(rng.integers(1, most + 1))
    first = str(rng.integers(0 if count == 1 else 1, 10))
    return (first, *(str(rng.integers(10)) for _ in range(count - 1)))
