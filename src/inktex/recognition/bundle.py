"""A model folder: two ONNX graphs, the vocabulary and ``model.json``; load, verify, save.

``encoder.onnx``: ``images`` [b, 1, height, width], ``padding`` [b, height, width] -> ``memory.*`` and
``state.*``.
``step.onnx``: ``tokens`` [n, t], ``parents`` [n], ``memory.*``, ``state.*`` -> ``logits`` [n, t, v],
``attention`` [n, t, p] and ``next.*``, the new state; t is 1 in families that read one token at a time.
:class:`inktex.decoding.stepper.OnnxStepper` says what stands in the first dimension of each.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from inktex.errors import BundleError, VocabularyError
from inktex.vocabulary import Vocabulary

FORMAT = 4
_SYMBOL_PX = (4, 128)  # sizes of symbols that a model may want
_MOST_THREADS = 4  # unless more are asked for
_SPINNING_US = 1000  # that idle threads spin for: from one step to the next, not in the way of what follows
ENCODER, STEP, VOCABULARY, DESCRIPTION = "encoder.onnx", "step.onnx", "vocabulary.json", "model.json"


@dataclass(frozen=True)
class SearchDefaults:
    """How this model is best searched.

    Attributes:
        width: hypotheses kept for a picture.
        length_penalty: exponent of the length by which scores are divided.
        max_length: most tokens written, the end token counted.
        both_ways: search from both ends, each direction judging the other; for models trained so.
        grammar: write well-formed LaTeX only; for models trained on labels in the captions' dialect.
        prune: hypotheses are dropped whose probability is below this share of the best one's; 0: none is.
        second_scale: how much larger than usual a doubtful picture is shown to the model again.
        second_below: readings of a lower probability are doubtful, unless they are long; 0: none is.
    """

    width: int = 3
    length_penalty: float = 1.0
    max_length: int = 200
    both_ways: bool = True
    grammar: bool = True
    prune: float = 0.05
    second_scale: float = 1.0
    second_below: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """What a model's own probability of its best reading is worth, as a logistic curve.

    The logarithm of a probability falls with the length of a formula and is pulled down by label smoothing;
    a reading above one half, to which no other can come near, is surer than its logarithm tells.

    Attributes:
        bias: of the curve.
        slope: weight of the logarithm of the probability.
        length: weight of the number of tokens.
        share: weight of the probability itself.
    """

    bias: float
    slope: float
    length: float
    share: float

    @staticmethod
    def features(probability: float, tokens: int) -> tuple[float, float, float]:
        """Return what the weights are for, of a reading of a probability above 0 and so many tokens."""
        return math.log(probability), float(tokens), probability

    def confidence(self, probability: float, tokens: int) -> float:
        """Return the chance that a best reading of this probability and so many tokens is right."""
        if probability <= 0:
            return 0.0
        weights = (self.slope, self.length, self.share)
        features = self.features(probability, tokens)
        score = self.bias + sum(weight * each for weight, each in zip(weights, features, strict=True))
        return 1 / (1 + math.exp(-max(-700.0, min(700.0, score))))


@dataclass(frozen=True)
class Facts:
    """What ``model.json`` tells of a model.

    Attributes:
        family: name of the network's family.
        max_length: most steps of a sequence.
        symbol_px: size of a typical symbol in the pictures it was trained on.
        stride: side of the square of pixels that one position of the attention stands for.
        licence: of the weights.
        options: sizes of the network.
        training: what it was trained on and how it did; for people.
        search: how to search it.
        calibration: what its probabilities are worth in that search; ``None`` if nobody has measured that.
        parameters: number of weights.
        weights: how they are stored, ``int4``, ``int8`` or ``float32``.
        deviation: largest difference of logits between the float32 graphs and PyTorch.
        storage_deviation: largest difference of logits that storing weights and computing in few bits made.
        version: of Inktex when exported.
    """

    family: str
    max_length: int
    symbol_px: float
    stride: int
    licence: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    search: SearchDefaults = SearchDefaults()
    calibration: Calibration | None = None
    parameters: int = 0
    weights: str = "float32"
    deviation: float = 0.0
    storage_deviation: float = 0.0
    version: str = ""


@dataclass(frozen=True)
class Bundle:
    """A model that ONNX Runtime can run.

    Attributes:
        encoder: the encoder graph, serialised.
        step: the step graph, serialised.
        vocabulary: tokens by id.
        facts: all else.
        source: where it was loaded from, as errors name it.
    """

    encoder: bytes = field(repr=False)
    step: bytes = field(repr=False)
    vocabulary: Vocabulary = field(repr=False)
    facts: Facts
    source: str = "the bundle"

    def sessions(self, threads: int | None = None) -> tuple[Any, Any]:
        """Return ``onnxruntime.InferenceSession`` objects of encoder and step.

        Args:
            threads: threads of each; ``None`` is one for each processor that this process may use, four at
                most: beyond that a picture is hardly read any faster, and others need the machine too.

        Raises:
            BundleError: ONNX Runtime cannot read a graph.
        """
        threads = threads or min(_processors(), _MOST_THREADS)
        return self._session(ENCODER, self.encoder, threads), self._session(STEP, self.step, threads)

    def _session(self, name: str, graph: bytes, threads: int) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.spin_duration_us", str(_SPINNING_US))
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions have no common class
            reason = str(error).splitlines()[0]
            raise BundleError(f"{self.source}: {name} is no graph ONNX Runtime can run: {reason}") from None

    def save(self, folder: Path) -> None:
        """Write the folder, all of it or nothing; a bundle that is there already is replaced.

        Raises:
            BundleError: something else is there, or the folder cannot be written.
        """
        replaces = (folder / DESCRIPTION).is_file()
        if folder.exists() and not replaces and not (folder.is_dir() and not any(folder.iterdir())):
            raise BundleError(f"{folder} exists and is not a model bundle: name a new folder")
        files = {ENCODER: self.encoder, STEP: self.step, VOCABULARY: self.vocabulary.to_json().encode()}
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        description = {"format": FORMAT, **asdict(self.facts), "sha256": sums}
        files[DESCRIPTION] = (json.dumps(description, indent=2, ensure_ascii=False) + "\n").encode()
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
            try:
                (unfinished / "new").mkdir()
                for name, data in files.items():
                    (unfinished / "new" / name).write_bytes(data)
                if folder.exists():
                    os.replace(folder, unfinished / "old")
                os.replace(unfinished / "new", folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        except OSError as error:
            raise BundleError(f"{folder} cannot be written: {error.strerror}") from None


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and verify every file.

    Raises:
        BundleError: a file is missing, altered or not what it should be, or the bundle is of another format.
    """
    if not folder.is_dir():
        raise BundleError(f"{folder} is not a model bundle: there is no such folder")
    description = _parse_description(_read(folder, DESCRIPTION), folder / DESCRIPTION)
    sums = description.pop("sha256")
    files = {name: _read(folder, name) for name in (ENCODER, STEP, VOCABULARY)}
    for name, data in files.items():
        if hashlib.sha256(data).hexdigest() != sums.get(name):
            raise BundleError(
                f"{folder / name} was altered or damaged: its checksum is not that of {DESCRIPTION}"
            )
    try:
        vocabulary = Vocabulary.from_json(files[VOCABULARY])
    except VocabularyError as error:
        raise BundleError(f"{folder / VOCABULARY} is damaged: {error}") from None
    calibration = description["calibration"]
    parts = {
        "search": SearchDefaults(**description["search"]),
        "calibration": None if calibration is None else Calibration(**calibration),
    }
    facts = Facts(**(description | parts))
    return Bundle(files[ENCODER], files[STEP], vocabulary, facts, str(folder))


def _processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))  # of Linux alone
    except AttributeError:
        return os.cpu_count() or 1


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{folder} is not a complete model bundle: {name} is missing") from None
    except OSError as error:
        raise BundleError(f"{folder / name} cannot be read: {error.strerror}") from None


def _parse_description(data: bytes, path: Path) -> dict[str, Any]:
    """Return the fields of :class:`Facts`, ``search`` and ``calibration`` as dictionaries, and ``sha256``."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON: {error}") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        found = value.get("format") if isinstance(value, dict) else None
        raise BundleError(f"{path} has format {found!r}; this version of Inktex reads format {FORMAT}")
    del value["format"]
    example = asdict(Facts("", 0, 0.0, 0)) | {"sha256": {}}
    if value.get("calibration") is not None:
        example["calibration"] = asdict(Calibration(0.0, 0.0, 0.0, 0.0))
    _check(value, example, path, "")
    _check(value["search"], asdict(SearchDefaults()), path, "search.")
    if value["calibration"] is not None:
        _check(value["calibration"], example["calibration"], path, "calibration.")
    if value["max_length"] < 1 or value["search"]["width"] < 1 or value["search"]["max_length"] < 1:
        raise BundleError(f"{path}: lengths and the width of search must be at least 1")
    for size in (value["symbol_px"], value["symbol_px"] * value["search"]["second_scale"]):
        if not _SYMBOL_PX[0] <= size <= _SYMBOL_PX[1]:
            raise BundleError(
                f"{path}: symbols of {size:g} px are not within {_SYMBOL_PX[0]} to {_SYMBOL_PX[1]}"
            )
    return value


def _check(value: dict[str, Any], example: dict[str, Any], path: Path, prefix: str) -> None:
    """Hold keys and types against an example's."""
    for key in sorted(example.keys() ^ value.keys()):
        raise BundleError(f"{path}: the key {prefix}{key} is {'missing' if key in example else 'unknown'}")
    for key, kind in ((key, type(item)) for key, item in example.items()):
        allowed = (int, float) if kind is float else kind
        if not isinstance(value[key], allowed) or (isinstance(value[key], bool) and kind is not bool):
            raise BundleError(f"{path}: {prefix}{key} must be {kind.__name__}, not {value[key]!r}")
