"""Readings and errors as JSON of this project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from inktex.recognition.result import Alternative, Recognition
from inktex.service.errors import RequestError
from inktex.service.outputs import written
from inktex.service.parsing import OutputOptions


def request_id(request: Request) -> str:
    """Return the id that the request goes by."""
    return str(request.state.request_id)


async def recognition_values(reading: Recognition, output: OutputOptions) -> dict[str, Any]:
    """Return what is told of a reading; formats are written in another thread, for it may take a while."""
    if output.formats:
        return await run_in_threadpool(_values, reading, output)
    return _values(reading, output)


def _values(reading: Recognition, output: OutputOptions) -> dict[str, Any]:
    values: dict[str, Any] = {
        "latex": reading.latex,
        "confidence": reading.confidence,
        "bounded": reading.bounded,
        "tokens": list(reading.tokens),
        **_formats(reading, output.formats),
        "alternatives": [
            {
                "latex": each.latex,
                "confidence": each.confidence,
                "tokens": list(each.tokens),
                **_formats(each, output.formats),
            }
            for each in reading.alternatives[: output.alternatives]
        ],
    }
    if output.details:
        values["details"] = [
            {"token": each.token, "confidence": each.confidence, "box": each.box and list(each.box)}
            for each in reading.details
        ]
    return values


def _formats(reading: Recognition | Alternative, names: Iterable[str]) -> dict[str, Any]:
    formats = {name: written(name, reading) for name in names}
    if not formats:
        return {}
    return {**({"mathml": formats["mathml"]} if "mathml" in formats else {}), "formats": formats}


def error_response(error: RequestError, name: str) -> Response:
    """Return an error: a sentence and the request's id."""
    values = {"error": error.sentence, "request_id": name}
    return JSONResponse(values, error.status, headers=error.headers)
