"""Starting from the weights of another run, whose vocabulary and longest sequence may have been smaller."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from inktex.data.dataset import Sample
from inktex.errors import ConfigError, DataError, RunError, VocabularyError
from inktex.training.config import TrainConfig
from inktex.training.folder import load_run, load_vocabulary
from inktex.training.token_axes import Axes, every_combination, fits, growing_axes
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
    axes = growing_axes(model, len(vocabulary), config)
    source, taken = old.state_dict(), {}
    for name, fresh in model.state_dict().items():
        known_value = source.pop(name, None)
        if known_value is None or not fits(fresh.shape, known_value.shape, axes[name]):
            raise RunError(f"{folder} cannot be started from: its network is of other sizes ({name})")
        taken[name] = _merged(fresh, known_value, places, axes[name])
    if source:
        raise RunError(f"{folder} cannot be started from: its network has more parts ({min(source)})")
    model.load_state_dict(taken)
    return _summary(folder, vocabulary, known, before.model.max_length, config.model.max_length)


def _merged(fresh: Tensor, known: Tensor, places: Tensor, axes: Axes) -> Tensor:
    """Return a tensor's known values where there are such, else fresh ones.

    Args:
        fresh: values of this network.
        known: values of the other.
        places: [2, kept], ids of the tokens here and there.
        axes: which of its axes grow.
    """
    both = [
        places if axis in axes.tokens else torch.arange(min(sizes)).expand(2, -1)
        for axis, sizes in enumerate(zip(fresh.shape, known.shape, strict=True))
    ]
    result = torch.zeros_like(fresh) if axes.tokens - {0} else fresh.clone()
    here, there = (every_combination([each[side] for each in both]) for side in (0, 1))
    result[here] = known.to(fresh.dtype)[there]
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
