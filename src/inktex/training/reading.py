"""Reading a configuration: one YAML file, changes from the command line, and the short names of keys."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonargparse
import yaml

from inktex.errors import ConfigError
from inktex.models.families import FAMILIES
from inktex.training.config import DataOptions, TrainConfig, check_choice

SHORT_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "batch_size": "batch.pictures",
        "learning_rate": "optimizer.learning_rate",
        "weight_decay": "optimizer.weight_decay",
        "epochs": "trainer.epochs",
        "max_epochs": "trainer.epochs",
        "patience": "trainer.patience",
        "check_val_every_n_epoch": "trainer.validate_every",
        "seed": "trainer.seed",
        "seed_everything": "trainer.seed",
        "gpus": "trainer.devices",
        "num_workers": "data.workers",
        "checkpoint": "trainer.initial",
        "model_architecture": "family",
        "sequence_length": "model.max_length",
        "max_len": "model.max_length",
        "max_output_len": "model.max_length",
        "dropout": "model.dropout",
        "maxlen": "limits.label",
        "maxImagesize": "limits.picture",
        "lambda_1": "objective.lambda_1",
        "lambda_2": "objective.lambda_2",
        "teacher_forcing_ratio": "objective.teacher_forcing_ratio",
    }
)
"""Names that users of the published systems know, at the top of a file, and what they mean here."""


def read_config(path: Path, changes: Mapping[str, str] = MappingProxyType({})) -> TrainConfig:
    """Read a configuration file, with changes by dotted or short key.

    Raises:
        ConfigError: the file cannot be read, is no YAML, or holds an unknown key, a key twice or a value of a
            wrong kind.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    merged = _written_out({} if values is None else values, str(path))
    for key, value in _written_out(_nested(changes), "command line").items():
        merged[key] = {**(merged.get(key) or {}), **value} if isinstance(value, dict) else value
    family = merged.get("family", TrainConfig.family)
    check_choice(f"{path}: family", family, tuple(FAMILIES))
    _check_keys(merged, str(path), family)
    return _build(_listed(merged), str(path), FAMILIES[family].options)


def _listed(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with one name, where a list of names is wanted, made a list of one."""
    data = values.get("data", {})
    hints = typing.get_type_hints(DataOptions)
    names = [key for key, value in data.items() if hints[key] == tuple[str, ...] and isinstance(value, str)]
    single = {key: [data[key]] for key in names if not data[key].lstrip().startswith("[")}
    return {**values, "data": {**data, **single}}


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in one place, of which YAML's own loader takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(problem=f"the key {key} stands there twice")
        return super().construct_mapping(node, deep=deep)


def _nested(changes: Mapping[str, str]) -> dict[str, Any]:
    """Turn dotted keys into sections."""
    values: dict[str, Any] = {}
    for key, value in changes.items():
        section, _, name = key.rpartition(".")
        if section:
            values.setdefault(section, {})[name] = value
        else:
            values[name] = value
    return values


def _written_out(values: Any, source: str) -> dict[str, Any]:
    """Return the values with short keys replaced by what they mean, and nothing where there is a null."""
    given = _section(values, source, "")
    result = {
        key: dict(_section(value, source, key)) if key in _sections() else value
        for key, value in given.items()
        if key not in SHORT_KEYS and value is not None
    }
    for short, value in given.items():
        if short not in SHORT_KEYS or value is None:
            continue
        section, _, name = SHORT_KEYS[short].rpartition(".")
        place = result.setdefault(section, {}) if section else result
        if place.get(name, value) != value:
            full = SHORT_KEYS[short]
            raise ConfigError(
                f"{source}: {short} is {value}, but {full}, which is the same key, is {place[name]}"
            )
        place[name] = value
    return result


def _section(values: Any, source: str, name: str) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise ConfigError(f"{source}: {name or 'a configuration'} must hold keys and values, not {values!r}")
    return values


def _sections() -> dict[str, Any]:
    """Return the sections with their dataclasses; that of ``model`` depends on the family."""
    hints = typing.get_type_hints(TrainConfig)
    return {key: kind for key, kind in hints.items() if dataclasses.is_dataclass(kind)} | {"model": None}


def _check_keys(values: Mapping[str, Any], source: str, family: str) -> None:
    """Hold the keys of a configuration against the fields of the dataclasses."""
    sections = _sections()
    for section, value in values.items():
        if section not in sections and section != "family":
            known = ", ".join((*typing.get_type_hints(TrainConfig), *SHORT_KEYS))
            raise ConfigError(f"{source}: there is no key {section}; known are: {known}")
        kind = sections.get(section) or FAMILIES[family].options
        names = [field.name for field in dataclasses.fields(kind)]
        for key in value if section in sections else ():
            if key not in names:
                owner = f" of the family {family}" if section == "model" else ""
                known = ", ".join(names)
                raise ConfigError(f"{source}: there is no key {section}.{key}{owner}; known are: {known}")


def _build(values: dict[str, Any], source: str, model: type[Any]) -> TrainConfig:
    """Turn nested values, or texts that stand for them, into the configuration."""
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(TrainConfig, skip={"model"})
    parser.add_class_arguments(model, "model")
    try:
        return TrainConfig(**vars(parser.instantiate_classes(parser.parse_object(values))))
    except jsonargparse.ArgumentError as error:
        problem = " ".join(str(error).removeprefix("Parser key ").split())
        raise ConfigError(f"{source}: {problem}") from None
