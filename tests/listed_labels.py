"""Formulas out of the lists of labels that are kept beside the repository."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path
from random import Random

import pytest

from inktex.errors import LatexError
from inktex.latex.normalize import normalize

LABELS = Path(__file__).parents[2] / "shared/data/labels"


def some_labels(count: int, seed: int) -> list[list[str]]:
    """Labels of all lists in equal numbers, as tokens; the test is skipped where there are none."""
    files = sorted(LABELS.glob("*.txt.?z"))
    if not files:
        pytest.skip(f"no lists of labels in {LABELS}")
    chance = Random(seed)
    found: list[list[str]] = []
    for number, file in enumerate(files):
        opened = lzma.open if file.suffix == ".xz" else gzip.open
        with opened(file, "rt", encoding="utf-8") as lines:
            labels = lines.read().splitlines()
        chance.shuffle(labels)
        for label in labels:
            if len(found) == count * (number + 1) // len(files):
                break
            try:
                found.append(normalize(label))
            except LatexError:
                continue
    return found
