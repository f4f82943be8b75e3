"""Which written symbol each token of a label is: MathML names the symbols in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

from lxml import etree

from inktex.ink.strokes import Ink

UNALIGNED = -1
_LAYOUT = frozenset(["{", "}", "^", "_", "\\limits", "[", "]"])
_MARKS = {"mfrac": "\\frac", "msqrt": "\\sqrt", "mroot": "\\sqrt"}
_SPELLINGS = {
    "\\lt": "<",
    "\\gt": ">",
    "COMMA": ",",
    "\\ldot": ".",
    "\\ge": "\\geq",
    "\\le": "\\leq",
    "'": "\\prime",
}
_DOTS = frozenset(["\\cdot", "\\cdots", "\\ldots"])  # annotated as one another, and as "."
_TOKEN_REFERENCE = re.compile(r"token-(\d{1,6})")
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"


def symbol_tokens(ink: Ink, mathml: str | None) -> list[tuple[int, str]]:
    """Return (index into ``ink.symbols``, token) in the order in which LaTeX would name the symbols.

    Symbols that the MathML does not name are left out; without MathML the list is empty.
    """
    named = {symbol.reference: index for index, symbol in enumerate(ink.symbols) if symbol.reference}
    if not mathml or not named:
        return []
    root = etree.fromstring(
        mathml.encode(), etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
    )
    found = []
    for element in _reading_order(root):
        index = named.get(_identifier(element))
        if index is not None:
            mark = _MARKS.get(element.tag.rpartition("}")[2])
            label = ink.symbols[index].label
            found.append((index, mark or _SPELLINGS.get(label, label)))
    return found


def align_tokens(tokens: Sequence[str], ink: Ink, mathml: str | None) -> list[int]:
    """Return for each token the index of its symbol in ``ink.symbols``, or ``UNALIGNED``.

    Layout tokens (braces, ``^``, ``_``, ``\\limits``) are never aligned; brackets are only where a symbol
    is named so. Symbols whose references are those of :func:`token_reference` need no MathML.
    """
    if mathml is None and any(_TOKEN_REFERENCE.fullmatch(symbol.reference or "") for symbol in ink.symbols):
        return _named_tokens(tokens, ink)
    symbols = symbol_tokens(ink, mathml)
    named = {label for _, label in symbols}
    places = [i for i, token in enumerate(tokens) if token not in _LAYOUT or token in named & {"[", "]"}]
    alignment = [UNALIGNED] * len(tokens)
    matcher = SequenceMatcher(
        None,
        [_undotted(tokens[i]) for i in places],
        [_undotted(label) for _, label in symbols],
        autojunk=False,
    )
    for start, other, length in matcher.get_matching_blocks():
        for step in range(length):
            alignment[places[start + step]] = symbols[other + step][0]
    return alignment


def token_reference(place: int) -> str:
    """Return the reference of a symbol that was written as a label's token number ``place`` (from 0)."""
    return f"token-{place}"


def _named_tokens(tokens: Sequence[str], ink: Ink) -> list[int]:
    alignment = [UNALIGNED] * len(tokens)
    for index, symbol in enumerate(ink.symbols):
        named = _TOKEN_REFERENCE.fullmatch(symbol.reference or "")
        if named and int(named[1]) < len(tokens):
            alignment[int(named[1])] = index
    return alignment


def _reading_order(element: Any) -> Iterator[Any]:
    """Yield an element and all below it as LaTeX names them: the index of a root before its radicand."""
    yield element
    children = [child for child in element if isinstance(child.tag, str)]
    if element.tag.rpartition("}")[2] == "mroot":
        children.reverse()
    for child in children:
        yield from _reading_order(child)


def _undotted(token: str) -> str:
    return "." if token in _DOTS else token


def _identifier(element: Any) -> str:
    return str(element.get(_XML_ID) or element.get("id") or "")
