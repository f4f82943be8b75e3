"""A client of ``inktex serve``: the recognizer's interface, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from inktex.errors import ServiceError
from inktex.image.box import Box
from inktex.ink.strokes import Ink, ink_to_json
from inktex.recognition.result import Alternative, Recognition, TokenDetail

_TYPES = {b"<": "application/inkml+xml", b"[": "application/json", b"{": "application/json"}
_MOST_ALTERNATIVES = 10


class Client:
    """Asks a service to read.

    Args:
        address: of the service, such as ``http://127.0.0.1:8000``.
        key: the service's key, if it wants one.
        timeout_s: within which an answer has to come.
    """

    def __init__(
        self, address: str = "http://127.0.0.1:8000", *, key: str | None = None, timeout_s: float = 30.0
    ) -> None:
        if not address.startswith(("http://", "https://")):
            raise ServiceError(f"the address of a service begins with http:// or https://, not {address!r}")
        self._address, self._key, self._timeout_s = address.rstrip("/"), key, timeout_s

    def recognize(self, source: str | Path | bytes | Ink, *, details: bool = False) -> Recognition:
        """Read one expression.

        Args:
            source: a path, or the bytes, of a picture, of InkML or of JSON strokes; or an ink.
            details: whether to find out how sure each token is and where it stands.

        Raises:
            ServiceError: there is no answer, or none but a sentence that says why.
        """
        if isinstance(source, Ink):
            body = ink_to_json(source).encode()
        else:
            body = source if isinstance(source, bytes) else _file(Path(source))
        begin = body[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        query = f"alternatives={_MOST_ALTERNATIVES}&details={str(details).lower()}"
        kind = _TYPES.get(begin, "application/octet-stream")
        return _recognition(self._ask(f"recognize?{query}", body, kind))

    def model(self) -> dict[str, Any]:
        """Return what the service tells of its model."""
        return self._ask("model")

    def _ask(self, name: str, body: bytes | None = None, kind: str = "") -> dict[str, Any]:
        headers = {"Content-Type": kind} if kind else {}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        request = Request(f"{self._address}/api/v1/{name}", body, headers)
        try:
            with urlopen(request, timeout=self._timeout_s) as response:
                values = json.load(response)
        except HTTPError as error:
            raise ServiceError(f"{self._address}: {_sentence(error)}") from None
        except (URLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise ServiceError(f"{self._address} does not answer as Inktex does: {reason}") from None
        if not isinstance(values, dict):
            raise ServiceError(f"{self._address} does not answer as Inktex does")
        return values


def _recognition(values: dict[str, Any]) -> Recognition:
    try:
        return Recognition(
            tuple(values["tokens"]),
            values["confidence"],
            tuple(Alternative(tuple(each["tokens"]), each["confidence"]) for each in values["alternatives"]),
            values["bounded"],
            tuple(
                TokenDetail(each["token"], each["confidence"], each["box"] and Box(*each["box"]))
                for each in values.get("details", ())
            ),
        )
    except (KeyError, TypeError) as error:
        raise ServiceError(f"the service's answer lacks something: {error}") from None


def _sentence(error: HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, TypeError, KeyError, OSError):
        return f"{error.code} {error.reason}"


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ServiceError(f"{path} cannot be read: {error.strerror}") from None
