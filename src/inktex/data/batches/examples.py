"""Samples as training uses them: labels as ids, ink at canonical scale, every token's written symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.data.alignment import align_tokens
from inktex.data.batches.augment import CELL_PX, Drawing, PreparedInk, draw, draw_picture, prepare
from inktex.data.batches.options import AugmentOptions
from inktex.data.dataset import Sample
from inktex.errors import ImageError, VocabularyError
from inktex.image.canonical import CANONICAL_SYMBOL_PX, canonicalize, decode
from inktex.vocabulary import Vocabulary


@dataclass(frozen=True)
class Limits:
    """What is left out of training, and counted.

    Attributes:
        label: samples with more tokens are left out.
        picture: samples of more pixels are left out.
    """

    label: int = 150
    picture: int = 200_000


class Example(NamedTuple):
    """One prepared sample.

    Attributes:
        id: the sample's id.
        tokens: label as ids, without the special tokens.
        ink: ink at canonical scale, or None where only a picture is known.
        picture: picture [h, w] as bytes (0-255), symbols of the size asked for, or None where there is ink.
        token_symbol: for each token the symbol it was written as, -1 for none.
        symbol_class: [symbols], the token id of each symbol, -1 where it is not known.
        shape: expected height and width in pixels, with symbols of the size asked for.
    """

    id: str
    tokens: list[int]
    ink: PreparedInk | None
    picture: npt.NDArray[np.uint8] | None
    token_symbol: list[int]
    symbol_class: npt.NDArray[np.int64]
    shape: tuple[int, int]


def prepare_example(
    sample: Sample, vocabulary: Vocabulary, symbol_px: float = CANONICAL_SYMBOL_PX
) -> Example:
    """Prepare a sample for training on pictures with symbols of that size.

    Raises:
        VocabularyError: a token the vocabulary does not hold.
        ImageError: the sample's picture cannot be read, or shows no ink.
    """
    tokens = vocabulary.encode(sample.tokens)
    if sample.ink is None:
        assert sample.image is not None
        picture = (canonicalize(decode(sample.image, sample.id), symbol_px) * 255).astype(np.uint8)
        height, width = picture.shape
        return Example(
            sample.id, tokens, None, picture, [-1] * len(tokens), np.zeros(0, np.int64), (height, width)
        )
    ink = prepare(sample.ink)
    token_symbol = align_tokens(sample.tokens, sample.ink, sample.mathml)
    symbol_class = np.full(ink.symbols, -1, dtype=np.int64)
    for token, symbol in zip(tokens, token_symbol, strict=True):
        if symbol >= 0:
            symbol_class[symbol] = token
    extent = np.ptp(ink.points, axis=0) * (symbol_px / CANONICAL_SYMBOL_PX)
    width, height = np.ceil(extent / CELL_PX + 1).astype(int) * CELL_PX
    return Example(sample.id, tokens, ink, None, token_symbol, symbol_class, (int(height), int(width)))


def prepare_examples(
    samples: Sequence[Sample],
    vocabulary: Vocabulary,
    limits: Limits,
    symbol_px: float = CANONICAL_SYMBOL_PX,
) -> tuple[list[Example], dict[str, int]]:
    """Prepare all samples that fit; return them and how many were left out for which reason."""
    examples = []
    left_out = {
        "label too long": 0,
        "token not in the vocabulary": 0,
        "picture unreadable or without ink": 0,
        "picture too large": 0,
    }
    for sample in samples:
        if len(sample.tokens) > limits.label:
            left_out["label too long"] += 1
            continue
        try:
            example = prepare_example(sample, vocabulary, symbol_px)
        except VocabularyError:
            left_out["token not in the vocabulary"] += 1
            continue
        except ImageError:
            left_out["picture unreadable or without ink"] += 1
            continue
        if example.shape[0] * example.shape[1] > limits.picture:
            left_out["picture too large"] += 1
            continue
        examples.append(example)
    return examples, {reason: count for reason, count in left_out.items() if count}


def draw_example(
    example: Example,
    options: AugmentOptions,
    rng: np.random.Generator,
    scale: float,
    largest: tuple[int, int],
    symbol_px: float = CANONICAL_SYMBOL_PX,
) -> Drawing:
    """Return the example's picture: its ink drawn anew at a scale, or the picture changed at that scale."""
    if example.ink is not None:
        return draw(example.ink, options, rng, scale, largest, symbol_px / CANONICAL_SYMBOL_PX)
    assert example.picture is not None
    picture = example.picture.astype(np.float32) / np.float32(255)
    return draw_picture(picture, options, rng, scale, largest)
