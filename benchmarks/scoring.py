"""All metrics of many predictions; writes benchmarks/results/scoring.json.

python benchmarks/scoring.py DATA.parquet [--count 25000] [--seed 0]

The predictions are the labels of a data set, over and over, four in ten with one to four tokens
changed, as many as a weak model gets wrong. They are written to a file and scored as 'inktex score' does.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from inktex.cli import main as inktex
from inktex.data.dataset import read_dataset
from record import write_record


def changed(tokens: tuple[str, ...], vocabulary: list[str], rng: np.random.Generator) -> list[str]:
    """Return tokens of which a few are replaced, left out or doubled."""
    result = list(tokens)
    for _ in range(rng.integers(1, 5)):
        place = int(rng.integers(len(result) + 1))
        how = rng.integers(3)
        result[place : place + (how != 0)] = [str(rng.choice(vocabulary))] * int(how != 1)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the scoring of many predictions.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=25_000, help="predictions (default: 25000)")
    parser.add_argument("--seed", type=int, default=0, help="of the errors (default: 0)")
    options = parser.parse_args()

    rng = np.random.default_rng(options.seed)
    labels = [sample.tokens for sample in read_dataset(options.data)]
    vocabulary = sorted({token for label in labels for token in label})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for number in range(options.count):
                label = labels[number % len(labels)]
                wrong = rng.random() < 0.4
                predicted = changed(label, vocabulary, rng) if wrong else label
                line = {"id": str(number), "prediction": " ".join(predicted), "reference": " ".join(label)}
                file.write(json.dumps({**line, "confidence": round(float(rng.random()), 4)}) + "\n")
        result = Path(folder) / "figures.json"
        start = time.perf_counter()
        if inktex(["score", str(path), "--json", str(result)]):
            parser.exit(2, "scoring.py: the predictions could not be scored\n")
        seconds = round(time.perf_counter() - start, 2)
        exprate = json.loads(result.read_text())["exprate"]
    write_record("scoring", {"count": options.count, "exprate": round(exprate, 2), "seconds": seconds})


if __name__ == "__main__":
    main()
