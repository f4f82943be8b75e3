r"""`'` as the superscript it is: `f'^2` reads `f ^ { \prime 2 }`."""

from collections.abc import Sequence
from typing import NamedTuple

from inktex.latex.tokens import MAX_DEPTH


class Raised(NamedTuple):
    """A token, and its place among the tokens as they were typed; -1 if it stands there for others."""

    token: str
    place: int


def primes_raised(tokens: Sequence[str]) -> list[str]:
    r"""`'` after something as a superscript, and elsewhere as `\prime`."""
    return [token for token, _ in primes_with_places(tokens)] if "'" in tokens else list(tokens)


def primes_with_places(tokens: Sequence[str]) -> list[Raised]:
    """The tokens of :func:`primes_raised`, and where each was typed."""
    result: list[Raised] = []
    place = 0
    while place < len(tokens):
        end = _text_end(tokens, place)
        if end == place:
            while end < len(tokens) and tokens[end] == "'":
                end += 1
            primes = [Raised(r"\prime", each) for each in range(place, end)]
            end = _raise(result, primes, tokens, end) if primes else place
        if end == place:
            end = place + 1
            result.append(Raised(tokens[place], place))
        elif tokens[place] == r"\text":
            result += [Raised(tokens[each], each) for each in range(place, end)]
        place = end
    return result


def _text_end(tokens: Sequence[str], place: int) -> int:
    """Where a text ends: in it `'` is an apostrophe."""
    if tokens[place] != r"\text":
        return place
    first = "".join(tokens[place + 1 : place + 2])
    close = "}" if first == "{" else first.replace(r"\begin{", r"\end{")
    if close == first:  # one character, without braces
        return min(place + 2, len(tokens))
    depth = 0
    for end in range(place + 1, len(tokens)):
        depth += (tokens[end] == first) - (tokens[end] == close)
        if not depth:
            return end + 1
        if depth > MAX_DEPTH:  # such nesting is refused, and many openings would take long
            break
    return place


def _raise(result: list[Raised], primes: list[Raised], tokens: Sequence[str], end: int) -> int:
    """Write primes behind what stands before them; return where the tokens go on."""
    if not result or result[-1].token in ("{", "_", "^"):
        result += primes
        return end
    result += [Raised("^", -1), Raised("{", -1), *primes]
    sign, argument = (*tokens[end : end + 2], "", "")[:2]
    if sign != "^" or argument in ("", "}"):
        result.append(Raised("}", -1))
        return end
    if argument != "{":  # a group brings its closing brace
        argument = r"\prime" if argument == "'" else argument
        result += [Raised(argument, end + 1), Raised("}", -1)]
    return end + 2
