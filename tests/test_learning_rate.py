"""The course of the learning rate, and the optimizers."""

from __future__ import annotations

import dataclasses
import logging
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pl = pytest.importorskip("lightning")
pytest.importorskip("pyarrow")

from drawn_runs import logged, tiny_config, write_formulas
from inktex.errors import ConfigError
from inktex.training import learning_rate
from inktex.training.config import OptimizerOptions, TrainConfig, TrainerOptions
from inktex.training.learning_rate import LearningRate, highest_learning_rate, share
from inktex.training.module import TrainingModule
from inktex.training.run import train

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_formulas(tmp_path_factory.mktemp("data") / "drawn.parquet")


class Recorder(pl.Callback):
    """Notes which optimizer makes each update, and with which learning rate."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.kinds: set[str] = set()

    def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: torch.optim.Optimizer) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])
        self.kinds.add(type(optimizer).__name__)


def test_cosine_rises_and_falls() -> None:
    """Warm-up is linear from the first step, the peak follows it, and the end is the final share."""
    options = OptimizerOptions(warmup=0.1, final_share=0.05)

    shares = [share(options, 100, step, 0, 0) for step in range(101)]

    np.testing.assert_allclose(shares[:10], np.arange(1, 11) / 10)
    assert shares[10] == pytest.approx(1)
    assert shares[55] == pytest.approx((1 + 0.05) / 2)
    assert shares[100] == pytest.approx(0.05)
    assert np.all(np.diff(shares[10:]) < 0)


@pytest.mark.parametrize(("warmup", "total"), [(0.1, 100), (0.02, 333), (0.0, 7)])
def test_cosine_is_that_of_pytorch(warmup: float, total: int) -> None:
    """Over the steps that were foreseen, the course is PyTorch's linear rise and then its cosine."""
    options = OptimizerOptions(warmup=warmup, final_share=0.05)
    rising = max(1, round(warmup * total))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    rise = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / rising, total_iters=max(1, rising - 1))
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total - rising, options.final_share)
    course = torch.optim.lr_scheduler.SequentialLR(optimizer, [rise, fall], [rising])

    for step in range(total + 1):
        assert share(options, total, step, 0, 0) == pytest.approx(course.get_last_lr()[0], rel=1e-9), step
        optimizer.step()
        course.step()


def test_multi_step_is_that_of_pytorch() -> None:
    """Epoch by epoch, the course is PyTorch's with the same milestones."""
    options = OptimizerOptions(schedule="multi_step", milestones=(2, 3, 7), factor=0.3)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    course = torch.optim.lr_scheduler.MultiStepLR(optimizer, list(options.milestones), options.factor)

    for epoch in range(10):
        assert share(options, 0, 0, epoch, 0) == pytest.approx(course.get_last_lr()[0], rel=1e-9), epoch
        optimizer.step()
        course.step()


@pytest.mark.parametrize("monitor", ["exprate", "wer"])
@pytest.mark.parametrize("patience", [1, 3])
def test_plateau_is_that_of_pytorch(monitor: str, patience: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever figures come, the rate falls when PyTorch's does; it counts what it bears, we what is too
    much."""
    plateau = OptimizerOptions(schedule="plateau", factor=0.5, plateau_patience=patience)
    ours = LearningRate(TrainConfig(optimizer=plateau, trainer=TrainerOptions(monitor=monitor)))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    mode = {"exprate": "max", "wer": "min"}[monitor]
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode, plateau.factor, patience - 1, threshold=0.0, eps=0.0
    )

    for figure in np.random.default_rng(3).integers(0, 12, 60).astype(float):
        monkeypatch.setattr(learning_rate, "validated_figure", lambda module, monitor, it=figure: it)
        ours.on_validation_epoch_end(SimpleNamespace(sanity_checking=False), None)
        theirs.step(figure)
        assert share(plateau, 0, 0, 0, ours.reductions) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.reductions > 5


# Two epochs of four batches; the learning rates of the eight updates, worked by hand.
COURSES: dict[str, tuple[OptimizerOptions, list[float]]] = {
    "AdamW": (
        OptimizerOptions("adamw", 0.1, warmup=0.25, final_share=0.0),
        [0.05, 0.1, *(0.05 * (1 + math.cos(math.pi * done / 6)) for done in range(6))],
    ),
    "SGD": (
        OptimizerOptions("sgd", 0.4, schedule="multi_step", milestones=(1, 7), factor=0.5),
        [0.4] * 4 + [0.2] * 4,
    ),
    "Adadelta": (OptimizerOptions("adadelta", 1.0, schedule="constant", averaging=0.0), [1.0] * 8),
}


@pytest.mark.parametrize("kind", COURSES)
def test_each_update_has_the_learning_rate_of_its_course(kind: str, data: Path, tmp_path: Path) -> None:
    """Every optimizer updates with the rates of the hand-worked table; the log holds each epoch's last."""
    options, expected = COURSES[kind]
    seen = Recorder()

    train(tiny_config(data, optimizer=options), tmp_path / "run", callbacks=[seen])

    assert seen.kinds == {kind}
    np.testing.assert_allclose(seen.rates, expected, rtol=1e-6)
    np.testing.assert_allclose(logged(tmp_path / "run", "lr"), [expected[3], expected[7]], rtol=1e-6)


def test_plateau_lowers_after_patience_and_begins_to_wait_anew(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures 5, 6, 6, 5, 4, 3, 9 with a patience of two: the rate falls after the fourth and the sixth."""
    course = [5.0, 6.0, 6.0, 5.0, 4.0, 3.0, 9.0]

    def figures(module: TrainingModule) -> dict[str, float]:
        return {"val/exprate": course[module.current_epoch]}

    monkeypatch.setattr(TrainingModule, "validation_figures", figures)
    plateau = OptimizerOptions(learning_rate=1.0, schedule="plateau", factor=0.5, plateau_patience=2)
    train(tiny_config(data, True, 7, plateau, validate_every=1), tmp_path / "run")

    assert logged(tmp_path / "run", "lr") == [1, 1, 1, 1, 0.5, 0.5, 0.25]


def test_a_resumed_plateau_goes_on_where_it_stood() -> None:
    """What a plateau remembers survives in a checkpoint."""
    first, second = (LearningRate(TrainConfig()) for _ in range(2))
    first.watch.best, first.watch.waited, first.reductions = 40.0, 3, 2

    second.load_state_dict(first.state_dict())

    assert (second.watch.best, second.watch.waited, second.reductions) == (40.0, 3, 2)


def test_a_plateau_needs_a_validation(data: Path, tmp_path: Path) -> None:
    """A course that follows validations is refused where there are none."""
    wanted = tiny_config(data, optimizer=OptimizerOptions(schedule="plateau"))
    with pytest.raises(ConfigError, match=r"plateau needs .* data\.validation"):
        train(wanted, tmp_path / "run")


def test_linear_scaling_is_said_and_done(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Meant for 12 pictures an update and given 2 x 3, the learning rate is halved, and a line says so."""
    options = OptimizerOptions(
        learning_rate=0.01, reference_batch=12, accumulate=3, schedule="constant", averaging=0.0
    )
    seen = Recorder()

    with caplog.at_level(logging.INFO, "inktex"):
        train(tiny_config(data, optimizer=options), tmp_path / "run", callbacks=[seen])

    assert seen.rates == [0.005] * 4  # an epoch of four batches makes an update of three and one of one
    assert "learning rate 0.005: 0.01 scaled linearly from 12 pictures an update to 6" in caplog.messages


@pytest.mark.parametrize(
    ("reference", "accumulate", "processes", "expected"),
    [(0, 4, 4, 0.001), (48, 1, 1, 0.001), (32, 1, 1, 0.0015), (48, 2, 1, 0.002), (48, 1, 3, 0.003)],
)
def test_scaling_counts_pictures_batches_and_processes(
    reference: int, accumulate: int, processes: int, expected: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Of 48 pictures a batch: proportional to all that make an update; silent where nothing changes."""
    options = OptimizerOptions(reference_batch=reference, accumulate=accumulate)
    with caplog.at_level(logging.INFO, "inktex"):
        found = highest_learning_rate(TrainConfig(optimizer=options), processes)

    assert found == pytest.approx(expected)
    assert len(caplog.messages) == (expected != 0.001)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_accumulated_batches_make_one_update(reduction: str, data: Path, tmp_path: Path) -> None:
    """The gradient of two batches is the mean, or the sum, of theirs; an epoch makes half the updates."""
    gradients: dict[int, list[Any]] = {1: [], 2: []}

    class Keep(pl.Callback):
        def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: Any) -> None:
            gradients[trainer.accumulate_grad_batches].append(module.model.classifier.bias.grad.clone())

    for accumulate in (1, 2):
        wanted = tiny_config(data, epochs=1)
        still = dataclasses.replace(
            wanted,
            model=dataclasses.replace(wanted.model, dropout=0.0),
            objective=dataclasses.replace(wanted.objective, reduction=reduction),
            optimizer=OptimizerOptions(learning_rate=0.0, clip_norm=0.0, accumulate=accumulate),
        )
        train(still, tmp_path / str(accumulate), callbacks=[Keep()])

    single, double = gradients[1], gradients[2]
    assert (len(single), len(double)) == (4, 2)
    for number in range(2):
        both = single[2 * number] + single[2 * number + 1]
        expected = both / 2 if reduction == "mean" else both
        torch.testing.assert_close(double[number], expected, rtol=1e-4, atol=1e-6)


def test_weight_decay_spares_biases_and_norms_unless_told() -> None:
    """With ``decay_all`` off, the decayed weights are exactly those of two or more dimensions."""
    from inktex.vocabulary import Vocabulary

    for everywhere in (False, True):
        options = OptimizerOptions("sgd", weight_decay=0.1, decay_all=everywhere)
        config = dataclasses.replace(tiny_config(Path("none")), optimizer=options)
        module = TrainingModule(config, Vocabulary.build([["a"]]))
        groups = module.configure_optimizers().param_groups
        decayed = {id(weight) for group in groups if group["weight_decay"] for weight in group["params"]}
        for name, weight in module.model.named_parameters():
            assert (id(weight) in decayed) == (everywhere or weight.ndim > 1), name
