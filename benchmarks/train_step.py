"""How fast training goes on this machine; writes benchmarks/results/train_step.json.

python benchmarks/train_step.py DATA.parquet [--config configs/inktex.yaml] [--seconds 60]
    [--accelerator auto|cpu|gpu] [--threads N] [--name train_step]

It is a run of ``inktex train`` on one device, from random weights and on all pictures from the first epoch
on, that is timed once its first steps have warmed up kernels and caches.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning as pl
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback

from inktex.data.batches.batching import Batch
from inktex.errors import ConfigError, DataError, InktexError
from inktex.training.config import TrainConfig
from inktex.training.loading import TrainingData
from inktex.training.reading import read_config
from inktex.training.run import train, usable_precision
from record import ROOT, write_record

PARTS = ("waiting", "forward", "backward", "update", "end_of_epoch")
REPORT_S = 5.0


@dataclass
class Section:
    """Steps in a row.

    Attributes:
        parts_s: seconds of each part of all steps; together they are all the time there was.
        pictures: of each batch.
        pixels: of each batch, padding included.
    """

    parts_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))
    pictures: list[int] = field(default_factory=list)
    pixels: list[int] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """All the time there was."""
        return sum(self.parts_s.values())

    @property
    def pictures_per_second(self) -> float:
        """Pictures trained on, by the time."""
        return sum(self.pictures) / self.seconds

    def share(self, part: str) -> float:
        """Return the share of the time that a part took, 0 to 1."""
        return self.parts_s[part] / self.seconds


class Stopwatch(Callback):
    """Times a run's steps after the first ones, and then ends it.

    A GPU is still at work on a step when the host goes on to the next. Its speed is measured so; for the
    parts of a step the host then waits for it after each, over further steps and a quarter of the time.

    Args:
        seconds: how long to measure.
        warm_up: steps before that.
    """

    def __init__(self, seconds: float, warm_up: int) -> None:
        self.limit_s = seconds
        self.warm_up = warm_up
        self.speed = Section()
        self.parts = self.speed
        self.epoch_pictures = self.epoch_pixels = 0
        self.device = torch.device("cpu")
        self._section = Section()  # what is warmed up is thrown away
        self._last_s = self._reported_s = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock; take the size of an epoch."""
        self.device = pl_module.device
        if self.device.type != "cpu":
            self.parts = Section()
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, TrainingData)
        for planned in data.batches.plan(trainer.current_epoch):
            self.epoch_pictures += len(planned.examples)
            self.epoch_pixels += len(planned.examples) * planned.shape[0] * planned.shape[1]
        print(f"warming up over {self.warm_up} steps ...", file=sys.stderr)
        self._last_s = self._reported_s = self._now()

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        """Note the time that a batch took to come, and to be moved to the device."""
        self._lap("waiting")

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        """Note the time of the loss."""
        self._lap("forward")

    def on_after_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the time of the gradient."""
        self._lap("backward")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Note the time of clipping, new weights and their average; go on to the next section in time."""
        self._lap("update")
        self._section.pictures.append(len(batch.images))
        self._section.pixels.append(batch.images.numel())
        if self._is_over():
            self._lap("update", wait=True)
            trainer.should_stop = not self._next_section()
            self._reported_s = self._last_s
        elif self._last_s - self._reported_s > REPORT_S:
            self._report()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the time of the checkpoint."""
        self._lap("end_of_epoch")

    def _is_over(self) -> bool:
        if self._section is self.speed:
            return self.speed.seconds >= self.limit_s
        if self._section is self.parts:
            return self.parts.seconds >= self.limit_s / 4
        return len(self._section.pictures) >= self.warm_up

    def _next_section(self) -> bool:
        """Go on to the next section; return False after the last, whose figures then stand."""
        last = self._section is self.parts
        self._section = Section() if last else self.parts if self._section is self.speed else self.speed
        return not last

    def _lap(self, part: str, wait: bool = False) -> None:
        now = self._now(wait or self._section is self.parts)
        self._section.parts_s[part] += now - self._last_s
        self._last_s = now

    def _now(self, wait: bool = True) -> float:
        """Return the time, where asked to after the device has done what it was given."""
        if wait and self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)
        return time.perf_counter()

    def _report(self) -> None:
        self._reported_s = self._last_s
        section = self._section
        print(
            f"{section.seconds:.0f} s, {len(section.pictures)} steps: "
            f"{section.pictures_per_second:.1f} pictures a second, {section.share('waiting'):.0%} waiting",
            file=sys.stderr,
        )


def configuration(options: argparse.Namespace) -> TrainConfig:
    """Read the configuration and make it one of a run to be timed."""
    if options.seconds <= 0 or options.warm_up < 1:
        raise ConfigError("--seconds must be more than 0, and --warm-up at least 1")
    if options.accelerator == "gpu" and not torch.accelerator.is_available():
        raise ConfigError("--accelerator gpu: PyTorch finds no GPU on this machine")
    config = read_config(options.config)
    return dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, train=(str(options.data),), extra=(), validation=None),
        batch=dataclasses.replace(config.batch, growing_epochs=0),
        trainer=dataclasses.replace(
            config.trainer,
            accelerator=options.accelerator,
            devices="1",
            threads=config.trainer.threads if options.threads is None else options.threads,
            initial=None,
        ),
    )


def figures(watch: Stopwatch, config: TrainConfig, options: argparse.Namespace) -> dict[str, Any]:
    """Return what is written.

    An epoch's time is extrapolated by its pixels, which the time of a step follows.
    """
    speed = watch.speed
    on_gpu = watch.device.type == "cuda"
    pixels_per_second = sum(speed.pixels) / speed.seconds
    return {
        "data": options.data.name,
        "config": options.config.name,
        "device": torch.cuda.get_device_name(watch.device) if on_gpu else watch.device.type,
        "precision": usable_precision(config.trainer),
        "threads": torch.get_num_threads(),
        "workers": config.data.workers,
        "torch": torch.__version__,
        "seconds": round(speed.seconds, 1),
        "steps": len(speed.pictures),
        "pictures_per_second": round(speed.pictures_per_second, 2),
        "megapixels_per_second": round(pixels_per_second / 1e6, 3),
        "steps_per_second": round(len(speed.pictures) / speed.seconds, 3),
        "share": {part: round(watch.parts.share(part), 4) for part in PARTS},
        "epoch_pictures": watch.epoch_pictures,
        "epoch_s": round(watch.epoch_pixels / pixels_per_second, 1),
        "batch_pictures_median": statistics.median(speed.pictures),
        "batch_megapixels_median": round(statistics.median(speed.pixels) / 1e6, 3),
        "peak_memory_mib": _peak_memory_mib(),
        "peak_gpu_memory_mib": torch.cuda.max_memory_allocated(watch.device) >> 20 if on_gpu else None,
    }


def _peak_memory_mib() -> int:
    """Return the largest resident memory of this process, without those of its workers."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> (20 if sys.platform == "darwin" else 10)  # bytes there, KiB elsewhere


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the speed of training.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "inktex.yaml")
    parser.add_argument("--seconds", type=float, default=60.0, help="to measure for (default: 60)")
    parser.add_argument("--warm-up", type=int, default=20, help="steps before that (default: 20)")
    parser.add_argument("--accelerator", choices=("auto", "cpu", "gpu"), default="auto")
    parser.add_argument("--threads", type=int, help="CPU threads (default: the configuration's)")
    parser.add_argument("--name", default="train_step", help="of the result file")
    options = parser.parse_args()

    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("inktex").setLevel(logging.INFO)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # it gives tips
    try:
        config = configuration(options)
        watch = Stopwatch(options.seconds, options.warm_up)
        print(f"preparing {options.data} ...", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            train(config, Path(folder), callbacks=[watch])
        if not watch.parts.pictures:
            raise DataError(f"{options.data} is too small: its epochs were over before anything was measured")
    except InktexError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except MisconfigurationException as error:
        parser.exit(2, f"{parser.prog}: this cannot be trained here: {' '.join(str(error).split())}\n")
    write_record(options.name, figures(watch, config, options))


if __name__ == "__main__":
    main()
