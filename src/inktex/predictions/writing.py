r"""Predictions as files, of the formats that :mod:`inktex.predictions.reading` reads.

==========  ==================================================================  ========================
suffix      one expression                                                      as is written by
==========  ==================================================================  ========================
``.jsonl``  an object a line: id, prediction, reference, confidence, source,    Inktex
            problem
``.json``   the same objects in a list                                          Inktex
``.txt``    a line of tokens, in the order of the data; no prediction: empty    image-to-latex
``.zip``    a member ``ID.txt``: ``%ID``, then ``$TOKENS$``; no prediction:     CoMER, BTTR
            no member
==========  ==================================================================  ========================
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inktex.errors import ConfigError, DataError
from inktex.metrics.item import Item
from inktex.predictions.records import item_id

_BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)  # of zip archives


def item_values(item: Item) -> dict[str, Any]:
    """Return an item as an object for JSON, as ``inktex score`` reads it."""
    values: dict[str, Any] = {"id": item.id}
    if item.prediction is not None:
        values["prediction"] = " ".join(item.prediction)
    values["reference"] = " ".join(item.reference)
    for name in ("confidence", "source", "problem"):
        if getattr(item, name) is not None:
            values[name] = getattr(item, name)
    return values


def check_predictions(path: str, ids: Iterable[str]) -> None:
    """Refuse a file that predictions of the expressions of these ids cannot be written to.

    Raises:
        ConfigError: its suffix names no format; a file without a suffix gets JSON lines.
        DataError: an archive was asked for, and two expressions have one name.
    """
    suffix = Path(path).suffix.lower()
    if suffix and suffix not in _WRITERS:
        raise ConfigError(
            f"{path}: predictions are not written as {suffix}; allowed are {', '.join(_WRITERS)}"
        )
    if suffix == ".zip":
        _check_names(path, ids)


def check_bad_cases(path: str, ids: Iterable[str]) -> None:
    """Refuse to write wrong predictions by name if two expressions have one.

    Raises:
        DataError: two have.
    """
    _check_names(path, ids)


def predictions_file(path: str, items: Sequence[Item]) -> bytes:
    """Return what a file of predictions holds, in the format of its suffix."""
    return _WRITERS[Path(path).suffix.lower() or ".jsonl"](items)


def bad_cases_file(items: Iterable[Item]) -> bytes:
    """Return the wrong predictions as CAN writes them: ``{NAME: {label, predi}}``.

    Where there is no prediction, ``predi`` is null.
    """
    wrong = {
        item_id(item.id): {
            "label": " ".join(item.reference),
            "predi": None if item.prediction is None else " ".join(item.prediction),
        }
        for item in items
        if item.prediction != item.reference
    }
    return _json(wrong)


def _check_names(path: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in map(item_id, ids):
        if name in seen:
            raise DataError(f"{path} cannot hold two expressions of one name, and there are two of {name!r}")
        seen.add(name)


def _json(values: object) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def _json_lines(items: Sequence[Item]) -> bytes:
    return "".join(json.dumps(item_values(item), ensure_ascii=False) + "\n" for item in items).encode()


def _json_list(items: Sequence[Item]) -> bytes:
    return _json([item_values(item) for item in items])


def _lines(items: Sequence[Item]) -> bytes:
    return "".join(" ".join(item.prediction or ()) + "\n" for item in items).encode()


def _zip(items: Sequence[Item]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for item in items:
            if item.prediction is None:
                continue
            name = item_id(item.id)
            member = zipfile.ZipInfo(f"{name}.txt", _BEGINNING_OF_TIME)  # the same bytes whenever written
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, f"%{name}\n${' '.join(item.prediction)}$\n")
    return data.getvalue()


_WRITERS: Mapping[str, Callable[[Sequence[Item]], bytes]] = MappingProxyType(
    {".jsonl": _json_lines, ".json": _json_list, ".txt": _lines, ".zip": _zip}
)
