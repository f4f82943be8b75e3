"""The one thing search knows of a model, and the stepper of ONNX bundles."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class Stepper(Protocol):
    """A model that reads pictures once and then any number of hypotheses, one token at a time.

    ``start`` encodes pictures. The first ``step`` after ``start`` or ``rewind`` begins hypotheses: there,
    ``parents`` are indices of pictures; a picture may begin several hypotheses or none. At every later
    ``step``, ``parents`` are indices of the previous step's hypotheses, which may be reordered, repeated and
    dropped.
    """

    @property
    def max_length(self) -> int:
        """Most steps between ``start`` or ``rewind`` and the last."""
        ...

    @property
    def attention(self) -> FloatArray:
        """Attention [n, p] of the last step's hypotheses over the positions of their pictures."""
        ...

    def start(self, images: FloatArray, padding: BoolArray) -> None:
        """Encode pictures [b, 1, height, width] with padding [b, height, width], True outside the picture."""
        ...

    def rewind(self) -> None:
        """Forget all hypotheses and keep the pictures."""
        ...

    def step(self, tokens: IntArray, parents: IntArray) -> FloatArray:
        """Continue hypotheses ``parents`` [n] with ``tokens`` [n]; return logits [n, v] of what follows."""
        ...


class OnnxStepper:
    """Steps an encoder and a step graph as :mod:`inktex.export` writes them.

    Encoder: ``images``, ``padding`` -> ``memory.*`` and ``state.*``, a row a picture. Step: ``token``,
    ``memory.*``, ``state.*``, a row a hypothesis -> ``logits``, ``attention`` and ``next.*``, the new state.

    Args:
        encoder: an ``onnxruntime.InferenceSession``.
        stepping: another one.
        max_length: most steps of a hypothesis.
    """

    def __init__(self, encoder: Any, stepping: Any, max_length: int) -> None:
        self.max_length = max_length
        self._encoder = encoder
        self._stepping = stepping
        self._encoder_outputs = [output.name for output in encoder.get_outputs()]
        self._step_outputs = [output.name for output in stepping.get_outputs()]
        wanted = {given.name for given in stepping.get_inputs()}
        self._memory_names = [name for name in self._encoder_outputs if name in wanted and "memory." in name]
        self._state_names = [name for name in self._encoder_outputs if name in wanted and "state." in name]

    def start(self, images: FloatArray, padding: BoolArray) -> None:
        """Encode pictures."""
        given = {"images": images, "padding": padding}
        encoded = dict(zip(self._encoder_outputs, self._encoder.run(None, given), strict=True))
        self._memories: dict[str, NDArray[Any]] = {name: encoded[name] for name in self._memory_names}
        self._initial: dict[str, NDArray[Any]] = {name: encoded[name] for name in self._state_names}
        self.rewind()

    def rewind(self) -> None:
        """Forget all hypotheses and keep the pictures."""
        self._state = self._initial
        self._memory = self._memories
        self._pictures = np.arange(next(iter(self._memories.values())).shape[0])

    def step(self, tokens: IntArray, parents: IntArray) -> FloatArray:
        """Continue hypotheses and return logits [n, v]."""
        self._follow(parents)
        given = {"token": tokens, **self._memory, **self._state}
        results = dict(zip(self._step_outputs, self._stepping.run(None, given), strict=True))
        self._state = {name: results[name.replace("state.", "next.", 1)] for name in self._state_names}
        self.attention: FloatArray = results["attention"]
        logits: FloatArray = results["logits"]
        return logits

    def _follow(self, parents: IntArray) -> None:
        """Reorder the state; lay out the memory anew only if rows belong to other pictures than before."""
        before = self._pictures
        pictures = before[parents]
        if not np.array_equal(parents, np.arange(len(before))):
            self._state = {name: data[parents] for name, data in self._state.items()}
        if np.array_equal(pictures, before[: len(pictures)]):
            self._memory = {name: data[: len(pictures)] for name, data in self._memory.items()}
        else:
            self._memory = {name: data[pictures] for name, data in self._memories.items()}
        self._pictures = pictures
