"""Whether everybody can use the page: axe-core, a test tool from npm, finds no fault in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from npm import npm_package
from service_stub import Stub, running
from sheet_driver import DESKTOP, PHONE, Desk
from test_page_browser import FORMULA, LOWER

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core."""
    folder = npm_package("axe-core", "4.14.1", tmp_path_factory.mktemp("npm"))
    return (folder / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    """The service."""
    with running(Stub()) as service:
        yield service


def violations(desk: Desk, axe: str) -> list[str]:
    """Return the faults of the page as it is now, each with the elements that have it."""
    desk.send("Runtime.evaluate", expression=axe)  # the page's own policy lets no such script in
    return list(
        desk.driver.execute_async_script(
            """
            const [rules, done] = arguments;
            const told = ({ id, nodes }) => `${id}: ${nodes.map((n) => n.target + ' ' + n.failureSummary)}`;
            axe.run(document, { runOnly: rules, resultTypes: ['violations'] })
              .then(({ violations }) => done(violations.map(told)));
            """,
            RULES,
        )
    )


@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")])
def test_the_page_has_no_barrier(
    driver: Any, stub: Stub, axe: str, size: tuple[int, int], theme: str
) -> None:
    """Empty, and with two formulas of which one is unsure, the page breaks no rule of WCAG 2.2 AA."""
    desk = Desk(driver, stub.address, size, theme=theme)
    empty = violations(desk, axe)
    desk.draw([*FORMULA, LOWER] if size == DESKTOP else FORMULA, "mouse")
    desk.settled()

    assert empty == []
    assert violations(desk, axe) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_menus_and_dialogs_have_no_barrier(
    driver: Any, stub: Stub, axe: str, theme: str, tmp_path: Path
) -> None:
    """Nor do the menus and the dialogs when they are open."""
    desk = Desk(driver, stub.address, theme=theme)
    desk.draw(FORMULA)
    desk.settled()
    found = {}
    for name, opener in (("choices", ".math .unsure"), ("copy", ".card .more"), ("save", "#open-save")):
        desk.click(opener)
        found[name] = violations(desk, axe)
        desk.run("document.querySelectorAll('[popover]').forEach((each) => each.hidePopover())")
    for name in ("history", "settings"):
        desk.click(f"#open-{name}")
        found[name] = violations(desk, axe)
        desk.click(f"#{name}-close")
    desk.paste(Path(__file__).parents[1] / "examples/fraction.png")
    desk.find("#crop")
    found["crop"] = violations(desk, axe)

    assert {name: faults for name, faults in found.items() if faults} == {}
