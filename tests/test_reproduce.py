"""The shipped model made anew, in brief."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("lightning")

from inktex.data.dataset import read_dataset
from inktex.training.folder import load_run
from inktex.training.reading import read_config

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import reproduce

CROHME = ROOT.parent / "shared/data/crohme"


def few(archive: Path, count: int, out: Path) -> Path:
    """Keep every so many of an archive's inks."""
    with zipfile.ZipFile(archive) as full, zipfile.ZipFile(out, "w") as part:
        names = sorted(name for name in full.namelist() if name.endswith(".inkml"))
        for name in names[:: len(names) // count]:
            part.writestr(name, full.read(name))
    return out


def test_each_stage_goes_on_from_the_one_before() -> None:
    """The stages are one chain: of one network, each from the weights or the mean before, on sets of the
    plan; a mean is of weights that are kept by then, and no set and no mean is made in vain."""
    sets, means = reproduce.read_plan()
    network = read_config(ROOT / "configs/inktex.yaml").model
    before, kept, used, averaged = None, set(), set(), []
    for file in reproduce.stage_files():
        config = read_config(file)
        assert config.model == network
        assert config.trainer.initial == before
        assert config.trainer.teacher in (None, before)
        before = f"runs/{file.stem}"
        options, kept = config.trainer, kept | {before}
        if options.keep_epochs:
            every, last = options.validate_every, options.epochs
            validated = {*range(every, last, every), last}
            kept |= {f"{before}/epochs/{epoch}.safetensors" for epoch in validated}
        used |= {Path(path).stem for path in config.data.extra}
        mean = f"{file.name[:2]}_mean"
        if mean in means:
            averaged.append(mean)
            before = f"runs/{mean}"
            words, _, shares = " ".join(means[mean]).partition(" --shares ")
            assert set(words.split()) <= kept
            assert len(shares.split()) in (0, len(words.split()))
            kept.add(before)
    assert used == set(sets)
    assert averaged == list(means)


@pytest.mark.parametrize("has_all", [True, False])
def test_what_is_not_at_hand_is_left_out_and_said(
    has_all: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With lists and photos a stage is run as it stands; without them their part is left out aloud."""
    labels, photos = (Path("/l.txt"), Path("/p.zip")) if has_all else (None, None)
    given = reproduce.Given(Path("t.zip"), Path("v.zip"), labels, photos, is_dry=False)
    file = reproduce.stage_files()[12]

    train = reproduce.training(file, read_config(file), given)
    words = reproduce.synthesis("data/flat12.parquet", reproduce.read_plan()[0]["flat12"], given)

    plain = ["train", "--config", str(file), "--out", "runs/13_photos", "--json", "runs/13_photos.json"]
    less = [*plain[:5], "--data.train", '["data/train.parquet"]', *plain[5:]]
    assert train == (plain if has_all else less)
    listed = ["--labels", "/l.txt", "--listed", "0.75"] if has_all else []
    assert words[3:] == ["--count", "60000", "--seed", "73", *listed, "--rename", "0.2"]
    assert ("no photos are at hand" in capsys.readouterr().out) is not has_all


@pytest.mark.slow
@pytest.mark.skipif(not CROHME.is_dir(), reason="CROHME is not at hand")
def test_every_step_from_inks_to_a_model(tmp_path: Path) -> None:
    """With few inks and one epoch a training, all stages end in a model that reads; then all is done."""
    inks = few(CROHME / "inkml_train.zip", 80, tmp_path / "train.zip")
    validation = few(CROHME / "inkml_test2013.zip", 5, tmp_path / "2013.zip")
    labels = tmp_path / "labels.txt"
    labels.write_text("x=2\nx^2\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        names = [f"{number}.png" for number in range(10)]
        archive.writestr("labels.txt", "".join(f"{name}\ta ^ {{ 2 }} = D\n" for name in names))
        for name in names:
            archive.write(ROOT / "examples/pythagoras.png", f"images/{name}")
    script = [
        sys.executable,
        ROOT / "benchmarks/reproduce.py",
        inks,
        validation,
        tmp_path / "out",
        *("--labels", labels, "--photos", tmp_path / "photos.zip"),
        "--dry-run",
    ]

    first, again = (subprocess.run(script, capture_output=True, text=True, check=False) for _ in range(2))

    assert first.returncode == 0, first.stderr
    assert "2 of 2 expressions can be written" in first.stdout
    made = [line.split() for line in first.stdout.splitlines() if line.startswith("inktex ")]
    assert [words[3] for words in made if words[1] == "train"] == [
        str(file) for file in reproduce.stage_files()
    ]
    sets, means = reproduce.read_plan()
    others = Counter(words[1] for words in made if words[1] != "train")
    assert others == {"import": 3, "synthesize": len(sets), "average": len(means), "archive": 1, "export": 1}
    assert (again.returncode, again.stdout) == (0, "")
    assert (
        load_run(tmp_path / "out/checkpoint")[1].tokens == load_run(tmp_path / "out/runs/13_mean")[1].tokens
    )
    photos = [read_dataset(tmp_path / f"out/data/photos{part}.parquet") for part in ("", "_held")]
    assert sorted(sample.id for part in photos for sample in part) == sorted(
        Path(name).stem for name in names
    )
    assert "D" in json.loads((tmp_path / "out/model/vocabulary.json").read_text())
    read = [sys.executable, "-m", "inktex.cli", "recognize", ROOT / "examples/pythagoras.png"]
    done = subprocess.run([*read, "--model", tmp_path / "out/model", "--width", "1"], check=False)
    assert done.returncode == 0
