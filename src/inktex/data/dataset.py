"""Data sets as Parquet: one row an expression, written and read in bulk through Arrow's flat buffers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inktex.errors import DataError
from inktex.files import whole_file
from inktex.ink.strokes import Ink, Symbol

_ROW_GROUP = 512
_TEXT_COLUMNS = ("id", "split", "source", "writer", "mathml")


@dataclass(frozen=True, eq=False)
class Sample:
    """One handwritten expression and its label.

    Attributes:
        id: name of the expression, unique within a split.
        split: "train", "2013", ...
        source: where within the collection it comes from, or "".
        tokens: the label in the dialect of :mod:`inktex.latex.tree`.
        image: an encoded picture (PNG), or None.
        ink: the strokes, or None.
        writer: who wrote it, or "".
        mathml: the ``<math>`` element as XML, or None.
    """

    id: str
    split: str
    source: str
    tokens: tuple[str, ...]
    image: bytes | None
    ink: Ink | None
    writer: str = ""
    mathml: str | None = None

    @property
    def given(self) -> bytes | Ink:
        """What is to be read: the picture, or the ink where there is no picture."""
        given = self.ink if self.image is None else self.image
        assert given is not None
        return given


def write_dataset(samples: Iterable[Sample], path: Path | str) -> int:
    """Write samples to a Parquet file, a row group at a time, and return how many there were.

    Whatever fails, ``path`` is either complete or as it was before.

    Raises:
        DataError: no samples, or ``path`` is no regular file.
        FileError: the file cannot be written.
    """
    parquet = _import_parquet()
    path = Path(path)
    if path.exists() and not path.is_file():
        raise DataError(f"{path} cannot be written: it exists and is not a regular file")
    iterator = iter(samples)
    count = 0
    with whole_file(path) as unfinished:
        with parquet.ParquetWriter(str(unfinished), schema(), compression="zstd") as writer:
            while rows := list(islice(iterator, _ROW_GROUP)):
                writer.write_table(_to_table(rows))
                count += len(rows)
        if not count:
            raise DataError(f"There are no samples to write to {path}")
    return count


def read_dataset(path: Path | str) -> list[Sample]:
    """Read a Parquet file of samples.

    Columns that are absent read as empty; ``tokens`` and one of ``image`` and ``ink`` must be there.

    Raises:
        DataError: no such file, not Parquet, a needed column is missing, or a column holds another type.
    """
    parquet = _import_parquet()
    import pyarrow as pa

    try:
        file = parquet.ParquetFile(str(path))
        _check_columns(file.schema_arrow.names, path)
        wanted = [name for name in file.schema_arrow.names if name in schema().names]
        samples: list[Sample] = []
        for batch in file.iter_batches(batch_size=2048, columns=wanted):
            samples.extend(_to_samples(batch, len(samples), path))
    except (pa.ArrowException, UnicodeDecodeError) as error:
        problem = str(error).partition("\n")[0]
        raise DataError(f"{path} is not a Parquet file that Inktex can read: {problem}") from None
    except OSError as error:
        problem = error.strerror or str(error).partition("\n")[0]
        raise DataError(f"{path} cannot be read: {problem}") from None
    return samples


def schema() -> Any:
    """Return the Arrow schema of a data set."""
    _import_parquet()
    import pyarrow as pa

    symbol = pa.struct(
        [("label", pa.string()), ("strokes", pa.list_(pa.int32())), ("reference", pa.string())]
    )
    return pa.schema(
        [
            ("id", pa.string()),
            ("split", pa.string()),
            ("source", pa.string()),
            ("writer", pa.string()),
            ("image", pa.binary()),
            ("ink", pa.list_(pa.list_(pa.list_(pa.float32())))),
            ("symbols", pa.list_(symbol)),
            ("mathml", pa.string()),
            ("latex", pa.string()),
            ("tokens", pa.list_(pa.string())),
        ]
    )


def _import_parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise DataError(
            'Data sets need pyarrow, which is not installed: pip install "inktex[data]"'
        ) from None
    return pyarrow.parquet


def _check_columns(names: Sequence[str], path: Path | str) -> None:
    if "tokens" not in names:
        raise DataError(f"{path} has no column 'tokens'; it has: {', '.join(names)}")
    if "image" not in names and "ink" not in names:
        raise DataError(f"{path} has neither a column 'image' nor a column 'ink'; it has: {', '.join(names)}")


def _to_table(samples: Sequence[Sample]) -> Any:
    import pyarrow as pa

    columns = {
        "id": [sample.id for sample in samples],
        "split": [sample.split for sample in samples],
        "source": [sample.source for sample in samples],
        "writer": [sample.writer for sample in samples],
        "image": [sample.image for sample in samples],
        "ink": _to_ink_column([sample.ink for sample in samples]),
        "symbols": [_to_rows(sample.ink) for sample in samples],
        "mathml": [sample.mathml for sample in samples],
        "latex": [" ".join(sample.tokens) for sample in samples],
        "tokens": [sample.tokens for sample in samples],
    }
    arrays = [
        values if isinstance(values, pa.Array) else pa.array(values, schema().field(name).type)
        for name, values in columns.items()
    ]
    return pa.Table.from_arrays(arrays, schema=schema())


def _to_ink_column(inks: Sequence[Ink | None]) -> Any:
    """Return the Arrow array of strokes > points > (x, y); rows without ink are null."""
    import pyarrow as pa

    strokes = [stroke for ink in inks if ink is not None for stroke in ink.strokes]
    points = np.concatenate([np.zeros((0, 2), np.float32), *strokes])
    pairs = pa.ListArray.from_arrays(pa.array(np.arange(len(points) + 1, dtype=np.int32) * 2), points.ravel())
    by_stroke = pa.ListArray.from_arrays(_offsets([len(stroke) for stroke in strokes]), pairs)
    sizes = _offsets([0 if ink is None else len(ink.strokes) for ink in inks])
    return pa.ListArray.from_arrays(sizes, by_stroke, mask=pa.array([ink is None for ink in inks]))


def _offsets(lengths: Sequence[int]) -> Any:
    import pyarrow as pa

    return pa.array(np.cumsum([0, *lengths]), pa.int32())


def _to_rows(ink: Ink | None) -> list[dict[str, Any]] | None:
    if ink is None:
        return None
    return [
        {"label": symbol.label, "strokes": symbol.strokes, "reference": symbol.reference}
        for symbol in ink.symbols
    ]


def _to_samples(batch: Any, first: int, path: Path | str) -> Iterator[Sample]:
    """Yield the samples of a record batch whose first row is row ``first`` of the file."""
    columns = {name: batch.column(name).cast(schema().field(name).type) for name in batch.schema.names}
    count = batch.num_rows
    text = {name: columns[name].to_pylist() if name in columns else [None] * count for name in _TEXT_COLUMNS}
    images = columns["image"].to_pylist() if "image" in columns else [None] * count
    inks = _read_inks(columns["ink"], columns.get("symbols"), path) if "ink" in columns else [None] * count
    tokens = _read_tokens(columns["tokens"], path)
    for row in range(count):
        if images[row] is None and inks[row] is None:
            raise DataError(f"Row {first + row} of {path} has neither a picture nor ink")
        name = text["id"][row]
        yield Sample(
            id=str(first + row) if name is None else name,
            split=text["split"][row] or "",
            source=text["source"][row] or "",
            tokens=tokens[row],
            image=images[row],
            ink=inks[row],
            writer=text["writer"][row] or "",
            mathml=text["mathml"][row],
        )


def _read_tokens(column: Any, path: Path | str) -> list[tuple[str, ...]]:
    if column.null_count or column.values.null_count:
        raise DataError(f"{path} has a row without tokens")
    encoded = column.values.dictionary_encode()  # one string object a token type, however many rows
    types = encoded.dictionary.to_pylist()
    flat = [types[index] for index in encoded.indices.to_pylist()]
    return [tuple(flat[start:end]) for start, end in pairwise(column.offsets.to_pylist())]


def _read_inks(column: Any, symbols: Any, path: Path | str) -> list[Ink | None]:
    """Build the inks of a batch; their strokes are views of one array of points."""
    pairs = column.values.values
    nulls = column.values.null_count or pairs.null_count or pairs.values.null_count
    bounds = np.asarray(pairs.offsets)
    by_stroke = np.asarray(column.values.offsets)
    if nulls or (np.diff(bounds) != 2).any() or (np.diff(by_stroke) < 1).any():
        raise DataError(f"{path} has ink that is not made of strokes of at least one point (x, y)")
    points: npt.NDArray[np.float32] = np.asarray(pairs.values)[bounds[0] : bounds[-1]].reshape(-1, 2)
    if not np.isfinite(points).all():
        raise DataError(f"{path} has ink with a coordinate that is not a finite number")
    strokes = [points[start:end] for start, end in pairwise(by_stroke.tolist())]
    by_row = list(pairwise(column.offsets.to_pylist()))
    groups = _read_symbols(symbols, [end - start for start, end in by_row], path)
    valid = column.is_valid().to_pylist()
    return [
        Ink(tuple(strokes[start:end]), group) if there and end > start else None
        for there, (start, end), group in zip(valid, by_row, groups, strict=True)
    ]


def _read_symbols(column: Any, stroke_counts: Sequence[int], path: Path | str) -> list[tuple[Symbol, ...]]:
    """Build the symbols of each row; rows without any have an empty tuple."""
    if column is None:
        return [()] * len(stroke_counts)
    flat = column.values
    labels, references = flat.field("label").to_pylist(), flat.field("reference").to_pylist()
    members = flat.field("strokes").to_pylist()
    result: list[tuple[Symbol, ...]] = []
    for (start, end), strokes in zip(pairwise(column.offsets.to_pylist()), stroke_counts, strict=True):
        rows = range(start, end)
        if any(labels[row] is None or members[row] is None or None in members[row] for row in rows):
            raise DataError(f"{path} has a symbol without a label or strokes")
        if any(not 0 <= stroke < strokes for row in rows for stroke in members[row]):
            raise DataError(f"{path} has a symbol with a stroke that its ink does not have")
        result.append(tuple(Symbol(labels[row], tuple(members[row]), references[row]) for row in rows))
    return result
