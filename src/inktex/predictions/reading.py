"""A file of predictions or references -> records; its format is found from its content."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from enum import Enum
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from inktex.errors import DataError
from inktex.predictions.records import Record, encodable, item_id, read_object

_LARGEST_FILE_BYTES = 256 * 2**20  # also of what an archive holds, unpacked
_LARGEST_MEMBER_BYTES = 2**20
_PARQUET, _ZIP = b"PAR1", (b"PK\x03\x04", b"PK\x05\x06")
# A brace or bracket may also begin LaTeX; a key in quotation marks with its colon does not.
_KEY = r'"(?:[^"\\\n]|\\.)*"\s*:'
_JSON_OBJECT = re.compile(rf"\s*\{{\s*{_KEY}")
_JSON_LIST = re.compile(rf"\s*\[\s*(?:\{{\s*(?:{_KEY}|\}})|\]\s*\Z)")
_LATER_OBJECT = re.compile(r"\n[ \t]*\{")
_FORMATS = (
    "allowed are NAME<TAB>LATEX, JSON lines, a JSON list or table of objects, "
    "a zip of .txt files with %KEY and $LATEX$, a Parquet data set, and plain lines"
)


class Format(Enum):
    """How a file writes expressions; the value is what to call it."""

    TSV = "NAME<TAB>LATEX"
    JSON_LINES = "JSON lines"
    JSON_LIST = "a JSON list"
    JSON_TABLE = "a JSON table"
    ZIP = "a zip archive"
    PARQUET = "a Parquet data set"
    PLAIN = "plain lines"


class RecordFile(NamedTuple):
    """A file that has been read: at least one record, in the order of the file."""

    path: str
    format: Format
    records: tuple[Record, ...]


def read_records(path: Path | str) -> RecordFile:
    """Read a file of predictions or references.

    Raises:
        DataError: the file cannot be read, is empty, too large or damaged, or has no format of the package's
            table; or, for Parquet, pyarrow is not installed.
    """
    path = str(path)
    data = _read_bytes(path)
    if data is None:
        form, records = Format.PARQUET, _read_parquet(path)
    elif data.startswith(_ZIP):
        form, records = Format.ZIP, _read_zip(data, path)
    else:
        form, records = _read_text(_decode(data, path), path)
    found = tuple(records)
    if not found:
        raise DataError(f"{path} holds no expressions; {_FORMATS}")
    return RecordFile(path, form, found)


def _read_bytes(path: str) -> bytes | None:
    """Return the whole file, or None if it is Parquet, which is read by its path."""
    try:
        with open(path, "rb") as file:
            data = file.read(len(_PARQUET))
            if data == _PARQUET:
                return None
            data += file.read(_LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > _LARGEST_FILE_BYTES:
        raise DataError(f"{path} is too large: at most {_LARGEST_FILE_BYTES >> 20} MiB are read")
    return data


def _decode(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}, line {line} is not UTF-8 text; {_FORMATS}") from None


def _read_text(text: str, path: str) -> tuple[Format, Iterator[Record]]:
    if _JSON_LIST.match(text):
        return Format.JSON_LIST, _read_list(text, path)
    if _JSON_OBJECT.match(text):
        if _is_table(text):
            return Format.JSON_TABLE, _read_table(text, path)
        return Format.JSON_LINES, _read_json_lines(text, path)
    if "\t" in text:
        return Format.TSV, _read_tsv(text, path)
    return Format.PLAIN, _read_plain(text)


def _is_table(text: str) -> bool:
    """Whether text that begins with a JSON object is one object of objects, not an object a line."""
    if _LATER_OBJECT.search(text):
        return False
    try:
        first = json.loads(text.strip().partition("\n")[0])
    except (ValueError, RecursionError):
        return True  # the object goes on over several lines, or is damaged
    return all(isinstance(value, dict) for value in first.values())


def _read_list(text: str, path: str) -> Iterator[Record]:
    for number, fields in enumerate(_load(text, path), start=1):
        yield _read_fields(fields, path, f"item {number}")


def _read_table(text: str, path: str) -> Iterator[Record]:
    for name, fields in _load(text, path).items():
        yield _read_fields(fields, path, f"the entry {encodable(name)!r}", name)


def _read_json_lines(text: str, path: str) -> Iterator[Record]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _read_fields(_load(line, path, number), path, f"line {number}")


def _read_fields(fields: object, path: str, where: str, name: str | None = None) -> Record:
    if not isinstance(fields, dict):
        raise DataError(f"{path}, {where} is no JSON object; each expression must be one, in braces")
    return read_object(fields, path, where, name)


def _load(text: str, path: str, line: int = 1) -> Any:
    """Parse JSON that begins on a line of the file."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        place = f"{path}, line {line + error.lineno - 1}, column {error.colno}"
        raise DataError(f"{place}: damaged JSON: {error.msg}; {_FORMATS}") from None
    except RecursionError:
        raise DataError(f"{path}, line {line}: the JSON is nested too deep; {_FORMATS}") from None
    except ValueError as error:
        raise DataError(f"{path}, line {line}: the JSON cannot be read: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"an object has the key {double!r} twice; every key must occur once")
    return result


def _read_tsv(text: str, path: str) -> Iterator[Record]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        name, tab, latex = line.partition("\t")
        key = item_id(name)
        if not tab or not key:
            raise DataError(
                f"{path}, line {number} is not NAME<TAB>LATEX as other lines are; "
                "either every line has a tab after a name, or no line has one"
            )
        yield Record(key, f"line {number}", text=latex)


def _read_plain(text: str) -> Iterator[Record]:
    """Yield every line, empty ones too, as their places count; those at the end are no expressions."""
    stripped = text.rstrip()
    if stripped:
        for number, line in enumerate(stripped.split("\n"), start=1):
            yield Record(str(number), f"line {number}", text=line)


def _read_zip(data: bytes, path: str) -> Iterator[Record]:
    left = _LARGEST_FILE_BYTES
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = [member for member in archive.infolist() if not _is_passed_over(member)]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise DataError(f"{path} is a damaged zip archive: {error}") from None
    for member in members:
        name = encodable(member.filename)
        if not name.endswith(".txt"):
            raise DataError(f"{path}, {name!r} is no .txt file; a zip of predictions holds no other members")
        content = _read_member(archive, member, path)
        left -= len(content)
        if left < 0:
            raise DataError(f"{path} is too large: at most {_LARGEST_FILE_BYTES >> 20} MiB are unpacked")
        yield _read_keyed(content, path, name)


def _is_passed_over(member: zipfile.ZipInfo) -> bool:
    """Whether it is a folder, or what macOS or a file manager left there."""
    parts = PurePosixPath(member.filename).parts
    return member.is_dir() or any(part == "__MACOSX" or part.startswith(".") for part in parts)


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> bytes:
    """Read a member; the bound holds whatever size the archive claims."""
    place = f"{path}, {encodable(member.filename)!r}"
    try:
        with archive.open(member) as file:
            data = file.read(_LARGEST_MEMBER_BYTES + 1)
    except (OSError, EOFError, zlib.error, LZMAError, zipfile.BadZipFile, RuntimeError, ValueError) as error:
        raise DataError(f"{place} is damaged or encrypted: {error}") from None
    if len(data) > _LARGEST_MEMBER_BYTES:
        raise DataError(f"{place} is too large: one expression may have {_LARGEST_MEMBER_BYTES >> 10} KiB")
    return data


def _read_keyed(content: bytes, path: str, name: str) -> Record:
    """Read ``%KEY`` and ``$LATEX$``; the key counts, since the names of such members may be cut short."""
    try:
        lines = content.decode("utf-8-sig").strip().splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path}, {name!r} is not UTF-8 text") from None
    key, latex = (lines[0].strip(), lines[1].strip()) if len(lines) == 2 else ("", "")
    identifier = item_id(key[1:])
    if not (key.startswith("%") and identifier and len(latex) > 1 and latex[0] == latex[-1] == "$"):
        raise DataError(f"{path}, {name!r} must have two lines, %KEY and $LATEX$")
    return Record(identifier, repr(name), text=latex[1:-1])


def _read_parquet(path: str) -> Iterator[Record]:
    from inktex.data.dataset import read_dataset  # pyarrow is an extra

    for row, sample in enumerate(read_dataset(path)):
        key = item_id(sample.id)
        if not key:
            raise DataError(f"{path}, row {row}: the id {sample.id!r} is empty; it must name the expression")
        source = sample.writer or sample.source or None
        yield Record(key, f"row {row}", reference=" ".join(sample.tokens), source=source)
