"""Training, validation and test: data divided at random, and the part that is meant taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inktex.data.dataset import Sample
from inktex.errors import ConfigError, DataError

SPLITS: tuple[str, str, str] = ("train", "val", "test")
Ratios = tuple[int, int, int]
USUAL_RATIOS: Ratios = (70, 10, 20)


def parse_ratios(text: str) -> Ratios:
    """Read ``70/10/20``, the shares of training, validation and test.

    Raises:
        ConfigError: it is not three whole numbers, or all are 0.
    """
    parts = text.split("/")
    if len(parts) != len(SPLITS) or not all(re.fullmatch(r"[0-9]{1,9}", part) for part in parts):
        raise ConfigError(f"--ratios must be three whole numbers such as 70/10/20, not {text!r}")
    train, val, test = map(int, parts)
    if train + val + test == 0:
        raise ConfigError(f"--ratios must not be all 0, got {text}")
    return train, val, test


def divide(count: int, ratios: Ratios, seed: int) -> list[str]:
    """Return a split for each of so many items; the same seed gives the same.

    Training and validation get their share rounded down and the test what is left, so 58,189 items in the
    ratios 70/10/20 are 40,732, 5,818 and 11,639.
    """
    total = sum(ratios)
    sizes = [count * share // total for share in ratios[:2]]
    sizes.append(count - sum(sizes))
    if ratios[2] == 0:  # what rounding left over goes where something was asked for
        given = 0 if ratios[0] else 1
        sizes[given], sizes[2] = sizes[given] + sizes[2], 0
    names = np.repeat(np.array(SPLITS), sizes)
    return [str(name) for name in np.random.default_rng(seed).permutation(names)]


def take_split(samples: Sequence[Sample], path: Path | str, split: str) -> list[Sample]:
    """Return the samples of a split.

    Raises:
        DataError: there are none.
    """
    taken = [sample for sample in samples if sample.split == split]
    if not taken:
        raise DataError(f"{path} has no split {split!r}; it has {named_splits(samples)}")
    return taken


def usual_part(samples: Sequence[Sample], path: Path | str, split: str) -> list[Sample]:
    """Return the samples of a split where there are several splits, else all, whatever their split is called.

    Raises:
        DataError: there are several splits, and this is none of them.
    """
    if len({sample.split for sample in samples}) < 2:
        return list(samples)
    return take_split(samples, path, split)


def named_splits(samples: Sequence[Sample]) -> str:
    """Return the names of the splits in the order in which they come, for a sentence."""
    names = dict.fromkeys(sample.split or "rows without a split" for sample in samples)
    return ", ".join(names) or "no samples"


def usual_split(name: str) -> str:
    """Return "train", "val" or "test" of a name that says so in its own way, else the name itself."""
    if "train" in name:
        return "train"
    if any(word in name for word in ("val", "dev")):
        return "val"
    return "test" if "test" in name else name
