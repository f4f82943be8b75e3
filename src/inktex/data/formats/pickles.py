"""Pictures in pickles, as HMER V2.0 and CAN keep them: ``{NAME: uint8 array [1, h, w] or [h, w]}``.

A pickle is a program, and loading one runs it. Here nothing of the pickle's choosing runs: the few names by
which NumPy rebuilds an array stand for functions below, which only take down what they are given, and any
other name is refused. Pickles of Python 2 and 3, of all protocols, are read so.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from inktex.data.formats.captions import Line, caption_lines, given_lines, label_lists, split_word
from inktex.data.formats.files import Files
from inktex.data.formats.pictures import from_levels, without_suffix
from inktex.data.formats.records import Entry, Found, Part, Rejected, caption_part
from inktex.errors import DataError

_LARGEST_BYTES = 8 * 2**30
_NUMBERS = re.compile(r"[?biuf][0-9]{0,2}")  # types of arrays that hold numbers and nothing else


class StoredArray:
    """An array as a pickle describes it, not yet built."""

    def __init__(self, shape: Any = (), kind: Any = None, order: Any = "C", data: Any = b"") -> None:
        self._shape, self._kind, self._order, self._data = shape, kind, order, data
        self._axes: Any = None

    def __setstate__(self, state: Any) -> None:
        """Take down NumPy's state: version, shape, type, whether by columns, bytes."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise DataError("it holds an array in a form that NumPy does not write")
        _, self._shape, self._kind, by_columns, self._data = state
        self._order = "F" if by_columns else "C"

    def build(self) -> npt.NDArray[Any]:
        """Return the array.

        Raises:
            DataError: it does not hold numbers, or not as many as its shape says.
        """
        data = self._data.encode("latin1") if isinstance(self._data, str) else self._data  # Python 2
        if not isinstance(self._kind, _StoredType) or not isinstance(data, bytes | bytearray):
            raise DataError("its array does not hold numbers")
        try:
            flat = np.frombuffer(data, self._kind.build())
            if self._order == "K":
                return flat.reshape(self._shape).transpose(self._axes)
            return flat.reshape(self._shape, order="F" if self._order == "F" else "C")
        except (TypeError, ValueError, OverflowError):
            raise DataError("its array does not hold as many numbers as its shape says") from None

    @classmethod
    def from_buffer(cls, data: Any, kind: Any, shape: Any, order: Any, axes: Any = None) -> StoredArray:
        """Take down what pickles of protocol 5 say of an array."""
        array = cls(shape, kind, order, data)
        array._axes = axes
        return array


class _StoredType:
    """The type of an array's numbers as a pickle describes it."""

    def __init__(self, code: Any) -> None:
        self._code = code
        self._order: Any = "="

    def __setstate__(self, state: Any) -> None:
        self._order = state[1] if isinstance(state, tuple) and len(state) > 1 else None

    def build(self) -> np.dtype[Any]:
        code = self._code.decode("latin1") if isinstance(self._code, bytes) else self._code
        if (
            not isinstance(code, str)
            or not _NUMBERS.fullmatch(code)
            or self._order not in ("<", ">", "|", "=")
        ):
            raise DataError("its array does not hold numbers")
        try:
            kind: np.dtype[Any] = np.dtype(self._order + code)
        except TypeError:
            raise DataError("its array does not hold numbers") from None
        return kind


def _reconstruct(*_: Any) -> StoredArray:
    """Stand for NumPy's function of that name, which makes an empty array that gets its state afterwards."""
    return StoredArray()


def _dtype(code: Any, *_: Any) -> _StoredType:
    return _StoredType(code)


def _scalar(kind: Any, data: Any = b"") -> StoredArray:
    return StoredArray((), kind, "C", data)


def _latin1(text: Any, encoding: Any) -> bytes:
    """Stand for ``codecs.encode``, by which Python 3 writes bytes into the protocols of Python 2."""
    if not isinstance(text, str) or encoding != "latin1":
        raise DataError("it holds bytes in a form that NumPy does not write")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    return b""


def _ndarray(*_: Any) -> StoredArray:
    raise DataError("it holds an array in a form that NumPy does not write")


def _stand_in(module: str, name: str) -> Callable[..., Any] | None:
    """Return what stands for a name of NumPy or of the protocol; None for any other."""
    of_numpy = {"_reconstruct": _reconstruct, "scalar": _scalar}
    match module, name:
        case (("numpy.core.multiarray" | "numpy._core.multiarray"), ("_reconstruct" | "scalar")):
            return of_numpy[name]
        case (("numpy.core.numeric" | "numpy._core.numeric"), "_frombuffer"):
            return StoredArray.from_buffer
        case "numpy", "ndarray":
            return _ndarray
        case "numpy", "dtype":
            return _dtype
        case "_codecs", "encode":
            return _latin1
        case (("builtins" | "__builtin__"), "bytes"):
            return _no_bytes
    return None


class _Unpickler(pickle._Unpickler):
    """Reads plain values and NumPy arrays.

    It is the one written in Python: the other takes as much memory as a few bytes of a pickle tell it to.
    """

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Return what stands for a name, wrapped anew so that a pickle can change nothing for the next."""
        found = _stand_in(module, name)
        if found is None:
            asked = " ".join(f"{module}.{name}".split())
            raise DataError(f"it asks for {asked}, and only NumPy arrays may be in it")
        return partial(found)


def load_arrays(data: bytes) -> dict[str, StoredArray]:
    """Read a pickle of arrays by name.

    Raises:
        DataError: it asks for anything but NumPy arrays, is damaged, or is no such pickle.
    """
    try:
        value = _Unpickler(io.BytesIO(data), encoding="latin1").load()
    except DataError:
        raise
    except Exception as error:  # damaged data makes an unpickler raise almost anything
        problem = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"it is no sound pickle: {problem}") from None
    if not isinstance(value, dict) or not value:
        raise DataError("it is not a pickle of arrays by name")
    arrays: dict[str, StoredArray] = {}
    for key, array in value.items():
        name = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
        if not isinstance(name, str) or not isinstance(array, StoredArray):
            raise DataError("it is not a pickle of arrays by name")
        arrays[without_suffix(name)] = array
    return arrays


def find_pickles(files: Files, labels: Path | None) -> Found:
    """Find pickles, and lists (``.list``) of several that make one split, with their labels.

    Args:
        files: the source.
        labels: the list of labels; without it the one beside the pickle that has its name.

    Raises:
        DataError: a pickle is not one of arrays, or there are no labels for it.
    """
    groups = {name: _listed(files, name) for name in files.named(".list")}
    listed = {name for names in groups.values() for name in names}
    groups.update((name, [name]) for name in files.named(".pkl") if name not in listed)
    return Found(tuple(_part(files, name, groups[name], labels) for name in sorted(groups)))


def _listed(files: Files, name: str) -> list[str]:
    """Return the pickles that a list names, a line each, as they lie beside it."""
    lines = (line.strip() for line in files.read_text(name).splitlines())
    found = [(PurePosixPath(name).parent / line).as_posix() for line in lines if line]
    missing = next((each for each in found if each not in files.names), None)
    if missing is not None or not found:
        raise DataError(
            f"{name} names {'no pickle' if missing is None else f'{missing}, which is not there'}"
        )
    return found


def _part(files: Files, name: str, pickles: list[str], labels: Path | None) -> Part:
    arrays: dict[str, StoredArray] = {}
    for each in pickles:
        try:
            arrays.update(load_arrays(files.read(each, _LARGEST_BYTES)))
        except DataError as error:
            raise DataError(f"{each} cannot be read as pictures: {error}") from None
    lines = _lines(files, name) if labels is None else given_lines(labels)
    word = split_word(PurePosixPath(name).stem)
    return caption_part(word or PurePosixPath(name).parent.name, _entries(lines, arrays, name))


def _lines(files: Files, name: str) -> list[Line | Rejected]:
    """Read the labels beside a pickle: the list of its name, or the only one."""
    path = PurePosixPath(name)
    beside = [each for each in files.names if PurePosixPath(each).parent == path.parent]
    lists = label_lists(files, [each for each in beside if each.lower().endswith(".txt")])
    word = split_word(path.stem)
    fitting = [each for each in lists if split_word(PurePosixPath(each).stem) == word]
    if not fitting and len(lists) != 1:
        raise DataError(
            f"there are no labels for {name}: a list such as {word + '_' if word else ''}caption.txt "
            "must lie beside it, or be given as --labels FILE"
        )
    chosen = (fitting or lists)[0]
    return list(caption_lines(files.read_text(chosen), chosen))


def _entries(
    lines: list[Line | Rejected], arrays: dict[str, StoredArray], name: str
) -> Iterator[Entry | Rejected]:
    left = dict(arrays)
    for line in lines:
        if isinstance(line, Rejected):
            yield line
        elif (array := left.pop(line.key, None)) is None:
            yield Rejected(line.where, f"there is no picture {line.key} in {name}")
        else:
            picture = f"{name}, {line.key}"
            yield Entry(line.key, line.label, line.where, picture, partial(_picture, array))
    for key in left:
        yield Rejected(f"{name}, {key}", "there is no caption for it")


def _picture(array: StoredArray) -> bytes:
    return from_levels(array.build())
