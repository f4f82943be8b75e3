"""``inktex calibrate``: confidences that mean something."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inktex.commands.output import add_json, check_targets, progress, write_json
from inktex.errors import DataError

if TYPE_CHECKING:
    from inktex.data.dataset import Sample
    from inktex.recognition.metadata import Calibration
    from inktex.recognition.recognizer import Recognizer

_LEAST = 50  # expressions that a curve can be fitted to
_PARTS = 5  # of the cross-validation


def add_calibrate(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex calibrate``."""
    parser.description = (
        "Read a data set, compare the model's probabilities with what was right, and note in the model what "
        "they are worth. Choose a data set that is not reported."
    )
    parser.add_argument("model", help="the model folder, which is changed")
    parser.add_argument("data", help="a Parquet file made by 'inktex import'")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="threads that compute (default: one a core, at most 4)"
    )
    add_json(parser)


def run_calibrate(options: Namespace) -> int:
    """Fit the curve of a model's confidence and write it into the model."""
    from inktex.data.dataset import read_dataset
    from inktex.metrics.uncertainty import calibration
    from inktex.recognition.bundle import load_bundle
    from inktex.recognition.recognizer import Recognizer

    check_targets(options.json)
    bundle = load_bundle(Path(options.model))
    samples = read_dataset(options.data)
    plain = replace(bundle, metadata=replace(bundle.metadata, calibration=None))
    readings = _read(Recognizer(plain, threads=options.threads), samples)
    if len(readings) < _LEAST:
        raise DataError(f"{options.data}: {len(readings)} expressions were read; calibration needs {_LEAST}")
    rights = [reading.right for reading in readings]
    before = calibration([reading.probability for reading in readings], rights).error
    after = calibration(_cross_validated(readings), rights).error
    curve = _fit(readings)
    metadata = replace(bundle.metadata, calibration=curve)
    replace(bundle, metadata=metadata).save(Path(options.model))
    print(
        f"{options.model}: calibration error {before:.3f} before; {after:.3f} after, each of {_PARTS} parts "
        "by the curve of the others"
    )
    if options.json:
        figures = {"expressions": len(readings), "error_before": before, "error_after": after}
        write_json(options.json, {**figures, **asdict(curve)})
    return 0


class _Read(NamedTuple):
    """A best reading: its probability, its tokens, and whether it is right."""

    probability: float
    tokens: int
    right: bool


def _read(recognizer: Recognizer, samples: Sequence[Sample]) -> list[_Read]:
    """Read all samples; leave out what cannot be read, and what was cut short."""
    from inktex.errors import InktexError

    readings = []
    with progress("recognizing", len(samples)) as (advance, _):
        for index, result in recognizer.recognize_each(sample.given for sample in samples):
            advance()
            if not isinstance(result, InktexError) and result.confidence > 0:
                right = result.tokens == samples[index].tokens
                readings.append(_Read(result.confidence, len(result.tokens), right))
    return readings


def _fit(readings: Sequence[_Read]) -> Calibration:
    import numpy as np

    from inktex.metrics.logistic import fit_logistic
    from inktex.recognition.metadata import Calibration

    features = np.array([Calibration.features(*reading[:2]) for reading in readings])
    rights = np.array([reading.right for reading in readings])
    return Calibration(*fit_logistic(features, rights).tolist())


def _cross_validated(readings: Sequence[_Read]) -> list[float]:
    """Return the confidence of each reading by a curve that was fitted to others."""
    confidences = [0.0] * len(readings)
    for part in range(_PARTS):
        curve = _fit([reading for number, reading in enumerate(readings) if number % _PARTS != part])
        for number in range(part, len(readings), _PARTS):
            confidences[number] = curve.confidence(*readings[number][:2])
    return confidences
