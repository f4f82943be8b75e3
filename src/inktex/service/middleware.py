"""What every answer has: a request id, headers that keep browsers safe, a line in the log, no traceback."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from inktex.service.errors import GONE, RequestError
from inktex.service.logs import LOGGER
from inktex.service.metrics import Metrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID = "x-request-id"
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "style-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=(), payment=()"),
)
_CACHING = b"cache-control"
_LONGEST_PATH = 200  # characters in the log

_LOG = logging.getLogger(LOGGER)


class RequestMiddleware:
    """The outermost layer of the application.

    Args:
        app: what answers.
        metrics: where answers are counted.
        error_responses: writes errors in the form of the path.
        finished: told of the state of every request once that is answered.
        root_path: where a reverse proxy has put the service; requests may come with it or without.
    """

    def __init__(
        self,
        app: Application,
        metrics: Metrics,
        error_responses: Callable[[str], Callable[[RequestError, str], Application]],
        finished: Callable[[Mapping[str, Any]], None],
        root_path: str,
    ) -> None:
        self._app, self._metrics, self._root_path = app, metrics, root_path
        self._error_responses, self._finished = error_responses, finished

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        name = _request_id(scope)
        scope["root_path"] = self._root_path
        scope.setdefault("state", {})["request_id"] = name
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {key for key, _ in message.get("headers", ())}
                more = [(REQUEST_ID.encode(), name.encode()), *_HEADERS]
                more.append((_CACHING, b"no-cache" if b"etag" in given else b"no-store"))
                message["headers"] = [*message.get("headers", ()), *(h for h in more if h[0] not in given)]
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:
            _LOG.exception("a request failed", extra={"fields": {"request_id": name}})
            if status:
                raise  # the answer has begun; that it ends early is all there is to tell
            failure = RequestError(
                500, "the service failed to answer; its log says why under this request_id"
            )
            await self._error_responses(scope["path"])(failure, name)(scope, receive, send_on)
        finally:
            self._finished(scope["state"])
            self._log(scope, name, status or GONE, time.perf_counter() - started)

    def _log(self, scope: Scope, name: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.observe_request(route, status, seconds)
        fields = {
            "request_id": name,
            "method": scope["method"],
            "path": scope["path"][:_LONGEST_PATH],
            "status": status,
            "ms": round(1000 * seconds, 1),
        }
        _LOG.info("answered", extra={"fields": fields})


def _request_id(scope: Scope) -> str:
    """Return the client's own id for the request if it has a plain one, else a new one."""
    for key, value in scope["headers"]:
        if key == REQUEST_ID.encode() and _ID.fullmatch(value):
            return str(value.decode())
    return uuid.uuid4().hex
