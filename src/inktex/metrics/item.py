"""What is scored: one prediction beside its reference."""

from __future__ import annotations

from dataclasses import dataclass

Tokens = tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """A prediction and what would have been right.

    Attributes:
        id: name of the sample, unique within what is scored.
        prediction: the predicted tokens; None where there is none, which is wrong whatever the reference.
        reference: the tokens of the label.
        confidence: 0 to 1, or None where the predictor gave none.
        source: the writer, or the part of the data set, or None.
        problem: why there is no prediction, or None.
    """

    id: str
    prediction: Tokens | None
    reference: Tokens
    confidence: float | None = None
    source: str | None = None
    problem: str | None = None
