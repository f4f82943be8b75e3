"""The OpenAPI document, held against the service by schemathesis."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("fastapi")
schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings

from inktex.service.app import create_app
from inktex.service.options import ServiceOptions
from stub_recognizer import StubRecognizer


@schemathesis.serializer("application/x-ndjson")
def as_lines(_: Any, value: Any) -> bytes:
    """A batch as schemathesis makes it up, which is any text."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


app = create_app(StubRecognizer(), ServiceOptions(timeout_s=120))  # type: ignore[arg-type]
# A schema cannot tell a picture from other bytes, nor LaTeX from other text; and any body is some lines.
config = schemathesis.Config.from_dict(
    {
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 400, 413, 415, 422]}},
        "operations": [
            {
                "include-path": "/api/v1/recognize/batch",
                "checks": {"negative_data_rejection": {"enabled": False}},
            }
        ],
    }
)
schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, config=config)


@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_service_does_as_its_document_says(case: Any) -> None:
    """Requests made after the document are answered as it says: statuses, types and shapes, and no 500."""
    case.call_and_validate()


def test_the_document_says_that_a_key_is_wanted() -> None:
    """Where there are keys, the document has a scheme for them, and names it at what they open."""
    closed = create_app(StubRecognizer(), ServiceOptions(keys=("secret",)))  # type: ignore[arg-type]

    document = closed.openapi()

    (scheme,) = document["components"]["securitySchemes"]
    secured = {
        path for path, methods in document["paths"].items() for each in methods.values() if "security" in each
    }
    assert document["paths"]["/api/v1/recognize"]["post"]["security"] == [{scheme: []}]
    assert secured == {f"/api/v1/{name}" for name in ("recognize", "recognize/batch", "convert", "model")}
    assert "securitySchemes" not in app.openapi().get("components", {})


def test_examples_of_the_document_are_read() -> None:
    """The examples of requests in the document are read."""
    with TestClient(app) as client:
        document = client.get("/api/v1/openapi.json").json()
        bodies = document["paths"]["/api/v1/recognize"]["post"]["requestBody"]["content"]
        examples = [each["value"] for each in bodies["application/json"]["examples"].values()]
        answers = [client.post("/api/v1/recognize", json=example) for example in examples]

    assert [answer.json()["latex"] for answer in answers] == ["2", "1", "2", "1"]
