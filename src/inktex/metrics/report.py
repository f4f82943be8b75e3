"""All metrics of a set of predictions, how sure they are, and where the errors lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from inktex.latex.tree import is_well_formed
from inktex.metrics.breakdown import Breakdown, Confusion, WrongPart, breakdowns, confusions, wrong_parts
from inktex.metrics.item import Item
from inktex.metrics.sequence import (
    Pair,
    bleu_counts,
    bleu_of_counts,
    counting_errors,
    edit_distance,
    longer_lengths,
    matching_share,
)
from inktex.metrics.structure import layout_score
from inktex.metrics.uncertainty import (
    Calibration,
    Discordance,
    Interval,
    RiskCoverage,
    bootstrap,
    bootstrap_difference,
    calibration,
    compare_rights,
    ratio,
    risk_coverage,
    wilson,
)

FloatArray = npt.NDArray[np.float64]
_ROUNDS = 1000  # of the bootstrap


@dataclass(frozen=True)
class Metrics:
    """How right predictions are; a missing prediction is wrong, however short its reference.

    Rates and scores are in percent; functions of the same names, and those named here, define them.

    Attributes:
        count: expressions.
        missing: those without a prediction.
        exprate: share without an error.
        exprate_1: with at most one token inserted, left out or replaced.
        exprate_2: with at most two.
        exprate_3: with at most three.
        wer: edits over all expressions, divided by the tokens of all references.
        wer_with_end: the same with the end token as one more token of every reference.
        cer: mean of edits divided by the longer length.
        token_error_rate: edits over all expressions, divided by the sum of the longer lengths.
        bleu: corpus BLEU-4.
        edit_score: 100 - token_error_rate.
        exact_match: another name of exprate.
        overall: mean of bleu, edit_score and exact_match.
        word_rate: CAN's share of matching tokens.
        counting_mae: mean absolute error of the numbers of each symbol, not in percent.
        counting_rmse: root of the mean squared one.
        well_formed: share of predictions that are well-formed LaTeX.
        structure_rate: share of expressions whose layout is right, whatever the symbols.
        symbol_rate: share of the references' symbols that were read where they stand.
        graph_exprate: share of expressions with the right layout graph, which forgives redundant braces, the
            order of scripts and ``\\limits``.
        graph_exprate_1: with at most one wrong label in the graph.
        graph_exprate_2: with at most two.
        graph_exprate_3: with at most three.
    """

    count: int
    missing: int
    exprate: float
    exprate_1: float
    exprate_2: float
    exprate_3: float
    wer: float
    wer_with_end: float
    cer: float
    token_error_rate: float
    bleu: float
    edit_score: float
    exact_match: float
    overall: float
    word_rate: float
    counting_mae: float
    counting_rmse: float
    well_formed: float
    structure_rate: float
    symbol_rate: float
    graph_exprate: float
    graph_exprate_1: float
    graph_exprate_2: float
    graph_exprate_3: float


@dataclass(frozen=True)
class Report:
    """Everything that is known of a set of predictions.

    Attributes:
        metrics: the figures.
        intervals: 95 % intervals by names of figures: Wilson's of shares of expressions, else by bootstrap.
        calibration: what confidences are worth, or None without any.
        risk_coverage: how errors fall if only the most confident count, or None.
        breakdowns: ExpRate by length, structure, depth and source.
        confusions: tokens read as others.
        wrong_parts: sub-expressions read wrong.
    """

    metrics: Metrics
    intervals: Mapping[str, Interval]
    calibration: Calibration | None
    risk_coverage: RiskCoverage | None
    breakdowns: tuple[Breakdown, ...]
    confusions: tuple[Confusion, ...]
    wrong_parts: tuple[WrongPart, ...]


@dataclass(frozen=True)
class Comparison:
    """Two models on the same items.

    Attributes:
        first: the figures of the first.
        second: the figures of the second.
        differences: 95 % intervals of the second's figure less the first's, by paired bootstrap.
        discordance: on how many items one alone is right, and McNemar's test of it.
        differing: indices of the items that one alone has right.
    """

    first: Metrics
    second: Metrics
    differences: Mapping[str, Interval]
    discordance: Discordance
    differing: tuple[int, ...]


def measure(items: Sequence[Item]) -> Metrics:
    """Return the figures of some items."""
    return _figures(items, _counts(items))


def report(items: Sequence[Item], seed: int = 0) -> Report:
    """Return all that can be said of some items.

    Args:
        items: at least one.
        seed: of the bootstrap, which draws items anew.
    """
    counts = _counts(items)
    metrics = _figures(items, counts)
    confidences, rights = _confidences(items)
    return Report(
        metrics,
        _intervals(metrics, counts, seed),
        calibration(confidences, rights) if confidences else None,
        risk_coverage(confidences, rights) if confidences else None,
        breakdowns(items),
        confusions(items),
        wrong_parts(items),
    )


def compare(first: Sequence[Item], second: Sequence[Item], seed: int = 0) -> Comparison:
    """Hold two models' answers to the same references, in the same order, against each other.

    Args:
        first: the answers of one model, at least one.
        second: those of the other.
        seed: of the bootstrap.
    """
    counts = _counts(first), _counts(second)
    rights = tuple([item.prediction == item.reference for item in items] for items in (first, second))
    return Comparison(
        _figures(first, counts[0]),
        _figures(second, counts[1]),
        {
            name: _scaled(
                bootstrap_difference(*counts, statistic, np.random.default_rng(seed), _ROUNDS), name
            )
            for name, statistic in _STATISTICS.items()
        },
        compare_rights(*rights),
        tuple(index for index, (one, other) in enumerate(zip(*rights, strict=True)) if one != other),
    )


# What is counted of each item; figures are functions of the sums, [..., columns].
_COLUMNS = (
    *("items", "edits", "reference", "reference_and_end", "longer", "edit_share", "matching", "mae", "rmse"),
    *(
        "within_0",
        "within_1",
        "within_2",
        "within_3",
        "well_formed",
        "structure",
        "symbols",
        "correct_symbols",
    ),
    *("graph_0", "graph_1", "graph_2", "graph_3"),
)
_BLEU = slice(len(_COLUMNS), None)  # those of bleu_counts stand behind them
Statistic = Callable[[FloatArray], FloatArray]


def _of(above: str, below: str = "items") -> Statistic:
    columns = [_COLUMNS.index(above), _COLUMNS.index(below)]
    return lambda sums: ratio(sums[..., columns])


def _bleu(sums: FloatArray) -> FloatArray:
    return bleu_of_counts(sums[..., _BLEU])


def _edit_score(sums: FloatArray) -> FloatArray:
    return 1 - _of("edits", "longer")(sums)


def _overall(sums: FloatArray) -> FloatArray:
    return (_bleu(sums) + _edit_score(sums) + _of("within_0")(sums)) / 3


# Shares of expressions, by the column that counts them.
_SHARES = {
    "exprate": "within_0",
    "exprate_1": "within_1",
    "exprate_2": "within_2",
    "exprate_3": "within_3",
    "exact_match": "within_0",
    "well_formed": "well_formed",
    "structure_rate": "structure",
    "graph_exprate": "graph_0",
    "graph_exprate_1": "graph_1",
    "graph_exprate_2": "graph_2",
    "graph_exprate_3": "graph_3",
}
_STATISTICS: Mapping[str, Statistic] = {name: _of(column) for name, column in _SHARES.items()} | {
    "wer": _of("edits", "reference"),
    "wer_with_end": _of("edits", "reference_and_end"),
    "cer": _of("edit_share"),
    "token_error_rate": _of("edits", "longer"),
    "bleu": _bleu,
    "edit_score": _edit_score,
    "overall": _overall,
    "word_rate": _of("matching"),
    "counting_mae": _of("mae"),
    "counting_rmse": _of("rmse"),
    "symbol_rate": _of("correct_symbols", "symbols"),
}
_NOT_IN_PERCENT = frozenset(("counting_mae", "counting_rmse"))


def _counts(items: Sequence[Item]) -> FloatArray:
    """Return [n, columns]."""
    pairs: list[Pair] = [(item.prediction or (), item.reference) for item in items]
    edits = np.array([edit_distance(*pair) for pair in pairs])
    longer = np.array(longer_lengths(pairs))
    reference = np.array([len(item.reference) for item in items])
    given = np.array([item.prediction is not None for item in items])
    layout = [layout_score(item.prediction, item.reference) for item in items]
    graph = np.array([score.errors for score in layout])
    classes = frozenset(token for pair in pairs for side in pair for token in side)
    counting = [counting_errors([pair], classes) for pair in pairs]
    columns = {
        "items": np.ones(len(items)),
        "edits": edits,
        "reference": reference,
        "reference_and_end": reference + 1,
        "longer": longer,
        "edit_share": edits / np.maximum(longer, 1),
        "matching": [matching_share(*pair) for pair in pairs] * given,
        "mae": [each.mae for each in counting],
        "rmse": [each.rmse for each in counting],
        "well_formed": [is_well_formed(predicted) for predicted, _ in pairs] & given,
        "structure": [score.right_structure for score in layout],
        "symbols": [score.reference_symbols or 0 for score in layout],
        "correct_symbols": [score.correct for score in layout],
    }
    for most in range(4):
        columns |= {f"within_{most}": given & (edits <= most), f"graph_{most}": graph <= most}
    stacked = np.stack([np.asarray(columns[name], np.float64) for name in _COLUMNS], axis=1)
    return np.hstack([stacked, bleu_counts(pairs)])


def _figures(items: Sequence[Item], counts: FloatArray) -> Metrics:
    sums = counts.sum(axis=0)
    values = {name: float(statistic(sums)) * _unit(name) for name, statistic in _STATISTICS.items()}
    missing = sum(item.prediction is None for item in items)
    names = [field.name for field in fields(Metrics)][2:]
    return Metrics(len(items), missing, *(values[name] for name in names))


def _intervals(metrics: Metrics, counts: FloatArray, seed: int) -> dict[str, Interval]:
    found = {}
    for name, statistic in _STATISTICS.items():
        if name in _SHARES:
            right = int(counts[:, _COLUMNS.index(_SHARES[name])].sum())
            interval = wilson(right, metrics.count)
        else:
            interval = bootstrap(counts, statistic, np.random.default_rng(seed), _ROUNDS)
        found[name] = _scaled(interval, name)
    return found


def _scaled(interval: Interval, name: str) -> Interval:
    return Interval(*(end * _unit(name) for end in interval))


def _unit(name: str) -> int:
    return 1 if name in _NOT_IN_PERCENT else 100


def _confidences(items: Sequence[Item]) -> tuple[list[float], list[bool]]:
    """Return confidences and outcomes of all that have one; what was not read has a confidence of 0."""
    chosen = [item for item in items if item.confidence is not None or item.prediction is None]
    if all(item.confidence is None for item in chosen):
        return [], []
    return [item.confidence or 0.0 for item in chosen], [item.prediction == item.reference for item in chosen]
