"""Parquet files of pictures with labels, as Hugging Face keeps them: ``train-00000-of-00002.parquet``.

A picture is a struct of ``bytes`` and ``path``, plain bytes, or the name of a file; a label is text.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from inktex.data.formats.columns import Columns, find_columns, lacking
from inktex.data.formats.files import Files
from inktex.data.formats.parquet_rows import Rows, Shard, sentence, unreadable
from inktex.data.formats.picture_index import PictureIndex
from inktex.data.formats.records import MOST_ROWS, Found, Part, Rejected
from inktex.data.formats.split_names import file_split
from inktex.data.formats.tokenizers import well_formed
from inktex.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_LARGEST_ROW_GROUP_BYTES = 8 * 2**30


def find_parquet(files: Files) -> Found:
    """Find Parquet files with columns that are known; their labels are raw LaTeX."""
    shards: dict[str, list[Shard]] = {}
    faults: list[Rejected] = []
    for name in files.named(".parquet"):
        try:
            shard = _shard(files, name)
        except DataError as error:
            faults.append(Rejected(name, str(error)))
        else:
            shards.setdefault(file_split(name), []).append(shard)
    pictures = PictureIndex(files)
    parts = []
    for split, found in shards.items():
        rows = Rows(files, found, pictures)
        entries = tuple(
            partial(rows.read, number) for number in range(sum(sum(shard.sizes) for shard in found))
        )
        parts.append(Part(split, entries, well_formed))
    return Found(tuple(parts), faults=tuple(faults))


def _shard(files: Files, name: str) -> Shard:
    """Look into a Parquet file.

    Raises:
        DataError: it is no sound Parquet file, has no columns that are known, or too many rows.
    """
    from pyarrow.parquet import ParquetFile

    try:
        with files.open(name) as stream:
            file = ParquetFile(stream)
            schema, metadata = file.schema_arrow, file.metadata
            groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
            sizes = tuple(group.num_rows for group in groups)
    except unreadable() as error:
        raise DataError(f"it cannot be read as Parquet: {sentence(error)}") from None
    columns = _columns(schema)
    if sum(sizes) > MOST_ROWS or any(size < 0 for size in sizes):
        raise DataError(f"it has more than {MOST_ROWS:,} rows")
    if any(group.total_byte_size > _LARGEST_ROW_GROUP_BYTES for group in groups):
        raise DataError(f"it has a row group of more than {_LARGEST_ROW_GROUP_BYTES >> 30} GiB")
    return Shard(name, sizes, columns)


def _columns(schema: pa.Schema) -> Columns:
    names = schema.names
    if "tokens" in names and ("image" in names or "ink" in names):
        raise DataError("it is a data set of Inktex already, which every command reads as it is")
    text = [field.name for field in schema if _is_text(field.type)]
    pictures = [field.name for field in schema if _is_picture(field.type)]
    columns = find_columns(pictures, text, names)
    if columns is None:
        raise DataError(lacking(names))
    if any(names.count(column) > 1 for column in columns if column is not None):
        raise DataError(f"it has two columns of one name: {', '.join(names)[:200]}")
    return columns


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_picture(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_list(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        return any(kind.field(number).name == "bytes" for number in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or _is_text(kind))
