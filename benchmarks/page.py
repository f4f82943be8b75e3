"""The page as a person meets it: how soon a formula stands typeset, and whether the pen is ever kept waiting.

python benchmarks/page.py DATA.parquet [--name page] [--limit 100] [--longest 15] [--threads 1]

Each ink is written on the sheet in headless Chromium with real pointer events, while ``inktex serve`` runs on
the same machine. The time goes from the end of the last stroke to the frame that shows the answer, the pause
included; frames are those from the first stroke to the answer. Needs the extras ``serve`` and ``dev``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inktex.data.dataset import Sample, read_dataset
from inktex.latex.readable import readable
from record import write_record

sys.path.insert(
    0, str(Path(__file__).resolve().parents[1] / "tests")
)  # the tests know how to write on the page
if TYPE_CHECKING:
    from sheet_driver import Desk

WIDTH_PX, HEIGHT_PX = 640.0, 360.0  # of the ink on the sheet
STEP_PX = 5.0  # between two points of the pen
WATCH = """
const watch = (window.watch = { up: 0, shown: 0, frames: [] });
addEventListener('pointerup', () => { watch.up = performance.now(); }, true);
let before = performance.now();
const frame = (now) => {
  watch.frames.push([now, now - before]);
  before = now;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
new MutationObserver(() => {
  const state = document.querySelector('.card')?.dataset.state;
  if (watch.shown || !['sure', 'fair', 'doubtful'].includes(state)) return;
  // The frame after the next one has painted what changed now.
  requestAnimationFrame(() => requestAnimationFrame(() => { watch.shown = performance.now(); }));
}).observe(document.getElementById('cards'), { subtree: true, childList: true, attributes: true });
"""


def main() -> None:
    from browser import chromium
    from running import serving
    from sheet_driver import Desk

    parser = argparse.ArgumentParser(description="Measure the page of the service.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", default="page", help="of the result file")
    parser.add_argument("--limit", type=int, default=100, help="formulas, spread over the data set")
    parser.add_argument("--longest", type=int, default=15, help="tokens of a formula")
    parser.add_argument("--threads", type=int, default=1, help="of the service")
    options = parser.parse_args()

    short = [s for s in read_dataset(options.data) if s.ink is not None and len(s.tokens) <= options.longest]
    samples = short[:: max(1, len(short) // options.limit)][: options.limit]
    with (
        tempfile.TemporaryDirectory() as profile,
        serving("--threads", str(options.threads)) as service,
    ):
        driver = chromium(Path(profile))
        if driver is None:
            sys.exit("chromium and chromedriver are needed")
        try:
            written = [write(Desk(driver, f"{service.address}/"), sample) for sample in samples]
        finally:
            driver.quit()
    write_record(options.name, figures(options, samples, written))


def write(desk: Desk, sample: Sample) -> dict[str, Any]:
    """Write a formula, wait for its answer, and return what was seen."""
    desk.run(WATCH)
    desk.draw(on_sheet(sample))
    desk.until("window.watch.shown > 0")
    seen: dict[str, Any] = desk.run("return window.watch")
    return {**seen, "right": desk.latex() == readable(sample.tokens)}


def on_sheet(sample: Sample) -> list[list[list[float]]]:
    """Return the ink in pixels of the sheet, with no more points than a pen on glass gives."""
    assert sample.ink is not None
    left, top, right, bottom = sample.ink.bounds()
    scale = min(WIDTH_PX / max(right - left, 1e-6), HEIGHT_PX / max(bottom - top, 1e-6), 4.0)
    strokes = []
    for stroke in sample.ink.strokes:
        points = (stroke - (left, top)) * scale + (110, 90)
        kept = [points[0]]
        kept += [point for point in points[1:-1] if np.hypot(*(point - kept[-1])) >= STEP_PX]
        strokes.append([point.tolist() for point in [*kept, points[-1]]])
    return strokes


def figures(
    options: argparse.Namespace, samples: list[Sample], written: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return times and frames, in milliseconds."""
    waits = np.array([each["shown"] - each["up"] for each in written])
    frames = np.array([gap for each in written for now, gap in each["frames"][2:] if now <= each["shown"]])
    return {
        "data": options.data.name,
        "formulas": len(samples),
        "longest_tokens": options.longest,
        "threads": options.threads,
        "answer_ms": {
            "median": round(float(np.median(waits)), 1),
            "p95": round(float(np.percentile(waits, 95)), 1),
        },
        "frames": len(frames),
        "frames_under_34_ms": round(100 * float(np.mean(frames < 34)), 2),
        "longest_frame_ms": round(float(frames.max()), 1),
        "right": round(100 * float(np.mean([each["right"] for each in written])), 1),
    }


if __name__ == "__main__":
    main()
