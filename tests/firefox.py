"""Firefox without a window, told what to do in the W3C's WebDriver BiDi, which it speaks itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PATIENCE_S = 120.0


class Firefox:
    """A tab of Firefox.

    Args:
        socket: an open connection to its BiDi address.
    """

    def __init__(self, socket: Any) -> None:
        self._socket, self._number = socket, 0
        self.messages: list[dict[str, Any]] = []
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self._tab = self.send("browsingContext.getTree")["contexts"][0]["context"]

    def send(self, method: str, **parameters: Any) -> Any:
        """Tell the browser something and return what it answers; events on the way are kept."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                assert message["type"] == "success", message
                return message["result"]
            self.messages.append(message)

    def open(self, address: str) -> None:
        """Open a page, and wait until it is there."""
        self.send("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def value(self, expression: str) -> Any:
        """Return the value of an expression, a string, number or boolean."""
        answer = self.send(
            "script.evaluate", expression=expression, target={"context": self._tab}, awaitPromise=True
        )
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self.value(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"in vain: {condition}"
            time.sleep(0.05)

    def draw(self, strokes: Sequence[Sequence[Sequence[float]]]) -> None:
        """Write strokes with the mouse, given in pixels of the window."""
        actions: list[dict[str, Any]] = []
        for stroke in strokes:
            start, *others = [{"type": "pointerMove", "x": round(x), "y": round(y)} for x, y in stroke]
            actions += [start, {"type": "pointerDown", "button": 0}]
            actions += [{**move, "duration": 8} for move in others]
            actions.append({"type": "pointerUp", "button": 0})
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self.send("input.performActions", context=self._tab, actions=[mouse])

    def errors(self) -> list[str]:
        """Return what the browser complained about."""
        logged = [each["params"] for each in self.messages if each.get("method") == "log.entryAdded"]
        return [entry["text"] for entry in logged if entry["level"] == "error"]

    def requests(self) -> set[str]:
        """Return the addresses that were asked for, but for data."""
        sent = [each for each in self.messages if each.get("method") == "network.beforeRequestSent"]
        urls = {each["params"]["request"]["url"] for each in sent}
        return {url for url in urls if not url.startswith(("data:", "blob:"))}


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox | None]:
    """Run Firefox while the block runs; None where there is none.

    Args:
        profile: an empty folder for what it keeps.
    """
    from websocket import create_connection

    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        yield None
        return
    command = [
        program,
        "--headless",
        "--no-remote",
        "--profile",
        str(profile),
        "--remote-debugging-port",
        "0",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        found = (re.search(r"WebDriver BiDi listening on (ws://\S+)", line) for line in process.stderr)
        address = next(match[1] for match in found if match)
        socket = create_connection(f"{address}/session", timeout=_PATIENCE_S, suppress_origin=True)
        yield Firefox(socket)
        socket.close()
    finally:
        process.terminate()
        process.wait(60)
