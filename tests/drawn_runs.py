"""Small runs on drawn formulas, for the tests of training."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import lightning as pl
import numpy as np

from inktex.data.batches.bucketing import BatchOptions
from inktex.data.dataset import Sample, write_dataset
from inktex.ink.strokes import Ink, Symbol, rasterize
from inktex.models.inktex import InktexOptions
from inktex.training.config import DataOptions, OptimizerOptions, TrainConfig, TrainerOptions

TINY = InktexOptions((8, 16, 32), (1, 1, 1), 32, 2, 4, 64, 4, 0.1, 32)
DEFAULT = OptimizerOptions()
TEXTS = ("1+x", "x-1", "x", "1-1+x", "+", "xx1", "-x-", "11")
SHAPES = {
    "1": [[(10, 0), (10, 20)]],
    "-": [[(0, 10), (20, 10)]],
    "+": [[(0, 10), (20, 10)], [(10, 0), (10, 20)]],
    "x": [[(0, 0), (20, 20)], [(20, 0), (0, 20)]],
    "v": [[(0, 0), (10, 20), (20, 0)]],
}


class InterruptAt(pl.Callback):
    """Presses ctrl-C after a batch, counted over all epochs from 1."""

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.fit_loop.epoch_loop.total_batch_idx + 1 == self.batch:
            raise KeyboardInterrupt


def formula(name: str, text: str) -> Sample:
    """Draw a row of straight-lined symbols."""
    strokes, symbols = [], []
    for place, token in enumerate(text):
        lines = [np.array(line, dtype=np.float32) + [30 * place, 0] for line in SHAPES[token]]
        symbols.append(Symbol(token, tuple(range(len(strokes), len(strokes) + len(lines))), f"s{place}"))
        strokes.extend(line.astype(np.float32) for line in lines)
    ink = Ink(tuple(strokes), tuple(symbols))
    mathml = "<math>" + "".join(f'<mi xml:id="s{i}">{token}</mi>' for i, token in enumerate(text)) + "</math>"
    png = bytes(cv2.imencode(".png", (rasterize(ink, 40, 4) * 255).astype(np.uint8))[1])
    return Sample(name, "train", "drawn", tuple(text), png, ink, "", mathml)


def write_formulas(path: Path, texts: tuple[str, ...] = TEXTS) -> Path:
    """Write a data set of drawn formulas and return its path."""
    write_dataset([formula(str(number), text) for number, text in enumerate(texts)], path)
    return path


def tiny_config(
    data: Path,
    validation: bool = False,
    epochs: int = 2,
    optimizer: OptimizerOptions = DEFAULT,
    **trainer: Any,
) -> TrainConfig:
    """A run of a tiny network of the family inktex on the CPU, some four batches of two an epoch."""
    return TrainConfig(
        model=TINY,
        data=DataOptions((str(data),), validation=str(data) if validation else None, workers=0),
        batch=BatchOptions(pictures=2),
        optimizer=optimizer,
        trainer=TrainerOptions(epochs=epochs, precision="32-true", accelerator="cpu", devices=1, **trainer),
    )


def logged(run: Path, name: str) -> list[float]:
    """Return the values that a run logged of a figure, in order."""
    with (run / "log" / "version_0" / "metrics.csv").open(newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file) if row.get(name)]
