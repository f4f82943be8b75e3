"""Requests that mean harm, or are made without care: none is answered with 500, and the service lives on."""

from __future__ import annotations

import base64
import io
import json
import random
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")
import cv2
import numpy as np
import uvicorn
from fastapi.testclient import TestClient
from PIL import Image

from inktex.service import connections
from inktex.service.app import create_app
from inktex.service.options import ServiceOptions
from stub_recognizer import StubRecognizer

EXAMPLES = Path(__file__).parents[1] / "examples"
ADDRESSES = (
    "/api/v1/recognize",
    "/api/v1/recognize/batch",
    "/api/v1/convert",
    "/v3/strokes",
    "/v3/text",
    "/v3/latex",
    "/api/v4.0/iink/batch",
    "/api/v4.0/iink/recognize",
    "/predict/",
)
TYPES = (
    "application/json",
    "image/png",
    "application/octet-stream",
    "application/inkml+xml",
    "multipart/form-data; boundary=b",
    "text/html",
    "application/json; charset=utf-7",
    "",
)
ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE ink [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (c + 1, c, c, c, c) for c in range(ord("a"), ord("k")))
    + b"]><ink><trace>&k;</trace></ink>"
)
OUTSIDE = b'<!DOCTYPE ink [<!ENTITY a SYSTEM "file:///etc/passwd">]><ink><trace>1 2, &a;</trace></ink>'
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e308,
    10**400,
    "",
    "a" * 10_000,
    "data:image/png;base64,",
    "data:image/png;base64," + "A" * 5000,
    "file:///etc/passwd",
    "http://169.254.169.254/",
    [],
    {},
    [[]],
    [[[1, 2]] * 60_000],
    [[[1, 2]]] * 3000,
    [[[1e30, -1e30], [1e-30, 0]]],
    [[[0, 0]]],
    {"x": [[1]], "y": [[1]]},
    {"strokes": {"strokes": None}},
)
KEYS = (
    "strokes",
    "strokeGroups",
    "image",
    "src",
    "formats",
    "alternatives",
    "details",
    "region",
    "data_options",
    "configuration",
    "contentType",
    "xDPI",
    "scaleX",
    "latex",
    "id",
    "confidence_threshold",
    "math_inline_delimiters",
)


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that holds side x side pixels of white."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + bytes((1, 0, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\xff" * (-(-side // 8))) * side, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def pictures() -> list[bytes]:
    """A picture in every format."""
    grey = cv2.imread(str(EXAMPLES / "fraction.png"), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    gif = io.BytesIO()
    Image.fromarray(grey).save(gif, "GIF")
    suffixes = (".png", ".jpg", ".bmp", ".tiff", ".webp")
    return [gif.getvalue(), *(cv2.imencode(suffix, grey)[1].tobytes() for suffix in suffixes)]


class Harm:
    """Makes bodies that mean harm, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.pictures = pictures()
        self.kinds: tuple[Callable[[], bytes], ...] = (
            self.truncated,
            self.flipped,
            self.noise,
            self.object,
            self.deep,
            self.form,
            lambda: self.random.choice([ENTITIES, OUTSIDE, b"<ink/>", b"<ink><trace>a b</trace></ink>"]),
            lambda: bomb(self.random.choice([9_000, 20_000])),
            lambda: json.dumps(self.random.choice(VALUES)).encode(),
        )

    def body(self) -> bytes:
        return self.random.choice(self.kinds)()

    def truncated(self) -> bytes:
        picture = self.random.choice(self.pictures)
        return picture[: self.random.randrange(len(picture))]

    def flipped(self) -> bytes:
        picture = bytearray(self.random.choice(self.pictures))
        for _ in range(self.random.randrange(1, 30)):
            picture[self.random.randrange(len(picture))] = self.random.randrange(256)
        return bytes(picture)

    def noise(self) -> bytes:
        return self.random.randbytes(self.random.randrange(2000))

    def object(self) -> bytes:
        keys = self.random.sample(KEYS, self.random.randrange(1, 5))
        return json.dumps({key: self.random.choice(VALUES) for key in keys}).encode()

    def deep(self) -> bytes:
        depth = self.random.choice([100, 1000, 100_000])
        inner = self.random.choice([b"[", b'{"strokes":', b'{"a":['])
        return inner * depth

    def form(self) -> bytes:
        data = self.random.choice([self.truncated, self.noise, self.object])()
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        whole = head + data + b"\r\n--b--\r\n"
        return whole if self.random.random() < 0.5 else whole[: self.random.randrange(len(whole))]


def check(answer: Any, address: str) -> None:
    """An answer below 500 that is JSON (lines), with a sentence where it is an error."""
    assert answer.status_code < 500, f"{answer.status_code} at {address}: {answer.text[:200]}"
    if answer.headers["content-type"] == "application/x-ndjson":
        values = [json.loads(line) for line in answer.text.splitlines()]
        assert all(each.get("status", 200) < 500 for each in values)
    elif answer.status_code >= 400:
        assert any(key in answer.json() for key in ("error", "message", "detail"))
        assert "Traceback" not in answer.text


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_harmful_bodies_are_answered(seed: int) -> None:
    """Truncated, broken, huge, deep and mistyped bodies are refused everywhere; none is a fault of ours."""
    harm = Harm(seed)
    options = ServiceOptions(timeout_s=120)
    with TestClient(create_app(StubRecognizer(), options), raise_server_exceptions=False) as client:  # type: ignore[arg-type]
        for _ in range(100):
            address = harm.random.choice(ADDRESSES)
            headers = {"content-type": harm.random.choice(TYPES)}
            check(client.post(address, content=harm.body(), headers=headers), address)
        assert client.get("/ready").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (bomb(9_000), "image/png"),
        (ENTITIES, "application/inkml+xml"),
        (OUTSIDE, "application/inkml+xml"),
        (b"[" * 100_000, "application/json"),
        (b'{"image":"data:image/png;base64,' + base64.b64encode(bomb(9_000)) + b'"}', "application/json"),
    ],
)
def test_bombs_are_refused(body: bytes, kind: str) -> None:
    """What unfolds to more than it seems to be is refused, and quickly."""
    with TestClient(create_app(StubRecognizer())) as client:  # type: ignore[arg-type]
        started = time.process_time()
        answer = client.post("/api/v1/recognize", content=body, headers={"content-type": kind})

    assert 400 <= answer.status_code < 500
    assert time.process_time() - started < 2


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """Where a service on a real socket is reached; it waits for bodies and heads half a second."""
    patch = pytest.MonkeyPatch()
    patch.setattr(connections, "_HEAD_S", 0.5)
    app = create_app(StubRecognizer(), ServiceOptions(body_timeout_s=0.5))  # type: ignore[arg-type]
    config = uvicorn.Config(app, port=0, http=connections.HeadTimeoutProtocol, ws="none", log_config=None)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join(30)
    patch.undo()


def said(address: tuple[str, int], *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Send some bytes, and return all that comes until the connection is closed."""
    received = io.BytesIO()
    with socket.create_connection(address, timeout=60) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
        while piece := connection.recv(65536):
            received.write(piece)
    return received.getvalue()


POST = b"POST /api/v1/recognize HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 50_000 + b"\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
        POST + b"Content-Length: 100000000\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST + b"Transfer-Encoding: gzip\r\n\r\n",
        POST + b"Content-Type: \xff\xfe\r\nContent-Length: 1\r\n\r\na",
        POST
        + b"Content-Type: multipart/form-data; boundary="
        + b"a" * 500
        + b"\r\nContent-Length: 1\r\n\r\na",
        b"GET /..%2f..%2f..%2fetc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
)
def test_odd_requests_are_answered_or_cut_off(address: tuple[str, int], request_: bytes) -> None:
    """What is no proper request is answered with 4xx, or its connection is closed."""
    try:
        answer = said(address, request_)
    except ConnectionError:
        answer = b""

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:100]
    assert b"root:" not in answer
    assert said(address, b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").startswith(
        b"HTTP/1.1 200"
    )


def test_a_slow_body_is_given_up(address: tuple[str, int]) -> None:
    """A body that does not come in time is answered with 408."""
    answer = said(address, POST + b"Content-Length: 100\r\n\r\n", b"a")

    assert answer.startswith(b"HTTP/1.1 408")


def test_a_slow_head_is_cut_off(address: tuple[str, int]) -> None:
    """A connection that does not come to the end of a head is closed, whether it sends bit by bit or not."""
    dripping = [b"GET / HTTP/1.1\r\n", *[b"A: b\r\n"] * 1200]
    started = time.monotonic()
    try:
        answer = said(address, *dripping, pause_s=0.05)
    except ConnectionError:
        answer = b""

    assert answer == b""
    assert said(address) == b""
    assert time.monotonic() - started < 30  # half of what all of the head would take


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        (r"\sqrt{", "}"),
        (r"\frac{1}{", "}"),
        (r"\overline{", "}"),
        ("x^{", "}"),
        ("x_{a}^{", "}"),
        (r"\left(", r"\right)"),
        (r"\begin{matrix}", r"\end{matrix}"),
    ],
)
def test_nested_latex_is_converted_in_no_time(opening: str, closing: str) -> None:
    """However deep LaTeX is nested, writing it in all formats takes no longer than other LaTeX does."""
    latex = opening * 40 + "x" + closing * 40
    with TestClient(create_app(StubRecognizer())) as client:  # type: ignore[arg-type]
        formats = client.get("/api/v1/model").json()["formats"]
        started = time.process_time()
        answer = client.post("/api/v1/convert", json={"latex": latex, "formats": formats})

    assert answer.status_code == 200
    assert set(answer.json()["formats"]) == set(formats)
    assert time.process_time() - started < 2


def test_nothing_but_pictures_is_decoded_as_such() -> None:
    """A body that calls itself a picture and is JSON never reaches the recognizer past the limits on ink."""
    stub = StubRecognizer()
    body = json.dumps([[[float(number), 1.0] for number in range(100_000)]]).encode()
    with TestClient(create_app(stub)) as client:  # type: ignore[arg-type]
        answers = [
            client.post("/api/v1/recognize", content=body, headers={"content-type": kind}).status_code
            for kind in ("image/png", "application/octet-stream", "application/json")
        ]

    assert answers == [415, 415, 413]
    assert stub.sources == []


def test_uniform_pictures_hold_nothing() -> None:
    """A picture without ink is 422, of whatever size within the limits it is."""
    with TestClient(create_app(StubRecognizer())) as client:  # type: ignore[arg-type]
        for side in (1, 2, 3000):
            data = cv2.imencode(".png", np.full((side, side), 255, np.uint8))[1].tobytes()
            assert client.post("/api/v1/recognize", content=data).status_code == 422
