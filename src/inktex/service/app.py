"""The application: a recognizer, the formats it speaks, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from inktex import __version__
from inktex.errors import InktexError
from inktex.recognition.recognizer import Recognizer
from inktex.service import responses
from inktex.service.dispatcher import Dispatcher
from inktex.service.errors import Reason, RequestError, request_error
from inktex.service.formats import mathpix, myscript, native, predict
from inktex.service.metrics import Metrics
from inktex.service.middleware import REQUEST_ID, RequestMiddleware
from inktex.service.options import ServiceOptions

_PAGE = Path(__file__).parent / "static"
_DESCRIPTION = (
    "Handwritten mathematics in, LaTeX out: pictures or pen strokes. Nothing that is sent is stored. Besides "
    "what is listed here the service answers at the addresses of Mathpix (/v3), MyScript (/api/v4.0/iink) "
    "and pix2tex (/predict/), in their forms."
)
_NO_ROUTE = {404: "there is nothing at this address", 405: "this address has no such method"}
ErrorResponse = Callable[[RequestError, str], Response]


def create_app(recognizer: Recognizer, options: ServiceOptions | None = None) -> FastAPI:
    """Return the service as an ASGI application.

    Args:
        recognizer: what reads; requests that wait together are handed to it together, by one thread.
        options: how the service behaves; ``None`` is the defaults.
    """
    options = options or ServiceOptions()
    metrics = Metrics()
    dispatcher = Dispatcher(recognizer, options, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        dispatcher.queue.open()
        yield
        await run_in_threadpool(dispatcher.queue.close)

    app = FastAPI(
        title="Inktex",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url=f"{native.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    for router in (
        native.router(dispatcher),
        native.probes(dispatcher),
        mathpix.router(dispatcher),
        myscript.router(dispatcher),
        predict.router(dispatcher, _PAGE),
    ):
        app.include_router(router)
    if _PAGE.is_dir():
        app.router.default = StaticFiles(directory=_PAGE, html=True)  # a mount would hide wrong methods
    error_responses = _error_responses(options)
    _answer_errors(app, error_responses)
    if options.cors:
        _allow_origins(app, options.cors)
    app.add_middleware(
        RequestMiddleware,
        metrics=metrics,
        error_responses=error_responses,
        finished=dispatcher.release,
        root_path=options.root_path,
    )
    return app


def _answer_errors(app: FastAPI, error_responses: Callable[[str], ErrorResponse]) -> None:
    """Answer errors of ours and FastAPI's in the form of the address that was asked."""

    async def respond(request: Request, error: Exception) -> Response:
        return error_responses(request.url.path)(_request_error(error), responses.request_id(request))

    kinds: tuple[int | type[Exception], ...] = (InktexError, RequestValidationError, *_NO_ROUTE)
    for kind in kinds:
        app.add_exception_handler(kind, respond)


def _allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=[REQUEST_ID, "Retry-After"],
    )


def _error_responses(options: ServiceOptions) -> Callable[[str], ErrorResponse]:
    """Return the function that tells in whose form errors at an address are."""
    forms: dict[str, ErrorResponse] = {
        "/v3/strokes": mathpix.stroke_error_response,
        "/v3/": mathpix.error_response,
        "/api/v4.0/": myscript.error_response,
        "/predict": predict.error_response(options.predict_format),
    }

    def form(path: str) -> ErrorResponse:
        path = path.removeprefix(options.root_path)
        return next(
            (form for begin, form in forms.items() if path.startswith(begin)), responses.error_response
        )

    return form


def _request_error(error: Exception) -> RequestError:
    """Return the request error that stands for an error that a request ends in."""
    if isinstance(error, InktexError):
        return request_error(error)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return RequestError(422, f"{first['loc'][-1]}: {first['msg'].lower()}", Reason.OPTION)
    status = getattr(error, "status_code", 500)
    refused = RequestError(status, _NO_ROUTE.get(status, "the request cannot be answered"))
    refused.headers.update(getattr(error, "headers", None) or {})  # those methods that there are
    return refused
