"""The page of the service in Chromium: writing, mending, copying, on a desktop and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service_stub import Stub, running
from sheet_driver import DESKTOP, PHONE, Desk

Keys = pytest.importorskip("selenium.webdriver.common.keys", reason="selenium is not installed").Keys

# x, 2 above it, a plus of two strokes, 1: one stroke for each written token of "x ^ { 2 } + 1" but the plus.
X = [(150, 200), (165, 220), (185, 245)]
TWO = [(195, 170), (205, 165), (200, 190), (212, 190)]
PLUS = [(230, 222), (245, 222), (260, 222)]
ONE = [(290, 195), (290, 220), (290, 245)]
FORMULA = [X, TWO, PLUS, ONE]
LOWER = [(150, 520), (165, 540), (185, 565)]
SCRATCH = [(280 + 22 * (i % 2), 185 + 6 * i) for i in range(12)]


@pytest.fixture
def stub() -> Iterator[Stub]:
    """The service."""
    with running(Stub()) as service:
        yield service


@pytest.fixture
def desk(driver: Any, stub: Stub) -> Desk:
    """The page on a desktop, in English and light."""
    return Desk(driver, stub.address)


@pytest.mark.parametrize(
    ("size", "theme", "kind"),
    [(DESKTOP, "light", "pen"), (DESKTOP, "dark", "mouse"), (PHONE, "dark", "touch")],
)
def test_what_is_written_is_read_as_the_pen_pauses(
    driver: Any, stub: Stub, size: tuple[int, int], theme: str, kind: str
) -> None:
    """A formula written with pen, mouse or finger stands typeset beside the sheet; nobody else is asked."""
    desk = Desk(driver, stub.address, size, theme=theme)

    desk.draw(FORMULA, kind)
    desk.settled()

    assert desk.latex() == "x^2 + 1"
    assert desk.run("return document.querySelector('.card math').textContent") == "x2+1"
    assert len(stub.asked[-1]) == len(FORMULA)
    assert "Please check" in desk.text(".card .state")
    assert desk.errors() == []
    assert {url for url in desk.requests() if not url.startswith(stub.address)} == set()


def test_no_point_of_the_pen_is_lost(desk: Desk, stub: Stub) -> None:
    """What is sent are all places that the browser saw the pen at, also those between two frames."""
    desk.run(
        "window.seen = []; const r = document.getElementById('sheet').getBoundingClientRect();"
        "for (const type of ['pointerdown', 'pointermove'])"
        "  document.getElementById('sheet').addEventListener(type, (event) => {"
        "    if (event.buttons) for (const e of event.getCoalescedEvents().concat(event))"
        "      window.seen.push([e.clientX - r.left, e.clientY - r.top]) }, true)"
    )
    desk.draw([[(150 + 3 * i, 200 + (i * i) % 40) for i in range(60)]])
    desk.settled()

    seen = {(round(x, 2), round(y, 2)) for x, y in desk.run("return window.seen")}

    assert len(seen) == 60
    assert {(round(x, 2), round(y, 2)) for x, y in stub.asked[-1][0]} == seen


def test_an_unsure_symbol_is_marked_and_another_one_taken_by_two_taps(desk: Desk) -> None:
    """An unsure symbol is marked; touching it shows what else it may be, choosing that changes the LaTeX."""
    desk.draw(FORMULA)
    desk.settled()
    marked = desk.run("return [...document.querySelectorAll('.math .unsure')].map((e) => e.textContent)")

    desk.click(".math .unsure")
    offered = [each.text for each in desk.all("#choices .symbol")]
    desk.click("#choices .symbol")
    desk.until("document.querySelector('.card textarea').value === 'x^2 + l'")

    assert marked == ["1"]
    assert offered == ["l"]
    assert desk.run("return document.querySelector('.card math').textContent") == "x2+l"
    assert desk.text(".state") == "Edited"


def test_another_reading_of_the_whole_can_be_taken(desk: Desk) -> None:
    """The other readings stand below, and one becomes the formula when it is chosen."""
    desk.draw(FORMULA)
    desk.settled()

    desk.click(".others summary")
    desk.click(".others li:nth-child(2) button")

    desk.until("document.querySelector('.card textarea').value === 'x^z + 1'")


def test_symbols_light_up_where_they_were_read_and_the_other_way_round(desk: Desk) -> None:
    """The pointer over ink lights up its symbol in the formula, and over a symbol its ink."""
    desk.draw(FORMULA)
    desk.settled()
    before = desk.run("return document.querySelector('canvas.marks').toDataURL()")

    desk.move_to("#sheet", TWO[2])
    desk.until("document.querySelector('.math .lit')?.textContent === '2'")
    lit = desk.run("return document.querySelector('canvas.marks').toDataURL()")
    desk.move_to(".math .unsure")
    desk.until("document.querySelector('.math .lit')?.textContent === '1'")

    assert len({before, lit, desk.run("return document.querySelector('canvas.marks').toDataURL()")}) == 3


def test_undo_and_redo_go_back_and_forth(desk: Desk, stub: Stub) -> None:
    """Undo takes the last stroke back, redo brings it, and clearing can be undone, too."""
    desk.draw(FORMULA)
    desk.settled()

    desk.undo()
    desk.settled()
    assert stub.asked_strokes() == 3
    desk.click("#redo")
    desk.settled()
    assert stub.asked_strokes() == 4
    desk.click("#clear")
    desk.until("!document.querySelector('.card')")
    desk.undo()
    desk.settled()
    assert desk.latex() == "x^2 + 1"


def test_scratching_out_erases_what_it_goes_over(desk: Desk, stub: Stub) -> None:
    """A scribble over the last symbol erases it and leaves the others, and is no ink itself."""
    desk.draw(FORMULA)
    desk.draw([SCRATCH])
    desk.settled()

    assert stub.asked_strokes() == len(FORMULA) - 1
    assert desk.text("#live") != ""


def test_the_eraser_and_the_pens_other_end_erase_strokes(desk: Desk, stub: Stub) -> None:
    """The eraser takes the strokes that it touches; so does the end of the pen, whatever the tool."""
    desk.draw(FORMULA)
    desk.erase([(235, 200), (245, 215), (245, 235)])
    desk.settled()
    assert stub.asked_strokes() == 3

    desk.click("[data-tool=eraser]")
    desk.draw([[(270, 220), (300, 220)]], "mouse")
    desk.settled()
    assert stub.asked_strokes() == 2


def test_a_palm_writes_nothing_while_the_pen_is_near(desk: Desk, stub: Stub) -> None:
    """A touch right after the pen leaves no ink."""
    desk.draw([X])
    desk.draw([LOWER], "touch")
    desk.settled()

    assert len(desk.all(".card")) == 1
    assert stub.asked_strokes() == 1


def test_what_is_lassoed_can_be_moved_and_deleted(desk: Desk, stub: Stub) -> None:
    """A moved formula keeps its reading without being read again; what is selected goes with one key."""
    desk.draw(FORMULA)
    desk.settled()
    asked = len(stub.asked)

    desk.click("[data-tool=select]")
    desk.draw([[(120, 140), (320, 140), (320, 270), (120, 270), (120, 145)]], "mouse")
    desk.draw([[(170, 225), (180, 300), (190, 340)]], "mouse")
    desk.settled()
    moved = desk.run("return document.getElementById('selection').getBoundingClientRect().top")

    assert len(stub.asked) == asked
    assert desk.latex() == "x^2 + 1"
    desk.undo()
    assert desk.run("return document.getElementById('selection').getBoundingClientRect().top") < moved - 100
    desk.driver.find_element("css selector", "#sheet").send_keys(Keys.DELETE)
    desk.until("!document.querySelector('.card')")


def test_latex_is_edited_with_a_live_preview(desk: Desk) -> None:
    """Typed LaTeX is typeset at once; what is not complete is said, and the last preview stays."""
    desk.draw(FORMULA)
    desk.settled()
    field = desk.find(".card textarea")

    field.send_keys(" + \\frac{1}{y}")
    desk.until("document.querySelector('.card math mfrac')")
    field.send_keys(" + \\frac{1}{")
    desk.until("document.querySelector('.card .problem').checkVisibility()")

    assert "not complete" in desk.text(".card .problem")
    assert desk.run("return document.querySelectorAll('.card math mfrac').length") == 1


def test_lines_are_formulas_of_their_own(desk: Desk, stub: Stub) -> None:
    """What is written far below is a second formula; touching a card opens it."""
    stub.read = lambda strokes: ("y", {}) if strokes and strokes[0][0][1] > 400 else ("x ^ { 2 } + 1", {})
    desk.draw(FORMULA)
    desk.draw([LOWER])
    desk.until("document.querySelectorAll('.card').length === 2")
    desk.settled()

    assert desk.latex() == "y"
    desk.click(".card:first-child .card-head")
    assert desk.latex() == "x^2 + 1"


def test_zooming_changes_nothing_that_is_read(desk: Desk, stub: Stub) -> None:
    """Zooming and moving the paper ask for nothing, and ink written at another zoom lies where it is seen."""
    desk.draw([X])
    desk.settled()
    asked = len(stub.asked)

    desk.click("#zoom-in")
    desk.click("#zoom-in")
    assert desk.text("#zoom-fit") != "100 %"
    assert len(stub.asked) == asked
    desk.click("#zoom-fit")
    left, top = desk.run(
        "const r = document.getElementById('sheet').getBoundingClientRect(); return [r.width, r.height]"
    )
    desk.draw([[(left / 2, top / 2 - 10), (left / 2, top / 2 + 10)]])
    desk.settled()

    (first, second) = stub.asked[-1]
    assert abs(second[0][0] - (150 + 185) / 2) < 2
    assert len(first) == len(X)


def test_two_fingers_move_and_zoom_the_paper_and_write_nothing(driver: Any, stub: Stub) -> None:
    """Fingers that go apart zoom in about their middle; no ink is left, and one finger writes again after."""
    desk = Desk(driver, stub.address, PHONE)

    desk.pinch([(150, 300), (250, 300)], [(100, 320), (300, 320)])
    desk.until("document.getElementById('zoom-fit').textContent === '200 %'")
    assert desk.all(".card") == []
    desk.draw([X], "touch")
    desk.settled()

    (stroke,) = stub.asked[-1]
    # The fingers' middle went from (200, 300) to (200, 320): that place of the paper stays beneath it.
    assert abs(stroke[0][0] - (200 + (X[0][0] - 200) / 2)) < 1
    assert abs(stroke[0][1] - (300 + (X[0][1] - 320) / 2)) < 1


def test_the_keyboard_reaches_everything_that_was_read(desk: Desk) -> None:
    """Arrows go through the symbols, Enter shows what else one may be, Escape leaves, letters take tools."""
    desk.draw(FORMULA)
    desk.settled()
    math = desk.find(".card .math")

    math.send_keys(Keys.ARROW_LEFT)
    desk.until("document.querySelector('.math .lit')?.textContent === '1'")
    math.send_keys(Keys.ENTER)
    desk.find("#choices")
    assert desk.run("return document.activeElement.className") == "symbol"
    desk.key(Keys.ESCAPE)
    desk.until("!document.getElementById('choices').matches(':popover-open')")
    sheet = desk.find("#sheet")
    sheet.send_keys("e")
    assert desk.run("return document.querySelector('[data-tool=eraser]').ariaPressed") == "true"


def test_a_screen_reader_is_told_what_was_read(desk: Desk) -> None:
    """The live region says the formula's number and what it is."""
    desk.draw(FORMULA)
    desk.settled()

    desk.until("document.getElementById('live').textContent === 'Formula 1: x^2 + 1'")


@pytest.mark.parametrize(
    ("language", "tag", "welcome"),
    [("de", "de", "Formel"), ("fr", "fr", "formule"), ("zh", "zh-Hans", "公式"), ("en", "en", "formula")],
)
def test_the_page_speaks_four_languages(
    driver: Any, stub: Stub, language: str, tag: str, welcome: str
) -> None:
    """The page is in the language chosen, and says so to screen readers."""
    desk = Desk(driver, stub.address, language=language)

    assert desk.run("return document.documentElement.lang") == tag
    assert welcome in desk.text("#welcome")
    desk.click("#open-settings")
    desk.run(
        "const s = document.getElementById('language'); s.value = 'de'; s.dispatchEvent(new Event('change'))"
    )
    assert desk.text("#results-head") == "Formeln"
