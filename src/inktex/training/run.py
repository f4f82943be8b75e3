"""A training run, from data sets to weights."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import lightning as pl
import torch
from lightning.pytorch.callbacks import Callback, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger

from inktex.errors import ConfigError, DataError
from inktex.files import write_text
from inktex.training.callbacks import AveragedWeights, Checkpoints, MetricsLog, Throughput
from inktex.training.config import TrainConfig, TrainerOptions
from inktex.training.early_stopping import KeepBest, write_weights
from inktex.training.folder import dump_config, is_first_process, load_vocabulary, open_folder
from inktex.training.learning_rate import LearningRate
from inktex.training.loading import TrainingData, read_split, training_batches, validation_batches
from inktex.training.module import TrainingModule, ValidationBatch
from inktex.training.warm_start import first_vocabulary, load_imagenet, load_teacher, take_weights

log = logging.getLogger("inktex")


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
        RunError: the folder holds another run, or there is nothing to resume or to start from.
        DataError: a data set is missing, damaged or leaves nothing to train on.
        ConfigError: the configuration asks for what its family has not.
        KeyboardInterrupt: the run was interrupted; its checkpoint and weights are written.
    """
    checkpoint = open_folder(folder, resume)
    _tune_process()
    if config.trainer.threads:
        torch.set_num_threads(config.trainer.threads)
    samples = [sample for path in config.data.train for sample in read_split(path, "train")]
    if not samples:
        raise DataError("data.train names no data set with samples: nothing to train on")
    is_known = resume and (folder / "vocabulary.json").is_file()
    vocabulary = load_vocabulary(folder) if is_known else first_vocabulary(config, samples)
    batches = training_batches(config, samples, vocabulary)
    validation = _validation(config)
    module = TrainingModule(config, vocabulary)
    if not resume:
        _start_from(module, config)
    if config.trainer.teacher is not None:
        module.learn_from(load_teacher(Path(config.trainer.teacher), vocabulary, config))
    if config.trainer.compile:
        getattr(module.model, "encoder", module.model).compile(dynamic=True)
    if is_first_process():
        write_text(folder / "config.yaml", dump_config(config))
        write_text(folder / "vocabulary.json", vocabulary.to_json())
    log.info("%d validation pictures", sum(len(batch.labels) for batch in validation))
    data = TrainingData(batches, validation, config.data.workers, config.optimizer.accumulate)
    trainer = _trainer(config, folder, bool(validation), callbacks)
    _fit(trainer, module, data, checkpoint)
    if not validation and trainer.is_global_zero:
        write_weights(module, folder / "weights.safetensors")
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def _validation(config: TrainConfig) -> list[ValidationBatch]:
    """Return what is validated on; without it nothing that needs a validation can be asked for."""
    if config.data.validation:
        return validation_batches(read_split(config.data.validation, "val"), config.data.symbol_px)
    options = config.trainer
    wanted = {
        "trainer.patience": options.patience > 0,
        "trainer.go_back": options.go_back,
        "trainer.keep_epochs": options.keep_epochs,
        "optimizer.schedule plateau": config.optimizer.schedule == "plateau",
    }
    for name, is_wanted in wanted.items():
        if is_wanted:
            raise ConfigError(f"{name} needs a validation: name a data set with data.validation")
    return []


def _start_from(module: TrainingModule, config: TrainConfig) -> None:
    """Give a new run the weights it is to begin with, if others than random ones."""
    options = config.trainer
    if options.initial is not None and options.imagenet is not None:
        raise ConfigError("trainer.initial and trainer.imagenet both name weights to start from: name one")
    if options.imagenet is not None:
        load_imagenet(module.model, config, Path(options.imagenet))
        log.info("encoder: ImageNet weights of %s", options.imagenet)
    if options.initial is not None:
        log.info("%s", take_weights(module.model, module.vocabulary, config, Path(options.initial)))


def _fit(trainer: pl.Trainer, module: TrainingModule, data: TrainingData, checkpoint: Path | None) -> None:
    handler = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:  # what Lightning makes of an interruption, once the callbacks have seen it
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


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


def _trainer(
    config: TrainConfig, folder: Path, validates: bool, more_callbacks: Sequence[Callback]
) -> pl.Trainer:
    options = config.trainer
    callbacks: list[Callback] = [Checkpoints(folder, options.save_every_minutes), LearningRate(config)]
    if validates:
        callbacks.append(KeepBest(folder, options))
    if config.optimizer.averaging:
        callbacks.append(AveragedWeights(config.optimizer.averaging))
    if os.isatty(2):
        callbacks.append(RichProgressBar())
    callbacks += [Throughput(), *more_callbacks]
    return pl.Trainer(
        accelerator=options.accelerator,
        devices=options.devices,
        strategy=_strategy(options),
        precision=usable_precision(options),  # type: ignore[arg-type]
        max_epochs=options.epochs,
        gradient_clip_val=config.optimizer.clip_norm or None,
        accumulate_grad_batches=config.optimizer.accumulate,
        callbacks=callbacks,
        logger=[MetricsLog(folder, "log"), TensorBoardLogger(folder, "log")],
        check_val_every_n_epoch=options.validate_every,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_progress_bar=os.isatty(2),
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=20,
    )


def usable_precision(options: TrainerOptions) -> str:
    """Return Lightning's name of the number format: float32 in place of bf16-mixed on a CPU that has no
    instructions for it, where a step would take thirty times as long."""
    on_cpu = options.accelerator == "cpu" or (
        options.accelerator == "auto" and not torch.accelerator.is_available()
    )
    if options.precision != "bf16-mixed" or not on_cpu:
        return options.precision
    # Older versions of PyTorch cannot tell.
    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    if any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")):
        return options.precision
    log.info("this processor has no instructions for %s: float32 is used", options.precision)
    return "32-true"


def _strategy(options: TrainerOptions) -> str:
    """Return Lightning's name for how one or several devices work together."""
    chosen = options.devices
    if chosen == "auto":
        chosen = 1 if options.accelerator == "cpu" else max(1, torch.cuda.device_count())
    # A batch need not use every weight: there may be a head of weight 0, or one only for teacher forcing.
    return "auto" if str(chosen) == "1" else "ddp_find_unused_parameters_true"
