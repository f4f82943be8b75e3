"""What all formats share: a request is let in, its body read, what it holds handed to the recognizer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from inktex.recognition.inputs import Source
from inktex.recognition.recognizer import Recognizer
from inktex.recognition.result import Recognition
from inktex.service.access import RateLimit, is_key
from inktex.service.bodies import read_body
from inktex.service.errors import GONE, Reason, RequestError
from inktex.service.metrics import Metrics
from inktex.service.options import ServiceOptions
from inktex.service.queue import ReadingQueue

_SMALL_BODY = 16 * 2**10  # bytes; more is taken apart in a thread, so that other requests go on
_BASE64 = 4 / 3  # what base64 makes of a byte
_ROOM = 64 * 2**10  # for what stands round a picture

T = TypeVar("T")


class Dispatcher:
    """Where requests are let in and answered.

    Args:
        recognizer: reads.
        options: how the service behaves.
        metrics: where it counts.
    """

    def __init__(self, recognizer: Recognizer, options: ServiceOptions, metrics: Metrics) -> None:
        self.recognizer, self.options, self.metrics = recognizer, options, metrics
        self.queue = ReadingQueue(
            recognizer, options.waiting, options.together, options.linger_s, metrics.observe_batch
        )
        self._rate = RateLimit(options.rate_per_s, options.burst)
        self._buffered_bytes = 0

    @property
    def most_bytes(self) -> int:
        """Bytes of the largest body: a picture in base64, and what stands round it."""
        return int(self.options.limits.file_bytes * _BASE64) + _ROOM

    def admit(self, request: Request, key: str | None = None) -> None:
        """Let a request in.

        Args:
            request: it.
            key: what it offers as a key; ``None`` is what stands in its headers.

        Raises:
            RequestError: it has no key where one is wanted, or its client asks too often.
        """
        self.limit_rate(request)  # first, or keys could be guessed at any rate
        if self.options.keys and not is_key(offered_key(request) if key is None else key, self.options.keys):
            raise RequestError(
                401, "this service wants an API key, and this is none of its own", Reason.UNAUTHORIZED
            )

    def limit_rate(self, request: Request) -> None:
        """Count a request of a client.

        Raises:
            RequestError: it asks too often.
        """
        self._rate.take(request.client.host if request.client else "")

    async def body(self, request: Request, most: int | None = None) -> bytes:
        """Return the body of a request, of so many bytes at most.

        Raises:
            RequestError: it is too large or too slow, or too much is being sent already.
        """
        state = request.state
        state.buffered_bytes = 0

        def hold(size: int) -> None:
            if self._buffered_bytes + size > self.options.buffered_bytes:
                raise RequestError(
                    503, "too much is being sent; try again", Reason.OVERLOADED, retry_after_s=1
                )
            self._buffered_bytes += size
            state.buffered_bytes += size

        return await read_body(request, most or self.most_bytes, self.options.body_timeout_s, hold)

    def release(self, state: Mapping[str, Any]) -> None:
        """Forget a request that was answered, by its state."""
        self._buffered_bytes -= state.get("buffered_bytes", 0)

    async def read(self, request: Request | None, source: Source, details: bool = False) -> Recognition:
        """Return what is read.

        Args:
            request: who asked for it, so that nothing is read for those who have left; ``None`` if others
                look after that.
            source: what to read.
            details: whether to find out about each token.

        Raises:
            RequestError: the queue is full, or it took too long.
            InktexError: it cannot be read.
        """
        reading = self.queue.submit(source, details)
        leaving = asyncio.ensure_future(_left(request)) if request is not None else None
        watched: set[asyncio.Future[Any]] = {reading} if leaving is None else {reading, leaving}
        self.metrics.pending.inc()
        try:
            await asyncio.wait(watched, timeout=self.options.timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
            if leaving is not None and leaving.done():
                raise RequestError(GONE, "the client left before it was answered")
            raise RequestError(
                503,
                f"it was not read within {self.options.timeout_s:g} s",
                Reason.OVERLOADED,
                retry_after_s=1,
            )
        finally:
            self.metrics.pending.dec()
            for each in watched:
                each.cancel()


async def apart(work: Callable[[], T], size: int) -> T:
    """Do some work on so many bytes: at once if they are few, else in another thread."""
    return work() if size <= _SMALL_BODY else await run_in_threadpool(work)


def offered_key(request: Request) -> str | None:
    """Return the key in the headers ``Authorization: Bearer KEY`` or ``X-API-Key``."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key")


async def _left(request: Request) -> None:
    """Return when the client closes the connection; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
