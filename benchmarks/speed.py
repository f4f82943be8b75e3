"""How long the shipped model takes to start and to read the examples; writes benchmarks/results/speed.json.

python benchmarks/speed.py [--model FOLDER] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from inktex import Recognizer
from record import ROOT, write_record

PICTURES = sorted(
    (*ROOT.glob("examples/*.png"), *ROOT.glob("examples/*.jpg"), *ROOT.glob("examples/*.inkml"))
)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def start_up(model: Path | None, rounds: int) -> float:
    """Return the median seconds of a new process that reads one picture."""
    folder = repr(str(model)) if model else ""
    code = f"import inktex; inktex.Recognizer({folder}).recognize({str(PICTURES[0])!r})"
    return statistics.median(
        seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True)) for _ in range(rounds)
    )


def milliseconds_a_picture(recognizer: Recognizer, rounds: int) -> dict[str, float]:
    """Return mean and 95th percentile one by one, and the mean of all in one call."""
    recognizer.recognize_many(PICTURES)
    alone = sorted(
        seconds(lambda path=path: recognizer.recognize(path)) for path in PICTURES for _ in range(rounds)
    )
    together = statistics.median(seconds(lambda: recognizer.recognize_many(PICTURES)) for _ in range(rounds))
    return {
        "mean_ms": round(1000 * statistics.mean(alone), 1),
        "p95_ms": round(1000 * alone[int(0.95 * (len(alone) - 1))], 1),
        "in_one_call_ms": round(1000 * together / len(PICTURES), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the recognizer on the examples.")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    write_record(
        "speed",
        {
            "pictures": len(PICTURES),
            "start_and_first_picture_s": round(start_up(options.model, options.rounds), 3),
            "default": milliseconds_a_picture(Recognizer(options.model), options.rounds),
            "greedy": milliseconds_a_picture(
                Recognizer(options.model, width=1, both_ways=False), options.rounds
            ),
        },
    )


if __name__ == "__main__":
    main()
