r"""Plain TeX and page layout in a list of tokens, put as LaTeX's mathematics or left out.

`\kern 1 p t`, `\hspace { 1 c m }` and `\\ [ 2 p t ]` go; `\buildrel a \over b`, `\root 3 \of x` and
`\substack { a \\ b }` become commands with arguments; lines without an environment get one.
"""

import re
from collections.abc import Sequence

from inktex.latex.spellings import INVISIBLE_ARGUMENTS, LENGTHS, SPELLED, UPRIGHT_SWITCHES
from inktex.latex.tree import commands
from inktex.latex.words import closing_braces, text_part

_LENGTH = re.compile(r"-?[\d.]+(?:true)?(?:pt|em|ex|mm|cm|in|mu|sp|pc|bp)|-?\\[A-Za-z]+")
_PIECE_OF_LENGTH = re.compile(r"[-\d.]")
_UNITS = frozenset({"pt", "em", "ex", "mm", "cm", "in", "mu", "sp", "pc", "bp"})
# Environments with an argument that draws nothing: columns, or how many there are.
_SPECIFIED = frozenset(
    f"\\begin{{{name}{star}}}" for name in ("subarray", "alignat", "alignedat") for star in ("", "*")
)
# Those with their position in brackets: `\begin{array} [ t ]`.
_POSITIONED = frozenset({r"\begin{array}", r"\begin{tabular}"})
# What takes all of its group that stands before it, or after it: `\left` and `\right` are a group too.
INFIX = frozenset(commands("over atop choose brack brace cal"))


def plain(tokens: Sequence[str], words: bool) -> list[str]:
    """Tokens without page layout and plain TeX's own ways to write arguments and words.

    Args:
        tokens: of a formula.
        words: whether words are texts; otherwise their letters stand in the formula.
    """
    result = _without_layout(tokens)
    if not INFIX.isdisjoint(result):
        result = _with_fences_grouped(result)
    if r"\buildrel" in result or r"\root" in result:
        result = _with_arguments(result)
    if not UPRIGHT_SWITCHES.isdisjoint(result):
        result = _with_upright_words(result, words)
    return _with_environments(result)


def _without_layout(tokens: Sequence[str]) -> list[str]:
    closing = closing_braces(tokens)
    result: list[str] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        starred = tokens[place : place + 1] == ["*"]
        if token in INVISIBLE_ARGUMENTS:
            place = closing.get(place + starred, place - 1) + 1
        elif token in LENGTHS:
            place = _after_length(tokens, place)
        elif token == r"\\":
            result.append(token)
            place = _after_height(tokens, place + starred)
        elif token.startswith(r"\begin{"):
            result.append(token)
            if token in _POSITIONED and tokens[place + 2 : place + 3] == ["]"]:
                place = place + 3 if tokens[place] == "[" else place
            place = closing.get(place, place - 1) + 1 if token in _SPECIFIED else place
        elif token == r"\operatorname" and starred:
            result.append(r"\operatorname")
            place += 1
        else:
            result.append(token)
    return result


def _after_length(tokens: Sequence[str], place: int) -> int:
    while place < len(tokens) and _PIECE_OF_LENGTH.fullmatch(tokens[place]):
        place += 1
    return place + 2 if "".join(tokens[place : place + 2]) in _UNITS else place


def _after_height(tokens: Sequence[str], place: int) -> int:
    r"""Where it goes on after the length of a `\\` in brackets."""
    if tokens[place : place + 1] != ["["]:
        return place
    head = list(tokens[place + 1 : place + 16])
    if "]" not in head:
        return place
    inside = "".join(head[: head.index("]")])
    return place + head.index("]") + 2 if _LENGTH.fullmatch(inside) else place


def _with_fences_grouped(tokens: Sequence[str]) -> list[str]:
    r"""`\left( a \over b \right)` with braces inside, so that the fraction ends at the delimiters."""
    opened: list[int] = []
    braces: dict[int, str] = {}  # by the place that they stand before
    for place, token in enumerate(tokens):
        if token in ("{", r"\left") or token.startswith(r"\begin{"):
            opened.append(place)
        elif token in ("}", r"\right") or token.startswith(r"\end{"):
            begin = opened.pop() if opened else place
            if token == r"\right" and tokens[begin] == r"\left" and begin + 2 <= place:
                braces |= {begin + 2: "{" + braces.get(begin + 2, ""), place: "}"}
    return [part for place, token in enumerate(tokens) for part in (*braces.get(place, ""), token)]


def _with_arguments(tokens: Sequence[str]) -> list[str]:
    r"""`\buildrel a \over b` as `\overset { a } b`, `\root a \of b` as `\sqrt [ a ] b`."""
    result: list[str] = []
    waiting: list[str] = []
    for token in tokens:
        if token == r"\buildrel":
            waiting.append(r"\over")
            result += [r"\overset", "{"]
        elif token == r"\root":
            waiting.append(r"\of")
            result += [r"\sqrt", "["]
        elif waiting and token == waiting[-1]:
            result.append("}" if waiting.pop() == r"\over" else "]")
        else:
            result.append(token)
    return result


def _with_upright_words(tokens: Sequence[str], words: bool) -> list[str]:
    r"""`{ \rm s i n }` as `{ \sin }`, and `{ \rm ~ f o r ~ }` as a text."""
    result: list[str] = []
    letters: list[str] | None = None
    for token in (*tokens, ""):
        if letters is not None and (token == "~" or (len(token) == 1 and token.isalpha())):
            letters.append(token)
            continue
        if letters is not None:
            word = token == "}" and ("~" in letters or "".join(letters) in SPELLED)
            result += text_part(letters, words) if word else letters
        letters = [] if token in UPRIGHT_SWITCHES else None
        result.append(token)
    return result[:-1]


def _with_environments(tokens: Sequence[str]) -> list[str]:
    r"""`\substack { a \\ b }` as a matrix, and lines that stand in no environment as `aligned` ones."""
    closing = closing_braces(tokens) if r"\substack" in tokens else {}
    result = list(tokens)
    for place, token in enumerate(tokens):
        end = closing.get(place + 1) if token == r"\substack" else None
        if end is not None:
            result[place], result[place + 1], result[end] = "", r"\begin{matrix}", r"\end{matrix}"
    result = [token for token in result if token]
    depth = 0
    for token in result:
        if depth == 0 and token in (r"\\", "&"):
            return [r"\begin{aligned}", *result, r"\end{aligned}"]
        depth += token == "{" or token.startswith(r"\begin{")
        depth -= token == "}" or token.startswith(r"\end{")
    return result
