"""Greedy and beam search: one loop over a batch of pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple, Protocol

import numpy as np

from inktex.decoding.options import SearchOptions
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
    """An open hypothesis, which is a row of a step.

    Attributes:
        search: that it belongs to.
        parent: the row of the step before that it continues; before the first step, its picture.
        tokens: from the start on.
        score: their log-probability; minus infinity for a row that only fills up its beam.
    """

    search: int
    parent: int
    tokens: tuple[int, ...]
    score: float


_Continuation = tuple[float, int, int]  # minus its score, the row that it continues, its token


def search_from(
    stepper: Stepper, starts: Starts, options: SearchOptions, constraint: Constraint | None = None
) -> list[list[Hypothesis]]:
    """Search on from pictures that the stepper has read; returns a list a start, as :func:`search` does."""
    pictures, last = starts.pictures.tolist(), starts.last.tolist()
    found: list[list[Hypothesis]] = [[] for _ in pictures]
    rows = [
        _Open(search, pictures[search], (first,), 0.0) for search, first in enumerate(starts.first.tolist())
    ]
    bound = min(options.max_length, stepper.max_length)
    writing = None if constraint is None else constraint.start(starts.first, bound)
    added = None
    for written in range(bound):
        if not rows:
            break
        parents, tokens = np.array([[row.parent, row.tokens[-1]] for row in rows]).T
        if written and writing is not None:
            writing = writing.after(parents, tokens)
        logits = stepper.step(tokens, parents)
        if added is None:
            added = never_written(starts.first, starts.unwritten, logits.shape[1])
        scored = log_probabilities(logits, added[[row.search for row in rows]])
        if writing is not None:
            scored = np.where(writing.allowed(), scored, np.float32(-np.inf))
        scored += np.array([[row.score] for row in rows], np.float32)
        beams = [
            _extend(rows, likeliest, last[search], found[search], options)
            for search, likeliest in _likeliest(rows, scored, options.width + 1).items()
        ]
        rows = _in_step(beams, pictures)
    for row in rows:
        if row.score > -math.inf:
            found[row.search].append(Hypothesis(row.tokens[1:], row.score, complete=False))
    return [_best(hypotheses, options) for hypotheses in found]


def _likeliest(rows: list[_Open], scored: FloatArray, most: int) -> dict[int, list[_Continuation]]:
    """Return by search the likeliest continuations of its rows, so many of each row, in any order.

    Args:
        rows: of all searches.
        scored: [n, v], scores of all continuations.
        most: how many of a row may matter.
    """
    tokens = np.argpartition(scored, max(0, scored.shape[1] - most), axis=1)[:, -most:]
    negative = -scored[np.arange(len(rows))[:, None], tokens]
    beams: dict[int, list[_Continuation]] = {row.search: [] for row in rows}
    for number, each in enumerate(zip(negative.tolist(), tokens.tolist(), strict=True)):
        beams[rows[number].search].extend(zip(each[0], repeat(number), each[1], strict=False))
    return beams


def _extend(
    rows: list[_Open],
    likeliest: list[_Continuation],
    last: int,
    complete: list[Hypothesis],
    options: SearchOptions,
) -> list[_Open]:
    """Add to ``complete`` the best continuations that end; return the best others, none if search is over.

    Args:
        rows: of all searches.
        likeliest: of the continuations of a search; of each row one more than the width, since one may end.
        last: the token that ends.
        complete: the complete hypotheses of the search.
        options: how many are kept.
    """
    onward: list[_Open] = []
    best = max((each.score for each in complete), default=-math.inf)
    for rank, (negative, number, token) in enumerate(sorted(likeliest)):
        score, before = -negative, rows[number]
        if score == -math.inf or score < best - options.margin or len(onward) == options.width:
            break
        if token != last:
            onward.append(_Open(before.search, number, (*before.tokens, token), score))
        elif rank < options.width:
            complete.append(Hypothesis(before.tokens[1:], score))
        best = max(best, score)
    return [] if _settled(onward, complete, options) else onward


def _settled(onward: list[_Open], complete: list[Hypothesis], options: SearchOptions) -> bool:
    """Tell whether as many hypotheses are complete as are kept, and none that is open can come among them.

    The best open one counts as it ranks at the length it has now.
    """
    if not onward or len(complete) < options.width:
        return not onward
    first, penalty = onward[0], options.length_penalty
    ranks = sorted((each.rank(penalty) for each in complete), reverse=True)
    return bool(first.score / (len(first.tokens) - 1) ** penalty <= ranks[options.width - 1])


def _in_step(beams: list[list[_Open]], pictures: list[int]) -> list[_Open]:
    """Return the rows of the next step: all beams made equally wide, unless they read a single picture.

    A stepper holds what it knows of a picture once for a whole beam only if all beams are alike.
    """
    rows = [row for beam in beams for row in beam]
    if len({pictures[row.search] for row in rows}) > 1:
        width = max(map(len, beams))
        filled = [beam + [beam[0]._replace(score=-math.inf)] * (width - len(beam)) for beam in beams if beam]
        rows = [row for beam in filled for row in beam]
    return rows


def _best(hypotheses: list[Hypothesis], options: SearchOptions) -> list[Hypothesis]:
    """Return the hypotheses that search answers with, the best first."""
    complete = [each for each in hypotheses if each.complete]
    least = max((each.score for each in complete or hypotheses), default=0.0) - options.margin
    near = [each for each in hypotheses if each.score >= least]
    near.sort(key=lambda each: (not each.complete, -each.rank(options.length_penalty)))
    return near[: options.width]
