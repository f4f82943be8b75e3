"""``inktex train``: from data sets to a run."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import logging
import os
import shutil
import sys
import time
import typing
import zipfile
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inktex.commands.output import add_json, check_targets, write_json
from inktex.errors import ConfigError, InktexError, RunError

if TYPE_CHECKING:
    from inktex.training.config import TrainConfig

_STARTED = "INKTEX_STARTED"


def add_train(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex train``: its own, and every key of the configuration."""
    from inktex.training.config import TrainConfig

    parser.usage = (
        f"{parser.prog} --config FILE [--out FOLDER] [--KEY VALUE ...]\n       {parser.prog} --resume FOLDER"
    )
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, max_help_position=34)
    parser.add_argument("--config", metavar="FILE", help="the configuration, a YAML file")
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        help="the run folder to make (default: runs/NAME-TIME, after the configuration)",
    )
    parser.add_argument(
        "--resume",
        metavar="FOLDER",
        help="go on with the run in this folder; of the keys, trainer.* may be changed",
    )
    add_json(parser)
    _add_keys(parser, TrainConfig)


def _add_keys(parser: ArgumentParser, kind: type[Any], section: str = "") -> None:
    """Declare an option for each field of a dataclass of the configuration, its sections included."""
    about = _attributes(kind)
    group = parser.add_argument_group(section or "keys", (kind.__doc__ or "").partition("\n")[0])
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        name = f"{section}.{field.name}" if section else field.name
        if dataclasses.is_dataclass(hints[field.name]):
            _add_keys(parser, hints[field.name], name)
        else:
            text = f"{about.get(field.name, '')} (default: {_shown(field.default)})".replace("%", "%%")
            group.add_argument(f"--{name}", metavar="VALUE", dest=name, default=argparse.SUPPRESS, help=text)


def _attributes(kind: type[Any]) -> dict[str, str]:
    """Return what the docstring of a dataclass says of each attribute."""
    lines = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2].splitlines()
    texts: dict[str, str] = {}
    name = ""
    for line in lines:
        if not line.strip():
            break
        if not line.startswith(" " * 5):  # not the continuation of the line before
            name, _, line = line.strip().partition(": ")
        texts[name] = f"{texts.get(name, '')} {line.strip()}".strip()
    return texts


def _shown(value: Any) -> str:
    return json.dumps(value) if isinstance(value, tuple) else str(value)


def run_train(options: Namespace) -> int:
    """Train, and say what was reached and how to go on."""
    changes = {key: value for key, value in vars(options).items() if "." in key or key == "family"}
    check_targets(options.json)
    if options.resume is not None:
        config, folder = _resumed(options, changes), Path(options.resume)
    elif options.config is not None:
        from inktex.training.config import read_config

        config = read_config(Path(options.config), changes)
        folder = Path(options.out) if options.out else _new_folder(Path(options.config))
    else:
        raise ConfigError(
            "name a configuration with --config FILE, or a run to go on with by --resume FOLDER"
        )
    start = time.perf_counter()
    metrics = _train(config, folder, options.resume is not None)
    if not _is_first_process():
        return 0
    _report(folder, metrics)
    if options.json:
        seconds = round(time.perf_counter() - start, 3)
        write_json(options.json, {"run": str(folder), **metrics, "seconds": seconds})
    return 0


def _is_first_process() -> bool:
    """Tell whether this is the process that speaks for all: on several devices, each has one of its own."""
    from lightning.fabric.utilities.rank_zero import rank_zero_only

    return not getattr(rank_zero_only, "rank", 0)


def _resumed(options: Namespace, changes: Mapping[str, str]) -> TrainConfig:
    from inktex.training.config import read_config

    for option in ("config", "out"):
        if getattr(options, option) is not None:
            raise ConfigError(f"--{option} does not go with --resume: the run's folder holds all it needs")
    for key in changes:
        if not key.startswith("trainer."):
            raise ConfigError(f"--{key} does not go with --resume: only trainer.* of a run can be changed")
    folder = Path(options.resume)
    checkpoint = folder / "checkpoints" / "last.ckpt"
    for file in (folder / "config.yaml", checkpoint):
        if not file.is_file():
            raise RunError(f"{folder} is no training run to go on with: {file} is missing")
    if not zipfile.is_zipfile(checkpoint):  # so checkpoints are stored, with their table at the very end
        raise RunError(f"{checkpoint} is damaged, or was cut short")
    return read_config(folder / "config.yaml", changes)


def _new_folder(config: Path) -> Path:
    # On several devices Lightning starts this command again for each, and all have to name the same folder.
    started = os.environ.setdefault(_STARTED, time.strftime("%Y%m%d-%H%M%S"))
    return Path("runs", f"{config.stem}-{started}")


def _train(config: TrainConfig, folder: Path, resume: bool) -> dict[str, float]:
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    from inktex.training.run import train

    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("inktex").setLevel(logging.INFO)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # it gives tips
    checkpoint, is_new = folder / "checkpoints" / "last.ckpt", not folder.exists()
    try:
        return train(config, folder, resume)
    except KeyboardInterrupt:
        if checkpoint.is_file():
            print(f"to go on: inktex train --resume {folder}", file=sys.stderr)
        raise
    except (InktexError, MisconfigurationException) as error:
        if is_new and not checkpoint.is_file():
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, InktexError):
            raise
        raise ConfigError(f"this cannot be trained here: {' '.join(str(error).split())}") from None


def _report(folder: Path, metrics: Mapping[str, float]) -> None:
    print(f"{folder}: {', '.join(f'{name} {value:.4g}' for name, value in sorted(metrics.items()))}")
    print("to use it:")
    print(f"  inktex export {folder} {folder / 'bundle'}")
    print(f"  inktex recognize --model {folder / 'bundle'} FILE")
