"""A trial run of a bundle's graphs: do they do what its metadata and vocabulary say?"""

from __future__ import annotations

from typing import Any

import numpy as np

from inktex.decoding.stepper import FloatArray, IntArray, OnnxStepper
from inktex.errors import BundleError
from inktex.recognition.metadata import Metadata
from inktex.vocabulary import Vocabulary

_HEIGHT_PX, _WIDTH_PX = 16, 64  # a picture that has another number of positions at every stride


def try_graphs(encoder: Any, step: Any, vocabulary: Vocabulary, metadata: Metadata, source: str) -> None:
    """Read a tiny picture, two tokens from each end that the model can start from.

    Args:
        encoder: an ``onnxruntime.InferenceSession``.
        step: another one.
        vocabulary: the tokens that they write.
        metadata: what is said of them.
        source: what errors call the bundle.

    Raises:
        BundleError: the graphs cannot be run, or they are not those of this vocabulary or of this metadata.
    """
    images = np.zeros((1, 1, _HEIGHT_PX, _WIDTH_PX), np.float32)
    images[..., 6:10, 4:-4] = 1  # a dash
    first = [vocabulary.start_id, *([vocabulary.end_id] if metadata.both_ways else [])]
    try:
        stepper = OnnxStepper(encoder, step, metadata.max_length)
        stepper.start(images, np.zeros((1, _HEIGHT_PX, _WIDTH_PX), np.bool_))
        logits = stepper.step(np.array(first), np.zeros(len(first), np.int64))
        _check(logits, stepper.attention, vocabulary, metadata, source)
        likeliest: IntArray = logits.argmax(axis=1)
        logits = stepper.step(likeliest, np.arange(len(first)))
        _check(logits, stepper.attention, vocabulary, metadata, source)
    except BundleError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions have no common class
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BundleError(f"{source}: its graphs do not run together: {reason}") from None


def _check(
    logits: FloatArray, attention: FloatArray, vocabulary: Vocabulary, metadata: Metadata, source: str
) -> None:
    """Hold logits [n, v] and attention [n, p] of a step against what is said of the model."""
    if logits.shape[1] != len(vocabulary):
        raise BundleError(
            f"{source}: the vocabulary has {len(vocabulary)} tokens, and the graphs write {logits.shape[1]}"
        )
    stride = metadata.stride
    positions = -(-_HEIGHT_PX // stride) * -(-_WIDTH_PX // stride)
    if attention.shape[1] != positions:
        raise BundleError(
            f"{source}: with a stride of {stride} px, {_WIDTH_PX} x {_HEIGHT_PX} px are {positions} "
            f"positions, and the graphs have {attention.shape[1]}"
        )
    if not (np.isfinite(logits).all() and np.isfinite(attention).all()):
        raise BundleError(f"{source}: its graphs compute what is not a number")
