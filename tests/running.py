"""A running service, for tests that want a socket."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

START_S = 240.0  # the machines that run tests have other work too


@dataclass
class Service:
    """``inktex serve`` in a process of its own.

    Attributes:
        process: it.
        address: without a slash at its end.
        log: the lines of its log so far.
    """

    process: subprocess.Popen[str]
    address: str
    log: list[dict[str, Any]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.address.removeprefix("http://")

    def workers(self) -> list[int]:
        """The process ids of its workers, on Linux."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in command_line(child)]

    def until_ready(self) -> None:
        """Wait until it would read something."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                with urlopen(f"{self.address}/ready", timeout=5) as answer:
                    assert answer.status == 200
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"{self.address} is not ready after {START_S:.0f} s")


def command_line(process: str) -> bytes:
    """What a process was started with, nothing if it has just ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def serving(*options: str, ready: bool = True) -> Iterator[Service]:
    """Run ``inktex serve`` on a free port until it is ``ready``, and end it."""
    command = [sys.executable, "-m", "inktex.cli", "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    announced = process.stdout.readline()
    found = re.search(r"https?://\S+:\d+", announced)
    assert found, f"{announced}{process.stderr.read()}"
    service = Service(process, found[0])
    reader = threading.Thread(target=_collect, args=(process.stderr, service.log), daemon=True)
    reader.start()
    try:
        if ready:
            service.until_ready()
        yield service
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(10)


def _collect(lines: Sequence[str] | Any, log: list[dict[str, Any]]) -> None:
    for line in lines:
        try:
            log.append(json.loads(line))
        except ValueError:
            log.append({"level": "error", "message": line})
