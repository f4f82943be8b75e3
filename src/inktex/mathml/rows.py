"""What the things in a row are to one another: which make one word or number, which are operators."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from inktex.latex.arrays import aligned_cells, arrays_between
from inktex.latex.tree import DELIMITERS, Command, Environment, Node, Script, Symbol, commands
from inktex.mathml.elements import space
from inktex.mathml.symbols import (
    FUNCTIONS,
    IDENTIFIERS,
    LABELLED_ARROWS,
    OPERATORS,
    SIZES,
    SPACES,
    UPRIGHT_IDENTIFIERS,
    Kind,
)

# Commands whose argument is running text.
TEXTS = frozenset(commands("text textrm mbox hbox textbf textit"))
_WORD_SPACE = space(0.3333)
_THIN = space(0.1667)
_APPLY = "<mo>\u2061</mo>"  # between a function and its argument; invisible
_COMMAND_KINDS: dict[str, Kind] = {
    r"\operatorname": Kind.FUNCTION,
    r"\mathop": Kind.FUNCTION,
    r"\mathbin": Kind.BINARY,
    r"\mathrel": Kind.RELATION,
    **dict.fromkeys(LABELLED_ARROWS, Kind.RELATION),
}
_LIKE_THEIR_BASE = frozenset({r"\overset", r"\underset", r"\stackrel"})
# A sign after these, or before the others, is no binary operator (The TeXbook, appendix G, rules 5 and 6).
_BEFORE_OPERAND = frozenset(
    {None, Kind.BINARY, Kind.RELATION, Kind.OPENING, Kind.PUNCTUATION, Kind.BIG, Kind.FUNCTION}
)
_AFTER_OPERAND = frozenset({None, Kind.RELATION, Kind.CLOSING, Kind.PUNCTUATION})
_ARGUMENTS = frozenset({Kind.ORDINARY, Kind.OPENING, Kind.BIG, Kind.FUNCTION})


def head(node: Node | None) -> str:
    """Return the token of a symbol or command, also under scripts; "" of anything else."""
    match node:
        case Symbol(token):
            return token
        case Command(name):
            return name
        case Script(base):
            return head(base)
        case _:
            return ""


def kinds(items: Sequence[Node]) -> list[Kind]:
    """Return what each item is to its neighbours; an even number of bars open and close in turn."""
    result = [_kind(item) for item in items]
    for bar in ("|", r"\|"):
        bars = [place for place, item in enumerate(items) if head(item) == bar]
        if len(bars) % 2 == 0:
            for number, place in enumerate(bars):
                result[place] = Kind.CLOSING if number % 2 else Kind.OPENING
    return result


def form(kinds: Sequence[Kind], place: int) -> str:
    """Return the attributes of a binary operator's sign where it stands before or after an operand."""
    if kinds[place] is not Kind.BINARY or len(kinds) == 1:
        return ""
    seen = [kind for kind in kinds[:place] if kind is not Kind.SPACE]
    coming = [kind for kind in kinds[place + 1 :] if kind is not Kind.SPACE]
    after = coming[0] if coming else None
    if (seen[-1] if seen else None) in _BEFORE_OPERAND:
        return (' form="prefix"' if coming else "") + ' lspace="0" rspace="0"'
    return ' lspace="0" rspace="0"' if after in _AFTER_OPERAND else ""


def round_arrays(items: Sequence[Node]) -> dict[int, str]:
    """Return, by place, the attributes of delimiters that have to be as high as an array beside them."""
    attributes: dict[int, str] = {}
    for place, closing in arrays_between(items):
        attributes[place - 1] = ' form="prefix" stretchy="true"'
        if closing:
            attributes[place + 1] = ' form="postfix" stretchy="true"'
    return attributes


def around_function(kinds: Sequence[Kind], place: int, end: int) -> tuple[str, str]:
    """Return what goes before and after items ``place`` to ``end``; nothing unless they are a function."""
    if kinds[place] is not Kind.FUNCTION:
        return "", ""
    before = _THIN if place and kinds[place - 1] in (Kind.ORDINARY, Kind.CLOSING) else ""
    if end == len(kinds) or kinds[end] not in _ARGUMENTS:
        return before, ""
    return before, _APPLY + (_THIN if kinds[end] in (Kind.ORDINARY, Kind.FUNCTION) else "")


def around_text(items: Sequence[Node], kinds: Sequence[Kind], place: int) -> tuple[str, str] | None:
    """Return the space that keeps words from what stands beside them; None if they are no text."""
    item = items[place]
    if not isinstance(item, Command) or item.name not in TEXTS:
        return None
    words = "".join(head(each) for each in item.arguments[0].items).strip("~")
    outer = (kinds[place - 1] if place else None, kinds[place + 1] if place + 1 < len(items) else None)
    left = outer[0] not in (None, Kind.OPENING) and words[:1].isascii()
    right = outer[1] not in (None, Kind.CLOSING, Kind.PUNCTUATION) and words[-1:].isascii()
    if right and items[place + 1] == Symbol("."):
        right = False
    return _WORD_SPACE * left, _WORD_SPACE * right


def aligned(node: Environment) -> Sequence[Sequence[Sequence[Node]]]:
    r"""Return the cells of each line; lines of `aligned` without `&` are cut before their relation."""
    if node.name == "aligned" and all(len(cells) == 1 for cells in node.rows):
        lines = aligned_cells([cells[0].items for cells in node.rows])
        if lines is not None:
            return lines
    return [[cell.items for cell in cells] for cells in node.rows]


def run_end(items: Sequence[Node], place: int, font: str) -> int:
    r"""Return the end of the items from ``place`` on that are one element, but for the last one's scripts.

    These are the digits of a number, characters of running text, upright letters of a word, and a token such
    as `\big` or `\not` with what it changes.
    """
    if not isinstance(items[place], Symbol):
        return place + 1
    first = head(items[place])
    following = _symbol(items, place + 1)
    if first in SIZES or first == r"\middle":
        return place + 1 + (following in DELIMITERS)
    if first == r"\not":
        known = following in OPERATORS or following in IDENTIFIERS or following in UPRIGHT_IDENTIFIERS
        return place + 1 + (known or following.isalnum())
    tag = word_tag(first, font)
    end = place + 1
    while tag and isinstance(items[end - 1], Symbol):
        if word_tag(_symbol(items, end), font) == tag:
            end += 1
        elif tag == "mn" and _is_point(items, end):
            end += 2
        else:
            break
    return end


def word_tag(token: str, font: str) -> str:
    """Return the element of a character that is written together with its like, "" if it is none."""
    if len(token) != 1:
        return ""
    if token.isascii():
        if token.isdigit():
            return "mn"
        return "mi" if token.isalpha() and font == r"\mathrm" else ""
    if token in OPERATORS or token in UPRIGHT_IDENTIFIERS:
        return ""
    category = unicodedata.category(token)
    written = category == "Lo" or category[0] in "PZ" or category == "So"
    return "mtext" if written or unicodedata.east_asian_width(token) in "WF" else ""


def leaf_tag(char: str) -> str:
    """Return the element of a symbol that no table holds."""
    if len(char) > 1:
        return "mtext"
    if char.isalpha():
        return "mi"
    category = unicodedata.category(char)
    return {"Sm": "mo", "No": "mn", "Nd": "mn"}.get(category, "mtext")


def plain(token: str) -> str:
    """Return a token as it reads in running text."""
    if token == "$":
        return ""
    if token in SPACES:
        return " "
    if token.startswith("\\"):
        known = IDENTIFIERS.get(token) or UPRIGHT_IDENTIFIERS.get(token) or FUNCTIONS.get(token)
        return known or (OPERATORS[token][0] if token in OPERATORS else token)
    return token


def _kind(node: Node) -> Kind:
    match node:
        case Symbol(token):
            if token in SPACES or token in SIZES or token == r"\not":
                return Kind.SPACE
            if token in FUNCTIONS:
                return Kind.FUNCTION
            return OPERATORS[token][1] if token in OPERATORS else Kind.ORDINARY
        case Script(base) if base is not None:
            return _kind(base)
        case Command(name, arguments):
            if name in _LIKE_THEIR_BASE and len(arguments[1].items) == 1:
                return _kind(arguments[1].items[0])
            if name == r"\mathop" and head(arguments[0]) in OPERATORS:
                return Kind.BIG
            return _COMMAND_KINDS.get(name, Kind.ORDINARY)
        case _:
            return Kind.ORDINARY


def _symbol(items: Sequence[Node], place: int) -> str:
    """Return the symbol at a place, also under scripts; "" if there is none."""
    if place >= len(items):
        return ""
    item = items[place]
    token = head(item)
    return token if isinstance(item, Symbol) or (isinstance(item, Script) and token) else ""


def _is_point(items: Sequence[Node], place: int) -> bool:
    """Whether a decimal point stands here: a point with a digit after it."""
    point = place < len(items) and items[place] == Symbol(".")
    return point and word_tag(_symbol(items, place + 1), "") == "mn"
