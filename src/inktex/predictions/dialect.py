"""Items in the dialect (docs/dialect.md), and what was changed to get there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from inktex.errors import LatexError
from inktex.latex.normalize import normalize
from inktex.latex.spellings import SYNONYMS
from inktex.metrics.item import Item, Tokens

_RENAMED: dict[str, tuple[str, ...]] = {**SYNONYMS, "'": (r"\prime",)}
_Rule = tuple[str, str]  # (before, after)


class Change(NamedTuple):
    """One rule of the dialect, and in how many expressions it changed something.

    Attributes:
        before: the token that was replaced or left out; "" if one was added.
        after: what stands in its place; "" if nothing does. ``{ }`` is a pair of braces, and ``^ _`` that
            becomes ``_ ^`` the order of two scripts.
        predictions: predictions it changed.
        references: references it changed.
    """

    before: str
    after: str
    predictions: int
    references: int


@dataclass(frozen=True)
class Normalised:
    """Items in the dialect.

    Attributes:
        items: in the order they came in.
        predictions: predictions that changed.
        references: references that changed.
        malformed_predictions: predictions that are no formula, and stay as they are.
        malformed_references: references that are no formula, and stay as they are.
        changes: the rules that applied, the most frequent first.
    """

    items: tuple[Item, ...]
    predictions: int
    references: int
    malformed_predictions: int
    malformed_references: int
    changes: tuple[Change, ...]


class _Result(NamedTuple):
    """A label in the dialect, the rules that applied, and whether it could be read."""

    tokens: Tokens
    rules: frozenset[_Rule]
    malformed: bool


def normalise(items: Iterable[Item]) -> Normalised:
    """Bring predictions and references into the dialect, by the rules of :mod:`inktex.latex.normalize`.

    Tokens that are no formula, and empty predictions, stay as they are.
    """
    items = tuple(items)
    results: dict[Tokens, _Result] = {}  # most predictions are a reference, and many labels occur again
    for item in items:
        for tokens in (item.prediction, item.reference):
            if tokens is not None and tokens not in results:
                results[tokens] = _normalised(tokens)
    predictions = [None if item.prediction is None else results[item.prediction] for item in items]
    references = [results[item.reference] for item in items]
    answered = [result for result in predictions if result is not None]
    return Normalised(
        tuple(
            replace(item, prediction=prediction and prediction.tokens, reference=reference.tokens)
            for item, prediction, reference in zip(items, predictions, references, strict=True)
        ),
        predictions=sum(bool(result.rules) for result in answered),
        references=sum(bool(result.rules) for result in references),
        malformed_predictions=sum(result.malformed for result in answered),
        malformed_references=sum(result.malformed for result in references),
        changes=_count(answered, references),
    )


def _normalised(tokens: Tokens) -> _Result:
    if not tokens:
        return _Result(tokens, frozenset(), malformed=False)
    try:
        result = tuple(normalize(" ".join(tokens)))
    except LatexError:
        return _Result(tokens, frozenset(), malformed=True)
    return _Result(result, frozenset(_rules(tokens, result)), malformed=False)


def _rules(before: Tokens, after: Tokens) -> Iterator[_Rule]:
    """Yield the rules that lead from one to the other, found by counting tokens."""
    if before == after:
        return
    gone, come = Counter(before), Counter(after)
    gone, come = gone - come, come - gone
    if not gone and not come:
        yield "^ _", "_ ^"
    for token, count in gone.items():
        parts = _RENAMED.get(token)
        if parts is None:
            if token != "}":
                yield _pair(token), ""
            continue
        yield token, " ".join(parts)
        for part in parts:
            come[part] -= count
    for token, count in come.items():
        if count > 0 and token != "}":
            yield "", _pair(token)


def _pair(token: str) -> str:
    return "{ }" if token == "{" else token


def _count(predictions: Iterable[_Result], references: Iterable[_Result]) -> tuple[Change, ...]:
    in_predictions = Counter(rule for result in predictions for rule in result.rules)
    in_references = Counter(rule for result in references for rule in result.rules)
    changes = [
        Change(*rule, in_predictions[rule], in_references[rule]) for rule in in_predictions | in_references
    ]
    return tuple(sorted(changes, key=lambda change: (-change.predictions - change.references, change[:2])))
