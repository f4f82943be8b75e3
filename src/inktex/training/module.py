"""The LightningModule: one step of training, and validation by real decoding."""

from __future__ import annotations

from typing import Any, NamedTuple

import lightning as pl
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from inktex.data.batches.batching import NO_TARGET, Batch
from inktex.decoding.options import SearchOptions
from inktex.decoding.search import search
from inktex.errors import RunError
from inktex.metrics.item import Item, Tokens
from inktex.metrics.report import measure
from inktex.models.families import FAMILIES
from inktex.models.interface import Features, Model
from inktex.training.config import TrainConfig
from inktex.training.objective import Objective, free_run
from inktex.training.stepper import TorchStepper
from inktex.vocabulary import Vocabulary


class ValidationBatch(NamedTuple):
    """Pictures to decode: images [b, 1, h, w], padding [b, h, w] and the labels' tokens."""

    images: npt.NDArray[np.float32]
    padding: npt.NDArray[np.bool_]
    labels: list[Tokens]


def build_model(config: TrainConfig, vocabulary: Vocabulary) -> Any:
    """Build the network of a configuration, a ``Model`` and ``nn.Module``, with fresh weights."""
    return FAMILIES[config.family].build(len(vocabulary), config.model)


class TrainingModule(pl.LightningModule):
    """Trains a network by a configuration.

    Args:
        config: the run's configuration.
        vocabulary: tokens and ids.
    """

    def __init__(self, config: TrainConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        torch.manual_seed(config.trainer.seed)
        self.model = build_model(config, vocabulary).to(memory_format=torch.channels_last)
        self.objective = Objective(vocabulary, config.objective, self.model.stride)
        self._teacher: list[Model] = []  # in a list, so that its weights are none of this module's
        self._items: list[Item] = []
        self._loss, self._tokens = 0.0, 0  # of the validation
        self._figures: dict[str, float] = {}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of a batch."""
        options, accumulate = self.config.objective, self.config.optimizer.accumulate
        # What is random depends on the batch alone, so that a resumed run is the uninterrupted one.
        number = self.config.trainer.seed * 1_000_003 + self.global_step * accumulate + index % accumulate
        torch.manual_seed(number)
        batch = _trimmed(batch, self.config.model.max_length)
        features = self.model.encode(
            batch.images.contiguous(memory_format=torch.channels_last), batch.padding
        )
        directions = len(batch.inputs) // len(batch.images)
        if np.random.default_rng(number).random() < options.teacher_forcing_ratio:
            repeats = getattr(self.model, "repeats_features", False)  # itself, at less cost
            every = features if repeats else _repeated(features, directions)
            output = self.model(every, batch.inputs)
        else:
            output = free_run(self.model, _repeated(features, directions), batch.inputs)
        parts = self.objective(features, output, batch, self._taught(batch))
        total: Tensor = parts.total(options)
        count = len(batch.images)
        self.log("train/loss", total.detach(), prog_bar=True, on_step=True, on_epoch=True, batch_size=count)
        for name, part in parts._asdict().items():
            if part is not None:
                self.log(f"train/{name}", part.detach(), on_step=False, on_epoch=True, batch_size=count)
        # Lightning takes the mean over the batches of an update; of sums it is to be the sum.
        return total * accumulate if options.reduction == "sum" else total

    def learn_from(self, teacher: Any) -> None:
        """Have a network, in evaluation mode, read what this one is trained on; see ``trainer.teacher``."""
        self._teacher = [teacher.to(memory_format=torch.channels_last)]

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
            self.vocabulary.unwritten,
            SearchOptions(width=1, max_length=limit),
        )
        if not all(found):  # nothing has a probability
            raise RunError(
                f"the training has diverged, and in epoch {self.current_epoch} weights are no numbers any "
                "more: lower optimizer.learning_rate, or set optimizer.clip_norm"
            )
        for hypotheses, label in zip(found, batch.labels, strict=True):
            tokens = tuple(self.vocabulary.decode(hypotheses[0].tokens))
            self._items.append(Item(str(len(self._items)), tokens, label))
        if self.config.trainer.monitor == "loss":
            self._add_loss(batch)

    def validation_figures(self) -> dict[str, float]:
        """Return the figures of what was decoded, by ``val/`` and their names in ``Metrics``.

        With ``trainer.monitor: loss`` also ``val/loss``, the mean cross-entropy of a true token.
        """
        if not self._figures:
            figures = vars(measure(self._items))
            self._figures = {
                f"val/{name}": float(figures[name]) for name in figures.keys() - {"count", "missing"}
            }
            if self.config.trainer.monitor == "loss":
                self._figures["val/loss"] = self._loss / max(1, self._tokens)
        return self._figures

    def on_validation_epoch_end(self) -> None:
        """Log the figures of the validation set."""
        monitored = f"val/{self.config.trainer.monitor}"
        for name, figure in sorted(self.validation_figures().items()):
            self.log(name, figure, prog_bar=name == monitored, sync_dist=True)
        self._items, self._loss, self._tokens, self._figures = [], 0.0, 0, {}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer; :class:`LearningRate` sets its learning rate before every step."""
        options = self.config.optimizer
        decayed = [weight for weight in self.model.parameters() if weight.ndim > 1 or options.decay_all]
        others = [weight for weight in self.model.parameters() if weight.ndim <= 1 and not options.decay_all]
        groups = [
            {"params": decayed, "weight_decay": options.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        if options.name == "sgd":
            return torch.optim.SGD(groups, options.learning_rate, options.momentum, foreach=True)
        if options.name == "adadelta":
            return torch.optim.Adadelta(groups, options.learning_rate, foreach=True)
        return torch.optim.AdamW(groups, options.learning_rate, (0.9, options.beta_2), foreach=True)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_index: int) -> Any:
        """Move training batches; validation batches stay NumPy arrays, which the stepper moves itself."""
        if isinstance(batch, ValidationBatch):
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_index)

    def _taught(self, batch: Batch) -> Tensor | None:
        """Return the teacher's logits of the first half of the pictures, if there is a teacher."""
        if not self._teacher:
            return None
        teacher: Any = self._teacher[0]
        pictures, directions = len(batch.images) // 2, len(batch.inputs) // len(batch.images)
        images = batch.images[:pictures].contiguous(memory_format=torch.channels_last)
        inputs = batch.inputs.view(directions, 2, pictures, -1)[:, 0].flatten(0, 1)
        with torch.no_grad():
            features = teacher.to(self.device).encode(images, batch.padding[:pictures])
            logits: Tensor = teacher(_repeated(features, directions), inputs).logits
        return logits

    def _add_loss(self, batch: ValidationBatch) -> None:
        """Add the cross-entropy of the true labels; tokens that the vocabulary lacks are left out."""
        inputs, targets = teacher_forced(batch.labels, self.vocabulary, self.config.model.max_length)
        images = torch.from_numpy(batch.images).to(self.device)
        features = self.model.encode(images, torch.from_numpy(batch.padding).to(self.device))
        logits = self.model(features, inputs.to(self.device)).logits.float().cpu()
        entropy = functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET, reduction="sum"
        )
        self._loss += float(entropy)
        self._tokens += int((targets != NO_TARGET).sum())


def teacher_forced(labels: list[Tokens], vocabulary: Vocabulary, longest: int) -> tuple[Tensor, Tensor]:
    """Return inputs and targets [b, t] of labels from left to right, cut at ``longest``."""
    length = min(longest, max(len(label) for label in labels) + 1)
    inputs = torch.full((len(labels), length), vocabulary.pad_id)
    targets = torch.full((len(labels), length), NO_TARGET)
    for row, label in enumerate(labels):
        known = [vocabulary.encode([token])[0] if token in vocabulary else NO_TARGET for token in label]
        after = torch.tensor([*known, vocabulary.end_id])[:length]
        before = torch.tensor([vocabulary.start_id, *known])[:length]
        targets[row, : len(after)] = after
        inputs[row, : len(before)] = before.where(before != NO_TARGET, vocabulary.pad_id)
    return inputs, targets


def model_weights(module: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights as float32 tensors on the CPU, ready for safetensors."""
    return {name: value.detach().cpu().contiguous().clone() for name, value in module.state_dict().items()}


def _trimmed(batch: Batch, longest: int) -> Batch:
    """Cut the padding that rounds labels up to common lengths where it is beyond what a network can read."""
    if batch.inputs.shape[1] <= longest:
        return batch
    return batch._replace(
        inputs=batch.inputs[:, :longest],
        targets=batch.targets[:, :longest],
        token_symbol=batch.token_symbol[:, :longest],
    )


def _repeated(features: Features, times: int) -> Features:
    """Return features [b] for each direction of reading: [times x b]."""
    if times == 1:
        return features
    counts = None if features.counts is None else features.counts.repeat(times, 1, 1)
    return Features(
        features.data.repeat(times, 1, 1), features.padding.repeat(times, 1), features.grid, None, counts
    )
