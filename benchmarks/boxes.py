"""Where tokens stand, against the symbols of a data set with ink; writes benchmarks/results/NAME.json.

python benchmarks/boxes.py DATA.parquet --name boxes2014 [--model FOLDER] [--limit N]

Of expressions that are read right, each token that the annotation names a symbol for counts: whether the
centre of its box lies within the box of the symbol's ink, and how much of both boxes they share (intersection
over union). Boxes are of ink as it is drawn, with the width of the pen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from inktex import Recognizer
from inktex.data.alignment import UNALIGNED, align_tokens
from inktex.data.dataset import Sample, read_dataset
from inktex.image.box import Box
from inktex.ink.strokes import Ink, Symbol, raster
from record import write_record

_PEN_PX = 2.5  # of ink as the recognizer draws it


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure where a model says that tokens stand.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", required=True, help="of the result file")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--limit", type=int, help="only the first N expressions")
    options = parser.parse_args()

    samples = [sample for sample in read_dataset(options.data)[: options.limit] if sample.ink is not None]
    answers = Recognizer(options.model).recognize_many([sample.ink for sample in samples], details=True)
    pairs = [
        pair
        for sample, answer in zip(samples, answers, strict=True)
        if answer.tokens == sample.tokens
        for pair in compared(sample, [detail.box for detail in answer.details])
    ]
    shares = [overlap(box, symbol) for box, symbol in pairs]
    write_record(
        options.name,
        {
            "data": options.data.name,
            "model": options.model.name if options.model else "shipped",
            "expressions": sum(a.tokens == s.tokens for a, s in zip(answers, samples, strict=True)),
            "tokens": len(pairs),
            "centre_inside": round(100 * float(np.mean([within(box, symbol) for box, symbol in pairs])), 2),
            "overlap_mean": round(float(np.mean(shares)), 4),
            "overlap_median": round(float(np.median(shares)), 4),
            "overlap_over_half": round(100 * float(np.mean(np.array(shares) > 0.5)), 2),
        },
    )


def compared(sample: Sample, boxes: list[Box | None]) -> list[tuple[Box, Box]]:
    """The box of each token that has a symbol, and the symbol's."""
    alignment = align_tokens(sample.tokens, sample.ink, sample.mathml)
    pen = _PEN_PX / raster(sample.ink).scale
    return [
        (box or Box(0, 0, 0, 0), symbol_box(sample.ink, sample.ink.symbols[number], pen))
        for box, number in zip(boxes, alignment, strict=True)
        if number != UNALIGNED
    ]


def symbol_box(ink: Ink, symbol: Symbol, pen: float) -> Box:
    points = np.concatenate([ink.strokes[number] for number in symbol.strokes])
    return Box(*(points.min(axis=0) - pen / 2).tolist(), *(points.max(axis=0) + pen / 2).tolist())


def within(box: Box, symbol: Box) -> bool:
    """Whether the centre of a box lies within a symbol's."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return symbol.left <= x <= symbol.right and symbol.top <= y <= symbol.bottom


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(width, 0) * max(height, 0)
    areas = sum((box.right - box.left) * (box.bottom - box.top) for box in (one, other))
    return shared / (areas - shared)


if __name__ == "__main__":
    main()
