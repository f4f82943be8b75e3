"""Greedy and beam search: one loop over a batch of pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from inktex.decoding.stepper import BoolArray, FloatArray, IntArray, Stepper


class Constraint(Protocol):
    """Forbids tokens. Those that are left keep their log-probabilities."""

    def start(self, first: IntArray, max_length: int) -> Writing:
        """Begin a hypothesis for each start token [n], which tells the direction.

        Args:
            first: [n], the tokens.
            max_length: most tokens that each has room for, the end token counted.
        """
        ...


class Writing(Protocol):
    """Hypotheses as a constraint sees them. They do not change: a longer one is a new one."""

    def allowed(self) -> BoolArray:
        """Return the tokens that may follow each hypothesis: [n, v]."""
        ...

    def after(self, parents: IntArray, tokens: IntArray) -> Writing:
        """Return what becomes of hypotheses ``parents`` [m] by ``tokens`` [m].

        Among them may be tokens that are forbidden, in hypotheses that are held no longer.
        """
        ...


@dataclass(frozen=True)
class SearchOptions:
    """How to search.

    Attributes:
        width: hypotheses kept for a picture; 1 is greedy.
        length_penalty: hypotheses are ranked by score / length ** penalty, the length counting the end token.
        max_length: most tokens written, the end token counted; a model may allow fewer.
        prune: hypotheses are dropped whose probability is below this share of the best one's, be that open
            or complete; 0 drops none.
    """

    width: int = 4
    length_penalty: float = 1.0
    max_length: int = 200
    prune: float = 0.0

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width must be at least 1, got {self.width}")
        if self.max_length < 1:
            raise ValueError(f"max_length must be at least 1, got {self.max_length}")
        if self.length_penalty < 0:
            raise ValueError(f"length_penalty must not be negative, got {self.length_penalty}")
        if not 0 <= self.prune < 1:
            raise ValueError(f"prune must be at least 0 and below 1, got {self.prune}")

    @property
    def margin(self) -> float:
        """How far below the best score another may lie and not be pruned."""
        return -math.log(self.prune) if self.prune else math.inf


class Hypothesis(NamedTuple):
    """A sequence that search found.

    Attributes:
        tokens: ids in the order written, without start and end.
        score: its log-probability, the end token included.
        complete: False where the length bound came before the end token.
    """

    tokens: tuple[int, ...]
    score: float
    complete: bool = True

    def rank(self, length_penalty: float) -> float:
        """Return what hypotheses are ranked by: score / length ** penalty."""
        return float(self.score / (len(self.tokens) + 1) ** length_penalty)


@dataclass(frozen=True)
class Starts:
    """What searches begin with; n searches, of which several may read one picture.

    Attributes:
        pictures: [n], the picture each reads.
        first: [n], the token each starts with; it is never written.
        last: [n], the token each ends with.
        unwritten: ids that are never written besides.
    """

    pictures: IntArray
    first: IntArray
    last: IntArray
    unwritten: tuple[int, ...] = ()


def search(
    stepper: Stepper,
    images: FloatArray,
    padding: BoolArray,
    start_id: int,
    end_id: int,
    unwritten: Sequence[int] = (),
    options: SearchOptions | None = None,
    constraint: Constraint | None = None,
) -> list[list[Hypothesis]]:
    """Find the best sequences of every picture in one direction.

    Args:
        stepper: the model.
        images: [b, 1, height, width].
        padding: [b, height, width], True outside the picture.
        start_id: the token a sequence starts with, never written.
        end_id: the token it ends with.
        unwritten: further ids that are never written, such as padding.
        options: how to search; the defaults where ``None``.
        constraint: forbids tokens.

    Returns:
        For each picture at least one and at most ``width`` distinct hypotheses, the best first; those cut
        short by the length bound stand behind all others.
    """
    stepper.start(images, padding)
    count = len(images)
    starts = Starts(np.arange(count), np.full(count, start_id), np.full(count, end_id), tuple(unwritten))
    return search_from(stepper, starts, options or SearchOptions(), constraint)


def never_written(first: IntArray, unwritten: Sequence[int], size: int) -> FloatArray:
    """Return what is added to logits: minus infinity at ids that are never written, else 0.

    Args:
        first: [n], the start token of each sequence, never written in it.
        unwritten: ids that are never written in any of them.
        size: of the vocabulary, v.

    Returns:
        [n, v].
    """
    added = np.zeros((len(first), size), np.float32)
    added[np.arange(len(first)), first] = -np.inf
    added[:, list(unwritten)] = -np.inf
    return added


def log_probabilities(logits: FloatArray, added: FloatArray) -> FloatArray:
    """Return log-probabilities [n, v] of logits [n, v] among the ids that may be written.

    Whatever scores a sequence has to mask the same ids before it normalises, or scores cannot be compared.

    Args:
        logits: [n, v].
        added: [n, v] by :func:`never_written`.
    """
    scores = np.asarray(logits + added, np.float32)
    scores -= scores.max(axis=1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return scores


class _Open(NamedTuple):
    """The searches that go on: which they are [a], tokens [a, k, t] from the start on, and scores [a, k]."""

    which: IntArray
    tokens: IntArray
    scores: FloatArray


def search_from(
    stepper: Stepper, starts: Starts, options: SearchOptions, constraint: Constraint | None = None
) -> list[list[Hypothesis]]:
    """Search on from pictures that the stepper has read; returns a list a start, as :func:`search` does."""
    found: list[list[Hypothesis]] = [[] for _ in starts.pictures]
    scores = np.zeros((len(found), 1), np.float32)
    still = _Open(np.arange(len(found)), starts.first[:, None, None], scores)
    parents = starts.pictures
    bound = min(options.max_length, stepper.max_length)
    writing = None if constraint is None else constraint.start(starts.first, bound)
    added = None
    for _ in range(bound):
        if not len(still.which):
            break
        count, kept, _ = still.tokens.shape
        logits = stepper.step(still.tokens[:, :, -1].ravel(), parents)
        if added is None:
            added = never_written(starts.first, starts.unwritten, logits.shape[1])
        scored = log_probabilities(logits, added[np.repeat(still.which, kept)])
        if writing is not None:
            scored = np.where(writing.allowed(), scored, np.float32(-np.inf))
        scored = still.scores[:, :, None] + scored.reshape(count, kept, -1)  # [a, k, v]
        still, origin = _extend(still, scored, starts.last[still.which], found, options)
        rows = _unsettled(still, found, options)
        if len(rows) < count:
            still, origin = _Open(still.which[rows], still.tokens[rows], still.scores[rows]), origin[rows]
        parents = (rows[:, None] * kept + origin).ravel()
        if writing is not None:
            writing = writing.after(parents, still.tokens[:, :, -1].ravel())
    _add_cut_short(still, found)
    return [_best(hypotheses, options) for hypotheses in found]


def _extend(
    still: _Open, scored: FloatArray, last: IntArray, found: list[list[Hypothesis]], options: SearchOptions
) -> tuple[_Open, IntArray]:
    """Add to ``found`` the best continuations that end; return the best others and the beams they continue.

    Args:
        still: the open hypotheses.
        scored: [a, k, v], scores of all their continuations.
        last: [a], the tokens that end.
        found: the complete hypotheses of all searches.
        options: how many are kept of each search.
    """
    width = options.width
    rows = np.arange(len(scored))[:, None]
    # Of twice the width at most half end, since each beam can end in one way.
    chosen, values = _largest(scored.reshape(len(scored), -1), 2 * width)  # [a, c]
    origin, token = np.divmod(chosen, scored.shape[2])
    ends = token == last[:, None]
    if ends.any():
        for row, rank in np.argwhere(ends[:, :width] & np.isfinite(values[:, :width])):
            written = tuple(still.tokens[row, origin[row, rank], 1:].tolist())
            found[still.which[row]].append(Hypothesis(written, float(values[row, rank])))
        values[ends] = -np.inf
        onward = np.argsort(-values, axis=1, kind="stable")
        origin, token, values = origin[rows, onward], token[rows, onward], values[rows, onward]
    if options.prune:
        best = [max((each.score for each in found[which]), default=-math.inf) for which in still.which]
        values[values < np.maximum(best, values[:, 0])[:, None] - options.margin] = -np.inf
        width = min(width, max(1, int(np.isfinite(values).sum(axis=1).max())))
    origin, token, values = origin[:, :width], token[:, :width], values[:, :width]  # [a, k]
    tokens = np.concatenate([still.tokens[rows, origin], token[:, :, None]], axis=2)
    return _Open(still.which, tokens, values), origin


def _largest(values: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
    """Return indices and values of the ``count`` largest of each row [a, m], falling; ties by index."""
    rows = np.arange(len(values))[:, None]
    if count < values.shape[1]:
        part = np.sort(np.argpartition(values, -count, axis=1)[:, -count:], axis=1)
    else:
        part = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    held = values[rows, part]
    order = np.argsort(-held, axis=1, kind="stable")
    return part[rows, order], held[rows, order]


def _unsettled(still: _Open, found: list[list[Hypothesis]], options: SearchOptions) -> IntArray:
    """Return the rows of the searches that go on.

    A search ends when ``width`` hypotheses are complete and the best open one, at the length it has now,
    ranks below all of them, or when nothing is open.
    """
    width, penalty = options.width, options.length_penalty
    best = still.scores[:, 0] / (still.tokens.shape[2] - 1) ** penalty  # [a]
    rows = []
    for row in np.flatnonzero(np.isfinite(best)):
        complete = found[still.which[row]]
        if len(complete) >= width:
            ranks = sorted((hypothesis.rank(penalty) for hypothesis in complete), reverse=True)
            if best[row] <= ranks[width - 1]:
                continue
        rows.append(row)
    return np.array(rows, np.int64)


def _add_cut_short(still: _Open, found: list[list[Hypothesis]]) -> None:
    for row, which in enumerate(still.which):
        for beam in np.flatnonzero(np.isfinite(still.scores[row])):
            written = tuple(still.tokens[row, beam, 1:].tolist())
            found[which].append(Hypothesis(written, float(still.scores[row, beam]), complete=False))


def _best(hypotheses: list[Hypothesis], options: SearchOptions) -> list[Hypothesis]:
    """Return the hypotheses that search answers with, the best first."""
    complete = [each for each in hypotheses if each.complete]
    least = max((each.score for each in complete or hypotheses), default=0.0) - options.margin
    near = [each for each in hypotheses if each.score >= least]
    near.sort(key=lambda each: (not each.complete, -each.rank(options.length_penalty)))
    return near[: options.width]
