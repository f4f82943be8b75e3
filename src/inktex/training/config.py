"""The configuration of a training run: frozen dataclasses, filled from one YAML file and the command line."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonargparse
import yaml

from inktex.data.augment import AugmentOptions
from inktex.data.batching import BatchOptions
from inktex.data.examples import Limits
from inktex.errors import ConfigError
from inktex.models.inktex import InktexOptions

_PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true")


@dataclass(frozen=True)
class DataOptions:
    """Where the samples are.

    Attributes:
        train: Parquet data sets to train on.
        extra: Parquet data sets, such as ``inktex synthesize`` makes; every epoch holds some of them besides.
        extra_per_epoch: how many of them, chosen anew every epoch.
        fresh_per_epoch: expressions written anew for every epoch with the ink of ``train``.
        labels: file of LaTeX that fresh expressions are written of besides, one a line; none: of the data's.
        validation: Parquet data set that the best weights are chosen by; none: the last weights are kept.
        workers: processes that draw the training pictures.
    """

    train: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    extra_per_epoch: int = 10_000
    fresh_per_epoch: int = 0
    labels: str | None = None
    validation: str | None = None
    workers: int = 1


@dataclass(frozen=True)
class ObjectiveOptions:
    """The training loss: token cross-entropy of both directions, plus two losses taken from the ink's true
    symbols.

    Attributes:
        label_smoothing: share of each target spread over the vocabulary.
        symbol_map: weight of the map of symbol classes over the positions.
        attention: weight of the guidance of attention towards the written symbol of each token.
    """

    label_smoothing: float = 0.1
    symbol_map: float = 0.2
    attention: float = 0.1


@dataclass(frozen=True)
class OptimizerOptions:
    """AdamW with linear warm-up and cosine decay.

    Attributes:
        learning_rate: the peak.
        final_share: learning rate at the end as a share of the peak.
        warmup: share of all steps over which the learning rate rises.
        weight_decay: on matrices and kernels, not on biases and norms.
        clip_norm: largest norm of the gradient.
        averaging: decay a step of the averaged weights that are validated and kept.
    """

    learning_rate: float = 1e-3
    final_share: float = 0.01
    warmup: float = 0.02
    weight_decay: float = 0.02
    clip_norm: float = 2.0
    averaging: float = 0.999


@dataclass(frozen=True)
class TrainerOptions:
    """How long and on what.

    Attributes:
        epochs: passes over the training data.
        seed: decides weights, order, drawing and dropout.
        precision: Lightning's name of the number format, ``bf16-mixed`` or ``32-true``.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        devices: how many, or ``auto``.
        threads: CPU threads; 0 leaves PyTorch's own choice.
        validate_every: epochs between validations.
        save_every_minutes: minutes between checkpoints within an epoch.
        compile: compile the network with torch.compile.
        initial: run folder whose weights to start from; none: random weights.
    """

    epochs: int = 40
    seed: int = 1
    precision: str = "bf16-mixed"
    accelerator: str = "auto"
    devices: str = "auto"
    threads: int = 0
    validate_every: int = 2
    save_every_minutes: float = 5.0
    compile: bool = False
    initial: str | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ConfigError(f"trainer.epochs must be at least 1, got {self.epochs}")
        if self.precision not in _PRECISIONS:
            raise ConfigError(
                f"trainer.precision must be one of {', '.join(_PRECISIONS)}, got {self.precision!r}"
            )
        if self.validate_every < 1:
            raise ConfigError(f"trainer.validate_every must be at least 1, got {self.validate_every}")


@dataclass(frozen=True)
class TrainConfig:
    """One training run.

    Attributes:
        family: the network's family.
        model: the network's sizes.
        data: where the samples are.
        limits: which are left out.
        batch: how they are put together.
        augment: how ink is drawn.
        objective: the loss.
        optimizer: the update.
        trainer: how long and on what.
    """

    family: str = "inktex"
    model: InktexOptions = field(default_factory=InktexOptions)
    data: DataOptions = field(default_factory=DataOptions)
    limits: Limits = field(default_factory=Limits)
    batch: BatchOptions = field(default_factory=BatchOptions)
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    objective: ObjectiveOptions = field(default_factory=ObjectiveOptions)
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
    trainer: TrainerOptions = field(default_factory=TrainerOptions)

    def __post_init__(self) -> None:
        if self.family != "inktex":
            raise ConfigError(f"family must be inktex, got {self.family!r}")


def read_config(path: Path, changes: Mapping[str, str] = MappingProxyType({})) -> TrainConfig:
    """Read a configuration file, with changes by dotted key.

    Raises:
        ConfigError: the file cannot be read, is no YAML, or holds an unknown key or a value of a wrong kind.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    _check_keys({} if values is None else values, TrainConfig, str(path))
    values = dict(values or {})
    for key, value in changes.items():
        section, _, name = key.rpartition(".")
        if section:
            values[section] = {**(values.get(section) or {}), name: value}
        else:
            values[name] = value
    return _build({key: value for key, value in values.items() if value is not None}, str(path))


def _check_keys(values: Any, kind: type[Any], source: str, section: str = "") -> None:
    """Hold the keys of a configuration against the fields of a dataclass and its sections."""
    if not isinstance(values, dict):
        raise ConfigError(
            f"{source}: {section or 'a configuration'} must hold keys and values, not {values!r}"
        )
    hints = typing.get_type_hints(kind)
    for key, value in values.items():
        if key not in hints:
            known = ", ".join(hints)
            raise ConfigError(
                f"{source}: there is no key {'.'.join(filter(None, (section, str(key))))}; known are: {known}"
            )
        if dataclasses.is_dataclass(hints[key]) and value is not None:
            _check_keys(value, hints[key], source, key)


def _build(values: dict[str, Any], source: str) -> TrainConfig:
    """Turn nested values, or texts that stand for them, into the configuration."""
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(TrainConfig)
    try:
        return TrainConfig(**vars(parser.instantiate_classes(parser.parse_object(values))))
    except jsonargparse.ArgumentError as error:
        problem = " ".join(str(error).removeprefix("Parser key ").split())
        raise ConfigError(f"{source}: {problem}") from None
