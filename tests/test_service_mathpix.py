"""Mathpix's form: its addresses, options and errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")
import cv2
import numpy as np
from fastapi.testclient import TestClient

from inktex.mathml import to_mathml
from inktex.service.app import create_app
from inktex.service.options import ServiceOptions
from stub_recognizer import SQUARED, StubRecognizer

PICTURE = (Path(__file__).parents[1] / "examples" / "fraction.png").read_bytes()
STROKES = {"strokes": {"strokes": {"x": [[10, 50], [30, 30]], "y": [[30, 30], [10, 60]]}}}
SRC = "data:image/png;base64," + base64.b64encode(PICTURE).decode()


def make_client(stub: Any = None, **options: Any) -> TestClient:
    app = create_app(stub or StubRecognizer(), ServiceOptions(**options))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with make_client() as client:
        yield client


def test_strokes_are_answered_as_documented(client: TestClient) -> None:
    """The answer to strokes has the keys of Mathpix's documentation, with the LaTeX in its delimiters."""
    values = client.post("/v3/strokes", json=STROKES, headers={"app_id": "a", "app_key": "b"}).json()

    assert values["text"] == r"\( 2 \)"
    assert values["latex_styled"] == "2"
    assert values["confidence"] == 0.9
    assert values["confidence_rate"] == pytest.approx(0.9)
    assert (values["is_printed"], values["is_handwritten"]) == (False, True)
    assert (values["image_width"], values["image_height"]) == (40, 50)
    assert {"request_id", "version", "auto_rotate_confidence", "auto_rotate_degrees"} <= set(values)


@pytest.mark.parametrize("way", ["JSON", "form"])
def test_pictures_are_read_with_their_options(client: TestClient, way: str) -> None:
    """A picture comes in JSON or as a form; formats, data and delimiters are those that were asked for."""
    options = {
        "formats": ["text", "data", "html"],
        "data_options": {"include_latex": True, "include_mathml": True, "include_svg": True},
        "math_inline_delimiters": ["$", "$"],
        "metadata": {"any": "thing"},
        "rm_spaces": True,
        "include_line_data": True,
    }
    if way == "JSON":
        answer = client.post("/v3/text", json={"src": SRC, **options})
    else:
        answer = client.post("/v3/text", files={"file": PICTURE}, data={"options_json": json.dumps(options)})

    values = answer.json()
    mathml = to_mathml(SQUARED)
    assert values["text"] == "$ x^2 $"
    assert values["data"] == [{"type": "latex", "value": "x^2"}, {"type": "mathml", "value": mathml}]
    assert values["html"] == f'<div><span class="math-inline">{mathml}</span></div>'
    assert "latex_styled" not in values
    (line,) = values["line_data"]
    assert line["cnt"] == [[0, 0], [4, 0], [4, 2], [0, 2]]  # the boxes of the stub's five tokens
    assert (line["type"], line["text"], line["confidence"]) == ("math", "$ x^2 $", 0.9)
    height, width = cv2.imdecode(np.frombuffer(PICTURE, np.uint8), cv2.IMREAD_GRAYSCALE).shape
    assert (values["image_width"], values["image_height"]) == (width, height)


def test_a_region_is_cut_out() -> None:
    """Of a picture with a region only that part is read."""
    stub = StubRecognizer()
    grey = np.full((80, 120), 255, np.uint8)
    cv2.putText(grey, "x", (10, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    src = "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", grey)[1].tobytes()).decode()
    region = {"top_left_x": 5, "top_left_y": 30, "width": 40, "height": 50}

    with make_client(stub) as client:
        client.post("/v3/text", json={"src": src, "region": region})

    (seen,) = stub.sources
    assert np.allclose(np.asarray(seen) * 255, grey[30:80, 5:45], atol=0.01)


def test_the_older_address_is_answered(client: TestClient) -> None:
    """/v3/latex gives the formats that are asked for, and its confidence under another name."""
    values = client.post("/v3/latex", json={"src": SRC, "formats": ["latex_simplified", "mathml"]}).json()

    assert values["latex_simplified"] == "x^2"
    assert values["mathml"] == to_mathml(SQUARED)
    assert values["latex_confidence"] == 0.9
    assert values["error"] == ""


EMPTY = base64.b64encode(cv2.imencode(".png", np.full((40, 40), 255, np.uint8))[1].tobytes()).decode()
ERRORS: dict[str, tuple[str, dict[str, Any], str]] = {
    "no JSON": ("/v3/strokes", {"content": b"{"}, "json_syntax"),
    "no object": ("/v3/strokes", {"json": []}, "json_syntax"),
    "no strokes": ("/v3/strokes", {"json": {}}, "strokes_missing"),
    "empty strokes": (
        "/v3/strokes",
        {"json": {"strokes": {"strokes": {"x": [], "y": []}}}},
        "strokes_missing",
    ),
    "other strokes": (
        "/v3/strokes",
        {"json": {"strokes": {"strokes": {"x": [[1]]}}}},
        "strokes_syntax_error",
    ),
    "too large": ("/v3/strokes", {"content": b" " * 600_000}, "sys_request_too_large"),
    "no picture": ("/v3/text", {"json": {}}, "image_missing"),
    "an address": ("/v3/text", {"json": {"src": "https://example.org/a.png"}}, "image_download_error"),
    "no ink": ("/v3/text", {"json": {"src": "data:image/png;base64," + EMPTY}}, "image_no_content"),
    "low confidence": ("/v3/text", {"json": {"src": SRC, "confidence_threshold": 0.95}}, "math_confidence"),
    "a region outside": (
        "/v3/text",
        {"json": {"src": SRC, "region": {"top_left_x": 10**6, "top_left_y": 0, "width": 5, "height": 5}}},
        "opts_value_out_of_range",
    ),
    "a region of words": ("/v3/text", {"json": {"src": SRC, "region": "all"}}, "opts_value_out_of_range"),
    "formats of numbers": ("/v3/text", {"json": {"src": SRC, "formats": [1]}}, "opts_value_out_of_range"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_errors_have_status_200_and_say_what_is_wrong(client: TestClient, error: str) -> None:
    """An error is an answer with the name that Mathpix has for it."""
    address, request, name = ERRORS[error]

    answer = client.post(address, **request)

    assert answer.status_code == 200
    values = answer.json()
    assert values["error_info"]["id"] == name
    assert values["error_info"]["message"] == values["error"] != ""
    assert values["error_info"]["detail"] == {}


def test_keys_and_overload_have_a_status() -> None:
    """A wrong key is 401, and too many requests are 429, as at Mathpix."""
    with make_client(keys=("secret",), rate_per_s=0.01, burst=2) as client:
        wrong = client.post("/v3/strokes", json=STROKES, headers={"app_id": "a", "app_key": "b"})
        right = client.post("/v3/strokes", json=STROKES, headers={"app_id": "a", "app_key": "secret"})
        again = client.post("/v3/strokes", json=STROKES, headers={"app_id": "a", "app_key": "secret"})

    assert [each.status_code for each in (wrong, right, again)] == [401, 200, 429]
    assert wrong.json()["error_info"]["id"] == "http_unauthorized"
    assert again.json()["error_info"]["id"] == "http_max_requests"


def test_a_full_queue_is_too_many_requests() -> None:
    """What elsewhere is 503 is 429 here, as Mathpix's clients expect it."""
    stub = StubRecognizer()
    stub.go.clear()
    with make_client(stub, timeout_s=0.05) as client:
        answer = client.post("/v3/strokes", json=STROKES)
        stub.go.set()

    assert answer.status_code == 429
    assert answer.json()["error_info"]["id"] == "http_max_requests"
    assert answer.headers["retry-after"]
