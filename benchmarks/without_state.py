"""Recognition as it is without state: every token is found by reading all tokens before it once more.

CoMER needs the extra ``train``, for it has to be traced. Its weights are random, which changes no time.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from inktex.decoding.stepper import BoolArray, FloatArray, IntArray, OnnxStepper
from inktex.image.canonical import decode
from inktex.models.hmer_mtl import HmerMtlModel, HmerMtlOptions
from inktex.models.interface import Features
from inktex.recognition.recognizer import Recognizer

OPSET = 17
STRIDE = 16  # of CoMER
COMER_VOCABULARY = 113  # the 111 symbols of CROHME, start and end


class Encode(nn.Module):
    """Pictures -> features [b, p, d] and padding [b, rows, columns]."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Encode."""
        features = self.model.encode(images, padding)
        return features.data, features.padding.view(-1, *features.grid)


class ReadAll(nn.Module):
    """Features and whole prefixes [n, t] -> logits [n, v] of what follows."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, padding: Tensor, tokens: Tensor) -> Tensor:
        """Read, and look at the last token alone."""
        grid = (padding.shape[1], padding.shape[2])
        logits: Tensor = self.model(Features(data, padding.flatten(1), grid), tokens).logits
        return logits[:, -1]


def trace(
    module: nn.Module, inputs: dict[str, Tensor], free: dict[str, list[int]], threads: int, eight_bit: bool
) -> Any:
    """Return a session of ONNX Runtime of a network some of whose dimensions are free.

    With ``eight_bit`` its products have weights in 8 bits and inputs rounded to 8 when they run, as ONNX
    Runtime's tool for dynamic quantization makes them. Convolutions stay in float32: theirs would be slower.
    """
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        path = Path(folder, "graph.onnx")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=[*inputs],
            dynamic_axes=free,
        )
        if eight_bit:
            quantize_dynamic(path, path, op_types_to_quantize=["MatMul"], weight_type=QuantType.QInt8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.spin_duration_us", "1000")  # as Inktex's own
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


class StatelessStepper(OnnxStepper):
    """A stepper that keeps nothing but the pictures."""

    def rewind(self) -> None:
        """Forget all hypotheses and keep the pictures."""
        super().rewind()
        self._which = np.arange(self._count)
        self._prefixes = np.zeros((self._count, 0), np.int64)

    def step(self, tokens: IntArray, parents: IntArray) -> FloatArray:
        """Read the hypotheses that go on once more, whole, and return logits [n, v]."""
        which, prefixes = self._which[parents], np.append(self._prefixes[parents], tokens[:, None], axis=1)
        self.rewind()
        logits, _ = self.read(prefixes, which)
        self._which, self._prefixes = which, prefixes
        return logits[:, -1]


class StatelessRecognizer(Recognizer):
    """The recognizer of a bundle, reading whole prefixes at every step."""

    def stepper(self) -> StatelessStepper:
        """Return a new stepper of the model."""
        return StatelessStepper(self._encoder, self._step, self.bundle.metadata.max_length)


class Comer:
    """CoMER (Zhao and Gao 2022) at its published size, greedy.

    Args:
        threads: of ONNX Runtime.
        eight_bit: its products in 8 bits.
        height_px: height that every picture is padded to, higher ones being made smaller first, as the public
            export has it; ``None`` pads height like width, to a multiple of the network's stride.
    """

    def __init__(self, threads: int, eight_bit: bool = False, height_px: int | None = None) -> None:
        torch.manual_seed(0)
        model = HmerMtlModel(COMER_VOCABULARY, HmerMtlOptions(cbam=False, structure_head=False)).eval()
        images, padding = torch.rand(1, 1, 64, 96), torch.zeros(1, 64, 96).bool()
        inputs = {"images": images, "padding": padding}
        free = {"images": [2, 3], "padding": [1, 2]}
        self._encoder = trace(Encode(model), inputs, free, threads, eight_bit)
        with torch.no_grad():
            data, padding = Encode(model)(images, padding)
        inputs = {"data": data, "padding": padding, "tokens": torch.ones(1, 3, dtype=torch.long)}
        free = {"data": [1], "padding": [1, 2], "tokens": [1]}
        self._reader = trace(ReadAll(model), inputs, free, threads, eight_bit)
        self._height_px = height_px

    def seconds(self, picture: bytes, steps: int) -> float:
        """Return how long it takes to read a picture and to write some tokens."""
        start = time.perf_counter()
        images, padding = self._padded(1 - decode(picture))
        data, padding = self._encoder.run(None, {"images": images, "padding": padding})
        tokens = np.ones((1, 1), np.int64)
        for _ in range(steps):
            (logits,) = self._reader.run(None, {"data": data, "padding": padding, "tokens": tokens})
            tokens = np.append(tokens, logits.argmax(axis=1)[:, None], axis=1)
        return time.perf_counter() - start

    def _padded(self, ink: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Return a picture [h, w] as a batch of one with its padding."""
        if self._height_px and ink.shape[0] > self._height_px:
            scale = self._height_px / ink.shape[0]
            ink = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[: self._height_px]
        height, width = (-(-side // STRIDE) * STRIDE for side in ink.shape)
        height = self._height_px or height
        images, padding = np.zeros((1, 1, height, width), np.float32), np.ones((1, height, width), np.bool_)
        images[0, 0, : ink.shape[0], : ink.shape[1]] = ink
        padding[0, : ink.shape[0], : ink.shape[1]] = False
        return images, padding
