"""Running the application: a socket, worker processes, and what is said on the terminal."""

from __future__ import annotations

import logging.config
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from inktex.errors import ConfigError
from inktex.ink.strokes import ink_from_lists
from inktex.recognition.recognizer import Recognizer
from inktex.service.app import create_app
from inktex.service.connections import HeadTimeoutProtocol
from inktex.service.logs import logging_options
from inktex.service.metrics import SHARED_FOLDER
from inktex.service.options import ServiceOptions
from inktex.service.workers import run_workers, signals_heard

_BACKLOG = 2048
_MOST_CONNECTIONS = 1000  # of a worker; more are told to come again
_SWITCH_S = 0.001  # after which the recognizer's Python makes way for the event loop
_GRACE_S = 5  # beyond the time in which requests are answered anyway
_PLUS = [[[0, 5], [10, 5]], [[5, 0], [5, 10]]]
_NOWHERE = ("192.0.2.1", 9)  # an address for documentation (RFC 5737)


@dataclass(frozen=True)
class Application:
    """Makes the application in the process that runs it.

    Attributes:
        model: the folder of a bundle; ``None`` is the shipped one.
        threads: threads of the recognizer; ``None`` is its default.
        options: how the service behaves.
    """

    model: str | None = None
    threads: int | None = None
    options: ServiceOptions = field(default_factory=ServiceOptions)

    def __call__(self) -> FastAPI:
        """Load the model, let it read once so that the first request is quick, and return the application."""
        sys.setswitchinterval(_SWITCH_S)
        recognizer = Recognizer(self.model, threads=self.threads)
        recognizer.recognize(ink_from_lists(_PLUS))
        return create_app(recognizer, self.options)


@dataclass(frozen=True)
class ServerOptions:
    """Where and how the service is reached.

    Attributes:
        host: a name or address of this machine; 0.0.0.0 is all of its addresses.
        port: 0 is any that is free.
        workers: processes, each with its own model.
        certificate: a PEM file, for HTTPS.
        key: the PEM file of the certificate's key.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    certificate: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ConfigError(f"--workers must be at least 1, got {self.workers}")
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"--port must be 0 to 65535, got {self.port}")
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("--tls-cert and --tls-key go together")
        for file in (self.certificate, self.key):
            if file is not None and not Path(file).is_file():
                raise ConfigError(f"{file}: no such file")

    @property
    def loopback(self) -> bool:
        """Whether only this machine itself reaches the service."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine as seen by itself alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def serve(application: Application, server: ServerOptions) -> None:
    """Run the service until it is told to stop; what was accepted is answered then.

    Raises:
        ConfigError: the address cannot be listened at.
        BundleError: there is no such model.
    """
    listening = listen(server.host, server.port)
    address = _address(listening, server)
    print(announcement(address, server), flush=True)
    make_config = partial(_config, application, server)
    if server.workers == 1:
        with signals_heard():
            uvicorn.Server(make_config()).run([listening])
        return
    logging.config.dictConfig(logging_options())
    with _shared_metrics():
        run_workers(make_config, listening, server.workers, 2 * _GRACE_S + application.options.timeout_s)


def _config(application: Application, server: ServerOptions) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        factory=True,
        http=HeadTimeoutProtocol,
        ws="none",
        log_config=logging_options(),
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=int(application.options.timeout_s) + _GRACE_S,
        ssl_certfile=server.certificate,
        ssl_keyfile=server.key,
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; its connections send what there is to send at once.

    Raises:
        ConfigError: the address is in use, or none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"port {port} of {host} cannot be listened at: {reason}") from None
    # Connections inherit it. Without it an answer's body waits 40 ms for the client to confirm its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """Give worker processes a folder to put their counts together in, for as long as they run."""
    with tempfile.TemporaryDirectory(prefix="inktex-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FOLDER]


def _address(listening: socket.socket, server: ServerOptions) -> str:
    """Return the address under which others reach the service."""
    host, port = server.host, listening.getsockname()[1]
    if host in ("0.0.0.0", "::"):
        host = _own_address(listening.family)
    scheme = "https" if server.certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


def _own_address(family: socket.AddressFamily) -> str:
    """Return this machine's address in its network; nothing is sent to find it."""
    if family == socket.AF_INET6:
        return socket.gethostname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def announcement(address: str, server: ServerOptions) -> str:
    """Return what is said when the service starts."""
    lines = [f"Inktex is at {address} (Ctrl+C stops it)"]
    if not server.loopback:
        import segno

        drawn = StringIO()
        segno.make(address, micro=False).terminal(drawn, compact=True)
        lines.append(drawn.getvalue().rstrip("\n"))
        if server.certificate is None:
            lines.append(
                "Browsers give clipboard and camera to pages over HTTPS alone: see --tls-cert and --tls-key."
            )
    return "\n".join(lines)
