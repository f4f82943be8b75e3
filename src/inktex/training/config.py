"""The configuration of a training run: frozen dataclasses, filled from one YAML file and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from inktex.data.batches.bucketing import BatchOptions
from inktex.data.batches.examples import Limits
from inktex.data.batches.options import AugmentOptions
from inktex.errors import ConfigError
from inktex.image.canonical import CANONICAL_SYMBOL_PX
from inktex.models.families import FAMILIES

MONITORS: Mapping[str, int] = MappingProxyType({"exprate": 1, "wer": -1, "cer": -1, "loss": -1})
"""Figures of a validation that can decide, and whether more is better (1) or less (-1)."""
_PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true")


@dataclass(frozen=True)
class DataOptions:
    """Where the samples are.

    Attributes:
        train: Parquet data sets to train on; of several splits in one, as in ``extra``, the split ``train``.
        extra: Parquet data sets, such as ``inktex synthesize`` makes; every epoch holds some of them besides.
        extra_per_epoch: how many of them, chosen anew every epoch.
        fresh_per_epoch: expressions written anew for every epoch with the ink of ``train``.
        labels: file of LaTeX that fresh expressions are written of besides, one a line; none: of the data's.
        vocabulary: JSON list of tokens, the specials first, that the network is to know; none: those of
            ``train``.
        validation: Parquet data set that the best weights are chosen by, of several splits the split ``val``;
            none: the last weights are kept.
        workers: processes that draw the training pictures.
        symbol_px: size of a typical symbol in all pictures; twice the size is four times the work.
    """

    train: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    extra_per_epoch: int = 10_000
    fresh_per_epoch: int = 0
    labels: str | None = None
    vocabulary: str | None = None
    validation: str | None = None
    workers: int = 1
    symbol_px: float = CANONICAL_SYMBOL_PX

    def __post_init__(self) -> None:
        if not self.symbol_px > 0:
            raise ConfigError(f"data.symbol_px must be above 0, got {self.symbol_px}")


@dataclass(frozen=True)
class ObjectiveOptions:
    """The training loss: cross-entropy of tokens, and what the family and the ink's symbols allow besides.

    A part of weight 0 is not computed.

    Attributes:
        label_smoothing: share of each target spread over the vocabulary.
        symbol_map: weight of the map of symbol classes over the positions, of families that draw it.
        attention: weight of the guidance of attention towards the written symbol of each token.
        lambda_1: weight of the cross-entropy of tokens.
        lambda_2: weight of that of the label's structure, of families with a second head for it.
        counting: weight of the error of the numbers of each symbol, of families that count.
        distillation: weight of the divergence of what is read from what ``trainer.teacher`` reads of a thin
            pen's drawing, of runs that have a teacher.
        reduction: ``mean`` or ``sum`` of the cross-entropy over the tokens of a batch.
        teacher_forcing_ratio: share of batches whose decoder reads the true label; in the others it reads
            what it wrote itself.
    """

    label_smoothing: float = 0.1
    symbol_map: float = 0.2
    attention: float = 0.1
    lambda_1: float = 1.0
    lambda_2: float = 1.0
    counting: float = 1.0
    distillation: float = 1.0
    reduction: str = "mean"
    teacher_forcing_ratio: float = 1.0

    def __post_init__(self) -> None:
        check_choice("objective.reduction", self.reduction, ("mean", "sum"))
        if not 0 <= self.teacher_forcing_ratio <= 1:
            raise ConfigError(
                f"objective.teacher_forcing_ratio must be from 0 to 1, got {self.teacher_forcing_ratio}"
            )


@dataclass(frozen=True)
class OptimizerOptions:
    """The update of the weights, and the course of the learning rate.

    Attributes:
        name: ``adamw``, ``sgd`` or ``adadelta``.
        learning_rate: the highest.
        reference_batch: pictures of a batch that the learning rate is meant for; it is multiplied by the
            pictures of one update over these. 0: it is taken as it is.
        schedule: ``cosine`` (a linear rise and half a cosine), ``plateau`` (times ``factor`` when validation
            gets no better), ``multi_step`` (times ``factor`` at each of ``milestones``) or ``constant``.
        warmup: of cosine, share of all steps over which the learning rate rises.
        final_share: of cosine, learning rate at the end as a share of the highest.
        factor: of plateau and multi_step.
        milestones: of multi_step, epochs before whose first step the learning rate falls, counted from 0.
        plateau_patience: of plateau, validations in a row without a better ``trainer.monitor`` that make it
            fall.
        momentum: of sgd.
        beta_2: of adamw, decay a step of the mean square of the gradient.
        weight_decay: on matrices and kernels.
        decay_all: on biases and norms too.
        clip_norm: largest norm of the gradient; 0: any.
        accumulate: batches whose gradients make one update.
        averaging: decay a step of the averaged weights that are validated and kept; 0: the weights
            themselves are.
    """

    name: str = "adamw"
    learning_rate: float = 1e-3
    reference_batch: int = 0
    schedule: str = "cosine"
    warmup: float = 0.02
    final_share: float = 0.01
    factor: float = 0.1
    milestones: tuple[int, ...] = ()
    plateau_patience: int = 10
    momentum: float = 0.9
    beta_2: float = 0.98
    weight_decay: float = 0.02
    decay_all: bool = False
    clip_norm: float = 2.0
    accumulate: int = 1
    averaging: float = 0.999

    def __post_init__(self) -> None:
        check_choice("optimizer.name", self.name, ("adamw", "sgd", "adadelta"))
        schedules = ("cosine", "plateau", "multi_step", "constant")
        check_choice("optimizer.schedule", self.schedule, schedules)
        _check_least("optimizer.accumulate", self.accumulate, 1)
        _check_least("optimizer.plateau_patience", self.plateau_patience, 1)
        _check_least("optimizer.reference_batch", self.reference_batch, 0)


@dataclass(frozen=True)
class TrainerOptions:
    """How long and on what.

    Attributes:
        epochs: passes over the training data.
        seed: decides weights, order, drawing and dropout.
        precision: Lightning's name of the number format, ``bf16-mixed`` or ``32-true``, which a CPU without
            instructions for the former uses instead.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        devices: how many, which (``0,2``), or ``auto``.
        threads: CPU threads; 0 leaves PyTorch's own choice.
        validate_every: epochs between validations.
        monitor: figure of the validation that decides which weights are best: ``exprate``, ``wer``, ``cer``
            or ``loss``.
        patience: validations in a row without a better figure that end the run; 0: none do.
        go_back: after each such validation, go on from the best weights.
        keep_epochs: keep the weights of every validation, not only of the best.
        save_every_minutes: minutes between checkpoints within an epoch.
        compile: compile the network with torch.compile.
        initial: run folder whose weights to start from, by the names of its tokens; none: random weights.
        teacher: run folder of a network with the same tokens, whose reading the run is to learn besides the
            labels; every sample is then drawn with a thin and a thick pen, in one batch, and the teacher
            reads the thin one. None: labels alone.
        imagenet: file of torchvision's ImageNet weights for the encoder, of families that have such a one.
    """

    epochs: int = 40
    seed: int = 1
    precision: str = "bf16-mixed"
    accelerator: str = "auto"
    devices: int | str = "auto"
    threads: int = 0
    validate_every: int = 2
    monitor: str = "exprate"
    patience: int = 0
    go_back: bool = False
    keep_epochs: bool = False
    save_every_minutes: float = 5.0
    compile: bool = False
    initial: str | None = None
    teacher: str | None = None
    imagenet: str | None = None

    def __post_init__(self) -> None:
        _check_least("trainer.epochs", self.epochs, 1)
        _check_least("trainer.validate_every", self.validate_every, 1)
        _check_least("trainer.patience", self.patience, 0)
        check_choice("trainer.precision", self.precision, _PRECISIONS)
        check_choice("trainer.monitor", self.monitor, tuple(MONITORS))


@dataclass(frozen=True)
class TrainConfig:
    """One training run.

    Attributes:
        family: the network's family.
        model: the network's sizes, of the dataclass that the family has for them; none: its defaults.
        data: where the samples are.
        limits: which are left out.
        batch: how they are put together.
        augment: how ink is drawn.
        objective: the loss.
        optimizer: the update.
        trainer: how long and on what.
    """

    family: str = "inktex"
    model: Any = None
    data: DataOptions = field(default_factory=DataOptions)
    limits: Limits = field(default_factory=Limits)
    batch: BatchOptions = field(default_factory=BatchOptions)
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    objective: ObjectiveOptions = field(default_factory=ObjectiveOptions)
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
    trainer: TrainerOptions = field(default_factory=TrainerOptions)

    def __post_init__(self) -> None:
        check_choice("family", self.family, tuple(FAMILIES))
        kind = FAMILIES[self.family].options
        if self.model is None:
            object.__setattr__(self, "model", kind())
        if not isinstance(self.model, kind):
            found = type(self.model).__name__
            raise ConfigError(f"model must be {kind.__name__} in the family {self.family}, not {found}")
        if self.trainer.go_back and self.optimizer.averaging:
            raise ConfigError("trainer.go_back needs optimizer.averaging 0: it goes on from what was kept")
        if self.trainer.teacher is not None and not self.objective.distillation > 0:
            raise ConfigError("trainer.teacher needs objective.distillation above 0: it teaches nothing else")
        if self.trainer.teacher is not None and self.objective.teacher_forcing_ratio < 1:
            raise ConfigError(
                "trainer.teacher needs objective.teacher_forcing_ratio 1: both networks must read the same"
            )


def check_choice(key: str, value: object, choices: Sequence[str]) -> None:
    """Raise ``ConfigError`` unless a value is one of those there are."""
    if value not in choices:
        raise ConfigError(f"{key} must be one of {', '.join(choices)}, got {value!r}")


def _check_least(key: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigError(f"{key} must be at least {least}, got {value}")
