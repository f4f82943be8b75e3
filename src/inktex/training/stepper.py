"""The stepper of PyTorch models: what lets search decode a model that is being trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from inktex.decoding.stepper import BoolArray, FloatArray, IntArray, Stepper
from inktex.models.interface import Model, select


class TorchStepper(Stepper):
    """Steps a PyTorch model; see :class:`inktex.decoding.stepper.Stepper` for the methods' contract.

    Args:
        model: a network of any family, in evaluation mode.
        max_length: most steps of a hypothesis.
        device: where the model's weights are.
        autocast: precision of encoder and steps, such as ``torch.bfloat16``; ``None``: that of the weights.
    """

    def __init__(
        self,
        model: Model,
        max_length: int,
        device: torch.device | str = "cpu",
        autocast: torch.dtype | None = None,
    ) -> None:
        self.max_length = max_length
        self._model = model
        self._device = torch.device(device)
        self._autocast = autocast

    def start(self, images: FloatArray, padding: BoolArray) -> None:
        """Encode pictures.

        Raises:
            RuntimeError: the model is in training mode, where dropout would make every answer random.
        """
        if isinstance(self._model, nn.Module) and self._model.training:
            raise RuntimeError("search needs the model in evaluation mode: call model.eval() first")
        with torch.no_grad(), self._precision():
            features = self._model.encode(self._tensor(images), self._tensor(padding))
            self._memories, self._initial = self._model.start(features)
        self._count = len(images)
        self.rewind()

    def rewind(self) -> None:
        """Forget all hypotheses and keep the pictures."""
        self._state: Any = self._initial
        self._memory: Any = self._memories
        self._pictures = np.arange(self._count)

    def step(self, tokens: IntArray, parents: IntArray) -> FloatArray:
        """Continue hypotheses and return logits [n, v]."""
        with torch.no_grad(), self._precision():
            self._follow(parents)
            logits, self._attention, self._state = self._model.step(
                self._tensor(tokens), self._memory, self._state
            )
        result: FloatArray = logits.float().cpu().numpy()
        return result

    @property
    def attention(self) -> FloatArray:
        """Attention [n, p] of the last step's hypotheses over the positions of their pictures."""
        result: FloatArray = self._attention.float().cpu().numpy()
        return result

    def _follow(self, parents: IntArray) -> None:
        """Reorder the state; lay out the memory anew only if rows belong to other pictures than before."""
        before = self._pictures
        pictures = before[parents]
        if not np.array_equal(parents, np.arange(len(before))):
            self._state = select(self._state, self._tensor(parents))
        if not np.array_equal(pictures, before):
            self._memory = select(self._memories, self._tensor(pictures))
        self._pictures = pictures

    def _tensor(self, array: np.ndarray[Any, Any]) -> Tensor:
        return torch.as_tensor(array, device=self._device)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._device.type, self._autocast, enabled=self._autocast is not None)
