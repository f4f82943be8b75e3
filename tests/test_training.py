"""Training runs: learning, folders, resumption."""

from __future__ import annotations

import csv
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("pyarrow")

import logging

import lightning as pl
import safetensors.torch

from inktex.data.augment import NO_AUGMENTATION
from inktex.data.batching import Batch, Batches, BatchOptions
from inktex.data.dataset import Sample, write_dataset
from inktex.errors import ConfigError, DataError, RunError
from inktex.ink import Ink, Symbol, rasterize
from inktex.models.inktex import InktexOptions
from inktex.training import callbacks
from inktex.training.config import (
    DataOptions,
    ObjectiveOptions,
    OptimizerOptions,
    TrainConfig,
    TrainerOptions,
    read_config,
)
from inktex.training.folder import archive_run, dump_config, load_run
from inktex.training.module import TrainingModule, model_weights
from inktex.training.run import train

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
TINY = InktexOptions((8, 16, 32), (1, 1, 1), 32, 2, 4, 64, 4, 0.1, 32)
SHAPES = {
    "1": [[(10, 0), (10, 20)]],
    "-": [[(0, 10), (20, 10)]],
    "+": [[(0, 10), (20, 10)], [(10, 0), (10, 20)]],
    "x": [[(0, 0), (20, 20)], [(20, 0), (0, 20)]],
}


def png(ink: Ink) -> bytes:
    import cv2

    return bytes(cv2.imencode(".png", (rasterize(ink, 40, 4) * 255).astype(np.uint8))[1])


def formula(name: str, text: str) -> Sample:
    """Draw a row of straight-lined symbols."""
    strokes, symbols = [], []
    for place, token in enumerate(text):
        lines = [np.array(line, dtype=np.float32) + [30 * place, 0] for line in SHAPES[token]]
        symbols.append(Symbol(token, tuple(range(len(strokes), len(strokes) + len(lines))), f"s{place}"))
        strokes.extend(line.astype(np.float32) for line in lines)
    ink = Ink(tuple(strokes), tuple(symbols))
    mathml = "<math>" + "".join(f'<mi xml:id="s{i}">{token}</mi>' for i, token in enumerate(text)) + "</math>"
    return Sample(name, "train", "drawn", tuple(text), png(ink), ink, "", mathml)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "drawn.parquet"
    texts = ["1+x", "x-1", "x", "1-1+x", "+", "xx1", "-x-", "11"]
    write_dataset([formula(str(i), text) for i, text in enumerate(texts)], path)
    return path


def config(data: Path, validation: bool = False, epochs: int = 2, **trainer: Any) -> TrainConfig:
    return TrainConfig(
        model=TINY,
        data=DataOptions((str(data),), validation=str(data) if validation else None, workers=0),
        batch=BatchOptions(pictures=2),
        trainer=TrainerOptions(epochs=epochs, precision="32-true", accelerator="cpu", devices="1", **trainer),
    )


class InterruptAt(pl.Callback):
    """Presses ctrl-C after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("step", [2, 4, 5])
def test_resumed_run_equals_the_uninterrupted_one(
    step: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run interrupted within or between epochs and resumed ends with the same weights, bit for bit."""
    wanted = config(data, validation=True, validate_every=1)
    train(wanted, tmp_path / "whole")

    original = pl.Trainer.__init__

    def interrupted(self: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        kwargs["callbacks"] = [*kwargs["callbacks"], InterruptAt(step)]
        original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(pl.Trainer, "__init__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(wanted, tmp_path / "cut")
    assert (tmp_path / "cut" / "weights.safetensors").is_file()
    train(wanted, tmp_path / "cut", resume=True)

    states = [
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)
        for name in ("whole", "cut")
    ]
    for kind in ("state_dict", "current_model_state"):
        for name, value in states[0][kind].items():
            assert torch.equal(value, states[1][kind][name]), name
    assert states[0]["global_step"] == states[1]["global_step"]


def test_the_last_epoch_is_validated(data: Path, tmp_path: Path) -> None:
    """Three epochs with a validation every second one end with a validation all the same."""
    train(config(data, validation=True, epochs=3, validate_every=2), tmp_path / "run")

    lines = (tmp_path / "run" / "log" / "version_0" / "metrics.csv").read_text().splitlines()
    place = lines[0].split(",").index("val/exprate")
    validated = [line.split(",")[0] for line in lines[1:] if line.split(",")[place]]
    assert validated == ["1", "2"]


def test_the_best_validated_weights_are_kept(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept is the averaged weights of the very epoch whose validation was best."""
    course = iter([10.0, 30.0, 20.0])
    seen: list[dict[str, Any]] = []

    def figures(module: TrainingModule) -> dict[str, float]:
        seen.append(model_weights(module.model))
        return {"val/exprate": next(course)}

    monkeypatch.setattr(TrainingModule, "validation_figures", figures)
    monkeypatch.setattr(TrainingModule, "on_validation_epoch_end", lambda module: None)
    train(config(data, validation=True, epochs=3, validate_every=1), tmp_path / "run")

    kept = safetensors.torch.load_file(tmp_path / "run" / "weights.safetensors")
    matching = [all(torch.equal(kept[name], each[name]) for name in kept) for each in seen]
    assert matching == [False, True, False]


def test_a_run_folder_holds_what_using_it_needs(data: Path, tmp_path: Path) -> None:
    """After training the folder loads: network with the written weights, vocabulary, same configuration."""
    wanted = config(data)
    train(wanted, tmp_path / "run")

    model, vocabulary, found = load_run(tmp_path / "run")

    written = safetensors.torch.load_file(tmp_path / "run" / "weights.safetensors")
    assert all(torch.equal(value, written[name]) for name, value in model.state_dict().items())
    assert not model.training
    assert set(vocabulary.tokens[3:]) == {"1", "x", "+", "-"}
    assert found == wanted


@pytest.mark.parametrize("missing", ["config.yaml", "vocabulary.json", "weights.safetensors"])
def test_a_run_cut_short_is_named(missing: str, data: Path, tmp_path: Path) -> None:
    """Each file of a run folder that is missing or cut gives one sentence that names the folder."""
    run = tmp_path / "run"
    train(config(data, epochs=1), run)
    whole = (run / missing).read_bytes()
    (run / missing).write_bytes(whole[: len(whole) // 2])
    with pytest.raises((RunError, ConfigError), match="run"):
        load_run(run)
    (run / missing).unlink()
    with pytest.raises(RunError, match=missing):
        load_run(run)


@pytest.mark.parametrize("name", ["config.yaml", "vocabulary.json"])
def test_a_run_that_is_no_text_is_named(name: str, data: Path, tmp_path: Path) -> None:
    """Bytes that are no UTF-8 give one sentence that names the folder."""
    run = tmp_path / "run"
    train(config(data, epochs=1), run)
    (run / name).write_bytes(b"\xff\xfe\n...")

    with pytest.raises((RunError, ConfigError), match="run"):
        load_run(run)


def test_an_unknown_precision_is_refused() -> None:
    """A number format that training does not know is named, with those it does."""
    with pytest.raises(ConfigError, match=r"bf16-mixed.*'half'"):
        TrainerOptions(precision="half")


def test_folders_are_not_overwritten(data: Path, tmp_path: Path) -> None:
    """A folder with anything in it is refused, and so is resuming where there is nothing to resume."""
    (tmp_path / "note").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        train(config(data), tmp_path)
    with pytest.raises(RunError, match="no checkpoint"):
        train(config(data), tmp_path, resume=True)
    assert (tmp_path / "note").read_text() == "mine"


def test_nothing_to_train_on_is_said(data: Path, tmp_path: Path) -> None:
    """No data set, and limits that leave nothing, are errors of one sentence."""
    with pytest.raises(DataError, match=r"data\.train"):
        train(dataclasses.replace(config(data), data=DataOptions()), tmp_path / "a")
    limits = dataclasses.replace(config(data).limits, label=0)
    with pytest.raises(DataError, match="left out"):
        train(dataclasses.replace(config(data), limits=limits), tmp_path / "b")


def test_configuration_survives_yaml(data: Path, tmp_path: Path) -> None:
    """A configuration written and read is equal; an unknown key is refused by name."""
    wanted = dataclasses.replace(config(data), objective=ObjectiveOptions(0.2, 0.3, 0.4))
    path = tmp_path / "config.yaml"
    path.write_text(dump_config(wanted))
    assert read_config(path) == wanted

    path.write_text("lerning_rate: 3\n" + dump_config(wanted))
    with pytest.raises(ConfigError, match="lerning_rate"):
        read_config(path)


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parent.parent.glob("configs/*.yaml")), ids=lambda path: path.stem
)
def test_every_configuration_builds_and_takes_a_step(path: Path, data: Path, tmp_path: Path) -> None:
    """Each file in configs/ is valid, and its network learns from one batch without a number going astray."""
    wanted = read_config(path)
    short = dataclasses.replace(
        wanted,
        data=DataOptions((str(data),), workers=0),
        batch=BatchOptions(pictures=8),
        trainer=TrainerOptions(epochs=1, precision="32-true", accelerator="cpu", devices="1"),
    )

    metrics = train(short, tmp_path / "run")

    assert np.isfinite(metrics["train/loss"])


def test_archived_run_starts_another(data: Path, tmp_path: Path) -> None:
    """Half-precision weights load as they were, and training takes them up in place of random ones."""
    train(config(data), tmp_path / "first")
    archive_run(tmp_path / "first", tmp_path / "half")
    first, half = (load_run(tmp_path / name)[0].state_dict() for name in ("first", "half"))
    for name, value in first.items():
        torch.testing.assert_close(half[name], value, rtol=1e-3, atol=1e-4)

    still = dataclasses.replace(
        config(data, epochs=1, initial=str(tmp_path / "half")), optimizer=OptimizerOptions(learning_rate=0.0)
    )
    train(still, tmp_path / "second")
    second = load_run(tmp_path / "second")[0].state_dict()
    for name, _ in load_run(tmp_path / "half")[0].named_parameters():
        assert torch.equal(second[name], half[name]), name

    other = dataclasses.replace(still, model=dataclasses.replace(TINY, heads=2))
    with pytest.raises(RunError, match="cannot be started from"):
        train(other, tmp_path / "third")


def test_learning_rate_rises_and_falls() -> None:
    """Warm-up is linear from the first step, the peak follows it, and the end is the final share."""
    from inktex.vocabulary import Vocabulary

    options = OptimizerOptions(warmup=0.1, final_share=0.05)
    module = TrainingModule(TrainConfig(model=TINY, optimizer=options), Vocabulary.build([["a"]]), 100)

    shares = [module.learning_rate_share(step) for step in range(101)]

    np.testing.assert_allclose(shares[:10], np.arange(1, 11) / 10)
    assert shares[10] == pytest.approx(1)
    assert shares[55] == pytest.approx((1 + 0.05) / 2)
    assert shares[100] == pytest.approx(0.05)
    assert np.all(np.diff(shares[10:]) < 0)


def test_averaged_weights_follow_their_definition() -> None:
    """The average after each step is the hand-computed exponential average with a decay that rises."""
    average = callbacks.AveragedWeights(0.5)._kwargs["multi_avg_fn"]
    mean, expected = [torch.tensor([1.0])], 1.0
    for count, value in enumerate([2.0, 4.0, 8.0, 16.0]):
        average(mean, [torch.tensor([value])], count)
        decay = min(0.5, (1 + count) / (10 + count))
        expected = decay * expected + (1 - decay) * value

    assert mean[0].item() == pytest.approx(expected)


@pytest.mark.slow
def test_overfits_drawn_formulas(data: Path, tmp_path: Path) -> None:
    """A small network learns the drawn formulas by heart: the validation ExpRate reaches 100 %."""
    wanted = dataclasses.replace(
        config(data, validation=True, epochs=100, validate_every=100),
        augment=NO_AUGMENTATION,
        batch=BatchOptions(pictures=8),
        model=dataclasses.replace(TINY, dropout=0.0),
        optimizer=OptimizerOptions(learning_rate=5e-3, averaging=0.8),
    )

    assert train(wanted, tmp_path / "run")["val/exprate"] == 100


def throughput(run: Path) -> list[tuple[float, float]]:
    """What a run logged of each epoch: pictures a second and the share of waiting."""
    with (run / "log" / "version_0" / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["train/waiting"]]
    return [(float(row["train/pictures_per_second"]), float(row["train/waiting"])) for row in rows]


def test_waiting_for_data_is_logged(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of batches that take 3 s to come and 1 s to learn from, 3/4 is waiting; validation is not counted."""
    now_s = 0.0
    came: list[int] = []  # the epoch of each batch

    def taking(seconds: float, work: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*arguments: Any) -> Any:
            nonlocal now_s
            now_s += seconds
            return work(*arguments)

        return slow

    def fetched(batches: Batches, key: tuple[int, int]) -> Batch:
        came.append(key[0])
        return fetch(batches, key)

    fetch = Batches.__getitem__
    monkeypatch.setattr(callbacks, "time", SimpleNamespace(perf_counter=lambda: now_s, monotonic=lambda: 0.0))
    monkeypatch.setattr(Batches, "__getitem__", taking(3, fetched))
    monkeypatch.setattr(TrainingModule, "training_step", taking(1, TrainingModule.training_step))
    monkeypatch.setattr(TrainingModule, "validation_step", taking(100, TrainingModule.validation_step))
    wanted = config(data, validation=True, validate_every=1)
    train(wanted, tmp_path / "run")

    pictures = 8  # of an epoch
    expected = [(pictures / (4 * came.count(epoch)), 0.75) for epoch in range(2)]
    np.testing.assert_allclose(throughput(tmp_path / "run"), expected, rtol=1e-6)


def test_throughput_is_that_of_the_clock(data: Path, tmp_path: Path) -> None:
    """A run as a whole, with all that goes on beside training, is no faster than its epoch is said to be."""
    start = time.perf_counter()
    train(config(data, epochs=1), tmp_path / "run")
    elapsed_s = time.perf_counter() - start

    ((pictures_per_second, waiting),) = throughput(tmp_path / "run")

    assert pictures_per_second >= 8 / elapsed_s
    assert 0 < waiting < 1
