"""The recognizer: a picture or pen strokes in, LaTeX out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from inktex.bundle import Bundle, load_bundle
from inktex.decoding.grammar import Grammar
from inktex.decoding.rescore import search_both_ways
from inktex.decoding.search import SearchOptions, search
from inktex.decoding.stepper import BoolArray, FloatArray, OnnxStepper
from inktex.errors import ConfigError, InktexError
from inktex.image import CANONICAL_SYMBOL_PX
from inktex.intake import canonical_pictures

_SHIPPED = Path(__file__).parent / "weights"
_WINDOW = 256  # inputs that are prepared at a time and sorted by size
_BATCH_PIXELS = 160_000  # padded area of a batch, with symbols of 16 px
_BATCH_PICTURES = 16


@dataclass(frozen=True)
class Alternative:
    """Another reading: its LaTeX and confidence."""

    latex: str
    confidence: float


@dataclass(frozen=True)
class Recognition:
    """What was read.

    Attributes:
        latex: the LaTeX, tokens separated by spaces.
        confidence: the probability, 0 to 1, that the model gives to the whole expression (the geometric mean
            of both directions', and the mean of both looks'); 0 if it was cut short by the length bound.
        alternatives: other readings, the best first as search ranks them, which takes account of length.
        tokens: the LaTeX as tokens.
        bounded: whether the bound on length, or that on repetition, cut the reading short or bent it.
    """

    latex: str
    confidence: float
    alternatives: tuple[Alternative, ...]
    tokens: tuple[str, ...]
    bounded: bool = False


class _Reading(NamedTuple):
    """What one or both looks found: ids of tokens and their probability."""

    tokens: tuple[int, ...]
    confidence: float


class Recognizer:
    """Reads handwritten mathematics.

    What can be read: a path, or the bytes, of a picture, of InkML or of JSON strokes; a NumPy array; a Pillow
    picture; an :class:`inktex.ink.Ink`. It may be used by several threads at once.

    Args:
        model: folder of a bundle; ``None`` is the one that ships with Inktex.
        threads: threads that compute; ``None`` leaves the choice to ONNX Runtime.
        width: hypotheses kept for a picture, 1 is greedy; ``None`` is the model's own default.
        both_ways: whether to read from both ends; ``None`` is the model's own default.
        second_look: whether doubtful readings are read again at another size; ``None`` is the model's own
            default.
        grammar: whether only well-formed LaTeX may be written; ``None`` is the model's own default.

    Raises:
        BundleError: the bundle is missing, altered or made for another version.
        ConfigError: an option that is not allowed.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        threads: int | None = None,
        width: int | None = None,
        both_ways: bool | None = None,
        second_look: bool | None = None,
        grammar: bool | None = None,
    ) -> None:
        self.bundle: Bundle = load_bundle(_SHIPPED if model is None else Path(model))
        facts = self.bundle.facts
        if threads is not None and threads < 1:
            raise ConfigError(f"threads must be at least 1, got {threads}")
        defaults = facts.search
        try:
            self._options = SearchOptions(
                defaults.width if width is None else width, defaults.length_penalty, defaults.max_length
            )
        except ValueError as error:
            raise ConfigError(str(error)) from None
        self._search = (
            search_both_ways if (defaults.both_ways if both_ways is None else both_ways) else search
        )
        grammatical = defaults.grammar if grammar is None else grammar
        self._grammar = Grammar(self.bundle.vocabulary) if grammatical else None
        self._sizes = [facts.symbol_px]
        if defaults.second_below > 0 and second_look is not False:
            self._sizes.append(facts.symbol_px * defaults.second_scale)
        elif second_look:
            raise ConfigError(f"{self.bundle.source} has no second look: it was not tuned for one")
        self._encoder, self._step = self.bundle.sessions(threads)

    def stepper(self) -> OnnxStepper:
        """Return a new stepper of the model, which is all that search sees of it."""
        return OnnxStepper(self._encoder, self._step, self.bundle.facts.max_length)

    def recognize(self, source: Any) -> Recognition:
        """Read one expression.

        Raises:
            InktexError: the source cannot be read; one sentence says why.
        """
        return self.recognize_many([source])[0]

    def recognize_many(
        self, sources: Iterable[Any], progress: Callable[[int], None] | None = None
    ) -> list[Recognition]:
        """Read many expressions, which is faster than one by one; the answers are the same.

        Args:
            sources: as for :meth:`recognize`.
            progress: called with the number of those done so far.

        Raises:
            InktexError: a source cannot be read. :meth:`recognize_each` goes on past those.
        """
        done: dict[int, Recognition] = {}
        for index, result in self.recognize_each(sources):
            if isinstance(result, InktexError):
                raise result
            done[index] = result
            if progress is not None:
                progress(len(done))
        return [done[index] for index in range(len(done))]

    def recognize_each(self, sources: Iterable[Any]) -> Iterator[tuple[int, Recognition | InktexError]]:
        """Yield (index, recognition, or why there is none) of every source, in the order they are done in.

        Sources are taken as they are needed, so there may be any number of them.
        """
        numbered = enumerate(sources)
        while window := list(islice(numbered, _WINDOW)):
            pictures: dict[int, list[FloatArray]] = {}
            for index, source in window:
                try:
                    pictures[index] = canonical_pictures(source, self._sizes)
                except InktexError as error:
                    yield index, error
            room = _BATCH_PIXELS * (self._sizes[0] / CANONICAL_SYMBOL_PX) ** 2
            for batch in _batches({index: looks[0] for index, looks in pictures.items()}, room):
                yield from zip(batch, self._read([pictures[index] for index in batch]), strict=True)

    def _read(self, pictures: list[list[FloatArray]]) -> list[Recognition]:
        """Read a batch of expressions, each given as its canonical pictures for one look or two."""
        found = self._look([looks[0] for looks in pictures])
        below = self.bundle.facts.search.second_below
        doubtful = [
            index
            for index, looks in enumerate(pictures)
            if len(looks) > 1 and found[index][0].confidence < below
        ]
        if doubtful:
            again = self._look([pictures[index][1] for index in doubtful])
            for index, second in zip(doubtful, again, strict=True):
                found[index] = _seen_twice(found[index], second)
        return [self._recognition(readings) for readings in found]

    def _look(self, pictures: list[FloatArray]) -> list[list[_Reading]]:
        """Search a batch of canonical pictures; return the readings of each, the best first."""
        vocabulary = self.bundle.vocabulary
        found = self._search(
            self.stepper(),
            *_padded(pictures),
            vocabulary.start_id,
            vocabulary.end_id,
            vocabulary.unwritten,
            self._options,
            self._grammar,
        )
        return [
            [_Reading(each.tokens, math.exp(each.score) if each.complete else 0.0) for each in hypotheses]
            for hypotheses in found
        ]

    def _recognition(self, readings: list[_Reading]) -> Recognition:
        best, *others = readings
        vocabulary = self.bundle.vocabulary
        if self._grammar is None:
            bounded = best.confidence == 0
        else:
            longest = min(self._options.max_length, self.bundle.facts.max_length)
            bounded = self._grammar.bounds(best.tokens, longest)
        tokens = tuple(vocabulary.decode(best.tokens))
        alternatives = (
            Alternative(" ".join(vocabulary.decode(other.tokens)), other.confidence) for other in others
        )
        return Recognition(" ".join(tokens), best.confidence, tuple(alternatives), tokens, bounded)


def _seen_twice(first: list[_Reading], second: list[_Reading]) -> list[_Reading]:
    """Join the readings of two looks: each has the mean of its confidences, 0 where it was not found."""
    sums: dict[tuple[int, ...], float] = {}
    for reading in (*first, *second):
        sums[reading.tokens] = sums.get(reading.tokens, 0.0) + reading.confidence / 2
    joined = sorted(sums, key=lambda tokens: -sums[tokens])
    return [_Reading(tokens, sums[tokens]) for tokens in joined[: max(len(first), len(second))]]


def _batches(pictures: dict[int, FloatArray], room: float) -> Iterator[list[int]]:
    """Group pictures of like size, wide ones first; a batch's padded area stays within ``room`` pixels."""
    batch: list[int] = []
    height = width = 0
    for index in sorted(pictures, key=lambda index: pictures[index].shape[::-1], reverse=True):
        rows, columns = pictures[index].shape
        taller, wider = max(height, rows), max(width, columns)
        if batch and (len(batch) == _BATCH_PICTURES or taller * wider * (len(batch) + 1) > room):
            yield batch
            batch, taller, wider = [], rows, columns
        batch.append(index)
        height, width = taller, wider
    if batch:
        yield batch


def _padded(pictures: list[FloatArray]) -> tuple[FloatArray, BoolArray]:
    """Return images [b, 1, h, w] and padding [b, h, w], True outside each picture."""
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    images = np.zeros((len(pictures), 1, height, width), np.float32)
    padding = np.ones((len(pictures), height, width), np.bool_)
    for row, picture in enumerate(pictures):
        images[row, 0, : picture.shape[0], : picture.shape[1]] = picture
        padding[row, : picture.shape[0], : picture.shape[1]] = False
    return images, padding
