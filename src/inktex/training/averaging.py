"""The weighted mean of several runs' weights, by the names of their tokens.

Means of weights along one path of training often read better than either end (Izmailov et al., "Averaging
Weights Leads to Wider Optima and Better Generalization", UAI 2018). Here vocabularies may differ: what
belongs to a token is averaged over the runs that know it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from inktex.errors import ConfigError, RunError
from inktex.files import whole_folder, write_text
from inktex.training.config import TrainConfig
from inktex.training.folder import load_run, write_run
from inktex.training.module import build_model
from inktex.training.token_axes import Axes, every_combination, fits, growing_axes
from inktex.vocabulary import Vocabulary


class Share(NamedTuple):
    """Weights, and how much they count.

    Attributes:
        weights: a run folder, or a file of weights in one; see :func:`inktex.training.folder.load_run`.
        share: above 0; only the proportions matter.
    """

    weights: Path
    share: float


class _Part(NamedTuple):
    weights: dict[str, Tensor]
    ids: Tensor  # [tokens], those of its tokens in the vocabulary of the mean
    share: float


def average(shares: Sequence[Share], out: Path) -> None:
    """Write a run folder with the mean of weights.

    The configuration is that of the first, with the longest sequence of all; tokens are those of the first,
    then those new in the others. Which weights count how much is noted in ``average.json``.

    Raises:
        ConfigError: a share is not above 0, or nothing is to be averaged.
        RunError: weights are missing or damaged, or of another network than the first.
        FileError: ``out`` exists and is no empty folder, or cannot be written.
    """
    if not shares:
        raise ConfigError("there is nothing to average: name two runs at least")
    for weights, share in shares:
        if not 0 < share < float("inf"):
            raise ConfigError(f"the share of {weights} must be above 0, got {share:g}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole_folder(out) as unfinished:
        model, vocabulary, config = _mean(shares)
        write_run(unfinished, model, vocabulary, config)
        record = [{"weights": str(each.weights), "share": each.share} for each in shares]
        write_text(unfinished / "average.json", json.dumps(record, indent=2) + "\n")


def _mean(shares: Sequence[Share]) -> tuple[Any, Vocabulary, TrainConfig]:
    """Return the network with the mean of the weights, its vocabulary and its configuration."""
    loaded = [load_run(each.weights) for each in shares]
    _, first, config = loaded[0]
    new = (token for _, vocabulary, _ in loaded[1:] for token in vocabulary.tokens if token not in first)
    vocabulary = Vocabulary((*first.tokens, *dict.fromkeys(new)))
    longest = max(each.model.max_length for _, _, each in loaded)
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, max_length=longest))
    parts = []
    for (network, known, its), (path, share) in zip(loaded, shares, strict=True):
        if its.family != config.family:
            raise RunError(f"{path} cannot be averaged: its family is {its.family}, not {config.family}")
        parts.append(_Part(network.state_dict(), torch.tensor(vocabulary.encode(known.tokens)), share))
    model = build_model(config, vocabulary)
    axes = growing_axes(model, len(vocabulary), config)
    mean = {}
    for name, like in model.state_dict().items():
        for part, (path, _) in zip(parts, shares, strict=True):
            if name not in part.weights or not fits(like.shape, part.weights[name].shape, axes[name]):
                raise RunError(f"{path} cannot be averaged: its network is of other sizes ({name})")
        mean[name] = _mean_tensor(like, name, axes[name], parts)
    for part, (path, _) in zip(parts, shares, strict=True):
        if more := sorted(part.weights.keys() - mean.keys()):
            raise RunError(f"{path} cannot be averaged: its network has more parts ({more[0]})")
    model.load_state_dict(mean)
    return model, vocabulary, config


def _mean_tensor(like: Tensor, name: str, axes: Axes, parts: Sequence[_Part]) -> Tensor:
    """Return the mean of a tensor, each element over the parts that have it; 0 where none has."""
    total = torch.zeros(like.shape, dtype=torch.float64)
    shares = torch.zeros(like.shape, dtype=torch.float64)
    for part in parts:
        known = part.weights[name]
        places = every_combination(
            [part.ids if axis in axes.tokens else torch.arange(size) for axis, size in enumerate(known.shape)]
        )
        total[places] += part.share * known.double()
        shares[places] += part.share
    return (total / shares.where(shares > 0, torch.ones(()))).to(like.dtype)
