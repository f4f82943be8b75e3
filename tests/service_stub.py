"""A service that answers what a test tells it to, on loopback, with the headers of the real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from inktex.latex.readable import readable
from inktex.latex.tree import tokenize
from inktex.mathml import to_mathml

STATIC = Path(__file__).parents[1] / "src/inktex/service/static"
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FORMATS = ["latex", "mathml", "typst", "asciimath"]


@dataclass
class Stub:
    """What the service answers, and what it was asked.

    Attributes:
        status: of answers to ``recognize``.
        read: strokes (or None for a picture) -> tokens with spaces, and tokens that are unsure.
        alternatives: other readings, as tokens with spaces.
        asked: the bodies of ``recognize``, strokes or the bytes of a picture.
        key: that it wants, or "".
        address: where it is.
    """

    status: int = 200
    read: Callable[[list[Any] | None], tuple[str, dict[int, float]]] = lambda _: ("x ^ { 2 } + 1", {6: 0.4})
    alternatives: tuple[str, ...] = ("x ^ { 2 } + l", "x ^ { z } + 1")
    asked: list[Any] = field(default_factory=list)
    key: str = ""
    address: str = ""

    def asked_strokes(self) -> int:
        """Return how many strokes the last question had."""
        return len(self.asked[-1])

    def recognize(self, strokes: list[Any] | None) -> dict[str, Any]:
        """Answer as the service does; token ``i`` stands where stroke ``i`` of the written ones does."""
        latex, unsure = self.read(strokes)
        tokens = latex.split()
        return {
            **converted(tokens),
            "confidence": 0.62 if unsure else 0.97,
            "alternatives": [
                {**converted(each.split()), "confidence": 0.1, "tokens": each.split()}
                for each in self.alternatives
            ],
            "details": [
                {"token": token, "confidence": unsure.get(i, 0.99), "box": box}
                for i, (token, box) in enumerate(zip(tokens, boxes(tokens, strokes), strict=True))
            ],
        }


def converted(tokens: list[str]) -> dict[str, Any]:
    """Return tokens in all formats."""
    mathml, latex = to_mathml(tokens), readable(tokens)
    formats = {
        "latex": latex,
        "mathml": mathml,
        "typst": f"typst({latex})",
        "asciimath": f"asciimath({latex})",
    }
    return {"latex": latex, "mathml": mathml, "formats": formats}


def boxes(tokens: list[str], strokes: list[Any] | None) -> list[list[float] | None]:
    """Return the box of the n-th stroke for the n-th written token."""
    drawn = iter(strokes or [])
    places: list[list[float] | None] = []
    for token in tokens:
        stroke = None if token in {"{", "}", "^", "_"} else next(drawn, None)
        xs, ys = ([point[axis] for point in stroke or []] for axis in (0, 1))
        places.append([min(xs), min(ys), max(xs), max(ys)] if stroke else None)
    return places


class _Handler(SimpleHTTPRequestHandler):
    stub: Stub

    def log_message(self, *_: object) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def do_GET(self) -> None:
        if self.path == "/api/v1/model" and not self._let_in():
            self._answer(401, {"error": "a key is needed"})
        elif self.path == "/api/v1/model":
            self._answer(200, {"formats": FORMATS})
        else:
            super().do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/v1/convert":
            self._convert(json.loads(body)["latex"])
            return
        strokes = json.loads(body)["strokes"] if self.headers["Content-Type"] == "application/json" else None
        self.stub.asked.append(strokes or body)
        if self.stub.status == 200:
            self._answer(200, self.stub.recognize(strokes))
        else:
            self._answer(self.stub.status, {"error": "the stub was told to say no", "request_id": "1"})

    def _let_in(self) -> bool:
        return self.stub.key in ("", (self.headers["Authorization"] or "").removeprefix("Bearer "))

    def _convert(self, latex: str) -> None:
        try:
            self._answer(200, converted(list(tokenize(latex))))
        except Exception as error:
            self._answer(422, {"error": str(error)})

    def _answer(self, status: int, values: dict[str, Any]) -> None:
        data = json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 503:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def running(stub: Stub) -> Iterator[Stub]:
    """Serve the page and the stub while the block runs."""
    handler = type("Handler", (_Handler,), {"stub": stub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: handler(*a, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stub.address = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
