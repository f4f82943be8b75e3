"""The recognizer: a picture or pen strokes in, LaTeX out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from inktex.decoding.grammar import Grammar
from inktex.decoding.options import SearchOptions
from inktex.decoding.rescore import search_both_ways
from inktex.decoding.search import search
from inktex.decoding.stepper import BoolArray, FloatArray, OnnxStepper, Stepper
from inktex.errors import ConfigError, InktexError
from inktex.image.box import Canonical
from inktex.recognition.bundle import Bundle, load_bundle
from inktex.recognition.inputs import Source, canonical_pictures
from inktex.recognition.result import Alternative, Recognition, TokenDetail
from inktex.recognition.token_boxes import token_details

_SHIPPED = Path(__file__).parents[1] / "weights"
_WINDOW = 256  # inputs that are prepared at a time and sorted by size
_BATCH_SYMBOLS = 625  # padded area of a batch, in areas of a typical symbol
_BATCH_PICTURES = 16


class _Reading(NamedTuple):
    """What one or both looks found: ids of tokens, and the probability that the model gives to them.

    It is the geometric mean of both directions', and the mean of both looks'; 0 if the reading was cut short.
    """

    tokens: tuple[int, ...]
    probability: float


class Recognizer:
    """Reads handwritten mathematics.

    What can be read: a path, or the bytes, of a picture, of InkML or of JSON strokes; a NumPy array; a Pillow
    picture; an :class:`inktex.ink.strokes.Ink`. It may be used by several threads at once.

    Args:
        model: a bundle, or its folder; ``None`` is the one that ships with Inktex.
        threads: threads that compute; ``None`` is one for each processor at hand, four at most.
        width: hypotheses kept for a picture, 1 is greedy; ``None`` is the model's own default.
        both_ways: whether to read from both ends; ``None`` is the model's own default.
        second_look: whether doubtful readings, unless they or their pictures are large, are read again at
            another size; ``None``: if the model was tuned for it.
        grammar: whether only well-formed LaTeX may be written; ``None`` is the model's own default.

    Raises:
        BundleError: the bundle is missing, altered, made for another version, or not what it says it is.
        ConfigError: an option that is not allowed, or that the model was not made for.
    """

    def __init__(
        self,
        model: str | Path | Bundle | None = None,
        *,
        threads: int | None = None,
        width: int | None = None,
        both_ways: bool | None = None,
        second_look: bool | None = None,
        grammar: bool | None = None,
    ) -> None:
        self.bundle = model if isinstance(model, Bundle) else load_bundle(Path(model or _SHIPPED))
        metadata = self.bundle.metadata
        if threads is not None and threads < 1:
            raise ConfigError(f"threads must be at least 1, got {threads}")
        if both_ways and not metadata.both_ways:
            raise ConfigError(f"{self.bundle.source} reads from left to right alone: it was trained so")
        if second_look and metadata.second_look is None:
            raise ConfigError(f"{self.bundle.source} has no second look: it was not tuned for one")
        self._options = _chosen(metadata.search, width, both_ways, grammar)
        self._grammar = Grammar(self.bundle.vocabulary) if self._options.grammar else None
        self._second_look = None if second_look is False else metadata.second_look
        self._encoder, self._step = self.bundle.sessions(threads)

    def stepper(self) -> OnnxStepper:
        """Return a new stepper of the model, which is all that search sees of it."""
        return OnnxStepper(self._encoder, self._step, self.bundle.metadata.max_length)

    def recognize(self, source: Source, *, details: bool = False) -> Recognition:
        """Read one expression.

        Args:
            source: what to read.
            details: whether to find out how sure each token is and where it stands, which takes a little
                longer.

        Raises:
            InktexError: the source cannot be read; one sentence says why.
        """
        return self.recognize_many([source], details=details)[0]

    def recognize_many(
        self,
        sources: Iterable[Source],
        progress: Callable[[int], None] | None = None,
        *,
        details: bool = False,
    ) -> list[Recognition]:
        """Read many expressions, which is faster than one by one; the answers are the same.

        Args:
            sources: as for :meth:`recognize`.
            progress: called with the number of those done so far.
            details: as for :meth:`recognize`.

        Raises:
            InktexError: a source cannot be read. :meth:`recognize_each` goes on past those.
        """
        done: dict[int, Recognition] = {}
        for index, result in self.recognize_each(sources, details=details):
            if isinstance(result, InktexError):
                raise result
            done[index] = result
            if progress is not None:
                progress(len(done))
        return [done[index] for index in range(len(done))]

    def recognize_each(
        self, sources: Iterable[Source], *, details: bool = False
    ) -> Iterator[tuple[int, Recognition | InktexError]]:
        """Yield (index, recognition, or why there is none) of every source, in the order they are done in.

        Sources are taken as they are needed, so there may be any number of them.
        """
        metadata, look = self.bundle.metadata, self._second_look
        sizes = metadata.sizes_px if look else (metadata.symbol_px,)
        most_symbols = look.max_symbols if look else math.inf
        room = _BATCH_SYMBOLS * metadata.symbol_px**2
        numbered = enumerate(sources)
        while window := list(islice(numbered, _WINDOW)):
            pictures: dict[int, list[Canonical]] = {}
            for index, source in window:
                try:
                    pictures[index] = canonical_pictures(source, sizes, most_symbols)
                except InktexError as error:
                    yield index, error
            for batch in _batches({index: looks[0].picture for index, looks in pictures.items()}, room):
                yield from zip(batch, self._read([pictures[index] for index in batch], details), strict=True)

    def _read(self, pictures: list[list[Canonical]], details: bool) -> list[Recognition]:
        """Read a batch of expressions, each given as its canonical pictures for one look or two."""
        stepper = self.stepper()
        found = self._look(stepper, [looks[0] for looks in pictures], self._options)
        look = self._second_look
        doubtful = [
            index
            for index, looks in enumerate(pictures)
            if look
            and len(looks) > 1
            and look.doubts(found[index][0].probability, len(found[index][0].tokens))
        ]
        if look and doubtful:
            larger = [pictures[index][1] for index in doubtful]
            again = self._look(self.stepper(), larger, replace(self._options, width=look.width))
            for index, second in zip(doubtful, again, strict=True):
                found[index] = _seen_twice(found[index], second)
        if not details:
            return [self._recognition(readings) for readings in found]
        followed = token_details(
            stepper,
            self.bundle.vocabulary,
            self.bundle.metadata.stride,
            [looks[0] for looks in pictures],
            [readings[0].tokens for readings in found],
            self._options.both_ways,
        )
        return [self._recognition(*both) for both in zip(found, followed, strict=True)]

    def _look(
        self, stepper: Stepper, pictures: list[Canonical], options: SearchOptions
    ) -> list[list[_Reading]]:
        """Search a batch of canonical pictures; return the readings of each, the best first."""
        vocabulary = self.bundle.vocabulary
        found = (search_both_ways if options.both_ways else search)(
            stepper,
            *_padded([canonical.picture for canonical in pictures]),
            vocabulary.start_id,
            vocabulary.end_id,
            vocabulary.unwritten,
            options,
            self._grammar,
        )
        return [
            [_Reading(each.tokens, math.exp(each.score) if each.complete else 0.0) for each in hypotheses]
            for hypotheses in found
        ]

    def _recognition(self, readings: list[_Reading], details: tuple[TokenDetail, ...] = ()) -> Recognition:
        best = readings[0]
        if self._grammar is None:
            bounded = best.probability == 0
        else:
            longest = min(self._options.max_length, self.bundle.metadata.max_length)
            bounded = self._grammar.bounds(best.tokens, longest)
        distinct: dict[str, Alternative] = {}
        for reading, confidence in zip(readings, self._confidences(readings), strict=True):
            tokens = tuple(self.bundle.vocabulary.decode(reading.tokens))
            each = Alternative(tokens, confidence)
            distinct.setdefault(each.latex, each)  # tokens may differ in what changes nothing
        first, *others = distinct.values()
        return Recognition(first.tokens, first.confidence, tuple(others), bounded, details)

    def _confidences(self, readings: list[_Reading]) -> list[float]:
        """Return what users are told of how sure each reading is, the best first.

        What the best leaves is shared among the others by their probability; none gets more than in
        proportion to the best.
        """
        curve = self.bundle.metadata.calibration
        best, *others = (reading.probability for reading in readings)
        if curve is None or best <= 0:
            return [best, *others]
        confidence = curve.confidence(best, len(readings[0].tokens))
        share = min(confidence / best, (1 - confidence) / sum(others) if sum(others) > 0 else 0.0)
        return [confidence, *(probability * share for probability in others)]


def _chosen(
    own: SearchOptions, width: int | None, both_ways: bool | None, grammar: bool | None
) -> SearchOptions:
    """Return a model's own options of search with what was asked for instead."""
    try:
        return replace(
            own,
            width=own.width if width is None else width,
            both_ways=own.both_ways if both_ways is None else both_ways,
            grammar=own.grammar if grammar is None else grammar,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _seen_twice(first: list[_Reading], second: list[_Reading]) -> list[_Reading]:
    """Join the readings of two looks: each has the mean of its probabilities, 0 where it was not found."""
    sums: dict[tuple[int, ...], float] = {}
    for reading in (*first, *second):
        sums[reading.tokens] = sums.get(reading.tokens, 0.0) + reading.probability / 2
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
