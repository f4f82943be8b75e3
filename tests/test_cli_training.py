"""``inktex train`` and ``inktex export``: what they print, write and return."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from drawn import png, scribble
from inktex import cli
from inktex.data.dataset import Sample, write_dataset

pytest.importorskip("lightning")

from inktex.models.families import FAMILIES

SOURCE = str(Path(cli.__file__).parents[1])
TINY = """\
model: {channels: [4, 4, 8], blocks: [1, 1, 1], width: 16, layers: 2, heads: 2, feed_forward: 16}
data: {train: [data.parquet], validation: data.parquet, workers: 0}
trainer: {epochs: 2, precision: 32-true, accelerator: cpu, validate_every: 1}
"""


def run(*arguments: str | Path) -> int:
    """Run a command line in this process."""
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set of twelve drawn formulas and a configuration."""
    folder = tmp_path_factory.mktemp("training")
    samples = [
        Sample(f"s{seed}", "", "", tuple("abc"[: 1 + seed % 3]), png(scribble(seed, 2)), scribble(seed, 2))
        for seed in range(12)
    ]
    write_dataset(samples, folder / "data.parquet")
    (folder / "tiny.yaml").write_text(TINY)
    return folder


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """A finished run of one epoch."""
    done = process(place, "train", "--config", "tiny.yaml", "--out", "run", "--trainer.epochs", "1")
    assert done.returncode == 0, done.stderr
    (place / "said.txt").write_text(done.stdout)
    return place / "run"


def process(place: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command line in a process of its own, since training changes the threads of a process."""
    return subprocess.run(
        [sys.executable, "-m", "inktex.cli", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        cwd=place,
        timeout=600,
        check=False,
    )


def check_refused(code: int, err: str, *named: str) -> None:
    """Hold a refused command line against the rule: code 2, one line on stderr that names the thing."""
    assert code == 2
    assert err.startswith("inktex: error: ")
    assert err.count("\n") == 1
    assert all(name in err for name in named), err


@pytest.mark.slow
def test_a_run_trains_resumes_exports_and_reads(place: Path, trained: Path) -> None:
    """The printed commands lead from a run to a model that reads a picture; a run can go on for longer."""
    said = (place / "said.txt").read_text()
    assert said.startswith("run: ")
    assert "val/exprate" in said
    export, recognize = (line.split()[1:] for line in said.splitlines()[2:])
    (place / "x.png").write_bytes(png(scribble(0)))

    assert process(place, *export, "--json", "export.json").returncode == 0
    read = process(place, *recognize[:-1], "x.png")
    more = process(place, "train", "--resume", "run", "--trainer.epochs", "2", "--json", "more.json")

    assert (read.returncode, read.stdout.count("\n")) == (0, 1), read.stderr
    figures = json.loads((place / "export.json").read_text())
    assert figures["bytes"] == sum(file.stat().st_size for file in (place / "run" / "bundle").iterdir())
    metadata = json.loads((place / "run" / "bundle" / "model.json").read_text())
    assert metadata["training"]["config"]["data"] == {
        "train": ["data.parquet"],
        "extra": [],
        "extra_per_epoch": 10_000,
        "fresh_per_epoch": 0,
        "labels": None,
        "vocabulary": None,
        "validation": "data.parquet",
        "workers": 0,
        "symbol_px": 16.0,
    }
    assert metadata["options"]["channels"] == [4, 4, 8]
    assert "val/exprate" in metadata["training"]["metrics"]
    assert more.returncode == 0, more.stderr
    figures = json.loads((place / "more.json").read_text())
    assert figures["run"] == "run"
    assert 0 <= figures["val/exprate"] <= 100
    assert "epochs: 2" in (trained / "config.yaml").read_text()


@pytest.mark.slow
def test_export_replaces_only_when_told(place: Path, trained: Path, capsys) -> None:
    """A model that is there is left alone without ``--force``; a folder of other things always is."""
    out, other = place / "model", place / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    assert run("export", trained, out, "--weights", "float32", "--licence", "MIT") == 0
    before = (out / "model.json").read_bytes()
    capsys.readouterr()

    for folder, force in ((out, []), (other, []), (other, ["--force"])):
        code = run("export", trained, folder, *force)
        check_refused(code, capsys.readouterr().err, str(folder))
    assert (out / "model.json").read_bytes() == before
    assert json.loads(before)["licence"] == "MIT"
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]

    check_refused(
        run("export", trained, out, "--force", "--second-look", 9, 0.2), capsys.readouterr().err, "9"
    )
    assert run("export", trained, out, "--force", "--second-look", 1.5, 0.2) == 0
    after = json.loads((out / "model.json").read_text())
    assert after["weights"] == "int8"
    assert (after["second_look"]["scale"], after["second_look"]["below"]) == (1.5, 0.2)
    chosen = ("--width", 2, "--prune", 0, "--rescore-above", 0.1, "--second-look-bounds", 0.01, 9, 25)
    assert run("export", trained, out, "--force", "--second-look", 1.5, 0.2, *chosen) == 0
    after = json.loads((out / "model.json").read_text())
    assert [after["search"][key] for key in ("width", "prune", "rescore_above")] == [2, 0.0, 0.1]
    assert [after["second_look"][key] for key in ("at_least", "max_tokens", "max_symbols")] == [0.01, 9, 25.0]
    for wrong in (("--prune", 1), ("--width", 0), ("--second-look-bounds", 0.01, "inf", 25)):
        code = run("export", trained, out, "--force", "--second-look", 1.5, 0.2, *wrong)
        check_refused(code, capsys.readouterr().err, "cannot be exported so")


def test_examples_for_8_bits_are_read_or_named(place: Path, trained: Path, tmp_path: Path, capsys) -> None:
    """A data set is taken, and one that is missing or shows nothing is refused before anything is written."""
    blank = tmp_path / "blank.parquet"
    write_dataset([Sample("s", "", "", ("a",), b"no picture", None)], blank)
    out = tmp_path / "model"

    for data in (blank, tmp_path / "missing.parquet"):
        check_refused(run("export", trained, out, "--eight-bit", data), capsys.readouterr().err, str(data))
        assert not out.exists()
    assert run("export", trained, out, "--eight-bit", place / "data.parquet") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("config.yaml", None),
        ("vocabulary.json", None),
        ("weights.safetensors", None),
        ("config.yaml", b"model: [1"),
        ("vocabulary.json", b'["x'),
        ("weights.safetensors", b"\x00" * 40),
        ("log/version_0/metrics.csv", b"epoch,step\n0,19,0.5\n"),
    ],
)
def test_a_run_cut_short_is_not_exported(
    name: str, damage: bytes | None, trained: Path, tmp_path: Path, capsys
) -> None:
    """A run folder with a file missing or damaged is named, and no model is written."""
    broken = tmp_path / "run"
    (broken / "log" / "version_0").mkdir(parents=True)
    for file in trained.iterdir():
        if file.is_file():
            (broken / file.name).write_bytes(file.read_bytes())
    (broken / name).unlink(missing_ok=True)
    if damage is not None:
        (broken / name).write_bytes(damage)

    code = run("export", broken, tmp_path / "model")

    check_refused(code, capsys.readouterr().err, str(broken))
    assert not (tmp_path / "model").exists()


def test_a_model_names_files_and_not_where_they_were(trained: Path, tmp_path: Path) -> None:
    """Of the weights that a run began with or learnt from, a model keeps the names without folders."""
    copy = tmp_path / "run"
    copy.mkdir()
    for name in ("config.yaml", "vocabulary.json", "weights.safetensors"):
        (copy / name).write_bytes((trained / name).read_bytes())
    text = (copy / "config.yaml").read_text()
    for key in ("initial", "imagenet", "teacher"):
        text = text.replace(f"  {key}: null", f"  {key}: /home/me/{key}.pt")
    (copy / "config.yaml").write_text(text)

    assert run("export", copy, tmp_path / "model") == 0

    metadata = (tmp_path / "model" / "model.json").read_text()
    kept = json.loads(metadata)["training"]["config"]["trainer"]
    assert [kept[key] for key in ("initial", "imagenet", "teacher")] == [
        "initial.pt",
        "imagenet.pt",
        "teacher.pt",
    ]
    assert "/home" not in metadata


@pytest.mark.slow
@pytest.mark.parametrize("size", [None, 0, 1000])
def test_a_run_without_a_sound_checkpoint_is_not_resumed(
    size: int | None, place: Path, trained: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    """Resuming from a checkpoint that is missing, empty or cut short is refused in one sentence."""
    monkeypatch.chdir(place)
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    for name in ("config.yaml", "vocabulary.json"):
        (tmp_path / "run" / name).write_bytes((trained / name).read_bytes())
    if size is not None:
        data = (trained / "checkpoints" / "last.ckpt").read_bytes()[:size]
        (tmp_path / "run" / "checkpoints" / "last.ckpt").write_bytes(data)

    check_refused(run("train", "--resume", tmp_path / "run"), capsys.readouterr().err, "last.ckpt")


@pytest.mark.slow
def test_ctrl_c_leaves_a_run_that_can_go_on(place: Path) -> None:
    """An interrupted training ends with code 130, says how to go on, and can."""
    arguments = ["train", "--config", "tiny.yaml", "--out", "long", "--trainer.epochs", "100000"]
    training = subprocess.Popen(
        [sys.executable, "-m", "inktex.cli", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        cwd=place,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored under nohup
    )
    checkpoint = place / "long" / "checkpoints" / "last.ckpt"
    for _ in range(3000):
        if checkpoint.is_file() or training.poll() is not None:
            break
        time.sleep(0.1)
    training.send_signal(signal.SIGINT)
    try:
        err = training.communicate(timeout=300)[1]
    finally:
        training.kill()

    assert training.returncode == 130, err
    assert "inktex train --resume long" in err
    assert err.endswith("inktex: interrupted\n")
    assert "Traceback" not in err
    assert process(place, "export", "long", "long-model").returncode == 0


CONFIGURATIONS: dict[str, tuple[str, str]] = {
    "an unknown key": ("modle: {layers: 2}", "modle"),
    "an unknown key of a section": ("model: {layer: 2}", "model.layer"),
    "a word for a number": ("model: {layers: two}", "model.layers"),
    "too few numbers": ("model: {channels: [1, 2]}", "model.channels"),
    "a value that is not allowed": ("trainer: {epochs: 0}", "trainer.epochs"),
    "an unknown family": ("family: magic", "family"),
    "a section that is a number": ("model: 3", "model"),
    "a list": ("- model", "bad.yaml"),
    "no YAML": ("model: [1", "bad.yaml"),
    "no text": ("\udcff", "bad.yaml"),
    "no data": ("model: {layers: 2}", "data.train"),
    "missing data": ("data: {train: [nowhere.parquet]}", "nowhere.parquet"),
    "nothing at all": ("", "data.train"),
}


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_a_bad_configuration_is_named(kind: str, tmp_path: Path, capsys, monkeypatch) -> None:
    """One line names what is wrong with a configuration, and no run folder is left."""
    text, named = CONFIGURATIONS[kind]
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_bytes(text.encode(errors="surrogateescape"))

    code = run("train", "--config", "bad.yaml", "--out", "run")

    check_refused(code, capsys.readouterr().err, named)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


def test_unknown_keys_come_with_the_known_ones(tmp_path: Path, capsys) -> None:
    """A misspelt key, in the file or on the command line, is answered by the keys there are."""
    (tmp_path / "bad.yaml").write_text("model: {layer: 2}")
    run("train", "--config", tmp_path / "bad.yaml")
    assert "channels, blocks, width, layers, " in capsys.readouterr().err

    check_refused(run("train", "--model.layer", "2"), err := capsys.readouterr().err, "--model.layer;")
    assert "--model.layers" in err
    assert "--trainer" not in err
    check_refused(run("train", "--modle.layers", "2"), err := capsys.readouterr().err, "--modle.layers;")
    assert "--model.*" in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--config"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--config", "."], "directory"),
        (["--config", "tiny.yaml", "--model.layers", "two"], "model.layers"),
        (["--config", "tiny.yaml", "--model.layers"], "--model.layers"),
        (["--config", "tiny.yaml", "--out", "."], "."),
        (["--config", "tiny.yaml", "--json", "no/such"], "no/such"),
        (["--resume", "nowhere"], "nowhere"),
        (["--resume", "nowhere", "--config", "tiny.yaml"], "--config"),
        (["--resume", "nowhere", "--out", "x"], "--out"),
        (["--resume", "nowhere", "--model.layers", "3"], "model.layers"),
        (["--resume", "nowhere", "--batch_size", "3"], "batch_size"),
        (["--resume", "nowhere", "--epochs", "3"], "config.yaml"),
        (["--config", "tiny.yaml", "--epochs", "3", "--trainer.epochs", "4"], "trainer.epochs"),
        (["--config", "tiny.yaml", "--family", "can"], "of the family can"),
    ],
)
def test_bad_arguments_of_train_are_named(
    arguments: list[str], named: str, place: Path, capsys, monkeypatch
) -> None:
    """What is wrong with the command line is named, and nothing is written."""
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))

    code = run("train", *arguments)

    check_refused(code, capsys.readouterr().err, named)
    assert sorted(place.rglob("*")) == before


def test_help_explains_every_key(capsys) -> None:
    """The help of ``train`` lists each key of the configuration with its meaning and default, those of models
    by family, and the short keys with what they mean."""
    assert run("train", "--help") == 0

    text = " ".join(capsys.readouterr().out.split())
    assert "usage: inktex train --config FILE" in text
    assert (
        "--model.layers VALUE decoder layers; coverage refines the attention of all but the first. " in text
    )
    assert "--trainer.epochs VALUE passes over the training data. (default: " in text
    assert "--batch_size VALUE the same as --batch.pictures" in text
    sections = text.split("model, if the family is ")[1:]
    assert {section.split(":")[0] for section in sections} == set(FAMILIES)
    for section in sections:
        kind = FAMILIES[section.split(":")[0]].options
        own = section.split(" data: ")[0]
        assert re.findall(r"--model\.(\w+) VALUE", own) == [field.name for field in dataclasses.fields(kind)]


def test_defaults_files_and_overrides_come_in_that_order(tmp_path: Path) -> None:
    """A key on the command line beats the file, the file beats the default."""
    from inktex.training.reading import read_config

    (tmp_path / "a.yaml").write_text("model: {layers: 3, heads: 8}\noptimizer: {learning_rate: 1e-2}\n")

    changes = {"model.layers": "5", "trainer.compile": "true", "data.train": "[a.parquet, b.parquet]"}
    config = read_config(tmp_path / "a.yaml", changes)

    assert (config.model.layers, config.model.heads, config.model.width) == (5, 8, 256)
    assert config.optimizer.learning_rate == 0.01
    assert config.trainer.compile is True
    assert config.data.train == ("a.parquet", "b.parquet")


ON_TWO = """\
batch_size: 2
model: {channels: [4, 4, 8], blocks: [1, 1, 1], width: 16, layers: 2, heads: 2, feed_forward: 16, dropout: 0}
data: {train: [data.parquet], workers: 0}
augment: {strength: 0}
objective: {symbol_map: 0}
optimizer: {name: sgd, learning_rate: 0.1, schedule: constant, averaging: 0}
trainer: {epochs: 2, precision: 32-true, accelerator: cpu, devices: 1}
"""


@pytest.mark.slow
def test_two_processes_learn_what_one_does_of_twice_the_batches(place: Path) -> None:
    """Two processes of one batch each make the updates of one process that accumulates two, and write one
    run; a head that no loss reads is no hindrance."""
    from safetensors.numpy import load_file

    (place / "two.yaml").write_text(ON_TWO)
    command = ("train", "--config", "two.yaml")

    alone = process(place, *command, "--out", "alone", "--optimizer.accumulate", "2")
    together = process(place, *command, "--out", "together", "--gpus", "2")

    assert (alone.returncode, together.returncode) == (0, 0), alone.stderr + together.stderr
    assert together.stdout.count("to use it:") == 1
    one, two = (load_file(place / run / "weights.safetensors") for run in ("alone", "together"))
    for name, weight in one.items():
        if "running" not in name and "tracked" not in name:  # those are of the first process alone
            np.testing.assert_allclose(two[name], weight, atol=1e-5, err_msg=name)
