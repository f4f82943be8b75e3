"""The course of the learning rate."""

from __future__ import annotations

import logging
import math
from typing import Any

import lightning as pl
from lightning.pytorch.callbacks import Callback

from inktex.training.config import OptimizerOptions, TrainConfig
from inktex.training.early_stopping import Watch, validated_figure
from inktex.training.loading import TrainingData

log = logging.getLogger("inktex")


class LearningRate(Callback):
    """Sets the learning rate before every step, and logs it as ``lr`` at the end of every epoch.

    It is a function of the step, the epoch and how often validation has ceased to get better, so that a
    resumed run goes on in the course of the uninterrupted one.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.options = config.optimizer
        self.watch = Watch(config.trainer.monitor)
        self.reductions = 0
        self.highest = config.optimizer.learning_rate
        self.total_steps = 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Work out what depends on the number of processes and on the data."""
        self.highest = highest_learning_rate(self.config, trainer.world_size)
        if self.options.schedule == "cosine":  # the other courses need not know, and to know takes time
            data = trainer.datamodule  # type: ignore[attr-defined]
            assert isinstance(data, TrainingData)
            self.total_steps = data.updates(self.config.trainer.epochs, trainer.world_size)
            log.info("%d steps", self.total_steps)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set it."""
        now = self.highest * share(
            self.options, self.total_steps, trainer.global_step, trainer.current_epoch, self.reductions
        )
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = now

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lower it if validation has not got better for long enough."""
        if self.options.schedule != "plateau" or trainer.sanity_checking:
            return
        self.watch.see(validated_figure(pl_module, self.watch.monitor))
        if self.watch.waited >= self.options.plateau_patience:
            self.watch.waited = 0
            self.reductions += 1
            log.info(
                "learning rate times %g: validation gets no better than %s %.4g",
                self.options.factor,
                self.watch.monitor,
                self.watch.best,
            )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log that of the last step."""
        pl_module.log("lr", trainer.optimizers[0].param_groups[0]["lr"])

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run has to know."""
        return {"best": self.watch.best, "waited": self.watch.waited, "reductions": self.reductions}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where the checkpoint stood."""
        self.watch.best, self.watch.waited = state_dict["best"], state_dict["waited"]
        self.reductions = state_dict["reductions"]


def share(options: OptimizerOptions, total_steps: int, step: int, epoch: int, reductions: int) -> float:
    """Return the learning rate of a step as a share of the highest.

    Args:
        options: the course.
        total_steps: updates of the whole run.
        step: updates before this one.
        epoch: epochs before this one.
        reductions: how often validation has ceased to get better.
    """
    if options.schedule == "plateau":
        return options.factor**reductions
    if options.schedule == "multi_step":
        return options.factor ** sum(epoch >= milestone for milestone in options.milestones)
    if options.schedule == "constant":
        return 1.0
    warmup = max(1, round(options.warmup * total_steps))
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total_steps - warmup))
    return options.final_share + (1 - options.final_share) * (1 + math.cos(math.pi * progress)) / 2


def highest_learning_rate(config: TrainConfig, processes: int) -> float:
    """Return the learning rate that the course is a share of, in proportion to the pictures of an update.

    A batch that its largest area makes smaller still counts as ``batch.pictures``.
    """
    options = config.optimizer
    pictures = config.batch.pictures * options.accumulate * processes
    if options.reference_batch in (0, pictures):
        return options.learning_rate
    scaled = options.learning_rate * pictures / options.reference_batch
    log.info(
        "learning rate %g: %g scaled linearly from %d pictures an update to %d",
        scaled,
        options.learning_rate,
        options.reference_batch,
        pictures,
    )
    return scaled
