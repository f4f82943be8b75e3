"""What happens beside the training steps: averaged weights, checkpoints, throughput, the log."""

from __future__ import annotations

import csv
import io
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as pl
import torch
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import Callback, WeightAveraging
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor

from inktex.data.batches.batching import Batch
from inktex.files import whole_file, write_text
from inktex.training.early_stopping import write_weights


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
        """Write if the time has come by the clock of the first process: all have to write together."""
        if trainer.strategy.broadcast(time.monotonic() - self._written_s > self.seconds):
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
        # Every process takes part, and the first alone writes.
        with whole_file(self.path) if trainer.is_global_zero else nullcontext(self.path) as unfinished:
            trainer.save_checkpoint(unfinished)
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


class MetricsLog(CSVLogger):
    """Lightning's metrics.csv, written whole each time.

    Lightning's own writes appended rows and a longer header in place, and an interruption between the two
    leaves rows that fit no header.
    """

    @rank_zero_only
    def save(self) -> None:
        """Write all rows so far."""
        rows = self.experiment.metrics
        columns = sorted({column for row in rows for column in row})
        if not columns:
            return
        table = io.StringIO()
        writer = csv.DictWriter(table, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(Path(self.log_dir) / self.experiment.NAME_METRICS_FILE, table.getvalue())
