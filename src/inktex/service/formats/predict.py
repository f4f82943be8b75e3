"""The form of small recognition servers: a picture as a form to ``/predict/``, LaTeX back.

Two of them agree on the address and not on the answer: pix2tex's is the LaTeX as a JSON string, that of
image-to-latex an object with ``message``, ``status-code`` and ``data``. Both answer ``GET /`` when asked how
they are.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from inktex.service.bodies import read_form
from inktex.service.dispatcher import Dispatcher, apart
from inktex.service.errors import RequestError
from inktex.service.options import PredictFormat
from inktex.service.parsing import form_file, picture


class Predict:
    """Handlers of this form."""

    def __init__(self, dispatcher: Dispatcher, page: Path) -> None:
        self._dispatcher, self._page = dispatcher, page

    async def predict(self, request: Request) -> Response:
        """Answer ``POST /predict/``."""
        dispatcher = self._dispatcher
        dispatcher.admit(request)
        body = await dispatcher.body(request)
        kind = request.headers.get("content-type", "")
        if not kind.lower().startswith("multipart/form-data"):
            raise RequestError(
                415, "send the picture as a form (multipart/form-data) with a field named file"
            )
        options = dispatcher.options
        data = await apart(lambda: picture(form_file(read_form(kind, body)), options), len(body))
        reading = await dispatcher.read(request, data)
        if dispatcher.options.predict_format is PredictFormat.PIX2TEX:
            return JSONResponse(reading.latex)
        return JSONResponse({**_state(HTTPStatus.OK), "data": {"pred": reading.latex}})

    async def root(self, request: Request) -> Response:
        """Answer ``GET /``: the page for browsers, a health check for others."""
        page = self._page / "index.html"
        if "text/html" in request.headers.get("accept", "") and page.is_file():
            return FileResponse(page)
        return JSONResponse({**_state(HTTPStatus.OK), "data": {}}, headers={"vary": "Accept"})


def error_response(predict_format: PredictFormat) -> Callable[[RequestError, str], Response]:
    """Return the function that writes an error in this form."""

    def respond(error: RequestError, _: str) -> Response:
        values: dict[str, Any] = {"detail": error.sentence}
        if predict_format is PredictFormat.IMAGE_TO_LATEX:
            values = {"message": error.sentence, "status-code": error.status, "data": {}}
        return JSONResponse(values, error.status, headers=error.headers)

    return respond


def router(dispatcher: Dispatcher, page: Path) -> APIRouter:
    """Return the routes of this form; the page stands in a folder."""
    predict = Predict(dispatcher, page)
    routes = APIRouter(include_in_schema=False)
    for address in ("/predict/", "/predict"):
        routes.add_api_route(address, predict.predict, methods=["POST"])
    routes.add_api_route("/", predict.root, methods=["GET", "HEAD"])
    return routes


def _state(status: HTTPStatus) -> dict[str, Any]:
    return {"message": status.phrase, "status-code": status.value}
