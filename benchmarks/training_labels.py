"""Lists of LaTeX as labels to train on, without what is for evaluation.

python benchmarks/training_labels.py FOLDER --vocabulary configs/vocabulary.json --lists FILE...
    [--without DATA...] [--expressmatch FILE] [--hold-back NAME...]

Every list becomes ``FOLDER/NAME.txt``: labels in the dialect, each once, of 1 to 90 tokens, all of which the
vocabulary has. Labels that occur in one of the data sets ``--without`` (Parquet) are left out, and of the
ExpressMatch inks' formulas the formulas, their arrays and the rows of these. Of the lists named in
``--hold-back`` 300 labels, those of 3 to 50 tokens that come first in the order of their crc32, go to
``FOLDER/NAME.held.txt`` instead; they are left out of every list.
"""

from __future__ import annotations

import argparse
import json
import lzma
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from inktex.data.dataset import read_dataset
from inktex.data.synthesis.composition import read_labels
from inktex.errors import LatexError
from inktex.latex.normalize import normalize
from inktex.latex.spans import read_tree
from inktex.latex.tree import Environment, is_well_formed

Tokens = tuple[str, ...]
LONGEST = 90
HELD, HELD_SHORTEST, HELD_LONGEST = 300, 3, 50


def name_of(path: Path) -> str:
    """Return the name of a list without its suffixes."""
    return path.name.partition(".")[0]


def formulas(path: Path) -> Iterator[Tokens]:
    """Yield the formulas of ExpressMatch's inks, their arrays, and the rows of these."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        truths = {json.loads(line)["latex_raw"] for line in lines}
    for truth in sorted(truths):
        tokens = tuple(normalize(truth))
        yield tokens
        for part in read_tree(tokens).walk():
            if isinstance(part.node, Environment):
                yield tokens[part.start : part.end]
                cells = iter(part.items)
                for row in part.node.rows:
                    parts = [next(cells) for _ in row]
                    yield tokens[parts[0].start : parts[-1].end]
                    yield tuple(t for cell in parts for t in tokens[cell.start : cell.end])


def reserved(data: list[Path], expressmatch: Path | None) -> set[Tokens]:
    """Return the labels that are for evaluation."""
    labels: set[Tokens] = set(formulas(expressmatch)) if expressmatch else set()
    for path in data:
        for sample in read_dataset(path):
            try:
                labels.add(tuple(normalize(" ".join(sample.tokens))))
            except LatexError:
                labels.add(sample.tokens)
    return {label for label in labels if len(label) > 2}


def usable(path: Path, known: frozenset[str], without: set[Tokens]) -> tuple[list[Tokens], Counter[str]]:
    """Return a list's labels that can be trained on, and how many lines are left out for which reason."""
    arrays = [label for label in without if label[0].startswith(r"\begin{")]
    kept: dict[Tokens, None] = {}
    reasons: Counter[str] = Counter()
    for label in map(tuple, read_labels(path)):
        text = f" {' '.join(label)} "
        if label in without or any(f" {' '.join(array)} " in text for array in arrays):
            reasons["for evaluation"] += 1
        elif not 1 <= len(label) <= LONGEST:
            reasons["too long"] += 1
        elif not known.issuperset(label) or not is_well_formed(label):
            reasons["not in the vocabulary"] += 1
        else:
            kept[label] = None
    return list(kept), reasons


def held_back(labels: list[Tokens]) -> list[Tokens]:
    """Return the labels of a list that are for evaluation."""
    fit = [label for label in labels if HELD_SHORTEST <= len(label) <= HELD_LONGEST]
    return sorted(fit, key=lambda label: zlib.crc32(" ".join(label).encode()))[:HELD]


def main() -> None:
    """Write the lists."""
    parser = argparse.ArgumentParser(description="Make lists of labels to train on.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--lists", type=Path, nargs="+", required=True)
    parser.add_argument("--without", type=Path, nargs="*", default=[])
    parser.add_argument("--expressmatch", type=Path)
    parser.add_argument("--hold-back", nargs="*", default=[], metavar="NAME")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    known = frozenset(json.loads(options.vocabulary.read_text(encoding="utf-8")))
    without = reserved(options.without, options.expressmatch)
    found: dict[str, list[Tokens]] = {}
    held: set[Tokens] = set()
    for path in options.lists:
        labels, reasons = usable(path, known, without)
        found[name_of(path)] = labels
        print(f"{name_of(path)}: {len(labels):,} labels; left out: {dict(reasons)}")
        if name_of(path) in options.hold_back:
            chosen = held_back(labels)
            held.update(chosen)
            write(options.folder / f"{name_of(path)}.held.txt", chosen)
    for name, labels in found.items():
        write(options.folder / f"{name}.txt", [label for label in labels if label not in held])


def write(path: Path, labels: list[Tokens]) -> None:
    """Write labels, one a line."""
    path.write_text("".join(" ".join(label) + "\n" for label in labels), encoding="utf-8")


if __name__ == "__main__":
    main()
