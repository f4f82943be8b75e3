"""How far predictions are from the reference: edit distance, expression rate, word error rate."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

Pair = tuple[Sequence[str], Sequence[str]]  # (predicted, reference)


def edit_distance(predicted: Sequence[Hashable], reference: Sequence[Hashable]) -> int:
    """Return the fewest insertions, deletions and replacements of a token that turn one into the other."""
    first, last = 0, 0  # what both begin and end with costs nothing
    shorter = min(len(predicted), len(reference))
    while first < shorter and predicted[first] == reference[first]:
        first += 1
    while last < shorter - first and predicted[-1 - last] == reference[-1 - last]:
        last += 1
    predicted = predicted[first : len(predicted) - last]
    reference = reference[first : len(reference) - last]
    above = list(range(len(reference) + 1))
    for row, token in enumerate(predicted, start=1):
        here = [row]
        for column, other in enumerate(reference, start=1):
            replaced = above[column - 1] + (token != other)
            here.append(min(replaced, above[column] + 1, here[-1] + 1))
        above = here
    return above[-1]


def exprate(pairs: Iterable[Pair], most_errors: int = 3) -> list[float]:
    """Return the shares, 0 to 1, of pairs at most 0, 1, ... ``most_errors`` edits apart; 0 without pairs."""
    return expression_rates(
        [edit_distance(predicted, reference) for predicted, reference in pairs], most_errors
    )


def expression_rates(distances: Sequence[float], most_errors: int = 3) -> list[float]:
    """Return the shares, 0 to 1, of edit distances of at most 0, 1, ... ``most_errors``; 0 without any."""
    within = range(most_errors + 1)
    return [sum(distance <= bound for distance in distances) / max(len(distances), 1) for bound in within]


def wer(pairs: Iterable[Pair]) -> float:
    """Return the word error rate: edits over all pairs, divided by the tokens of all references.

    A corpus of empty references has a rate of 0 if nothing was predicted, and infinity otherwise.
    """
    edits, tokens = 0, 0
    for predicted, reference in pairs:
        edits += edit_distance(predicted, reference)
        tokens += len(reference)
    if tokens:
        return edits / tokens
    return float("inf") if edits else 0.0
