"""``inktex serve``: recognition over HTTP, and a page to write on."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from inktex.errors import ConfigError

_KEY_VARIABLE = "INKTEX_API_KEY"
_RATE_ELSEWHERE = 30.0  # requests a second of one address, where the service is open to others
_FORMATS = ("pix2tex", "image-to-latex")  # the values of inktex.service.options.PredictFormat


def add_serve(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex serve``."""
    parser.description = (
        "Serve recognition over HTTP, with a page to write on: open the address that is printed. Programs "
        "find /api/v1, and the addresses of Mathpix, MyScript and pix2tex. Nothing that is sent is stored."
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen at; 0.0.0.0 is all of this machine's"
    )
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0 is any that is free")
    parser.add_argument("--model", metavar="FOLDER", help="the model to read with (default: the shipped one)")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes, each with its own model (default: 1)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="threads of each that compute (default: one a core, at most 4)",
    )
    _add_access(parser)
    parser.add_argument(
        "--queue",
        type=int,
        default=64,
        metavar="N",
        help="requests that may wait, in each worker (default: 64)",
    )
    parser.add_argument(
        "--timeout", type=float, default=30, metavar="S", help="seconds to answer within (default: 30)"
    )
    parser.add_argument(
        "--predict-format",
        choices=_FORMATS,
        default=_FORMATS[0],
        help="whose answers /predict/ gives (default: pix2tex)",
    )


def _add_access(parser: ArgumentParser) -> None:
    """Declare who may ask, how often, and by which address."""
    parser.add_argument(
        "--api-key",
        action="append",
        default=[],
        metavar="KEY",
        help="let in only who has this key; may be repeated. The environment variable "
        f"{_KEY_VARIABLE} holds one too, and does not show in the list of processes",
    )
    parser.add_argument(
        "--cors",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin ask, such as https://example.org, or of all: *; may be repeated",
    )
    parser.add_argument("--tls-cert", metavar="PEM", help="a certificate, for HTTPS")
    parser.add_argument("--tls-key", metavar="PEM", help="the certificate's key")
    parser.add_argument(
        "--root-path", default="", metavar="PATH", help="where a reverse proxy has put the service: /inktex"
    )
    parser.add_argument(
        "--rate-limit",
        type=float,
        metavar="N",
        help="requests a second of one address, in each worker; 0 is any number (default: "
        f"{_RATE_ELSEWHERE:g}, on this machine alone 0)",
    )


def run_serve(options: Namespace) -> int:
    """Serve until told to stop."""
    from inktex.recognition.recognizer import Recognizer
    from inktex.service.options import PredictFormat, ServiceOptions
    from inktex.service.server import Application, ServerOptions, serve

    server = ServerOptions(options.host, options.port, options.workers, options.tls_cert, options.tls_key)
    rate = options.rate_limit
    if rate is None:
        rate = 0.0 if server.loopback else _RATE_ELSEWHERE
    from_environment = os.environ.get(_KEY_VARIABLE)
    service = ServiceOptions(
        keys=(*options.api_key, *([from_environment] if from_environment else [])),
        cors=tuple(options.cors),
        root_path=options.root_path,
        predict_format=PredictFormat(options.predict_format),
        waiting=options.queue,
        timeout_s=options.timeout,
        rate_per_s=rate,
        burst=max(1, round(2 * rate)),
    )
    if options.threads is not None and options.threads < 1:
        raise ConfigError(f"--threads must be at least 1, got {options.threads}")
    if options.workers > 1:
        Recognizer(options.model, threads=1)  # a model that cannot be loaded is told of here, once
    serve(Application(options.model, options.threads, service), server)
    return 0
