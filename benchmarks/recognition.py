"""How fast a model recognizes; writes benchmarks/results/recognition.json.

python benchmarks/recognition.py [DATA.parquet] [--alone] [--model FOLDER] [--count N] [--threads N]
    [--rounds 5] [--name recognition]

Without a data set, the examples are read. Pictures are read one at a time, by turns: each contender reads so
many before the next reads the same, so that whatever else the machine does meets all alike. By turns of
sixteen each is as warm as a program that reads one picture after the other; the first picture of a turn is
read once more, untimed, before it. By turns of one, memory has gone cold while the others read (a virtual
machine may take milliseconds to give back memory that was not touched for a second). A cold picture is one
that Inktex reads after a pause, as a page with a single visitor does.

- ``inktex``: the model with its own search, from the bytes of the picture to the answer;
- ``comer_int8``: CoMER at its published size, greedy, the whole prefix at every step, products in 8 bits, on
  pictures of height 256 and of their own width, as the public export for ONNX Runtime takes them;
- ``comer``: the same in float32, on the picture as it is;
- ``without_state``: Inktex, but the decoder reads the whole prefix of every hypothesis at every step.

CoMER has random weights, which changes no time, and writes as many tokens as the model did. All run on ONNX
Runtime with as many threads. ``--alone`` leaves out all but the first, and with them the need for PyTorch.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inktex import Recognizer
from inktex.commands.output import progress
from inktex.decoding.stepper import OnnxStepper
from record import ROOT, write_record

EXAMPLES = sorted((ROOT / "examples").glob("*.png"))
EARLY, LATE, WINDOW = 10, 150, 5  # tokens
TURNS = (16, 1)  # pictures
COLD, COLD_S = 30, 1.0  # pictures that are read cold, and the pause before each
PAUSE_S = 0.05  # in which threads that a contender has left waiting for work go to sleep
PICTURE_PX = (64, 256)  # height and width of the canonical picture that steps are timed on

Contender = Callable[[bytes, int], float]  # (picture, tokens to write) -> seconds


def seconds(work: Callable[..., object], *arguments: Any) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def spread(values_s: Sequence[float]) -> dict[str, float]:
    """Return mean, median and 95th percentile in milliseconds."""
    ordered = 1000 * np.sort(values_s)
    figures = {"mean": ordered.mean(), "median": np.median(ordered), "p95": np.quantile(ordered, 0.95)}
    return {name: round(float(value), 2) for name, value in figures.items()}


def read_pictures(data: Path | None, count: int | None) -> list[bytes]:
    """Return the pictures of a data set, or so many of them, evenly spaced; the examples if there is none."""
    if data is None:
        return [path.read_bytes() for path in EXAMPLES][:count]
    from inktex.data.dataset import read_dataset  # here, since it needs the extra data

    pictures = [sample.image for sample in read_dataset(data) if sample.image is not None]
    chosen = np.linspace(0, len(pictures) - 1, min(count or len(pictures), len(pictures)))
    return [pictures[index] for index in chosen.astype(int)]


def peers(model: Path | None, threads: int) -> dict[str, Contender]:
    """Return the others, by name."""
    from without_state import Comer, StatelessRecognizer  # here, since it needs PyTorch

    stateless = StatelessRecognizer(model, threads=threads)
    return {
        "without_state": lambda picture, _: seconds(stateless.recognize, picture),
        "comer": Comer(threads).seconds,
        "comer_int8": Comer(threads, eight_bit=True, height_px=256).seconds,
    }


def one_by_one(
    pictures: Sequence[bytes], steps: Sequence[int], work: dict[str, Contender], turn: int
) -> dict[str, list[float]]:
    """Return the seconds each contender takes for each picture; their order changes from turn to turn."""
    times: dict[str, list[float]] = {name: [] for name in work}
    turns = range(0, len(pictures), turn)
    with progress(f"by turns of {turn}", len(turns)) as (advance, _):
        for number, first in enumerate(turns):
            group, tokens = pictures[first : first + turn], steps[first : first + turn]
            for name in sorted(work, reverse=bool(number % 2)):
                time.sleep(PAUSE_S)
                if turn > 1:
                    work[name](group[0], tokens[0])
                times[name] += map(work[name], group, tokens)
            advance()
    return times


def compared(times: dict[str, list[float]]) -> dict[str, Any]:
    """Return the milliseconds of a picture of each contender, and how much slower the others are."""
    return {
        "one_by_one_ms": {name: spread(values) for name, values in times.items()},
        "times_slower": against(times),
    }


def cold(pictures: Sequence[bytes], recognizer: Recognizer) -> dict[str, float]:
    """Return the milliseconds of single pictures, each read after a pause."""
    chosen = np.linspace(0, len(pictures) - 1, min(COLD, len(pictures))).astype(int)
    times = []
    for index in chosen:
        time.sleep(COLD_S)
        times.append(seconds(recognizer.recognize, pictures[index]))
    return {**spread(times), "pictures": len(chosen), "pause_s": COLD_S}


def against(times: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Return how many times slower the others are, and in the median over pictures."""
    ours, result = spread(times["inktex"]), {}
    for name in times.keys() - {"inktex"}:
        theirs = spread(times[name])
        ratios = {key: round(theirs[key] / ours[key], 2) for key in ours}
        pairs = np.divide(times[name], times["inktex"])
        result[name] = ratios | {"median_of_pairs": round(float(np.median(pairs)), 2)}
    return result


def a_step(recognizer: Recognizer, each: int, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of a step around tokens 10 and 150.

    Two searches are begun on a picture, each of which keeps so many hypotheses, with parents drawn at random;
    with ``each`` = 1 there is a single one.
    """
    picture = np.zeros(PICTURE_PX, np.float32)
    picture[8:-8, 8:-8] = 1
    padding = np.zeros((1, *PICTURE_PX), np.bool_)
    generator = np.random.default_rng(0)
    begun = 1 if each == 1 else 2
    early: list[float] = []
    late: list[float] = []
    for _ in range(rounds):
        stepper: OnnxStepper = recognizer.stepper()
        stepper.start(picture[None, None], padding)
        parents = np.zeros(begun, np.int64)
        for number in range(1, LATE + WINDOW + 1):
            tokens = generator.integers(3, len(recognizer.bundle.vocabulary), len(parents))
            took = seconds(stepper.step, tokens, parents)
            for place, kept in ((EARLY, early), (LATE, late)):
                if abs(number - place) <= WINDOW:
                    kept.append(took)
            beams = 1 if number == 1 else each
            firsts = np.repeat(np.arange(begun), each) * beams
            parents = firsts + generator.integers(0, beams, len(firsts))
    one, other = (1000 * statistics.median(times) for times in (early, late))
    figures = {f"at_{EARLY}_ms": one, f"at_{LATE}_ms": other, "ratio": other / one}
    return {name: round(value, 3) for name, value in figures.items()}


def processes(model: Path | None, rounds: int) -> dict[str, float]:
    """Return the median seconds of new processes."""
    chosen = ["--model", str(model)] if model else []
    commands = {
        "python": ["-c", "pass"],
        "import_inktex": ["-c", "import inktex"],
        "recognize_one_picture": ["-m", "inktex.cli", "recognize", str(EXAMPLES[0]), *chosen],
    }
    figures = {}
    for name, arguments in commands.items():
        command = [sys.executable, *arguments]
        runs = [seconds(run_quietly, command) for _ in range(rounds)]
        figures[f"{name}_s"] = round(statistics.median(runs), 3)
    return figures


def run_quietly(command: Sequence[str]) -> None:
    """Run a process to its end."""
    subprocess.run(command, check=True, capture_output=True)


def memory_mb(options: argparse.Namespace, count: int | None) -> float | None:
    """Return the most memory of a process that reads so many pictures in one call; ``None`` but on Linux."""
    if not Path("/proc/self/status").exists():
        return None
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from recognition import Recognizer, read_pictures
data, model = {str(options.data or "")!r}, {str(options.model or "")!r}
pictures = read_pictures(Path(data) if data else None, {count})
Recognizer(model or None, threads={options.threads}).recognize_many(pictures)
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return round(int(done.stdout) / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Time recognition, alone and against decoders without state."
    )
    parser.add_argument("data", type=Path, nargs="?", help="data set with pictures (default: the examples)")
    parser.add_argument("--alone", action="store_true", help="without the others, which need PyTorch")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--count", type=int, help="only N pictures, evenly spaced (default: all)")
    parser.add_argument("--threads", type=int, default=2, help="of each contender (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions of what is timed as a whole")
    parser.add_argument("--name", default="recognition", help="of the result file")
    options = parser.parse_args()

    pictures = read_pictures(options.data, options.count)
    recognizer = Recognizer(options.model, threads=options.threads)
    work: dict[str, Contender] = {"inktex": lambda picture, _: seconds(recognizer.recognize, picture)}
    if not options.alone:
        work |= peers(options.model, options.threads)
    steps = [len(answer.tokens) + 1 for answer in recognizer.recognize_many(pictures)]
    warm, single = (compared(one_by_one(pictures, steps, work, turn)) for turn in TURNS)
    together = statistics.median(seconds(recognizer.recognize_many, pictures) for _ in range(options.rounds))
    write_record(
        options.name,
        {
            "data": options.data.name if options.data else "examples",
            "model": options.model.name if options.model else "shipped",
            "pictures": len(pictures),
            "threads": options.threads,
            **warm,
            "turns_of_one": single,
            "cold_ms": cold(pictures, recognizer),
            "together_pictures_per_s": round(len(pictures) / together, 1),
            "a_step": {
                "beams": a_step(recognizer, 4, options.rounds),
                "greedy": a_step(recognizer, 1, options.rounds),
            },
            "processes": processes(options.model, options.rounds),
            "memory_mb": {"one_picture": memory_mb(options, 1), "all": memory_mb(options, options.count)},
        },
    )


if __name__ == "__main__":
    main()
