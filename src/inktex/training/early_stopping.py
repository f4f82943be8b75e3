"""The best validation: its weights are kept, and a run that gets no better is ended."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as pl
from lightning.pytorch.callbacks import Callback
from safetensors.torch import load_file, save

from inktex.files import write_bytes
from inktex.training.config import MONITORS, TrainerOptions
from inktex.training.module import TrainingModule, model_weights

log = logging.getLogger("inktex")


@dataclass
class Watch:
    """Follows a figure of the validation.

    Attributes:
        monitor: its name, one of ``MONITORS``.
        best: its best value so far.
        waited: validations since.
    """

    monitor: str
    best: float = math.nan
    waited: int = 0

    def see(self, value: float) -> bool:
        """Take in a validation's figure and tell whether it is the best so far."""
        # Nothing is better than no figure at all, and never is one that is not a number.
        if math.isnan(self.best) or (value - self.best) * MONITORS[self.monitor] > 0:
            self.best, self.waited = value, 0
            return True
        self.waited += 1
        return False


class KeepBest(Callback):
    """Writes ``weights.safetensors`` whenever the validation is the best so far; ends a run that waits long.

    With ``keep_epochs`` it writes the weights of every validation besides, to ``epochs/``.
    It also sees to it that the last epoch is validated, whatever the number of epochs between validations.
    It must stand before :class:`inktex.training.callbacks.AveragedWeights` among the callbacks, to see the
    averaged weights.

    Args:
        folder: of the run.
        options: which figure decides, and what happens while it gets no better.
    """

    def __init__(self, folder: Path, options: TrainerOptions) -> None:
        self.path = folder / "weights.safetensors"
        self.epochs = folder / "epochs"
        self.options = options
        self.watch = Watch(options.monitor)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Call for a validation after the last epoch."""
        if trainer.current_epoch + 1 == trainer.max_epochs:
            trainer.check_val_every_n_epoch = 1

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compare; write, or wait, go back and end."""
        if trainer.sanity_checking:
            return
        assert isinstance(pl_module, TrainingModule)
        if self.options.keep_epochs and trainer.is_global_zero:
            self.epochs.mkdir(exist_ok=True)
            write_weights(pl_module, self.epochs / f"{trainer.current_epoch + 1}.safetensors")
        if self.watch.see(validated_figure(pl_module, self.watch.monitor)):
            if trainer.is_global_zero:
                write_weights(pl_module, self.path)
            return
        if self.options.go_back:
            pl_module.model.load_state_dict(load_file(self.path))
        if 0 < self.options.patience <= self.watch.waited:
            trainer.should_stop = True
            log.info(
                "ended early: %d validations were no better than %s %.4g, whose weights are kept",
                self.watch.waited,
                self.watch.monitor,
                self.watch.best,
            )

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run has to know."""
        return {"best": self.watch.best, "waited": self.watch.waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where the checkpoint stood."""
        self.watch.best, self.watch.waited = state_dict["best"], state_dict.get("waited", 0)


def validated_figure(module: pl.LightningModule, monitor: str) -> float:
    """Return a figure of the validation that has just ended, not logged yet: callbacks come first."""
    assert isinstance(module, TrainingModule)
    return module.validation_figures()[f"val/{monitor}"]


def write_weights(module: pl.LightningModule, path: Path) -> None:
    """Write the network's weights as safetensors."""
    assert isinstance(module, TrainingModule)
    write_bytes(path, save(model_weights(module.model)))
