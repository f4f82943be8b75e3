"""What a request asks: what to read, and what to tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inktex.image.header import FORMATS, read_header
from inktex.ink.inkml import read_inkml
from inktex.ink.strokes import Ink
from inktex.recognition.inputs import Source
from inktex.service.bodies import Part, read_data_url, read_form, read_json
from inktex.service.errors import Reason, RequestError
from inktex.service.options import ServiceOptions
from inktex.service.outputs import OUTPUTS
from inktex.service.strokes import ink_of

MOST_ALTERNATIVES = 10
XML_TYPES = ("application/inkml+xml", "application/xml", "text/xml")
# What programs call a body of which they know no better; curl's --data-binary says the last.
_UNKNOWN_TYPES = ("", "application/octet-stream", "application/x-www-form-urlencoded")
_VALUES_A_POINT = 6  # x, y, time, pressure and the like; JSON with more values than that is not even parsed
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class OutputOptions:
    """What to tell of a reading.

    Attributes:
        alternatives: how many other readings at most.
        details: whether to tell of each token how sure it is and where it stands.
        formats: what to write the reading as, besides LaTeX.
    """

    alternatives: int = 3
    details: bool = False
    formats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.alternatives <= MOST_ALTERNATIVES:
            raise RequestError(
                422,
                f"alternatives must be 0 to {MOST_ALTERNATIVES}, got {self.alternatives}",
                Reason.OPTION,
            )
        for name in self.formats:
            if name not in OUTPUTS:
                known = ", ".join(OUTPUTS)
                raise RequestError(
                    422, f"there is no format {name[:40]!r}; there are: {known}", Reason.OPTION
                )


@dataclass(frozen=True)
class RecognitionRequest:
    """What to read, and what to tell of it."""

    source: Source
    output: OutputOptions


def parse_request(
    content_type: str, body: bytes, asked: OutputOptions, options: ServiceOptions
) -> RecognitionRequest:
    """Return what a body asks.

    Args:
        content_type: the header.
        body: the body.
        asked: what the address asks for; the body may ask otherwise.
        options: of the service, with bounds on what is sent.

    Raises:
        RequestError: it cannot be read, or is more than is allowed.
        InkError: InkML that cannot be read.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        raise RequestError(400, "the body is empty: send a picture or strokes", Reason.MISSING)
    if kind == "application/json":
        return parse_json(parsed(body, options), asked, options)
    if kind == "multipart/form-data":
        return _of_form(read_form(content_type, body), asked, options)
    if kind in XML_TYPES:
        return RecognitionRequest(inkml(body, options), asked)
    if kind.startswith("image/") or kind in _UNKNOWN_TYPES:
        return RecognitionRequest(picture(body, options), asked)
    raise RequestError(
        415,
        f"{kind[:60]!r} cannot be read: send image/..., application/json, application/inkml+xml or "
        "multipart/form-data",
        Reason.KIND,
    )


def parse_json(value: Any, asked: OutputOptions, options: ServiceOptions) -> RecognitionRequest:
    """Return what JSON asks: strokes alone, or an object with ``strokes`` or ``image``, and options.

    Raises:
        RequestError: it asks for nothing that can be done.
    """
    if isinstance(value, list):
        return RecognitionRequest(ink_of(value, options.limits), asked)
    if not isinstance(value, dict):
        raise RequestError(422, "the body must be strokes, or an object with strokes or image", Reason.INK)
    output = _output_options(value, asked)
    if "image" not in value:
        return RecognitionRequest(ink_of(value, options.limits), output)
    if "strokes" in value or "strokeGroups" in value:
        raise RequestError(422, "there are strokes and an image: send one of the two", Reason.OPTION)
    if not isinstance(value["image"], str):
        raise RequestError(422, "image must be a data: address", Reason.PICTURE)
    return RecognitionRequest(picture(read_data_url(value["image"]), options), output)


def parsed(body: bytes, options: ServiceOptions, what: str = "the body") -> Any:
    """Return what JSON holds, unless there is more in it than any ink may have.

    Raises:
        RequestError: it is not JSON, or too much.
    """
    if body.count(b",") > _VALUES_A_POINT * options.limits.points:
        raise RequestError(413, f"{what} has more than {options.limits.points:,} points", Reason.TOO_LARGE)
    return read_json(body, what)


def picture(data: bytes, options: ServiceOptions) -> bytes:
    """Return the bytes of a picture file, once its header was looked at.

    Raises:
        RequestError: not a picture of a known kind, or more bytes or pixels than are allowed.
    """
    if len(data) > options.limits.file_bytes:
        allowed = options.limits.file_bytes // 2**20
        raise RequestError(413, f"the picture is larger than {allowed} MB", Reason.TOO_LARGE)
    header = read_header(data)
    if header is None:
        raise RequestError(415, f"this is not a picture: it must be {FORMATS}, whole", Reason.KIND)
    if header.width * header.height > options.limits.pixels:
        allowed = options.limits.pixels // 1_000_000
        size = f"{header.width} x {header.height} pixels"
        raise RequestError(413, f"the picture has {size}; {allowed} megapixels are allowed", Reason.TOO_LARGE)
    return data


def inkml(data: bytes, options: ServiceOptions) -> Ink:
    """Return the ink of an InkML document.

    Raises:
        RequestError: more bytes, strokes or points than are allowed.
        InkError: it cannot be read.
    """
    if len(data) > options.ink_bytes:
        raise RequestError(
            413, f"the InkML is larger than {options.ink_bytes // 1024:,} KB", Reason.TOO_LARGE
        )
    ink = read_inkml(data).ink
    points = sum(len(stroke) for stroke in ink.strokes)
    if len(ink.strokes) > options.limits.strokes or points > options.limits.points:
        allowed = f"{options.limits.strokes:,} strokes and {options.limits.points:,} points"
        raise RequestError(413, f"the ink is too large: {allowed} are allowed", Reason.TOO_LARGE)
    return ink


def form_file(parts: Sequence[Part]) -> bytes:
    """Return the file of a form.

    Raises:
        RequestError: there is none, or more than one.
    """
    files = [part.data for part in parts if part.name == "file"]
    if len(files) != 1:
        raise RequestError(
            422, f"the form must have one field named file, and has {len(files)}", Reason.MISSING
        )
    return files[0]


def _of_form(parts: Sequence[Part], asked: OutputOptions, options: ServiceOptions) -> RecognitionRequest:
    data = form_file(parts)
    texts = {part.name: part.data.decode("utf-8", "replace") for part in parts if part.name != "file"}
    begin = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    source: Source
    if begin == b"<":
        source = inkml(data, options)
    elif begin in (b"[", b"{"):
        source = ink_of(parsed(data, options, "the file"), options.limits)
    else:
        source = picture(data, options)
    values: dict[str, Any] = dict(texts)
    if "alternatives" in texts:
        number = texts["alternatives"]
        values["alternatives"] = int(number) if number.isascii() and number.isdigit() else number
    if "details" in texts:
        values["details"] = _BOOLEANS.get(texts["details"].lower(), texts["details"])
    if "formats" in texts:
        values["formats"] = format_names(texts["formats"])
    return RecognitionRequest(source, _output_options(values, asked))


def format_names(text: str) -> list[str]:
    """Return the names in a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _output_options(values: Mapping[str, Any], asked: OutputOptions) -> OutputOptions:
    """Return what an object's keys want, or else what was asked."""
    alternatives = values.get("alternatives", asked.alternatives)
    details = values.get("details", asked.details)
    formats = values.get("formats", asked.formats)
    if not isinstance(alternatives, int) or isinstance(alternatives, bool):
        raise RequestError(422, f"alternatives must be 0 to {MOST_ALTERNATIVES}", Reason.OPTION)
    if not isinstance(details, bool):
        raise RequestError(422, "details must be true or false", Reason.OPTION)
    if not isinstance(formats, list | tuple) or not all(isinstance(name, str) for name in formats):
        raise RequestError(422, "formats must be a list of names", Reason.OPTION)
    return OutputOptions(alternatives, details, tuple(dict.fromkeys(formats)))
