"""Search writes only LaTeX of the dialect, in either direction, and does not loop.

:class:`Grammar` is a :class:`~inktex.decoding.search.Constraint`: after each token it knows which others lead
to a formula that parses, and how many tokens each of them needs until the end. What does not fit into the
tokens that are left is forbidden, so that nothing is cut short: a hypothesis at the length bound is closed.

Tokens are forbidden after log-probabilities have been normalised over all that may be written. What is left
does not sum to 1, and a sequence has the score that teacher forcing gives it, with this constraint or
without, so the scores of both directions may be compared and joined.

Loops: a phrase of 1, 2, ... 8 tokens may stand 24, 18, 12, ... 12 times in a row. In the labels of the CROHME
training set it does so at most 8, 4, 2, 4, 3, 2, 2 and 2 times, in those of three larger sets of handwriting
(144,000 labels) at most 11, 9, 4, 4, 3, 3, 3 and 6 times, and in those of MathWriting, im2latex and HME100K
(98,000 labels) at most 17, 13, 5, 8, 4, 4, 3 and 6 times. :meth:`Grammar.bounds` tells afterwards whether the
length bound or this one stood in the way of a formula.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np

from inktex.decoding.grammar_backward import Backward
from inktex.decoding.grammar_forward import Forward
from inktex.decoding.grammar_tokens import Automaton, Level, kind, usable
from inktex.decoding.stepper import BoolArray, IntArray
from inktex.vocabulary import Vocabulary

# How often a phrase of 1, 2, ... tokens may stand in a row.
MOST_REPEATS: tuple[int, ...] = (24, 18, 12, 12, 12, 12, 12, 12)
_SHORTEST_LOOP = min(length * most for length, most in enumerate(MOST_REPEATS, 1))
_Stacks = frozenset[tuple[Level, ...]]
_NEVER = 1 << 30  # more tokens than any bound leaves
_STATES = 5_000  # kept for the searches to come; those that occur in 668 formulas of CROHME 2013 are 301


class Grammar:
    r"""Allows what keeps a formula in the dialect of :mod:`inktex.latex.tree`.

    May be used by several searches and threads at once.

    Args:
        vocabulary: of the model. Tokens without the partners that they need, such as `\left` in a vocabulary
            that has no `\right`, are never allowed.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        unwritten = {*vocabulary.unwritten, vocabulary.end_id}
        tokens = {token: id_ for id_, token in enumerate(vocabulary.tokens) if id_ not in unwritten}
        written = usable(tokens)
        examples: dict[tuple[object, ...], str] = {}
        for token in sorted(written):
            examples.setdefault(kind(token), token)
        places = {each: place for place, each in enumerate(examples)}
        kinds = np.full(len(vocabulary), len(places), np.int64)  # the last: never allowed
        for token in written:
            kinds[tokens[token]] = places[kind(token)]
        kept = list(examples.values())
        self._start = start = vocabulary.start_id
        end = vocabulary.end_id
        self._directions: dict[int, _Direction[Any]] = {
            start: _Direction(Forward(written), kept, kinds, end),
            end: _Direction(Backward(written), kept, kinds, start),
        }

    def start(self, first: IntArray, max_length: int) -> Writing:
        """Begin n formulas.

        Args:
            first: [n], the token each starts with: that which stands before the first token, or that which
                stands after the last, for a formula written from right to left.
            max_length: most tokens of each, the end token counted.

        Raises:
            KeyError: a formula starts with another token.
        """
        none = np.full((len(first), len(MOST_REPEATS)), -1, np.int64)
        states = tuple(self._directions[int(token)].start() for token in first)
        return Writing(states, none, np.zeros_like(none), max_length)

    def bounds(self, tokens: Sequence[int], max_length: int) -> bool:
        """Tell whether a bound, of length or repetition, forbids anything while a formula is written.

        Args:
            tokens: ids in reading order, without start and end; search has found them.
            max_length: that of the search.
        """
        state = self._directions[self._start].start()
        longest = state.most
        for place, token in enumerate(tokens, 1):
            state = state.after(token)
            longest = max(longest, place + state.most)
        if longest > max_length or not _repeats(tokens):
            return longest > max_length
        writing = self.start(np.array([self._start]), max_length)
        for token in tokens:
            if writing.bounded().any():
                return True
            writing = writing.after(np.array([0]), np.array([token]))
        return bool(writing.bounded().any())


def _repeats(tokens: Sequence[int]) -> bool:
    """Tell whether a phrase stands in a row as often as it may."""
    for length, most in enumerate(MOST_REPEATS, 1):
        run = 0
        for token, before in zip(tokens[length:], tokens, strict=False):
            run = run + 1 if token == before else 0
            if run + 1 >= length * most:
                return True
    return False


@dataclass(frozen=True)
class Writing:
    """n formulas being written.

    Attributes:
        states: [n], what the grammar knows of each.
        recent: [n, r], the tokens written last, the last first; -1 before the first.
        runs: [n, r], how many of the last tokens are the same as the one 1, 2, ... r places before them.
        left: how many tokens may still be written, the end token counted.
    """

    states: tuple[_State[Any], ...]
    recent: IntArray
    runs: IntArray
    left: int

    def allowed(self) -> BoolArray:
        """Return which tokens may follow each formula: [n, v].

        A phrase may go on past its bound where nothing else is possible.
        """
        fitting: BoolArray = self._needed() <= self.left
        if self.runs.max(initial=0) + 1 < _SHORTEST_LOOP:
            return fitting
        bound = np.arange(1, len(MOST_REPEATS) + 1) * MOST_REPEATS
        rows, phrases = np.nonzero(self.runs + 1 >= bound)
        fresh = fitting.copy()
        fresh[rows, self.recent[rows, phrases]] = False
        return np.where(fresh.any(axis=1, keepdims=True), fresh, fitting)

    def bounded(self) -> BoolArray:
        """Return where a token that the dialect allows is forbidden for what it needs or repeats: [n]."""
        possible = self._needed() < _NEVER
        return np.asarray((possible & ~self.allowed()).any(axis=1))

    def after(self, parents: IntArray, tokens: IntArray) -> Writing:
        """Return the formulas ``parents`` [m], each with one more token [m]."""
        pairs = zip(parents.tolist(), tokens.tolist(), strict=True)
        states = tuple(self.states[parent].after(token) for parent, token in pairs)
        before, new = self.recent[parents], tokens[:, None]
        runs = np.where(before == new, self.runs[parents] + 1, 0)
        return Writing(states, np.concatenate([new, before[:, :-1]], axis=1), runs, self.left - 1)

    def _needed(self) -> IntArray:
        return np.concatenate([state.needed for state in self.states]).reshape(len(self.states), -1)


class _Direction(Generic[Level]):
    """One direction of the dialect over the ids of a vocabulary; works out each state once.

    Args:
        automaton: the direction.
        examples: [c], a token of each kind.
        kinds: [v], the kind of each token; c where it is never allowed.
        last: id of the token that ends a formula.
    """

    def __init__(
        self, automaton: Automaton[Level], examples: Sequence[str], kinds: IntArray, last: int
    ) -> None:
        self.kind_of: list[int] = kinds.tolist()
        self._automaton = automaton
        self._examples = examples
        self._kinds = kinds
        self._last = last
        self._known: dict[_Stacks[Level], _State[Level]] = {}

    def start(self) -> _State[Level]:
        """Return the state before the first token."""
        return self._state(frozenset((self._automaton.start,)))

    def following(self, stacks: _Stacks[Level], kind: int) -> _State[Level]:
        """Return the state after a token of a kind."""
        return self._state(frozenset(self._rests(stacks, kind)))

    def _state(self, stacks: _Stacks[Level]) -> _State[Level]:
        known = self._known.get(stacks)
        if known is None:
            if len(self._known) >= _STATES:
                self._known = {}  # not cleared: another thread may be reading it
            needed = self._needed(stacks)
            most = int(needed[needed < _NEVER].max(initial=0))
            known = self._known[stacks] = _State(self, stacks, needed, most, {})
        return known

    def _rests(self, stacks: _Stacks[Level], kind: int) -> dict[tuple[Level, ...], float]:
        """Return the stacks after a token of a kind that can be completed, and what that takes."""
        if kind == len(self._examples):
            return {}
        token = self._examples[kind]
        reached = {after for stack in stacks for after in self._automaton.after(stack, token)}
        rests = {after: self._automaton.rest(after) for after in reached}
        return {after: rest for after, rest in rests.items() if math.isfinite(rest)}

    def _needed(self, stacks: _Stacks[Level]) -> IntArray:
        """Return for each token [v] how many are written at least until the end if it is the next."""
        kinds = range(len(self._examples) + 1)
        # The token itself, what completes it, and the token that ends.
        least = [2 + min(self._rests(stacks, kind).values(), default=_NEVER) for kind in kinds]
        needed = np.array(least, np.int64)[self._kinds]
        if any(self._automaton.rest(stack) == 0 for stack in stacks):
            needed[self._last] = 1
        return needed


@dataclass(frozen=True, eq=False)
class _State(Generic[Level]):
    """What the beginning of a formula leaves open.

    Attributes:
        direction: in which it is written.
        stacks: those that are possible; none after a forbidden token.
        needed: [v], how many tokens are written at least until the end, if this one is the next.
        most: the largest of these, of tokens that are possible at all.
        known: states that follow, by the kind of the next token, as far as they have been asked for.
    """

    direction: _Direction[Level]
    stacks: _Stacks[Level]
    needed: IntArray
    most: int
    known: dict[int, _State[Level]]

    def after(self, token: int) -> _State[Level]:
        """Return the state after one more token."""
        kind = self.direction.kind_of[token]
        following = self.known.get(kind)
        if following is None:
            following = self.known[kind] = self.direction.following(self.stacks, kind)
        return following
