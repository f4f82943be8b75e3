"""What docs/models.md promises: its commands run as they stand there, and it names all there is."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("pyarrow")

import yaml

from drawn_runs import formula
from inktex import cli
from inktex.data.dataset import write_dataset
from inktex.models.families import FAMILIES
from inktex.training.reading import read_config
from tiny_models import TINY

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)$.*?^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
TEXTS = ("xxxxxxxx", "xxxxx-xx", "xxxx+xxx", "xxxxxxx1", "xxxxx", "xxxxxx")  # soon learnt: x, and again x
CONFIGS = sorted(path.stem for path in (ROOT / "configs").glob("*.yaml"))


def run(line: str) -> None:
    """Run one command of the page, quietly; it must succeed."""
    program, *arguments = shlex.split(line)
    assert program == "inktex"
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
        code = cli.main(arguments)
    assert code == 0, f"{line}\n{printed.getvalue()}"


def data_set(path: Path, *splits: str) -> Path:
    """Write drawn formulas, the same in each split, as a Parquet file of pictures."""
    path.parent.mkdir(exist_ok=True)
    write_dataset(
        [
            dataclasses.replace(formula(f"{split}_{number}", text), split=split, ink=None, mathml=None)
            for split in splits
            for number, text in enumerate(TEXTS)
        ],
        path,
    )
    return path


def written(form: str, out: str, *splits: str) -> None:
    """Lay drawn formulas out as a data set of the field."""
    source = data_set(Path("drawn", f"{out}.parquet"), *splits)
    run(f"inktex export-data {source} {out} --format {form}")


def lay_out_json() -> None:
    """The folder ``data`` with train.json, eval.json and pictures."""
    written("json", "laid", "train", "eval")
    for file in Path("laid").iterdir():
        file.rename(Path("data", file.name))


def lay_out_can() -> None:
    """HME100K's folders, and pickled pictures beside their labels."""
    written("hme100k", "HME100K", "train")
    written("pickle", "datasets", "train")
    for file in Path("datasets").iterdir():
        file.rename(file.with_name("train_images.pkl" if file.suffix == ".pkl" else "train_labels.txt"))


LAYOUTS: dict[str, Callable[[], None]] = {
    "HMER V2.0 (WAP)": lambda: written("hmer", "crohme", "train", "test"),
    "Scale augmentation and drop attention": lay_out_json,
    "HMER-MTL, CoMER, BTTR": lambda: written("comer", "data.zip", "train", "2014"),
    "image-to-latex, pure and text-mixed formulas": lambda: (
        [written("im2latex", name, "train") for name in ("mixed", "pure")] and None
    ),
    "CAN": lay_out_can,
}


def shrink(config: Path, out: Path) -> None:
    """Write a configuration with a tiny network, small symbols, and few but long steps."""
    values = yaml.safe_load(config.read_text(encoding="utf-8"))
    family = read_config(config).family
    sizes = dataclasses.asdict(TINY[family])
    given = set(values) | set(values.get("model", {}))
    for key in ("max_length", "dropout"):  # what the command line or the file itself names
        if given & {key, "sequence_length", "max_len", "max_output_len"}:
            sizes.pop(key, None)
    values["model"] = {name: list(size) if isinstance(size, tuple) else size for name, size in sizes.items()}
    values["data"] |= {"symbol_px": 16, "workers": 0}
    for key in ("epochs", "max_epochs"):
        values.pop(key, None)
    values["trainer"] |= {"epochs": 20, "accelerator": "cpu", "validate_every": 20}
    values.pop("check_val_every_n_epoch", None)
    if values.get("optimizer", {}).get("name") == "sgd":
        values["learning_rate"] = 0.001
    out.write_text(yaml.safe_dump(values), encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with shrunken configurations, validation data and a picture."""
    monkeypatch.chdir(tmp_path)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    data_set(tmp_path / "data" / "val2013.parquet", "2013")
    (tmp_path / "configs").mkdir()
    for name in CONFIGS:
        shrink(ROOT / "configs" / f"{name}.yaml", tmp_path / "configs" / f"{name}.yaml")
    picture = formula("picture", "x-1").image
    assert picture is not None
    (tmp_path / "formula.png").write_bytes(picture)
    return tmp_path


def test_every_system_has_its_commands() -> None:
    """The sections with commands are the five systems'."""
    assert set(SECTIONS) == set(LAYOUTS)


@pytest.mark.parametrize("section", LAYOUTS)
def test_the_commands_of_a_system_run_as_they_stand(section: str, place: Path) -> None:
    """One after the other they succeed, and write the files that they name."""
    LAYOUTS[section]()
    for line in SECTIONS[section].splitlines():
        run(line)
        for out in re.findall(r"(?:-o|--out|--predictions|--page|--bad-cases|--counts) (\S+)", line):
            assert Path(out).exists(), f"{line}: {out}"


def test_every_configuration_is_named() -> None:
    """The table names the families and, with their fast companions, the files in configs/."""
    rows = [row for row in PAGE.splitlines() if row.startswith("| `")]
    named = {name for row in rows[: len(FAMILIES)] for name in re.findall(r"`(\w+)`", row.split("|")[-2])}

    assert [re.findall(r"`(\w+)`", row)[0] for row in rows[: len(FAMILIES)]] == [
        "inktex",
        "wap",
        "resnet_lstm",
        "hmer_mtl",
        "im2latex",
        "can",
    ]
    assert {name.removesuffix("_fast") for name in CONFIGS} == named - {"_fast"} - {
        name for name in named if name.endswith("_fast")
    }
