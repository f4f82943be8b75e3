"""Many expressions in one request: a line of JSON each, and answers as they are done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from inktex.errors import InktexError
from inktex.service.dispatcher import Dispatcher, apart
from inktex.service.errors import Reason, RequestError, request_error
from inktex.service.parsing import OutputOptions, RecognitionRequest, parse_json, parsed
from inktex.service.responses import recognition_values

_AT_A_TIME = 16  # lines of a batch that are in the queue
_PAUSE_S = 0.05  # before the queue is looked at again


class Batch:
    """The lines of a batch.

    Args:
        dispatcher: where they are answered.
        body: the lines.
        asked: what the address asks for; a line may ask otherwise.

    Raises:
        RequestError: there are no lines or too many, or others wait already.
    """

    def __init__(self, dispatcher: Dispatcher, body: bytes, asked: OutputOptions) -> None:
        self._dispatcher, self._asked = dispatcher, asked
        self._lines = [line for line in body.split(b"\n") if line.strip()]
        self._room = asyncio.Semaphore(_AT_A_TIME)
        most = dispatcher.options.batch_lines
        if not self._lines:
            raise RequestError(
                400, "the body is empty: send a line of JSON for each expression", Reason.MISSING
            )
        if len(self._lines) > most:
            count = f"{len(self._lines):,}"
            raise RequestError(
                413, f"a batch may have {most} lines, and this one has {count}", Reason.TOO_LARGE
            )
        if dispatcher.queue.full:
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
            options = self._dispatcher.options
            try:
                value = await apart(lambda: parsed(line, options, "the line"), len(line))
                if isinstance(value, dict) and isinstance(value.get("id"), str | int):
                    head["id"] = value["id"]
                parsed_request = await apart(lambda: parse_json(value, self._asked, options), len(line))
                return {**head, **await self._read(parsed_request)}
            except InktexError as error:
                refused = request_error(error)
                return {**head, "error": refused.sentence, "status": refused.status}

    async def _read(self, parsed_request: RecognitionRequest) -> dict[str, Any]:
        """Wait for room in the queue, which others may fill meanwhile, and read."""
        deadline = asyncio.get_running_loop().time() + self._dispatcher.options.timeout_s
        while self._dispatcher.queue.full:
            if asyncio.get_running_loop().time() > deadline:
                raise _busy()
            await asyncio.sleep(_PAUSE_S)
        reading = await self._dispatcher.read(None, parsed_request.source, parsed_request.output.details)
        return await recognition_values(reading, parsed_request.output)


def _busy() -> RequestError:
    return RequestError(503, "too many requests are waiting; try again", Reason.OVERLOADED, retry_after_s=1)
