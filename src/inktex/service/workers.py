"""Worker processes: each serves the same socket with its own model, and one that dies is replaced."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from inktex.errors import ServiceError
from inktex.service.logs import LOGGER

MakeConfig = Callable[[], uvicorn.Config]  # picklable: a worker makes its own
_YOUNG_S = 2.0  # a worker that dies younger is replaced after a pause
_TURN_S = 0.001  # that the event loop waits after each connection; the recognizer's thread goes on
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOG = logging.getLogger(LOGGER)


class SharedSocket(socket.socket):
    """A listening socket of several processes, which share what connections come.

    An event loop that wakes for a connection would otherwise take all that wait, before another process is
    awake. This one takes a single connection at a time, and then lets the others have their turn.
    """

    _took = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection, and be without one when asked again at once."""
        self._took = not self._took
        if not self._took:
            raise BlockingIOError
        try:
            accepted = super().accept()
        except OSError:
            self._took = False
            raise
        time.sleep(_TURN_S)
        return accepted


def run_workers(make_config: MakeConfig, listening: socket.socket, count: int, grace_s: float) -> None:
    """Serve with several processes until told to stop.

    Args:
        make_config: what a worker serves, and how.
        listening: the socket.
        count: of processes.
        grace_s: after which workers that were told to stop are killed.

    Raises:
        ServiceError: a worker cannot start.
    """
    context = multiprocessing.get_context("spawn")
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    workers: dict[BaseProcess, float] = {}  # and when they were started

    def start() -> None:
        worker = context.Process(target=_work, args=(make_config, listening))
        worker.start()
        workers[worker] = time.monotonic()

    with signals_heard():
        signal.set_wakeup_fd(wake.fileno())
        try:
            for _ in range(count):
                start()
            while woken not in (ready := wait([woken, *(worker.sentinel for worker in workers)])):
                for worker in [each for each in workers if each.sentinel in ready]:
                    _reap(worker, workers.pop(worker))
                    start()
        finally:
            signal.set_wakeup_fd(-1)
            _stop(list(workers), grace_s)


@contextmanager
def signals_heard() -> Iterator[None]:
    """Let signals that ask the program to stop be heard by whoever waits for them, and do no more."""
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _work(make_config: MakeConfig, listening: socket.socket) -> None:
    """Serve, in a worker; end with the process that started it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    shared = SharedSocket(fileno=listening.detach())
    uvicorn.Server(make_config()).run([shared])


def _end_with(parent: BaseProcess) -> None:
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _reap(worker: BaseProcess, started: float) -> None:
    worker.join()
    if worker.exitcode == STARTUP_FAILURE:
        raise ServiceError("a worker cannot start; the log says why")
    fields = {"worker": worker.pid, "exit_code": worker.exitcode}
    _LOG.error("a worker died and is replaced", extra={"fields": fields})
    if time.monotonic() - started < _YOUNG_S:
        time.sleep(_YOUNG_S)


def _stop(workers: list[BaseProcess], grace_s: float) -> None:
    """Let workers answer what they accepted; kill those that take too long."""
    deadline = time.monotonic() + grace_s
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
        if worker.is_alive():
            worker.kill()
            worker.join()
