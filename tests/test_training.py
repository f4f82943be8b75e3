"""Training runs: learning, folders, resumption."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import sys
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

import safetensors.torch

from drawn_runs import TINY, InterruptAt, logged, write_formulas
from drawn_runs import tiny_config as config
from inktex.data.batches.batching import Batch, Batches
from inktex.data.batches.bucketing import BatchOptions
from inktex.data.batches.options import NO_AUGMENTATION
from inktex.errors import ConfigError, DataError, RunError
from inktex.training import callbacks
from inktex.training.config import (
    DataOptions,
    ObjectiveOptions,
    OptimizerOptions,
    TrainerOptions,
)
from inktex.training.folder import archive_run, dump_config, load_run
from inktex.training.module import TrainingModule, model_weights
from inktex.training.reading import read_config
from inktex.training.run import train
from tiny_models import TINY as FAMILIES_TINY

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_formulas(tmp_path_factory.mktemp("data") / "drawn.parquet")


def states(*runs: Path) -> list[dict[str, Any]]:
    """Read the last checkpoints of runs."""
    return [torch.load(run / "checkpoints" / "last.ckpt", weights_only=True) for run in runs]


@pytest.mark.parametrize(
    ("family", "accumulate", "batch"),
    [("inktex", 1, 2), ("inktex", 1, 4), ("inktex", 1, 5), ("can", 2, 3)],
)
def test_resumed_run_equals_the_uninterrupted_one(
    family: str, accumulate: int, batch: int, data: Path, tmp_path: Path
) -> None:
    """A run interrupted within an epoch, between two or within an update, and resumed, ends with the same
    weights, bit for bit; only running statistics have seen the begun half of an update twice."""
    model = TINY if family == "inktex" else FAMILIES_TINY[family]
    wanted = dataclasses.replace(
        config(data, validation=True, validate_every=1),
        family=family,
        model=dataclasses.replace(model, max_length=12),
        optimizer=OptimizerOptions(accumulate=accumulate),
        objective=ObjectiveOptions(teacher_forcing_ratio=0.7),
    )
    train(wanted, tmp_path / "whole")

    with pytest.raises(KeyboardInterrupt):
        train(wanted, tmp_path / "cut", callbacks=[InterruptAt(batch)])
    assert (tmp_path / "cut" / "weights.safetensors").is_file()
    train(wanted, tmp_path / "cut", resume=True)

    whole, cut = states(tmp_path / "whole", tmp_path / "cut")
    assert whole["global_step"] == cut["global_step"] == 8 / accumulate
    for kind in ("state_dict", "current_model_state"):
        for name, value in whole[kind].items():
            is_statistic = name.endswith(("running_mean", "running_var", "num_batches_tracked"))
            assert torch.equal(value, cut[kind][name]) or (is_statistic and accumulate > 1), name


def test_a_run_learns_from_its_teacher(data: Path, tmp_path: Path) -> None:
    """By a teacher's reading alone, with no weight on labels, it comes nearer to the teacher in every epoch;
    an update for each pair of drawings; the teacher stays as it was, and no part of the run."""
    teacher = tmp_path / "teacher"
    train(config(data, epochs=1), teacher)
    before = (teacher / "weights.safetensors").read_bytes()
    nothing = ObjectiveOptions(lambda_1=0, symbol_map=0, attention=0)
    wanted = dataclasses.replace(
        config(data, epochs=4, teacher=str(teacher)),
        objective=nothing,
        optimizer=OptimizerOptions(learning_rate=3e-3),
    )
    train(wanted, tmp_path / "pupil")

    course = logged(tmp_path / "pupil", "train/distillation")
    assert course == sorted(course, reverse=True)
    assert course[-1] < 0.5 * course[0]
    assert (teacher / "weights.safetensors").read_bytes() == before
    last, usual = states(tmp_path / "pupil", teacher)
    assert last["global_step"] == 4 * 8
    assert last["state_dict"].keys() == usual["state_dict"].keys()


def test_an_unfit_teacher_is_refused(data: Path, tmp_path: Path) -> None:
    """Its tokens must be the run's, and its longest sequence as long."""
    teacher = tmp_path / "teacher"
    train(config(data, epochs=1), teacher)
    fewer = write_formulas(tmp_path / "fewer.parquet", ("1+1", "11"))
    longer = dataclasses.replace(TINY, max_length=TINY.max_length + 1)

    with pytest.raises(RunError, match="vocabulary"):
        train(config(fewer, teacher=str(teacher)), tmp_path / "one")
    with pytest.raises(RunError, match="32 tokens, not 33"):
        train(dataclasses.replace(config(data, teacher=str(teacher)), model=longer), tmp_path / "two")
    with pytest.raises(RunError, match="not a complete training run"):
        train(config(data, teacher=str(tmp_path / "nowhere")), tmp_path / "three")


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
    """What is kept is the averaged weights of the very epoch whose validation was best; of every epoch, if
    that is asked for, its own."""
    course = iter([10.0, 30.0, 20.0])
    seen: list[dict[str, Any]] = []

    def figures(module: TrainingModule) -> dict[str, float]:
        seen.append(model_weights(module.model))
        return {"val/exprate": next(course)}

    monkeypatch.setattr(TrainingModule, "validation_figures", figures)
    monkeypatch.setattr(TrainingModule, "on_validation_epoch_end", lambda module: None)
    train(config(data, validation=True, epochs=3, validate_every=1, keep_epochs=True), tmp_path / "run")

    def matching(file: str) -> list[bool]:
        kept = safetensors.torch.load_file(tmp_path / "run" / file)
        return [all(torch.equal(kept[name], each[name]) for name in kept) for each in seen]

    assert matching("weights.safetensors") == [False, True, False]
    for number in range(3):
        assert matching(f"epochs/{number + 1}.safetensors") == [place == number for place in range(3)]
    last = load_run(tmp_path / "run" / "checkpoints" / "last.ckpt")[0].state_dict()
    assert all(torch.equal(value, seen[2][name]) for name, value in last.items())


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


@pytest.mark.parametrize("able", [True, False])
def test_a_cpu_without_bf16_computes_in_float32(
    able: bool, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a processor has no instructions for bf16, the weights are those of a run in float32."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": able}, raising=False)
    exact = config(data, epochs=1)
    mixed = dataclasses.replace(exact, trainer=dataclasses.replace(exact.trainer, precision="bf16-mixed"))

    train(exact, tmp_path / "exact")
    train(mixed, tmp_path / "mixed")

    one, other = (
        safetensors.torch.load_file(tmp_path / name / "weights.safetensors") for name in ("exact", "mixed")
    )
    assert all(torch.equal(one[name], other[name]) for name in one) is not able


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
def test_every_configuration_builds_and_takes_a_step(path: Path, tmp_path: Path) -> None:
    """Each file in configs/ is valid, and its network learns from one batch without a number going astray."""
    wanted, data = read_config(path), write_formulas(tmp_path / "two.parquet", ("1+x", "x-1"))
    short = dataclasses.replace(
        wanted,
        model=dataclasses.replace(wanted.model, max_length=24),
        data=DataOptions((str(data),), validation=str(data), workers=0),
        batch=BatchOptions(pictures=8, both_ways=wanted.batch.both_ways),
        optimizer=dataclasses.replace(wanted.optimizer, accumulate=1),
        trainer=TrainerOptions(
            epochs=1, precision="32-true", accelerator="cpu", devices=1, monitor=wanted.trainer.monitor
        ),
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


def test_an_interruption_at_any_moment_leaves_a_sound_log(tmp_path: Path) -> None:
    """Stopped at whichever line of writing it, the log holds what it did before or all; the next writing
    makes up for what is missing."""

    def read(log: callbacks.MetricsLog) -> list[dict[str, str]]:
        with (Path(log.log_dir) / "metrics.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def interrupting(count: int) -> Any:
        """A trace function that raises at the line of that number."""
        left = count

        def trace(frame: Any, event: str, argument: Any) -> Any:
            nonlocal left
            left -= event == "line"
            if left < 0:
                raise KeyboardInterrupt
            return trace

        return trace

    first = {"step": "0", "loss": "1.5", "val": ""}
    second = {"step": "1", "loss": "", "val": "0.5"}
    for count in itertools.count():
        log = callbacks.MetricsLog(tmp_path, "log", str(count))
        log.log_metrics({"loss": 1.5}, 0)
        log.save()
        log.log_metrics({"val": 0.5}, 1)
        sys.settrace(interrupting(count))
        try:
            log.save()
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
        finally:
            sys.settrace(None)

        assert read(log) in ([{"step": "0", "loss": "1.5"}], [first, second]), count
        log.save()
        assert read(log) == [first, second], count
        if not interrupted:
            break
    assert count > 20


@pytest.mark.parametrize("first_says", [True, False])
def test_processes_write_checkpoints_together(first_says: bool, tmp_path: Path) -> None:
    """Whether it is time to write is what the first process says, not the clock of each."""
    written: list[Path] = []
    trainer: Any = SimpleNamespace(
        strategy=SimpleNamespace(broadcast=lambda mine: first_says),
        is_global_zero=False,
        save_checkpoint=written.append,
    )
    due = callbacks.Checkpoints(tmp_path, minutes=-1.0 if not first_says else 60.0)
    due.on_train_start(trainer, None)

    due.on_train_batch_end(trainer, None, None, None, 0)

    assert bool(written) is first_says


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


def test_a_run_that_diverges_says_so(data: Path, tmp_path: Path) -> None:
    """A learning rate far too high ends in one sentence that names the key, at the next validation."""
    wild = OptimizerOptions(name="sgd", learning_rate=1e30, clip_norm=0, averaging=0)

    with pytest.raises(RunError, match=r"optimizer\.learning_rate"):
        train(config(data, validation=True, optimizer=wild, validate_every=1), tmp_path / "run")
