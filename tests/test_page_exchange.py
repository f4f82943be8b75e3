"""What goes in and out of the page: pictures, copies, documents, kept ink; what it says when that fails."""

from __future__ import annotations

import json
import re
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inktex import cli
from service_stub import Stub, running
from sheet_driver import PHONE, Desk
from test_page_browser import FORMULA, LOWER, X

ROOT = Path(__file__).parents[1]
COPIES = {
    "latex": "x^2 + 1",
    "inline": "$x^2 + 1$",
    "dollars": "$$x^2 + 1$$",
    "brackets": r"\[ x^2 + 1 \]",
    "typst": "typst(x^2 + 1)",
    "asciimath": "asciimath(x^2 + 1)",
}


@pytest.fixture
def stub() -> Iterator[Stub]:
    """The service."""
    with running(Stub()) as service:
        yield service


@pytest.fixture
def desk(driver: Any, stub: Stub, tmp_path: Path) -> Desk:
    """The page on a desktop; the clipboard is open to it, and what it saves lands in a folder."""
    driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    return Desk(driver, stub.address)


def saved(folder: Path, name: str) -> Path:
    """Return a file that the page saves, once it is there."""
    deadline = time.monotonic() + 30
    while not (folder / name).is_file():
        assert time.monotonic() < deadline, f"{name} was not saved"
        time.sleep(0.05)
    return folder / name


def picture_file(path: Path) -> Path:
    """Write a picture of 400 x 200 pixels with a dark stroke, its upper left quarter grey."""
    picture = np.full((200, 400, 3), 255, np.uint8)
    picture[:100, :200] = 128
    cv2.line(picture, (60, 150), (340, 150), (0, 0, 0), 6)
    cv2.imwrite(str(path), picture)
    return path


@pytest.mark.parametrize("kind", COPIES)
def test_a_formula_is_copied_in_each_format(desk: Desk, kind: str) -> None:
    """What lies on the clipboard is the formula in the format chosen."""
    desk.draw(FORMULA)
    desk.settled()

    desk.click(".card .more")
    desk.click(f"#copy-menu [data-format={kind}]")
    desk.until("document.getElementById('toast').textContent.startsWith('Copied')")

    assert desk.clipboard() == COPIES[kind]


def test_mathml_is_copied_as_word_takes_it(desk: Desk) -> None:
    """The copied MathML is well-formed and has its namespace."""
    from lxml import etree

    desk.draw(FORMULA)
    desk.settled()
    desk.click(".card .more")
    desk.click("#copy-menu [data-format=mathml]")
    desk.until("document.getElementById('toast').textContent.startsWith('Copied')")

    root = etree.fromstring(desk.clipboard())

    assert root.tag == "{http://www.w3.org/1998/Math/MathML}math"
    assert "".join(root.itertext()) == "x2+1"


def test_a_formula_is_copied_as_a_picture(desk: Desk) -> None:
    """The copied PNG shows dark symbols on white, large enough for print; the SVG holds them as text."""
    desk.draw(FORMULA)
    desk.settled()

    desk.click(".card .more")
    desk.click("#copy-menu [data-format=png]")
    desk.until("document.getElementById('toast').textContent.startsWith('Copied: PNG')")
    width, height, dark = desk.driver.execute_async_script(
        """
        const done = arguments[0];
        navigator.clipboard.read().then(async ([item]) => {
          const bitmap = await createImageBitmap(await item.getType('image/png'));
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height), c = canvas.getContext('2d');
          c.drawImage(bitmap, 0, 0);
          const { data } = c.getImageData(0, 0, bitmap.width, bitmap.height);
          let dark = 0;
          for (let i = 0; i < data.length; i += 4) if (data[i] < 100) dark += 1;
          done([bitmap.width, bitmap.height, dark / (data.length / 4)]);
        });
        """
    )
    desk.click(".card .more")
    desk.click("#copy-menu [data-format=svg]")
    desk.until("document.getElementById('toast').textContent.endsWith('SVG')")

    assert width > 2 * height > 200
    assert 0.02 < dark < 0.3
    symbols = re.findall(r">([^<\s])</text>", desk.clipboard())
    assert [unicodedata.normalize("NFKC", symbol) for symbol in symbols] == ["x", "2", "+", "1"]


def test_a_pasted_picture_is_cropped_and_read(desk: Desk, stub: Stub, tmp_path: Path) -> None:
    """A pasted picture opens for cropping; what is read is the part within, straight and upright."""
    desk.paste(picture_file(tmp_path / "formula.png"))
    desk.find("#crop")

    desk.drag_corner(0, 0.25, 0.5)
    desk.click("#crop-read")
    desk.settled()

    sent = cv2.imdecode(np.frombuffer(stub.asked[-1], np.uint8), cv2.IMREAD_COLOR)
    assert abs(sent.shape[1] - 300) <= 3
    assert abs(sent.shape[0] - 100) <= 3
    assert (sent[10, 20] == 255).all()
    assert (sent[50, 100] == 0).all()
    assert desk.latex() == "x^2 + 1"


def test_a_picture_is_turned_before_it_is_read(desk: Desk, stub: Stub, tmp_path: Path) -> None:
    """Turned to the right, the grey quarter is at the upper right."""
    desk.paste(picture_file(tmp_path / "formula.png"))
    desk.click("#turn-right")
    desk.click("#crop-read")
    desk.settled()

    sent = cv2.imdecode(np.frombuffer(stub.asked[-1], np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sent.shape == (400, 200)
    assert sent[20, 180] == 128
    assert sent[20, 20] == 255


def test_a_photographed_sheet_is_straightened(desk: Desk, stub: Stub, tmp_path: Path) -> None:
    """Free corners on a quadrilateral make a rectangle of it."""
    picture = np.full((300, 400), 60, np.uint8)
    corners = np.array([[80, 30], [400, 0], [400, 300], [80, 270]])
    cv2.fillConvexPoly(picture, corners, 250)
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), picture)

    desk.paste(path)
    desk.click("#crop-free")
    desk.drag_corner(0, 0.2, 0.1)
    desk.drag_corner(3, 0.2, 0.9)
    desk.click("#crop-read")
    desk.settled()

    sent = cv2.imdecode(np.frombuffer(stub.asked[-1], np.uint8), cv2.IMREAD_GRAYSCALE)
    assert (sent[4:-4, 4:-4] > 240).mean() > 0.99


def test_a_dropped_picture_is_read(desk: Desk, tmp_path: Path) -> None:
    """A picture file dropped on the page opens for cropping, and cancelling leaves no trace."""
    desk.drop(picture_file(tmp_path / "formula.png"))
    desk.find("#crop")
    desk.click("#crop-cancel")

    desk.until("!document.getElementById('crop').open")
    assert desk.all(".card") == []


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\nbroken", b"", b"plain words"])
def test_a_broken_file_is_said_in_a_sentence(desk: Desk, tmp_path: Path, content: bytes) -> None:
    """A file that is no picture is named, and the page goes on."""
    path = tmp_path / "broken.png"
    path.write_bytes(content)

    desk.drop(path)
    desk.until("document.getElementById('toast').checkVisibility()")

    assert desk.text("#toast") == "broken.png is not a picture that this browser can open."
    desk.draw(FORMULA)
    desk.settled()
    assert desk.latex() == "x^2 + 1"
    assert desk.errors() == []


def test_the_sheet_comes_back_after_a_reload_without_being_read_again(desk: Desk, stub: Stub) -> None:
    """Ink, reading and an edit outlive a reload; nothing is asked."""
    desk.draw(FORMULA)
    desk.settled()
    desk.find(".card textarea").send_keys("0")
    desk.until("document.querySelector('.card math').textContent === 'x2+10'")
    time.sleep(0.5)
    asked = len(stub.asked)

    desk.reload()
    desk.settled()

    assert desk.latex() == "x^2 + 10"
    assert len(stub.asked) == asked


def test_what_was_read_before_can_be_put_back(desk: Desk, stub: Stub) -> None:
    """A cleared formula stands in the list of recent ones, and from there comes back on the sheet."""
    desk.draw(FORMULA)
    desk.settled()
    desk.click("#clear")

    desk.click("#open-history")
    desk.until("document.querySelector('#history-list math')?.textContent === 'x2+1'")
    desk.click("#history-list button:last-child")
    desk.settled()

    assert desk.latex() == "x^2 + 1"
    assert stub.asked_strokes() == len(FORMULA)


def test_a_sheet_is_saved_as_a_document(desk: Desk, stub: Stub, tmp_path: Path) -> None:
    """The .tex, .html and .typ of a sheet hold its formulas from top to bottom."""
    stub.read = lambda strokes: ("y", {}) if strokes and strokes[0][0][1] > 400 else ("x ^ { 2 } + 1", {})
    desk.draw([*FORMULA, LOWER])
    desk.until("document.querySelectorAll('.card').length === 2")
    desk.settled()

    texts = {}
    for suffix in ("tex", "html", "typ"):
        desk.click("#open-save")
        desk.click(f"#save-menu [data-save={suffix}]")
        texts[suffix] = saved(tmp_path, f"inktex.{suffix}").read_text(encoding="utf-8")

    assert re.search(r"\\\[\s*x\^2 \+ 1\s*\\\]\s*\\\[\s*y\s*\\\]", texts["tex"])
    assert texts["html"].index("<mn>2</mn>") < texts["html"].index("<mi>y</mi>")
    assert texts["typ"] == "$ typst(x^2 + 1) $\n\n$ typst(y) $\n"


def test_confirmed_ink_becomes_a_data_set(desk: Desk, tmp_path: Path) -> None:
    """Two formulas, one right and one mended, are saved as InkML that the importer reads whole."""
    pytest.importorskip("pyarrow")
    from inktex.data.dataset import read_dataset

    desk.draw(FORMULA)
    desk.settled()
    desk.click(".question button:nth-of-type(1)")
    desk.until("document.querySelector('.card .question').innerText.includes('Kept')")
    desk.click("#clear")
    desk.draw(FORMULA)
    desk.settled()
    desk.click(".question button:nth-of-type(2)")
    desk.find(".card textarea").send_keys("0")
    desk.until("document.querySelector('.card math').textContent === 'x2+10'")
    desk.click(".question button")
    desk.until("document.querySelector('.card .question').innerText.includes('Kept')")
    desk.click("#open-settings")
    desk.until("document.getElementById('samples-count').textContent.endsWith('2')")
    desk.click("#samples-save")

    archive = saved(tmp_path, "inktex-ink.zip")
    assert len(zipfile.ZipFile(archive).namelist()) == 2
    assert cli.main(["import", str(archive), str(tmp_path / "mine.parquet")]) == 0
    samples = list(read_dataset(tmp_path / "mine.parquet"))
    assert {sample.writer for sample in samples} == {"somebody"}
    assert sorted(" ".join(sample.tokens) for sample in samples) == ["x ^ { 2 } + 1", "x ^ { 2 } + 1 0"]
    assert all(sample.ink is not None and len(sample.ink.strokes) == len(FORMULA) for sample in samples)


def test_trouble_is_said_and_goes_by(desk: Desk, stub: Stub) -> None:
    """A busy service is asked again by itself; what it refuses stands beside the ink in its own words."""
    stub.status = 503
    desk.draw(FORMULA)
    desk.until("document.querySelector('.card .problem')?.textContent.startsWith('Many')")
    stub.status = 200
    desk.until("document.querySelector('.card textarea')?.value === 'x^2 + 1'")

    stub.status = 422
    desk.draw([LOWER])
    desk.until("document.querySelector('.card.active .problem')?.textContent.includes('the stub was told')")
    stub.status = 500
    desk.undo()
    desk.draw([LOWER])
    desk.until("document.querySelector('.card.active .problem')?.textContent.startsWith('Something went')")


def test_without_a_service_the_ink_is_safe_and_read_later(driver: Any) -> None:
    """Where the service is gone, the page says so and keeps the ink; when it is back, it is read."""
    with running(Stub()) as stub:
        desk = Desk(driver, stub.address, PHONE)
        desk.send("Network.enable")
        desk.offline(True)
        desk.draw(FORMULA, "touch")
        desk.find("#offline")
        desk.offline(False)
        desk.until("document.querySelector('.card textarea')?.value === 'x^2 + 1'")

        assert stub.asked_strokes() == len(FORMULA)


def test_a_service_with_a_key_asks_for_it(driver: Any) -> None:
    """Refused for want of a key, the page asks for it, and sends it from then on."""
    with running(Stub(key="open sesame")) as stub:
        desk = Desk(driver, stub.address)
        desk.draw([X])
        desk.find("#key").send_keys("open sesame\n")
        desk.settled()

        assert desk.latex() == "x^2 + 1"
        assert json.loads(desk.run("return localStorage.getItem('inktex')"))["key"] == "open sesame"
