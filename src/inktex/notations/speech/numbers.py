"""Powers, roots and fractions that have names of their own: squared, the cube root, three fourths."""

from __future__ import annotations

from inktex.latex.spacing import Kind, kinds
from inktex.latex.tree import Row, Symbol
from inktex.notations.spacing import is_letter

_NUMBER_NAMES = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty
"""
_ORDINAL_NAMES = """
zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
"""
_NUMBERS: tuple[str, ...] = tuple(_NUMBER_NAMES.split())
_ORDINALS: tuple[str, ...] = tuple(_ORDINAL_NAMES.split())
_POWERS = {"2": "squared", "3": "cubed"}
_ROOTS = {"2": "square root", "3": "cube root"}
_STARS = frozenset({"*", r"\star"})
_DENOMINATORS = range(2, 11)


def power(exponent: Row, text: str) -> str:
    """Return an exponent whose text is given: squared, to the n-th power, raised to the n plus 1 power."""
    alone = exponent.items[0] if len(exponent.items) == 1 else None
    if not isinstance(alone, Symbol):
        negative = len(exponent.items) == 2 and exponent.items[0] == Symbol("-")
        return f"to the {text} power" if negative else f"raised to the {text} power"
    if alone.token in _STARS:
        return "super star"
    if alone.token in _POWERS:
        return _POWERS[alone.token]
    if alone.token.isdigit() or is_letter(alone.token):
        return f"to the {_ordinal(alone.token, text)} power"
    letter = kinds([alone])[0] is Kind.ORDINARY and text.replace(" ", "").replace(".", "").isalnum()
    return f"to the {text} power" if letter else f"super {text}"


def root(degree: Row, text: str) -> str:
    """Return a root by its degree, whose text is given: square root, fourth root, n-th root."""
    alone = degree.items[0] if len(degree.items) == 1 else None
    if not isinstance(alone, Symbol):
        return f"root of degree {text}"
    if alone.token in _ROOTS:
        return _ROOTS[alone.token]
    return f"{_ordinal(alone.token, text)} root"


def common_fraction(above: Row, below: Row) -> str | None:
    """Return a fraction of small numbers: one half, three fourths; None for others."""
    over, under = _number(above), _number(below)
    if over is None or under is None or under not in _DENOMINATORS or not 1 <= over < len(_NUMBERS):
        return None
    part = "half" if under == 2 else _ORDINALS[under]
    if over > 1:
        part = "halves" if under == 2 else f"{part}s"
    return f"{_NUMBERS[over]} {part}"


def _ordinal(token: str, text: str) -> str:
    if not token.isdigit():
        return f"{text}-th"
    number = int(token)
    if number < len(_ORDINALS):
        return _ORDINALS[number]
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else endings.get(number % 10, 'th')}"


def _number(row: Row) -> int | None:
    match row.items:
        case (Symbol(token),) if token.isdigit():
            return int(token)
        case _:
            return None
