"""The LightningModule: one step of training, and validation by real decoding."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import lightning as pl
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from inktex.data.batching import Batch
from inktex.decoding.search import SearchOptions, search
from inktex.metrics.item import Item, Tokens
from inktex.metrics.report import measure
from inktex.models.inktex import InktexModel
from inktex.models.interface import Features
from inktex.training.config import TrainConfig
from inktex.training.objective import losses
from inktex.training.stepper import TorchStepper
from inktex.vocabulary import Vocabulary


class ValidationBatch(NamedTuple):
    """Pictures to decode: images [b, 1, h, w], padding [b, h, w] and the labels' tokens."""

    images: npt.NDArray[np.float32]
    padding: npt.NDArray[np.bool_]
    labels: list[Tokens]


def build_model(config: TrainConfig, vocabulary: Vocabulary) -> InktexModel:
    """Build the network of a configuration with fresh weights."""
    return InktexModel(len(vocabulary), config.model)


class TrainingModule(pl.LightningModule):
    """Trains a network by a configuration.

    Args:
        config: the run's configuration.
        vocabulary: tokens and ids.
        total_steps: optimizer steps of the whole run, for the learning rate's course.
    """

    def __init__(self, config: TrainConfig, vocabulary: Vocabulary, total_steps: int) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.total_steps = total_steps
        torch.manual_seed(config.trainer.seed)
        self.model = build_model(config, vocabulary).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._items: list[Item] = []

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of a batch."""
        # Dropout depends on the step alone, so that a resumed run is the uninterrupted one.
        torch.manual_seed(self.config.trainer.seed * 1_000_003 + self.global_step)
        images = batch.images.contiguous(memory_format=torch.channels_last)
        features = self.model.encode(images, batch.padding)
        symbol_logits = self.model.symbol_logits(features)
        both = Features(
            torch.cat([features.data, features.data]),
            torch.cat([features.padding, features.padding]),
            features.grid,
        )
        parts = losses(
            self.model(both, batch.inputs), symbol_logits, features.padding, batch, self.config.objective
        )
        total = parts.total(self.config.objective)
        count = len(batch.images)
        self.log("train/loss", total.detach(), prog_bar=True, on_step=True, on_epoch=True, batch_size=count)
        for name, part in parts._asdict().items():
            self.log(f"train/{name}", part.detach(), on_step=False, on_epoch=True, batch_size=count)
        return total

    def validation_step(self, batch: ValidationBatch, index: int) -> None:
        """Decode pictures greedily from left to right and keep what was read."""
        start, end = self.vocabulary.start_id, self.vocabulary.end_id
        limit = self.config.model.max_length
        found = search(
            TorchStepper(self.model, limit, self.device),
            batch.images,
            batch.padding,
            start,
            end,
            (self.vocabulary.pad_id,),
            SearchOptions(width=1, max_length=limit),
        )
        for hypotheses, label in zip(found, batch.labels, strict=True):
            tokens = tuple(self.vocabulary.decode(hypotheses[0].tokens))
            self._items.append(Item(str(len(self._items)), tokens, label))

    def validation_figures(self) -> dict[str, float]:
        """Return the figures of what was decoded so far, by ``val/`` and their names in ``Metrics``."""
        figures = vars(measure(self._items))
        return {f"val/{name}": float(figures[name]) for name in figures.keys() - {"count", "missing"}}

    def on_validation_epoch_end(self) -> None:
        """Log the figures of the validation set."""
        for name, figure in sorted(self.validation_figures().items()):
            self.log(name, figure, prog_bar=name == "val/exprate", sync_dist=True)
        self._items = []

    def configure_optimizers(self) -> Any:
        """Return AdamW and its learning rate, which changes with every step."""
        options = self.config.optimizer
        decayed = [weight for weight in self.model.parameters() if weight.ndim > 1]
        others = [weight for weight in self.model.parameters() if weight.ndim <= 1]
        optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": options.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=options.learning_rate,
            betas=(0.9, 0.98),
            foreach=True,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.learning_rate_share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def learning_rate_share(self, step: int) -> float:
        """Return the learning rate after ``step`` steps as a share of the peak: warm-up, then a cosine."""
        options = self.config.optimizer
        warmup = max(1, round(options.warmup * self.total_steps))
        if step < warmup:
            return (step + 1) / warmup
        progress = min(1.0, (step - warmup) / max(1, self.total_steps - warmup))
        return options.final_share + (1 - options.final_share) * (1 + math.cos(math.pi * progress)) / 2

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_index: int) -> Any:
        """Move training batches; validation batches stay NumPy arrays, which the stepper moves itself."""
        if isinstance(batch, ValidationBatch):
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_index)


def model_weights(module: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights as float32 tensors on the CPU, ready for safetensors."""
    return {name: value.detach().cpu().contiguous().clone() for name, value in module.state_dict().items()}
