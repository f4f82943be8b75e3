"""Load for ``benchmarks/service.py``: HTTP clients of little weight, and a service in its own process."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.request import urlopen

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_TICKS_S = 100  # of /proc/PID/stat
_START_S = 120
_UP = "Application startup complete."  # as Uvicorn says it


@dataclass(frozen=True)
class Answer:
    """How a request ended.

    Attributes:
        status: of HTTP; 0 if the connection was closed without an answer.
        seconds: from its first byte to the answer's last.
    """

    status: int
    seconds: float


@dataclass
class Service:
    """``inktex serve`` on a free port of this machine.

    Attributes:
        process: it.
        port: of 127.0.0.1.
        log: the lines of its log so far.
    """

    process: subprocess.Popen[str]
    port: int
    log: list[dict[str, Any]] = field(default_factory=list)

    def processes(self) -> list[int]:
        """Return the process ids of the service and its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        return [each for each in self.processes()[1:] if b"spawn_main" in _command_line(each)]

    def memory_mb(self) -> float:
        """Return what the service and its workers occupy, in megabytes."""
        pages = (int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in self.processes())
        return round(sum(pages) * 4096 / 1e6, 1)

    def cpu_s(self) -> float:
        """Return the processor time that the service and its workers have used."""
        stats = (
            Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in self.processes()
        )
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / _TICKS_S

    def up(self) -> set[int]:
        """Return the process ids of the workers that have told that they are up."""
        return {line["process"] for line in list(self.log) if line["message"] == _UP}

    def until_ready(self) -> None:
        """Wait until it, and each of its workers, would read something."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5):
                    if self.up() >= set(self.workers()):
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise TimeoutError("the service is not ready")


@contextmanager
def serving(*options: str) -> Iterator[Service]:
    """Run ``inktex serve`` with options, and end it."""
    command = [sys.executable, "-m", "inktex.cli", "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r":(\d+)/", process.stdout.readline())
    assert found is not None
    service = Service(process, int(found[1]))
    collector = threading.Thread(target=_collect, args=(process.stderr, service.log), daemon=True)
    collector.start()
    try:
        service.until_ready()
        yield service
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        collector.join(10)


def request_of(picture: bytes) -> bytes:
    """Return the request that sends a picture."""
    lines = ("POST /api/v1/recognize HTTP/1.1", "Host: a", f"Content-Length: {len(picture)}", "", "")
    return "\r\n".join(lines).encode() + picture


def closed_loop(port: int, requests: Sequence[bytes], clients: int, count: int) -> list[Answer]:
    """Let so many clients ask, each again as soon as it is answered, until there are ``count`` answers."""
    numbers = iter(range(count))
    answers: list[Answer] = []

    async def client() -> None:
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for number in numbers:
            started = time.perf_counter()
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", port)
                status = await _ask(*connection, requests[number % len(requests)])
            except (OSError, asyncio.IncompleteReadError):
                status, connection = 0, None
            answers.append(Answer(status, time.perf_counter() - started))

    async def all_of_them() -> None:
        await asyncio.gather(*(client() for _ in range(clients)))

    asyncio.run(all_of_them())
    return answers


def open_loop(port: int, requests: Sequence[bytes], rate_per_s: float, count: int) -> list[Answer]:
    """Send requests at a steady rate, each on a connection of its own, however slowly they are answered."""

    async def one(number: int) -> Answer:
        await asyncio.sleep(number / rate_per_s)
        started = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            status = await _ask(reader, writer, requests[number % len(requests)])
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            status = 0
        return Answer(status, time.perf_counter() - started)

    async def all_of_them() -> list[Answer]:
        return await asyncio.gather(*(one(number) for number in range(count)))

    return asyncio.run(all_of_them())


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    await reader.readexactly(int(length[1]) if length else 0)
    return int(head[9:12])


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


def _collect(lines: IO[str], log: list[dict[str, Any]]) -> None:
    for line in lines:
        log.append(json.loads(line) if line.startswith("{") else {"message": line})
