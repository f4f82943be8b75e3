"""The form of small servers: pix2tex's and image-to-latex's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")
from fastapi.testclient import TestClient

from inktex.service.app import create_app
from inktex.service.options import PredictFormat, ServiceOptions
from stub_recognizer import StubRecognizer

PICTURE = (Path(__file__).parents[1] / "examples" / "fraction.png").read_bytes()
ANSWERS: dict[PredictFormat, Any] = {
    PredictFormat.PIX2TEX: "x^2",
    PredictFormat.IMAGE_TO_LATEX: {"message": "OK", "status-code": 200, "data": {"pred": "x^2"}},
}
PROBLEMS = {
    PredictFormat.PIX2TEX: {"detail"},
    PredictFormat.IMAGE_TO_LATEX: {"message", "status-code", "data"},
}


def make_client(answers_as: PredictFormat) -> TestClient:
    app = create_app(StubRecognizer(), ServiceOptions(predict_format=answers_as))  # type: ignore[arg-type]
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("answers_as", PredictFormat)
def test_a_form_is_answered_in_the_form_that_was_chosen(answers_as: PredictFormat) -> None:
    """A picture sent as a form is answered as the chosen server answers; so are errors and health checks."""
    with make_client(answers_as) as client:
        answer = client.post("/predict/", files={"file": ("a.png", PICTURE, "image/png")})
        broken = client.post("/predict/", files={"file": ("a.png", b"no picture", "image/png")})
        bare = client.post("/predict/", content=PICTURE)
        health = client.get("/", headers={"accept": "application/json"})

    assert answer.json() == ANSWERS[answers_as]
    assert (broken.status_code, bare.status_code) == (415, 415)
    assert set(broken.json()) == PROBLEMS[answers_as]
    assert (health.status_code, health.json()["message"]) == (200, "OK")
