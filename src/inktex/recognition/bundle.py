"""A model folder: two ONNX graphs, the vocabulary and ``model.json``; load, verify, save.

``encoder.onnx``: ``images`` [b, 1, height, width], ``padding`` [b, height, width] -> ``memory.*`` and
``state.*``.
``step.onnx``: ``tokens`` [n, t], ``parents`` [n], ``memory.*``, ``state.*`` -> ``logits`` [n, t, v],
``attention`` [n, t, p] and ``next.*``, the new state; t is 1 in families that read one token at a time.
:class:`inktex.decoding.stepper.OnnxStepper` says what stands in the first dimension of each.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inktex.errors import BundleError, VocabularyError
from inktex.recognition.description import read_description, write_description
from inktex.recognition.folder import replace_folder, standing_folder
from inktex.recognition.metadata import Metadata
from inktex.recognition.trial import try_graphs
from inktex.vocabulary import Vocabulary

_MOST_THREADS = 4  # unless more are asked for
_SPINNING_US = 1000  # that idle threads spin for: from one step to the next, not in the way of what follows
ENCODER, STEP, VOCABULARY, DESCRIPTION = "encoder.onnx", "step.onnx", "vocabulary.json", "model.json"


@dataclass(frozen=True)
class Bundle:
    """A model that ONNX Runtime can run.

    Attributes:
        encoder: the encoder graph, serialised.
        step: the step graph, serialised.
        vocabulary: tokens by id.
        metadata: all else.
        source: where it was loaded from, as errors name it.
    """

    encoder: bytes = field(repr=False)
    step: bytes = field(repr=False)
    vocabulary: Vocabulary = field(repr=False)
    metadata: Metadata
    source: str = "the bundle"

    def sessions(self, threads: int | None = None) -> tuple[Any, Any]:
        """Return ``onnxruntime.InferenceSession`` objects of encoder and step, tried on a tiny picture.

        Args:
            threads: threads of each; ``None`` is one for each processor that this process may use, four at
                most: beyond that a picture is hardly read any faster, and others need the machine too.

        Raises:
            BundleError: ONNX Runtime cannot run a graph, or the graphs are not what the metadata and the
                vocabulary say.
        """
        threads = threads or min(_processors(), _MOST_THREADS)
        encoder, step = self._session(ENCODER, self.encoder, threads), self._session(STEP, self.step, threads)
        try_graphs(encoder, step, self.vocabulary, self.metadata, self.source)
        return encoder, step

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
        """Write the folder; a bundle that is there already is replaced, and no reader is ever without one.

        Raises:
            BundleError: something else is there.
            FileError: the folder cannot be written; what was there before still is.
        """
        standing = standing_folder(folder)
        replaces = (standing / DESCRIPTION).is_file()
        if standing.exists() and not replaces and not (standing.is_dir() and not any(standing.iterdir())):
            raise BundleError(f"{folder} exists and is not a model bundle: name a new folder")
        files = {ENCODER: self.encoder, STEP: self.step, VOCABULARY: self.vocabulary.to_json().encode()}
        checksums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        replace_folder(folder, {**files, DESCRIPTION: write_description(self.metadata, checksums)})


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and verify every file; :meth:`Bundle.sessions` verifies what the graphs do.

    A bundle that is replaced meanwhile is read as it was before or as it is afterwards.

    Raises:
        BundleError: a file is missing, altered or not what it should be, or the bundle is of another format.
    """
    while True:
        before = _identity(folder)
        try:
            return _load(standing_folder(folder), str(folder))
        except BundleError:
            if _identity(folder) == before:
                raise


def _load(folder: Path, source: str) -> Bundle:
    if not os.path.isdir(folder):
        raise BundleError(f"{source} is not a model bundle: there is no such folder")
    metadata, checksums = read_description(_read(folder, DESCRIPTION), str(folder / DESCRIPTION))
    files = {name: _read(folder, name) for name in (ENCODER, STEP, VOCABULARY)}
    for name, data in files.items():
        if hashlib.sha256(data).hexdigest() != checksums.get(name):
            raise BundleError(
                f"{folder / name} was altered or damaged: its checksum is not that of {DESCRIPTION}"
            )
    try:
        vocabulary = Vocabulary.from_json(files[VOCABULARY])
    except VocabularyError as error:
        raise BundleError(f"{folder / VOCABULARY} is damaged: {error}") from None
    return Bundle(files[ENCODER], files[STEP], vocabulary, metadata, source)


def _identity(folder: Path) -> tuple[Path, int, int] | None:
    """Return what tells a folder from the one that replaces it; ``None`` if there is none."""
    standing = standing_folder(folder)
    try:
        status = standing.stat()
    except (OSError, ValueError):
        return None
    return standing, status.st_dev, status.st_ino


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
