"""New expressions for every epoch, written by worker processes while the epoch before is trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset

from inktex.data.batches.examples import Example, Limits, prepare_examples
from inktex.data.dataset import Sample
from inktex.data.synthesis.synthesizer import Synthesizer
from inktex.image.canonical import CANONICAL_SYMBOL_PX
from inktex.vocabulary import Vocabulary

_BLOCK = 64  # expressions a worker hands over at a time


class FreshExamples:
    """Examples by epoch, a pure function of (seed, epoch).

    Args:
        synthesizer: writes the expressions.
        vocabulary: tokens and ids.
        limits: expressions beyond them are left out.
        count: expressions an epoch.
        seed: decides them all.
        workers: processes that write ahead; 0: they are written when they are asked for.
        symbol_px: size of a typical symbol that the pictures are to have.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        vocabulary: Vocabulary,
        limits: Limits,
        count: int,
        seed: int,
        workers: int,
        symbol_px: float = CANONICAL_SYMBOL_PX,
    ) -> None:
        self._blocks = _Blocks(synthesizer, vocabulary, limits, count, seed, symbol_px)
        self._workers = workers
        self._now: tuple[int, list[Example]] = (-1, [])
        self._ahead: tuple[int, Iterator[list[Example]]] = (-1, iter(()))

    def of(self, epoch: int) -> list[Example]:
        """Return the epoch's examples, and have the next epoch's begun."""
        if self._now[0] != epoch:
            begun, blocks = self._ahead
            if begun != epoch:
                blocks = self._begin(epoch)
            self._now = epoch, [example for block in blocks for example in block]
            self._ahead = epoch + 1, self._begin(epoch + 1)
        return self._now[1]

    def _begin(self, epoch: int) -> Iterator[list[Example]]:
        loader = DataLoader(
            self._blocks,
            batch_size=None,
            sampler=[(epoch, block) for block in range(len(self._blocks))],
            num_workers=self._workers,
            # All blocks are handed out at once: the workers go on while nobody asks.
            prefetch_factor=len(self._blocks) if self._workers else None,
            collate_fn=_as_they_are,
        )
        return iter(loader)

    def __getstate__(self) -> dict[str, Any]:
        """Leave running processes behind: who gets a copy finds the current epoch in it."""
        return self.__dict__ | {"_ahead": (-1, iter(()))}


class _Blocks(Dataset[list[Example]]):
    """Blocks of examples by (epoch, number)."""

    def __init__(
        self,
        synthesizer: Synthesizer,
        vocabulary: Vocabulary,
        limits: Limits,
        count: int,
        seed: int,
        symbol_px: float,
    ) -> None:
        self.synthesizer = synthesizer
        self.vocabulary = vocabulary
        self.limits = limits
        self.count = count
        self.seed = seed
        self.symbol_px = symbol_px

    def __len__(self) -> int:
        return -(-self.count // _BLOCK)

    def __getitem__(self, key: tuple[int, int]) -> list[Example]:
        epoch, block = key
        numbers = range(block * _BLOCK, min(self.count, (block + 1) * _BLOCK))
        samples = [self._write(epoch, number) for number in numbers]
        return prepare_examples(samples, self.vocabulary, self.limits, self.symbol_px)[0]

    def _write(self, epoch: int, number: int) -> Sample:
        rng = np.random.default_rng([self.seed, epoch, number])
        return self.synthesizer.make(f"{epoch}-{number}", rng)


def _as_they_are(examples: list[Example]) -> list[Example]:
    return examples
