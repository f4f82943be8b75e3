"""The folder of a training run.

The folder holds all that is needed to use, resume or export the run::

    config.yaml            the configuration, every key
    vocabulary.json        tokens by id
    weights.safetensors    averaged weights of the best validation (the last ones without a validation set)
    epochs/N.safetensors   those of the validation after epoch N, with ``trainer.keep_epochs``
    checkpoints/last.ckpt  state to resume from
    log/version_*/         metrics.csv and TensorBoard events, a folder for each start and resumption
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import yaml
from lightning.fabric.utilities.rank_zero import rank_zero_only
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from inktex.errors import RunError, VocabularyError
from inktex.files import whole_folder, write_bytes, write_text
from inktex.training.config import TrainConfig
from inktex.training.module import build_model, model_weights
from inktex.training.reading import read_config
from inktex.vocabulary import Vocabulary


def open_folder(folder: Path, resume: bool) -> Path | None:
    """Make the folder of a new run, or return the checkpoint of one to resume.

    Raises:
        RunError: the folder holds something, or nothing to resume from.
    """
    checkpoint = folder / "checkpoints" / "last.ckpt"
    if resume:
        if not checkpoint.is_file():
            raise RunError(f"{folder} holds no checkpoint to resume from ({checkpoint} is missing)")
        return checkpoint
    if not is_first_process():  # it has made the folder
        return None
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} exists and is not empty: name a new folder, or resume the run in it")
    checkpoint.parent.mkdir(parents=True)
    return None


def is_first_process() -> bool:
    """Tell whether this is the process that speaks for all: on several devices, each has one of its own."""
    return not getattr(rank_zero_only, "rank", 0)


def load_run(place: Path) -> tuple[Any, Vocabulary, TrainConfig]:
    """Load a run's network, of any family, with its kept weights or others of it, in evaluation mode.

    Args:
        place: the run folder; or a file of weights in it or one folder deeper, as safetensors or as a
            checkpoint, whose averaged weights are taken.

    Raises:
        RunError: the folder or the file is missing or was cut short.
    """
    folder = run_folder(place)
    weights = folder / "weights.safetensors" if folder == place else place
    for path in (folder / "config.yaml", folder / "vocabulary.json", weights):
        if not path.is_file():
            missing = path.relative_to(folder)
            raise RunError(f"{folder} is not a complete training run: {missing} is missing")
    if not (folder / "config.yaml").read_bytes().rstrip().endswith(b"..."):
        raise RunError(f"{folder} is damaged: config.yaml was cut short")
    config = read_config(folder / "config.yaml")
    try:
        vocabulary = load_vocabulary(folder)
        model = build_model(config, vocabulary)
        tensors = load_file(weights) if weights.suffix == ".safetensors" else _of_checkpoint(weights)
        model.load_state_dict(
            {name: value.to(model.state_dict()[name].dtype) for name, value in tensors.items()}
        )
    except (SafetensorError, RuntimeError, KeyError, UnpicklingError, EOFError) as error:
        raise RunError(f"{place} is damaged: {(str(error) or 'cut short').splitlines()[0]}") from None
    return model.eval(), vocabulary, config


def run_folder(place: Path) -> Path:
    """Return the run folder that a path is, or that it lies in."""
    if place.is_dir():
        return place
    return next((folder for folder in list(place.parents)[:2] if (folder / "config.yaml").is_file()), place)


def _of_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return the weights of the network in a checkpoint: averaged ones, if the run averages."""
    tensors = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    prefix = "model."
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def load_vocabulary(place: Path) -> Vocabulary:
    """Read the vocabulary of a run, which may be named by a file of weights in it.

    Raises:
        RunError: it is missing or damaged.
    """
    folder = run_folder(place)
    try:
        return Vocabulary.from_json((folder / "vocabulary.json").read_text(encoding="utf-8"))
    except OSError:
        raise RunError(f"{folder} is not a complete training run: vocabulary.json is missing") from None
    except (UnicodeDecodeError, VocabularyError) as error:
        raise RunError(f"{folder} is damaged: {error}") from None


def archive_run(folder: Path, out: Path) -> None:
    """Write what training can start from again (``trainer.initial``), its weights in half precision.

    Raises:
        RunError: the run is missing or incomplete, its weights are beyond half precision, or ``out`` exists.
        FileError: ``out`` cannot be written.
    """
    model, vocabulary, config = load_run(folder)
    if out.exists():
        raise RunError(f"{out} exists: name a new folder")
    large = [name for name, value in model_weights(model).items() if value.half().isinf().any()]
    if large:
        raise RunError(f"{folder} cannot be archived: {large[0]} is too large for half precision")
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole_folder(out) as unfinished:
        write_run(unfinished, model.half(), vocabulary, config)


def write_run(folder: Path, model: nn.Module, vocabulary: Vocabulary, config: TrainConfig) -> None:
    """Write the files that :func:`load_run` reads into a folder that is there."""
    write_bytes(folder / "weights.safetensors", save(model_weights(model)))
    write_text(folder / "vocabulary.json", vocabulary.to_json())
    write_text(folder / "config.yaml", dump_config(config))


def dump_config(config: TrainConfig) -> str:
    """Return the configuration as YAML that ``read_config`` reads; it ends with the mark ``...``."""
    return yaml.safe_dump(_plain(dataclasses.asdict(config)), sort_keys=False, explicit_end=True)


def _plain(value: Any) -> Any:
    """Turn tuples into lists, all the way down, as YAML has them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
