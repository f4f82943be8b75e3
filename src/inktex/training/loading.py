"""From data sets to the batches of a run."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import lightning as pl
import torch
from torch.utils.data import DataLoader

from inktex.data.batches.batching import Batch, Batches, EpochSampler, pad_pictures
from inktex.data.batches.examples import Example, Limits, prepare_examples
from inktex.data.dataset import Sample, read_dataset
from inktex.data.splits import usual_part
from inktex.data.synthesis.composition import read_labels
from inktex.data.synthesis.synthesizer import Synthesizer, read_expressions
from inktex.errors import DataError
from inktex.image.canonical import canonicalize, decode
from inktex.training.config import TrainConfig
from inktex.training.fresh import FreshExamples
from inktex.training.module import ValidationBatch
from inktex.vocabulary import Vocabulary

_VALIDATION_PIXELS = 400_000
_VALIDATION_PICTURES = 64
log = logging.getLogger("inktex")


class TrainingData(pl.LightningDataModule):
    """Serves a run's batches; each epoch has a loader of its own, which goes on where a resumed one ended.

    Args:
        batches: to train on.
        validation: to decode.
        workers: processes that draw training batches.
        accumulate: batches that make one update.
    """

    def __init__(
        self, batches: Batches, validation: Sequence[ValidationBatch], workers: int, accumulate: int = 1
    ) -> None:
        super().__init__()
        self.batches = batches
        self.validation = validation
        self.workers = workers
        self.accumulate = accumulate
        self._began = {"epoch": -1, "step": 0}  # the current epoch, and the step it began at

    def updates(self, epochs: int, processes: int) -> int:
        """Return how many updates of the weights so many epochs will make."""
        batches = (self.batches.expected(epoch) // processes for epoch in range(epochs))
        return sum(-(-count // self.accumulate) for count in batches)

    def state_dict(self) -> dict[str, int]:
        """Return what a checkpoint needs to go on within an epoch."""
        return self._began

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Go on where a checkpoint was written."""
        self._began = state_dict

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of the trainer's current epoch."""
        assert self.trainer is not None
        epoch = self.trainer.current_epoch
        if self._began["epoch"] != epoch:
            self._began = {"epoch": epoch, "step": self.trainer.global_step}
            # A run resumed at the very end of an epoch would count its batches on into this one.
            loop = self.trainer.fit_loop.epoch_loop
            loop.batch_progress.reset_on_run()
            loop.reset_restart_stage()
        batches = len(self.batches.plan(epoch))
        done = (self.trainer.global_step - self._began["step"]) * self.accumulate
        self._forget_unfinished_update(done)
        sampler = EpochSampler(
            epoch, batches, done, rank=self.trainer.global_rank, processes=self.trainer.world_size
        )
        return DataLoader(
            self.batches,
            batch_size=None,
            sampler=sampler,
            num_workers=self.workers,
            prefetch_factor=4 if self.workers else None,
            worker_init_fn=_one_thread,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> DataLoader[ValidationBatch]:
        """Return the validation batches."""
        return DataLoader(self.validation, batch_size=None, collate_fn=_as_it_is)  # type: ignore[arg-type]

    def _forget_unfinished_update(self, done: int) -> None:
        """Count batches as if those after the last update had not been.

        A checkpoint does not hold what they were to add to the next update; of it they only changed the
        running statistics.
        """
        assert self.trainer is not None
        progress = self.trainer.fit_loop.epoch_loop.batch_progress
        unfinished = progress.current.ready - done
        if self.accumulate > 1 and 0 < unfinished < self.accumulate:
            for counts in (progress.total, progress.current):
                finished = counts.ready - unfinished
                counts.load_state_dict(dict.fromkeys(vars(counts), finished))


def read_split(path: str, split: str) -> list[Sample]:
    """Read a data set; of one with several splits, only the samples of the one that is meant.

    Raises:
        DataError: the data set is missing or damaged, or that split is none of its several.
    """
    samples = read_dataset(path)
    taken = usual_part(samples, path, split)
    if len(taken) < len(samples):
        log.info("%s: %d of %d samples, those of the split %s", path, len(taken), len(samples), split)
    return taken


def training_batches(config: TrainConfig, samples: Sequence[Sample], vocabulary: Vocabulary) -> Batches:
    """Prepare all samples that fit, and say how many do and do not.

    Raises:
        DataError: a data set is missing or damaged, or nothing is left to train on.
    """
    examples = _prepared(samples, vocabulary, config, "")
    if not examples:
        raise DataError("every training sample was left out by the limits of batch: nothing to train on")
    more = [sample for path in config.data.extra for sample in read_split(path, "train")]
    return Batches(
        examples,
        vocabulary,
        config.batch,
        config.augment,
        config.trainer.seed,
        _prepared(more, vocabulary, config, "extra "),
        config.data.extra_per_epoch,
        _fresh_examples(config, samples, vocabulary),
        config.data.symbol_px,
        two_pens=config.trainer.teacher is not None,
    )


def validation_batches(samples: Sequence[Sample], symbol_px: float) -> list[ValidationBatch]:
    """Put all pictures of a data set into batches of like size, ready for decoding.

    Raises:
        DataError: a sample has no picture.
    """
    items = []
    for sample in samples:
        if sample.image is None:
            raise DataError(f"{sample.id} has no picture to validate on")
        items.append((canonicalize(decode(sample.image, sample.id), symbol_px), sample.tokens))
    items.sort(key=lambda item: item[0].shape[::-1])
    batches = []
    while items:
        width, height = items[-1][0].shape[1], items[-1][0].shape[0]
        count = 0
        for picture, _ in reversed(items[-_VALIDATION_PICTURES:]):
            height = max(height, picture.shape[0])
            if count and (count + 1) * width * height > _VALIDATION_PIXELS:
                break
            count += 1
        chosen = items[-count:]
        del items[-count:]
        images, padding = pad_pictures([picture for picture, _ in chosen])
        batches.append(ValidationBatch(images, padding, [label for _, label in chosen]))
    return batches


def _prepared(
    samples: Sequence[Sample], vocabulary: Vocabulary, config: TrainConfig, kind: str
) -> list[Example]:
    """Prepare what fits, and say how many do and do not."""
    examples, left_out = prepare_examples(samples, vocabulary, _limits(config), config.data.symbol_px)
    for reason, count in left_out.items():
        log.warning("%d %straining samples left out: %s", count, kind, reason)
    if samples:
        log.info("%d %straining samples", len(examples), kind)
    return examples


def _limits(config: TrainConfig) -> Limits:
    """Return the limits of samples; what the network reads of a label begins with one token more."""
    return dataclasses.replace(config.limits, label=min(config.limits.label, config.model.max_length - 1))


def _fresh_examples(
    config: TrainConfig, samples: Sequence[Sample], vocabulary: Vocabulary
) -> Callable[[int], Sequence[Example]] | None:
    """Return what gives the expressions that are written anew for an epoch."""
    count = config.data.fresh_per_epoch
    if not count:
        return None
    labels = [read_labels(Path(config.data.labels))] if config.data.labels else []
    synthesizer = Synthesizer(read_expressions(samples), labels)
    seed, workers, symbol_px = config.trainer.seed, config.data.workers, config.data.symbol_px
    return FreshExamples(synthesizer, vocabulary, _limits(config), count, seed, workers, symbol_px).of


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)


def _as_it_is(batch: ValidationBatch) -> ValidationBatch:
    return batch
