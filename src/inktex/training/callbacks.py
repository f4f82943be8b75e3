"""What happens beside the training steps: averaged weights, kept weights, checkpoints, throughput."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import lightning as pl
import torch
from lightning.pytorch.callbacks import Callback, WeightAveraging
from safetensors.torch import save_file
from torch import Tensor

from inktex.data.batching import Batch
from inktex.training.module import TrainingModule, model_weights


class AveragedWeights(WeightAveraging):
    """Exponential moving average of the weights, validated and kept in place of the last ones.

    The decay rises as (1 + n) / (10 + n) to its final value, so that early averages follow quickly.
    """

    def __init__(self, decay: float) -> None:
        def average(averages: Any, currents: Any, count: Tensor | int) -> None:
            now = min(decay, (1 + int(count)) / (10 + int(count)))
            for mean, current in zip(averages, currents, strict=True):
                if mean.is_floating_point():
                    mean.lerp_(current, 1 - now)
                else:
                    mean.copy_(current)

        super().__init__(use_buffers=True, multi_avg_fn=torch.no_grad()(average))


class KeepBest(Callback):
    """Writes ``weights.safetensors`` whenever the validation ExpRate is the best so far.

    It also sees to it that the last epoch is validated, whatever the number of epochs between validations.
    It must stand before :class:`AveragedWeights` among the callbacks, to see the averaged weights.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.best = -1.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Call for a validation after the last epoch."""
        if trainer.current_epoch + 1 == trainer.max_epochs:
            trainer.check_val_every_n_epoch = 1

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compare and write."""
        if trainer.sanity_checking:
            return
        assert isinstance(pl_module, TrainingModule)
        value = pl_module.validation_figures()["val/exprate"]  # not logged yet: callbacks come first
        if value > self.best:
            self.best = value
            if trainer.is_global_zero:
                write_weights(pl_module, self.folder / "weights.safetensors")

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run has to know."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where the checkpoint stood."""
        self.best = state_dict["best"]


class Checkpoints(Callback):
    """Writes ``checkpoints/last.ckpt`` after every epoch, every few minutes and upon an interruption."""

    def __init__(self, folder: Path, minutes: float) -> None:
        self.path = folder / "checkpoints" / "last.ckpt"
        self.seconds = minutes * 60
        self._written_s = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._written_s = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write if the time has come."""
        if time.monotonic() - self._written_s > self.seconds:
            self._write(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write."""
        self._write(trainer)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Write after an interruption, and weights too if no validation has kept any yet."""
        if trainer.global_step and isinstance(exception, KeyboardInterrupt):
            self._write(trainer)
            weights = self.path.parent.parent / "weights.safetensors"
            if trainer.is_global_zero and not weights.exists():
                write_weights(pl_module, weights)

    def _write(self, trainer: pl.Trainer) -> None:
        unfinished = self.path.with_suffix(".tmp")
        trainer.save_checkpoint(unfinished)
        if trainer.is_global_zero:
            os.replace(unfinished, self.path)
        self._written_s = time.monotonic()


class Throughput(Callback):
    """Logs once an epoch the pictures trained on a second, and the share of that time spent waiting for data.

    Waiting is what lies between the end of one batch and the start of the next, and the start of an epoch's
    loader; validation counts for neither figure. Of a GPU that is still at work when its batch is said to be
    over, this is the host's view. It must stand behind the other callbacks: what they do after a batch, such
    as writing a checkpoint, is no waiting for data.
    """

    def __init__(self) -> None:
        self._pictures = 0
        self._waiting_s = self._working_s = 0.0
        self._last_s = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._restart()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """End the waiting."""
        self._waiting_s += self._lap()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """End the work."""
        self._working_s += self._lap()
        self._pictures += len(batch.images)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log, and start the clock for the next epoch."""
        if self._pictures:  # none if the run was resumed at the end of an epoch
            seconds = self._waiting_s + self._working_s
            pl_module.log(
                "train/pictures_per_second", self._pictures / seconds, sync_dist=True, reduce_fx="sum"
            )
            pl_module.log("train/waiting", self._waiting_s / seconds, sync_dist=True)
        self._restart()

    def _restart(self) -> None:
        self._pictures = 0
        self._waiting_s = self._working_s = 0.0
        self._last_s = time.perf_counter()

    def _lap(self) -> float:
        now = time.perf_counter()
        elapsed, self._last_s = now - self._last_s, now
        return elapsed


def write_weights(module: pl.LightningModule, path: Path) -> None:
    """Write the network's weights as safetensors, to a temporary file that is renamed at the end."""
    assert isinstance(module, TrainingModule)
    unfinished = path.with_suffix(".tmp")
    save_file(model_weights(module.model), unfinished)
    os.replace(unfinished, path)
