"""A training run, from data sets to weights."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import lightning as pl
import torch
from lightning.pytorch.callbacks import Callback, RichProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from inktex.data.batching import Batch, Batches, EpochSampler, pad_pictures
from inktex.data.composition import read_labels
from inktex.data.dataset import Sample, read_dataset
from inktex.data.examples import Example, prepare_examples
from inktex.data.synthesis import Synthesizer, read_expressions
from inktex.errors import DataError, RunError
from inktex.image import canonicalize, decode
from inktex.training.callbacks import AveragedWeights, Checkpoints, KeepBest, Throughput, write_weights
from inktex.training.config import TrainConfig
from inktex.training.folder import dump_config, load_run, open_folder, write_text
from inktex.training.fresh import FreshExamples
from inktex.training.module import TrainingModule, ValidationBatch
from inktex.vocabulary import Vocabulary

_VALIDATION_PIXELS = 400_000
log = logging.getLogger("inktex")


class TrainingData(pl.LightningDataModule):
    """Serves a run's batches; each epoch has a loader of its own, which goes on where a resumed one ended."""

    def __init__(self, batches: Batches, validation: Sequence[ValidationBatch], workers: int) -> None:
        super().__init__()
        self.batches = batches
        self.validation = validation
        self.workers = workers
        self._began = {"epoch": -1, "step": 0}  # the current epoch, and the step it began at

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
        sampler = EpochSampler(
            epoch,
            len(self.batches.plan(epoch)),
            done=self.trainer.global_step - self._began["step"],
            rank=self.trainer.global_rank,
            processes=self.trainer.world_size,
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


def train(
    config: TrainConfig, folder: Path, resume: bool = False, callbacks: Sequence[Callback] = ()
) -> dict[str, float]:
    """Train, or go on with an interrupted run.

    Args:
        config: the configuration.
        folder: the run folder; it must be new or empty unless ``resume``.
        resume: go on from ``checkpoints/last.ckpt``.
        callbacks: Lightning callbacks besides those of every run.

    Returns:
        The last validation's metrics.

    Raises:
        RunError: the folder holds another run, or there is nothing to resume.
        DataError: a data set is missing, damaged or leaves nothing to train on.
        KeyboardInterrupt: the run was interrupted; its checkpoint and weights are written.
    """
    checkpoint = open_folder(folder, resume)
    _tune_process()
    if config.trainer.threads:
        torch.set_num_threads(config.trainer.threads)
    samples = [sample for path in config.data.train for sample in read_dataset(path)]
    if not samples:
        raise DataError("data.train names no data set with samples: nothing to train on")
    vocabulary = _vocabulary(folder, samples, resume)
    batches = _training_batches(config, samples, vocabulary)
    validation = validation_batches(read_dataset(config.data.validation)) if config.data.validation else []
    trainer = _trainer(config, folder, bool(validation), callbacks)
    steps = sum(batches.expected(epoch) // trainer.world_size for epoch in range(config.trainer.epochs))
    module = TrainingModule(config, vocabulary, steps)
    if config.trainer.initial is not None and not resume:
        _take_weights(module, Path(config.trainer.initial))
    if config.trainer.compile:
        module.model.encoder.compile(dynamic=True)
    write_text(folder / "config.yaml", dump_config(config))
    write_text(folder / "vocabulary.json", vocabulary.to_json())
    log.info("%d steps, %d validation pictures", steps, sum(len(batch.labels) for batch in validation))
    data = TrainingData(batches, validation, config.data.workers)
    _fit(trainer, module, data, checkpoint)
    if not validation and trainer.is_global_zero:
        write_weights(module, folder / "weights.safetensors")
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def _fit(trainer: pl.Trainer, module: TrainingModule, data: TrainingData, checkpoint: Path | None) -> None:
    handler = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:  # what Lightning makes of an interruption, once the callbacks have seen it
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


def _take_weights(module: TrainingModule, folder: Path) -> None:
    model, vocabulary, _ = load_run(folder)
    if vocabulary != module.vocabulary:
        raise RunError(f"{folder} cannot be started from: its vocabulary is another")
    try:
        module.model.load_state_dict(model.state_dict())
    except RuntimeError:
        raise RunError(f"{folder} cannot be started from: its network is of other sizes") from None


def validation_batches(samples: Sequence[Sample]) -> list[ValidationBatch]:
    """Put all pictures of a data set into batches of like size, ready for decoding."""
    items = []
    for sample in samples:
        if sample.image is None:
            raise DataError(f"{sample.id} has no picture to validate on")
        items.append((canonicalize(decode(sample.image, sample.id)), sample.tokens))
    items.sort(key=lambda item: item[0].shape[::-1])
    batches = []
    while items:
        width = items[-1][0].shape[1]
        chosen = items[-max(1, min(64, _VALIDATION_PIXELS // (width * 96))) :]
        del items[-len(chosen) :]
        images, padding = pad_pictures([picture for picture, _ in chosen])
        batches.append(ValidationBatch(images, padding, [label for _, label in chosen]))
    return batches


def _training_batches(config: TrainConfig, samples: Sequence[Sample], vocabulary: Vocabulary) -> Batches:
    examples = _prepared(samples, vocabulary, config, "")
    if not examples:
        raise DataError("every training sample was left out by the limits of batch: nothing to train on")
    more = [sample for path in config.data.extra for sample in read_dataset(path)]
    return Batches(
        examples,
        vocabulary,
        config.batch,
        config.augment,
        config.trainer.seed,
        _prepared(more, vocabulary, config, "extra "),
        config.data.extra_per_epoch,
        _fresh_examples(config, samples, vocabulary),
    )


def _prepared(
    samples: Sequence[Sample], vocabulary: Vocabulary, config: TrainConfig, kind: str
) -> list[Example]:
    """Prepare what fits, and say how many do and do not."""
    examples, left_out = prepare_examples(samples, vocabulary, config.limits)
    for reason, count in left_out.items():
        log.warning("%d %straining samples left out: %s", count, kind, reason)
    if samples:
        log.info("%d %straining samples", len(examples), kind)
    return examples


def _fresh_examples(
    config: TrainConfig, samples: Sequence[Sample], vocabulary: Vocabulary
) -> Callable[[int], Sequence[Example]] | None:
    """Return what gives the expressions that are written anew for an epoch."""
    count = config.data.fresh_per_epoch
    if not count:
        return None
    labels = read_labels(Path(config.data.labels)) if config.data.labels else []
    synthesizer = Synthesizer(read_expressions(samples), labels)
    seed, workers = config.trainer.seed, config.data.workers
    return FreshExamples(synthesizer, vocabulary, config.limits, count, seed, workers).of


def _tune_process() -> None:
    """Set what makes training on a CPU about a third faster, and workers safe."""
    cv2.setNumThreads(1)  # before workers fork: OpenCV's own thread pool does not survive it
    # Batches come in some seventy shapes, each with its own kernels: keep them all.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16384")
    # Keep freed memory instead of mapping it anew (glibc): trim threshold, top pad, mapped blocks.
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        for parameter, value in ((-1, 2**31 - 1), (-2, 2**28), (-4, 0)):
            mallopt(parameter, value)


def _vocabulary(folder: Path, samples: Sequence[Sample], resume: bool) -> Vocabulary:
    path = folder / "vocabulary.json"
    if resume and path.is_file():
        return Vocabulary.from_json(path.read_text(encoding="utf-8"))
    return Vocabulary.build([sample.tokens for sample in samples])


def _trainer(
    config: TrainConfig, folder: Path, validates: bool, more_callbacks: Sequence[Callback]
) -> pl.Trainer:
    options = config.trainer
    callbacks: list[Callback] = [Checkpoints(folder, options.save_every_minutes)]
    if validates:
        callbacks.append(KeepBest(folder))
    callbacks.append(AveragedWeights(config.optimizer.averaging))
    if os.isatty(2):
        callbacks.append(RichProgressBar())
    callbacks += [Throughput(), *more_callbacks]
    return pl.Trainer(
        accelerator=options.accelerator,
        devices=options.devices,
        precision=options.precision,  # type: ignore[arg-type]
        max_epochs=options.epochs,
        gradient_clip_val=config.optimizer.clip_norm or None,
        callbacks=callbacks,
        logger=[CSVLogger(folder, "log"), TensorBoardLogger(folder, "log")],
        check_val_every_n_epoch=options.validate_every,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_progress_bar=os.isatty(2),
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=20,
    )


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)


def _as_it_is(batch: ValidationBatch) -> ValidationBatch:
    return batch
