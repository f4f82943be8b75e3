"""The shipped model anew from CROHME's InkML files: data, synthetic ink, six trainings, a model folder.

python benchmarks/reproduce.py inkml_train.zip inkml_test2013.zip FOLDER [--labels FILE] [--photos SOURCE]
    [--dry-run]

Three quarters of the new expressions' labels are taken from ``--labels``, a file of LaTeX, an expression a
line; the shipped weights have seen ink with the labels of three such lists. Without it all labels are made of
those of the ink. ``--photos`` are photographed expressions, as ``inktex import`` takes them: four fifths are
learnt from, twice in every epoch of the last training, with symbols that the ink has not; the shipped weights
have seen those of MLHME-38k's part. What else they have seen is left out: further sets of synthetic ink,
averages with the weights before, and the test of 2012 in the calibration; what they did in thirteen trainings
is done in six.

Every command is printed before it runs. What an interrupted call has made is not made again, and its training
goes on where it stood. All seeds are fixed; floating point still differs from machine to machine. On two CPU
cores this takes some fourteen hours. ``--dry-run`` goes the same way with a few expressions and one epoch a
training, in a minute or two, and leaves out the calibration, for which a few are too few.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from inktex.data.dataset import read_dataset, write_dataset
from inktex.errors import LatexError
from inktex.latex.normalize import normalize
from record import ROOT

FEW, FEWER = 60, 3  # expressions of a dry run, for training and for validation
OFTEN = 5  # photos that a symbol must be on to become one of the model's, unless it is a letter
HELD_BACK = 5  # of so many photos one is held back

Options = dict[str, object]
# Larger symbols, and room for them.
LARGER: Options = {"data.symbol_px": 20, "limits.picture": 320_000, "batch.pixels": 620_000}
TRAININGS: dict[str, Options] = {
    # From random weights, on real ink.
    "first": {"data.extra_per_epoch": 0, "trainer.epochs": 38, "augment.canonicalized": 0},
    # With synthetic ink besides.
    "second": {
        "data.extra_per_epoch": 12_000,
        "trainer.epochs": 13,
        "batch.growing_epochs": 0,
        "optimizer.learning_rate": 8e-4,
        "optimizer.warmup": 0.01,
        "augment.canonicalized": 0,
    },
    # More gently, and most drawings as the recognizer will see them.
    "third": {
        "data.extra_per_epoch": 9000,
        "trainer.epochs": 16,
        "trainer.validate_every": 4,
        "batch.growing_epochs": 0,
        "optimizer.learning_rate": 4e-4,
        "augment.canonicalized": 0.6,
    },
    # With larger symbols.
    "fourth": {
        "data.extra_per_epoch": 9000,
        **LARGER,
        "trainer.epochs": 10,
        "trainer.validate_every": 5,
        "batch.growing_epochs": 0,
        "optimizer.learning_rate": 4e-4,
        "augment.canonicalized": 0.6,
    },
    # Every drawing with a thin and a thick pen, both towards what the fourth reads of the thin one.
    "fifth": {
        "trainer.teacher": "fourth",
        "objective.distillation": 2,
        "data.extra_per_epoch": 10_000,
        **LARGER,
        "trainer.epochs": 4,
        "trainer.validate_every": 1,
        "batch.growing_epochs": 0,
        "optimizer.learning_rate": 4e-4,
        "augment.canonicalized": 0.75,
    },
    # With a single pen again, and three synthetic inks for each real one.
    "sixth": {
        "data.extra_per_epoch": 24_000,
        **LARGER,
        "trainer.epochs": 4,
        "trainer.validate_every": 1,
        "batch.growing_epochs": 0,
        "optimizer.learning_rate": 6e-4,
        "augment.canonicalized": 0.75,
    },
}
DRY: Options = {
    "data.extra_per_epoch": FEW,
    "data.workers": 0,
    "trainer.epochs": 1,
    "trainer.validate_every": 1,
    "batch.growing_epochs": 0,
}


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


def steps(options: argparse.Namespace) -> Iterator[tuple[Path, list[object]]]:
    """Yield what shows that a step is done, and its command; it must be done before the next is asked for."""
    folder, labels, is_dry = options.folder, options.labels, options.dry_run
    train, val2013, recombined, decomposed = (
        folder / f"{name}.parquet" for name in ("train", "val2013", "recombined", "decomposed")
    )
    yield train, ["import", options.train, train]
    yield val2013, ["import", options.validation, val2013]
    photos = folder / "photos.parquet"
    if options.photos is not None:
        imported = folder / "photos_imported.parquet"
        yield imported, ["import", options.photos, imported]
        if not photos.exists():
            choose_photos(imported, train, photos)
    count = FEW if is_dry else 60_000
    listed = [] if labels is None else ["--labels", labels, "--listed", 0.75]
    yield recombined, ["synthesize", train, recombined, "--count", count, "--seed", 7, *listed]
    count = FEW if is_dry else 30_000
    yield (
        decomposed,
        ["synthesize", train, decomposed, "--decompose", "--least", 1, "--count", count, "--seed", 7],
    )
    data: Options = {
        "data.train": f'["{train}"]',
        "data.extra": f'["{recombined}", "{decomposed}"]',
        "data.validation": val2013,
    }
    before: Options = {}
    for name, own in TRAININGS.items():
        settings = data | own | before | (DRY if is_dry else {})
        if "trainer.teacher" in own:
            settings["trainer.teacher"] = folder / str(own["trainer.teacher"])
        if options.photos is not None and name == list(TRAININGS)[-1]:
            settings["data.train"] = f'["{train}", "{photos}", "{photos}"]'
        before = {"trainer.initial": folder / name}
        done = folder / f"{name}.json"
        if (folder / name / "checkpoints" / "last.ckpt").is_file():
            yield done, ["train", "--resume", folder / name, "--json", done]
        else:
            words = [word for key, value in settings.items() for word in (f"--{key}", value)]
            config = ROOT / "configs" / "inktex.yaml"
            yield done, ["train", "--config", config, "--out", folder / name, *words, "--json", done]
    model, calibrated = folder / "model", folder / "calibrated.json"
    licence = ("--licence", "CC BY-NC-SA 3.0")
    yield model, ["export", folder / name, model, *licence, "--second-look", 1.35, 0.4, "--eight-bit", train]
    if not is_dry:
        yield calibrated, ["calibrate", model, val2013, "--json", calibrated]


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

    options.folder.mkdir(parents=True, exist_ok=True)
    for done, words in steps(options):
        if done.exists():
            continue
        command = [str(word) for word in words]
        print(f"inktex {shlex.join(command)}", flush=True)
        code = subprocess.run([sys.executable, "-m", "inktex.cli", *command], check=False).returncode
        if code:
            return code
        if options.dry_run and command[0] == "import" and "photos" not in done.name:
            write_dataset(read_dataset(done)[: FEWER if "val" in done.name else FEW], done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
