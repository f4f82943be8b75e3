"""How the service is started: where it listens, what it says, what the command hands to it."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("segno")
import cv2
import numpy as np

from inktex import cli
from inktex.errors import ConfigError
from inktex.service import server
from inktex.service.options import PredictFormat
from inktex.service.server import Application, ServerOptions, announcement, is_loopback
from inktex.service.workers import SharedSocket

BLOCKS = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("example.org", False),
    ],
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    """A host is this machine alone, or one that others reach."""
    assert is_loopback(host) == loopback


def test_on_this_machine_only_the_address_is_said() -> None:
    """Where nobody else can come there is neither a QR code nor advice."""
    said = announcement("http://127.0.0.1:8000/", ServerOptions())

    assert said.splitlines() == ["Inktex is at http://127.0.0.1:8000/ (Ctrl+C stops it)"]


@pytest.mark.parametrize("secure", [False, True])
def test_a_phone_finds_the_service_by_its_qr_code(secure: bool, tmp_path: Any) -> None:
    """On another host the QR code holds the address, and without TLS it is said what browsers want it for."""
    pem = tmp_path / "a.pem"
    pem.touch()
    options = (
        ServerOptions("0.0.0.0", certificate=str(pem), key=str(pem)) if secure else ServerOptions("0.0.0.0")
    )
    address = "http://192.168.1.23:8000/"

    said = announcement(address, options)

    assert ("clipboard" in said and "camera" in said and "HTTPS" in said) != secure
    drawn = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines() if set(line) & set("▀▄█")]
    rows = [[BLOCKS[character][half] for character in line] for line in drawn for half in (0, 1)]
    width = max(map(len, rows))
    modules = np.array([row + [0] * (width - len(row)) for row in rows], np.uint8)
    picture = np.kron(
        np.pad(modules, 4, constant_values=modules[0, 0]), np.ones((8, 8), np.uint8)
    ) * np.uint8(255)
    found = {cv2.QRCodeDetector().detectAndDecode(each)[0] for each in (picture, 255 - picture)}
    assert address in found


def test_answers_are_sent_at_once() -> None:
    """Connections do not wait with a small piece until the one before is confirmed (Nagle's algorithm)."""
    with (
        server.listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as connection,
    ):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_shared_socket_hands_out_one_connection_at_a_time() -> None:
    """Asked again at once, the socket has no connection, so that another process may take the next."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        shared = SharedSocket(fileno=listening.detach())
        shared.setblocking(False)
        with shared:
            with pytest.raises(BlockingIOError):
                shared.accept()
            clients = [socket.create_connection(shared.getsockname()) for _ in range(2)]
            accepted = []
            for _ in range(2):
                accepted.append(shared.accept()[0])
                with pytest.raises(BlockingIOError):
                    shared.accept()
            for each in (*clients, *accepted):
                each.close()
    assert len(accepted) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 0},
        {"port": 65536},
        {"port": -1},
        {"certificate": "a.pem"},
        {"certificate": "/nowhere/a.pem", "key": "/nowhere/a.key"},
    ],
)
def test_where_to_serve_checks_itself(options: dict[str, Any]) -> None:
    """Options that make no sense are refused in one sentence."""
    with pytest.raises(ConfigError):
        ServerOptions(**options)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Application, ServerOptions]]:
    """What the command would have started."""
    seen: list[tuple[Application, ServerOptions]] = []
    monkeypatch.setattr(server, "serve", lambda *given: seen.append(given))
    monkeypatch.delenv("INKTEX_API_KEY", raising=False)
    return seen


def test_the_command_serves_this_machine_unless_told_otherwise(
    started: list[tuple[Application, ServerOptions]],
) -> None:
    """Without options the service is for this machine, with neither key nor rate nor other origins."""
    assert cli.main(["serve"]) == 0

    ((application, where),) = started
    assert (where.host, where.port, where.workers) == ("127.0.0.1", 8000, 1)
    options = application.options
    assert (options.keys, options.cors, options.rate_per_s, options.root_path) == ((), (), 0, "")


def test_the_commands_options_arrive(
    started: list[tuple[Application, ServerOptions]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each option of the command is one of the service's; a key of the environment is one more."""
    monkeypatch.setenv("INKTEX_API_KEY", "c")
    arguments = "serve --host 0.0.0.0 --port 0 --threads 2 --api-key a --api-key b --cors https://a.example"
    more = "--root-path /x --queue 7 --timeout 9 --predict-format image-to-latex"

    assert cli.main([*arguments.split(), *more.split()]) == 0

    ((application, where),) = started
    options = application.options
    assert (where.host, where.port, application.threads) == ("0.0.0.0", 0, 2)
    assert options.keys == ("a", "b", "c")
    assert options.cors == ("https://a.example",)
    assert (options.root_path, options.waiting, options.timeout_s) == ("/x", 7, 9)
    assert options.predict_format is PredictFormat.IMAGE_TO_LATEX
    assert options.rate_per_s > 0
    assert options.burst == 2 * options.rate_per_s
