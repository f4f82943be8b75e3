"""``model.json``: the metadata of a bundle, and a checksum of each of its other files.

Format 5 is written. Format 4 is read too: there, ``search`` held the size of a second look and the
probability below which there is one; what else decides on it, and what is worth rescoring, stood in the code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, TypeVar, cast

from inktex.decoding.options import SearchOptions
from inktex.errors import BundleError
from inktex.recognition.metadata import Calibration, Metadata, SecondLook

FORMAT = 5
_T = TypeVar("_T")
_KINDS: dict[str, Any] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "dict[str, Any]": (dict,),
}
_PARTS: dict[str, type] = {"search": SearchOptions, "second_look": SecondLook, "calibration": Calibration}
_MAY_BE_NULL = ("second_look", "calibration")


class Description(NamedTuple):
    """What stands in ``model.json``.

    Attributes:
        metadata: of the model.
        checksums: SHA-256 of each other file, as hexadecimal digits.
    """

    metadata: Metadata
    checksums: dict[str, Any]


def write_description(metadata: Metadata, checksums: Mapping[str, str]) -> bytes:
    """Return the bytes of ``model.json``."""
    description = {"format": FORMAT, **asdict(metadata), "sha256": dict(checksums)}
    return (json.dumps(description, indent=2, ensure_ascii=False) + "\n").encode()


def read_description(data: bytes, source: str) -> Description:
    """Read ``model.json`` of this format or the one before.

    Args:
        data: its bytes.
        source: what errors call it.

    Raises:
        BundleError: it is of another format, a key is missing or unknown, or a value is not allowed.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{source} is not JSON: {error}") from None
    found = value.get("format") if isinstance(value, dict) else None
    if found not in (4, FORMAT):
        raise BundleError(
            f"{source} has format {found!r}; this version of Inktex reads formats 4 and {FORMAT}"
        )
    del value["format"]
    checksums = value.pop("sha256", None)
    if not isinstance(checksums, dict):
        raise BundleError(f"{source}: the key sha256 must hold the checksums of the other files")
    if found == 4:
        value = _of_format_4(value, source)
    for name, kind in _PARTS.items():
        if name in value and not (value[name] is None and name in _MAY_BE_NULL):
            value[name] = _built(kind, value[name], source, f"{name}.")
    return Description(_built(Metadata, value, source), checksums)


@dataclass(frozen=True)
class _SearchOf4:
    """``search`` in format 4."""

    width: int
    length_penalty: float
    max_length: int
    both_ways: bool
    grammar: bool
    prune: float
    second_scale: float
    second_below: float


def _of_format_4(value: dict[str, Any], source: str) -> dict[str, Any]:
    """Return a description of format 4 as one of format 5."""
    search = _built(_SearchOf4, value.get("search"), source, "search.")
    plain = asdict(search)
    scale, below = plain.pop("second_scale"), plain.pop("second_below")
    look = {
        "scale": scale,
        "width": 1,
        "below": below,
        "at_least": 0.001,
        "max_tokens": 17,
        "max_symbols": 40.0,
    }
    return {
        **value,
        "search": {**plain, "rescore_above": 0.007 if search.prune else 0.0},
        "second_look": None if below == 0 else look,
        "both_ways": _was_trained_both_ways(value, search.both_ways),
    }


def _was_trained_both_ways(value: dict[str, Any], otherwise: bool) -> bool:
    """Return what the configuration of the training tells, if format 4 has one."""
    for key in ("training", "config", "batch", "both_ways"):
        if not isinstance(value, dict) or key not in value:
            return otherwise
        value = value[key]
    return bool(value)


def _built(kind: type[_T], value: Any, source: str, prefix: str = "") -> _T:
    """Make a dataclass of an object's keys, each of which has to be there and of its kind."""
    if not isinstance(value, dict):
        raise BundleError(f"{source}: {prefix.rstrip('.')} must be an object, not {value!r}")
    kinds = {each.name: str(each.type) for each in fields(cast(Any, kind))}
    for key in sorted(kinds.keys() ^ value.keys()):
        raise BundleError(f"{source}: the key {prefix}{key} is {'missing' if key in kinds else 'unknown'}")
    values = {key: _of_kind(value[key], name, f"{source}: {prefix}{key}") for key, name in kinds.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise BundleError(f"{source}: {prefix}{error}") from None


def _of_kind(value: Any, name: str, where: str) -> Any:
    """Return a value that has the kind its field is annotated with, or whose field holds a part."""
    allowed = _KINDS.get(name)
    if allowed is None:
        return value
    if not isinstance(value, allowed) or (isinstance(value, bool) and name != "bool"):
        raise BundleError(f"{where} must be {name.partition('[')[0]}, not {value!r}")
    try:
        return float(value) if name == "float" else value
    except OverflowError:
        raise BundleError(f"{where} must be float, and is too large") from None
