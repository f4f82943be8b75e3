"""The rows of Parquet files, read forwards and a few at a time, so that large files take little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from inktex.data.formats.columns import Columns
from inktex.data.formats.files import DAMAGED, LARGEST_FILE_BYTES, Files
from inktex.data.formats.picture_index import PictureIndex
from inktex.data.formats.pictures import without_suffix
from inktex.data.formats.records import Entry, Rejected
from inktex.data.formats.rows import is_data_url, picture_from_url
from inktex.data.formats.split_names import folder_split
from inktex.errors import DataError

_BATCH_ROWS = 16
_PLAIN_FOLDERS = frozenset(("", "data", "default"))  # of repositories with one set


class Shard(NamedTuple):
    """A Parquet file.

    Attributes:
        name: the file.
        sizes: how many rows each of its row groups has.
        columns: which of its columns hold what.
    """

    name: str
    sizes: tuple[int, ...]
    columns: Columns


class Rows:
    """The rows of a split, read forwards; going back begins anew."""

    def __init__(self, files: Files, shards: Sequence[Shard], pictures: PictureIndex) -> None:
        self._files, self._shards, self._pictures = files, shards, pictures
        self._walk: Iterator[Entry | Rejected] = iter(())
        self._next = -1

    def read(self, number: int) -> Entry | Rejected:
        """Return a row by its number, counted from 0 through all shards."""
        if self._next < 0 or number < self._next:
            self._walk, self._next = self._entries(), 0
        row = next(islice(self._walk, number - self._next, None))
        self._next = number + 1
        return row

    def _entries(self) -> Iterator[Entry | Rejected]:
        ids: set[str] = set()
        for shard in self._shards:
            group = PurePosixPath(shard.name).parent.name
            group = "" if group in _PLAIN_FOLDERS or folder_split(f"{group}/x") else group
            for row in _rows_of(self._files, shard):
                yield row if isinstance(row, Rejected) else self._entry(shard, row, group, ids)

    def _entry(self, shard: Shard, row: _Cells, group: str, ids: set[str]) -> Entry | Rejected:
        where = f"{shard.name}, row {row.number}"
        stem = f"{PurePosixPath(shard.name).stem}-{row.number}"
        try:
            data, path = _picture(row.picture)
            if row.label is None:
                raise DataError("its label is empty")
            if data is None:
                if not path:
                    raise DataError("it has no picture")
                found = self._pictures.find(path, shard.name)
                load, where_picture = partial(self._files.read, found), found
            else:
                load, where_picture = partial(_given, data), where
        except DataError as error:
            return Rejected(where, str(error))
        name = row.id or without_suffix(PurePosixPath(path.replace("\\", "/")).name) or stem
        name = name if name not in ids else stem
        ids.add(name)
        return Entry(name, row.label, where, where_picture, load, group)


class _Cells(NamedTuple):
    """What a row holds.

    Attributes:
        number: counted from 0 within the shard, as Hugging Face's viewer does.
        picture: as the column has it.
        label: text, or None.
        id: the name of the expression, or "".
    """

    number: int
    picture: Any
    label: str | None
    id: str


def _given(data: bytes) -> bytes:
    return data


def _picture(value: Any) -> tuple[bytes | None, str]:
    """Return the bytes of a picture, or None, and what it is called, or "".

    Raises:
        DataError: neither bytes nor a name, or too many bytes.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    path = ""
    if isinstance(value, dict):
        path = value.get("path") or ""
        value = value.get("bytes")
    if isinstance(value, str):
        value, path = (picture_from_url(value), "") if is_data_url(value) else (None, value)
    if value is not None and not isinstance(value, bytes):
        raise DataError("its picture is neither bytes nor the name of a file")
    if value is not None and len(value) > LARGEST_FILE_BYTES:
        raise DataError(f"its picture is larger than {LARGEST_FILE_BYTES >> 20} MiB")
    return value or None, path if isinstance(path, str) else ""


def _rows_of(files: Files, shard: Shard) -> Iterator[_Cells | Rejected]:
    """Yield as many rows as a shard claims to have; those that cannot be read with the reason."""
    from pyarrow.parquet import ParquetFile

    done = 0
    try:
        with files.open(shard.name) as stream:
            file = ParquetFile(stream)
            for group, size in enumerate(shard.sizes):
                yield from _rows_of_group(file, group, shard, done)
                done += size
    except unreadable() as error:
        for number in range(done, sum(shard.sizes)):
            yield Rejected(f"{shard.name}, row {number}", f"it cannot be read as Parquet: {sentence(error)}")


def _rows_of_group(file: Any, group: int, shard: Shard, first: int) -> Iterator[_Cells | Rejected]:
    """Yield the rows of a row group, the first of which has the number ``first``."""
    picture, label, own_id, _ = shard.columns
    wanted = [column for column in (picture, label, own_id) if column is not None]
    batches = file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=wanted, use_threads=False)
    number, end = first, first + shard.sizes[group]
    problem = "the file ends before it"
    try:
        for batch in batches:
            columns = [batch.column(column) for column in wanted]
            for row in range(min(batch.num_rows, end - number)):
                cells = [_cell(column, row) for column in columns]
                name = str(cells[2]) if own_id is not None and isinstance(cells[2], str | int) else ""
                yield _Cells(number, cells[0], cells[1], name)
                number += 1
    except unreadable() as error:
        problem = f"it cannot be read as Parquet: {sentence(error)}"
    yield from (Rejected(f"{shard.name}, row {lost}", problem) for lost in range(number, end))


def _cell(column: Any, row: int) -> Any:
    """Return a value; None for text that is not UTF-8."""
    try:
        return column[row].as_py()
    except UnicodeDecodeError:
        return None


def unreadable() -> tuple[type[Exception], ...]:
    """Return what pyarrow raises at damaged files."""
    import pyarrow as pa

    return (*DAMAGED, pa.ArrowException, OSError, LookupError)


def sentence(error: Exception) -> str:
    """Return the first line of an error, shortened."""
    return " ".join(str(error).partition("\n")[0].split())[:200]
