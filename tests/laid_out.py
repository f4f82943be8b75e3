"""Pictures and files for tests of data sets: drawn, laid out in folders and archives, read back."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np

from inktex.data.dataset import Sample
from inktex.data.formats.records import Rejected


def cross(seed: int = 0, light_ink: bool = True) -> np.ndarray:
    """A picture [h, w] of a cross whose size tells the seed."""
    canvas = np.zeros((40, 60 + seed), np.uint8)
    cv2.line(canvas, (10, 10), (30, 30), 255, 3)
    cv2.line(canvas, (30, 10), (10, 30), 255, 3)
    return canvas if light_ink else 255 - canvas


def encoded(picture: np.ndarray, suffix: str = ".png") -> bytes:
    """A picture as a file."""
    return bytes(cv2.imencode(suffix, picture)[1])


def decoded(data: bytes | None) -> np.ndarray:
    """The grey levels of a picture file."""
    assert data is not None
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)


def lay_out(files: Mapping[str, bytes], path: Path) -> Path:
    """Write files to a folder, or to an archive if the path ends in .zip."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file, data in files.items():
                archive.writestr(file, data)
        return path
    for file, data in files.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_bytes(data)
    return path


def accepted(items: Iterable[Sample | Rejected]) -> list[Sample]:
    """The samples of a source."""
    return [item for item in items if isinstance(item, Sample)]


def rejected(items: Iterable[Sample | Rejected]) -> dict[str, str]:
    """The reasons of what was passed over, by name."""
    return {item.name: item.reason for item in items if isinstance(item, Rejected)}


def told(items: Iterable[Sample | Rejected]) -> list[tuple[str, str, str, int]]:
    """Split, id, label and picture's seed of the samples of a source."""
    return [
        (sample.split, sample.id, " ".join(sample.tokens), decoded(sample.image).shape[1] - 60)
        for sample in accepted(items)
    ]
