"""Search in both directions, each judging what the other found.

The joint search of BTTR (Zhao et al., "Handwritten Mathematical Expression Recognition with Bidirectionally
Trained Transformer", ICDAR 2021, section 3.4): beams from left to right and from right to left, then each
hypothesis scored in the other direction. Changed here: both beams run in one loop; what both have found is
not scored again; where both hold the same sequence for best, nothing is, since it would stay the best; and
where they do not, no more is than may come before the better of the two, and nothing else where both doubt
much what they hold for best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from inktex.decoding.options import SearchOptions
from inktex.decoding.search import Constraint, Hypothesis, Starts, search_from
from inktex.decoding.stepper import BoolArray, FloatArray, Stepper
from inktex.decoding.teacher_forcing import force

Tokens = tuple[int, ...]
Scores = dict[Tokens, float]  # log-probabilities by tokens in reading order


def search_both_ways(
    stepper: Stepper,
    images: FloatArray,
    padding: BoolArray,
    start_id: int,
    end_id: int,
    unwritten: Sequence[int] = (),
    options: SearchOptions | None = None,
    constraint: Constraint | None = None,
) -> list[list[Hypothesis]]:
    """Find the sequences of every picture that both directions together hold for best.

    From right to left, a sequence starts with ``end_id`` and ends with ``start_id``. The arguments are those
    of :func:`inktex.decoding.search.search`; ``start_id`` may stand in ``unwritten`` and still end.

    Returns:
        For each picture the distinct hypotheses of both beams, tokens in reading order, each with the mean of
        its log-probabilities in the two directions as its score, the best first. One that a direction has
        not found, and that could not become the best by it, counts there as much as the worst that it has.
        Hypotheses cut short by the length bound are left out, unless there is no other: then they are those
        from left to right, with its score.
    """
    options = options or SearchOptions()
    masked = tuple(set(unwritten) - {start_id, end_id})  # each direction's start is masked by search itself
    stepper.start(images, padding)
    count = len(images)
    pictures = np.tile(np.arange(count), 2)
    first = np.repeat([start_id, end_id], count)
    starts = Starts(pictures, first, first[::-1], masked)
    found = search_from(stepper, starts, options, constraint)
    forward = [_complete(hypotheses) for hypotheses in found[:count]]
    backward = [_complete(hypotheses, turned=True) for hypotheses in found[count:]]
    for judged, least in ((_first_of_each, 0.0), (_contenders, options.rescore_above)):
        disputed = [each for each in range(count) if _disputed(forward[each], backward[each], least)]
        _score_missing(stepper, disputed, forward, backward, starts, judged, options.length_penalty)
    joint = [_joined(*both, options.length_penalty) for both in zip(forward, backward, strict=True)]
    return [each or found[picture] for picture, each in enumerate(joint)]


def _complete(hypotheses: list[Hypothesis], turned: bool = False) -> Scores:
    """Return the scores of complete hypotheses, the best first, by their tokens in reading order."""
    step = -1 if turned else 1
    return {each.tokens[::step]: each.score for each in hypotheses if each.complete}


def _disputed(forward: Scores, backward: Scores, least: float) -> bool:
    """Tell whether directions hold different sequences for best, and one of them as likely as ``least``."""
    best = [next(iter(scores.items())) for scores in (forward, backward) if scores]
    agree = len(best) == 2 and best[0][0] == best[1][0]
    return not agree and any(math.exp(score) >= least for _, score in best)


def _first_of_each(forward: Scores, backward: Scores, length_penalty: float) -> list[Tokens]:
    """Return what either direction holds for best."""
    return [next(iter(scores)) for scores in (forward, backward) if scores]


def _contenders(forward: Scores, backward: Scores, length_penalty: float) -> list[Tokens]:
    """Return what may yet come before the best that both directions have scored.

    No direction is thought to rank anything above the best that it knows.
    """
    ranks = [
        {tokens: score / _scale(tokens, length_penalty) for tokens, score in scores.items()}
        for scores in (forward, backward)
    ]
    most = [max(each.values(), default=0.0) for each in ranks]

    def bound(tokens: Tokens) -> float:
        return sum(each.get(tokens, best) for each, best in zip(ranks, most, strict=True))

    leader = max(map(bound, forward.keys() & backward.keys()), default=-math.inf)
    return [tokens for tokens in forward | backward if bound(tokens) > leader]


def _score_missing(
    stepper: Stepper,
    disputed: list[int],
    forward: list[Scores],
    backward: list[Scores],
    starts: Starts,
    judged: Callable[[Scores, Scores, float], list[Tokens]],
    length_penalty: float,
) -> None:
    """Let both directions score what is to be judged of disputed pictures."""
    rows: list[int] = []  # of starts: pictures from left to right, then the same from right to left
    missing: list[tuple[Scores, Tokens]] = []
    sequences: list[Tokens] = []
    for picture in disputed:
        both = forward[picture], backward[picture]
        for tokens in judged(*both, length_penalty):
            for row, scores in zip((picture, picture + len(forward)), both, strict=True):
                if tokens not in scores:
                    rows.append(row)
                    missing.append((scores, tokens))
                    sequences.append(tokens if row == picture else tokens[::-1])
    if rows:
        chosen = Starts(starts.pictures[rows], starts.first[rows], starts.last[rows], starts.unwritten)
        values = score_sequences(stepper, chosen, sequences)
        for (scores, tokens), value in zip(missing, values.tolist(), strict=True):
            scores[tokens] = value


def _joined(forward: Scores, backward: Scores, length_penalty: float) -> list[Hypothesis]:
    """Return the hypotheses of both directions by the mean of their scores, the best first."""
    # Ranks, not scores, since a long sequence may not profit from the score of a short one.
    worst = [
        min((score / _scale(tokens, length_penalty) for tokens, score in scores.items()), default=0.0)
        for scores in (forward, backward)
    ]
    joint = []
    for tokens in forward | backward:
        scale = _scale(tokens, length_penalty)
        one, other = forward.get(tokens, worst[0] * scale), backward.get(tokens, worst[1] * scale)
        joint.append(Hypothesis(tokens, (one + other) / 2))
    return sorted(joint, key=lambda hypothesis: -hypothesis.rank(length_penalty))


def _scale(tokens: Tokens, length_penalty: float) -> float:
    """Return what a score is divided by to give a rank."""
    return float((len(tokens) + 1) ** length_penalty)


def score_sequences(stepper: Stepper, starts: Starts, sequences: Sequence[Sequence[int]]) -> FloatArray:
    """Return log-probabilities [n] of given sequences, the end token included (teacher forcing).

    Args:
        stepper: the model, with pictures that it has read.
        starts: where each of the n sequences begins, and how it ends.
        sequences: ids as written, without start and end, each shorter than the stepper's ``max_length``.
    """
    ended = [(*sequence, int(last)) for sequence, last in zip(sequences, starts.last, strict=True)]
    return np.array([forced.scores.sum() for forced in force(stepper, starts, ended)], np.float32)
