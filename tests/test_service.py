"""The service's own form, on a recognizer that knows no model."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")
import cv2
import numpy as np
from fastapi.testclient import TestClient

from inktex.errors import ConfigError
from inktex.ink.inkml import InkDocument, write_inkml
from inktex.ink.strokes import ink_from_lists
from inktex.latex.tokens import tokenize
from inktex.limits import Limits
from inktex.mathml import to_mathml
from inktex.service.app import create_app
from inktex.service.logs import JsonFormatter
from inktex.service.options import ServiceOptions
from stub_recognizer import SQUARED, StubRecognizer, reading

EXAMPLES = Path(__file__).parents[1] / "examples"
PICTURE = (EXAMPLES / "fraction.png").read_bytes()
PLUS = [[[10, 30], [50, 30]], [[30, 10], [30, 50]]]
READ = "/api/v1/recognize"


def make_client(stub: Any = None, **options: Any) -> TestClient:
    app = create_app(stub or StubRecognizer(), ServiceOptions(**options))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with make_client() as client:
        yield client


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def png(height: int, width: int) -> bytes:
    return cv2.imencode(".png", np.full((height, width), 255, np.uint8))[1].tobytes()


INKML = write_inkml(InkDocument(ink_from_lists(PLUS)))
# What is sent, and what the stub reads in it.
QUESTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "picture": ({"content": PICTURE, "headers": {"content-type": "image/png"}}, "x^2"),
    "picture of no type": ({"content": PICTURE}, "x^2"),
    "picture as curl sends it": (
        {"content": PICTURE, "headers": {"content-type": "application/x-www-form-urlencoded"}},
        "x^2",
    ),
    "picture as form": ({"files": {"file": ("a.png", PICTURE, "image/png")}}, "x^2"),
    "picture in JSON": ({"json": {"image": data_url(PICTURE)}}, "x^2"),
    "strokes": ({"json": {"strokes": PLUS}}, "2"),
    "strokes alone": ({"json": PLUS}, "2"),
    "strokes as form": ({"files": {"file": ("a.json", json.dumps(PLUS).encode())}}, "2"),
    "InkML": ({"content": INKML, "headers": {"content-type": "application/inkml+xml"}}, "2"),
    "InkML as form": ({"files": {"file": ("a.inkml", INKML)}}, "2"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_sent_is_read(client: TestClient, question: str) -> None:
    """A picture or strokes, in whatever way they are sent, reach the recognizer and come back as LaTeX."""
    request, latex = QUESTIONS[question]

    answer = client.post(READ, **request)

    assert answer.status_code == 200, answer.text
    assert answer.json()["latex"] == latex
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("way", ["query", "JSON", "form"])
def test_options_are_heeded(client: TestClient, way: str) -> None:
    """Options say what is told of a reading, in the address, in JSON and in a form alike."""
    if way == "query":
        answer = client.post(f"{READ}?alternatives=1&details=true&formats=latex,mathml", content=PICTURE)
    elif way == "JSON":
        options = {"alternatives": 1, "details": True, "formats": ["latex", "mathml"]}
        answer = client.post(READ, json={"image": data_url(PICTURE), **options})
    else:
        fields = {"alternatives": "1", "details": "true", "formats": "latex,mathml"}
        answer = client.post(READ, files={"file": PICTURE}, data=fields)

    values = answer.json()
    expected = reading(PICTURE, details=True)
    assert [each["latex"] for each in values["alternatives"]] == ["y"]
    assert values["alternatives"][0]["mathml"] == to_mathml(["y"])
    assert values["mathml"] == to_mathml(SQUARED)
    assert values["formats"] == {"latex": "x^2", "mathml": to_mathml(SQUARED)}
    assert [(each["token"], each["box"]) for each in values["details"]] == [
        (each.token, each.box and list(each.box)) for each in expected.details
    ]


def test_only_what_is_asked_for_is_told(client: TestClient) -> None:
    """Without options there are neither details nor other formats."""
    values = client.post(READ, content=PICTURE).json()

    assert set(values) == {"request_id", "latex", "confidence", "bounded", "tokens", "alternatives"}
    assert values["tokens"] == list(SQUARED)


SMALL = ServiceOptions(limits=Limits(file_bytes=100_000, pixels=1_000_000, strokes=3, points=50))
PROBLEMS: dict[str, tuple[dict[str, Any], int]] = {
    "nothing": ({"content": b""}, 400),
    "no JSON": ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
    "nested JSON": ({"content": b"[" * 50_000, "headers": {"content-type": "application/json"}}, 400),
    "NaN": ({"content": b"[[[NaN, 1]]]", "headers": {"content-type": "application/json"}}, 400),
    "a broken form": (
        {"content": b"--x", "headers": {"content-type": "multipart/form-data; boundary=y"}},
        400,
    ),
    "a form without boundary": ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 400),
    "a form without a file": ({"files": {"picture": PICTURE}}, 422),
    "too many bytes": ({"content": b"\x89PNG" + b"0" * 300_000}, 413),
    "too many pixels": ({"content": png(1001, 1000)}, 413),
    "too many strokes": ({"json": PLUS * 2}, 413),
    "too many points": ({"json": [[[1, 2]] * 51]}, 413),
    "far too many points": ({"json": [[[1, 2]] * 5000]}, 413),
    "text": ({"content": b"x^2", "headers": {"content-type": "text/plain"}}, 415),
    "no picture": ({"content": b"x^2", "headers": {"content-type": "image/png"}}, 415),
    "strokes called a picture": ({"content": b"[[[1,2]]]", "headers": {"content-type": "image/png"}}, 415),
    "a compressed body": ({"content": PICTURE, "headers": {"content-encoding": "gzip"}}, 415),
    "a damaged picture": ({"content": PICTURE[:200]}, 422),
    "an empty picture": ({"content": png(40, 40)}, 422),
    "an address": ({"json": {"image": "http://localhost/a.png"}}, 422),
    "a path": ({"json": {"image": "file:///etc/passwd"}}, 422),
    "a path as strokes": ({"json": {"strokes": "/etc/passwd"}}, 422),
    "no base64": ({"json": {"image": "data:image/png;base64,***"}}, 422),
    "two things": ({"json": {"image": data_url(PICTURE), "strokes": PLUS}}, 422),
    "no strokes": ({"json": {"strokes": []}}, 422),
    "alternatives": ({"json": {"strokes": PLUS, "alternatives": 11}}, 422),
    "alternatives as text": ({"json": {"strokes": PLUS, "alternatives": "3"}}, 422),
    "details": ({"json": {"strokes": PLUS, "details": "maybe"}}, 422),
    "a format": ({"json": {"strokes": PLUS, "formats": ["word"]}}, 422),
    "formats": ({"json": {"strokes": PLUS, "formats": "latex"}}, 422),
    "a query": ({"params": {"alternatives": "many"}, "content": PICTURE}, 422),
}


@pytest.fixture(scope="module")
def strict() -> Iterator[TestClient]:
    with TestClient(create_app(StubRecognizer(), SMALL), raise_server_exceptions=False) as client:  # type: ignore[arg-type]
        yield client


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_is_wrong_is_said(strict: TestClient, problem: str) -> None:
    """What cannot be read is answered with the right status, one sentence and the request's id."""
    request, status = PROBLEMS[problem]

    answer = strict.post(READ, **request)

    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "request_id"}
    assert "\n" not in answer.json()["error"]


def test_nothing_large_is_decoded() -> None:
    """A picture whose header announces more pixels than allowed is refused before it is decoded."""
    stub = StubRecognizer()
    header = png(30, 30)
    huge = header[:16] + (30_000).to_bytes(4, "big") * 2 + header[24:]

    with make_client(stub) as client:
        answer = client.post(READ, content=huge)

    assert answer.status_code == 413
    assert "30000 x 30000" in answer.json()["error"]
    assert not stub.sources


def test_every_answer_has_an_id_and_keeps_browsers_safe(client: TestClient) -> None:
    """A client's own id is kept if it is plain; answers carry a strict policy and are not stored."""
    own = client.get("/api/v1/health", headers={"x-request-id": "abc-1"})
    odd = client.get("/api/v1/health", headers={"x-request-id": "a b<script>"})
    missing = client.get("/api/v1/nothing")

    assert own.headers["x-request-id"] == "abc-1"
    assert odd.headers["x-request-id"] not in ("", "a b<script>")
    for answer in (own, odd, missing):
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self' 'wasm-unsafe-eval';" in policy
        assert "worker-src 'self';" in policy
        assert "unsafe-inline" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers
    assert missing.json()["request_id"] == missing.headers["x-request-id"]


def test_wrong_methods_are_told_which_there_are(client: TestClient) -> None:
    """An address that only takes POST says so."""
    answer = client.get(READ)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert "error" in answer.json()


def test_a_failure_of_ours_is_told_without_its_inside(caplog: pytest.LogCaptureFixture) -> None:
    """Where the recognizer fails, the client gets 500 and an id, and the log the reason under that id."""

    class Broken(StubRecognizer):
        def recognize_each(self, sources: Any, *, details: bool = False) -> Any:
            raise RuntimeError("the inside of it")

    with make_client(Broken()) as client, caplog.at_level(logging.ERROR, "inktex.service"):
        answer = client.post(READ, content=PICTURE)

    assert answer.status_code == 500
    assert "inside" not in answer.text
    assert "Traceback" not in answer.text
    assert any(record.exc_info and "inside" in str(record.exc_info[1]) for record in caplog.records)


def test_keys_are_wanted_where_there_are_keys() -> None:
    """With keys a request without one is refused with 401; the bearer and the header are both let in."""
    with make_client(keys=("first", "second")) as client:
        answers = [
            client.post(READ, content=PICTURE, headers=headers).status_code
            for headers in (
                {},
                {"authorization": "Bearer wrong"},
                {"authorization": "Basic first"},
                {"authorization": "Bearer first"},
                {"x-api-key": "second"},
            )
        ]
        challenge = client.post(READ, content=PICTURE).headers["www-authenticate"]
        open_to_all = [client.get(f"/api/v1/{name}").status_code for name in ("health", "ready")]

    assert answers == [401, 401, 401, 200, 200]
    assert challenge == "Bearer"
    assert open_to_all == [200, 200]


def test_a_client_that_asks_too_often_is_told_when_to_come_again() -> None:
    """Beyond the burst a client gets 429 with Retry-After."""
    with make_client(rate_per_s=0.01, burst=2) as client:
        answers = [client.post(READ, content=PICTURE) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 90 <= int(answers[2].headers["retry-after"]) <= 100


def test_keys_cannot_be_guessed_at_any_rate() -> None:
    """Requests with a wrong key count, too."""
    with make_client(keys=("right",), rate_per_s=0.01, burst=2) as client:
        headers = {"authorization": "Bearer wrong"}
        statuses = [client.post(READ, content=PICTURE, headers=headers).status_code for _ in range(3)]

    assert statuses == [401, 401, 429]


def test_other_pages_may_ask_only_if_they_are_let_in() -> None:
    """CORS is off; where it is on, it holds for the origins that are named."""
    with make_client(cors=("https://good.example",)) as client:
        good = client.post(READ, content=PICTURE, headers={"origin": "https://good.example"})
        other = client.post(READ, content=PICTURE, headers={"origin": "https://other.example"})

    assert good.headers["access-control-allow-origin"] == "https://good.example"
    assert "access-control-allow-origin" not in other.headers


def test_bodies_take_no_more_memory_than_allowed() -> None:
    """A body beyond what all may hold together is refused with 503; what was answered holds nothing."""
    with make_client(buffered_bytes=len(PICTURE) + 10) as client:
        answers = [client.post(READ, content=PICTURE).status_code for _ in range(3)]
        larger = client.post(READ, content=PICTURE + b"0" * 20)

    assert answers == [200] * 3
    assert (larger.status_code, larger.headers["retry-after"]) == (503, "1")


def test_slow_readings_end_in_503() -> None:
    """A reading that takes longer than it may is given up, with 503."""
    stub = StubRecognizer()
    stub.go.clear()
    with make_client(stub, timeout_s=0.05) as client:
        answer = client.post(READ, content=PICTURE)
        stub.go.set()

    assert answer.status_code == 503
    assert "retry-after" in answer.headers


def test_a_batch_is_answered_line_by_line(client: TestClient) -> None:
    """Each line of a batch has its answer or what is wrong with it, under its index and id."""
    lines = [
        json.dumps({"id": "a", "strokes": PLUS}),
        json.dumps(PLUS[:1]),
        "",
        json.dumps({"id": 7, "image": data_url(PICTURE), "details": True}),
        "{",
        json.dumps({"id": "e", "strokes": []}),
    ]

    answer = client.post(f"{READ}/batch?alternatives=0", content="\n".join(lines))

    assert answer.headers["content-type"].startswith("application/x-ndjson")
    values = {each["index"]: each for each in map(json.loads, answer.text.splitlines())}
    assert sorted(values) == [0, 1, 2, 3, 4]
    assert (values[0]["id"], values[0]["latex"], values[0]["alternatives"]) == ("a", "2", [])
    assert values[1]["latex"] == "1"
    assert (values[2]["id"], values[2]["latex"], len(values[2]["details"])) == (7, "x^2", len(SQUARED))
    assert values[3]["status"] == 400
    assert (values[4]["id"], values[4]["status"]) == ("e", 422)


def test_a_batch_larger_than_the_queue_is_read_all_the_same() -> None:
    """The lines of a batch wait for room in the queue; none is refused for lack of it."""
    with make_client(waiting=2, together=2) as client:
        answer = client.post(f"{READ}/batch", content="\n".join([json.dumps(PLUS)] * 40))

    values = [json.loads(line) for line in answer.text.splitlines()]
    assert sorted(each["index"] for each in values) == list(range(40))
    assert {each["latex"] for each in values} == {"2"}


@pytest.mark.parametrize(("lines", "status"), [(0, 400), (4, 413)])
def test_batches_have_bounds(lines: int, status: int) -> None:
    """A batch of no lines, or of more than are allowed, is refused as a whole."""
    with make_client(batch_lines=3) as client:
        assert client.post(f"{READ}/batch", content="[[[1,2]]]\n" * lines).status_code == status


def test_latex_is_converted(client: TestClient) -> None:
    """LaTeX that was corrected by hand comes back in the formats that are asked for."""
    answer = client.post("/api/v1/convert", json={"latex": r"\frac12", "formats": ["mathml", "latex"]})

    assert answer.json()["formats"] == {
        "mathml": to_mathml(tokenize(r"\frac12")),
        "latex": r"\frac{1}{2}",
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"latex": r"\frac1"}, 422),
        ({"latex": 3}, 422),
        ({}, 422),
        ([], 422),
        ({"latex": "x", "formats": "mathml"}, 422),
        ({"latex": "x", "formats": ["word"]}, 422),
        ({"latex": "x" * 501}, 413),
        ({"latex": "{" * 400 + "}" * 400}, 413),
        ({"latex": "{" * 200 + "}" * 200}, 422),
    ],
)
def test_latex_that_cannot_be_converted_is_refused(client: TestClient, body: Any, status: int) -> None:
    """LaTeX that is malformed, nested too deeply or too long is refused."""
    assert client.post("/api/v1/convert", json=body).status_code == status


def test_the_model_is_told_of(client: TestClient) -> None:
    """The model's tokens, licence and bounds are told, and no path of this machine."""
    answer = client.get("/api/v1/model")

    values = answer.json()
    bundle = StubRecognizer().bundle
    assert set(values["tokens"]) == set(bundle.vocabulary.tokens) - {"<pad>", "<sos>", "<eos>", "<unk>"}
    assert values["licence"].startswith("CC")
    assert values["formats"][:2] == ["latex", "mathml"]
    assert values["limits"]["pixels"] == ServiceOptions().limits.pixels
    assert str(Path.home()) not in answer.text
    assert str(EXAMPLES.parent) not in answer.text


def test_probes_find_the_service_where_they_look(client: TestClient) -> None:
    """Health, readiness and metrics are found at the root and below /api/v1."""
    addresses = [f"{at}/{name}" for at in ("", "/api/v1") for name in ("health", "ready", "metrics")]

    assert [client.get(address).status_code for address in addresses] == [200] * 6


def test_a_service_with_a_full_queue_is_not_ready() -> None:
    """While one request is read and another waits in a queue of one, the service says that it is busy."""
    stub = StubRecognizer()
    stub.go.clear()
    with make_client(stub, waiting=1) as client, ThreadPoolExecutor(2) as pool:
        assert client.get("/ready").status_code == 200
        first = pool.submit(client.post, READ, content=PICTURE)
        while not stub.batches:
            time.sleep(0.005)
        second = pool.submit(client.post, READ, content=PICTURE)
        while client.get("/ready").status_code == 200:
            time.sleep(0.005)
        refused = client.post(READ, content=PICTURE)
        stub.go.set()
        accepted = [first.result(30).status_code, second.result(30).status_code]

    assert refused.status_code == 503
    assert accepted == [200, 200]


def test_what_was_answered_is_counted() -> None:
    """Requests are counted by address and status, and the batches that were read."""
    with make_client() as client:
        client.post(READ, content=PICTURE)
        client.post(READ, content=b"no picture")
        client.get("/api/v1/nothing")
        metrics = client.get("/metrics").text

    for line in (
        'inktex_requests_total{route="/api/v1/recognize",status="200"} 1.0',
        'inktex_requests_total{route="/api/v1/recognize",status="415"} 1.0',
        'inktex_requests_total{route="other",status="404"} 1.0',
        "inktex_batch_size_count 1.0",
        "inktex_pending 0.0",
    ):
        assert line in metrics.splitlines()


def test_the_page_is_served_to_browsers(client: TestClient) -> None:
    """A browser gets the page and what it loads, to be looked up again each time, and no other files."""
    page = client.get("/", headers={"accept": "text/html,*/*"})
    script = client.get("/app.js")

    assert page.headers["content-type"].startswith("text/html")
    assert "javascript" in script.headers["content-type"]
    for answer in (page, script):
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert "script-src 'self' 'wasm-unsafe-eval';" in answer.headers["content-security-policy"]
    for name in ("app.py", "../app.py", "..%2fapp.py", "%2e%2e/app.py", "static/app.js"):
        assert client.get(f"/{name}").status_code == 404


def test_below_a_root_path_everything_is_found() -> None:
    """Behind a proxy that has put the service below a path, requests are found with that path and without."""
    with make_client(root_path="/inktex") as client:
        answers = [client.post(f"{at}{READ}", content=PICTURE).status_code for at in ("", "/inktex")]
        servers = client.get("/api/v1/openapi.json").json()["servers"]

    assert answers == [200, 200]
    assert servers == [{"url": "/inktex"}]


def test_the_log_is_json_and_says_nothing_of_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    """A line of the log is an object with the request's id, address, status and time, and no more of it."""
    with make_client() as client, caplog.at_level(logging.INFO, "inktex.service"):
        client.post(READ, content=PICTURE, headers={"x-request-id": "mine"})

    (record,) = [record for record in caplog.records if record.getMessage() == "answered"]
    values = json.loads(JsonFormatter().format(record))
    assert values["request_id"] == "mine"
    assert (values["method"], values["path"], values["status"]) == ("POST", READ, 200)
    assert set(values) == {
        "time",
        "level",
        "process",
        "message",
        "request_id",
        "method",
        "path",
        "status",
        "ms",
    }


@pytest.mark.parametrize(
    "options",
    [
        {"waiting": 0},
        {"together": 0},
        {"timeout_s": 0},
        {"rate_per_s": -1},
        {"keys": ("",)},
        {"root_path": "inktex"},
        {"root_path": "/inktex/"},
    ],
)
def test_options_check_themselves(options: dict[str, Any]) -> None:
    """Options that make no sense are refused in one sentence."""
    with pytest.raises(ConfigError):
        ServiceOptions(**options)
