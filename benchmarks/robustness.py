"""The same pictures, changed before they are read; writes benchmarks/results/robustness.json.

python benchmarks/robustness.py DATA.parquet [--count N] [--seed 0] [--model FOLDER] [--name robustness]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from inktex import Recognizer
from inktex.commands.output import progress
from inktex.data.dataset import Sample, read_dataset
from inktex.errors import ConfigError, DataError, InktexError
from inktex.image.canonical import decode
from inktex.metrics.uncertainty import wilson
from record import write_record

Picture = npt.NDArray[np.float32]  # [h, w], 0 black to 1 white
Mask = npt.NDArray[np.bool_]  # [h, w]
Tokens = tuple[str, ...]
Change = Callable[[Picture, np.random.Generator], Picture]

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
# How far to shift a picture down and right for each pixel's neighbour to lie on it: north, then clockwise.
_NEIGHBOURS = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))


def clean(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture


def inverted(picture: Picture, rng: np.random.Generator) -> Picture:
    return 1 - picture


def resized(factor: float) -> Change:
    def change(picture: Picture, rng: np.random.Generator) -> Picture:
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return np.clip(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how), 0, 1)

    return change


def thicker(picture: Picture, rng: np.random.Generator) -> Picture:
    """Make the pen 2 px thicker."""
    ink = _ink(_widened(picture, 2))
    return _drawn(np.asarray(cv2.dilate(ink, _CROSS), np.float32), picture)


def thinner(picture: Picture, rng: np.random.Generator) -> Picture:
    """Make the pen 1 px thinner, but a stroke no thinner than the line of 1 px in its middle.

    Half a pixel goes on either side: the ink is eroded by a pixel at twice the size.
    """
    ink = _ink(_widened(picture, 2))
    height, width = ink.shape
    twice = cv2.resize(ink, (2 * width, 2 * height), interpolation=cv2.INTER_NEAREST)
    eroded = cv2.resize(cv2.erode(twice, _CROSS), (width, height), interpolation=cv2.INTER_AREA)
    return _drawn(np.maximum(eroded, np.where(skeleton(ink > 0.5), ink, 0)), picture)


def turned(degrees: float) -> Change:
    """Turn against the clock on a larger ground."""

    def change(picture: Picture, rng: np.random.Generator) -> Picture:
        wide = _widened(picture, int(0.1 * max(picture.shape)) + 4)
        height, width = wide.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        around = cv2.warpAffine(wide, turn, (width, height), borderValue=_ground(picture))
        return np.asarray(around, np.float32)

    return change


def photographed(picture: Picture, rng: np.random.Generator) -> Picture:
    """Dark ink on paper: a wide margin, blurred, lit from one corner, with noise."""
    edge = 20
    dark = cv2.copyMakeBorder(1 - _ink(picture), edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=1)
    paper = 0.2 + 0.7 * cv2.GaussianBlur(dark, (0, 0), 1.0)
    height, width = paper.shape
    across, down = np.linspace(0, 1, width), np.linspace(0, 1, height)
    light = 1 - 0.45 * (across[None, :] + down[:, None]) / 2
    noise = rng.normal(0, 0.03, paper.shape)
    return np.clip(paper * light + noise, 0, 1).astype(np.float32)


CHANGES: dict[str, Change] = {
    "clean": clean,
    "inverted": inverted,
    "twice_the_size": resized(2),
    "half_the_size": resized(0.5),
    "pen_2_px_thicker": thicker,
    "pen_1_px_thinner": thinner,
    "turned_plus_5_degrees": turned(5),
    "turned_minus_5_degrees": turned(-5),
    "photographed": photographed,
}


def skeleton(mask: Mask) -> Mask:
    """Return the lines of 1 px in the middle of strokes; no stroke disappears, none is cut.

    Guo and Hall, Parallel thinning with two-subiteration algorithms, CACM 32 (1989), algorithm A1.
    """
    left = np.pad(mask, 1)
    before = -1
    while before != (before := int(left.sum())):
        for turn in (0, 4):
            around = [np.roll(left, shift, (0, 1)) for shift in _NEIGHBOURS[turn:] + _NEIGHBOURS[:turn]]
            n, ne, e, se, s, sw, w, nw = (ring.astype(np.int8) for ring in around)
            runs = (1 - n & (ne | e)) + (1 - e & (se | s)) + (1 - s & (sw | w)) + (1 - w & (nw | n))
            pairs = np.minimum(
                (nw | n) + (ne | e) + (se | s) + (sw | w), (n | ne) + (e | se) + (s | sw) + (w | nw)
            )
            on_the_edge = ((n | ne | 1 - se) & e) == 0
            left &= ~((runs == 1) & (pairs >= 2) & (pairs <= 3) & on_the_edge)
    return left[1:-1, 1:-1]


def _ground(picture: Picture) -> float:
    """Return the grey value of the paper: ink is what the border is not."""
    return float(np.median(np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])))


def _widened(picture: Picture, edge: int) -> Picture:
    ground = _ground(picture)
    wide = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=ground)
    return np.asarray(wide, np.float32)


def _ink(picture: Picture) -> Picture:
    """Return the picture with ink bright."""
    return picture if _ground(picture) < 0.5 else 1 - picture


def _drawn(ink: Picture, like: Picture) -> Picture:
    return ink if _ground(like) < 0.5 else 1 - ink


@dataclass(frozen=True)
class Outcome:
    """How pictures changed in one way were read.

    Attributes:
        exprate: share of right answers, in percent.
        interval_95: its Wilson interval, in percent.
        difference: to the pictures as they are, in percentage points.
        same: answers that are those to the pictures as they are.
    """

    exprate: float
    interval_95: tuple[float, float]
    difference: float
    same: int


def outcome(
    answers: Sequence[Tokens | None], first: Sequence[Tokens | None], labels: Sequence[Tokens]
) -> Outcome:
    """Compare answers, None where there is none, with those to clean pictures and with the truth."""
    count = len(labels)
    right, right_first = (
        sum(answer == label for answer, label in zip(each, labels, strict=True)) for each in (answers, first)
    )
    low, high = wilson(right, count)
    return Outcome(
        exprate=round(100 * right / count, 2),
        interval_95=(round(100 * low, 2), round(100 * high, 2)),
        difference=round(100 * (right - right_first) / count, 2),
        same=sum(answer == other for answer, other in zip(answers, first, strict=True)),
    )


def read(recognizer: Recognizer, pictures: list[Picture], name: str) -> list[Tokens | None]:
    """Return what each picture reads as, None where it cannot be read."""
    answers: list[Tokens | None] = [None] * len(pictures)
    with progress(name, len(pictures)) as (advance, _):
        for index, result in recognizer.recognize_each(pictures):
            answers[index] = None if isinstance(result, InktexError) else result.tokens
            advance()
    return answers


def measure(recognizer: Recognizer, samples: Sequence[Sample], seed: int) -> dict[str, Outcome]:
    """Read the pictures of samples as they are and changed in each way."""
    pictures = [decode(sample.image, sample.id) for sample in samples if sample.image is not None]
    labels = [sample.tokens for sample in samples]
    first: list[Tokens | None] = []
    outcomes = {}
    for name, change in CHANGES.items():
        start = time.perf_counter()
        changed = [
            change(picture, np.random.default_rng([seed, index])) for index, picture in enumerate(pictures)
        ]
        answers = read(recognizer, changed, name)
        first = first or answers
        outcomes[name] = outcome(answers, first, labels)
        elapsed = time.perf_counter() - start
        print(f"{name}: {outcomes[name].exprate} % of {len(labels)}, in {elapsed:.0f} s", flush=True)
    return outcomes


def show(outcomes: dict[str, Outcome], count: int) -> None:
    table = Table("")
    for heading in ("ExpRate", "95 %", "difference", f"same of {count}"):
        table.add_column(heading, justify="right")
    for name, each in outcomes.items():
        low, high = each.interval_95
        table.add_row(
            name.replace("_", " "),
            f"{each.exprate:.2f}",
            f"{low:.1f} to {high:.1f}",
            f"{each.difference:+.2f}",
            str(each.same),
        )
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description="Read pictures that were changed.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, metavar="N", help="only the first N pictures (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (default: 0)")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--name", default="robustness", help="of the result file")
    options = parser.parse_args()

    try:
        if options.count is not None and options.count < 1:
            raise ConfigError(f"--count must be at least 1, got {options.count}")
        if options.seed < 0:
            raise ConfigError(f"--seed must not be negative, got {options.seed}")
        samples = [sample for sample in read_dataset(options.data) if sample.image is not None]
        samples = samples[: options.count]
        if not samples:
            raise DataError(f"{options.data} has no pictures to read")
        outcomes = measure(Recognizer(options.model), samples, options.seed)
    except InktexError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    show(outcomes, len(samples))
    write_record(
        options.name,
        {
            "data": options.data.name,
            "model": options.model.name if options.model else "shipped",
            "count": len(samples),
            "seed": options.seed,
            **{name: asdict(each) for name, each in outcomes.items()},
        },
    )


if __name__ == "__main__":
    main()
