"""Where notations that are typed by people have no space between two things."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from inktex.latex.spacing import Kind, head
from inktex.latex.tree import Environment, Fence, Node, Script, Symbol
from inktex.notations.scripts import without_primes

_SIGNS = frozenset({Symbol("+"), Symbol("-")})
_AFTER = frozenset({Symbol(","), Symbol(";"), Symbol("!")})


def is_glued(items: Sequence[Node], kinds: Sequence[Kind], place: int, functions: Collection[str]) -> bool:
    """Whether a thing follows the one before it without a space: `-x`, `2x`, `f(x)`, `n!`, `a,`.

    Args:
        items: of a row.
        kinds: what each is to its neighbours.
        place: of the thing; not the first.
        functions: tokens that a parenthesis may follow at once, besides letters.
    """
    left, right = items[place - 1], items[place]
    if right in _AFTER:
        return True
    if kinds[place - 1] is Kind.SIGN and left in _SIGNS:
        return kinds[place] in (Kind.ORDINARY, Kind.FENCE, Kind.FUNCTION)
    if isinstance(right, Fence):
        plain = (right.left, right.right) == ("(", ")") and array_in(right) is None
        return plain and _calls(left, functions)
    return isinstance(left, Symbol) and left.token[0].isdigit() and is_letter(head(right))


def array_in(node: Fence) -> Environment | None:
    """Return the array that is all that stands between delimiters."""
    first = node.body.items[0] if len(node.body.items) == 1 else None
    return first if isinstance(first, Environment) else None


def is_letter(token: str) -> bool:
    """Whether a token is one of the 52 letters."""
    return len(token) == 1 and token.isascii() and token.isalpha()


def _calls(left: Node, functions: Collection[str]) -> bool:
    token = head(left)
    if isinstance(left, Script) and (left.sub is not None or without_primes(left.sup)[1] is not None):
        return False
    return token in functions or is_letter(token)
