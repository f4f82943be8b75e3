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
import textwrap
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
_INDENT = 34  # of the meaning of an option in the help


def add_train(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex train``: its own, and every key of the configuration."""
    from inktex.training.config import TrainConfig
    from inktex.training.reading import SHORT_KEYS

    parser.usage = (
        f"{parser.prog} --config FILE [--out FOLDER] [--KEY VALUE ...]\n       {parser.prog} --resume FOLDER"
    )
    parser.formatter_class = lambda prog: argparse.RawDescriptionHelpFormatter(
        prog, max_help_position=_INDENT
    )
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
    group = parser.add_argument_group("short keys", "other names, also at the top of a configuration")
    for short, full in SHORT_KEYS.items():
        text = f"the same as --{full}"
        group.add_argument(f"--{short}", metavar="VALUE", default=argparse.SUPPRESS, help=text)


def _add_keys(parser: ArgumentParser, kind: type[Any], section: str = "") -> None:
    """Declare an option for each field of a dataclass of the configuration, its sections included."""
    about = _attributes(kind)
    subject = textwrap.fill((kind.__doc__ or "").partition("\n")[0], shutil.get_terminal_size().columns - 4)
    group = parser.add_argument_group(section or "keys", subject)
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        name = f"{section}.{field.name}" if section else field.name
        if dataclasses.is_dataclass(hints[field.name]):
            _add_keys(parser, hints[field.name], name)
        elif name == "model":
            _add_models(parser)
        else:
            text = f"{about.get(field.name, '')} (default: {_shown(field.default)})".replace("%", "%%")
            group.add_argument(f"--{name}", metavar="VALUE", dest=name, default=argparse.SUPPRESS, help=text)


def _add_models(parser: ArgumentParser) -> None:
    """Declare an option for each key that the model of some family has, and describe them by family."""
    from inktex.models.families import FAMILIES

    names: set[str] = set()
    for family, kind in ((name, item.options) for name, item in FAMILIES.items()):
        about = _attributes(kind)
        lines = []
        for field in dataclasses.fields(kind):
            text = f"{about.get(field.name, '')} (default: {_shown(field.default)})"
            lines.append(_entry(f"--model.{field.name} VALUE", text))
        parser.add_argument_group(f"model, if the family is {family}", "\n".join(lines))
        names |= {field.name for field in dataclasses.fields(kind)}
    for name in sorted(names):
        parser.add_argument(f"--model.{name}", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _entry(option: str, text: str) -> str:
    """Return an option with its meaning beside it, as argparse lays it out within a group."""
    margin = " " * (_INDENT - 2)
    lines = textwrap.wrap(text, max(shutil.get_terminal_size().columns - 2 - _INDENT, 20))
    if len(option) > len(margin) - 2:
        return "\n".join([option, *(margin + line for line in lines)])
    return "\n".join([f"{option:<{len(margin)}}{lines[0]}", *(margin + line for line in lines[1:])])


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
    from inktex.training.folder import is_first_process
    from inktex.training.reading import SHORT_KEYS, read_config

    keys = {"family", *SHORT_KEYS}
    changes = {key: value for key, value in vars(options).items() if "." in key or key in keys}
    check_targets(options.json)
    if options.resume is not None:
        config, folder = _resumed(options, changes), Path(options.resume)
    elif options.config is not None:
        config = read_config(Path(options.config), changes)
        folder = Path(options.out) if options.out else _new_folder(Path(options.config))
    else:
        raise ConfigError(
            "name a configuration with --config FILE, or a run to go on with by --resume FOLDER"
        )
    start = time.perf_counter()
    metrics = _train(config, folder, options.resume is not None)
    if not is_first_process():
        return 0
    _report(folder, metrics)
    if options.json:
        seconds = round(time.perf_counter() - start, 3)
        write_json(options.json, {"run": str(folder), **metrics, "seconds": seconds})
    return 0


def _resumed(options: Namespace, changes: Mapping[str, str]) -> TrainConfig:
    from inktex.training.reading import SHORT_KEYS, read_config

    for option in ("config", "out"):
        if getattr(options, option) is not None:
            raise ConfigError(f"--{option} does not go with --resume: the run's folder holds all it needs")
    for key in changes:
        if not SHORT_KEYS.get(key, key).startswith("trainer."):
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
