"""Vocabulary files of the field, in three forms, to and from :class:`inktex.vocabulary.Vocabulary`.

=====  ===========================================================================================
json   ``{"TOKEN": ID, ...}`` (image-to-latex); a list of tokens in the order of their ids is read too
lines  a token a line, in the order of their ids (CoMER's dictionary, CAN's words_dict)
table  ``TOKEN<TAB>ID`` a line (HMER V2.0)
=====  ===========================================================================================

Padding, start, end and the unknown are told by their names, whatever the file calls them and wherever they
stand: ``<pad>``, ``<PAD>`` and ``pad`` are one, and so are ``<eos>``, ``<eol>`` and ``eos``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from inktex.errors import VocabularyError
from inktex.vocabulary import END, PAD, SPECIALS, START, UNKNOWN, Vocabulary

Form = Literal["json", "lines", "table"]
FORMS: tuple[Form, ...] = get_args(Form)
_SPECIAL_WORDS: dict[str, str] = {
    **dict.fromkeys(("pad",), PAD),
    **dict.fromkeys(("sos", "bos", "start", "s"), START),
    **dict.fromkeys(("eos", "eol", "end", "/s"), END),
    **dict.fromkeys(("unk", "unknown"), UNKNOWN),
}
_BARE_WORDS = frozenset(("pad", "sos", "bos", "eos", "eol", "unk"))  # which no label holds as one token


def special_of(token: str) -> str | None:
    """Return the special token that a file's token stands for, None for a token of labels."""
    word = token.lower()
    if word.startswith("<") and word.endswith(">") and len(word) > 2:
        return _SPECIAL_WORDS.get(word[1:-1])
    return _SPECIAL_WORDS[word] if word in _BARE_WORDS else None


def read_tokens(path: Path) -> tuple[str, ...]:
    """Read a vocabulary file in any of the forms: its tokens in the order of their ids, as they stand there.

    Raises:
        VocabularyError: it cannot be read, or is no sound vocabulary.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise VocabularyError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise VocabularyError(f"{path} is not text in UTF-8") from None
    return parse_tokens(text, str(path))


def parse_tokens(text: str, source: str) -> tuple[str, ...]:
    """Read what a vocabulary file holds; see :func:`read_tokens`.

    Args:
        text: the file's text.
        source: how errors name it.

    Raises:
        VocabularyError: it is no sound vocabulary.
    """
    is_json = text.lstrip()[:1] in ("{", "[") and text.rstrip()[-1:] in ("}", "]")
    pairs = (_from_json(text) if is_json else None) or _from_lines(text, source)
    tokens: dict[str, int] = {}
    for token, number in pairs:
        if token.split() != [token]:
            raise VocabularyError(f"{source} holds {token!r}, and a token must be text without white space")
        if token in tokens:
            raise VocabularyError(f"{source} holds the token {token!r} twice")
        tokens[token] = number
    if len(set(tokens.values())) < len(tokens):
        raise VocabularyError(f"{source} gives two tokens one id")
    if not tokens:
        raise VocabularyError(f"{source} holds no tokens")
    return tuple(sorted(tokens, key=tokens.__getitem__))


def to_vocabulary(tokens: Iterable[str]) -> Vocabulary:
    """Return a vocabulary with the tokens of a file in their order, after the specials.

    The unknown is among the specials if the file has one.

    Raises:
        VocabularyError: two tokens stand for one special.
    """
    named: dict[str, str] = {}
    kept: list[str] = []
    for token in tokens:
        special = special_of(token)
        if special is None:
            kept.append(token)
        elif special in named:
            raise VocabularyError(f"The vocabulary has both {named[special]!r} and {token!r} for {special}")
        else:
            named[special] = token
    return Vocabulary((*SPECIALS, *([UNKNOWN] if UNKNOWN in named else []), *kept))


def format_tokens(vocabulary: Vocabulary, form: Form) -> str:
    """Return a vocabulary as the text of a file; JSON has specials in capitals, as image-to-latex does."""
    if form == "json":
        ids = {_in_capitals(token): number for number, token in enumerate(vocabulary.tokens)}
        return json.dumps(ids, ensure_ascii=False, indent=0) + "\n"
    if form == "table":
        return "".join(f"{token}\t{number}\n" for number, token in enumerate(vocabulary.tokens))
    return "".join(f"{token}\n" for token in vocabulary.tokens)


def _in_capitals(token: str) -> str:
    return token.upper() if token in (*SPECIALS, UNKNOWN) else token


def _from_json(text: str) -> list[tuple[str, int]] | None:
    """Return tokens and ids; None where it is no such JSON, and may be lines that begin with ``[``."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and value and all(isinstance(token, str) for token in value):
        return [(token, number) for number, token in enumerate(value)]
    if isinstance(value, dict) and value and all(type(number) is int for number in value.values()):
        return list(value.items())
    return None


def _from_lines(text: str, source: str) -> list[tuple[str, int]]:
    lines = [(number, line.split()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    width = len(lines[0][1]) if lines else 1
    pairs: list[tuple[str, int]] = []
    for number, parts in lines:
        if len(parts) != width or width > 2 or (width == 2 and not _is_number(parts)):
            raise VocabularyError(
                f"{source}, line {number}: a vocabulary is JSON, or has a token or TOKEN<TAB>ID on every line"
            )
        pairs.append((parts[0], int(parts[1]) if width == 2 else number))
    return pairs


def _is_number(parts: Sequence[str]) -> bool:
    return parts[1].isascii() and parts[1].isdigit()
