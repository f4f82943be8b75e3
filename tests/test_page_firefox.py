"""The page of the service in Firefox, once through."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("websocket", reason="websocket-client, which selenium brings, is not installed")
from firefox import firefox
from service_stub import Stub, running
from test_page_browser import FORMULA


@pytest.mark.slow
def test_the_page_works_in_firefox_too(tmp_path: Path) -> None:
    """A formula is written and read, an alternative taken, a stroke undone, and nobody else is asked."""
    with running(Stub()) as stub, firefox(tmp_path) as browser:
        if browser is None:
            pytest.skip("Firefox is not installed")
        browser.open(stub.address)
        browser.until("document.documentElement.dataset.ready === 'yes'")
        left, top = (
            browser.value(f"document.getElementById('sheet').getBoundingClientRect().{side}")
            for side in ("left", "top")
        )

        browser.draw([[(x + left, y + top) for x, y in stroke] for stroke in FORMULA])
        browser.until("document.querySelector('.card textarea')?.value === 'x^2 + 1'")
        assert browser.value("document.querySelector('.card math').textContent") == "x2+1"
        assert stub.asked_strokes() == len(FORMULA)

        browser.value("document.querySelector('.doubts .chip').click()")
        browser.value("document.querySelector('#choices .symbol').click()")
        browser.until("document.querySelector('.card textarea').value === 'x^2 + l'")
        browser.value("document.getElementById('undo').click()")
        browser.until("document.querySelector('.card textarea')?.value === 'x^2 + 1'")
        assert stub.asked_strokes() == len(FORMULA) - 1

        assert browser.errors() == []
        assert {url for url in browser.requests() if not url.startswith(stub.address)} == set()
