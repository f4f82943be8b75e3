"""Bodies of requests: bounded in size and time, taken apart if they have parts; nothing goes to a disk."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic_core import from_json
from python_multipart import create_form_parser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File

from inktex.service.errors import GONE, Reason, RequestError

_LONGEST_NUMBER = 15  # digits
_MOST_FIELDS = 32
_LONGEST_HEAD = 200  # of a data: address, characters


@dataclass(frozen=True)
class Part:
    """A field or a file of a form.

    Attributes:
        name: of the field.
        data: what was sent.
    """

    name: str
    data: bytes


async def read_body(request: Request, most: int, within_s: float, hold: Callable[[int], None]) -> bytes:
    """Return the body of a request.

    Args:
        request: it.
        most: bytes that it may have.
        within_s: seconds in which it has to be there.
        hold: told of the bytes that come, as they come; it may refuse them.

    Raises:
        RequestError: it is larger, encoded, or too slow.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RequestError(
            415, "the body must not be compressed: send it without Content-Encoding", Reason.KIND
        )
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and (len(announced) > _LONGEST_NUMBER or int(announced) > most):
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise RequestError(GONE, "the client left before all was sent")
                piece = message.get("body", b"")
                hold(len(piece))
                body += piece
                if len(body) > most:
                    raise _too_large(most)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise RequestError(408, f"the body did not arrive within {within_s:g} s") from None


def read_json(body: bytes, what: str = "the body") -> Any:
    """Return what JSON holds.

    Raises:
        RequestError: it is not JSON, or nested too deeply to be read.
    """
    try:
        return from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise RequestError(400, f"{what} is not JSON: {error}", Reason.SYNTAX) from None


def read_form(content_type: str, body: bytes) -> list[Part]:
    """Return the fields and files of a form, in their order.

    Raises:
        RequestError: it is damaged, or has too many parts.
    """
    parts: list[Part] = []

    def take(name: bytes | None, data: bytes) -> None:
        if len(parts) == _MOST_FIELDS:
            raise RequestError(413, f"a form may have {_MOST_FIELDS} fields at most", Reason.TOO_LARGE)
        parts.append(Part((name or b"").decode("utf-8", "replace"), data))

    def take_file(file: File) -> None:
        file.file_object.seek(0)
        take(file.field_name, file.file_object.read())

    def take_field(field: Field) -> None:
        take(field.field_name, field.value or b"")

    in_memory = {"MAX_MEMORY_FILE_SIZE": len(body) + 1}
    try:
        headers = {"Content-Type": content_type.encode("latin-1")}
        parser = create_form_parser(headers, take_field, take_file, config=in_memory)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise RequestError(400, f"the form is damaged: {error}", Reason.SYNTAX) from None
    return parts


def read_data_url(text: str, what: str = "image") -> bytes:
    """Return what a ``data:`` address with base64 holds; no other address is followed.

    Raises:
        RequestError: it is another address, or damaged.
    """
    head, comma, _ = text[:_LONGEST_HEAD].partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise RequestError(
            422,
            f"{what} must be a picture as data:image/...;base64,...: this service fetches no addresses and "
            "reads no files",
            Reason.ADDRESS,
        )
    try:
        return base64.b64decode(text[len(head) + 1 :], validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(422, f"{what} is not valid base64", Reason.PICTURE) from None


def _too_large(most: int) -> RequestError:
    return RequestError(413, f"the body is larger than {most // 1024:,} KB", Reason.TOO_LARGE)
