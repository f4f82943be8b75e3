"""Means of weights, and runs kept in half precision."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

import safetensors.torch

from inktex import cli
from inktex.errors import ConfigError, FileError, RunError
from inktex.training.averaging import Share, average
from inktex.training.config import TrainConfig
from inktex.training.folder import archive_run, load_run, write_run
from inktex.training.module import build_model, model_weights
from inktex.vocabulary import SPECIALS, Vocabulary
from tiny_models import TINY

OLD = Vocabulary((*SPECIALS, *"abcdef"))
NEW = Vocabulary((*SPECIALS, *"f!edcba"))  # the same tokens in another order, and one more


def run(*arguments: str | Path | float) -> int:
    """Run a command line in this process."""
    return cli.main([str(argument) for argument in arguments])


def written(
    folder: Path, seed: int, family: str = "inktex", vocabulary: Vocabulary = OLD, **sizes: Any
) -> dict[str, Any]:
    """Write a run of a network with random weights, running statistics too, and return its weights."""
    config = TrainConfig(family, dataclasses.replace(TINY[family], **sizes))
    torch.manual_seed(seed)
    model = build_model(config, vocabulary)
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.add_(torch.rand(value.shape))
    folder.mkdir(parents=True)
    write_run(folder, model, vocabulary, config)
    return model_weights(model)


@pytest.mark.parametrize("family", TINY)
def test_the_mean_is_that_of_every_number(family: str, tmp_path: Path) -> None:
    """With the same tokens, each weight is the mean that NumPy computes in double precision."""
    parts = [written(tmp_path / name, seed, family) for seed, name in enumerate("abc")]

    average(
        [Share(tmp_path / name, share) for name, share in zip("abc", (1, 2, 5), strict=True)], tmp_path / "m"
    )

    mean = model_weights(load_run(tmp_path / "m")[0])
    for name, value in mean.items():
        columns = [part[name].double().numpy() for part in parts]
        expected = np.average(columns, axis=0, weights=(1, 2, 5)).astype(value.numpy().dtype)
        np.testing.assert_array_equal(value.numpy(), expected, name)


@pytest.mark.parametrize("family", TINY)
def test_tokens_are_matched_by_name(family: str, tmp_path: Path) -> None:
    """Averaged with a run whose ids are others, each token has the mean of its own rows; what one run alone
    knows is as it is there; the longest sequence is the longer."""
    old = written(tmp_path / "old", 0, family, OLD, max_length=6)
    new = written(tmp_path / "new", 1, family, NEW, max_length=9)

    average([Share(tmp_path / "old", 0.25), Share(tmp_path / "new", 0.75)], tmp_path / "mean")

    model, vocabulary, config = load_run(tmp_path / "mean")
    assert vocabulary.tokens == (*OLD.tokens, "!")
    assert config.model.max_length == 9
    rows = 0
    for name, value in model.state_dict().items():
        if value.ndim and old[name].shape[0] == len(OLD) and new[name].shape[0] == len(NEW):
            rows += 1
            for place, token in enumerate(vocabulary.tokens):
                theirs = new[name][NEW.tokens.index(token)]
                if token in OLD:
                    theirs = 0.25 * old[name][OLD.tokens.index(token)] + 0.75 * theirs
                shared = tuple(slice(size) for size in theirs.shape)
                torch.testing.assert_close(value[place][shared], theirs)
    assert rows >= 2


def test_a_run_averaged_with_itself_is_itself(tmp_path: Path) -> None:
    """Whatever the shares, the weights stay, bit for bit."""
    before = written(tmp_path / "a", 0)

    average(
        [Share(tmp_path / "a", 0.5), Share(tmp_path / "a", 0.25), Share(tmp_path / "a", 0.25)], tmp_path / "m"
    )

    after = model_weights(load_run(tmp_path / "m")[0])
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_weights_of_one_run_are_named_by_their_files(tmp_path: Path) -> None:
    """An epoch's safetensors and the averaged weights of a checkpoint are taken where they are named."""
    kept = written(tmp_path / "a", 0)
    epoch, last = written(tmp_path / "b", 1), written(tmp_path / "c", 2)
    (tmp_path / "a" / "epochs").mkdir()
    (tmp_path / "a" / "checkpoints").mkdir()
    safetensors.torch.save_file(epoch, tmp_path / "a/epochs/2.safetensors")
    state = {f"model.{name}": value for name, value in last.items()}
    torch.save({"state_dict": state, "current_model_state": {}}, tmp_path / "a/checkpoints/last.ckpt")

    files = ("a", "a/epochs/2.safetensors", "a/checkpoints/last.ckpt")
    shares = ("--shares", 0.5, 0.3, 0.2)
    assert run("average", *(tmp_path / name for name in files), *shares, "--out", tmp_path / "m") == 0

    mean = model_weights(load_run(tmp_path / "m")[0])
    for name, value in mean.items():
        if value.is_floating_point():
            expected = 0.5 * kept[name] + 0.3 * epoch[name] + 0.2 * last[name]
            torch.testing.assert_close(value, expected)
    record = json.loads((tmp_path / "m" / "average.json").read_text())
    assert [each["share"] for each in record] == [0.5, 0.3, 0.2]
    assert [each["weights"] for each in record] == [str(tmp_path / name) for name in files]


def test_what_cannot_be_averaged_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shares that are none, other networks, runs that are missing or cut, and folders that are taken."""
    written(tmp_path / "a", 0)
    written(tmp_path / "wide", 0, width=48)
    written(tmp_path / "can", 0, "can")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").write_text("mine")
    (tmp_path / "a" / "cut.ckpt").write_bytes(b"PK")
    one = Share(tmp_path / "a", 1)

    for shares, kind, problem in (
        ([], ConfigError, "nothing"),
        ([one, one._replace(share=0)], ConfigError, "above 0, got 0"),
        ([one, one._replace(share=float("nan"))], ConfigError, "above 0"),
        ([one, Share(tmp_path / "wide", 1)], RunError, "wide cannot be averaged: .* other sizes"),
        ([one, Share(tmp_path / "can", 1)], RunError, "its family is can, not inktex"),
        ([one, Share(tmp_path / "none", 1)], RunError, "none is not a complete"),
        (
            [one, Share(tmp_path / "a" / "epochs" / "1.safetensors", 1)],
            RunError,
            "epochs/1.safetensors is missing",
        ),
        ([one, Share(tmp_path / "a" / "cut.ckpt", 1)], RunError, "cut.ckpt is damaged"),
    ):
        with pytest.raises(kind, match=problem):
            average(shares, tmp_path / "out")
    with pytest.raises(FileError, match="full cannot be written"):
        average([one, one], tmp_path / "full")
    assert run("average", tmp_path / "a", tmp_path / "a", "--shares", 1, "--out", tmp_path / "out") == 2
    assert "--shares wants a number for each run: 2, not 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_archive_is_the_run_in_half_precision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every number is the nearest of 16 bits, vocabulary and configuration are the same, and it is half as
    large; a folder that is there and weights that are too large are refused."""
    before = written(tmp_path / "a", 0)

    assert run("archive", tmp_path / "a", tmp_path / "deep" / "half") == 0

    kept = safetensors.torch.load_file(tmp_path / "deep/half/weights.safetensors")
    for name, value in kept.items():
        expected = before[name].numpy()
        expected = expected.astype(np.float16) if value.is_floating_point() else expected
        np.testing.assert_array_equal(value.numpy(), expected, name)
    (_, *mine), (_, *theirs) = load_run(tmp_path / "a"), load_run(tmp_path / "deep" / "half")
    assert mine == theirs
    assert f"--trainer.initial {tmp_path / 'deep' / 'half'}" in capsys.readouterr().out
    with pytest.raises(RunError, match="half exists"):
        archive_run(tmp_path / "a", tmp_path / "deep" / "half")
    before["classifier.weight"][0, 0] = 1e6
    safetensors.torch.save_file(before, tmp_path / "a" / "weights.safetensors")
    with pytest.raises(RunError, match=r"classifier\.weight is too large for half precision"):
        archive_run(tmp_path / "a", tmp_path / "other")
