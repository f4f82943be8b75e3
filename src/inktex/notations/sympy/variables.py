r"""Letters of a formula as SymPy's variables and constants: `x`, `x_1`, `xhat`, `Indexed('a', n + 1)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inktex.latex.spacing import head
from inktex.latex.tree import Command, Node, Row, Symbol
from inktex.notations.sympy.names import ACCENTS, CONSTANTS, INDICES, letter, symbol
from inktex.notations.sympy.values import Value, call, refusal

Read = Callable[[Row], Value]
_SPACES = frozenset({Symbol("~"), Symbol(r"\quad"), Symbol(r"\qquad")})


def visible(items: Sequence[Node]) -> list[Node]:
    """Return things without the spaces between them."""
    return [item for item in items if item not in _SPACES]


def variable(base: Node, sub: Row | None, primes: int, read: Read) -> Value | None:
    """Return a letter, with accents, primes and subscript as part of its name; None of anything else.

    Args:
        base: what carries the subscript.
        sub: the subscript.
        primes: how many stand after it.
        read: reads an index that is no name.
    """
    name = _name(base)
    if name is None:
        return None
    if isinstance(base, Symbol) and base.token in CONSTANTS and sub is None and not primes:
        return None
    name += "prime" * primes
    if sub is None:
        return Value(symbol(name))
    words = [_word(item) for item in visible(sub.items)]
    if words and all(words) and not all(word in INDICES for word in words):
        return Value(symbol(f"{name}_{''.join(map(str, words))}"))
    return call("Indexed", repr(name), *(index.text for index in _indices(sub, words, read)))


def constant(token: str) -> Value:
    """Return a number, or a letter that stands for one.

    Raises:
        LatexError: the token means nothing to SymPy.
    """
    if token[0].isdigit():
        return Value(token if token[1:2] == "." else token.lstrip("0") or "0")
    if token not in CONSTANTS:
        raise refusal(token)
    return Value(CONSTANTS[token])


def _name(base: Node) -> str | None:
    match base:
        case Symbol(token):
            return letter(token)
        case Command(r"\mathrm", (Row((Symbol(word),)),)) if word.isalnum():
            return word
        case Command(name, (Row((inner,)),)) if name in ACCENTS:
            within = _name(inner)
            return within and within + ACCENTS[name]
        case _:
            return None


def _word(item: Node) -> str | None:
    """Return a part of a name that stands in a subscript."""
    match item:
        case Symbol(token) if token.isalnum():
            return token
        case Symbol(r"\max" | r"\min" as token):
            return token[1:]
        case Command(r"\text" | r"\mathrm", (Row((Symbol(word),)),)) if word.isalnum():
            return word
        case Symbol(token):
            return letter(token)
        case _:
            return None


def _indices(sub: Row, words: Sequence[str | None], read: Read) -> list[Value]:
    if words and all(words):
        return [Value(str(word)) for word in words]
    parts: list[list[Node]] = [[]]
    for item in sub.items:
        if head(item) == ",":
            parts.append([])
        else:
            parts[-1].append(item)
    return [read(Row(tuple(part))) for part in parts]
