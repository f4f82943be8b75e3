"""The page of attention: what stands in it, and how it behaves in a browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from browser import Page
from inktex.latex.tree import is_well_formed
from inktex.pages.attention import attention_page, closed
from inktex.visualize.explain import Explanation

LABELS = (
    r"x = \frac { - b \pm \sqrt { b ^ { 2 } - 4 a c } } { 2 a }",
    r"\sum \limits _ { i = 1 } ^ { n } \sqrt [ 3 ] { x _ { i } ^ { 2 } } + [ a ]",
    r"\left( \frac { 1 } { 2 } \right)".replace("(", " (").replace(")", " )"),
    r"\begin{array} { c c } a & b \\ c & \frac { 1 } { 2 } \end{array}",
    r"x ^ \frac 1 2 \left\{".replace(r"\left\{", r"\left \{ y \right ."),
    r"{ a } _ { b } \sqrt [ n ] 2",
)


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        ("x", "x"),
        (r"\frac", r"\frac { } { }"),
        (r"\frac { a", r"\frac { a } { }"),
        (r"\frac { a }", r"\frac { a } { }"),
        (r"\frac { a } { \frac {", r"\frac { a } { \frac { } { } }"),
        ("x ^", "x ^ { }"),
        ("x ^ {", "x ^ { }"),
        (r"\sqrt [", r"\sqrt [ ] { }"),
        (r"\sqrt [ 3 ]", r"\sqrt [ 3 ] { }"),
        (r"\left", r"\left . \right ."),
        (r"\left ( x", r"\left ( x \right ."),
        (r"\left ( x \right", r"\left ( x \right ."),
        (r"\begin{matrix} a &", r"\begin{matrix} a & \end{matrix}"),
        ("[ x", "[ x"),
        ("x }", "x }"),
    ],
)
def test_what_is_open_is_closed(beginning: str, expected: str) -> None:
    """Arguments, groups, fences and environments are closed; brackets and what is malformed stay."""
    assert closed(beginning.split()) == expected.split()


@given(st.sampled_from(LABELS), st.data())
def test_every_beginning_can_be_closed(label: str, data: st.DataObject) -> None:
    """Whatever number of tokens is taken of a well-formed formula, the closed beginning is well-formed."""
    tokens = label.split()
    assert is_well_formed(tokens)
    count = data.draw(st.integers(0, len(tokens)))

    result = closed(tokens[:count])

    assert result[:count] == tokens[:count]
    assert is_well_formed(result)
    assert closed(tokens) == tokens


def reading(tokens: str) -> Explanation:
    """An explanation of a line of ink; token n is written with the attention at column n."""
    words = tuple(tokens.split())
    picture = np.zeros((16, 8 * len(words)), np.float32)
    cv2.line(picture, (2, 12), (picture.shape[1] - 3, 3), 1, 1)
    attention = np.zeros((len(words), 2, len(words)), np.float32)
    attention[np.arange(len(words)), 0, np.arange(len(words))] = 0.75
    attention[:, 1, 0] = 0.25
    return Explanation(picture, 8, words, attention, np.linspace(0.5, 1, len(words), dtype=np.float32))


def test_the_page_holds_what_was_read() -> None:
    """Tokens, probabilities, warmth and the picture come out of the page as they went in."""
    explanation = reading(r"x ^ { 2 } } + \alpha")

    page = html.document_fromstring(attention_page("A & <b>", explanation))

    assert page.findtext(".//h1") == page.findtext(".//title") == "A & <b>"
    data = json.loads(page.get_element_by_id("reading").text)
    assert tuple(data["tokens"]) == explanation.tokens
    assert data["probabilities"] == pytest.approx(list(explanation.probabilities), abs=1e-4)
    rows, columns = data["grid"]
    for step, text in enumerate(data["warmth"]):
        found = np.frombuffer(base64.b64decode(text), np.uint8).reshape(rows, columns) / 255
        assert found == pytest.approx(explanation.warmth(step), abs=0.003)
    assert [bool(formula) for formula in data["formulas"]] == [True] * 5 + [False] * 3
    picture = page.get_element_by_id("picture").get("src").partition(",")[2]
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(picture), np.uint8), cv2.IMREAD_UNCHANGED)
    assert not pixels[:, :, :3].any()
    small = cv2.resize(pixels[:, :, 3], explanation.picture.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small / 255 - explanation.picture).mean() < 0.05


def test_hostile_tokens_stay_text() -> None:
    """A title or token that would end the script is letters like any others."""
    hostile = "</script><script>alert(1)</script>"

    page = attention_page(hostile, reading(f"x {hostile}"))

    assert page.count("</script>") == 2
    assert hostile not in page


@pytest.fixture
def page(driver: Any, tmp_path: Path) -> Iterator[Page]:
    """The page of a formula; at the end, nothing may have gone wrong or been loaded."""
    path = tmp_path / "page.html"
    opened = Page(driver, path, attention_page("Formula", reading(r"\frac { a } { b } + c")))
    yield opened
    assert driver.get_log("browser") == []
    assert opened.requests() == {path.as_uri()}


def shown(page: Page) -> tuple[str, str]:
    """The current token and the formula."""
    return tuple(
        page.run(
            "return [document.querySelector('#tokens [aria-current]').textContent,"
            "document.getElementById('formula').textContent]"
        )
    )


def hot_column(page: Page) -> int:
    """The column of the first row of the heat that is the least transparent."""
    alphas = page.run(
        "const heat = document.getElementById('heat');"
        "const copy = new OffscreenCanvas(heat.width, 1).getContext('2d', { willReadFrequently: true });"
        "copy.drawImage(heat, 0, 0);"
        "const d = copy.getImageData(0, 0, heat.width, 1).data;"
        "return [...d].filter((_, place) => place % 4 === 3)"
    )
    return int(np.argmax(alphas))


def test_slider_buttons_and_tokens_lead_to_a_step(page: Page) -> None:
    """Each way shows the same: token, formula so far, heat, state; the slider is where the token is."""
    assert shown(page) == (r"\frac", "")
    assert hot_column(page) == 0
    page.set("step", "2")
    assert shown(page) == ("a", "a")
    assert hot_column(page) == 2
    page.run("document.getElementById('on').click()")
    assert shown(page) == ("}", "a")
    page.run("document.querySelectorAll('#tokens button')[7].click()")
    assert shown(page) == ("+", "ab+")
    assert hot_column(page) == 7
    state = page.run("return document.getElementById('state').textContent")
    assert state == "8 of 9: +, probability 0.938"
    assert page.run("return document.getElementById('step').value") == "7"
    page.run("document.getElementById('back').click()")
    assert shown(page)[0] == "}"


def test_the_keyboard_steps_and_plays(page: Page) -> None:
    """Arrows move by one, Home and End to the ends, and the space bar plays and pauses."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> None:
        ActionChains(page.driver).send_keys(*keys).perform()

    press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert shown(page)[0] == "{"
    press(Keys.END)
    assert shown(page) == ("c", "ab+c")
    press(Keys.ARROW_RIGHT)
    assert shown(page)[0] == "c"
    press(Keys.HOME, " ")
    assert page.run("return document.getElementById('play').textContent") == "Pause"
    page.driver.execute_async_script("setTimeout(arguments[0], 1600)")
    press(" ")
    assert page.run("return document.getElementById('play').textContent") == "Play"
    place = int(page.run("return document.getElementById('step').value"))
    assert 1 <= place <= 4
    page.driver.execute_async_script("setTimeout(arguments[0], 900)")
    assert int(page.run("return document.getElementById('step').value")) == place


def test_heat_lies_over_the_picture_square_by_square(page: Page) -> None:
    """The canvas is as large as the picture, whose sides are whole squares, in light and in dark."""
    for scheme in ("light", "dark"):
        page.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        picture, heat = page.run(
            "return ['picture', 'heat'].map(id => {"
            "const box = document.getElementById(id).getBoundingClientRect();"
            "return [box.left, box.top, box.width, box.height]})"
        )
        assert heat == pytest.approx(picture, abs=0.6)
        assert picture[2] / picture[3] == pytest.approx(72 / 16, rel=0.01)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
