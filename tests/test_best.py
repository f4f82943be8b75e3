"""Which weights are kept, and when a run ends early."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pl = pytest.importorskip("lightning")
pytest.importorskip("pyarrow")

from drawn_runs import TEXTS, formula, logged, tiny_config, write_formulas
from inktex.errors import ConfigError
from inktex.image.canonical import canonicalize, decode
from inktex.training.config import MONITORS, OptimizerOptions, TrainConfig, TrainerOptions
from inktex.training.early_stopping import Watch
from inktex.training.folder import load_run
from inktex.training.module import TrainingModule
from inktex.training.run import train

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_formulas(tmp_path_factory.mktemp("data") / "drawn.parquet")


@pytest.mark.parametrize("monitor", MONITORS)
def test_the_direction_of_a_figure_is_known_by_its_name(monitor: str) -> None:
    """More is better of ExpRate and less of errors; equal is no better, and a number beats none."""
    watch = Watch(monitor)
    better = {"exprate": 3.0, "wer": 1.0, "cer": 1.0, "loss": 1.0}[monitor]

    assert [watch.see(value) for value in (float("nan"), 2.0, 2.0, 4.0 - better, better, float("nan"))] == [
        *(True, True, False, False, True, False)
    ]
    assert (watch.best, watch.waited) == (better, 1)


def nll(run: Path) -> float:
    """The mean cross-entropy of a true token under a run's kept weights, one picture and token at a time."""
    model, vocabulary, config = load_run(run)
    costs = []
    for text in TEXTS:
        picture = canonicalize(decode(formula("x", text).image, "x"), config.data.symbol_px)
        features = model.encode(torch.tensor(picture)[None, None], torch.zeros(1, *picture.shape).bool())
        memory, state = model.start(features)
        token = vocabulary.start_id
        for following in (*vocabulary.encode(text), vocabulary.end_id):
            logits, _, state = model.step(torch.tensor([token]), memory, state)
            scores = logits[0].double().detach().numpy()
            costs.append(np.log(np.exp(scores).sum()) - scores[following])
            token = following
    return float(np.mean(costs))


def test_early_stopping_stops_and_keeps_the_best(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A run ends as soon as two validations in a row have not lowered the loss, and keeps the best."""
    plain = OptimizerOptions(learning_rate=0.03, schedule="constant", averaging=0.0)
    wanted = tiny_config(data, True, 40, plain, validate_every=1, monitor="loss", patience=2)

    with caplog.at_level(logging.INFO, "inktex"):
        train(wanted, tmp_path / "run")

    losses = logged(tmp_path / "run", "val/loss")
    stops = next(n for n in range(3, 40) if min(losses[: n - 2]) <= min(losses[n - 2 : n]))
    assert len(losses) == stops < 40
    assert min(losses) == min(losses[:-2])
    assert nll(tmp_path / "run") == pytest.approx(min(losses), rel=1e-4)
    assert "ended early: 2 validations were no better than loss" in caplog.text


def test_a_run_can_go_back_to_its_best_weights(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a validation that is worse, the next epoch begins with the weights of the best one."""
    course = [1.0, 3.0, 2.0, 0.0]
    begun: list[torch.Tensor] = []

    class Keep(pl.Callback):
        def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
            begun.append(module.model.classifier.weight.detach().clone())

    def figures(module: TrainingModule) -> dict[str, float]:
        return {"val/exprate": course[module.current_epoch]}

    monkeypatch.setattr(TrainingModule, "validation_figures", figures)
    plain = OptimizerOptions(averaging=0.0)
    wanted = tiny_config(data, True, 4, plain, validate_every=1, go_back=True)
    train(wanted, tmp_path / "run", callbacks=[Keep()])

    fresh, after_first, after_second, after_third = begun
    assert not torch.equal(fresh, after_first)
    assert not torch.equal(after_first, after_second)
    assert torch.equal(after_second, after_third)


def test_what_hangs_on_a_validation_needs_one(data: Path, tmp_path: Path) -> None:
    """Patience, going back and keeping epochs are refused without validation data, going back with averaged
    weights too."""
    for options in ({"patience": 3}, {"go_back": True}, {"keep_epochs": True}):
        wanted = tiny_config(data, optimizer=OptimizerOptions(averaging=0.0), **options)
        with pytest.raises(ConfigError, match=rf"trainer\.{next(iter(options))} needs"):
            train(wanted, tmp_path / next(iter(options)))
    with pytest.raises(ConfigError, match=r"optimizer\.averaging 0"):
        TrainConfig(trainer=TrainerOptions(go_back=True))
    with pytest.raises(ConfigError, match=r"trainer\.monitor must be one of exprate, wer, cer, loss"):
        TrainerOptions(monitor="accuracy")
