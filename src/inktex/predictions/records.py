"""What one line, object, row or archive member says about an expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from inktex.errors import DataError

NO_PREDICTION = "no prediction"
PREDICTION_KEYS = ("prediction", "pred", "predi", "p", "latex")
REFERENCE_KEYS = ("reference", "label", "l")
_ID_KEYS = ("id", "file", "name", "image", "i")
_SOURCE_KEYS = ("writer", "source")
_PROBLEM_KEYS = ("error", "problem")
_CODE_POINT_KEYS = ("p", "l")  # texts of the system whose token ids are code points
_START, _PADDING, _END = "\x02", "\x00", "\x03"  # its special ids, as characters
_SUFFIXES = frozenset(("png", "jpg", "jpeg", "bmp", "gif", "tif", "tiff", "webp", "inkml", "json"))


class Record(NamedTuple):
    """One expression of a file, its texts as they stand there.

    Attributes:
        id: by the rule of :func:`item_id`.
        where: the place in the file, for messages.
        prediction: LaTeX that can only be a prediction, or None.
        reference: LaTeX that can only be a reference, or None.
        text: LaTeX that is either, as the file is used, or None.
        confidence: of the prediction, 0 to 1, or None.
        source: the writer or the part of the data set, or None.
        problem: why there is no prediction, or None.
    """

    id: str
    where: str
    prediction: str | None = None
    reference: str | None = None
    text: str | None = None
    confidence: float | None = None
    source: str | None = None
    problem: str | None = None

    @property
    def predicted(self) -> str | None:
        """The text in a file of predictions."""
        return self.text if self.prediction is None else self.prediction

    @property
    def label(self) -> str | None:
        """The text in a file of references."""
        return self.text if self.reference is None else self.reference


def item_id(name: str) -> str:
    """Return a name without its folders and without one suffix of a picture or of ink.

    ``data/2014/img/18_em_0.bmp``, ``18_em_0.inkml`` and ``18_em_0`` are the same expression. Folders end in a
    slash of either kind; the suffixes are png, jpg, jpeg, bmp, gif, tif, tiff, webp, inkml and json, in upper
    or lower case.
    """
    last = name.strip().replace("\\", "/").rstrip("/").rpartition("/")[2]
    stem, _, suffix = last.rpartition(".")
    return stem if stem and suffix.lower() in _SUFFIXES else last


def encodable(text: str) -> str:
    """Return the text with halves of surrogate pairs, which JSON may hold and no file can, as "?"."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def read_object(fields: Mapping[str, object], path: str, where: str, name: str | None = None) -> Record:
    """Read a JSON object by the keys of the package's table.

    Args:
        fields: the object.
        path: of the file, for messages.
        where: the place in the file, for messages.
        name: the id where it stands outside the object, or None.

    Raises:
        DataError: no id, or a value of another type or range than the key allows.
    """
    place = f"{path}, {where}"
    if name is None:
        value = next((fields[key] for key in _ID_KEYS if fields.get(key) is not None), None)
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise DataError(f"{place}: there is no id; it is the text or number of {_either(_ID_KEYS)}")
        name = str(value)
    key = item_id(encodable(name))
    if not key:
        raise DataError(f"{place}: the id {name!r} is empty; it must name the expression")
    prediction = _first(fields, PREDICTION_KEYS[:-1])
    problem = _string(fields, _first(fields, _PROBLEM_KEYS), place)
    if problem is None and fields.get(prediction or "latex", "") is None:
        problem = NO_PREDICTION
    return Record(
        key,
        where,
        prediction=_string(fields, prediction, place),
        reference=_string(fields, _first(fields, REFERENCE_KEYS), place),
        text=_latex(fields, place),
        confidence=_confidence(fields.get("confidence"), place),
        source=_string(fields, _first(fields, _SOURCE_KEYS), place) or None,
        problem=problem,
    )


def _first(fields: Mapping[str, object], keys: tuple[str, ...]) -> str:
    """Return the first of the keys that the object has, or ""."""
    return next((key for key in keys if key in fields), "")


def _either(keys: tuple[str, ...]) -> str:
    return f"{', '.join(map(repr, keys[:-1]))} or {keys[-1]!r}"


def _string(fields: Mapping[str, object], key: str, place: str) -> str | None:
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise DataError(f"{place}: {key!r} must be text, got {type(value).__name__} {str(value)[:40]!r}")
    if key in _CODE_POINT_KEYS:
        value = value.partition(_END)[0].replace(_START, "").replace(_PADDING, "")
    return encodable(value)


def _latex(fields: Mapping[str, object], place: str) -> str | None:
    """Return the text under ``latex``, or rather the tokens where they stand beside it."""
    text, tokens = _string(fields, "latex", place), fields.get("tokens")
    if text is None or not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        return text
    return encodable(" ".join(tokens))


def _confidence(value: object, place: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise DataError(f"{place}: 'confidence' must be a number from 0 to 1, got {str(value)[:40]!r}")
    return float(value)
