r"""Collections of single symbols: UNIPEN's and Detexify's as JSON lines, Omniglot's as a zip of strokes.

Every drawing comes as it is in its source: the label as LaTeX, who wrote it, and the strokes with y downwards
in the source's own unit. What size it has on paper is decided in :mod:`inktex.data.synthesis.symbols`.

* UNIPEN (Guyon et al., ICPR 1994), a line a character: ``l`` label, ``w`` writer, ``s`` strokes
  ``[x0, y0, x1, y1, ...]``.
* Detexify (Daniel Kirsch), a line a drawing: ``id``, ``command`` and ``strokes`` in the same form.
* Omniglot (Lake et al., Science 2015): ``PART/ALPHABET/characterNN/CHARACTER_WRITER.txt`` of lines ``x,y,t``
  between ``START`` and ``BREAK``, y upwards; of its alphabets Latin and Greek, small letters in their order.
"""

from __future__ import annotations

import json
import lzma
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.errors import DataError
from inktex.latex.tree import commands

FloatArray = npt.NDArray[np.float32]

_XZ = b"\xfd7zXZ\x00"
_ALPHABETS: dict[str, tuple[str, ...]] = {
    "Latin": tuple("abcdefghijklmnopqrstuvwxyz"),
    "Greek": (
        *commands("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi"),
        "o",
        *commands("pi rho sigma tau upsilon phi chi psi omega"),
    ),
}
# UNIPEN's characters that mean something else in LaTeX. A caret is an accent there, and so is a tilde.
_CHARACTERS: dict[str, str] = {
    **{sign: "\\" + sign for sign in "{}%$&#_"},
    "\\": r"\setminus",
    "^": r"\hat",
    "~": r"\tilde",
    "'": r"\prime",
}
_NO_SYMBOLS = frozenset('"`')
_LONGEST_LINE = 1_000_000


class Drawing(NamedTuple):
    """One drawn symbol.

    Attributes:
        id: its name within the source.
        source: ``unipen``, ``detexify`` or ``omniglot``.
        writer: who drew it, or "" where that is not known.
        label: LaTeX.
        strokes: arrays [points, 2], y downwards, in the source's unit.
    """

    id: str
    source: str
    writer: str
    label: str
    strokes: tuple[FloatArray, ...]


def read_drawings(path: Path, rejected: Counter[str]) -> Iterator[Drawing]:
    """Yield the drawings of a collection, whose layout is found by its content.

    Args:
        path: JSON lines (plain or ``.xz``), or a zip archive.
        rejected: counts what is passed over, by reason.

    Raises:
        DataError: the file cannot be read, or is none of these collections.
    """
    try:
        if zipfile.is_zipfile(path):
            yield from _omniglot(path, rejected)
        else:
            yield from _json_lines(path, rejected)
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a collection of symbols: {error}") from None


def _json_lines(path: Path, rejected: Counter[str]) -> Iterator[Drawing]:
    with path.open("rb") as file:
        packed = file.read(len(_XZ)) == _XZ
    known = False
    with lzma.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as lines:
        number = 0
        while line := lines.readline(_LONGEST_LINE):
            number += 1
            try:
                drawing = _read_line(json.loads(line), number)
            except (ValueError, TypeError, KeyError, IndexError, RecursionError):
                rejected["damaged line"] += 1
                if not known and number > 20:
                    raise DataError(
                        f"{path} is no collection of symbols: no line of the first 20 is one"
                    ) from None
                continue
            known = True
            if drawing is None:
                rejected["no symbol of mathematics"] += 1
            else:
                yield drawing
    if not known:
        raise DataError(f"{path} is no collection of symbols: it has no line of UNIPEN's or Detexify's form")


def _read_line(record: Any, number: int) -> Drawing | None:
    if "command" in record:
        strokes = _pairs(record["strokes"])
        return _checked(Drawing(str(record["id"]), "detexify", "", str(record["command"]), strokes))
    label, writer = str(record["l"]), str(record["w"])
    if len(label) != 1 or label in _NO_SYMBOLS:
        return None
    label = _CHARACTERS.get(label, label)
    return _checked(Drawing(f"{writer}:{number}", "unipen", writer, label, _pairs(record["s"])))


def _pairs(strokes: Any) -> tuple[FloatArray, ...]:
    """Return strokes given as lists of x and y by turns."""
    return tuple(np.array(stroke, dtype=np.float32).reshape(-1, 2) for stroke in strokes if len(stroke))


def _omniglot(path: Path, rejected: Counter[str]) -> Iterator[Drawing]:
    known = False
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            parts = PurePosixPath(name).parts
            if not name.endswith(".txt") or len(parts) < 3 or parts[-3] not in _ALPHABETS:
                continue
            try:
                letter = _ALPHABETS[parts[-3]][int(parts[-2].removeprefix("character")) - 1]
                writer = PurePosixPath(name).stem.rpartition("_")[2]
                strokes = _omniglot_strokes(archive.read(name)[:_LONGEST_LINE].decode())
                drawing = _checked(Drawing(name.removesuffix(".txt"), "omniglot", writer, letter, strokes))
            except (ValueError, IndexError):
                rejected["damaged file"] += 1
                continue
            known = True
            yield drawing
    if not known:
        raise DataError(
            f"{path} is no collection of symbols: it has none of Omniglot's Latin and Greek letters"
        )


def _omniglot_strokes(text: str) -> tuple[FloatArray, ...]:
    strokes: list[list[tuple[float, float]]] = [[]]
    for line in text.splitlines():
        if line == "BREAK":
            strokes.append([])
        elif line and line != "START":
            x, y = line.split(",")[:2]
            strokes[-1].append((float(x), -float(y)))
    return tuple(np.array(stroke, dtype=np.float32) for stroke in strokes if stroke)


def _checked(drawing: Drawing) -> Drawing:
    """Return the drawing.

    Raises:
        ValueError: it has no strokes, or a coordinate that is no number.
    """
    if not drawing.strokes or not all(np.isfinite(stroke).all() for stroke in drawing.strokes):
        raise ValueError("a drawing without strokes")
    return drawing
