"""``inktex calibrate``: what it fits, writes and refuses."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from drawn import png, scribble
from inktex import cli
from inktex.data.dataset import Sample, write_dataset
from inktex.recognition.bundle import load_bundle
from inktex.recognition.recognizer import Recognizer
from inktex.recognition.result import Recognition

PICTURE = png(scribble(0))


def chance(probability: float) -> float:
    """How often readings of a probability are right here."""
    return 1 / (1 + math.exp(-(2 + math.log(probability))))


def readings(count: int) -> list[tuple[Recognition, bool]]:
    """Readings of one or five tokens, and whether they are right."""
    rng = np.random.default_rng(0)
    made = []
    for probability in np.exp(rng.uniform(-6, 0, count)).tolist():
        tokens = ("x",) * int(rng.choice([1, 5]))
        reading = Recognition(tokens, probability)
        made.append((reading, rng.random() < chance(probability)))
    return made


def lay_out(folder: Path, tiny_bundle: Path, made: list[tuple[Recognition, bool]]) -> None:
    """Write a model, and a data set whose labels make these readings right or wrong."""
    shutil.copytree(tiny_bundle, folder / "model")
    labels = [reading.tokens if right else ("z",) for reading, right in made]
    samples = [Sample(str(i), "val", "drawn", label, PICTURE, None) for i, label in enumerate(labels)]
    write_dataset(samples, folder / "data.parquet")


def calibrate(folder: Path) -> int:
    """Run the command on the folder."""
    arguments = ["calibrate", str(folder / "model"), str(folder / "data.parquet")]
    return cli.main([*arguments, "--threads", "1", "--json", str(folder / "out.json")])


def reads(monkeypatch: pytest.MonkeyPatch, made: list[tuple[Recognition, bool]]) -> list[Any]:
    """Let every recognizer read this; return the list of the curves that the recognizers had."""
    seen: list[Any] = []

    def recognize_each(self: Recognizer, sources: Iterable[Any]) -> Iterator[tuple[int, Recognition]]:
        seen.append(self.bundle.metadata.calibration)
        return ((number, made[number][0]) for number, _ in enumerate(sources))

    monkeypatch.setattr(Recognizer, "recognize_each", recognize_each)
    return seen


def test_the_curve_is_fitted_and_kept_in_the_model(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of probabilities that are too low, the confidences of the written model are right within 0.05."""
    made = readings(3000)
    lay_out(tmp_path, tiny_bundle, made)
    reads(monkeypatch, made)

    assert calibrate(tmp_path) == 0

    curve = load_bundle(tmp_path / "model").metadata.calibration
    assert curve is not None
    for probability in (0.01, 0.1, 0.5):
        for tokens in (1, 5):
            found = curve.confidence(probability, tokens)
            assert found == pytest.approx(chance(probability), abs=0.05)
    figures = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert figures["error_before"] > 0.1 > 0.05 > figures["error_after"]
    assert figures["slope"] == curve.slope


def test_a_calibrated_model_is_calibrated_anew(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The probabilities that are compared are the model's own, whatever curve it had before."""
    made = readings(300)
    lay_out(tmp_path, tiny_bundle, made)
    seen = reads(monkeypatch, made)
    assert calibrate(tmp_path) == 0
    first = load_bundle(tmp_path / "model").metadata.calibration

    assert calibrate(tmp_path) == 0

    assert seen == [None, None]
    assert load_bundle(tmp_path / "model").metadata.calibration == first


def test_too_few_expressions_leave_the_model_as_it_is(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, exit code 2, and the files are untouched."""
    made = readings(20)
    lay_out(tmp_path, tiny_bundle, made)
    reads(monkeypatch, made)
    before = (tmp_path / "model" / "model.json").read_bytes()

    assert calibrate(tmp_path) == 2

    assert "calibration needs 50" in capsys.readouterr().err
    assert (tmp_path / "model" / "model.json").read_bytes() == before
