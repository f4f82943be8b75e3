"""Small drawn data sets under the names that the documents use, and networks small enough for them."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import io
import zipfile
from pathlib import Path

import yaml

from drawn_runs import formula
from inktex import cli
from inktex.data.dataset import write_dataset
from inktex.ink.inkml import InkDocument, write_inkml
from inktex.training.reading import read_config
from tiny_models import TINY

TEXTS = ("xxxxxxxx", "xxxxx-xx", "xxxx+xxx", "xxxxxxx1", "xxxxx", "xxxxxx")
INKS = ("inkml_train", "inkml_test2013", "inkml_test2014")
LABELS = ("x-1", "1+x", "x-x", "11-1")
# Name -> format of ``inktex export-data`` and splits.
PICTURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "offline.zip": ("comer", ("train", "2014")),
    "data.zip": ("comer", ("train", "2014")),
    "crohme": ("hmer", ("train", "test")),
    "json": ("json", ("train", "eval")),
    "mixed": ("im2latex", ("train", "val", "test")),
    "pure": ("im2latex", ("train", "val", "test")),
    "HME100K": ("hme100k", ("train",)),
    "hme100k_sample.zip": ("hme100k", ("train",)),
    "mine": ("text", ("train", "val", "test")),
}
PICKLES = {"datasets": ("train", "14_test")}


def run(*arguments: str | Path) -> str:
    """Run a command in this process, quietly, and return what it printed; it must succeed."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
        code = cli.main([str(argument) for argument in arguments])
    assert code == 0, f"inktex {' '.join(map(str, arguments))}\n{printed.getvalue()}"
    return printed.getvalue()


def write_pictures(path: Path, *splits: str) -> Path:
    """Write drawn formulas, the same in each split, as a Parquet file of pictures."""
    write_dataset(
        [
            dataclasses.replace(formula(f"{split}_{number}", text), split=split, ink=None, mathml=None)
            for split in splits
            for number, text in enumerate(TEXTS)
        ],
        path,
    )
    return path


def write_inks(path: Path) -> None:
    """Write drawn formulas as an archive of InkML with symbols and MathML, as CROHME has them."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, text in enumerate((*TEXTS, *LABELS)):
            sample = formula(f"{path.stem}_{number}", text)
            assert sample.ink is not None
            document = InkDocument(sample.ink, sample.id, f"${text}$", sample.mathml)
            archive.writestr(f"{sample.id}.inkml", write_inkml(document))


def lay_out_sets(folder: Path) -> Path:
    """Write all data sets that the documents name into a folder."""
    drawn = folder / "drawn.parquet"
    for name in INKS:
        write_inks(folder / f"{name}.zip")
    for name, (form, splits) in PICTURES.items():
        run("export-data", write_pictures(drawn, *splits), folder / name, "--format", form)
    for name, splits in PICKLES.items():
        (folder / name).mkdir()
        for split in splits:
            out = folder / f"{name}_{split}"
            run("export-data", write_pictures(drawn, "train"), out, "--format", "pickle")
            for file in out.iterdir():
                kind = "images.pkl" if file.suffix == ".pkl" else "labels.txt"
                file.rename(folder / name / f"{split}_{kind}")
            out.rmdir()
    drawn.unlink()
    (folder / "raw.txt").write_text("".join(f"{label}\n" for label in LABELS), encoding="utf-8")
    lines = "".join(f"{number}\t{' '.join(label)}\n" for number, label in enumerate(LABELS * 2))
    (folder / "mixed_labels.txt.gz").write_bytes(gzip.compress(lines.encode()))
    return folder


def shrink(config: Path, out: Path) -> None:
    """Write a configuration with a tiny network of the same family, small symbols and no workers."""
    values = yaml.safe_load(config.read_text(encoding="utf-8"))
    family = read_config(config).family
    sizes = dataclasses.asdict(TINY[family])
    given = set(values) | set(values.get("model", {}))
    for key in ("max_length", "dropout"):  # what the command line or the file itself names
        if given & {key, "sequence_length", "max_len", "max_output_len"}:
            sizes.pop(key, None)
    values["model"] = {name: list(size) if isinstance(size, tuple) else size for name, size in sizes.items()}
    values["data"] |= {"symbol_px": 16, "workers": 0}
    values["trainer"] |= {"accelerator": "cpu"}
    if values.get("optimizer", {}).get("name") == "sgd":
        values["learning_rate"] = 0.001
    out.write_text(yaml.safe_dump(values), encoding="utf-8")
