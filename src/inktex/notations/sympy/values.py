"""Pieces of SymPy text, with how tightly each is bound, and how they are put together."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from inktex.errors import LatexError


class Binding(IntEnum):
    """How tightly the outermost operation of a text binds."""

    STATEMENT = 0  # a list, a set or a tuple
    SUM = 1  # also what begins with a minus
    PRODUCT = 2
    POWER = 3
    ATOM = 4


class Value(NamedTuple):
    """A text, and what it is."""

    text: str
    binding: Binding = Binding.ATOM

    def within(self, binding: Binding) -> str:
        """Return the text as an operand of what binds so tightly, in parentheses where it has to be.

        Raises:
            LatexError: it is a list, which is no operand.
        """
        if self.binding is Binding.STATEMENT:
            raise LatexError("SymPy has no counterpart for a list as an operand.")
        return self.text if self.binding >= binding else f"({self.text})"


def refusal(token: str) -> LatexError:
    """Return the error of a token that means nothing to SymPy."""
    return LatexError(f"SymPy has no counterpart for '{token}'.")


def call(name: str, *arguments: str) -> Value:
    """Return a call."""
    return Value(f"{name}({', '.join(arguments)})")


def power(base: Value, exponent: Value) -> Value:
    """Return a power; of Euler's number the exponential function."""
    if base.text == "E":
        return call("exp", exponent.text)
    return Value(f"{base.within(Binding.ATOM)}**{exponent.within(Binding.ATOM)}", Binding.POWER)


def quotient(above: Value, below: Value) -> Value:
    """Return a fraction."""
    return Value(f"{above.within(Binding.PRODUCT)}/{below.within(Binding.POWER)}", Binding.PRODUCT)


def product(factors: Sequence[Value]) -> Value:
    """Return factors, at least one, multiplied."""
    if len(factors) == 1:
        return factors[0]
    return Value("*".join(factor.within(Binding.PRODUCT) for factor in factors), Binding.PRODUCT)


def negative(value: Value) -> Value:
    """Return a value with its sign changed."""
    return Value(f"-{value.within(Binding.PRODUCT)}", Binding.SUM)
