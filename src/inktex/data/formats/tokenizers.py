r"""Labels cut into tokens, in five ways.

===========  =========================================================================================
whitespace   what stands between white space, as it is: labels that are tokens already
latex        commands, escaped characters, ends of environments, single characters; ``$`` is dropped
character    every character (code point) but white space and ``$``
matching     forward maximum matching: at every place the longest entry of a vocabulary that fits
dialect      latex, then in the dialect of the official CROHME captions (:mod:`inktex.latex.normalize`)
===========  =========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from inktex.errors import ConfigError
from inktex.latex import normalize as latex_normalize
from inktex.latex import tree as latex

Tokenizer = Callable[[str], list[str]]

NAMES: tuple[str, ...] = ("whitespace", "latex", "character", "matching", "dialect")
_MATHEMATICS = "$"  # switches mathematics on and off, and draws nothing


def whitespace(text: str) -> list[str]:
    """Return what stands between white space."""
    return text.split()


def latex_tokens(text: str) -> list[str]:
    r"""Return LaTeX tokens without the ``$`` round them; ``\$`` stays.

    Raises:
        LatexError: the text ends in a lone backslash.
    """
    return [token for token in latex.tokenize(text) if token != _MATHEMATICS]


def characters(text: str) -> list[str]:
    """Return the characters without white space and ``$``."""
    return [character for character in text if not character.isspace() and character != _MATHEMATICS]


def dialect(text: str) -> list[str]:
    """Return the tokens in the dialect of the official CROHME captions.

    Raises:
        LatexError: the text is no formula.
    """
    return latex_normalize.normalize(text)


@dataclass(frozen=True)
class Matching:
    """Forward maximum matching.

    At every place the longest entry that fits is a token. White space ends an entry and is dropped. A
    character with which no entry fits is a token of its own.

    Attributes:
        entries: the vocabulary; entries that hold white space never fit.
    """

    entries: frozenset[str]
    _sizes: dict[str, Sequence[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sizes: dict[str, set[int]] = {}
        for entry in self.entries:
            if entry:
                sizes.setdefault(entry[0], set()).add(len(entry))
        longest_first = {first: sorted(found, reverse=True) for first, found in sizes.items()}
        object.__setattr__(self, "_sizes", longest_first)

    def __call__(self, text: str) -> list[str]:
        """Return the tokens of a text."""
        return [token for piece in text.split() for token in self._matched(piece)]

    def _matched(self, piece: str) -> Iterable[str]:
        place = 0
        while place < len(piece):
            sizes = self._sizes.get(piece[place], ())
            fits = (piece[place : place + size] for size in sizes)
            token = next((entry for entry in fits if entry in self.entries), piece[place])
            yield token
            place += len(token)


def choose(name: str, entries: Iterable[str] | None = None) -> Tokenizer:
    """Return the tokenizer of a name.

    Args:
        name: one of ``NAMES``.
        entries: the vocabulary, needed for matching.

    Raises:
        ConfigError: no such name, or matching without a vocabulary.
    """
    if name == "matching":
        if entries is None:
            raise ConfigError("the tokenizer 'matching' needs a vocabulary to match with: --vocabulary FILE")
        return Matching(frozenset(entries))
    plain: dict[str, Tokenizer] = {
        "whitespace": whitespace,
        "latex": latex_tokens,
        "character": characters,
        "dialect": dialect,
    }
    if name not in plain:
        raise ConfigError(f"there is no tokenizer {name!r}; there are: {', '.join(NAMES)}")
    return plain[name]
