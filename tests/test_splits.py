"""Training, validation and test of one file are not mixed."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from drawn import png, scribble
from inktex import cli
from inktex.data.dataset import Sample, read_dataset, write_dataset
from inktex.data.splits import take_split, usual_part
from inktex.errors import DataError


def run(*arguments: str | Path) -> int:
    """Run a command line in this process."""
    return cli.main([str(argument) for argument in arguments])


def of_splits(*splits: str) -> list[Sample]:
    """Return a sample of each split; ids are unique, and tell the place."""
    return [
        Sample(str(place), split, "", ("a",), png(scribble(place)), None)
        for place, split in enumerate(splits)
    ]


def ids(samples: list[Sample]) -> list[str]:
    return [sample.id for sample in samples]


@pytest.mark.parametrize(
    ("splits", "taken"),
    [
        (["train", "test", "train"], ["0", "2"]),
        (["2013", "2013"], ["0", "1"]),
        (["", ""], ["0", "1"]),
        ([], []),
        (["", "train"], ["1"]),
    ],
)
def test_of_several_splits_the_usual_one_is_taken(splits: list[str], taken: list[str]) -> None:
    """A single split counts whatever its name; of several it is the one that is meant."""
    assert ids(usual_part(of_splits(*splits), "a.parquet", "train")) == taken


def test_a_split_that_is_not_there_is_named_with_those_that_are() -> None:
    """Several splits without the one that is meant, and a split that was asked for in vain: one sentence."""
    samples = of_splits("2014", "", "2016", "2014")
    expected = r"^a.parquet has no split 'train'; it has 2014, rows without a split, 2016$"

    for take in (usual_part, take_split):
        with pytest.raises(DataError, match=expected):
            take(samples, "a.parquet", "train")
    with pytest.raises(DataError, match=r"it has 2014$"):
        take_split(samples[:1], "a.parquet", "train")


def test_evaluation_reads_one_split(tiny_bundle: Path, tmp_path: Path, capsys) -> None:
    """Several splits are refused unless one is named; the limit counts within it."""
    path, figures = tmp_path / "all.parquet", tmp_path / "a.json"
    write_dataset(of_splits("train", "2014", "train", "2014", "2014"), path)
    command = ["evaluate", path, "--model", tiny_bundle, "--json", figures]

    assert run(*command) == 2
    assert capsys.readouterr().err == (
        f"inktex: error: {path} has several splits, name one with --split: train, 2014\n"
    )
    assert run(*command, "--split", "2016") == 2
    assert "it has train, 2014" in capsys.readouterr().err
    assert not figures.exists()
    for limit, expected in (("9", ["1", "3", "4"]), ("2", ["1", "3"])):
        assert run(*command, "--split", "2014", "--limit", limit) == 0
        assert [item["id"] for item in json.loads(figures.read_text())["items"]] == expected


def test_describe_tells_of_several_splits(tmp_path: Path, capsys) -> None:
    """What holds several splits says who takes which; what holds one does not."""
    for splits, told in ((("train", "2014"), True), (("2014", "2014"), False)):
        write_dataset(of_splits(*splits), tmp_path / "data.parquet")
        assert run("describe", tmp_path / "data.parquet") == 0
        assert ("--split" in capsys.readouterr().out) is told


def test_a_run_trains_on_train_and_validates_on_val(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of one file of four splits a run takes two, for real and extra samples alike, and says so."""
    pytest.importorskip("lightning")
    from drawn_runs import formula, tiny_config
    from inktex.training.folder import load_run
    from inktex.training.run import train

    path = tmp_path / "all.parquet"
    texts = {"train": ("1+x", "x-1", "x", "1-1+x"), "val": ("1+1", "x"), "test": ("v",), "": ("vv",)}
    rows = [
        dataclasses.replace(formula(f"{split}{number}", text), split=split)
        for split, each in texts.items()
        for number, text in enumerate(each)
    ]
    write_dataset(rows, path)
    wanted = tiny_config(path, validation=True, epochs=1, validate_every=1)
    data = dataclasses.replace(wanted.data, extra=(str(path),), extra_per_epoch=2)

    with caplog.at_level(logging.INFO, "inktex"):
        train(dataclasses.replace(wanted, data=data), tmp_path / "run")

    assert set(load_run(tmp_path / "run")[1].tokens[3:]) == {"1", "x", "+", "-"}
    for line in (
        *("4 training samples", "4 extra training samples", "2 validation pictures"),
        f"{path}: 4 of 8 samples, those of the split train",
        f"{path}: 2 of 8 samples, those of the split val",
    ):
        assert line in caplog.messages


def test_ink_of_the_test_is_not_synthesized_with(tmp_path: Path) -> None:
    """Of several splits only the ink of train is cut up."""
    from drawn_runs import formula

    rows = [
        dataclasses.replace(formula(f"{split}{text}", text), split=split)
        for split, text in (("train", "1+x"), ("train", "x-1"), ("test", "v+v"))
    ]
    write_dataset(rows, tmp_path / "all.parquet")

    out = tmp_path / "cut.parquet"
    assert run("synthesize", tmp_path / "all.parquet", out, "--decompose", "--least", 1, "--count", 5) == 0

    assert {token for sample in read_dataset(out) for token in sample.tokens} == {"1", "x", "+", "-"}
