"""The page about predictions: what stands in it, and how it behaves in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from lxml import html

import browser
from inktex.cli import main
from inktex.pages.errors import Curve, Figure, Row, Table, render_page

CROHME = Path(__file__).parents[2] / "shared/data/crohme"
TRUTHS = [
    r"\frac { a } { b } + c",
    r"\sqrt { x } = 2",
    r"x ^ { 2 } + y ^ { 2 }",
    r"\sum \limits _ { i = 1 } ^ { n } i",
    r"C = 3",
    r"\sin ( \theta )",
]
PREDICTIONS: list[str | None] = [
    r"\frac { a } { 6 } + c",
    r"\sqrt { x } = 2",
    r"x ^ { 2 } + 4 2",
    r"\sum \limits _ { i = 1 } ^ { n",
    None,
    r"\sin ( \theta )",
]
DISTANCES = [1, 0, 5, 2, 3, 0]
CONFIDENCES = [0.9, 0.99, 0.3, 0.5, None, 0.7]
STRUCTURES = [("fraction",), ("root",), ("script",), ("script", "big operator"), (), ()]


def drawing(white_on_black: bool) -> bytes:
    """A picture of a stroke, 40 x 20 px."""
    picture = np.full((20, 40), 0 if white_on_black else 255, np.uint8)
    cv2.line(picture, (5, 15), (35, 5), 255 if white_on_black else 0, 2)
    return cv2.imencode(".png", picture)[1].tobytes()


def marks(tokens: Sequence[str], others: Sequence[str]) -> list[int]:
    """Places of tokens that are not among the others in this order."""
    pieces = SequenceMatcher(None, tokens, others, autojunk=False).get_opcodes()
    return [place for name, start, end, *_ in pieces if name != "equal" for place in range(start, end)]


def sample_rows() -> list[Row]:
    """Six expressions: two right, one malformed, one without a prediction; the last has no picture."""
    rows = []
    for number, (truth, prediction) in enumerate(zip(TRUTHS, PREDICTIONS, strict=True)):
        predicted = None if prediction is None else prediction.split()
        rows.append(
            Row(
                f"sample_{number + 7}",
                truth.split(),
                predicted,
                DISTANCES[number],
                marks(truth.split(), predicted or []),
                marks(predicted or [], truth.split()),
                CONFIDENCES[number],
                STRUCTURES[number],
                problem="the picture cannot be read" if predicted is None else "",
                picture=drawing(white_on_black=number % 2 == 0) if number < 5 else None,
            )
        )
    return rows


def data_of(page: str) -> list[dict[str, Any]]:
    """The rows as the page's script finds them."""
    element = html.document_fromstring(page).get_element_by_id("rows")
    return json.loads(element.text)


def test_figures_and_tables_are_in_the_page_as_given() -> None:
    """Labels, values, notes and cells are the page's text, in order."""
    figures = [Figure("ExpRate", "56.59 %", "53 to 60"), Figure("a < b", "1 & 2")]
    table = Table("Confusions", ["truth", "times"], [["C", "12"], ["<b>", "3"]])

    page = html.document_fromstring(render_page("A & B", figures, [], [table], []))

    assert page.findtext(".//h1") == page.findtext(".//title") == "A & B"
    assert [e.text for e in page.xpath("//dl//*[self::dt or self::dd]")] == [
        "ExpRate", "56.59 %", "53 to 60", "a < b", "1 & 2",
    ]  # fmt: skip
    assert [[cell.text for cell in row] for row in page.xpath("//tr")] == [
        ["truth", "times"],
        ["C", "12"],
        ["<b>", "3"],
    ]
    assert [cell.get("class") for cell in page.xpath("//tbody/tr[1]/td")] == [None, "number"]


def test_rows_reach_the_script_as_given() -> None:
    """What was put in comes out of the page's JSON: tokens, marks, numbers, pictures."""
    rows = sample_rows()

    found = data_of(render_page("t", [], [], [], rows))

    for row, data in zip(rows, found, strict=True):
        assert data["id"] == row.id
        assert data["truth"].split() == list(row.truth)
        assert data["prediction"] == (None if row.prediction is None else " ".join(row.prediction))
        assert (data["truthMarks"], data["predictionMarks"]) == (row.truth_marks, row.prediction_marks)
        assert (data["distance"], data["length"]) == (row.distance, len(row.truth))
        assert (data["confidence"], tuple(data["structures"])) == (row.confidence, row.structures)
        assert base64.b64decode(data["picture"]) == (row.picture or b"")
        assert data["truthMath"].startswith("<math")
        assert ("differs" in data["truthMath"]) == bool(row.truth_marks)
    assert [data["malformed"] for data in found] == [False, False, False, True, False, False]


HOSTILE = [
    "</script><script>window.hacked=1</script>",
    "<!-- <script>",
    '"><img src=x onerror=hacked=1>',
    "\ud800\x00",
]


def hostile_page() -> str:
    """A page all of whose text tries to run a script."""
    rows = [Row(text, [text], [text, "x"], 1, [0], [1], 0.5, (text,), text, text) for text in HOSTILE]
    first = HOSTILE[0]
    curve = Curve(first, HOSTILE[2], first, [(0, 1), (1, 2)])
    return render_page(
        first, [Figure(first, first, HOSTILE[2])], [curve], [Table(first, [first], [[HOSTILE[2]]])], rows
    )


def test_hostile_text_stays_text() -> None:
    """Tags in ids, tokens and labels add no element, and reach the script as they are."""
    page = hostile_page()

    document = html.document_fromstring(page)
    assert len(document.xpath("//script")) == 2
    assert not document.xpath("//img")
    assert [row["id"] for row in data_of(page)] == [*HOSTILE[:3], "\ufffd\x00"]
    page.encode()


def test_nothing_is_loaded_and_no_other_script_runs() -> None:
    """The policy allows the script by its hash, and the page names no address but MathML's namespace."""
    page = render_page("t", [Figure("a", "b")], [], [], sample_rows())

    document = html.document_fromstring(page)
    script = document.xpath("//script[not(@type)]")[0].text
    policy = document.xpath("//meta[@http-equiv]/@content")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert set(re.findall(r"https?:[^\"'\s\\<]*", page)) == {"http://www.w3.org/1998/Math/MathML"}


@pytest.mark.parametrize(
    ("points", "y_range"),
    [
        ([(2.5, 74.0), (7.5, 60.5), (47.5, 3.25)], (0.0, 100.0)),
        ([(0.0, 0.001), (0.5, 0.0042), (1.0, 0.0033)], None),
        ([(1, -3), (2, 12)], None),
        ([(5, 7)], None),
        ([(0, 0), (1, 0)], None),
        ([(-4, -2)], None),
    ],
)
def test_points_lie_where_the_numbers_on_the_axes_say(
    points: list[tuple[float, float]], y_range: tuple[float, float] | None
) -> None:
    """Reading every dot off the axes, as an eye would, gives its x and y; all lie within the axes."""
    page = html.document_fromstring(render_page("t", [], [Curve("c", "x", "y", points, (), y_range)], [], []))

    texts = page.xpath("//figure//text[not(@transform)]")[:-1]  # the last is the axis's name
    down = [(float(t.get("y")) - 4, float(t.text)) for t in texts if t.get("text-anchor") == "end"]
    across = [(float(t.get("x")), float(t.text)) for t in texts if t.get("text-anchor") == "middle"]
    dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in page.xpath("//figure//circle")]
    assert len(dots) == len(points)
    assert 2 <= len(down) <= 8
    assert 2 <= len(across) <= 8
    for dot, point in zip(dots, points, strict=True):
        for place, ticks, value in zip(dot, (across, down), point, strict=True):
            (low, low_value), (high, high_value) = ticks[0], ticks[-1]
            assert min(low, high) - 0.1 <= place <= max(low, high) + 0.1
            read = low_value + (place - low) / (high - low) * (high_value - low_value)
            assert read == pytest.approx(value, abs=0.002 * (high_value - low_value))


def test_a_band_lies_round_its_line_and_long_curves_have_no_dots() -> None:
    """The polygon has two points for each of the line's, one below and one above it."""
    points = [(float(n), float(n % 7)) for n in range(100)]
    curve = Curve("c", "x", "y", points, [(y - 1, y + 1) for _, y in points])

    page = html.document_fromstring(render_page("t", [], [curve], [], []))

    def places(name: str) -> list[tuple[float, ...]]:
        text = page.xpath(f"//*[@class='{name}']/@points")[0]
        return [tuple(map(float, pair.split(","))) for pair in text.split()]

    line, band = places("line"), places("band")
    for (x, y), (lower_x, lower), (upper_x, upper) in zip(line, band[:100], band[:99:-1], strict=True):
        assert lower_x == upper_x == x
        assert lower > y > upper
    assert not page.xpath("//circle")


def test_an_empty_page_can_be_made() -> None:
    """Nothing given is no error, nor a curve without points."""
    page = render_page("t", [], [Curve("c", "x", "y", [])], [Table("e", ["a"], [])], [])

    assert "no points" in page
    assert data_of(page) == []


class Page(browser.Page):
    """An open page of expressions."""

    def choose(self, value: str) -> None:
        """Click on a choice."""
        self.driver.find_element("css selector", f'.choices input[value="{value}"]').click()

    def ids(self) -> list[str]:
        """The numbers of the expressions shown, in order."""
        names = self.run("return [...document.querySelectorAll('.row h3')].map(e => e.textContent)")
        return [name.removeprefix("sample_") for name in names]


@pytest.fixture
def page(driver: Any, tmp_path: Path) -> Iterator[Page]:
    """The page of the six expressions; at the end, nothing may have gone wrong or been loaded."""
    path = tmp_path / "page.html"
    curve = Curve("ExpRate by length", "tokens", "%", [(0, 1), (1, 2)])
    opened = Page(driver, path, render_page("Six", [Figure("a", "b")], [curve], [], sample_rows()))
    yield opened
    assert driver.get_log("browser") == []
    assert opened.requests() == {path.as_uri()}


def test_the_browser_sorts(page: Page) -> None:
    """Each order is that of the table at the top of this file; what has no confidence comes last."""
    orders = {
        "distance-down": "9 11 10 7 8 12",
        "distance-up": "8 12 7 10 11 9",
        "length-down": "10 9 7 8 12 11",
        "confidence-down": "8 7 12 10 9 11",
        "confidence-up": "9 10 12 7 8 11",
        "id-up": "7 8 9 10 11 12",
    }
    assert page.ids() == orders["distance-down"].split()
    for order, expected in orders.items():
        page.set("order", order)
        assert page.ids() == expected.split(), order


def test_the_browser_filters(page: Page) -> None:
    """By verdict, edits, text and structure, and by all of these together."""
    page.set("order", "id-up")
    for choice, expected in (
        ("wrong", "7 9 10 11"),
        ("right", "8 12"),
        ("malformed", "10"),
        ("missing", "11"),
    ):
        page.choose(choice)
        assert page.ids() == expected.split(), choice
    page.choose("wrong")
    page.set("most", "2")
    assert page.ids() == ["7", "10"]
    page.choose("script")
    assert page.ids() == ["10"]
    assert page.run("return document.getElementById('count').textContent") == "1 of 6 expressions"
    page.choose("script")
    page.set("most", "")
    page.choose("all")
    for text, expected in (
        ("SAMPLE_1", "10 11 12"),
        (r"\sqrt {", "8"),
        ("C", "11"),
        ("6", "7"),
        ("nowhere", ""),
    ):
        page.set("query", text)
        assert page.ids() == expected.split(), text


def test_the_keyboard_is_enough(page: Page) -> None:
    """Tab reaches the choices, arrows move among them, and what is typed goes into the search."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    page.run("document.querySelector('.choices input').focus()")
    ActionChains(page.driver).send_keys(Keys.ARROW_RIGHT).perform()
    assert sorted(page.ids()) == ["10", "11", "7", "9"]
    ActionChains(page.driver).send_keys(Keys.TAB, "2", Keys.TAB, "sample_7").perform()
    assert page.ids() == ["7"]


def test_pictures_are_shown_in_the_colours_of_the_page(page: Page) -> None:
    """Pictures are decoded, and those light on dark are told from those dark on light."""
    page.set("order", "id-up")
    page.run("return Promise.all([...document.images].map(image => image.decode()))")

    found = page.run(
        "return [...document.images].map(i => [i.naturalWidth, i.classList.contains('light-on-dark')])"
    )

    assert found == [[40, True], [40, False], [40, True], [40, False], [40, True]]


def test_formulas_are_laid_out_with_what_differs_marked(page: Page) -> None:
    """A fraction is as high as its parts together; the mark's colour is not that of the rest."""
    page.set("query", "sample_7")

    height, *parts = page.run(
        "const f = document.querySelector('.prediction mfrac');"
        "return [f, ...f.children].map(e => e.getBoundingClientRect().height)"
    )
    colours = page.run(
        "return ['.prediction mfrac :first-child', '.prediction mfrac .differs', '.truth mfrac .differs']"
        ".map(s => getComputedStyle(document.querySelector(s)).color)"
    )
    texts = page.run("return [...document.querySelectorAll('.differs')].map(e => e.textContent)")

    assert len(parts) == 2
    assert min(parts) > 0
    assert height >= sum(parts)
    assert len(set(colours)) == 3
    assert texts == ["b", "b", "6", "6"]  # in the formula and in the tokens, of truth and prediction


def test_what_cannot_be_typeset_is_shown_as_tokens(page: Page) -> None:
    """A malformed prediction has its tokens alone; a missing one says so, and why."""
    page.set("query", "sample_10")
    assert page.run("return document.querySelectorAll('.prediction math').length") == 0
    assert page.run("return document.querySelector('.prediction .tokens').textContent") == PREDICTIONS[3]
    page.set("query", "sample_11")
    assert page.run("return document.querySelector('.prediction .nothing').textContent") == "no prediction"
    assert "cannot be read" in page.run("return document.querySelector('.facts').textContent")


def test_hostile_text_runs_nothing(driver: Any, tmp_path: Path) -> None:
    """Ids and tokens that are scripts are shown letter by letter."""
    opened = Page(driver, tmp_path / "hostile.html", hostile_page())

    assert opened.run("return window.hacked") is None
    assert sorted(opened.ids()) == sorted([*HOSTILE[:3], "\ufffd\x00"])
    assert opened.run("return document.images.length") == 0
    assert driver.get_log("browser") == []


@pytest.mark.parametrize("width", [390, 1400])
def test_a_thousand_expressions_come_as_they_are_needed(driver: Any, tmp_path: Path, width: int) -> None:
    """Few are in the page at first, the last is there at its end, and nothing is wider than the window."""
    long, short = " + ".join(["x ^ { 2 }"] * 40).split(), ["x"]
    picture = drawing(white_on_black=True)
    rows = [Row(f"sample_{n}", short if n else long, short, n, picture=picture) for n in range(1000)]
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    try:
        opened = Page(driver, tmp_path / "long.html", render_page("Many", [], [], [], rows))
        opened.set("order", "id-up")
        assert opened.ids()[0] == "0"
        assert len(opened.ids()) < 200
        assert opened.run("return document.documentElement.scrollWidth") <= width
        for _ in range(20):
            if "999" in opened.ids():
                break
            driver.execute_async_script(
                "window.scrollTo(0, document.body.scrollHeight); setTimeout(arguments[0], 100)"
            )
        assert opened.ids()[-1] == "999"
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.skipif(not CROHME.is_dir(), reason="the CROHME archives are not here")
def test_the_report_of_the_shipped_model_works_in_a_browser(driver: Any, tmp_path: Path) -> None:
    """What ``inktex evaluate --page`` writes of pictures of CROHME 2014 shows them, sorts and filters."""
    data, page = tmp_path / "test2014.parquet", tmp_path / "report.html"
    assert main(["import", str(CROHME / "offline.zip"), str(data), "--split", "2014"]) == 0
    assert (
        main(["evaluate", str(data), "--limit", "24", "--page", str(page), "--json", str(page) + ".json"])
        == 0
    )
    items = json.loads((tmp_path / "report.html.json").read_text())["items"]
    wrong = {each["id"] for each in items if each.get("prediction") != each["reference"]}

    opened = Page(driver, page, page.read_text())

    assert len(opened.ids()) == 24
    opened.set("order", "length-down")
    lengths = {each["id"]: len(each["reference"].split()) for each in items}
    shown = [lengths[name] for name in opened.ids()]
    assert shown == sorted(lengths.values(), reverse=True)
    opened.choose("wrong")
    assert set(opened.ids()) == wrong
    widths = opened.run("return [...document.querySelectorAll('.row img')].map(e => e.naturalWidth)")
    assert len(widths) == len(wrong)
    assert min(widths) > 0
    assert driver.get_log("browser") == []
    assert opened.requests() == {page.as_uri()}
