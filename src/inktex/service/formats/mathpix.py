"""Mathpix's form: ``/v3/strokes``, ``/v3/text`` and the older ``/v3/latex`` (https://docs.mathpix.com).

Errors have status 200 and say what is wrong in ``error`` and ``error_info``, but for a wrong key and too many
requests. Options that change nothing about one handwritten formula are accepted and passed over.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from inktex import __version__
from inktex.image.canonical import decode
from inktex.image.header import read_header
from inktex.recognition.inputs import Source
from inktex.recognition.result import Recognition
from inktex.service.bodies import read_data_url, read_form
from inktex.service.dispatcher import Dispatcher, apart
from inktex.service.errors import Reason, RequestError
from inktex.service.outputs import OUTPUTS, written
from inktex.service.parsing import form_file, parsed, picture
from inktex.service.responses import request_id
from inktex.service.strokes import ink_of

_STROKES_BYTES = 512 * 2**10
_INLINE = (r"\(", r"\)")
_DATA = (
    "latex",
    "mathml",
    "asciimath",
)  # what `include_...` of data_options and the older formats can ask for
_LATEX_FORMATS = ("latex_styled", "latex_simplified", "latex_normal", "text", "mathml", "asciimath")
# Names of errors: of pictures, of strokes.
_NAMES: dict[Reason, tuple[str, str]] = {
    Reason.UNAUTHORIZED: ("http_unauthorized", "http_unauthorized"),
    Reason.OVERLOADED: ("http_max_requests", "http_max_requests"),
    Reason.SYNTAX: ("json_syntax", "json_syntax"),
    Reason.TOO_LARGE: ("sys_request_too_large", "sys_request_too_large"),
    Reason.MISSING: ("image_missing", "strokes_missing"),
    Reason.ADDRESS: ("image_download_error", "image_download_error"),
    Reason.KIND: ("image_not_supported", "strokes_syntax_error"),
    Reason.PICTURE: ("image_no_content", "strokes_no_content"),
    Reason.CONFIDENCE: ("math_confidence", "math_confidence"),
    Reason.INK: ("strokes_syntax_error", "strokes_syntax_error"),
    Reason.OPTION: ("opts_value_out_of_range", "opts_value_out_of_range"),
    Reason.OTHER: ("sys_exception", "sys_exception"),
}


@dataclass(frozen=True)
class _Seen:
    """A reading, and how large the picture or the ink was.

    Attributes:
        reading: what was read.
        width: of the picture, or of the ink's box.
        height: likewise.
    """

    reading: Recognition
    width: int
    height: int


class Mathpix:
    """Handlers of Mathpix's form."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def strokes(self, request: Request) -> Response:
        """Answer ``POST /v3/strokes``."""
        dispatcher = self._dispatcher
        dispatcher.admit(request, request.headers.get("app_key", ""))
        body = await dispatcher.body(request, _STROKES_BYTES)
        options = _options(parsed(body, dispatcher.options))
        if "strokes" not in options:
            raise RequestError(422, "Missing strokes in request body", Reason.MISSING)
        ink = await apart(lambda: ink_of(options["strokes"], dispatcher.options.limits), len(body))
        left, top, right, bottom = ink.bounds()
        width, height = round(right - left), round(bottom - top)
        seen = await self._read(request, ink, options, width, height)
        return JSONResponse(await apart(lambda: _answer(seen, options, request_id(request)), len(body)))

    async def text(self, request: Request) -> Response:
        """Answer ``POST /v3/text``."""
        source, options, width, height = await self._picture(request)
        seen = await self._read(request, source, options, width, height)
        return JSONResponse(_answer(seen, options, request_id(request)))

    async def latex(self, request: Request) -> Response:
        """Answer ``POST /v3/latex``."""
        source, options, width, height = await self._picture(request)
        seen = await self._read(request, source, options, width, height)
        formats = _list_of_names(options, "formats") or ["latex_styled"]
        for name in formats:
            if name not in _LATEX_FORMATS:
                raise RequestError(422, f"there is no format {name[:40]!r}", Reason.OPTION)
        reading = seen.reading
        found = {name: _written(name, reading, options) for name in formats}
        return JSONResponse(
            {
                "request_id": request_id(request),
                **{name: value for name, value in found.items() if value is not None},
                "latex_confidence": reading.confidence,
                "latex_confidence_rate": _rate(reading),
                "position": {"top_left_x": 0, "top_left_y": 0, "width": width, "height": height},
                "detection_list": [],
                "error": "",
            }
        )

    async def _picture(self, request: Request) -> tuple[Source, Mapping[str, Any], int, int]:
        """Return picture, options, width and height of a request for a picture."""
        dispatcher = self._dispatcher
        dispatcher.admit(request, request.headers.get("app_key", ""))
        body = await dispatcher.body(request)
        kind = request.headers.get("content-type", "")

        def taken() -> tuple[Source, Mapping[str, Any], int, int]:
            if kind.lower().startswith("multipart/form-data"):
                parts = read_form(kind, body)
                texts = [part.data for part in parts if part.name == "options_json"]
                options = _options(parsed(texts[0], dispatcher.options, "options_json")) if texts else {}
                data = form_file(parts)
            else:
                options = _options(parsed(body, dispatcher.options))
                if not isinstance(options.get("src"), str):
                    raise RequestError(422, "Missing URL in request body", Reason.MISSING)
                data = read_data_url(options["src"], "src")
            return _cropped(picture(data, dispatcher.options), options)

        return await apart(taken, len(body))

    async def _read(
        self, request: Request, source: Source, options: Mapping[str, Any], width: int, height: int
    ) -> _Seen:
        """Read, and hold the reading against the confidence that was asked for."""
        details = options.get("include_line_data") is True
        reading = await self._dispatcher.read(request, source, details)
        least = options.get("confidence_threshold", 0)
        if isinstance(least, int | float) and reading.confidence < least:
            raise RequestError(422, "Low confidence", Reason.CONFIDENCE)
        return _Seen(reading, width, height)


def error_response(error: RequestError, name: str, strokes: bool = False) -> Response:
    """Return an error in Mathpix's form."""
    identity = _NAMES[error.reason][strokes]
    status = {"http_unauthorized": 401, "http_max_requests": 429}.get(identity, 200)
    if error.status in (404, 405):
        status = error.status
    info = {"id": identity, "message": error.sentence, "detail": {}}
    values = {"request_id": name, "error": error.sentence, "error_info": info}
    return JSONResponse(values, status, headers=error.headers)


def stroke_error_response(error: RequestError, name: str) -> Response:
    """Return an error of strokes in Mathpix's form."""
    return error_response(error, name, strokes=True)


def router(dispatcher: Dispatcher) -> APIRouter:
    """Return the routes of Mathpix's form."""
    mathpix = Mathpix(dispatcher)
    routes = APIRouter(prefix="/v3", include_in_schema=False)
    for name, handler in (("strokes", mathpix.strokes), ("text", mathpix.text), ("latex", mathpix.latex)):
        routes.add_api_route(f"/{name}", handler, methods=["POST"])
    return routes


def _options(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RequestError(422, "the options must be an object", Reason.SYNTAX)
    return value


def _list_of_names(options: Mapping[str, Any], key: str) -> list[str]:
    names = options.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RequestError(422, f"{key} must be a list of names", Reason.OPTION)
    return names


def _cropped(data: bytes, options: Mapping[str, Any]) -> tuple[Source, Mapping[str, Any], int, int]:
    """Return the picture, or the region of it that is asked for; options; width and height of the whole."""
    header = read_header(data)
    assert header is not None  # it was looked at before
    width, height = header.width, header.height
    if header.orientation > 4:
        width, height = height, width
    region = options.get("region")
    if region is None:
        return data, options, width, height
    keys = ("top_left_x", "top_left_y", "width", "height")
    given = [region.get(key) for key in keys] if isinstance(region, dict) else []
    sides = [side for side in given if isinstance(side, int) and not isinstance(side, bool) and side >= 0]
    if len(sides) != len(keys):
        raise RequestError(422, f"region must have {', '.join(keys)}, whole numbers of pixels", Reason.OPTION)
    left, top, columns, rows = sides
    grey = decode(data)[top : top + rows, left : left + columns]
    if not grey.size:
        raise RequestError(422, "the region lies outside of the picture", Reason.OPTION)
    return np.ascontiguousarray(grey), options, width, height


def _answer(seen: _Seen, options: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what is told of a reading."""
    reading = seen.reading
    formats = _list_of_names(options, "formats") or ["text", "latex_styled"]
    asked = options.get("data_options")
    kinds = [kind for kind in _DATA if isinstance(asked, dict) and asked.get(f"include_{kind}") is True]
    values: dict[str, Any] = {
        "request_id": name,
        "version": f"inktex-{__version__}",
        "image_width": seen.width,
        "image_height": seen.height,
        "is_printed": False,
        "is_handwritten": True,
        "auto_rotate_confidence": 0,
        "auto_rotate_degrees": 0,
        "confidence": reading.confidence,
        "confidence_rate": _rate(reading),
    }
    for format_name in ("text", "latex_styled", "html"):
        if format_name in formats:
            values[format_name] = _written(format_name, reading, options)
    if kinds or "data" in formats:
        pairs = ((kind, _written(kind, reading, options)) for kind in kinds or ["latex"])
        values["data"] = [{"type": kind, "value": value} for kind, value in pairs if value is not None]
    if options.get("include_line_data") is True:
        values["line_data"] = [_line(seen, options)]
    return values


def _written(name: str, reading: Recognition, options: Mapping[str, Any]) -> str | None:
    """Return the reading in one of Mathpix's formats, None where it has no such form."""
    if name == "text":
        before, after = _delimiters(options)
        return f"{before} {reading.latex} {after}"
    if name == "html":
        formula = written("mathml", reading) or html.escape(reading.latex)
        return f'<div><span class="math-inline">{formula}</span></div>'
    if name in OUTPUTS:
        return written(name, reading)
    return None if name in _DATA and name != "latex" else reading.latex


def _delimiters(options: Mapping[str, Any]) -> tuple[str, str]:
    given = options.get("math_inline_delimiters")
    if given is None:
        return _INLINE
    if not isinstance(given, list) or len(given) != 2 or not all(isinstance(each, str) for each in given):
        raise RequestError(422, "math_inline_delimiters must be two strings", Reason.OPTION)
    return given[0], given[1]


def _line(seen: _Seen, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the one line that there is, with the rectangle round what was read."""
    boxes = [detail.box for detail in seen.reading.details if detail.box is not None]
    left = round(min((box.left for box in boxes), default=0))
    top = round(min((box.top for box in boxes), default=0))
    right = round(max((box.right for box in boxes), default=seen.width))
    bottom = round(max((box.bottom for box in boxes), default=seen.height))
    return {
        "type": "math",
        "cnt": [[left, top], [right, top], [right, bottom], [left, bottom]],
        "included": True,
        "is_printed": False,
        "is_handwritten": True,
        "text": _written("text", seen.reading, options),
        "after_hyphen": False,
        "confidence": seen.reading.confidence,
        "confidence_rate": _rate(seen.reading),
    }


def _rate(reading: Recognition) -> float:
    """Return the confidence a token, as the geometric mean has it."""
    return float(reading.confidence ** (1 / max(1, len(reading.tokens))))
