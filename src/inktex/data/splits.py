"""Data divided at random into training, validation and test."""

from __future__ import annotations

import re

import numpy as np

from inktex.errors import ConfigError

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


def usual_split(name: str) -> str:
    """Return "train", "val" or "test" of a name that says so in its own way, else the name itself."""
    if "train" in name:
        return "train"
    if any(word in name for word in ("val", "dev")):
        return "val"
    return "test" if "test" in name else name
