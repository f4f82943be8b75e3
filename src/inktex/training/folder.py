"""The folder of a training run.

The folder holds all that is needed to use, resume or export the run::

    config.yaml            the configuration, every key
    vocabulary.json        tokens by id
    weights.safetensors    averaged weights of the best validation (the last ones without a validation set)
    checkpoints/last.ckpt  state to resume from
    log/version_*/         metrics.csv and TensorBoard events, a folder for each start and resumption
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import yaml
from lightning.fabric.utilities.rank_zero import rank_zero_only
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from inktex.errors import RunError, VocabularyError
from inktex.files import whole_folder, write_text
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


def load_run(folder: Path) -> tuple[Any, Vocabulary, TrainConfig]:
    """Load a run's network, of any family, with its kept weights, in evaluation mode.

    Raises:
        RunError: the folder is missing or was cut short.
    """
    for name in ("config.yaml", "vocabulary.json", "weights.safetensors"):
        if not (folder / name).is_file():
            raise RunError(f"{folder} is not a complete training run: {name} is missing")
    if not (folder / "config.yaml").read_bytes().rstrip().endswith(b"..."):
        raise RunError(f"{folder} is damaged: config.yaml was cut short")
    config = read_config(folder / "config.yaml")
    try:
        vocabulary = load_vocabulary(folder)
        model = build_model(config, vocabulary)
        weights = load_file(folder / "weights.safetensors")
        model.load_state_dict(
            {name: value.to(model.state_dict()[name].dtype) for name, value in weights.items()}
        )
    except (SafetensorError, RuntimeError, KeyError) as error:
        raise RunError(f"{folder} is damaged: {str(error).splitlines()[0]}") from None
    return model.eval(), vocabulary, config


def load_vocabulary(folder: Path) -> Vocabulary:
    """Read a run's vocabulary.

    Raises:
        RunError: it is missing or damaged.
    """
    try:
        return Vocabulary.from_json((folder / "vocabulary.json").read_text(encoding="utf-8"))
    except OSError:
        raise RunError(f"{folder} is not a complete training run: vocabulary.json is missing") from None
    except (UnicodeDecodeError, VocabularyError) as error:
        raise RunError(f"{folder} is damaged: {error}") from None


def archive_run(folder: Path, out: Path) -> None:
    """Write what training can start from again (``trainer.initial``), its weights in half precision.

    Raises:
        RunError: the run is missing or incomplete, or ``out`` exists.
    """
    model, vocabulary, config = load_run(folder)
    if out.exists():
        raise RunError(f"{out} exists: name a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    halves = {
        name: value.half() if value.is_floating_point() else value
        for name, value in model_weights(model).items()
    }
    with whole_folder(out) as unfinished:
        save_file(halves, unfinished / "weights.safetensors")
        write_text(unfinished / "vocabulary.json", vocabulary.to_json())
        write_text(unfinished / "config.yaml", dump_config(config))


def dump_config(config: TrainConfig) -> str:
    """Return the configuration as YAML that ``read_config`` reads; it ends with the mark ``...``."""
    return yaml.safe_dump(_plain(dataclasses.asdict(config)), sort_keys=False, explicit_end=True)


def _plain(value: Any) -> Any:
    """Turn tuples into lists, all the way down, as YAML has them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
