"""Training batches: drawn, padded and labelled, each a pure function of (seed, epoch, number)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from inktex.data.batches.augment import CELL_PX, Drawing
from inktex.data.batches.bucketing import BatchOptions, Planned, plan_batches, round_up
from inktex.data.batches.examples import Example, draw_example
from inktex.data.batches.options import AugmentOptions
from inktex.image.canonical import CANONICAL_SYMBOL_PX
from inktex.vocabulary import Vocabulary

NO_TARGET = -100  # cross-entropy's own mark
_LENGTHS = tuple(range(8, 257, 8))  # of batches, in tokens


class Batch(NamedTuple):
    """One training batch; if labels are read both ways, the directions stand one above the other (r = 2b rows
    in place of r = b).

    Attributes:
        images: [b, 1, h, w].
        padding: [b, h, w], True outside the picture.
        inputs: [r, t] token ids; rows after the first b run from right to left.
        targets: [r, t], the next token; ``NO_TARGET`` where there is none.
        token_symbol: [r, t], index of the symbol that the target was written as, -1 for none.
        symbol_cells: [b, s, p], True where a symbol's ink passes through a cell.
        symbol_class: [b, s], token id, -1 for none.
    """

    images: Tensor
    padding: Tensor
    inputs: Tensor
    targets: Tensor
    token_symbol: Tensor
    symbol_cells: Tensor
    symbol_class: Tensor


def _areas(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    return np.array([example.shape[0] * example.shape[1] for example in examples], dtype=np.int64)


class Batches(Dataset[Batch]):
    """Training batches by (epoch, number); nothing but the seed decides what they hold.

    Args:
        examples: what every epoch holds, once the pictures have grown.
        vocabulary: tokens and ids.
        options: how pictures are put together.
        augment: how ink is drawn.
        seed: decides everything random.
        extra: of these every epoch holds ``extra_per_epoch`` besides, chosen at random.
        extra_per_epoch: how many.
        fresh: gives further examples that the epoch of a number holds besides.
        symbol_px: size of a typical symbol, as the examples were prepared for.
        two_pens: whether every example stands in its batch twice, drawn by the same hand with a thin pen in
            the first half of the pictures and with a thick one in the other half.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        vocabulary: Vocabulary,
        options: BatchOptions,
        augment: AugmentOptions,
        seed: int,
        extra: Sequence[Example] = (),
        extra_per_epoch: int = 0,
        fresh: Callable[[int], Sequence[Example]] | None = None,
        symbol_px: float = CANONICAL_SYMBOL_PX,
        two_pens: bool = False,
    ) -> None:
        self._examples = examples
        self._extra = extra
        self.vocabulary = vocabulary
        self.options = options
        self.augment = augment.at_full_strength()
        self.two_pens = two_pens
        self.symbol_px = symbol_px
        self.seed = seed
        self._extra_per_epoch = extra_per_epoch
        self._fresh = fresh
        self._by_area = np.argsort(_areas(examples), kind="stable")
        self._extra_areas = _areas(extra)
        self._epoch: tuple[int, list[Example], list[Planned]] = (-1, [], [])

    def plan(self, epoch: int) -> list[Planned]:
        """Return what each batch of an epoch holds, as numbers into :meth:`examples`."""
        return self._prepared(epoch)[1]

    def examples(self, epoch: int) -> list[Example]:
        """Return all examples of an epoch."""
        return self._prepared(epoch)[0]

    def expected(self, epoch: int) -> int:
        """Return how many batches an epoch has; if there are fresh examples, had it those of epoch 0."""
        return len(self._prepare(epoch, self._fresh(0) if self._fresh else ())[1])

    def _prepared(self, epoch: int) -> tuple[list[Example], list[Planned]]:
        if self._epoch[0] != epoch:
            self._epoch = epoch, *self._prepare(epoch, self._fresh(epoch) if self._fresh else ())
        return self._epoch[1:]

    def _prepare(self, epoch: int, fresh: Sequence[Example]) -> tuple[list[Example], list[Planned]]:
        rng = np.random.default_rng([self.seed, epoch])
        share = min(1.0, (epoch + 1) / (self.options.growing_epochs + 1))
        chosen = self._by_area[: max(1, round(share * len(self._by_area)))]
        examples = [self._examples[index] for index in chosen]
        largest = _areas(examples[-1:])[0] if share < 1 else np.inf
        small = np.flatnonzero(self._extra_areas <= largest)
        count = min(len(small), round(share * self._extra_per_epoch))
        examples += [self._extra[index] for index in rng.choice(small, count, replace=False)]
        areas = _areas(fresh)
        examples += [example for example, area in zip(fresh, areas, strict=True) if area <= largest]
        shapes = [example.shape for example in examples]
        scales = self.augment.scales(len(shapes), rng)
        options = self.options
        if self.two_pens:
            options = replace(options, pixels=options.pixels // 2, pictures=max(1, options.pictures // 2))
        return examples, plan_batches(shapes, scales, options, rng, self.symbol_px / CANONICAL_SYMBOL_PX)

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        epoch, number = key
        rng = np.random.default_rng([self.seed, epoch, number])
        examples, plan = self._prepared(epoch)
        planned = plan[number]
        chosen = [examples[index] for index in planned.examples]
        if self.two_pens:
            hands = rng.integers(2**63, size=len(chosen)).tolist()
            drawn = [(pen, [np.random.default_rng(hand) for hand in hands]) for pen in self.augment.by_pen()]
        else:
            drawn = [(self.augment, [rng] * len(chosen))]
        drawings = [
            draw_example(example, options, hand, scale, planned.shape, self.symbol_px)
            for options, hands in drawn
            for example, scale, hand in zip(chosen, planned.scales, hands, strict=True)
        ]
        every = chosen * len(drawn)
        return collate(every, drawings, self.vocabulary, planned.shape, self.options.both_ways)


class EpochSampler(Sampler[tuple[int, int]]):
    """Keys (epoch, number) of the batches of one epoch that one process of several works through.

    Args:
        epoch: the epoch.
        batches: batches in the epoch, over all processes.
        done: batches of this process that an interrupted run has already trained on.
        rank: number of this process.
        processes: how many there are.
    """

    def __init__(self, epoch: int, batches: int, done: int = 0, rank: int = 0, processes: int = 1) -> None:
        self.epoch, self.done, self.rank, self.processes = epoch, done, rank, processes
        self.length = batches // processes

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((self.epoch, i * self.processes + self.rank) for i in range(self.done, self.length))


def collate(
    examples: Sequence[Example],
    drawings: Sequence[Drawing],
    vocabulary: Vocabulary,
    shape: tuple[int, int] = (0, 0),
    both_ways: bool = True,
) -> Batch:
    """Pad pictures at the right and bottom to at least a shape, labels at the end."""
    images, padding = pad_pictures([drawing.picture for drawing in drawings], shape)
    rows, columns = images.shape[2] // CELL_PX, images.shape[3] // CELL_PX
    count = len(examples)
    longest = round_up(max(len(example.tokens) for example in examples) + 1, _LENGTHS)
    most_symbols = max(len(drawing.cells) for drawing in drawings)
    starts = [(vocabulary.start_id, vocabulary.end_id), (vocabulary.end_id, vocabulary.start_id)]
    ways = starts if both_ways else starts[:1]
    inputs = np.full((len(ways), count, longest), vocabulary.pad_id)
    targets = np.full((len(ways), count, longest), NO_TARGET)
    token_symbol = np.full((len(ways), count, longest), -1)
    symbol_cells = np.zeros((count, most_symbols, rows, columns), dtype=np.bool_)
    symbol_class = np.full((count, most_symbols), -1)
    for i, (example, drawing) in enumerate(zip(examples, drawings, strict=True)):
        length = len(example.tokens)
        for direction, (first, last) in enumerate(ways):
            step = -1 if direction else 1
            inputs[direction, i, : length + 1] = [first, *example.tokens[::step]]
            targets[direction, i, : length + 1] = [*example.tokens[::step], last]
            token_symbol[direction, i, :length] = example.token_symbol[::step]
        symbols, height, width = drawing.cells.shape
        symbol_cells[i, :symbols, :height, :width] = drawing.cells
        symbol_class[i, :symbols] = example.symbol_class
    return Batch(
        images=torch.from_numpy(images),
        padding=torch.from_numpy(padding),
        inputs=torch.from_numpy(inputs.reshape(-1, longest)),
        targets=torch.from_numpy(targets.reshape(-1, longest)),
        token_symbol=torch.from_numpy(token_symbol.reshape(-1, longest)),
        symbol_cells=torch.from_numpy(symbol_cells.reshape(count, most_symbols, rows * columns)),
        symbol_class=torch.from_numpy(symbol_class),
    )


def pad_pictures(
    pictures: Sequence[npt.NDArray[np.float32]], shape: tuple[int, int] = (0, 0)
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Stack pictures [h, w] into (images [b, 1, h, w], padding [b, h, w]); padding is True outside a picture.

    Both sides are those of the largest picture, and at least those of ``shape``.
    """
    height = max(shape[0], *(picture.shape[0] for picture in pictures))
    width = max(shape[1], *(picture.shape[1] for picture in pictures))
    images = np.zeros((len(pictures), 1, height, width), dtype=np.float32)
    padding = np.ones((len(pictures), height, width), dtype=np.bool_)
    for i, picture in enumerate(pictures):
        images[i, 0, : picture.shape[0], : picture.shape[1]] = picture
        padding[i, : picture.shape[0], : picture.shape[1]] = False
    return images, padding
