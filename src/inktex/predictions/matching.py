"""Predictions and references -> items to score; whatever does not match is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from inktex.errors import DataError, LatexError
from inktex.latex.tree import tokenize
from inktex.metrics.item import Item, Tokens
from inktex.predictions.reading import Format, RecordFile, read_records
from inktex.predictions.records import NO_PREDICTION, PREDICTION_KEYS, REFERENCE_KEYS, Record


@dataclass(frozen=True)
class Matched:
    """Every reference with its prediction, and what did not match.

    Attributes:
        items: one for each reference of its own name, in the order of the references.
        missing: ids of references without a prediction; they are among the items, and wrong.
        extra: ids of predictions without a reference; they are not scored.
        double: ids with several predictions; the first is scored.
        double_references: ids with several references; the first is scored.
        broken_references: ids of references that end in a lone backslash, as labels cut to a length do; it is
            kept as their last token.
        notes: what else the reader of a score must know, a sentence each.
        predictions_format: how the predictions are written.
        references_format: how the references are written, or None where one file holds both.
    """

    items: tuple[Item, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    double: tuple[str, ...]
    double_references: tuple[str, ...]
    broken_references: tuple[str, ...]
    notes: tuple[str, ...]
    predictions_format: Format
    references_format: Format | None


class _Pair(NamedTuple):
    """A reference, its text, and the prediction of it."""

    label: Record
    text: str
    prediction: Record | None


class _Pairing(NamedTuple):
    """What belongs together, and what belongs to nothing; the names are those of :class:`Matched`."""

    pairs: list[_Pair]
    extra: tuple[str, ...]
    double: tuple[str, ...]
    double_references: tuple[str, ...]
    notes: tuple[str, ...]


def match(predictions: Path | str, references: Path | str | None = None) -> Matched:
    """Read predictions and references and match them.

    They are matched by id; if one side is plain lines, by position, under the ids of the references.

    Args:
        predictions: a file of any format of the package's table but Parquet.
        references: a file of any such format; None if ``predictions`` holds the references too.

    Raises:
        DataError: a file that cannot be read (see :func:`~inktex.predictions.reading.read_records`), an
            expression without the text that is wanted of it, or two files without a common id.
    """
    given = read_records(predictions)
    labels = None if references is None else read_records(references)
    if labels is None:
        pairing = _pair_own(given)
    elif Format.PLAIN in (given.format, labels.format):
        pairing = _pair_by_position(given, labels)
    else:
        pairing = _pair_by_id(given, labels)
    _check(given, [record.predicted for record in given.records], "prediction", PREDICTION_KEYS)
    items = tuple(map(_item, pairing.pairs))
    return Matched(
        items,
        tuple(item.id for item in items if item.problem == NO_PREDICTION),
        pairing.extra,
        pairing.double,
        pairing.double_references,
        tuple(item.id for item in items if item.reference[-1:] == ("\\",)),
        (*pairing.notes, *_note_only_wrong(items, given.format)),
        given.format,
        None if labels is None else labels.format,
    )


def reference_hash(items: Iterable[Item]) -> str:
    """Return the SHA-256, in hexadecimal digits, of the references: of their ids and tokens, in any order.

    Two scores with the same hash were made against the same labels.
    """
    lines = sorted(json.dumps([item.id, item.reference]) for item in items)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _pair_own(given: RecordFile) -> _Pairing:
    """Pair the two sides that one file holds."""
    labels = [record.reference for record in given.records]
    if not any(label is not None for label in labels):
        raise DataError(f"{given.path} ({given.format.value}) holds no references; a file of them is needed")
    _check(given, labels, "reference", REFERENCE_KEYS)
    first, double = _first(given.records)
    pairs = [_Pair(record, record.reference or "", record) for record in first.values()]
    return _Pairing(pairs, (), double, double, ())


def _pair_by_position(given: RecordFile, labels: RecordFile) -> _Pairing:
    first, double_references = _label_records(labels)
    chosen: dict[str, Record] = {}
    for label, record in zip(labels.records, given.records, strict=False):
        chosen.setdefault(label.id, record)
    pairs = [_Pair(label, label.label or "", chosen.get(name)) for name, label in first.items()]
    extra = tuple(record.id for record in given.records[len(labels.records) :])
    note = () if given.format is labels.format else ("Matched by position: only one file has names.",)
    return _Pairing(pairs, extra, (), double_references, note)


def _pair_by_id(given: RecordFile, labels: RecordFile) -> _Pairing:
    first, double_references = _label_records(labels)
    chosen, double = _first(given.records)
    pairs = [_Pair(label, label.label or "", chosen.get(name)) for name, label in first.items()]
    extra = tuple(name for name in chosen if name not in first)
    if len(extra) == len(chosen):
        raise DataError(
            f"no name of {given.path} occurs in {labels.path}: "
            f"they begin with {given.records[0].id!r} and {labels.records[0].id!r}"
        )
    return _Pairing(pairs, extra, double, double_references, _note_differing(pairs))


def _label_records(labels: RecordFile) -> tuple[dict[str, Record], tuple[str, ...]]:
    _check(labels, [record.label for record in labels.records], "reference", (*REFERENCE_KEYS, "latex"))
    return _first(labels.records)


def _check(file: RecordFile, texts: Sequence[str | None], wanted: str, keys: tuple[str, ...]) -> None:
    """Refuse a file with an expression that has no such text, and no reason for having none."""
    for record, text in zip(file.records, texts, strict=True):
        if text is None and (wanted == "reference" or record.problem is None):
            allowed = "a Parquet data set holds references alone"
            if file.format is not Format.PARQUET:
                allowed = f"its key is one of {', '.join(keys)}"
            raise DataError(f"{file.path}, {record.where} holds no {wanted}; {allowed}")


def _first(records: Iterable[Record]) -> tuple[dict[str, Record], tuple[str, ...]]:
    """Return the first record of every id, and the ids of which there are more."""
    first: dict[str, Record] = {}
    double: dict[str, None] = {}
    for record in records:
        if first.setdefault(record.id, record) is not record:
            double[record.id] = None
    return first, tuple(double)


def _note_differing(pairs: Iterable[_Pair]) -> tuple[str, ...]:
    """Return a note if the predictions came with references of their own that are others."""
    differing = 0
    for _, text, prediction in pairs:
        own = None if prediction is None else prediction.reference
        if own is not None and own != text:
            differing += _cut_label(own) != _cut_label(text)
    if not differing:
        return ()
    return (f"{differing:,} references in the file of predictions are others than those scored against.",)


def _note_only_wrong(items: Iterable[Item], form: Format) -> tuple[str, ...]:
    """Return a note if a table of answers looks like the one that CAN writes."""
    answered = [item for item in items if item.prediction is not None]
    if form is not Format.JSON_TABLE or any(item.prediction == item.reference for item in answered):
        return ()
    return ("No prediction is right: a list of wrong answers, as CAN writes it, leaves out what was right.",)


def _item(pair: _Pair) -> Item:
    label, text, prediction = pair
    reference = _cut_label(text)
    if prediction is None:
        return Item(label.id, None, reference, source=label.source, problem=NO_PREDICTION)
    predicted, problem, tokens = prediction.predicted, prediction.problem, None
    if problem is None and predicted is not None:
        try:
            tokens = tuple(tokenize(predicted))
        except LatexError as error:
            problem = f"the prediction cannot be cut into tokens: {error}"
    source = label.source or prediction.source
    return Item(label.id, tokens, reference, prediction.confidence, source, problem)


def _cut_label(text: str) -> Tokens:
    """Cut a reference into tokens; a lone backslash at its end is the last."""
    try:
        return tuple(tokenize(text))
    except LatexError:
        return (*tokenize(text[:-1]), "\\")
