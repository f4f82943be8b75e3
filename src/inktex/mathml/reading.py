"""Tokens as the printer of MathML takes them."""

from collections.abc import Collection, Sequence

from inktex.latex.primes import primes_with_places
from inktex.latex.tree import Row, is_well_formed, parse


def read(tokens: Sequence[str], marked: Collection[int]) -> tuple[Row, Sequence[str], Collection[int]]:
    """Return the tree, its tokens and the marks, with typed primes as superscripts where they can be.

    Raises:
        LatexError: the tokens are not well-formed.
    """
    if "'" in tokens:
        raised, places = zip(*primes_with_places(tokens), strict=True)
        if is_well_formed(raised):
            return parse(raised), raised, {at for at, place in enumerate(places) if place in marked}
    return parse(tokens), tokens, marked
