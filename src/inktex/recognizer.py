"""The recognizer: a picture or pen strokes in, LaTeX out."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from inktex.bundle import Bundle, load_bundle
from inktex.decoding.rescore import search_both_ways
from inktex.decoding.search import Hypothesis, SearchOptions, search
from inktex.decoding.stepper import BoolArray, FloatArray, OnnxStepper
from inktex.errors import BundleError, ConfigError, ImageError, InkError, InktexError
from inktex.image import CANONICAL_SYMBOL_PX, canonicalize, decode, from_array
from inktex.ink import Ink, ink_from_json, rasterize

_SHIPPED = Path(__file__).parent / "weights"
_WINDOW = 256  # inputs that are prepared at a time and sorted by size
_BATCH_PIXELS = 160_000  # padded area of a batch
_BATCH_PICTURES = 16
_INK_SUFFIXES = (".inkml", ".json")
_PLAIN_MODES = ("1", "L", "RGB", "RGBA", "I;16")  # of Pillow: those whose arrays are colours as they stand


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
            of both directions'); 0 if it was cut short by the length bound.
        alternatives: other readings, the best first as search ranks them, which takes account of length.
        tokens: the LaTeX as tokens.
    """

    latex: str
    confidence: float
    alternatives: tuple[Alternative, ...]
    tokens: tuple[str, ...]


class Recognizer:
    """Reads handwritten mathematics.

    What can be read: a path, or the bytes, of a picture, of InkML or of JSON strokes; a NumPy array; a Pillow
    picture; an :class:`inktex.ink.Ink`. It may be used by several threads at once.

    Args:
        model: folder of a bundle; ``None`` is the one that ships with Inktex.
        threads: threads that compute; ``None`` leaves the choice to ONNX Runtime.
        width: hypotheses kept for a picture, 1 is greedy; ``None`` is the model's own default.
        both_ways: whether to read from both ends; ``None`` is the model's own default.

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
    ) -> None:
        self.bundle: Bundle = load_bundle(_SHIPPED if model is None else Path(model))
        facts = self.bundle.facts
        if facts.symbol_px != CANONICAL_SYMBOL_PX:
            raise BundleError(
                f"{self.bundle.source} was trained on symbols of {facts.symbol_px:g} px; "
                f"this version of Inktex shows a model symbols of {CANONICAL_SYMBOL_PX:g} px"
            )
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
        self._encoder, self._step = self.bundle.sessions(threads)

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
            pictures: dict[int, FloatArray] = {}
            for index, source in window:
                try:
                    pictures[index] = canonical_picture(source)
                except InktexError as error:
                    yield index, error
            for batch in _batches(pictures):
                yield from zip(batch, self._read([pictures[index] for index in batch]), strict=True)

    def _read(self, pictures: list[FloatArray]) -> list[Recognition]:
        """Read a batch of canonical pictures."""
        vocabulary = self.bundle.vocabulary
        stepper = OnnxStepper(self._encoder, self._step, self.bundle.facts.max_length)
        found = self._search(
            stepper,
            *_padded(pictures),
            vocabulary.start_id,
            vocabulary.end_id,
            vocabulary.unwritten,
            self._options,
        )
        return [self._recognition(hypotheses) for hypotheses in found]

    def _recognition(self, hypotheses: list[Hypothesis]) -> Recognition:
        best, *others = [
            (
                tuple(self.bundle.vocabulary.decode(each.tokens)),
                math.exp(each.score) if each.complete else 0.0,
            )
            for each in hypotheses
        ]
        alternatives = tuple(Alternative(" ".join(tokens), confidence) for tokens, confidence in others)
        return Recognition(" ".join(best[0]), best[1], alternatives, best[0])


def canonical_picture(source: Any) -> FloatArray:
    """Return the canonical picture [h, w] of whatever a :class:`Recognizer` reads.

    Raises:
        ImageError: it cannot be read as a picture.
        InkError: it cannot be read as ink.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return _from_bytes(_file(path), str(path), path.suffix.lower())
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), None, "")
    if isinstance(source, Ink):
        return canonicalize(1 - rasterize(source))
    if hasattr(source, "__array__") or hasattr(source, "__array_interface__"):
        return canonicalize(from_array(_pixels(source)))
    raise ImageError(
        "a path, bytes, a NumPy array, a Pillow picture or an Ink can be read, "
        f"not an object of type {type(source).__name__}"
    )


def _pixels(source: Any) -> np.ndarray[Any, Any]:
    """Return the array of what offers one, such as a Pillow picture."""
    try:
        if getattr(source, "mode", "L") not in _PLAIN_MODES and hasattr(source, "convert"):
            source = source.convert("RGBA")  # a palette, CMYK and the like
        return np.asarray(source)
    except (OSError, SyntaxError, TypeError, ValueError) as error:  # Pillow reads a file no sooner than here
        raise ImageError(f"the picture's pixels cannot be read: {error}") from None


def _file(path: Path) -> bytes:
    kind = InkError if path.suffix.lower() in _INK_SUFFIXES else ImageError
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise kind(f"{path}: no such file") from None
    except IsADirectoryError:
        raise kind(f"{path} is a folder, not a file") from None
    except PermissionError:
        raise kind(f"{path}: no permission to read it") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise kind(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from None


def _from_bytes(data: bytes, name: str | None, suffix: str) -> FloatArray:
    """Tell InkML, JSON and pictures apart by suffix, else by their first character."""
    begin = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    about = name or "the data"
    if suffix == ".inkml" or (suffix != ".json" and begin == b"<"):
        from inktex.inkml import read_inkml  # here, since it loads lxml, which pictures do without

        return canonicalize(1 - rasterize(read_inkml(data, about).ink))
    if suffix == ".json" or begin in (b"[", b"{"):
        return canonicalize(1 - rasterize(ink_from_json(data, about)))
    grey = decode(data, about)
    try:
        return canonicalize(grey)
    except ImageError as error:
        raise ImageError(f"{name}: {error}" if name else str(error)) from None


def _batches(pictures: dict[int, FloatArray]) -> Iterator[list[int]]:
    """Group pictures of like size so that a batch's padded area stays bounded; wide ones first."""
    batch: list[int] = []
    height = width = 0
    for index in sorted(pictures, key=lambda index: pictures[index].shape[::-1], reverse=True):
        rows, columns = pictures[index].shape
        taller, wider = max(height, rows), max(width, columns)
        if batch and (len(batch) == _BATCH_PICTURES or taller * wider * (len(batch) + 1) > _BATCH_PIXELS):
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
