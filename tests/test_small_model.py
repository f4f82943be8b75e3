"""The small model of the repository: the shipped weights in fewer bits."""

from __future__ import annotations

from pathlib import Path

from inktex import Recognizer
from inktex.recognition.bundle import load_bundle

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "models/small"


def test_it_is_small_and_of_the_same_network() -> None:
    """Three megabytes at most; the same vocabulary, options and search as what ships."""
    small, shipped = load_bundle(SMALL), load_bundle(ROOT / "src/inktex/weights")

    assert sum(file.stat().st_size for file in SMALL.iterdir()) <= 3_000_000
    assert small.facts.weights == "int4"
    assert small.vocabulary == shipped.vocabulary
    for name in ("options", "search", "parameters", "training", "licence"):
        assert getattr(small.facts, name) == getattr(shipped.facts, name)


def test_it_reads_the_examples() -> None:
    """Most of the examples are read as their labels say."""
    lines = (ROOT / "examples/labels.txt").read_text(encoding="utf-8").splitlines()
    labels = dict(line.split("\t") for line in lines if line)
    names = sorted(labels)

    found = Recognizer(SMALL).recognize_many([ROOT / "examples" / name for name in names])

    right = sum(" ".join(each.tokens) == labels[name] for name, each in zip(names, found, strict=True))
    assert right >= 0.7 * len(names)
