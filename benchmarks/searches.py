"""What each part of the search adds and costs; writes benchmarks/results/NAME.json.

python benchmarks/searches.py DATA.parquet --name searches2013 [--model FOLDER] [--float32 FOLDER]
    [--threads 2] [--limit N]

Every line adds one thing to the line before. Pictures are read in batches, as ``recognize_many`` does it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from inktex import Recognizer
from inktex.commands.output import progress
from inktex.data.dataset import read_dataset
from inktex.metrics.report import measure
from inktex.predictions.evaluation import predict
from record import write_record

SEARCHES: dict[str, dict[str, Any]] = {
    "greedy": {"width": 1, "both_ways": False, "second_look": False, "grammar": False},
    "beam": {"both_ways": False, "second_look": False, "grammar": False},
    "both_ways": {"second_look": False, "grammar": False},
    "grammar": {"second_look": False},
    "default": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare ways to search.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", required=True, help="of the result file")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--float32", type=Path, help="the same model with float32 weights, for a last line")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, help="only the first N expressions")
    options = parser.parse_args()

    samples = read_dataset(options.data)[: options.limit]
    contenders = {name: (options.model, search) for name, search in SEARCHES.items()}
    if options.float32:
        contenders["default_float32"] = (options.float32, {})
    figures: dict[str, Any] = {"data": options.data.name, "expressions": len(samples)}
    for name, (model, search) in contenders.items():
        recognizer = Recognizer(model, threads=options.threads, **search)
        recognizer.recognize_many([sample.image or sample.ink for sample in samples[:16]])
        start = time.perf_counter()
        with progress(name, len(samples)) as (advance, _):
            items = predict(recognizer, samples, advance)
        milliseconds = 1000 * (time.perf_counter() - start) / len(samples)
        found = measure(items)
        figures[name] = {
            "exprate": found.exprate,
            "exprate_1": found.exprate_1,
            "wer": found.wer,
            "milliseconds": round(milliseconds, 1),
        }
    write_record(options.name, figures)


if __name__ == "__main__":
    main()
