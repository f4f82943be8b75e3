"""The same pictures, changed before they are read; writes benchmarks/results/robustness.json.

python benchmarks/robustness.py DATA.parquet [--count 100] [--model FOLDER] [--name robustness]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inktex import Recognizer
from inktex.data.dataset import read_dataset
from inktex.errors import InktexError
from inktex.image import decode
from record import write_record

Picture = npt.NDArray[np.float32]  # [h, w], 0 black to 1 white


def resized(factor: float) -> Callable[[Picture], Picture]:
    def change(picture: Picture) -> Picture:
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return np.clip(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how), 0, 1)

    return change


def inverted(picture: Picture) -> Picture:
    return 1 - picture


def thicker(picture: Picture) -> Picture:
    """Make the pen 2 px thicker; ink is what the border is not."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    wide = cv2.copyMakeBorder(picture, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=_ground(picture))
    return cv2.dilate(wide, disc) if _ground(picture) < 0.5 else cv2.erode(wide, disc)


def turned(picture: Picture) -> Picture:
    """Turn by 5 degrees against the clock on a larger ground."""
    ground = _ground(picture)
    edge = int(0.1 * max(picture.shape)) + 4
    wide = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=ground)
    height, width = wide.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 5, 1)
    return cv2.warpAffine(wide, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=ground)


def photographed(picture: Picture) -> Picture:
    """Dark ink on paper: a wide margin, blurred, lit from one corner, with noise; the same for everyone."""
    dark = 1 - picture if _ground(picture) < 0.5 else picture
    edge = 20
    dark = cv2.copyMakeBorder(dark, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=1)
    paper = 0.2 + 0.7 * cv2.GaussianBlur(dark, (0, 0), 1.0)
    height, width = paper.shape
    across, down = np.linspace(0, 1, width), np.linspace(0, 1, height)
    light = 1 - 0.45 * (across[None, :] + down[:, None]) / 2
    noise = np.random.default_rng(0).normal(0, 0.03, paper.shape)
    return np.clip(paper * light + noise, 0, 1).astype(np.float32)


def _ground(picture: Picture) -> float:
    return float(np.median(np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])))


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "clean": lambda picture: picture,
    "inverted": inverted,
    "twice_the_size": resized(2),
    "half_the_size": resized(0.5),
    "pen_2_px_thicker": thicker,
    "turned_5_degrees": turned,
    "photographed": photographed,
}


def read(recognizer: Recognizer, pictures: list[Picture]) -> list[str | None]:
    """Return the LaTeX of every picture, None where it cannot be read."""
    answers: list[str | None] = [None] * len(pictures)
    for index, result in recognizer.recognize_each(pictures):
        answers[index] = None if isinstance(result, InktexError) else result.latex
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description="Read pictures that were changed.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=100, help="pictures, from the first on (default: 100)")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--name", default="robustness", help="of the result file")
    options = parser.parse_args()

    samples = [sample for sample in read_dataset(options.data) if sample.image is not None][: options.count]
    pictures = [decode(sample.image, sample.id) for sample in samples if sample.image is not None]
    labels = [" ".join(sample.tokens) for sample in samples]
    recognizer = Recognizer(options.model)
    figures: dict[str, Any] = {"data": options.data.name, "count": len(samples)}
    clean: list[str | None] = []
    for name, change in CHANGES.items():
        answers = read(recognizer, [change(picture) for picture in pictures])
        clean = clean or answers
        right = sum(answer == label for answer, label in zip(answers, labels, strict=True))
        same = sum(answer == first for answer, first in zip(answers, clean, strict=True))
        figures[name] = {"exprate": round(100 * right / len(labels), 2), "same": same}
    write_record(options.name, figures)


if __name__ == "__main__":
    main()
