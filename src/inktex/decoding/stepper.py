"""The one thing search knows of a model, and the stepper of ONNX bundles."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_CACHED = ("state.cache.keys.", "state.cache.values.")  # what has a row a group, besides the memory
_CACHE_MASK = "state.cache.mask"
_READ_AT_ONCE = 500_000  # tokens x positions; a family's convolutions make a hundred bytes of each
_DEAD_TOKENS = 96  # of hypotheses that were dropped: so many may stand in a row of the cache


class Stepper(Protocol):
    """A model that reads pictures once and then any number of hypotheses, one token at a time.

    ``start`` encodes pictures. The first ``step`` after ``start`` or ``rewind`` begins hypotheses: there,
    ``parents`` are indices of pictures; a picture may begin several hypotheses or none. At every later
    ``step``, ``parents`` are indices of the previous step's hypotheses, which may be reordered, repeated and
    dropped.

    Attributes:
        max_length: most steps between ``start`` or ``rewind`` and the last.
    """

    max_length: int

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

    def read(self, tokens: IntArray, parents: IntArray) -> tuple[FloatArray, FloatArray]:
        """Continue hypotheses ``parents`` [n] with several ``tokens`` [n, t], t > 0.

        Returns:
            Logits [n, t, v] of what follows each token, and attention [n, t, p] over the positions of the
            pictures.
        """
        logits, attention = [], []
        for column in tokens.T:
            logits.append(self.step(column, parents))
            attention.append(self.attention)
            parents = np.arange(len(tokens))
        return np.stack(logits, axis=1), np.stack(attention, axis=1)


class OnnxStepper(Stepper):
    """Steps an encoder and a step graph as :mod:`inktex.export.onnx` writes them.

    Encoder: ``images``, ``padding`` -> ``memory.*`` and ``state.*``, a row a picture. Step: ``tokens``
    [n, t], or [n, 1] where the family reads one at a time, ``parents`` [n], ``memory.*``, ``state.*`` ->
    ``logits`` [n, t, v], ``attention`` [n, t, p] and ``next.*``, the new state. The graph lets hypotheses go
    on from their parents by itself, so the state stays with ONNX Runtime.

    Hypotheses come in groups of equal size, those of a group side by side; a group reads one picture and has
    one row of the memory and of ``state.cache.keys.*`` and ``state.cache.values.*``, in which the tokens of
    all its hypotheses stand; ``state.cache.mask`` [n, s] is 0 for a hypothesis's own. All else has a row a
    hypothesis.

    Args:
        encoder: an ``onnxruntime.InferenceSession``.
        stepping: another one.
        max_length: most steps of a hypothesis.
    """

    def __init__(self, encoder: Any, stepping: Any, max_length: int) -> None:
        self.max_length = max_length
        self._encoder = encoder
        self._stepping = stepping
        wanted = {given.name for given in stepping.get_inputs()}
        names = [output.name for output in encoder.get_outputs()]
        self._names = [name for name in names if name in wanted]
        self._kept = [name for name in self._names if name.startswith("state.")]
        changed = [name.replace("state.", "next.", 1) for name in self._kept]
        self._results = ["logits", "attention", *changed]
        self._cached = [name for name in self._kept if name.startswith(_CACHED)]
        self._memory = [name for name in self._names if name.startswith("memory.")]
        (tokens,) = (given for given in stepping.get_inputs() if given.name == "tokens")
        self._reads_one = tokens.shape[1] == 1

    def start(self, images: FloatArray, padding: BoolArray) -> None:
        """Encode pictures."""
        given = {"images": _value(images), "padding": _value(padding)}
        read = self._encoder.run_with_ort_values(self._names, given)
        self._pictures: dict[str, Any] = dict(zip(self._names, read, strict=True))
        self._count = len(images)
        self.rewind()

    def rewind(self) -> None:
        """Forget all hypotheses and keep the pictures."""
        self._given = dict(self._pictures)
        self._groups = np.arange(self._count)  # of each hypothesis; its picture before the first step
        self._read = np.arange(self._count)  # picture of each group
        self._room = _DEAD_TOKENS

    def step(self, tokens: IntArray, parents: IntArray) -> FloatArray:
        """Continue hypotheses and return logits [n, v]."""
        logits: FloatArray = self._run(tokens[:, None], parents)
        return np.array(logits[:, 0])

    def read(self, tokens: IntArray, parents: IntArray) -> tuple[FloatArray, FloatArray]:
        """Continue hypotheses with several tokens [n, t]; return logits [n, t, v] and attention [n, t, p]."""
        most = 1
        if not self._reads_one:
            positions = len(tokens) * self._pictures["memory.padding"].shape()[1]
            most = max(1, _READ_AT_ONCE // positions)
        logits, attention = [], []
        for first in range(0, tokens.shape[1], most):
            logits.append(self._run(tokens[:, first : first + most], parents))
            attention.append(self._attention.numpy())
            parents = np.arange(len(tokens))
        return np.concatenate(logits, axis=1), np.concatenate(attention, axis=1)

    @property
    def attention(self) -> FloatArray:
        """Attention [n, p] of the last step's hypotheses over the positions of their pictures."""
        return np.array(self._attention.numpy()[:, -1])

    def _run(self, tokens: IntArray, parents: IntArray) -> FloatArray:
        """Feed tokens [n, t] to hypotheses; return logits [n, t, v]."""
        self._regroup(self._groups[parents])
        self._given["tokens"], self._given["parents"] = _value(tokens), _value(parents)
        logits, self._attention, *state = self._stepping.run_with_ort_values(self._results, self._given)
        self._given.update(zip(self._kept, state, strict=True))
        if self._cached:
            self._drop_dead_tokens()
        result: FloatArray = logits.numpy()
        return result

    def _regroup(self, before: IntArray) -> None:
        """Group hypotheses, given the groups [n] that they come from; lay out anew what has a row a group.

        Groups are as large as neighbours from the same group allow.
        """
        # A single group stays one, whatever becomes of its hypotheses.
        if len(self._read) == 1 or np.array_equal(before, self._groups):
            self._groups = before
            return
        borders = np.flatnonzero(before[1:] != before[:-1]) + 1
        each = math.gcd(len(before), *borders.tolist())
        rows = before[::each]
        if not np.array_equal(rows, np.arange(len(self._read))):
            self._read = self._read[rows]
            self._given |= {name: _value(self._given[name].numpy()[rows]) for name in self._cached}
            self._given |= {name: _value(self._pictures[name].numpy()[self._read]) for name in self._memory}
        self._groups = np.repeat(np.arange(len(rows)), each)

    def _drop_dead_tokens(self) -> None:
        """Take out of the cache what no hypothesis can see any more, once that may be much.

        Groups keep as many tokens as the one that needs most.
        """
        mask: FloatArray = self._given[_CACHE_MASK].numpy()  # [n, s]
        if mask.shape[1] <= self._room:
            return
        groups = len(self._read)
        seen = (mask == 0).reshape(groups, -1, mask.shape[1]).any(axis=1)  # [g, s]
        count = int(seen.sum(axis=1).max())
        kept = np.argsort(~seen, axis=1, kind="stable")[:, :count]  # [g, s after]
        for name in self._cached:
            before: FloatArray = self._given[name].numpy()  # [g, h, s, d / h]
            after = np.empty((*before.shape[:2], count, before.shape[3]), before.dtype)
            for group in range(groups):
                np.take(before[group], kept[group], axis=1, out=after[group], mode="clip")
            self._given[name] = _value(after)
        self._given[_CACHE_MASK] = _value(np.take_along_axis(mask, kept[self._groups], axis=1))
        self._room = count + _DEAD_TOKENS


def _value(array: NDArray[Any]) -> Any:
    """Return an array as ONNX Runtime holds it."""
    import onnxruntime

    return onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array))
