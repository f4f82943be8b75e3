"""The page with the real service and the model that ships behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")
from inktex.latex.readable import readable
from running import Service, serving
from sheet_driver import Desk

ROOT = Path(__file__).parents[1]
LABELS = dict(
    line.split("\t") for line in (ROOT / "examples/labels.txt").read_text(encoding="utf-8").splitlines()
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not any((ROOT / "src/inktex/weights").rglob("model.json")),
        reason="no model ships in src/inktex/weights",
    ),
]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """``inktex serve`` on a free port."""
    with serving("--threads", "1") as running:
        yield running


def on_sheet(strokes: list[list[list[float]]], width: float) -> list[list[list[float]]]:
    """Return strokes as wide as wanted, beside the tools, with every third point."""
    points = np.concatenate([np.array(stroke) for stroke in strokes])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)[0]
    return [
        ([100, 80] + (np.array([*stroke[:-1:3], stroke[-1]]) - low) * width / extent).tolist()
        for stroke in strokes
    ]


def test_a_formula_written_by_hand_is_read_by_the_real_service(driver: Any, service: Service) -> None:
    """The strokes of an example, drawn with the pen, become its label; a tap and an edit are converted."""
    desk = Desk(driver, f"{service.address}/")
    strokes = json.loads((ROOT / "examples/sine.json").read_text(encoding="utf-8"))

    desk.draw(on_sheet(strokes, 520))
    desk.settled()

    assert desk.latex() == readable(LABELS["sine.json"].split())
    assert len(desk.run("return document.querySelectorAll('.math [data-mark]')")) == 2
    desk.find(".card textarea").send_keys(" + \\sqrt{2}")
    desk.until("document.querySelector('.card math msqrt')")
    assert desk.errors() == []
    assert {url for url in desk.requests() if not url.startswith(service.address)} == set()


def test_a_photograph_is_read_by_the_real_service(driver: Any, service: Service) -> None:
    """An example photograph, pasted and taken as it is, becomes its label; its symbols light up."""
    desk = Desk(driver, f"{service.address}/")

    desk.paste(ROOT / "examples/basel.jpg")
    desk.click("#crop-read")
    desk.settled()

    assert desk.latex() == readable(LABELS["basel.jpg"].split())
    desk.move_to(
        "#sheet",
        desk.run(
            "const r = document.getElementById('sheet').getBoundingClientRect();"
            "return [r.width * 0.43, r.height * 0.55]"
        ),
    )  # the sum's sign
    desk.until("document.querySelector('.math .lit')")
    assert desk.errors() == []


def test_what_the_service_refuses_is_said(driver: Any, service: Service) -> None:
    """More points than the service takes are refused, and the page shows its sentence."""
    desk = Desk(driver, f"{service.address}/")
    desk.run(
        "const points = Array.from({length: 60000}, (_, i) => [100 + i % 500, 100 + (i % 7) * 30, 0.5]);"
        "const request = indexedDB.open('inktex', 1);"
        "request.onsuccess = () => request.result.transaction('sheet', 'readwrite').objectStore('sheet')"
        "  .put({id: 'current', items: [{id: 'a', kind: 'stroke', points}], formulas: []})"
        "  .onsuccess = () => { window.put = true }"
    )
    desk.until("window.put")

    desk.reload()

    desk.until("document.querySelector('.card .problem')?.textContent.startsWith('This cannot be read:')")
    assert "points" in desk.text(".card .problem")
