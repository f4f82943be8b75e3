"""Sources written by hand for tests of ``inktex import``, and what importing them gives."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from inktex import cli
from inktex.data.dataset import Sample, read_dataset
from laid_out import cross, decoded, encoded

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def run(*arguments: str | Path) -> int:
    """Run a command line in this process."""
    return cli.main([str(argument) for argument in arguments])


def imported(source: Path, *options: str) -> tuple[list[Sample], dict[str, str]]:
    """Import a source; return its samples, and the reasons of what was passed over by name."""
    out, told = source.parent / "out.parquet", source.parent / "out.json"
    assert run("import", source, out, "--json", told, *options) == 0
    return read_dataset(out), {
        each["name"]: each["reason"] for each in json.loads(told.read_text())["rejected"]
    }


def seen(samples: list[Sample]) -> list[tuple[str, str, str, int]]:
    """Split, id, label and picture's seed of samples."""
    return [
        (each.split, each.id, " ".join(each.tokens), decoded(each.image).shape[1] - 60) for each in samples
    ]


def png(seed: int) -> bytes:
    return encoded(cross(seed))


def url(seed: int) -> str:
    return "data:image/png;base64," + base64.b64encode(png(seed)).decode()


def tar(files: Mapping[str, bytes], path: Path, mode: str = "w:gz") -> Path:
    """Write files to a tar archive, in their order."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def parquet(columns: Mapping[str, pa.Array], **options: int) -> bytes:
    """A Parquet file of columns."""
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), sink, **options)
    return sink.getvalue()


def shard(*rows: tuple[bytes | None, str | None, str | None], label: str = "text") -> bytes:
    """A shard as Hugging Face writes it: (bytes, path, label) a row."""
    pictures = pa.array([{"bytes": data, "path": path} for data, path, _ in rows], PICTURE)
    return parquet(
        {"image": pictures, label: pa.array([text for *_, text in rows], pa.string())}, row_group_size=2
    )
