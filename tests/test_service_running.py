"""The running service with the model that ships: its clients, its end, and workers that die."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
from inktex import Client, Recognizer
from inktex.errors import ServiceError
from inktex.ink.inkml import read_inkml
from inktex.ink.strokes import Ink, ink_from_json
from inktex.latex.readable import readable
from inktex.mathml import to_mathml
from running import Service, serving

EXAMPLES = Path(__file__).parents[1] / "examples"
KEY = "a-secret"
LABELS = dict(line.split("\t") for line in (EXAMPLES / "labels.txt").read_text(encoding="utf-8").splitlines())
INKS = ("sequence.inkml", "greek.inkml", "sine.json")
PICTURES = ("fraction.png", "root.png", "basel.jpg")
IINK = "iink-ts@3.3.2"

pytestmark = pytest.mark.slow


def label(name: str) -> str:
    return readable(LABELS[name].split())


def ink_of(name: str) -> Ink:
    data = (EXAMPLES / name).read_bytes()
    return read_inkml(data).ink if name.endswith(".inkml") else ink_from_json(data)


def lists_of(ink: Ink) -> list[list[list[float]]]:
    return [stroke.tolist() for stroke in ink.strokes]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A service that wants a key."""
    with serving("--threads", "1", "--api-key", KEY) as service:
        yield service


def test_the_client_reads_as_the_recognizer_does(service: Service) -> None:
    """What a client reads over HTTP is what a recognizer reads here, details and other readings included."""
    recognizer = Recognizer(threads=1)
    client = Client(service.address, key=KEY, timeout_s=120)

    for name in (*PICTURES, *INKS):
        here = recognizer.recognize(EXAMPLES / name, details=True)
        there = client.recognize(EXAMPLES / name, details=True)
        assert (there.latex, there.tokens) == (label(name), here.tokens)
        assert there.confidence == pytest.approx(here.confidence, abs=1e-4)
        assert len(there.details) == len(here.details)
        assert [each.box is None for each in there.details] == [each.box is None for each in here.details]
    assert client.recognize(ink_of("sine.json")).latex == label("sine.json")
    assert client.model()["licence"] == recognizer.bundle.metadata.licence


def test_the_client_says_what_the_service_says(service: Service) -> None:
    """A client without the key, with something that is no picture, or without a service gets one sentence."""
    with pytest.raises(ServiceError, match="API key"):
        Client(service.address, timeout_s=120).recognize(EXAMPLES / "root.png")
    with pytest.raises(ServiceError, match="not a picture"):
        Client(service.address, key=KEY, timeout_s=120).recognize(b"x^2")
    with pytest.raises(ServiceError, match="does not answer"):
        Client("http://127.0.0.1:9").model()
    with pytest.raises(ServiceError, match="http"):
        Client("127.0.0.1:8000")


def test_mathpix_own_client_gets_right_answers(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """mpxpy, pointed at the service, reads three inks and three pictures right."""
    mpxpy = pytest.importorskip("mpxpy.mathpix_client", reason="mpxpy is not installed")
    monkeypatch.setenv("HOME", "/nonexistent")  # where it would look for an account
    client = mpxpy.MathpixClient(app_id="any", app_key=KEY, api_url=service.address)

    for name in INKS:
        strokes = lists_of(ink_of(name))
        columns = [[[round(point[axis]) for point in stroke] for stroke in strokes] for axis in (0, 1)]
        answer = client.strokes_new({"x": columns[0], "y": columns[1]})
        assert answer["latex_styled"] == label(name)
        assert answer["text"] == rf"\( {label(name)} \)"
    for name in PICTURES:
        image = client.image_new(file_path=str(EXAMPLES / name), include_line_data=True)
        assert image.latex_styled() == label(name)
        assert image.lines_json()[0]["text"] == rf"\( {label(name)} \)"


@pytest.fixture(scope="module")
def iink(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MyScript's client in it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("iink")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), IINK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"{IINK} cannot be installed: {done.stderr.strip()[-200:]}")
    return folder


def ask_iink(folder: Path, request: dict[str, Any]) -> list[dict[str, Any]]:
    script = Path(__file__).with_name("iink_client.mjs")
    done = subprocess.run(
        ["node", str(script)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert isinstance(answers, list)
    return answers


def test_myscripts_own_client_gets_right_answers(service: Service, iink: Path) -> None:
    """iink-ts, pointed at the service, reads three inks right by both its REST recognizers, in every type."""
    latex, mathml, jiix = "application/x-latex", "application/mathml+xml", "application/vnd.myscript.jiix"
    inks = [lists_of(ink_of(name)) for name in INKS]
    request = {"host": service.host, "applicationKey": "any", "hmacKey": KEY, "types": [latex, mathml, jiix]}

    answers = ask_iink(iink, {**request, "inks": inks})

    for name, answer in zip(INKS, answers, strict=True):
        for version in ("v1", "v2"):
            exports = answer[version]
            assert exports[latex] == label(name)
            assert exports[mathml] == to_mathml(LABELS[name].split())
            assert exports[jiix]["label"] == label(name)


def test_myscripts_own_client_is_told_that_its_key_is_wrong(service: Service, iink: Path) -> None:
    """With a wrong key iink-ts says what it says at MyScript's own service."""
    request = {
        "host": service.host,
        "applicationKey": "any",
        "hmacKey": "wrong",
        "types": ["application/x-latex"],
    }

    (answer,) = ask_iink(iink, {**request, "inks": [lists_of(ink_of("sine.json"))]})

    assert "credentials are invalid" in answer["error"]


def post(address: str, body: bytes, timeout_s: float = 120) -> int:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=timeout_s)
    try:
        connection.request("POST", "/api/v1/recognize", body, {"Content-Type": "image/png"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def pending(address: str) -> float:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return float(next(line for line in text.splitlines() if line.startswith("inktex_pending")).split()[1])


def test_sigterm_ends_the_service_once_all_is_answered() -> None:
    """A service that is told to stop while requests wait answers each of them, and ends with 0."""
    picture = (EXAMPLES / "basel.jpg").read_bytes()
    with serving("--threads", "1") as service, ThreadPoolExecutor(24) as pool:
        answers = [pool.submit(post, service.address, picture) for _ in range(24)]
        while pending(service.address) + sum(answer.done() for answer in answers) < 24:
            time.sleep(0.01)
        waiting = sum(not answer.done() for answer in answers)
        service.process.send_signal(signal.SIGTERM)

        assert [answer.result(120) for answer in answers] == [200] * 24
        assert service.process.wait(60) == 0
        assert waiting > 0
        with pytest.raises(ConnectionError):
            post(service.address, picture, 5)
    assert not [line for line in service.log if line["level"] == "error"]


def test_a_service_under_more_load_than_it_bears_says_so() -> None:
    """Of more requests than may wait some are refused with 503, and all others are answered."""
    picture = (EXAMPLES / "basel.jpg").read_bytes()
    with serving("--threads", "1", "--queue", "2") as service, ThreadPoolExecutor(40) as pool:
        answers = [pool.submit(post, service.address, picture) for _ in range(40)]
        statuses = [answer.result(240) for answer in answers]

    assert set(statuses) == {200, 503}


@pytest.mark.skipif(sys.platform != "linux", reason="workers are found in /proc")
def test_a_worker_that_dies_is_replaced() -> None:
    """When a worker is killed only its own requests end, without an answer, and another takes its place."""
    picture = (EXAMPLES / "basel.jpg").read_bytes()

    def ask(address: str) -> int | None:
        try:
            return post(address, picture, 240)
        except (OSError, http.client.HTTPException):
            return None

    with serving("--threads", "1", "--workers", "2") as service, ThreadPoolExecutor(16) as pool:
        before = service.workers()
        while {line.get("process") for line in service.log if line.get("status") == 200} < set(before):
            post(service.address, picture)  # both are at work
        answers = [pool.submit(ask, service.address) for _ in range(48)]
        time.sleep(0.3)
        os.kill(before[0], signal.SIGKILL)
        statuses = [answer.result(240) for answer in answers]
        while len(service.workers()) < 2 or before[0] in service.workers():
            time.sleep(0.05)
        after = service.workers()
        while after[1] not in {line.get("process") for line in service.log if line.get("status") == 200}:
            post(service.address, picture)

    assert set(statuses) <= {200, None}
    assert statuses.count(200) >= 24
    assert before[1] in after
    (died,) = [line for line in service.log if line.get("worker") == before[0]]
    assert died["exit_code"] == -signal.SIGKILL


def test_with_a_certificate_the_service_speaks_https(tmp_path: Path) -> None:
    """With a certificate and its key the service is reached over TLS, by who trusts the certificate alone."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
        + ["-out", str(certificate), "-keyout", str(key)],
        check=True,
        capture_output=True,
    )
    with serving(
        "--threads", "1", "--tls-cert", str(certificate), "--tls-key", str(key), ready=False
    ) as service:
        port = int(service.address.rpartition(":")[2])
        trusting = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=120, context=ssl.create_default_context(cafile=str(certificate))
        )
        trusting.request("GET", "/health")
        status = trusting.getresponse().status
        trusting.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            http.client.HTTPSConnection("127.0.0.1", port, timeout=120).request("GET", "/health")

    assert service.address.startswith("https://")
    assert status == 200


def test_what_cannot_be_served_is_said_in_one_sentence(tmp_path: Path) -> None:
    """A port in use, a missing certificate or model end the command with 2 and one sentence."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cases = [
            ["--port", str(port)],
            ["--tls-cert", str(tmp_path / "none.pem"), "--tls-key", str(tmp_path / "none.pem")],
            ["--tls-cert", str(tmp_path / "none.pem")],
            ["--model", str(tmp_path)],
            ["--workers", "2", "--model", str(tmp_path)],
            ["--workers", "0"],
            ["--threads", "0"],
        ]
        for options in cases:
            command = [
                sys.executable,
                "-m",
                "inktex.cli",
                "serve",
                *(["--port", "0"] if "--port" not in options else []),
            ]
            done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=240)
            assert done.returncode == 2, options
            assert done.stderr.startswith("inktex: error: ")
            assert len(done.stderr.splitlines()) == 1, done.stderr
