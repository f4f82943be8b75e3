r"""What a superscript holds besides an exponent: primes and degrees."""

from __future__ import annotations

from inktex.latex.tree import Row, Symbol

_PRIME, _CIRCLE = Symbol(r"\prime"), Symbol(r"\circ")


def without_primes(sup: Row | None) -> tuple[int, Row | None]:
    """Return how many primes a superscript begins with, and what follows, None for nothing."""
    if sup is None:
        return 0, None
    primes = next((at for at, item in enumerate(sup.items) if item != _PRIME), len(sup.items))
    return primes, Row(sup.items[primes:]) if primes < len(sup.items) else None


def is_degree(sup: Row | None) -> bool:
    """Whether a superscript is the sign of degrees."""
    return sup == Row((_CIRCLE,))
