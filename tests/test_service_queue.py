"""The queue in front of the recognizer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

pytest.importorskip("fastapi")
from inktex.ink.strokes import Ink, ink_from_lists
from inktex.recognition.result import Recognition
from inktex.service.errors import RequestError
from inktex.service.queue import ReadingQueue
from stub_recognizer import StubRecognizer


def ink(strokes: int) -> Ink:
    return ink_from_lists([[[10 * number, 0], [10 * number, 9]] for number in range(strokes)])


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 30))


def make_queue(stub: Any, most: int = 64, together: int = 32) -> ReadingQueue:
    return ReadingQueue(stub, most, together, 0.001, lambda size, seconds: None)


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_what_waits_together_is_read_together() -> None:
    """While one request is read the others gather, and are handed over as one batch in bounds."""

    async def work() -> tuple[list[int], list[str]]:
        stub = StubRecognizer()
        stub.go.clear()
        queue = make_queue(stub, together=3)
        answers = [queue.submit(ink(1), False)]
        await until(lambda: stub.batches)
        answers += [queue.submit(ink(strokes), False) for strokes in (2, 3, 4, 5)]
        stub.go.set()
        read = [(await answer).latex for answer in answers]
        queue.close()
        return stub.batches, read

    batches, read = run(work())

    assert batches == [1, 3, 1]
    assert read == ["1", "2", "3", "4", "5"]


def test_a_full_queue_refuses_at_once() -> None:
    """A request more than may wait is refused with 503 and a time to come again; no other is lost."""

    async def work() -> tuple[RequestError, list[str]]:
        stub = StubRecognizer()
        stub.go.clear()
        queue = make_queue(stub, most=2)
        answers = [queue.submit(ink(1), False)]
        await until(lambda: stub.batches)
        answers += [queue.submit(ink(strokes), False) for strokes in (2, 3)]
        assert queue.full
        with pytest.raises(RequestError) as refused:
            queue.submit(ink(4), False)
        stub.go.set()
        read = [(await answer).latex for answer in answers]
        queue.close()
        return refused.value, read

    refused, read = run(work())

    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert read == ["1", "2", "3"]


def test_closing_reads_what_was_accepted() -> None:
    """A queue that is closed takes no more, and answers all that it took."""

    async def work() -> list[str]:
        stub = StubRecognizer()
        queue = make_queue(stub, together=2)
        answers = [queue.submit(ink(strokes), False) for strokes in (1, 2, 3, 4, 5)]
        await asyncio.to_thread(queue.close)
        with pytest.raises(RequestError):
            queue.submit(ink(6), False)
        return [(await answer).latex for answer in answers]

    assert run(work()) == ["1", "2", "3", "4", "5"]


def test_who_has_left_is_not_read_for() -> None:
    """A request that is cancelled while it waits never reaches the recognizer."""

    async def work() -> list[Any]:
        stub = StubRecognizer()
        stub.go.clear()
        queue = make_queue(stub)
        first = queue.submit(ink(1), False)
        await until(lambda: stub.batches)
        left = queue.submit(ink(2), False)
        last = queue.submit(ink(3), False)
        left.cancel()
        stub.go.set()
        await first
        await last
        queue.close()
        return [len(source.strokes) for source in stub.sources]  # type: ignore[union-attr]

    assert run(work()) == [1, 3]


def test_requests_for_details_are_told_of_them() -> None:
    """In a mixed batch those get details who asked for them, and no others."""

    async def work() -> list[Recognition]:
        stub = StubRecognizer()
        stub.go.clear()
        queue = make_queue(stub)
        first = queue.submit(ink(1), False)
        await until(lambda: stub.batches)
        answers = [first, queue.submit(ink(2), True), queue.submit(ink(3), False)]
        stub.go.set()
        read = [await answer for answer in answers]
        queue.close()
        return read

    assert [bool(reading.details) for reading in run(work())] == [False, True, False]


class Fragile(StubRecognizer):
    """Fails at inks of two strokes, and with them the batch."""

    def recognize_each(self, sources: Any, *, details: bool = False) -> Any:
        sources = list(sources)
        if any(len(source.strokes) == 2 for source in sources):
            raise MemoryError("no room")
        return super().recognize_each(sources, details=details)


def test_a_failure_meets_only_the_request_at_fault() -> None:
    """Where the recognizer fails at a batch, all of it but the request at fault is read."""

    async def work() -> list[Any]:
        stub = Fragile()
        stub.go.clear()
        queue = make_queue(stub)
        answers = [queue.submit(ink(1), False)]
        await until(lambda: stub.batches)
        answers += [queue.submit(ink(strokes), False) for strokes in (2, 3)]
        stub.go.set()
        results = await asyncio.gather(*answers, return_exceptions=True)
        queue.close()
        return results

    first, second, third = run(work())

    assert (first.latex, third.latex) == ("1", "3")
    assert isinstance(second, MemoryError)


def test_reading_leaves_the_event_loop_alone() -> None:
    """While something is read the event loop runs on, and the recognizer is called in a thread of its own."""
    threads: list[str] = []

    class Slow(StubRecognizer):
        def recognize_each(self, sources: Any, *, details: bool = False) -> Any:
            threads.append(threading.current_thread().name)
            time.sleep(0.2)
            return super().recognize_each(sources, details=details)

    async def work() -> int:
        queue = make_queue(Slow())
        answer = queue.submit(ink(1), False)
        turns = 0
        while not answer.done():
            await asyncio.sleep(0.001)
            turns += 1
        queue.close()
        return turns

    assert run(work()) > 5
    assert threads == ["reader"]
