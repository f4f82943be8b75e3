"""How far predicted tokens are from the reference: edits, rates of them, n-grams and counts of symbols.

Shares and rates are 0 to 1, not percent. Who needs several counts once, with `distances`, `longer_lengths`
and `bleu_counts`, and hands that to `expression_rates`, `error_rate`, `mean_error_rate`, `bleu_of_counts`.
A missing prediction is `()` here; that it is wrong even if the reference is empty is for the caller to say.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.latex.tree import is_well_formed

Pair = tuple[Sequence[str], Sequence[str]]  # (predicted, reference)
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

LAYOUT_TOKENS = frozenset("{}^_")  # written in LaTeX, but not in ink
_ORDERS = (1, 2, 3, 4)  # of the n-grams of BLEU-4


class Edit(NamedTuple):
    """One step of an alignment; an index is None where that side has no token."""

    kind: Literal["equal", "substituted", "missing", "added"]
    predicted_index: int | None
    reference_index: int | None


class CountingErrors(NamedTuple):
    """Mean over the samples of the mean absolute and the root mean squared error of symbol counts."""

    mae: float
    rmse: float


def edit_distance(predicted: Sequence[Hashable], reference: Sequence[Hashable]) -> int:
    """Return the fewest insertions, deletions and replacements of a token that turn one into the other.

    Columns of the table of prefixes are held as differences of neighbours, one bit for each reference token
    (Myers, JACM 46, 1999, in the form of Hyyro, "Explaining and extending the bit-parallel algorithm", 2001).
    """
    first, last = _common_ends(predicted, reference)
    predicted, reference = predicted[first : len(predicted) - last], reference[first : len(reference) - last]
    if not predicted or not reference:
        return len(predicted) + len(reference)
    where: dict[Hashable, int] = {}  # bit i is set in a token's if the reference has it at i
    for index, token in enumerate(reference):
        where[token] = where.get(token, 0) | 1 << index
    everywhere = (1 << len(reference)) - 1
    plus, minus = everywhere, 0  # where the column grows, and shrinks, from one row to the next
    for token in predicted:
        matches = where.get(token, 0)
        diagonal = (((matches & plus) + plus) ^ plus) | matches | minus  # where it does not grow
        grown = (minus | everywhere & ~(diagonal | plus)) << 1 | 1  # rows growing from column to column
        shrunk = (diagonal & plus) << 1
        plus, minus = everywhere & (shrunk | ~(diagonal | grown)), grown & diagonal
    return len(predicted) + plus.bit_count() - minus.bit_count()


def edit_operations(predicted: Sequence[Hashable], reference: Sequence[Hashable]) -> tuple[Edit, ...]:
    """Return an alignment with the fewest edits, in reading order.

    Of several it is one with the most equal tokens, so that tokens in another order are added and missing
    and not mistaken for one another; what is left to choose is always chosen in the same way.
    """
    first, last = _common_ends(predicted, reference)
    row, column = len(predicted) - last, len(reference) - last
    gap = row + column + 1  # an edit outweighs whatever replacements cost more than gaps
    after = [Edit("equal", row + index, column + index) for index in range(last)]
    costs = _prefix_costs(predicted[first:row], reference[first:column], gap)
    backwards: list[Edit] = []
    while row > first and column > first:
        here, above = costs[row - first], costs[row - first - 1]
        same = predicted[row - 1] == reference[column - 1]
        if here[column - first] == above[column - first - 1] + (0 if same else gap + 1):
            row, column = row - 1, column - 1
            backwards.append(Edit("equal" if same else "substituted", row, column))
        elif here[column - first] == above[column - first] + gap:
            row -= 1
            backwards.append(Edit("added", row, None))
        else:
            column -= 1
            backwards.append(Edit("missing", None, column))
    before = [Edit("equal", index, index) for index in range(first)]
    before += [Edit("added", index, None) for index in range(first, row)]
    before += [Edit("missing", None, index) for index in range(first, column)]
    return (*before, *reversed(backwards), *after)


def distances(pairs: Iterable[Pair]) -> list[int]:
    """Return the edit distance of each pair."""
    return [edit_distance(predicted, reference) for predicted, reference in pairs]


def longer_lengths(pairs: Iterable[Pair]) -> list[int]:
    """Return, of each pair, the tokens of the longer side."""
    return [max(len(predicted), len(reference)) for predicted, reference in pairs]


def exprate(pairs: Iterable[Pair], most_errors: int = 3) -> list[float]:
    """Return the shares, 0 to 1, of pairs at most 0, 1, ... ``most_errors`` edits apart; 0 without pairs."""
    return expression_rates(distances(pairs), most_errors)


def expression_rates(distances: Sequence[float], most_errors: int = 3) -> list[float]:
    """Return the shares, 0 to 1, of edit distances of at most 0, 1, ... ``most_errors``; 0 without any."""
    within = range(most_errors + 1)
    return [sum(distance <= bound for distance in distances) / max(len(distances), 1) for bound in within]


def exact_match(pairs: Iterable[Pair]) -> float:
    """Return the share of pairs with the same tokens; 0 without pairs."""
    same = [tuple(predicted) == tuple(reference) for predicted, reference in pairs]
    return sum(same) / max(len(same), 1)


def wer(pairs: Iterable[Pair]) -> float:
    """Return the word error rate: edits over all pairs, divided by the tokens of all references.

    A corpus of empty references has a rate of 0 if nothing was predicted, and infinity otherwise.
    """
    pairs = list(pairs)
    return error_rate(distances(pairs), [len(reference) for _, reference in pairs])


def wer_with_end(pairs: Iterable[Pair], limit: int | None = None) -> float:
    """Return the word error rate with the end token counted, as one more token of every sequence.

    The pairs come without it. With a ``limit``, a prediction of at least that many tokens was cut off: it
    gets no end token, but its reference does, so even if right it costs an edit. This is the WER of whywhs'
    Pytorch-Handwritten-Mathematical-Expression-Recognition, where the limit is 48; there, a prediction is
    also cut to the longest label of its batch, which is not done here.
    """
    edits, tokens = 0, 0
    for predicted, reference in pairs:
        ended = limit is None or len(predicted) < limit
        end = (None,) if ended else ()  # None equals no token
        edits += edit_distance((*predicted, *end), (*reference, None))
        tokens += len(reference) + 1
    return error_rate([edits], [tokens])


def token_error_rate(pairs: Iterable[Pair]) -> float:
    """Return the edits over all pairs, divided by the sum of their longer lengths; 0 if all are empty."""
    pairs = list(pairs)
    return error_rate(distances(pairs), longer_lengths(pairs))


def edit_score(pairs: Iterable[Pair]) -> float:
    """Return 1 - token error rate, the edit score of Genthial's im2latex; 1 if all are empty."""
    return 1 - token_error_rate(pairs)


def cer(pairs: Iterable[Pair]) -> float:
    """Return the mean over pairs of edits / longer length, 0 where both are empty; tokens are the characters.

    The character error rate of kingyiusuen's image-to-latex.
    """
    pairs = list(pairs)
    return mean_error_rate(distances(pairs), longer_lengths(pairs))


def error_rate(edits: Sequence[float], lengths: Sequence[int]) -> float:
    """Return the sum of edits divided by that of lengths; where that is 0, 0 without edits, else infinity."""
    if total := sum(lengths):
        return sum(edits) / total
    return math.inf if any(edits) else 0.0


def mean_error_rate(edits: Sequence[float], lengths: Sequence[int]) -> float:
    """Return the mean of edits / length, where 0 / 0 is 0; 0 without any. Edits never exceed lengths."""
    shares = [each / max(length, 1) for each, length in zip(edits, lengths, strict=True)]
    return sum(shares) / max(len(shares), 1)


def bleu(pairs: Iterable[Pair]) -> float:
    """Return the corpus BLEU-4, one reference each (Papineni et al., "BLEU", ACL 2002), without smoothing.

    It is 0 if the whole corpus has no match of one of the four orders, even because no prediction is that
    long: a corpus of expressions of three tokens has a BLEU of 0, though all be right. So has an empty one.
    """
    return float(bleu_of_counts(bleu_counts(pairs).sum(axis=0)))


def bleu_counts(pairs: Iterable[Pair]) -> IntArray:
    """Return [n, 9], the counts of each pair whose sums over a corpus make its BLEU.

    Four columns of n-grams of 1 to 4 tokens found in the reference, each at most as often as it is there;
    four of n-grams predicted; one of reference tokens.
    """
    rows = []
    for predicted, reference in pairs:
        shared = [(_ngrams(predicted, order) & _ngrams(reference, order)).total() for order in _ORDERS]
        offered = [max(len(predicted) - order + 1, 0) for order in _ORDERS]
        rows.append((*shared, *offered, len(reference)))
    return np.array(rows, np.int64).reshape(-1, 2 * len(_ORDERS) + 1)


def bleu_of_counts(sums: npt.NDArray[np.number]) -> FloatArray:
    """Return [...], the BLEU of corpora, from the sums over their pairs of `bleu_counts`, [..., 9]."""
    matched, offered = sums[..., :4].astype(np.float64), sums[..., 4:8].astype(np.float64)
    reference, predicted = sums[..., 8].astype(np.float64), np.maximum(offered[..., 0], 1)
    precision = np.where(matched > 0, matched / np.maximum(offered, 1), 1)
    brevity = np.minimum(1 - reference / predicted, 0)
    scores = np.exp(np.log(precision).mean(axis=-1) + brevity)
    return np.asarray(np.where((matched > 0).all(axis=-1), scores, 0))


def overall(bleu: float, edit_score: float, exact_match: float) -> float:
    """Return the mean of the three, the overall score of Leikrit's Handwriting-formula-recognition."""
    return (bleu + edit_score + exact_match) / 3


def word_rate(pairs: Iterable[Pair]) -> float:
    """Return the WordRate of CAN, the mean of `matching_share`; 0 without pairs."""
    shares = [matching_share(predicted, reference) for predicted, reference in pairs]
    return sum(shares) / max(len(shares), 1)


def matching_share(predicted: Sequence[str], reference: Sequence[str]) -> float:
    """Return matching tokens / reference tokens, the prediction cut to the length of the reference.

    Matches are those that CAN (Li et al., ECCV 2022) counts in validation: `difflib.SequenceMatcher` of
    reference and prediction, in this order, with autojunk=False: the longest common run, then the same on
    either side. CAN has an end token in both and lets its decoder go on past it; here there is none.
    An empty reference has a share of 1 if nothing was predicted, else 0.
    """
    if not reference:
        return float(not predicted)
    cut = predicted[: len(reference)]
    if tuple(cut) == tuple(reference):
        return 1.0
    blocks = SequenceMatcher(None, reference, cut, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(reference)


def counting_errors(pairs: Iterable[Pair], classes: Iterable[str] | None = None) -> CountingErrors:
    """Return how wrong the numbers of each symbol are; errors of 0 without pairs or classes.

    Of each pair the mean absolute error over the classes, and the root of the mean squared one; then the
    means over the pairs, as in CAN, whose "mse" is that root. The classes are those given, or all that occur,
    without `LAYOUT_TOKENS`; tokens of no class are not counted. CAN judges its counting module, not what is
    decoded, and divides by all 111 entries of its vocabulary, also the six it never counts (ends, layout).
    """
    pairs = list(pairs)
    if classes is None:
        classes = {token for pair in pairs for side in pair for token in side}
    counted = frozenset(classes) - LAYOUT_TOKENS
    absolute, root, size = 0.0, 0.0, max(len(counted), 1)
    for predicted, reference in pairs:
        apart = Counter(reference)
        apart.subtract(predicted)
        errors = [error for token, error in apart.items() if error and token in counted]
        absolute += sum(map(abs, errors)) / size
        root += math.sqrt(sum(error * error for error in errors) / size)
    return CountingErrors(absolute / max(len(pairs), 1), root / max(len(pairs), 1))


def well_formed_share(predictions: Iterable[Sequence[str]]) -> float:
    """Return the share of predictions that parse as LaTeX, as an empty one does; 0 without any."""
    parsed = [is_well_formed(tokens) for tokens in predictions]
    return sum(parsed) / max(len(parsed), 1)


def _common_ends(predicted: Sequence[Hashable], reference: Sequence[Hashable]) -> tuple[int, int]:
    """Return how many tokens both begin with, and how many more both end with: they may stay as they are."""
    first, last = 0, 0
    shorter = min(len(predicted), len(reference))
    while first < shorter and predicted[first] == reference[first]:
        first += 1
    while last < shorter - first and predicted[-1 - last] == reference[-1 - last]:
        last += 1
    return first, last


def _prefix_costs(predicted: Sequence[Hashable], reference: Sequence[Hashable], gap: int) -> list[list[int]]:
    """Return [p + 1, r + 1], what it costs to turn prefixes into one another; a replacement is gap + 1."""
    table = [[gap * column for column in range(len(reference) + 1)]]
    for token in predicted:
        above, here = table[-1], [table[-1][0] + gap]
        for column, other in enumerate(reference):
            replaced = above[column] + (0 if token == other else gap + 1)
            here.append(min(replaced, above[column + 1] + gap, here[-1] + gap))
        table.append(here)
    return table


def _ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))
