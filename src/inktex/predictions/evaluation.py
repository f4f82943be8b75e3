"""A recognizer run over a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inktex.data.dataset import Sample
from inktex.errors import InktexError
from inktex.metrics.item import Item
from inktex.recognition.recognizer import Recognizer


def predict(
    recognizer: Recognizer, samples: Iterable[Sample], advance: Callable[[], None] = lambda: None
) -> list[Item]:
    """Read the picture of every sample, or its ink where there is no picture.

    Where all samples come from one source, the source of an item is its writer.

    Args:
        recognizer: reads them.
        samples: in any number; each needs a picture or ink.
        advance: called whenever one more is done.
    """
    samples = list(samples)
    alone = len({sample.source for sample in samples}) == 1  # then writers tell more
    groups = [(sample.writer if alone else sample.source) or None for sample in samples]
    done: dict[int, Item] = {}
    for index, result in recognizer.recognize_each(sample.given for sample in samples):
        sample = samples[index]
        if isinstance(result, InktexError):
            done[index] = Item(sample.id, None, sample.tokens, source=groups[index], problem=str(result))
        else:
            done[index] = Item(sample.id, result.tokens, sample.tokens, result.confidence, groups[index])
        advance()
    return [done[index] for index in range(len(samples))]
