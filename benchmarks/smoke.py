"""Whether every configuration works: 20 steps on handwriting, an export, a picture read; all on the CPU.

python benchmarks/smoke.py [CONFIG ...] [--data data/train.parquet] [--threads 1]

Each network is trained as its file says but for small batches, small pictures and short labels, all of one
length, so that losses of single steps can be compared. Nothing is written but the table, and the code is 1
if a loss does not fall or anything else fails.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from inktex import Recognizer, cli
from inktex.data.batches.batching import NO_TARGET, Batch
from inktex.data.dataset import Sample, read_dataset, write_dataset
from inktex.training.config import TrainConfig
from inktex.training.reading import read_config
from inktex.training.run import train
from record import ROOT

STEPS = 20
COMPARED = 5  # first and last steps
LABEL = 6  # tokens
PICTURES = 20
BATCH = 4


@dataclass(frozen=True)
class Outcome:
    """What came of a configuration.

    Attributes:
        name: of the file.
        first: mean loss a token of the first steps.
        last: of the last ones.
        read: LaTeX that the exported model read in a picture.
        seconds: of training, and of export and reading.
    """

    name: str
    first: float
    last: float
    read: str
    seconds: tuple[float, float]

    @property
    def is_good(self) -> bool:
        """Whether the network has learnt."""
        return self.last < self.first

    def __str__(self) -> str:
        """One line of the table."""
        mark = "ok" if self.is_good else "LOSS DOES NOT FALL"
        times = "".join(f"{seconds:8.1f}" for seconds in self.seconds)
        return f"{self.name:20}{self.first:10.3f}{self.last:10.3f}{times}  {mark:4}{self.read[:40]}"


class Losses(Callback):
    """Keeps the loss a token of every step, and ends the run after enough of them."""

    def __init__(self, is_sum: bool) -> None:
        self.is_sum = is_sum
        self.values: list[float] = []

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Note it."""
        tokens = int((batch.targets != NO_TARGET).sum()) if self.is_sum else 1
        self.values.append(float(outputs["loss"]) / tokens)
        trainer.should_stop = len(self.values) >= STEPS


def main() -> int:
    """Try the configurations, print the table and return the exit code."""
    options = _options()
    if not options.data.is_file():
        print(f"skipped: there is no {options.data}; docs/data.md says how 'inktex import' makes it")
        return 0
    torch.set_num_threads(options.threads)
    for name in ("inktex", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    print(f"{'':20}{'loss':>10}{'after':>10}{'train s':>8}{'read s':>8}")
    begun, good = time.perf_counter(), True
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        chosen = _few(read_dataset(options.data))
        write_dataset(chosen, folder / "few.parquet")
        for path in options.configs:
            (folder / path.stem).mkdir()
            outcome = _try(path, folder / "few.parquet", chosen[0], folder / path.stem)
            good &= outcome.is_good
            print(outcome, flush=True)
    print(f"{time.perf_counter() - begun:.0f} s")
    return 0 if good else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Try configurations for a few steps.")
    known = sorted((ROOT / "configs").glob("*.yaml"))
    parser.add_argument("configs", type=Path, nargs="*", default=known, help="default: all of configs/")
    parser.add_argument("--data", type=Path, default=ROOT / "data/train.parquet")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def _few(samples: Sequence[Sample]) -> list[Sample]:
    """Choose expressions whose labels have one length."""
    fitting = [sample for sample in samples if sample.ink is not None and len(sample.tokens) == LABEL]
    return fitting[:PICTURES]


def _try(path: Path, data: Path, sample: Sample, folder: Path) -> Outcome:
    begun = time.perf_counter()
    config = _small(read_config(path), data)
    losses = Losses(config.objective.reduction == "sum")
    train(config, folder / "run", callbacks=[losses])
    trained = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        code = cli.main(["export", str(folder / "run"), str(folder / "model"), "--weights", "float32"])
    if code:
        raise SystemExit(code)
    read = Recognizer(folder / "model", width=1).recognize(sample.image).latex
    seconds = trained - begun, time.perf_counter() - trained
    first, last = np.mean(losses.values[:COMPARED]), np.mean(losses.values[-COMPARED:])
    return Outcome(path.stem, float(first), float(last), read, seconds)


def _small(config: TrainConfig, data: Path) -> TrainConfig:
    """Return the configuration with small pictures and batches and no validation, its network as it was."""
    schedule = "constant" if config.optimizer.schedule == "plateau" else config.optimizer.schedule
    small = dataclasses.replace(config.batch, pictures=BATCH, pixels=100_000, growing_epochs=0)
    return dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, train=(str(data),), extra=(), validation=None, symbol_px=16.0),
        batch=small,
        optimizer=dataclasses.replace(config.optimizer, schedule=schedule, accumulate=1),
        trainer=dataclasses.replace(
            config.trainer, epochs=STEPS, accelerator="cpu", devices=1, patience=0, go_back=False
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
