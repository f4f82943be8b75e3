"""Many expressions in one request: a line of JSON each, and answers as they are done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from inktex.errors import InktexError
from inktex.service.answers import answer
from inktex.service.desk import Desk, apart
from inktex.service.questions import Question, Wanted, parsed, question_of_json
from inktex.service.refusals import Fault, RefusalError, refusal_of

_AT_A_TIME = 16  # lines of a batch that are in the queue
_PAUSE_S = 0.05  # before the queue is looked at again


class Batch:
    """The lines of a batch.

    Args:
        desk: where they are answered.
        body: the lines.
        asked: what the address asks for; a line may ask otherwise.

    Raises:
        RefusalError: there are no lines or too many, or others wait already.
    """

    def __init__(self, desk: Desk, body: bytes, asked: Wanted) -> None:
        self._desk, self._asked = desk, asked
        self._lines = [line for line in body.split(b"\n") if line.strip()]
        self._room = asyncio.Semaphore(_AT_A_TIME)
        most = desk.options.batch_lines
        if not self._lines:
            raise RefusalError(
                400, "the body is empty: send a line of JSON for each expression", Fault.MISSING
            )
        if len(self._lines) > most:
            count = f"{len(self._lines):,}"
            raise RefusalError(
                413, f"a batch may have {most} lines, and this one has {count}", Fault.TOO_LARGE
            )
        if desk.queue.full:
            raise _busy()

    async def answers(self) -> AsyncIterator[bytes]:
        """Yield the answers, a line of JSON each; the index says which line one belongs to."""
        tasks = [asyncio.create_task(self._answer(index)) for index in range(len(self._lines))]
        try:
            for done in asyncio.as_completed(tasks):
                yield json.dumps(await done, ensure_ascii=False).encode() + b"\n"
        finally:
            for task in tasks:
                task.cancel()

    async def _answer(self, index: int) -> dict[str, Any]:
        """Return the answer to a line, or what is wrong with it."""
        async with self._room:
            head: dict[str, Any] = {"index": index}
            line = self._lines[index]
            options = self._desk.options
            try:
                value = await apart(lambda: parsed(line, options, "the line"), len(line))
                if isinstance(value, dict) and isinstance(value.get("id"), str | int):
                    head["id"] = value["id"]
                question = await apart(lambda: question_of_json(value, self._asked, options), len(line))
                return {**head, **await self._read(question)}
            except InktexError as error:
                refusal = refusal_of(error)
                return {**head, "error": refusal.sentence, "status": refusal.status}

    async def _read(self, question: Question) -> dict[str, Any]:
        """Wait for room in the queue, which others may fill meanwhile, and read."""
        deadline = asyncio.get_running_loop().time() + self._desk.options.timeout_s
        while self._desk.queue.full:
            if asyncio.get_running_loop().time() > deadline:
                raise _busy()
            await asyncio.sleep(_PAUSE_S)
        reading = await self._desk.read(None, question.source, question.wanted.details)
        return answer(reading, question.wanted)


def _busy() -> RefusalError:
    return RefusalError(503, "too many requests are waiting; try again", Fault.OVERLOADED, retry_after_s=1)
