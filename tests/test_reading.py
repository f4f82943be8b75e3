"""Reading configurations: families, short keys, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("torch")
pytest.importorskip("lightning")

from inktex.errors import ConfigError
from inktex.models.families import FAMILIES
from inktex.training.config import TrainConfig
from inktex.training.folder import dump_config
from inktex.training.reading import SHORT_KEYS, read_config

ROOT = Path(__file__).parents[1]
# For each short key a value unlike the default, and the full key that the systems' users mean by it.
MEANINGS: dict[str, tuple[Any, str]] = {
    "batch_size": (8, "batch.pictures"),
    "learning_rate": (0.08, "optimizer.learning_rate"),
    "weight_decay": (1e-4, "optimizer.weight_decay"),
    "epochs": (300, "trainer.epochs"),
    "max_epochs": (300, "trainer.epochs"),
    "patience": (5, "trainer.patience"),
    "check_val_every_n_epoch": (4, "trainer.validate_every"),
    "seed": (20211024, "trainer.seed"),
    "seed_everything": (7, "trainer.seed"),
    "gpus": (2, "trainer.devices"),
    "num_workers": (5, "data.workers"),
    "checkpoint": ("runs/mixed", "trainer.initial"),
    "model_architecture": ("can", "family"),
    "sequence_length": (64, "model.max_length"),
    "max_len": (200, "model.max_length"),
    "max_output_len": (400, "model.max_length"),
    "dropout": (0.3, "model.dropout"),
    "maxlen": (48, "limits.label"),
    "maxImagesize": (100000, "limits.picture"),
    "lambda_1": (0.5, "objective.lambda_1"),
    "lambda_2": (0.25, "objective.lambda_2"),
    "teacher_forcing_ratio": (0.9, "objective.teacher_forcing_ratio"),
}


def written(folder: Path, values: Any) -> Path:
    """Write a configuration file."""
    path = folder / "config.yaml"
    path.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
    return path


def at(config: TrainConfig, key: str) -> Any:
    """Return what a configuration holds at a dotted key."""
    found: Any = config
    for name in key.split("."):
        found = getattr(found, name)
    return found


def test_every_short_key_is_in_the_table_of_meanings() -> None:
    """The table below which the tests stand names each short key there is."""
    assert dict(SHORT_KEYS) == {short: full for short, (_, full) in MEANINGS.items()}


@pytest.mark.parametrize("short", MEANINGS)
def test_a_short_key_means_its_full_one(short: str, tmp_path: Path) -> None:
    """In a file and on the command line, a short key sets what its full name sets, and nothing else."""
    value, full = MEANINGS[short]
    section, _, name = full.rpartition(".")
    long = read_config(written(tmp_path, {section: {name: value}} if section else {name: value}))

    in_file = read_config(written(tmp_path, {short: value}))
    on_line = read_config(written(tmp_path, ""), {short: str(value)})

    assert at(long, full) == value
    assert in_file == on_line == long != TrainConfig()


def test_the_command_line_beats_the_file_whatever_the_name(tmp_path: Path) -> None:
    """A short key on the command line replaces the full one in the file, and the other way round."""
    path = written(tmp_path, {"batch": {"pictures": 4, "pixels": 9}, "epochs": 3})

    found = read_config(path, {"batch_size": "16", "trainer.epochs": "5"})

    assert (found.batch.pictures, found.batch.pixels, found.trainer.epochs) == (16, 9, 5)


@pytest.mark.parametrize(
    ("values", "changes", "named"),
    [
        ({"batch_size": 8, "batch": {"pictures": 16}}, {}, ("batch_size is 8", "batch.pictures", "is 16")),
        ({"epochs": 3, "max_epochs": 4}, {}, ("max_epochs is 4", "trainer.epochs", "is 3")),
        ({}, {"gpus": "1", "trainer.devices": "2"}, ("gpus is 1", "trainer.devices", "is 2")),
        ("epochs: 3\nepochs: 4\n", {}, ("epochs stands there twice",)),
        ("batch: {pixels: 3, pixels: 3}\n", {}, ("pixels stands there twice",)),
        ({"batch": 3, "batch_size": 4}, {}, ("batch must hold keys",)),
        ({"objective": {"reduction": "max"}}, {}, ("objective.reduction", "mean, sum", "max")),
        (
            {"trainer": {"teacher": "runs/one"}, "objective": {"distillation": 0}},
            {},
            ("trainer.teacher", "objective.distillation"),
        ),
        (
            {"trainer": {"teacher": "runs/one"}, "objective": {"teacher_forcing_ratio": 0.5}},
            {},
            ("trainer.teacher", "objective.teacher_forcing_ratio"),
        ),
        ({"optimizer": {"name": "adam"}}, {}, ("optimizer.name", "adamw, sgd, adadelta", "adam")),
        ({"optimizer": {"schedule": "step"}}, {}, ("optimizer.schedule", "plateau", "step")),
        ({"data": {"symbol_px": 0}}, {}, ("data.symbol_px", "0")),
        ({"family": "transformer"}, {}, ("family", *FAMILIES, "transformer")),
        ({"family": ["can"]}, {}, ("family", "['can']")),
        (
            {"family": "can", "model": {"channels": [1]}},
            {},
            ("model.channels", "family can", "counting_width"),
        ),
        ({"model": {"layers": 3}}, {"family": "can"}, ("model.layers", "family can")),
        ({"model": {"layers": 3}}, {"model_architecture": "wap"}, ("model.layers", "family wap")),
        ({"modle": {}}, {}, ("modle", "model", "batch_size")),
    ],
)
def test_what_cannot_be_meant_is_named(
    values: Any, changes: dict[str, str], named: tuple[str, ...], tmp_path: Path
) -> None:
    """A key in two values, twice in one place, unknown to its family or out of range: one line names it."""
    with pytest.raises(ConfigError) as caught:
        read_config(written(tmp_path, values), changes)

    assert all(part in str(caught.value) for part in named), caught.value
    assert "\n" not in str(caught.value)


def test_the_same_value_by_two_names_is_no_contradiction(tmp_path: Path) -> None:
    """``batch_size`` and ``batch.pictures`` may agree."""
    path = written(tmp_path, {"batch_size": 8, "batch": {"pictures": 8}})

    assert read_config(path, {"epochs": "3", "trainer.epochs": "3"}).batch.pictures == 8


@pytest.mark.parametrize("family", FAMILIES)
def test_the_keys_of_model_are_those_of_the_family(family: str, tmp_path: Path) -> None:
    """Each family's options are read, with its own defaults, and written and read again unchanged."""
    kind = FAMILIES[family].options
    path = written(tmp_path, {"family": family, "model": {"max_length": 77}})

    found = read_config(path)

    assert found.model == dataclasses.replace(kind(), max_length=77)
    path.write_text(dump_config(found))
    assert read_config(path) == found
    if "layers" in {field.name for field in dataclasses.fields(kind)}:
        assert read_config(path, {"model.layers": "5"}).model.layers == 5


def test_model_and_family_have_to_fit() -> None:
    """The options of another family's network are refused, and a family alone brings its defaults."""
    assert TrainConfig("can").model == FAMILIES["can"].options()
    with pytest.raises(ConfigError, match="model must be CanOptions in the family can, not WapOptions"):
        TrainConfig("can", FAMILIES["wap"].options())


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("checkpoints/*/config.yaml")), ids=lambda path: path.parent.name
)
def test_configurations_of_finished_runs_are_still_read(path: Path) -> None:
    """A run made before there were several families reads as one of the family inktex."""
    assert read_config(path).family == path.parent.name


@pytest.mark.parametrize("given", ["a.parquet", '["a.parquet"]'])
def test_one_data_set_needs_no_brackets(given: str, tmp_path: Path) -> None:
    """A single name is a list of one, on the command line and in a file."""
    (tmp_path / "bare.yaml").write_text("data: {train: a.parquet}", encoding="utf-8")
    (tmp_path / "empty.yaml").write_text("", encoding="utf-8")

    assert read_config(tmp_path / "bare.yaml").data.train == ("a.parquet",)
    assert read_config(tmp_path / "empty.yaml", {"data.train": given}).data.train == ("a.parquet",)
