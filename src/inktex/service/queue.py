"""Requests that wait together are read together, by one thread that is not the event loop's."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from inktex.errors import InktexError
from inktex.recognition.inputs import Source
from inktex.recognition.result import Recognition
from inktex.service.errors import Reason, RequestError

Result = Recognition | InktexError
_LOG = logging.getLogger("inktex.service")
_PACE = 0.2  # weight of the last batch in what a request is expected to take


class Reader(Protocol):
    """What the queue needs of a recognizer."""

    def recognize_each(
        self, sources: Sequence[Source], *, details: bool = False
    ) -> Iterator[tuple[int, Result]]:
        """Yield (index, recognition, or why there is none) of every source, in any order."""
        ...


@dataclass(frozen=True)
class _Waiting:
    source: Source
    details: bool
    answer: asyncio.Future[Recognition]
    loop: asyncio.AbstractEventLoop

    def settle(self, result: Recognition | BaseException) -> None:
        """Hand the result over, from another thread; nothing happens where nobody waits any more."""
        with suppress(RuntimeError):  # the loop is closed, and with it whoever waited is gone
            self.loop.call_soon_threadsafe(self._settle, result)

    def _settle(self, result: Recognition | BaseException) -> None:
        if self.answer.done():
            return
        if isinstance(result, BaseException):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)


class ReadingQueue:
    """A bounded queue in front of a recognizer.

    While a batch is read, the next gathers: nobody waits for company while the recognizer idles, but for
    ``linger_s`` where the batch before had company. The oldest request is always in the next batch. The
    recognizer itself sorts a batch by size, and each request is answered as soon as its part of it is read.

    Args:
        reader: the recognizer.
        most: requests that may wait; those that are being read are not counted.
        together: requests in a batch.
        linger_s: how long a lone request may wait for company.
        observe: called with the size of every batch and the seconds that it took.
    """

    def __init__(
        self, reader: Reader, most: int, together: int, linger_s: float, observe: Callable[[int, float], None]
    ) -> None:
        self._reader, self._most, self._together, self._linger_s = reader, most, together, linger_s
        self._observe = observe
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._pace_s = 0.05  # a picture, until that is known
        self._closing = True
        self.open()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether the next request would be refused."""
        return self._closing or len(self._waiting) >= self._most

    def submit(self, source: Source, details: bool) -> asyncio.Future[Recognition]:
        """Line up; return the future of what is read. Cancelling it leaves the line.

        Raises:
            RequestError: the line is full; it says when to come again.
        """
        loop = asyncio.get_running_loop()
        with self._changed:
            if self.full:
                again_s = max(1, math.ceil(len(self._waiting) * self._pace_s))
                raise RequestError(
                    503, "too many requests are waiting; try again", Reason.OVERLOADED, again_s
                )
            answer = loop.create_future()
            self._waiting.append(_Waiting(source, details, answer, loop))
            self._changed.notify()
        return answer

    def open(self) -> None:
        """Take requests, as a new queue does; nothing happens if it does so already."""
        if self._closing:
            self._closing = False
            self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Take no more, read what waits, and return when that is done."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        company = False
        while batch := self._next(company):
            company = len(batch) > 1
            started = time.perf_counter()
            for details in {each.details for each in batch}:
                self._read([each for each in batch if each.details == details], details)
            seconds = time.perf_counter() - started
            self._pace_s += _PACE * (seconds / len(batch) - self._pace_s)
            self._observe(len(batch), seconds)

    def _next(self, company: bool) -> list[_Waiting]:
        """Wait for requests and take a batch of them; it is empty when the queue is closed and done with."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if company and not self._closing:
                    self._changed.wait_for(lambda: len(self._waiting) >= self._together, self._linger_s)
                batch: list[_Waiting] = []
                while self._waiting and len(batch) < self._together:
                    first = self._waiting.popleft()
                    if not first.answer.cancelled():
                        batch.append(first)
                if batch or (self._closing and not self._waiting):
                    return batch

    def _read(self, batch: Sequence[_Waiting], details: bool) -> None:
        """Read a batch; where the recognizer fails, one by one, so that only what is at fault goes unread."""
        left = dict(enumerate(batch))
        try:
            for index, result in self._reader.recognize_each(
                [each.source for each in batch], details=details
            ):
                left.pop(index).settle(result)
        except Exception as error:
            _LOG.exception("a batch of %d could not be read", len(batch))
            if len(batch) > 1:
                for each in left.values():
                    self._read([each], details)
            else:
                batch[0].settle(error)
