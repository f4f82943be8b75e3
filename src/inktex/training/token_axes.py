"""Which axes of a network's tensors count tokens of its vocabulary, and which count places of a sequence.

Two networks of one family and size differ in these alone, so that by them weights pass from one to another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from inktex.models.families import FAMILIES
from inktex.training.config import TrainConfig


class Axes(NamedTuple):
    """Axes of a tensor that grow with the vocabulary, and with the longest sequence."""

    tokens: frozenset[int]
    places: frozenset[int]


def growing_axes(model: nn.Module, size: int, config: TrainConfig) -> dict[str, Axes]:
    """Return the axes of each tensor, found by building the network for one token and one place more.

    Args:
        model: the network.
        size: of its vocabulary.
        config: its configuration.
    """
    build = FAMILIES[config.family].build
    longer = dataclasses.replace(config.model, max_length=config.model.max_length + 1)
    with torch.random.fork_rng(devices=[]):
        more_tokens, more_places = build(size + 1, config.model), build(size, longer)
    shapes = [
        {name: value.shape for name, value in other.state_dict().items()}
        for other in (more_tokens, more_places)
    ]
    return {
        name: Axes(*(_differing(value.shape, other[name]) for other in shapes))
        for name, value in model.state_dict().items()
    }


def fits(shape: Sequence[int], other: Sequence[int], axes: Axes) -> bool:
    """Tell whether two shapes of one tensor differ in growing axes alone."""
    if len(shape) != len(other):
        return False
    return all(
        mine == its or axis in axes.tokens | axes.places
        for axis, (mine, its) in enumerate(zip(shape, other, strict=True))
    )


def every_combination(indices: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return an index that picks, of every axis, the given places: ``tensor[every_combination(...)]``."""
    count = len(indices)
    return tuple(
        index.view([-1 if other == axis else 1 for other in range(count)])
        for axis, index in enumerate(indices)
    )


def _differing(shape: torch.Size, other: torch.Size) -> frozenset[int]:
    return frozenset(axis for axis in range(len(shape)) if shape[axis] != other[axis])
