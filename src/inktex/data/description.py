"""What a data set holds, in figures: counts, sizes, lengths, tokens."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from inktex.data.dataset import Sample


@dataclass(frozen=True)
class Spread:
    """Percentiles of a figure; all 0 when there is nothing to measure."""

    smallest: int
    median: int
    p95: int
    largest: int


@dataclass(frozen=True)
class Description:
    """A data set in figures.

    Attributes:
        count: expressions.
        with_image: how many have a picture.
        with_ink: how many have strokes.
        with_symbols: how many have strokes that are grouped into symbols.
        distinct_labels: different labels.
        splits: expressions by split.
        sources: expressions by source.
        height_px: heights of the pictures.
        width_px: widths of the pictures.
        strokes: strokes of an ink.
        length: tokens of a label.
        tokens: how often each token type occurs, most frequent first.
    """

    count: int
    with_image: int
    with_ink: int
    with_symbols: int
    distinct_labels: int
    splits: dict[str, int]
    sources: dict[str, int]
    height_px: Spread
    width_px: Spread
    strokes: Spread
    length: Spread
    tokens: dict[str, int]


def describe(samples: Sequence[Sample]) -> Description:
    """Measure a data set; the sizes of pictures come from the PNG headers alone."""
    sizes = [size for sample in samples if sample.image and (size := _png_size(sample.image))]
    inks = [sample.ink for sample in samples if sample.ink is not None]
    return Description(
        count=len(samples),
        with_image=sum(sample.image is not None for sample in samples),
        with_ink=len(inks),
        with_symbols=sum(bool(ink.symbols) for ink in inks),
        distinct_labels=len({sample.tokens for sample in samples}),
        splits=_count(sample.split for sample in samples),
        sources=_count(sample.source for sample in samples),
        height_px=_spread([height for height, _ in sizes]),
        width_px=_spread([width for _, width in sizes]),
        strokes=_spread([len(ink.strokes) for ink in inks]),
        length=_spread([len(sample.tokens) for sample in samples]),
        tokens=_count(token for sample in samples for token in sample.tokens),
    )


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def _spread(values: Sequence[int]) -> Spread:
    """Return percentiles that occur among the values (nearest rank)."""
    if not values:
        return Spread(0, 0, 0, 0)
    smallest, median, p95, largest = np.percentile(values, (0, 50, 95, 100), method="inverted_cdf")
    return Spread(int(smallest), int(median), int(p95), int(largest))


def _png_size(image: bytes) -> tuple[int, int] | None:
    """Return (height, width), or None where the bytes do not start as a PNG does."""
    if image[12:16] != b"IHDR" or len(image) < 24:
        return None
    width, height = struct.unpack(">II", image[16:24])
    return height, width
