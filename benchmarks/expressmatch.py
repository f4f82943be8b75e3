"""The inks of ExpressMatch that CROHME left out, by formula; writes benchmarks/results/NAME.json.

python benchmarks/expressmatch.py INKS.jsonl.xz --name expressmatch [--model FOLDER] [--keep FILE.parquet]

Nothing of these inks and formulas is trained on.
"""

from __future__ import annotations

import argparse
import json
import lzma
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

import numpy as np

from inktex import Recognizer
from inktex.data.dataset import Sample, write_dataset
from inktex.ink.strokes import Ink
from inktex.latex.normalize import normalize
from inktex.predictions.evaluation import predict
from record import write_record

CORRECTED = {"tan^-1": r"\tan^{-1}"}  # what the writers' task meant


def read_inks(path: Path) -> list[Sample]:
    """Return the inks; some have a trace of its first point alone before each stroke, left out."""
    samples = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            record = json.loads(line)
            traces = [np.array(trace, dtype=np.float32).reshape(-1, 2) for trace in record["traces"].values()]
            truth = record["latex_raw"]
            for typed, meant in CORRECTED.items():
                truth = truth.replace(typed, meant)
            strokes = tuple(
                trace
                for trace, after in zip_longest(traces, traces[1:])
                if len(trace) > 1 or after is None or np.abs(after[0] - trace[0]).max() > 0
            )
            name, formula, writer = f"em{number}", str(record["formula"]), str(record["writer"])
            samples.append(Sample(name, "test", formula, tuple(normalize(truth)), None, Ink(strokes), writer))
    return samples


def main() -> None:
    """Read the inks and write the record."""
    parser = argparse.ArgumentParser(description="Measure a model on ExpressMatch's inks.")
    parser.add_argument("inks", type=Path)
    parser.add_argument("--name", required=True, help="of the result file")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--keep", type=Path, help="write the inks to this Parquet file, too")
    options = parser.parse_args()
    samples = read_inks(options.inks)
    if options.keep:
        write_dataset(samples, options.keep)
    items = predict(Recognizer(options.model), samples)
    formulas: dict[str, list[bool]] = defaultdict(list)
    for item in items:
        formulas[" ".join(item.reference)].append(item.prediction == item.reference)
    right = sum(map(sum, formulas.values()))
    write_record(
        options.name,
        {
            "inks": len(items),
            "right": round(100 * right / len(items), 2),
            "formulas_read": sum(map(any, formulas.values())),
            "by_formula": {label: [sum(found), len(found)] for label, found in sorted(formulas.items())},
        },
    )


if __name__ == "__main__":
    main()
