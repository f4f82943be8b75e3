"""Symbols and labels of no training, written with ink of no training; writes benchmarks/results/NAME.json.

python benchmarks/symbols.py SYMBOLS.parquet INK.parquet --name symbols [--model FOLDER] [--labels FILE...]
    [--keep FOLDER]

Read are, each by itself, the held-back drawings of ``inktex symbols``, at most 20 a symbol, and the labels
of ``--labels`` written with these and the ink of ``INK.parquet`` (expressions of a test). Right is the label;
alike is another symbol that looks the same where nothing stands beside it.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inktex import Recognizer
from inktex.data.dataset import Sample, read_dataset, write_dataset
from inktex.data.synthesis.composition import read_labels
from inktex.data.synthesis.expressions import make_sample
from inktex.data.synthesis.symbols import HELD
from inktex.data.synthesis.synthesizer import Synthesizer, read_expressions
from inktex.latex.tree import is_well_formed
from inktex.metrics.item import Item
from inktex.metrics.report import measure
from inktex.predictions.evaluation import predict
from record import write_record

MOST = 20  # drawings of a symbol
TRIES = 20
ALIKE = [
    frozenset(group.split())
    for group in (
        r"c C", r"k K", r"o O 0 \circ", r"p P \rho", r"s S", r"u U \cup", r"v V \nu \vee", r"w W \omega",
        r"x X \times \chi", r"y Y", r"z Z", r"1 l I | \mid", r"- \bar", r". \cdot", r"\in \epsilon",
        r"\sum \Sigma", r"\prod \Pi", r"' \prime", r"\phi \varphi", r"\wedge \Lambda",
    )
]  # fmt: skip


def drawings(samples: Sequence[Sample]) -> list[Sample]:
    """Return the held-back drawings that are read: of each symbol the first in the order of their crc32."""
    groups: dict[tuple[str, ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        if is_well_formed(sample.tokens):
            groups[sample.tokens].append(sample)
    return [
        sample
        for _, group in sorted(groups.items())
        for sample in sorted(group, key=lambda sample: zlib.crc32(sample.id.encode()))[:MOST]
    ]


def written(
    labels: Sequence[Sequence[str]], ink: Sequence[Sample], symbols: Sequence[Sample]
) -> list[Sample]:
    """Return the labels written with ink and symbols, each by one hand; those that cannot be are left out."""
    synthesizer = Synthesizer(read_expressions(ink), symbols=symbols)
    hands = synthesizer.hands
    samples = []
    for number, label in enumerate(labels):
        for attempt in range(TRIES):
            rng = np.random.default_rng([number, attempt])
            strokes = synthesizer.write(tuple(label), hands[rng.integers(len(hands))], rng)
            if strokes is not None:
                samples.append(make_sample(f"{number}", label, strokes, ink[0]))
                break
    return samples


def is_alike(item: Item) -> bool:
    """Whether what was read is the label, or looks the same alone."""
    if item.prediction == item.reference:
        return True
    if not item.prediction or len(item.prediction) != 1 or len(item.reference) != 1:
        return False
    return any({*item.prediction, *item.reference} <= group for group in ALIKE)


def main() -> None:
    """Read everything and write the record."""
    parser = argparse.ArgumentParser(description="Measure a model on symbols and labels of no training.")
    parser.add_argument("symbols", type=Path)
    parser.add_argument("ink", type=Path)
    parser.add_argument("--name", required=True, help="of the result file")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="LaTeX, an expression a line")
    parser.add_argument("--keep", type=Path, help="folder to write the labels' ink to, as Parquet")
    options = parser.parse_args()
    recognizer = Recognizer(options.model)
    held = [sample for sample in read_dataset(options.symbols) if sample.split == HELD]
    items = predict(recognizer, drawings(held))
    right, alike, count = Counter[str](), Counter[str](), Counter[str]()
    for item in items:
        name = " ".join(item.reference)
        count[name] += 1
        right[name] += item.prediction == item.reference
        alike[name] += is_alike(item)
    figures: dict[str, object] = {
        "model": options.model.name if options.model else "shipped",
        "drawings": len(items),
        "right": round(100 * sum(right.values()) / len(items), 2),
        "right_or_alike": round(100 * sum(alike.values()) / len(items), 2),
        "mean_by_symbol": round(100 * float(np.mean([alike[name] / count[name] for name in count])), 2),
        "confused": [
            [" ".join(label), " ".join(read), times]
            for (label, read), times in Counter(
                (item.reference, item.prediction or ()) for item in items if not is_alike(item)
            ).most_common(60)
        ],
        "by_symbol": {name: [right[name], alike[name], count[name]] for name in sorted(count)},
    }
    ink = read_dataset(options.ink)
    for path in options.labels:
        labels = read_labels(path)
        samples = written(labels, ink, held)
        if options.keep:
            write_dataset(samples, options.keep / f"{path.stem}.parquet")
        found = measure(predict(recognizer, samples))
        figures[path.stem] = {
            "labels": len(labels),
            "written": len(samples),
            "exprate": round(found.exprate, 2),
            "wer": round(found.wer, 2),
        }
    write_record(options.name, figures)


if __name__ == "__main__":
    main()
