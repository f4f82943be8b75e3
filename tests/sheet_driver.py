"""A person at the page of the service: opens it, writes on the sheet, reads what stands beside it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Stroke = Sequence[Sequence[float]]
DESKTOP, PHONE = (1280, 800), (390, 844)
_PATIENCE_S = 30.0


class Desk:
    """The page, open in Chromium.

    Args:
        driver: the browser.
        address: of the page.
        size: of the window, in CSS pixels.
        language: that the page is opened in.
        theme: light or dark.
    """

    def __init__(
        self,
        driver: Any,
        address: str,
        size: tuple[int, int] = DESKTOP,
        language: str = "en",
        theme: str = "light",
        scale: float = 1.0,
    ) -> None:
        self.driver = driver
        self.send(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=scale
        )
        self.send("Storage.clearDataForOrigin", origin=address.rstrip("/"), storageTypes="all")
        self._mobile = size[0] < 600
        self.send("Emulation.setTouchEmulationEnabled", enabled=self._mobile)
        driver.get_log("browser")
        driver.get_log("performance")
        settings = {"language": language, "theme": theme, "writer": "somebody"}
        source = f"localStorage.setItem('inktex', {json.dumps(json.dumps(settings))})"
        first = self.send("Page.addScriptToEvaluateOnNewDocument", source=source)
        driver.get(address)
        self.send("Page.removeScriptToEvaluateOnNewDocument", **first)
        self.until("document.documentElement.dataset.ready === 'yes'")

    def send(self, command: str, **parameters: Any) -> Any:
        """Tell the browser something in its own protocol."""
        if "deviceScaleFactor" in parameters:
            parameters = {**parameters, "mobile": parameters["width"] < 600}
        return self.driver.execute_cdp_cmd(command, parameters)

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page and return its value."""
        return self.driver.execute_script(script, *arguments)

    def until(self, condition: str, *arguments: object) -> Any:
        """Wait until an expression is true in the page."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (value := self.run(f"return {condition}", *arguments)):
            assert time.monotonic() < deadline, f"in vain: {condition}; the page says: {self.text('body')}"
            time.sleep(0.05)
        return value

    def find(self, selector: str) -> Any:
        """Return the first element of a CSS selector, once it is there and visible."""
        self.until("document.querySelector(arguments[0])?.checkVisibility()", selector)
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """Return all elements of a CSS selector."""
        return list(self.driver.find_elements("css selector", selector))

    def click(self, selector: str) -> None:
        """Click on an element."""
        self.find(selector).click()

    def text(self, selector: str) -> str:
        """Return what an element says."""
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def draw(self, strokes: Sequence[Stroke], kind: str = "pen", pressure: float = 0.5) -> None:
        """Write strokes, given in pixels from the sheet's upper left corner, with real pointer events."""
        from selenium.webdriver.common.actions.action_builder import ActionBuilder
        from selenium.webdriver.common.actions.pointer_input import PointerInput

        left, top = self.run(
            "const r = document.getElementById('sheet').getBoundingClientRect(); return [r.left, r.top]"
        )
        for stroke in strokes:
            pointer = PointerInput(kind, kind)
            builder = ActionBuilder(self.driver, mouse=pointer, duration=0)
            (x, y), *others = [(round(left + x), round(top + y)) for x, y, *_ in stroke]
            pen = {"pressure": pressure} if kind == "pen" else {}
            pointer.create_pointer_move(0, x=x, y=y, origin="viewport")
            pointer.create_pointer_down(button=0, **pen)
            for x, y in others:
                pointer.create_pointer_move(8, x=x, y=y, origin="viewport", **pen)
            pointer.create_pointer_up(0)
            builder.perform()

    def erase(self, stroke: Stroke) -> None:
        """Go over the sheet with the other end of the pen, which the browser's drivers do not know."""
        self.run(
            """
            const sheet = document.getElementById('sheet'), box = sheet.getBoundingClientRect();
            const tell = (type, [x, y], buttons) => sheet.dispatchEvent(new PointerEvent(type, {
              bubbles: true, pointerId: 1, pointerType: 'pen', button: type === 'pointermove' ? -1 : 5,
              buttons, clientX: box.left + x, clientY: box.top + y }));
            tell('pointerdown', arguments[0][0], 32);
            for (const place of arguments[0]) tell('pointermove', place, 32);
            tell('pointerup', arguments[0].at(-1), 0);
            """,
            stroke,
        )

    def pinch(self, start: Stroke, end: Stroke) -> None:
        """Put two fingers on the sheet, move them in a few steps, and lift them."""
        left, top = self.run(
            "const r = document.getElementById('sheet').getBoundingClientRect(); return [r.left, r.top]"
        )
        for step in range(6):
            share = step / 5
            places = [
                {"x": left + a + (c - a) * share, "y": top + b + (d - b) * share, "id": number}
                for number, ((a, b), (c, d)) in enumerate(zip(start, end, strict=True))
            ]
            if step == 0:
                self.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=places[:1])
            kind = "touchMove" if step else "touchStart"
            self.send("Input.dispatchTouchEvent", type=kind, touchPoints=places)
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def move_to(self, selector: str, place: Sequence[float] | None = None) -> None:
        """Move the mouse over an element, to its middle or to a place from its upper left corner."""
        left, top, width, height = self.run(
            "const r = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [r.left, r.top, r.width, r.height]",
            selector,
        )
        x, y = place or (width / 2, height / 2)
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=left + x, y=top + y)

    def settled(self) -> None:
        """Wait until everything on the sheet was read."""
        self.until(
            "document.querySelector('.card') && !document.querySelector('.card.pending') && "
            "!document.querySelector('.card:not([data-state])')"
        )

    def latex(self) -> str:
        """Return the LaTeX of the formula that is open."""
        return str(self.run("return document.querySelector('.card.active textarea').value"))

    def clipboard(self) -> str:
        """Return the text on the clipboard."""
        self.send("Page.bringToFront")
        return str(self.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])"))

    def paste(self, path: Path) -> None:
        """Paste a picture as a file manager or a screenshot program puts it on the clipboard."""
        data = base64.b64encode(path.read_bytes()).decode()
        self.run(
            """
            const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([bytes], arguments[1], { type: 'image/png' }));
            const how = { clipboardData, bubbles: true, cancelable: true };
            document.dispatchEvent(new ClipboardEvent('paste', how));
            """,
            data,
            path.name,
        )

    def drop(self, path: Path) -> None:
        """Drag a file over the page and drop it."""
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.send("Input.dispatchDragEvent", type=kind, x=300, y=300, data=data)

    def drag_corner(self, index: int, across: float, down: float) -> None:
        """Drag a corner of the cutout to a place given in shares of the picture's width and height."""
        self.until("document.querySelector('#crop-stage canvas').getBoundingClientRect().width > 50")
        x, y, left, top, width, height = self.run(
            "const h = document.querySelectorAll('.handle')[arguments[0]].getBoundingClientRect();"
            "const c = document.querySelector('#crop-stage canvas').getBoundingClientRect();"
            "return [h.left + h.width / 2, h.top + h.height / 2, c.left, c.top, c.width, c.height]",
            index,
        )
        target = {"x": left + across * width, "y": top + down * height}
        press = {"button": "left", "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **press)
        self.send("Input.dispatchMouseEvent", type="mouseMoved", button="left", buttons=1, **target)
        self.send("Input.dispatchMouseEvent", type="mouseReleased", **target, **press)

    def offline(self, gone: bool) -> None:
        """Cut the network, or mend it."""
        self.send(
            "Network.emulateNetworkConditions",
            offline=gone,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    def reload(self) -> None:
        """Load the page anew."""
        self.driver.refresh()
        self.until("document.documentElement.dataset.ready === 'yes'")

    def key(self, *keys: str) -> None:
        """Press keys together, where the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def undo(self) -> None:
        """Undo by the keyboard."""
        from selenium.webdriver.common.keys import Keys

        self.driver.find_element("css selector", "#sheet").send_keys(Keys.CONTROL, "z")

    def picture(self, path: Path) -> bytes:
        """Save what the window shows as PNG, and return it."""
        data: bytes = self.driver.get_screenshot_as_png()
        path.write_bytes(data)
        return data

    def errors(self) -> list[str]:
        """Return what the browser complained about."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requests(self) -> set[str]:
        """Return the addresses that were asked for since the page was opened, but for data."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return {
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
            and not message["params"]["request"]["url"].startswith(("data:", "blob:", "chrome:"))
        }
