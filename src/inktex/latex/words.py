r"""Running text in formulas: `\text{if } x`, `\mbox{max}`, `\text { i f ~ x }`.

Blanks draw nothing in a formula, but separate words in a text. There they are the token `~`.
"""

import re
from collections.abc import Iterator, Sequence

from inktex.latex.spellings import SPELLED, SYNONYMS, TEXTS
from inktex.latex.tokens import commands, tokenize

_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_TEXT = re.compile(r"\\(?:" + "|".join(sorted(name[1:] for name in TEXTS)) + r")(?![A-Za-z])\s*(?=\{)")
_ONE_TOKEN = re.compile(r"\\[A-Za-z]+|\\?.", re.DOTALL)
_BLANK = re.compile(r"(\\[A-Za-z]+\s+)|\\?\s+")
_BLANKS = frozenset({"~", r"\,", r"\;", r"\:", r"\>", r"\ ", r"\quad", r"\qquad", r"\enspace", r"\thinspace"})
_PUNCTUATION = frozenset(".,;:!?()-/'\"*")
_CHARACTERS_OF_TEXT = _PUNCTUATION.union({r"\&", r"\%", r"\#", r"\$", r"\_"})
_FONTS = frozenset(commands("rm bf it sf tt sl em small large tiny scriptsize"))


def cut(latex: str) -> list[str]:
    r"""Cut LaTeX into tokens as :func:`inktex.latex.tree.tokenize` does, with `~` for the blanks in texts.

    Raises:
        LatexError: if the text ends in a lone backslash.
    """
    if "{" not in latex or not _TEXT.search(latex):
        return tokenize(latex)
    closing = _closing_braces(latex)
    parts: list[str] = []
    done = 0
    for match in _TEXT.finditer(latex):
        end = closing.get(match.end())
        if match.start() < done or end is None:
            continue
        body = latex[match.end() + 1 : end]
        parts += [latex[done : match.end() + 1], _with_blanks(body, match[0][-1].isspace()), "}"]
        done = end + 1
    return tokenize("".join(parts) + latex[done:])


def _closing_braces(latex: str) -> dict[int, int]:
    """Opening brace -> the one that closes it."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACES.finditer(latex):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}" and opened:
            found[opened.pop()] = match.start()
    return found


def _with_blanks(body: str, set_apart: bool) -> str:
    """The inside of a text with its blanks as `~`, unless blanks stand between any two tokens of it."""
    pieces = body.split()
    if set_apart and body[:1].isspace() and all(_ONE_TOKEN.fullmatch(piece) for piece in pieces):
        return body
    return body if r"\begin" in body else _BLANK.sub(_blank, body)


def _blank(match: re.Match[str]) -> str:
    return match[0] if match[1] else " ~ "  # those after a command only end it


def with_texts(tokens: Sequence[str], words: bool) -> list[str]:
    r"""Every text in the form of the dialect: words in `\text`, functions by name, formulas without it.

    Args:
        tokens: as :func:`cut` cuts them.
        words: whether words stay texts; otherwise their letters stand in the formula.
    """
    if TEXTS.isdisjoint(tokens) and not ("~" in tokens and r"\mathrm" in tokens):
        return list(tokens)
    closing = closing_braces(tokens)
    result: list[str] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        end = closing.get(place + 1) if token in TEXTS or token == r"\mathrm" else None
        if end is None:
            result += [] if token in TEXTS else [token]
            place += 1
            continue
        body = tokens[place + 2 : end]
        if token in TEXTS or ("~" in body and "{" not in body):
            result += ["{", *_text(body, words), "}"]
            place = end + 1
        else:
            result.append(token)
            place += 1
    return result


def closing_braces(tokens: Sequence[str]) -> dict[int, int]:
    """Place of an opening brace -> place of the one that closes it."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for place, token in enumerate(tokens):
        if token == "{":
            opened.append(place)
        elif token == "}" and opened:
            found[opened.pop()] = place
    return found


def _text(body: Sequence[str], words: bool) -> Iterator[str]:
    """The inside of a text, cut at `$`: every other part is a formula."""
    part: list[str] = []
    formula = False
    for token in (*body, "$"):
        if token != "$":
            part.append(token)
            continue
        yield from (each for each in part if each not in TEXTS) if formula else text_part(part, words)
        part, formula = [], not formula


def text_part(tokens: Sequence[str], words: bool) -> Iterator[str]:
    r"""Yield what stands for a text without formulas: `\text` with its words, a function, or its tokens."""
    tokens = [token for token in tokens if token not in _FONTS and token not in TEXTS]
    plain = [token for token in tokens if token not in ("{", "}")]
    plain = ["~" if token in _BLANKS else token for token in plain]
    if not all(_is_text(token) for token in plain):
        yield from tokens
        return
    letters = "".join(plain).strip("~")
    if words and letters in SPELLED:
        yield from SPELLED[letters]
    elif words and re.search(r"[^\W\d_]{2}", letters):
        spaced = re.sub("~+", "~", letters)
        yield from (r"\text", "{", *_ONE_TOKEN.findall(spaced), "}")
    else:
        yield from (token for token in plain if token != "~")


def _is_text(token: str) -> bool:
    if token in SYNONYMS and len(token) == 1:
        return False
    return token == "~" or token in _CHARACTERS_OF_TEXT or (len(token) == 1 and token.isalnum())
