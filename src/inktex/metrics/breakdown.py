"""Where the errors are: by length, by structure, by source, by symbol, by sub-expression."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from inktex.errors import LatexError
from inktex.latex.spans import Part, read_tree
from inktex.latex.tree import (
    LIMIT_OPERATORS,
    Command,
    Environment,
    Fence,
    Group,
    Row,
    Script,
    Symbol,
    to_tokens,
)
from inktex.metrics.item import Item, Tokens
from inktex.metrics.sequence import Edit, edit_operations
from inktex.metrics.uncertainty import Interval, wilson

Key = TypeVar("Key")

LENGTH_BANDS = ((0, 5), (6, 10), (11, 20), (21, 40), (41, 10**9))  # tokens, both ends included
LONGEST_PART = 12  # tokens of a wrong sub-expression that is told
STRUCTURES = ("fraction", "root", "subscript", "superscript", "big operator", "accent", "brackets", "array")

_BIG = LIMIT_OPERATORS - {r"\max", r"\min", r"\sup", r"\inf", r"\arg", r"\det", r"\gcd", r"\Pr"}
_FRACTIONS = frozenset((r"\frac", r"\dfrac", r"\tfrac", r"\cfrac", r"\binom", r"\dbinom", r"\tbinom"))
_OPENING = frozenset(("(", "[", r"\{", "|", r"\langle", r"\lfloor", r"\lceil"))


@dataclass(frozen=True)
class Band:
    """The expressions that have something in common.

    Attributes:
        name: what that is.
        right: how many of them were read without an error.
        count: how many there are.
        interval: 95 % interval of the share that is right (Wilson), 0 to 1.
    """

    name: str
    right: int
    count: int
    interval: Interval


@dataclass(frozen=True)
class Confusion:
    """One token in the place of another.

    Attributes:
        reference: what was written; nothing where the predicted token is one too many.
        predicted: what was read; nothing where it is missing.
        count: how often.
    """

    reference: str
    predicted: str
    count: int


@dataclass(frozen=True)
class WrongPart:
    """A sub-expression that was read wrong.

    Attributes:
        reference: its tokens.
        predicted: what was read in its place.
        count: how often.
    """

    reference: Tokens
    predicted: Tokens
    count: int


class Breakdown(NamedTuple):
    """The bands of one kind.

    Attributes:
        name: "length", "structure", "depth" or "source".
        bands: in order; an expression with several structures is in several bands of "structure".
    """

    name: str
    bands: tuple[Band, ...]


def breakdowns(items: Sequence[Item]) -> tuple[Breakdown, ...]:
    """Split items by the length, the structures and the depth of their references, and by their source.

    Sources are left out where there is but one. A reference that is not well-formed is a structure of its
    own, of depth 0.
    """
    trees = {reference: _tree(reference) for reference in {item.reference for item in items}}
    shapes = {reference: _shape(tree) for reference, tree in trees.items()}
    split = {
        "length": _bands(items, lambda item: (_length_band(len(item.reference)),)),
        "structure": _bands(items, lambda item: shapes[item.reference].structures),
        "depth": _bands(items, lambda item: (str(shapes[item.reference].depth),)),
    }
    if len({item.source for item in items}) > 1:
        split["source"] = _bands(items, lambda item: (item.source or "unknown",))
    order = [*(_length_band(most) for _, most in LENGTH_BANDS), "plain", *STRUCTURES, "malformed"]
    return tuple(
        Breakdown(name, tuple(sorted(bands, key=lambda band: _place(band.name, order))))
        for name, bands in split.items()
    )


def structures(tokens: Sequence[str]) -> tuple[str, ...]:
    """Name the structures of a label: some of ``STRUCTURES``, or "plain"; "malformed" if it has no tree."""
    return _shape(_tree(tuple(tokens))).structures


def depth(tokens: Sequence[str]) -> int:
    """Return how deep arguments and scripts are nested: 0 in ``a + b``, 2 in ``x ^ { y ^ { 2 } }``."""
    return _shape(_tree(tuple(tokens))).depth


def confusions(items: Iterable[Item]) -> tuple[Confusion, ...]:
    """Count the tokens replaced, left out and added in wrong predictions, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for item, edits in _wrong(items):
        assert item.prediction is not None
        for edit in edits:
            if edit.kind != "equal":
                counts[
                    _token(item.reference, edit.reference_index),
                    _token(item.prediction, edit.predicted_index),
                ] += 1
    return tuple(Confusion(*pair, count) for pair, count in _most_frequent(counts))


def wrong_parts(items: Iterable[Item]) -> tuple[WrongPart, ...]:
    """Count the sub-expressions of references that hold an error, the most frequent first.

    That is the smallest fraction, root, scripted symbol or the like that holds it, of at most
    ``LONGEST_PART`` tokens; an error outside of any is told by :func:`confusions` alone. References that are
    not printed in the dialect are left out.
    """
    counts: Counter[tuple[Tokens, Tokens]] = Counter()
    for item, edits in _wrong(items):
        tree = _tree(item.reference)
        if tree is None or tuple(to_tokens(tree.node)) != item.reference:
            continue
        assert item.prediction is not None
        for start, end in sorted(set(_wrong_spans(edits, tree))):
            first, last = _counterpart(edits, start, end)
            counts[item.reference[start:end], item.prediction[first:last]] += 1
    return tuple(WrongPart(*parts, count) for parts, count in _most_frequent(counts))


class _Shape(NamedTuple):
    structures: tuple[str, ...]
    depth: int


def _tree(tokens: Tokens) -> Part | None:
    try:
        return read_tree(tokens)
    except LatexError:
        return None


def _shape(tree: Part | None) -> _Shape:
    if tree is None:
        return _Shape(("malformed",), 0)
    found = {name for part in tree.walk() for name in _kinds(part)}
    return _Shape(tuple(name for name in STRUCTURES if name in found) or ("plain",), _depth(tree) - 1)


def _kinds(part: Part) -> Iterator[str]:
    match part.node:
        case Command(name, _, _):
            yield "fraction" if name in _FRACTIONS else "root" if name == r"\sqrt" else "accent"
        case Script(_, sub, sup, _):
            if sub is not None:
                yield "subscript"
            if sup is not None:
                yield "superscript"
        case Symbol(token):
            if token in _BIG:
                yield "big operator"
            elif token in _OPENING:
                yield "brackets"
        case Fence():
            yield "brackets"
        case Environment():
            yield "array"


def _depth(part: Part) -> int:
    """Return how many rows lie within one another from this part on; plain braces do not count."""
    below = max((_depth(child) for child in part.children.values()), default=0)
    nested = isinstance(part.node, Row)
    return below + nested - any(isinstance(part.node, kind) for kind in (Group, Fence))


def _length_band(length: int) -> str:
    for least, most in LENGTH_BANDS:
        if length <= most:
            return f"{least} to {most} tokens" if most < 10**9 else f"over {least - 1} tokens"
    raise AssertionError(length)


def _bands(items: Sequence[Item], names: Callable[[Item], Iterable[str]]) -> list[Band]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for item in items:
        for name in names(item):
            counts[name][0] += item.prediction == item.reference
            counts[name][1] += 1
    return [Band(name, right, count, wilson(right, count)) for name, (right, count) in counts.items()]


def _place(name: str, order: Sequence[str]) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order), name.rjust(4))


def _wrong(items: Iterable[Item]) -> Iterator[tuple[Item, tuple[Edit, ...]]]:
    """Yield the items with a prediction that is not right, and the edits that part it from the reference."""
    for item in items:
        if item.prediction is not None and item.prediction != item.reference:
            yield item, edit_operations(item.prediction, item.reference)


def _token(tokens: Tokens, index: int | None) -> str:
    return "" if index is None else tokens[index]


def _wrong_spans(edits: Sequence[Edit], tree: Part) -> Iterator[tuple[int, int]]:
    """Yield start and end of the sub-expression of the reference that holds each error."""
    at = 0  # tokens of the reference so far
    for edit in edits:
        if edit.kind != "equal":  # an added token belongs to the one before it
            span = _part_around(tree, max(at - (edit.reference_index is None), 0))
            if span is not None:
                yield span
        at += edit.reference_index is not None


def _part_around(tree: Part, index: int) -> tuple[int, int] | None:
    """Return the span of the smallest sub-expression that a token belongs to, if it is short enough."""
    part = tree
    span = None
    while True:
        below = [child for child in part.children.values() if child.start <= index < child.end]
        if not below:
            return span
        part = below[0]
        if not isinstance(part.node, Row | Symbol) and part.end - part.start <= LONGEST_PART:
            span = part.start, part.end


def _counterpart(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """Return start and end of the predicted tokens that stand for those from ``start`` to ``end``."""
    at, first, last = 0, 0, 0
    inside = []
    for edit in edits:
        if edit.predicted_index is not None and start < at + (edit.reference_index is not None) <= end:
            inside.append(edit.predicted_index)
        at += edit.reference_index is not None
    if inside:
        first, last = inside[0], inside[-1] + 1
    return first, last


def _most_frequent(counts: Counter[Key]) -> list[tuple[Key, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
