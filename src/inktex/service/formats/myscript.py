"""MyScript's form: ``/api/v4.0/iink/batch``, ``/recognize`` and ``/version``, for content of type Math.

Where the service has keys, the header ``hmac`` has to be the HMAC-SHA512 of the body under ``applicationKey``
and one of the keys joined, as MyScript's own clients send it; the application's key itself may be any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from inktex import __version__
from inktex.ink.strokes import Ink, checked_points
from inktex.recognition.result import Recognition
from inktex.service.access import is_signed
from inktex.service.dispatcher import Dispatcher, apart
from inktex.service.errors import Reason, RequestError
from inktex.service.formats.jiix import jiix
from inktex.service.outputs import written
from inktex.service.parsing import parsed
from inktex.service.strokes import ink_of

LATEX, MATHML, JIIX = "application/x-latex", "application/mathml+xml", "application/vnd.myscript.jiix"
_TYPES = (LATEX, MATHML, JIIX)
_MM_PER_INCH = 25.4
_DPI = 96.0
_CODES = {
    Reason.UNAUTHORIZED: "access.not.granted",
    Reason.OVERLOADED: "too.many.requests",
    Reason.SYNTAX: "invalid.json",
    Reason.TOO_LARGE: "request.too.large",
    Reason.MISSING: "no.strokes",
    Reason.INK: "invalid.strokes",
}


class MyScript:
    """Handlers of MyScript's form."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def recognize(self, request: Request) -> Response:
        """Answer ``POST /api/v4.0/iink/batch`` and ``/recognize``: they differ in how they give the scale."""
        dispatcher = self._dispatcher
        options = dispatcher.options
        dispatcher.limit_rate(request)
        body = await dispatcher.body(request, options.ink_bytes)
        self._check_signature(request, body)

        def taken() -> tuple[Mapping[str, Any], Ink]:
            value = _object(parsed(body, options))
            return value, _in_mm(ink_of(value, options.limits), value)

        value, ink = await apart(taken, len(body))
        kind = _wanted_type(request.headers.get("accept", ""), value)
        reading = await dispatcher.read(request, ink, details=kind == JIIX)
        return await apart(lambda: _answer(reading, kind, _jiix_options(value)), len(body))

    async def version(self) -> Response:
        """Answer ``GET /api/v4.0/iink/version``."""
        return JSONResponse(
            {"version": "3.2.0", "gitCommit": "unknown", "nativeVersion": f"inktex-{__version__}"}
        )

    def _check_signature(self, request: Request, body: bytes) -> None:
        keys = self._dispatcher.options.keys
        application = request.headers.get("applicationkey", "")
        if keys and not is_signed(body, application, request.headers.get("hmac", ""), keys):
            raise RequestError(
                401,
                "the header hmac does not sign the body with a key of this service",
                Reason.UNAUTHORIZED,
            )


def error_response(error: RequestError, _: str) -> Response:
    """Return an error in MyScript's form."""
    values = {"code": _CODES.get(error.reason, "bad.request"), "message": error.sentence}
    return JSONResponse(values, error.status, headers=error.headers)


def router(dispatcher: Dispatcher) -> APIRouter:
    """Return the routes of MyScript's form."""
    myscript = MyScript(dispatcher)
    routes = APIRouter(prefix="/api/v4.0/iink", include_in_schema=False)
    routes.add_api_route("/batch", myscript.recognize, methods=["POST"])
    routes.add_api_route("/recognize", myscript.recognize, methods=["POST"])
    routes.add_api_route("/version", myscript.version)
    return routes


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RequestError(400, "the body must be an object", Reason.SYNTAX)
    content = value.get("contentType", "Math")
    if content != "Math":
        raise RequestError(400, f"content of type {str(content)[:40]!r} is not read here: it must be Math")
    return value


def _in_mm(ink: Ink, value: Mapping[str, Any]) -> Ink:
    """Return the ink in millimetres, the unit that MyScript answers in."""
    if "scaleX" in value or "scaleY" in value:
        x, y = (
            _positive(value, "scaleX", _MM_PER_INCH / _DPI),
            _positive(value, "scaleY", _MM_PER_INCH / _DPI),
        )
    else:
        x, y = _MM_PER_INCH / _positive(value, "xDPI", _DPI), _MM_PER_INCH / _positive(value, "yDPI", _DPI)
    scale = np.array([x, y])
    return Ink(tuple(checked_points(stroke.astype(np.float64) * scale, "the ink") for stroke in ink.strokes))


def _positive(value: Mapping[str, Any], key: str, otherwise: float) -> float:
    number = value.get(key, otherwise)
    if not isinstance(number, int | float) or isinstance(number, bool) or not 1e-6 <= number <= 1e6:
        raise RequestError(400, f"{key} must be a number above 0")
    return float(number)


def _wanted_type(accept: str, value: Mapping[str, Any]) -> str:
    """Return the first type asked for that can be written: of the header, else of the configuration."""
    offered = [each.partition(";")[0].strip().lower() for each in accept.split(",")]
    offered = [each for each in offered if each not in ("", "*/*", "application/json")]
    if not offered:
        configured = _inside(value, "configuration", "math").get("mimeTypes")
        offered = (
            [each for each in configured if isinstance(each, str)] if isinstance(configured, list) else []
        )
    if not offered:
        return JIIX
    found = next((each for each in offered if each in _TYPES), None)
    if found is None:
        raise RequestError(406, f"{offered[0][:60]!r} is not written here: there are {', '.join(_TYPES)}")
    return found


def _inside(value: Any, *keys: str) -> Mapping[str, Any]:
    """Return the object under some keys, an empty one if it is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _jiix_options(value: Mapping[str, Any]) -> bool:
    """Tell whether bounding boxes are asked for."""
    return _inside(value, "configuration", "export", "jiix").get("bounding-box") is True


def _answer(reading: Recognition, kind: str, boxes: bool) -> Response:
    if kind == JIIX:
        return Response(json.dumps(jiix(reading, boxes), ensure_ascii=False), media_type=JIIX)
    text = reading.latex if kind == LATEX else written("mathml", reading)
    if text is None:
        raise RequestError(422, "what was read has no MathML")
    return Response(text, media_type=kind)
