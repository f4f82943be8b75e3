"""Starting from the weights of another run, whose vocabulary and longest sequence may have been smaller."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from inktex.data.dataset import Sample
from inktex.errors import ConfigError, DataError, RunError, VocabularyError
from inktex.models.families import FAMILIES
from inktex.training.config import TrainConfig
from inktex.training.folder import load_run, load_vocabulary
from inktex.vocabulary import Vocabulary

_SHOWN = 8  # new tokens that are named


def first_vocabulary(config: TrainConfig, samples: Sequence[Sample]) -> Vocabulary:
    """Return the vocabulary of a new run: the tokens of the run it starts from, then those new in its data.

    Raises:
        RunError: the run to start from is missing or damaged.
        DataError: the file of a vocabulary is.
    """
    if config.data.vocabulary is None:
        found = Vocabulary.build([sample.tokens for sample in samples])
    else:
        found = _read_vocabulary(Path(config.data.vocabulary))
    if config.trainer.initial is None:
        return found
    known = load_vocabulary(Path(config.trainer.initial))
    return Vocabulary((*known.tokens, *(token for token in found.tokens if token not in known)))


def _read_vocabulary(path: Path) -> Vocabulary:
    try:
        return Vocabulary.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, VocabularyError) as error:
        raise DataError(f"{path} is no vocabulary: {error}") from None


def take_weights(model: nn.Module, vocabulary: Vocabulary, config: TrainConfig, folder: Path) -> str:
    """Take over another run's weights: what belongs to a token goes to that token, whatever its id.

    New tokens keep their fresh weights where they are read or written, and weigh nothing yet where
    something is computed from all tokens, so that for the tokens known so far the network answers as it did.

    Args:
        model: the network, with fresh weights.
        vocabulary: its tokens.
        config: its configuration.
        folder: the other run.

    Returns:
        What was taken and what is new, in one line.

    Raises:
        RunError: the run is missing or damaged, or its network is another.
    """
    old, known, before = load_run(folder)
    if before.family != config.family:
        raise RunError(f"{folder} cannot be started from: its family is {before.family}, not {config.family}")
    rows = [(new, known.encode([token])[0]) for new, token in enumerate(vocabulary.tokens) if token in known]
    places = torch.tensor(rows).T  # [2, kept], ids here and there
    per_token, per_place = _axes(model, len(vocabulary), config)
    source, taken = old.state_dict(), {}
    for name, fresh in model.state_dict().items():
        taken[name] = _merged(fresh, source.pop(name, None), places, per_token[name], per_place[name])
        if taken[name] is None:
            raise RunError(f"{folder} cannot be started from: its network is of other sizes ({name})")
    if source:
        raise RunError(f"{folder} cannot be started from: its network has more parts ({min(source)})")
    model.load_state_dict(taken)
    return _summary(folder, vocabulary, known, before.model.max_length, config.model.max_length)


def _merged(
    fresh: Tensor, known: Tensor | None, places: Tensor, per_token: set[int], per_place: set[int]
) -> Tensor | None:
    """Return a tensor's known values where there are such, else fresh ones; ``None`` if the sizes do not fit.

    Args:
        fresh: values of this network.
        known: values of the other.
        places: [2, kept], ids of the tokens here and there.
        per_token: axes that count tokens.
        per_place: axes that count places of a sequence.
    """
    if known is None or known.ndim != fresh.ndim:
        return None
    here, there = [], []
    for axis, sizes in enumerate(zip(fresh.shape, known.shape, strict=True)):
        if sizes[0] != sizes[1] and axis not in per_token | per_place:
            return None
        both = places if axis in per_token else torch.arange(min(sizes)).expand(2, -1)
        mesh = [-1 if other == axis else 1 for other in range(fresh.ndim)]
        here.append(both[0].view(mesh))
        there.append(both[1].view(mesh))
    result = torch.zeros_like(fresh) if per_token - {0} else fresh.clone()
    result[tuple(here)] = known.to(fresh.dtype)[tuple(there)]
    return result


def load_teacher(folder: Path, vocabulary: Vocabulary, config: TrainConfig) -> nn.Module:
    """Load the network of another run, of any family, that a run with these tokens is to learn from.

    Raises:
        RunError: the run is missing or damaged, knows other tokens, or cannot read sequences as long.
    """
    teacher, known, before = load_run(folder)
    if known.tokens != vocabulary.tokens:
        raise RunError(f"{folder} cannot be the teacher: its vocabulary is another")
    if before.model.max_length < config.model.max_length:
        longest = f"{before.model.max_length} tokens, not {config.model.max_length}"
        raise RunError(f"{folder} cannot be the teacher: it reads at most {longest}")
    network: nn.Module = teacher
    return network


def load_imagenet(model: nn.Module, config: TrainConfig, path: Path) -> None:
    """Fill a network's encoder with torchvision's ImageNet weights.

    Raises:
        ConfigError: the family's network has no such encoder.
        RunError: the file is missing or holds other weights.
    """
    load = getattr(model, "load_imagenet", None)
    if load is None:
        raise ConfigError(
            f"trainer.imagenet is {path}, but this network of the family {config.family} "
            "takes no ImageNet weights"
        )
    load(path)


def _axes(
    model: nn.Module, size: int, config: TrainConfig
) -> tuple[dict[str, set[int]], dict[str, set[int]]]:
    """Return of each tensor the axes that count tokens of the vocabulary, and those that count places of a
    sequence: those that grow in a network built for one more."""
    build = FAMILIES[config.family].build
    longer = dataclasses.replace(config.model, max_length=config.model.max_length + 1)
    with torch.random.fork_rng(devices=[]):
        grown = build(size + 1, config.model), build(size, longer)
    mine = model.state_dict()
    axes = []
    for other in grown:
        shapes = {name: value.shape for name, value in other.state_dict().items()}
        axes.append({name: _differing(value, shapes[name]) for name, value in mine.items()})
    return axes[0], axes[1]


def _differing(value: Tensor, shape: torch.Size) -> set[int]:
    return {axis for axis in range(value.ndim) if value.shape[axis] != shape[axis]}


def _summary(folder: Path, vocabulary: Vocabulary, known: Vocabulary, before: int, now: int) -> str:
    new = [token for token in vocabulary.tokens if token not in known]
    parts = [f"weights of {folder}: {len(vocabulary) - len(new)} tokens taken over"]
    if new:
        more = ", ..." if len(new) > _SHOWN else ""
        parts.append(f"{len(new)} new ({' '.join(new[:_SHOWN])}{more})")
    gone = sum(token not in vocabulary for token in known.tokens)
    if gone:
        parts.append(f"{gone} dropped")
    if before != now:
        parts.append(f"longest sequence {before} -> {now}")
    return ", ".join(parts)
