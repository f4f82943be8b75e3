"""The shipped model anew from CROHME's InkML files, by the stages in configs/stages: what was run, in order.

python benchmarks/reproduce.py inkml_train.zip inkml_test2013.zip FOLDER [--labels FILE] [--photos SOURCE]
    [--dry-run]

Each stage is a file of its own and is run as it stands. configs/stages/plan.yaml has the synthetic ink and
the means of weights between them. Everything is written to FOLDER, in which the commands run. What an
interrupted call has made is not made again, and its training goes on where it stood.

``--labels`` is a file of LaTeX, an expression a line; its labels are written with synthetic ink. ``--photos``
are photographed expressions, as ``inktex import`` takes them; four fifths are learnt from. Without them their
part is left out, and said to be. What comes out is a model like the one that ships, not the same numbers: its
lists and photos are other people's, floating point differs from machine to machine, and synthesis and drawing
have changed since the first stages. On two CPU cores it takes some twenty hours.

``--dry-run`` goes the same way with a few expressions, a small network and one epoch a training, in a minute
or two. It leaves out the calibration, for which a few are too few.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import yaml

from inktex import cli
from inktex.data.dataset import read_dataset, write_dataset
from inktex.errors import LatexError
from inktex.latex.normalize import normalize
from inktex.training.config import TrainConfig
from inktex.training.reading import read_config
from record import ROOT

STAGES = ROOT / "configs" / "stages"
TRAIN, VALIDATION, PHOTOS, LABELS = (
    f"data/{name}" for name in ("train.parquet", "val2013.parquet", "photos.parquet", "labels.txt")
)
FEW, FEWER = 12, 1  # expressions of a dry run, for training and for validation
OFTEN = 5  # photos that a symbol must be on to become one of the model's, unless it is a letter
HELD_BACK = 5  # of so many photos one is held back
EXPORTED = ("--licence", "CC BY-NC-SA 4.0", "--second-look", "1.35", "0.4", "--eight-bit", TRAIN)
DRY = {  # a small network, briefly
    "model.channels": "[8, 16, 32]",
    "model.blocks": "[1, 1, 1]",
    "model.width": 32,
    "model.feed_forward": 64,
    "model.max_length": 40,
    "data.extra_per_epoch": FEW,
    "data.workers": 0,
    "trainer.epochs": 1,
    "trainer.validate_every": 1,
    "batch.growing_epochs": 0,
}


class Step(NamedTuple):
    """One command, and what there is once it is done."""

    done: Path
    command: list[str]


class Given(NamedTuple):
    """What is at hand."""

    train: Path
    validation: Path
    labels: Path | None
    photos: Path | None
    is_dry: bool


def choose_photos(imported: Path, train: Path, out: Path) -> None:
    """Write the photos that are learnt from, their labels normalised, and beside them those held back.

    Symbols are those of the ink, all letters, and what is on at least ``OFTEN`` photos.
    """
    known = {token for sample in read_dataset(train) for token in sample.tokens}
    photos = []
    for sample in read_dataset(imported):
        with contextlib.suppress(LatexError):
            tokens = normalize(" ".join(sample.tokens).replace("qslant", "q"))
            photos.append(replace(sample, tokens=tuple(tokens)))
    counts = Counter(token for sample in photos for token in set(sample.tokens))
    known |= {
        token for token, count in counts.items() if count >= OFTEN or (token.isascii() and token.isalpha())
    }
    chosen = [sample for sample in photos if known.issuperset(sample.tokens)]
    held = [zlib.crc32(sample.id.encode()) % HELD_BACK == 0 for sample in chosen]
    write_dataset(
        [sample for sample, is_held in zip(chosen, held, strict=True) if is_held],
        out.with_stem(f"{out.stem}_held"),
    )
    write_dataset([sample for sample, is_held in zip(chosen, held, strict=True) if not is_held], out)


def stage_files() -> list[Path]:
    """Return the files of the stages in order."""
    return sorted(STAGES.glob("[0-9]*.yaml"))


def read_plan() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the words of ``inktex synthesize`` for each set, and of ``inktex average`` for each mean."""
    plan = yaml.safe_load((STAGES / "plan.yaml").read_text(encoding="utf-8"))
    sets, means = (
        {name: shlex.split(words) for name, words in plan[part].items()} for part in ("sets", "means")
    )
    return sets, means


def steps(given: Given) -> Iterator[Step]:
    """Yield all steps; each must be done before the next is asked for."""
    sets, means = read_plan()
    yield Step(Path(TRAIN), ["import", str(given.train), TRAIN])
    yield Step(Path(VALIDATION), ["import", str(given.validation), VALIDATION])
    if given.photos is not None:
        imported = Path("data/photos_imported.parquet")
        yield Step(imported, ["import", str(given.photos), str(imported)])
        if not Path(PHOTOS).exists():
            choose_photos(imported, Path(TRAIN), Path(PHOTOS))
    last = ""
    for file in stage_files():
        config = read_config(file)
        for path in config.data.extra:
            yield Step(Path(path), synthesis(path, sets[Path(path).stem], given))
        last = f"runs/{file.stem}"
        yield Step(Path(f"{last}.json"), training(file, config, given))
        mean = f"{file.stem.partition('_')[0]}_mean"
        if mean in means:
            last = f"runs/{mean}"
            yield Step(Path(last), averaging(means[mean], last, given))
    yield Step(Path("checkpoint"), ["archive", last, "checkpoint"])
    yield Step(Path("model"), ["export", last, "model", *EXPORTED])
    if not given.is_dry:
        yield Step(Path("calibrated.json"), ["calibrate", "model", VALIDATION, "--json", "calibrated.json"])


def synthesis(path: str, words: list[str], given: Given) -> list[str]:
    """Return the command that makes a set of synthetic ink, without labels where there is no list of them."""
    words = list(words)
    if LABELS in words:
        if given.labels is None:
            print(f"{path}: no list of labels is at hand (--labels), so those of the ink are written")
            for option in ("--labels", "--listed"):
                place = words.index(option)
                del words[place : place + 2]
        else:
            words[words.index(LABELS)] = str(given.labels)
    if given.is_dry:
        words[words.index("--count") + 1] = str(FEW)
    return ["synthesize", TRAIN, path, *words]


def training(file: Path, config: TrainConfig, given: Given) -> list[str]:
    """Return the command that runs a stage, or goes on with it."""
    run = f"runs/{file.stem}"
    json = ["--json", f"{run}.json"]
    if Path(run, "checkpoints", "last.ckpt").is_file():
        return ["train", "--resume", run, *json]
    changes: dict[str, object] = dict(DRY) if given.is_dry else {}
    if PHOTOS in config.data.train and given.photos is None:
        print(f"{run}: no photos are at hand (--photos), so it learns from ink alone")
        left = [path for path in config.data.train if path != PHOTOS]
        changes["data.train"] = "[" + ", ".join(f'"{path}"' for path in left) + "]"
    words = [word for key, value in changes.items() for word in (f"--{key}", str(value))]
    return ["train", "--config", str(file), "--out", run, *words, *json]


def averaging(words: list[str], out: str, given: Given) -> list[str]:
    """Return the command that makes a mean; a dry run has one epoch of each training."""
    if given.is_dry:
        words = [re.sub(r"/epochs/\d+\.", "/epochs/1.", word) for word in words]
    return ["average", *words, "--out", out]


def run(command: list[str], given: Given) -> int:
    """Run a command; those of a dry run in this process, which saves most of their time."""
    print(f"inktex {shlex.join(command)}", flush=True)
    if given.is_dry:
        return cli.main(command)
    return subprocess.run([sys.executable, "-m", "inktex.cli", *command], check=False).returncode


def main() -> int:
    """Take every step that is not done yet; return the exit code of the first that fails, or 0."""
    parser = argparse.ArgumentParser(description="Make the shipped model anew.")
    parser.add_argument("train", type=Path, help="CROHME's training inks, a zip of InkML files")
    parser.add_argument("validation", type=Path, help="those of the test of 2013")
    parser.add_argument("folder", type=Path, help="for all that is made")
    parser.add_argument("--labels", type=Path, help="LaTeX to write besides, an expression a line")
    parser.add_argument("--photos", type=Path, help="photographed expressions with labels, to learn from too")
    parser.add_argument("--dry-run", action="store_true", help="the same way with a few expressions")
    options = parser.parse_args()

    sources = (options.train, options.validation, options.labels, options.photos)
    given = Given(*(path and path.resolve() for path in sources), options.dry_run)
    for name in ("data", "runs"):
        (options.folder / name).mkdir(parents=True, exist_ok=True)
    os.chdir(options.folder)
    for step in steps(given):
        if step.done.exists():
            continue
        code = run(step.command, given)
        if code:
            return code
        if given.is_dry and step.command[0] == "import" and "photos" not in step.done.name:
            write_dataset(read_dataset(step.done)[: FEWER if "val" in step.done.name else FEW], step.done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
