"""The shipped model made anew, in brief."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("lightning")

from inktex.data.dataset import read_dataset

ROOT = Path(__file__).parents[1]
CROHME = ROOT.parent / "shared/data/crohme"


def few(archive: Path, count: int, out: Path) -> Path:
    """Keep every so many of an archive's inks."""
    with zipfile.ZipFile(archive) as full, zipfile.ZipFile(out, "w") as part:
        names = sorted(name for name in full.namelist() if name.endswith(".inkml"))
        for name in names[:: len(names) // count]:
            part.writestr(name, full.read(name))
    return out


@pytest.mark.slow
@pytest.mark.skipif(not CROHME.is_dir(), reason="CROHME is not at hand")
def test_every_step_from_inks_to_a_model(tmp_path: Path) -> None:
    """With few inks and one epoch a training, the way ends in a model that reads; then all is done."""
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
    assert [line.split()[1] for line in first.stdout.splitlines() if line.startswith("inktex ")] == [
        *("import", "import", "import", "synthesize", "synthesize"),
        *["train"] * 6,
        "export",
    ]
    assert (again.returncode, again.stdout) == (0, "")
    photos = [read_dataset(tmp_path / f"out/photos{part}.parquet") for part in ("", "_held")]
    assert sorted(sample.id for part in photos for sample in part) == sorted(
        Path(name).stem for name in names
    )
    assert "D" in json.loads((tmp_path / "out/model/vocabulary.json").read_text())
    read = [sys.executable, "-m", "inktex.cli", "recognize", ROOT / "examples/pythagoras.png"]
    done = subprocess.run([*read, "--model", tmp_path / "out/model", "--width", "1"], check=False)
    assert done.returncode == 0
