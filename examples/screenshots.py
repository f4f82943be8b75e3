"""Pictures of the page for README and docs: a hand writes on it, the shipped model reads.

Run ``python examples/screenshots.py`` with the extras ``serve`` and ``dev``, chromium and chromedriver; it
writes docs/images/page_*.png. ``--only NAME`` makes one of them, ``--folder FOLDER`` puts them elsewhere.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from handwriting import Hand

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the tests know how to write on the page
if TYPE_CHECKING:
    from sheet_driver import Desk

WINDOW, PHONE = (1180, 720), (390, 760)
STEP = 6.0  # pixels between two points of the pen
QUADRATIC = r"x = \frac { - b \pm \sqrt { b ^ { 2 } - 4 a c } } { 2 a }"
INTEGRAL = r"\int \limits _ { 0 } ^ { 1 } x ^ { 2 } d x"
LIMIT = r"\lim \limits _ { x \rightarrow 0 } \frac { \sin x } { x } = 1"


def strokes(
    latex: str, seed: int, at: tuple[float, float], scale: float = 0.9, **hand: float
) -> list[list[list[float]]]:
    """Return what a hand writes, as strokes in pixels with the upper left corner at a place."""
    box = Hand(np.random.default_rng(seed), **hand).write(latex)
    left, _, _, top = box.bounds
    written = []
    for _, lines in box.symbols:
        for line in lines:
            points = np.stack([line[:, 0] - left, top - line[:, 1]], axis=1) * scale + at
            kept = [points[0]]
            kept += [point for point in points[1:-1] if np.hypot(*(point - kept[-1])) >= STEP]
            written.append([point.tolist() for point in [*kept, points[-1]]])
    return written


def desktop(desk: Desk) -> None:
    """Two formulas on a sheet, both read."""
    desk.draw(strokes(QUADRATIC, 3, (110, 60)))
    desk.draw(strokes(INTEGRAL, 5, (120, 385), 0.85))
    desk.settled()


def dark(desk: Desk) -> None:
    """A formula on a dark sheet."""
    desk.draw(strokes(LIMIT, 8, (120, 120)))
    desk.settled()


def phone(desk: Desk) -> None:
    """A formula written with a finger."""
    desk.draw(strokes(r"a ^ { 2 } + b ^ { 2 } = c ^ { 2 }", 8, (28, 150), 0.68), "touch")
    desk.settled()


def alternatives(desk: Desk) -> None:
    """A formula that is hard to read, and what its least sure symbol may be."""
    desk.draw(strokes(r"\alpha + 2 z = \frac { 1 } { s }", 11, (130, 120), 1.0, wild=2.2))
    desk.settled()
    desk.click(".doubts .chip")


def crop(desk: Desk) -> None:
    """A photograph whose formula is framed before it is read."""
    desk.paste(ROOT / "examples/basel.jpg")
    desk.find("#crop")
    desk.drag_corner(0, 0.12, 0.1)
    desk.drag_corner(2, 0.9, 0.9)


SCENES: dict[str, tuple[Callable[[Desk], None], tuple[int, int], str]] = {
    "desktop": (desktop, WINDOW, "light"),
    "dark": (dark, WINDOW, "dark"),
    "phone": (phone, PHONE, "light"),
    "alternatives": (alternatives, WINDOW, "light"),
    "crop": (crop, WINDOW, "light"),
}


def main() -> None:
    from browser import chromium
    from running import serving
    from sheet_driver import Desk

    parser = argparse.ArgumentParser(description="Make pictures of the page.")
    parser.add_argument("--only", choices=SCENES, help="make this one alone")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs/images")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as profile, serving() as service:
        driver = chromium(Path(profile))
        if driver is None:
            sys.exit("chromium and chromedriver are needed")
        try:
            for name in [options.only] if options.only else SCENES:
                act, size, theme = SCENES[name]
                desk = Desk(driver, f"{service.address}/", size, theme=theme, scale=1.5)
                act(desk)
                desk.until("!document.querySelector('.toast:not([hidden])')")
                desk.picture(options.folder / f"page_{name}.png")
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
