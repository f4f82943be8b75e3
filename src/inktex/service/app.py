"""The application: a recognizer, the formats it speaks, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
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
from inktex.service import answers
from inktex.service.desk import Desk
from inktex.service.envelope import REQUEST_ID, Envelope
from inktex.service.formats import mathpix, myscript, native, predict
from inktex.service.metrics import Metrics
from inktex.service.options import ServiceOptions
from inktex.service.refusals import Fault, RefusalError, refusal_of

_PAGE = Path(__file__).parent / "static"
_DESCRIPTION = (
    "Handwritten mathematics in, LaTeX out: pictures or pen strokes. Nothing that is sent is stored. Besides "
    "what is listed here the service answers at the addresses of Mathpix (/v3), MyScript (/api/v4.0/iink) "
    "and pix2tex (/predict/), in their forms."
)
_NO_ROUTE = {404: "there is nothing at this address", 405: "this address has no such method"}
Problem = Callable[[RefusalError, str], Response]


def create_app(recognizer: Recognizer, options: ServiceOptions | None = None) -> FastAPI:
    """Return the service as an ASGI application.

    Args:
        recognizer: what reads; requests that wait together are handed to it together, by one thread.
        options: how the service behaves; ``None`` is the defaults.
    """
    options = options or ServiceOptions()
    metrics = Metrics()
    desk = Desk(recognizer, options, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.queue.open()
        yield
        await run_in_threadpool(desk.queue.close)

    app = FastAPI(
        title="Inktex",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url=f"{native.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    routers = (native.router(desk), native.probes(desk), mathpix.router(desk), myscript.router(desk))
    for router in (*routers, predict.router(desk, _PAGE)):
        app.include_router(router)
    if _PAGE.is_dir():
        app.router.default = StaticFiles(directory=_PAGE, html=True)  # a mount would hide wrong methods
    problems = _problems(options)

    async def refused(request: Request, error: Exception) -> Response:
        return problems(request.url.path)(_refusal(error), answers.request_id(request))

    kinds: tuple[int | type[Exception], ...] = (InktexError, RequestValidationError, *_NO_ROUTE)
    for kind in kinds:
        app.add_exception_handler(kind, refused)
    if options.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=options.cors,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=[REQUEST_ID, "Retry-After"],
        )
    app.add_middleware(
        Envelope,
        metrics=metrics,
        problems=problems,
        finished=desk.release,
        root_path=options.root_path,
    )
    return app


def _problems(options: ServiceOptions) -> Callable[[str], Problem]:
    """Return the function that tells in whose form errors at an address are."""
    forms: dict[str, Problem] = {
        "/v3/strokes": mathpix.stroke_problem,
        "/v3/": mathpix.problem,
        "/api/v4.0/": myscript.problem,
        "/predict": predict.problem(options.predict_format),
    }

    def form(path: str) -> Problem:
        path = path.removeprefix(options.root_path)
        return next((form for begin, form in forms.items() if path.startswith(begin)), answers.problem)

    return form


def _refusal(error: Exception) -> RefusalError:
    """Return the refusal that stands for an error that a request ends in."""
    if isinstance(error, InktexError):
        return refusal_of(error)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return RefusalError(422, f"{first['loc'][-1]}: {first['msg'].lower()}", Fault.OPTION)
    status = getattr(error, "status_code", 500)
    refusal = RefusalError(status, _NO_ROUTE.get(status, "the request cannot be answered"))
    refusal.headers.update(getattr(error, "headers", None) or {})  # those methods that there are
    return refusal
