"""A recognizer for tests of the service: it decodes and draws as the real one, and knows no model."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from inktex.errors import InktexError
from inktex.image.box import Box
from inktex.ink.strokes import Ink
from inktex.recognition.bundle import Bundle, load_bundle
from inktex.recognition.inputs import Source, canonical_pictures
from inktex.recognition.result import Alternative, Recognition, TokenDetail

WEIGHTS = Path(__file__).parents[1] / "src" / "inktex" / "weights"
SQUARED = ("x", "^", "{", "2", "}")


class StubRecognizer:
    """Reads ``x^2`` in every picture; of ink, how many strokes it has.

    Attributes:
        batches: how many sources were handed over at a time.
        sources: all of them.
        go: readings wait for this event.
    """

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.sources: list[Source] = []
        self.go = threading.Event()
        self.go.set()

    @property
    def bundle(self) -> Bundle:
        return load_bundle(WEIGHTS)

    def recognize_each(
        self, sources: Iterable[Source], *, details: bool = False
    ) -> Iterator[tuple[int, Recognition | InktexError]]:
        batch = list(sources)
        self.batches.append(len(batch))
        self.sources += batch
        assert self.go.wait(30)
        for index, source in enumerate(batch):
            try:
                canonical_pictures(source, (20.0,))
            except InktexError as error:
                yield index, error
            else:
                yield index, reading(source, details)


def reading(source: Source, details: bool = False) -> Recognition:
    """What the stub reads in a source."""
    tokens = tuple(str(len(source.strokes))) if isinstance(source, Ink) else SQUARED
    boxes = [None if token in "^{}" else Box(place, 0, place + 1, 2) for place, token in enumerate(tokens)]
    told = tuple(TokenDetail(token, 0.9, box) for token, box in zip(tokens, boxes, strict=True))
    others = (Alternative(("y",), 0.05), Alternative(("z",), 0.01))
    return Recognition(tokens, 0.9, others, details=told if details else ())
