"""How a token is looked up in a notation's table of symbols, and its character where there is no name."""

from __future__ import annotations

from collections.abc import Mapping

from inktex.latex.spellings import SYNONYMS
from inktex.mathml.symbols import FUNCTIONS, IDENTIFIERS, OPERATORS, UPRIGHT_IDENTIFIERS


def pairs(text: str) -> dict[str, str]:
    """Return commands, given without their backslashes, and their names, which follow each."""
    words = text.split()
    return {"\\" + name: other for name, other in zip(words[::2], words[1::2], strict=True)}


def looked_up(token: str, table: Mapping[str, str]) -> str | None:
    """Return what a table has for a token, or for the token that looks the same."""
    same = SYNONYMS.get(token, ())
    return table.get(token, table.get(same[0]) if len(same) == 1 else None)


def character(token: str) -> str:
    """Return the character or word that a token draws; of a command that is not known, its name."""
    for table in (IDENTIFIERS, UPRIGHT_IDENTIFIERS, FUNCTIONS):
        if token in table:
            return table[token]
    return OPERATORS[token][0] if token in OPERATORS else token


def as_typed(token: str) -> str:
    r"""Return a token as people type it: characters of ASCII as they are, without the backslash of `\{`."""
    bare = token[1:] if len(token) == 2 and token[0] == "\\" and not token[1].isalnum() else token
    return bare if len(bare) == 1 and bare.isascii() else character(token)
