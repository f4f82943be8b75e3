"""A model on a data set; writes benchmarks/results/NAME.json.

python benchmarks/accuracy.py DATA.parquet --name crohme2014 [--model FOLDER] [--known] [--limit N]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path

from inktex import Recognizer
from inktex.data.dataset import read_dataset
from inktex.metrics.report import measure
from inktex.predictions.evaluation import predict
from record import write_record


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a model on a data set.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", required=True, help="of the result file")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument(
        "--known", action="store_true", help="only expressions of whose tokens the model knows every one"
    )
    parser.add_argument("--limit", type=int, help="only the first N expressions")
    options = parser.parse_args()

    recognizer = Recognizer(options.model)
    samples = [
        sample
        for sample in read_dataset(options.data)
        if not options.known or all(token in recognizer.bundle.vocabulary for token in sample.tokens)
    ][: options.limit]
    start = time.perf_counter()
    items = predict(recognizer, samples)
    seconds = round(time.perf_counter() - start, 2)
    write_record(
        options.name,
        {
            "data": options.data.name,
            "model": options.model.name if options.model else "shipped",
            "unreadable": sum(item.problem is not None for item in items),
            **asdict(measure(items)),
            "seconds": seconds,
        },
    )


if __name__ == "__main__":
    main()
