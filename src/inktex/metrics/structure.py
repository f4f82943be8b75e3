"""Structure metrics: how far the layout of predictions is from that of their references.

The rates are those of the tool of the official CROHME 2019 evaluation, LgEval (Zanibbi, Mouchère,
Viard-Gaudin: Evaluating Structural Pattern Recognition for Handwritten Math via Primitive Label Graphs, DRR
2013), on the graphs of ``layout_graph``, which says what differs from the official ones. There a symbol's id
is its place, so a symbol at another place is another symbol: one missing early displaces the rest of its row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from inktex.errors import LatexError
from inktex.metrics.layout_graph import LayoutGraph, layout_graph
from inktex.metrics.sequence import expression_rates


class LayoutScore(NamedTuple):
    """A prediction's graph beside its reference's; malformed LaTeX has none, and all is wrong then.

    Attributes:
        reference_symbols: how many the reference has; None if it is malformed.
        predicted_symbols: how many the prediction has; None if it is malformed or missing.
        placed: symbols at a place where the reference, too, has one (LgEval: correct objects).
        correct: those among them with the right label (correct objects and classes).
        errors: labels of symbols and relations that disagree (LgEval's Delta B): one for each wrong label,
            two for each missing or extra symbol, which lacks its relation, too; infinity without a graph.
    """

    reference_symbols: int | None
    predicted_symbols: int | None
    placed: int
    correct: int
    errors: float

    @property
    def right_structure(self) -> bool:
        """Whether the same places are taken, whatever the labels."""
        return self.reference_symbols == self.predicted_symbols == self.placed


class StructureRates(NamedTuple):
    """Rates over many pairs, 0 to 1; all are 0 without pairs.

    Attributes:
        structure_rate: share of pairs whose places are right (LgEval: files with correct structure).
        expression_rates: shares of pairs with at most 0, 1, ... errors (LgEval: the cumulative label error
            histogram). One error is one wrong label; two may be the last symbol missing.
        symbol_rate: share of the references' symbols predicted at their place with their label (LgEval:
            recall of objects and classes).
        symbol_precision: share of the predicted symbols that are so.
        place_rate, place_precision: the same whatever the label (objects).
        malformed_predictions: how many predictions have no graph; they are wrong, never dropped.
        malformed_references: how many references have none; their pairs are wrong, too.
    """

    structure_rate: float
    expression_rates: list[float]
    symbol_rate: float
    symbol_precision: float
    place_rate: float
    place_precision: float
    malformed_predictions: int
    malformed_references: int


def structure_rates(scores: Sequence[LayoutScore], most_errors: int = 3) -> StructureRates:
    """Sum up the scores of all pairs, with expression rates for up to ``most_errors`` errors."""
    pairs = max(len(scores), 1)
    correct = sum(score.correct for score in scores)
    placed = sum(score.placed for score in scores)
    references = max(sum(score.reference_symbols or 0 for score in scores), 1)
    predictions = max(sum(score.predicted_symbols or 0 for score in scores), 1)
    return StructureRates(
        structure_rate=sum(score.right_structure for score in scores) / pairs,
        expression_rates=expression_rates([score.errors for score in scores], most_errors),
        symbol_rate=correct / references,
        symbol_precision=correct / predictions,
        place_rate=placed / references,
        place_precision=placed / predictions,
        malformed_predictions=sum(score.predicted_symbols is None for score in scores),
        malformed_references=sum(score.reference_symbols is None for score in scores),
    )


def layout_score(prediction: Sequence[str] | None, reference: Sequence[str]) -> LayoutScore:
    """Compare the graphs of two token sequences; a prediction that is None is missing. Raises nothing."""
    theirs = _graph_or_none(reference)
    ours = theirs if prediction == reference else _graph_or_none(prediction)
    if ours is None or theirs is None:
        return LayoutScore(
            reference_symbols=None if theirs is None else len(theirs.symbols),
            predicted_symbols=None if ours is None else len(ours.symbols),
            placed=0,
            correct=0,
            errors=math.inf,
        )
    return compare_graphs(ours, theirs)


def compare_graphs(predicted: LayoutGraph, reference: LayoutGraph) -> LayoutScore:
    """Count the symbols of two graphs that agree, and the labels that do not."""
    ours, theirs = predicted.symbols, reference.symbols
    shared = ours.keys() & theirs.keys()
    correct = sum(ours[place] == theirs[place] for place in shared)
    alone = len(ours) + len(theirs) - 2 * len(shared)
    relations_alone = alone - (bool(ours) != bool(theirs))  # the root has no relation
    errors = len(shared) - correct + alone + relations_alone
    return LayoutScore(len(theirs), len(ours), len(shared), correct, errors)


def _graph_or_none(tokens: Sequence[str] | None) -> LayoutGraph | None:
    try:
        return None if tokens is None else layout_graph(tokens)
    except LatexError:
        return None
