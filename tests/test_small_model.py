"""The small model of the repository: the shipped weights in fewer bits."""

from __future__ import annotations

import tomllib
from pathlib import Path

from inktex import Recognizer
from inktex.recognition.bundle import load_bundle

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "models/small"


def test_it_is_small_and_of_the_same_network() -> None:
    """Three megabytes at most; the same vocabulary, options and search as what ships."""
    small, shipped = load_bundle(SMALL), load_bundle(ROOT / "src/inktex/weights")

    assert sum(file.stat().st_size for file in SMALL.iterdir()) <= 3_000_000
    assert small.metadata.weights == "int4"
    assert small.vocabulary == shipped.vocabulary
    for name in ("options", "search", "second_look", "parameters", "training", "licence"):
        assert getattr(small.metadata, name) == getattr(shipped.metadata, name)


def test_it_reads_the_examples() -> None:
    """Most of the examples are read as their labels say."""
    lines = (ROOT / "examples/labels.txt").read_text(encoding="utf-8").splitlines()
    labels = dict(line.split("\t") for line in lines if line)
    names = sorted(labels)

    found = Recognizer(SMALL).recognize_many([ROOT / "examples" / name for name in names])

    right = sum(" ".join(each.tokens) == labels[name] for name, each in zip(names, found, strict=True))
    assert right >= 0.7 * len(names)


def test_the_licence_of_the_weights_is_said_alike_everywhere() -> None:
    """Both models, the package's metadata and the model card name one licence."""
    named = {load_bundle(folder).metadata.licence for folder in (SMALL, ROOT / "src/inktex/weights")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    card = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")

    assert named == {"CC BY-NC-SA 4.0"}
    assert project["license"] == "Apache-2.0 AND CC-BY-NC-SA-4.0"
    section = card.partition("## Licence")[2].partition("\n## ")[0]
    assert "International (CC BY-NC-SA 4.0)" in section
