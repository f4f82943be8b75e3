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

from inktex.errors import ConfigError, LatexError
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


def well_formed(text: str) -> list[str]:
    """Return LaTeX tokens as :func:`latex_tokens` does, of labels that can be parsed.

    Raises:
        LatexError: the text is malformed.
    """
    tokens = latex_tokens(text)
    latex.validate(tokens)
    return tokens


def tokens_or_latex(text: str) -> list[str]:
    """Return LaTeX tokens, and ask only of a label that is not cut yet that it can be parsed.

    Raises:
        LatexError: the text is malformed.
    """
    return latex_tokens(text) if _is_cut(text) else well_formed(text)


def caption_tokens(text: str) -> list[str]:
    r"""Return a caption that is cut already as it is, and any other as LaTeX tokens.

    It is cut if every piece between white space is one token of LaTeX, or a delimiter with its `\left` or
    `\right`, which many sets write as one token.

    Raises:
        LatexError: the text is not cut yet, and malformed.
    """
    return text.split() if _is_cut(text) else well_formed(text)


def caption_tokenizer(captions: Iterable[str]) -> Tokenizer:
    r"""Return how to cut the captions of one list.

    Captions that are cut already stay as they are, see :func:`caption_tokens`. Only where most captions are
    not, `\left(` is two tokens in all of them.
    """
    cut = uncut = 0
    for caption in captions:
        if not _is_cut(caption):
            uncut += 1
        elif len(caption.split()) > 1:  # a single token tells nothing
            cut += 1
    return caption_tokens if cut >= uncut else well_formed


def characters(text: str) -> list[str]:
    """Return the characters without white space and ``$``."""
    return [character for character in text if not character.isspace() and character != _MATHEMATICS]


def dialect(text: str) -> list[str]:
    """Return the tokens in the dialect of the official CROHME captions.

    Raises:
        LatexError: the text is no formula.
    """
    return latex_normalize.normalize(text)


def _is_cut(text: str) -> bool:
    return all(_is_token(piece) or _is_fence(piece) for piece in text.split())


def _is_token(piece: str) -> bool:
    return len(piece) == 1 or _tokens_of(piece) == [piece]


def _is_fence(piece: str) -> bool:
    tokens = _tokens_of(piece) if piece.startswith((r"\left", r"\right")) else []
    return len(tokens) == 2 and tokens[0] in (r"\left", r"\right") and tokens[1] in latex.DELIMITERS


def _tokens_of(piece: str) -> list[str]:
    try:
        return latex.tokenize(piece)
    except LatexError:
        return []


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
