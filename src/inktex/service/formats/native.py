"""The service's own form: everything under ``/api/v1``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from inktex.latex.tree import tokenize, validate
from inktex.recognition.result import Recognition
from inktex.service.answers import answer, request_id
from inktex.service.desk import Desk, apart
from inktex.service.formats.batch import Batch
from inktex.service.model import model_description
from inktex.service.outputs import OUTPUTS, written
from inktex.service.questions import MOST_ALTERNATIVES, Wanted, format_names, parsed, question_of
from inktex.service.refusals import Fault, RefusalError
from inktex.service.schemas import (
    BATCH_BODY,
    BATCH_LINES,
    CONVERT_BODY,
    PROBLEMS,
    RECOGNIZE_BODY,
    Answer,
    Conversion,
    Model,
    State,
)

PREFIX = "/api/v1"
_JSON_LINES = "application/x-ndjson"
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

Alternatives = Annotated[int, Query(ge=0, le=MOST_ALTERNATIVES, description="other readings, at most")]
Details = Annotated[bool, Query(description="of each token its confidence and where it stands")]
Formats = Annotated[
    str,
    Query(
        description="what to write the reading as besides LaTeX, with commas between",
        json_schema_extra={"pattern": f"^$|^({'|'.join(OUTPUTS)})(,({'|'.join(OUTPUTS)}))*$"},
        examples=["mathml"],
    ),
]


class Native:
    """Handlers of the service's own form."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def recognize(
        self,
        request: Request,
        alternatives: Alternatives = 3,
        details: Details = False,
        formats: Formats = "",
    ) -> Response:
        """Read one expression: a picture, or strokes."""
        desk = self._desk
        desk.admit(request)
        body = await desk.body(request)
        kind = request.headers.get("content-type", "")
        asked = Wanted(alternatives, details, tuple(format_names(formats)))
        options = desk.options
        question = await apart(lambda: question_of(kind, body, asked, options), len(body))
        reading = await desk.read(request, question.source, question.wanted.details)
        values = {"request_id": request_id(request), **answer(reading, question.wanted)}
        return JSONResponse(values)

    async def recognize_batch(
        self,
        request: Request,
        alternatives: Alternatives = 3,
        details: Details = False,
        formats: Formats = "",
    ) -> Response:
        """Read many expressions: a line of JSON each; answers come as they are done, with their index."""
        desk = self._desk
        desk.admit(request)
        asked = Wanted(alternatives, details, tuple(format_names(formats)))
        body = await desk.body(request, desk.options.batch_bytes)
        return StreamingResponse(Batch(desk, body, asked).answers(), media_type=_JSON_LINES)

    async def convert(self, request: Request) -> Response:
        """Write LaTeX in other formats, as after a correction by hand."""
        desk = self._desk
        desk.admit(request)
        body = await desk.body(request, desk.options.ink_bytes)
        value = parsed(body, desk.options)
        if not isinstance(value, dict) or not isinstance(value.get("latex"), str):
            raise RefusalError(422, "the body must be an object with latex", Fault.MISSING)
        formats = value.get("formats", ["mathml"])
        if not isinstance(formats, list) or not all(isinstance(name, str) for name in formats):
            raise RefusalError(422, "formats must be a list of names", Fault.OPTION)
        wanted = Wanted(0, False, tuple(dict.fromkeys(formats)))
        tokens = tokenize(value["latex"])
        most = desk.options.latex_tokens
        if len(tokens) > most:
            raise RefusalError(413, f"the LaTeX has more than {most} tokens", Fault.TOO_LARGE)
        validate(tokens)
        reading = Recognition(tuple(tokens), 1.0)
        written_as = await apart(lambda: {name: written(name, reading) for name in wanted.formats}, len(body))
        return JSONResponse(
            {
                "request_id": request_id(request),
                "latex": reading.latex,
                "tokens": tokens,
                "formats": written_as,
            }
        )

    async def model(self, request: Request) -> Response:
        """Tell of the model: its tokens, what was measured of it, its licence."""
        self._desk.admit(request)
        return JSONResponse(model_description(self._desk.recognizer.bundle, self._desk.options))

    async def health(self) -> Response:
        """Tell that the process lives."""
        return JSONResponse({"status": "ok"})

    async def ready(self) -> Response:
        """Tell whether the next request would be read."""
        if self._desk.queue.full:
            return JSONResponse({"status": "busy"}, 503, headers={"retry-after": "1"})
        return JSONResponse({"status": "ready"})

    async def metrics(self) -> Response:
        """Tell what was counted, for Prometheus."""
        return Response(self._desk.metrics.text(), media_type=_PROMETHEUS)


def router(desk: Desk) -> APIRouter:
    """Return the routes of the service's own form."""
    native = Native(desk)
    routes = APIRouter(prefix=PREFIX)
    secured: dict[str, Any] = {"security": [{"bearer": []}]} if desk.options.keys else {}
    routes.add_api_route(
        "/recognize",
        native.recognize,
        methods=["POST"],
        responses={200: {"model": Answer}, **PROBLEMS},
        openapi_extra={"requestBody": RECOGNIZE_BODY, **secured},
    )
    routes.add_api_route(
        "/recognize/batch",
        native.recognize_batch,
        methods=["POST"],
        responses={200: BATCH_LINES, **PROBLEMS},
        openapi_extra={"requestBody": BATCH_BODY, **secured},
        response_class=StreamingResponse,
    )
    routes.add_api_route(
        "/convert",
        native.convert,
        methods=["POST"],
        responses={200: {"model": Conversion}, **PROBLEMS},
        openapi_extra={"requestBody": CONVERT_BODY, **secured},
    )
    routes.add_api_route("/model", native.model, responses={200: {"model": Model}}, openapi_extra=secured)
    routes.add_api_route("/health", native.health, responses={200: {"model": State}})
    routes.add_api_route("/ready", native.ready, responses={200: {"model": State}, 503: {"model": State}})
    routes.add_api_route(
        "/metrics",
        native.metrics,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    return routes


def probes(desk: Desk) -> APIRouter:
    """Return the same answers to probes and Prometheus where these look for them."""
    native = Native(desk)
    routes = APIRouter(include_in_schema=False)
    for name, handler in (("health", native.health), ("ready", native.ready), ("metrics", native.metrics)):
        routes.add_api_route(f"/{name}", handler)
    return routes
