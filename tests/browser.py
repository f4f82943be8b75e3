"""Chromium, and a page open in it, for tests of the pages that are written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

_FLAGS = (
    "headless",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "window-size=1400,900",
)


def chromium(profile: Path) -> Any:
    """Start Chromium without a window, with its log of messages and of requests; None where there is none.

    Args:
        profile: the folder in which it keeps what it keeps.
    """
    from selenium import webdriver

    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*_FLAGS, f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    chrome.set_script_timeout(120)
    return chrome


class Page:
    """An open page, and what a reader does with it."""

    def __init__(self, driver: Any, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8", errors="strict")
        self.driver = driver
        driver.get_log("browser")
        driver.get_log("performance")
        driver.get(path.as_uri())

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page and return its value."""
        return self.driver.execute_script(script, *arguments)

    def set(self, name: str, value: str) -> None:
        """Choose or type a value."""
        self.run(
            "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event('input', {bubbles: true}))",
            name,
            value,
        )

    def requests(self) -> set[str]:
        """Addresses asked for since the page was opened, but for data and for pages of the browser itself."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return {
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
            and not message["params"]["request"]["url"].startswith(("chrome:", "data:"))
        }
