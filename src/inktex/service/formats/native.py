"""The service's own form: everything under ``/api/v1``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.security import HTTPBearer

from inktex.latex.tree import tokenize, validate
from inktex.recognition.result import Recognition
from inktex.service.dispatcher import Dispatcher, apart
from inktex.service.errors import Reason, RequestError
from inktex.service.formats.batch import Batch
from inktex.service.model import model_description
from inktex.service.outputs import OUTPUTS, written
from inktex.service.parsing import MOST_ALTERNATIVES, OutputOptions, format_names, parse_request, parsed
from inktex.service.responses import recognition_values, request_id
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

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def recognize(
        self,
        request: Request,
        alternatives: Alternatives = 3,
        details: Details = False,
        formats: Formats = "",
    ) -> Response:
        """Read one expression: a picture, or strokes."""
        dispatcher = self._dispatcher
        dispatcher.admit(request)
        body = await dispatcher.body(request)
        kind = request.headers.get("content-type", "")
        asked = OutputOptions(alternatives, details, tuple(format_names(formats)))
        options = dispatcher.options
        parsed_request = await apart(lambda: parse_request(kind, body, asked, options), len(body))
        reading = await dispatcher.read(request, parsed_request.source, parsed_request.output.details)
        values = await recognition_values(reading, parsed_request.output)
        return JSONResponse({"request_id": request_id(request), **values})

    async def recognize_batch(
        self,
        request: Request,
        alternatives: Alternatives = 3,
        details: Details = False,
        formats: Formats = "",
    ) -> Response:
        """Read many expressions: a line of JSON each; answers come as they are done, with their index."""
        dispatcher = self._dispatcher
        dispatcher.admit(request)
        asked = OutputOptions(alternatives, details, tuple(format_names(formats)))
        body = await dispatcher.body(request, dispatcher.options.batch_bytes)
        return StreamingResponse(Batch(dispatcher, body, asked).answers(), media_type=_JSON_LINES)

    async def convert(self, request: Request) -> Response:
        """Write LaTeX in other formats, as after a correction by hand."""
        dispatcher = self._dispatcher
        dispatcher.admit(request)
        body = await dispatcher.body(request, dispatcher.options.ink_bytes)
        value = parsed(body, dispatcher.options)
        if not isinstance(value, dict) or not isinstance(value.get("latex"), str):
            raise RequestError(422, "the body must be an object with latex", Reason.MISSING)
        formats = value.get("formats", ["mathml"])
        if not isinstance(formats, list) or not all(isinstance(name, str) for name in formats):
            raise RequestError(422, "formats must be a list of names", Reason.OPTION)
        output = OutputOptions(0, False, tuple(dict.fromkeys(formats)))
        tokens = tokenize(value["latex"])
        most = dispatcher.options.latex_tokens
        if len(tokens) > most:
            raise RequestError(413, f"the LaTeX has more than {most} tokens", Reason.TOO_LARGE)
        validate(tokens)
        reading = Recognition(tuple(tokens), 1.0)
        converted = await apart(lambda: {name: written(name, reading) for name in output.formats}, len(body))
        return JSONResponse(
            {
                "request_id": request_id(request),
                "latex": reading.latex,
                "tokens": tokens,
                "formats": converted,
            }
        )

    async def model(self, request: Request) -> Response:
        """Tell of the model: its tokens, what was measured of it, its licence."""
        self._dispatcher.admit(request)
        return JSONResponse(model_description(self._dispatcher.recognizer.bundle, self._dispatcher.options))

    async def health(self) -> Response:
        """Tell that the process lives."""
        return JSONResponse({"status": "ok"})

    async def ready(self) -> Response:
        """Tell whether the next request would be read."""
        if self._dispatcher.queue.full:
            return JSONResponse({"status": "busy"}, 503, headers={"retry-after": "1"})
        return JSONResponse({"status": "ready"})

    async def metrics(self) -> Response:
        """Tell what was counted, for Prometheus."""
        return Response(self._dispatcher.metrics.text(), media_type=_PROMETHEUS)


def router(dispatcher: Dispatcher) -> APIRouter:
    """Return the routes of the service's own form."""
    native = Native(dispatcher)
    routes = APIRouter(prefix=PREFIX)
    # For the document alone: handlers look for the key themselves, in another header too.
    key = [Depends(HTTPBearer(auto_error=False, scheme_name="key"))] if dispatcher.options.keys else []
    post: tuple[tuple[str, Callable[..., Any], dict[str, Any], dict[str, Any]], ...] = (
        ("/recognize", native.recognize, RECOGNIZE_BODY, {"model": Answer}),
        ("/recognize/batch", native.recognize_batch, BATCH_BODY, BATCH_LINES),
        ("/convert", native.convert, CONVERT_BODY, {"model": Conversion}),
    )
    for address, handler, body, answer in post:
        routes.add_api_route(
            address,
            handler,
            methods=["POST"],
            responses={200: answer, **PROBLEMS},
            openapi_extra={"requestBody": body},
            dependencies=key,
        )
    routes.add_api_route("/model", native.model, responses={200: {"model": Model}}, dependencies=key)
    routes.add_api_route("/health", native.health, responses={200: {"model": State}})
    routes.add_api_route("/ready", native.ready, responses={200: {"model": State}, 503: {"model": State}})
    text = {"content": {"text/plain": {"schema": {"type": "string"}}}}
    routes.add_api_route("/metrics", native.metrics, responses={200: text}, response_class=PlainTextResponse)
    return routes


def probes(dispatcher: Dispatcher) -> APIRouter:
    """Return the same answers to probes and Prometheus where these look for them."""
    native = Native(dispatcher)
    routes = APIRouter(include_in_schema=False)
    for name, handler in (("health", native.health), ("ready", native.ready), ("metrics", native.metrics)):
        routes.add_api_route(f"/{name}", handler)
    return routes
