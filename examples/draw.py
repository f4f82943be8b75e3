"""Draw the examples: formulas in a handwriting of our own, as pictures and as pen strokes.

Run ``python examples/draw.py`` to write the files of this folder again: same seeds, same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from handwriting import Box, Hand, drift

from inktex.ink.inkml import InkDocument, write_inkml
from inktex.ink.strokes import Ink, Symbol, draw_strokes, ink_to_json

Picture = npt.NDArray[np.float64]  # [h, w] or [h, w, 3]
Colour = tuple[float, float, float]  # blue, green, red from 0 to 255
Look = Callable[[Box, np.random.Generator], Picture]

FOLDER = Path(__file__).parent
WHITE, BLACK = (255.0, 255.0, 255.0), (0.0, 0.0, 0.0)
DEVICE_UNITS = 8  # of the tablet, per unit of the alphabet


@dataclass(frozen=True)
class Example:
    """One file to draw.

    Attributes:
        name: file name; ``.inkml`` and ``.json`` hold strokes, the rest are pictures.
        latex: what is written, tokens separated by spaces.
        seed: of everything irregular.
        look: how the picture is made; None for strokes.
        hand: the writer, see :class:`Hand`.
    """

    name: str
    latex: str
    seed: int
    look: Look | None = None
    hand: dict[str, float] = field(default_factory=dict)


def to_ink(box: Box, scale: float) -> Ink:
    """Return the box with y downwards, its top left corner at (0, 0) and ``scale`` units to one of its."""
    left, _, _, top = box.bounds
    strokes: list[npt.NDArray[np.float32]] = []
    symbols = []
    for label, written in box.symbols:
        symbols.append(Symbol(label, tuple(range(len(strokes), len(strokes) + len(written)))))
        strokes += [((stroke - (left, top)) * (scale, -scale)).astype(np.float32) for stroke in written]
    return Ink(tuple(strokes), tuple(symbols))


def felt_tip(box: Box, scale: float, pen_px: float, margin_px: float) -> Picture:
    """Return how much of each pixel is ink [h, w], from a pen of one width."""
    ink = to_ink(box, scale)
    _, _, right, bottom = ink.bounds()
    strokes = [stroke + np.float32(margin_px) for stroke in ink.strokes]
    ink_share = draw_strokes(strokes, round(bottom + 2 * margin_px), round(right + 2 * margin_px), pen_px)
    return ink_share.astype(np.float64)


def ballpoint(
    box: Box, random: np.random.Generator, scale: float, pen_px: float, margin_px: float
) -> Picture:
    """Return how much of each pixel is ink [h, w], from a pen that presses harder and softer."""
    ink = to_ink(box, scale)
    _, _, right, bottom = ink.bounds()
    height, width = round(bottom + 2 * margin_px), round(right + 2 * margin_px)
    canvas = np.zeros((4 * height, 4 * width), dtype=np.uint8)
    for stroke in ink.strokes:
        from_start = np.arange(len(stroke))
        taper = np.minimum(1, 0.75 + 0.05 * np.minimum(from_start, from_start[::-1]))
        pressure = taper * (1 + drift(random, len(stroke), 0.07))
        thickness = np.maximum(1, np.rint(4 * pen_px * pressure)).astype(int).tolist()
        fixed = np.rint((stroke + margin_px) * 64 - 8).astype(int).tolist()  # 4 x, with 4 fractional bits
        for start, end, size in zip(fixed, fixed[1:], thickness, strict=False):
            cv2.line(canvas, start, end, 255, size, cv2.LINE_8, 4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float64) / 255


def blend(ink: Picture, colour: Colour, paper: Colour) -> Picture:
    """Return the picture [h, w, 3] of ink on paper."""
    share = ink[..., None]
    return np.asarray(np.array(paper) * (1 - share) + np.array(colour) * share, dtype=np.float64)


def photograph(ink: Picture, random: np.random.Generator) -> Picture:
    """Return blue ink on cream paper under uneven light, a little turned and out of focus."""
    h, w = ink.shape
    turned = cv2.warpAffine(ink, cv2.getRotationMatrix2D((w / 2, h / 2), 2.2, 1), (w, h))
    y, x = np.linspace(0, 1, h)[:, None], np.linspace(0, 1, w)
    light = 1.06 - 0.22 * x * (0.6 + 0.4 * y) - 0.12 * (1 - y)  # the lamp stands at the lower left
    light *= 1 - 0.13 / (1 + np.exp((1.62 - x - y) / 0.04))  # somebody's shadow
    cloud = cv2.resize(random.normal(0, 0.012, (5, 7)), (w, h), interpolation=cv2.INTER_CUBIC)
    fibre = cv2.GaussianBlur(random.normal(0, 1, (h, w)), (0, 0), 1.2)
    picture = blend(turned * (0.86 + 0.15 * fibre).clip(0.5, 1), (122, 62, 38), (205, 228, 238))
    picture *= (light + cloud + 0.02 * fibre)[..., None]
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8) + random.normal(0, 1.6, (h, w, 1)))


def chalk(box: Box, random: np.random.Generator) -> Picture:
    """White on black, small: how the field's data sets look."""
    return 255 * felt_tip(box, 0.62, 2.6, 6)


def pen(box: Box, random: np.random.Generator) -> Picture:
    """Black on white."""
    return blend(ballpoint(box, random, 0.75, 2.9, 16), BLACK, WHITE)[..., 0]


def photo(box: Box, random: np.random.Generator) -> Picture:
    """A sheet of paper, photographed."""
    return photograph(ballpoint(box, random, 1.35, 5.2, 90), random)


def dark_mode(box: Box, random: np.random.Generator) -> Picture:
    """A note-taking program's screenshot, light on dark grey."""
    return blend(ballpoint(box, random, 0.9, 3.4, 44), (240, 226, 214), (46, 38, 33))


def zoom(box: Box, random: np.random.Generator) -> Picture:
    """Black on white, about three times as large as the others."""
    return blend(ballpoint(box, random, 2.1, 8.5, 50), BLACK, WHITE)[..., 0]


def title(box: Box, random: np.random.Generator) -> Picture:
    """Dark blue on white, as wide as a page."""
    return blend(ballpoint(box, random, 1.28, 5.2, 32), (60, 36, 26), WHITE)


NEAT = {"slant": 0.12, "wild": 0.85}
EXAMPLES = (
    Example("hero.png", r"x = \frac { - b \pm \sqrt { b ^ { 2 } - 4 a c } } { 2 a }", 32, title, NEAT),
    Example("pythagoras.png", r"x ^ { 2 } + y ^ { 2 } = z ^ { 2 }", 2, chalk),
    Example(
        "limit.png", r"\lim \limits _ { x \rightarrow 0 } \frac { \sin x } { x }", 3, chalk, {"slant": 0}
    ),
    Example("fraction.png", r"\frac { a + b } { 2 }", 4, pen, {"slant": 0.14}),
    Example("quadratic.png", r"x ^ { 2 } - 5 x + 6 = 0", 5, pen, {"slant": 0.03, "wild": 1.2}),
    Example("basel.jpg", r"\sum \limits _ { n = 1 } ^ { \infty } \frac { 1 } { n ^ { 2 } }", 6, photo),
    Example("euler.jpg", r"e ^ { i \pi } + 1 = 0", 7, photo, {"slant": 0.16, "wild": 0.9}),
    Example("integral.png", r"\int \limits _ { a } ^ { b } f ( x ) d x", 8, dark_mode, {"slant": 0.12}),
    Example("square.png", r"( a + b ) ^ { 2 }", 9, zoom, {"wild": 1.1}),
    Example("root.png", r"\sqrt { x + 1 }", 10, chalk, {"slant": 0.1, "wild": 1.2}),
    Example("sequence.inkml", r"a _ { 1 } + a _ { 2 }", 11),
    Example("greek.inkml", r"\alpha + \beta", 12),
    Example("sine.json", r"\sin \theta", 28),
)


def save_picture(path: Path, picture: Picture) -> None:
    pixels = np.rint(picture).clip(0, 255).astype(np.uint8)
    jpeg = path.suffix == ".jpg"
    options = [cv2.IMWRITE_JPEG_QUALITY, 82] if jpeg else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    if not cv2.imwrite(str(path), pixels, options):
        raise OSError(f"cannot write {path}")


def save_strokes(path: Path, box: Box, latex: str) -> None:
    ink = to_ink(box, DEVICE_UNITS)
    ink = Ink(tuple(np.rint(stroke) for stroke in ink.strokes), ink.symbols)
    if path.suffix == ".json":
        path.write_text(ink_to_json(ink).replace(".0", "") + "\n", encoding="utf-8")
    else:
        path.write_bytes(write_inkml(InkDocument(ink, path.stem, f"${latex}$")))


def main() -> None:
    """Write every example and ``labels.txt``."""
    cv2.setNumThreads(1)
    for example in EXAMPLES:
        random = np.random.default_rng(example.seed)
        box = Hand(random, **example.hand).write(example.latex)
        if example.look is None:
            save_strokes(FOLDER / example.name, box, example.latex)
        else:
            save_picture(FOLDER / example.name, example.look(box, random))
    labels = "".join(f"{example.name}\t{example.latex}\n" for example in EXAMPLES)
    (FOLDER / "labels.txt").write_text(labels, encoding="utf-8")


if __name__ == "__main__":
    main()
