"""The arithmetic of networks written out slowly in NumPy, one picture and one step at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Weights = dict[str, Array]


def randomised(module: Any) -> Any:
    """Give every parameter and statistic a random value of some size and return it in evaluation mode."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * (0.5 if parameter.ndim == 1 else 0.3))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.uniform_(-0.5, 0.5)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
    return module.eval()


def weights_of(module: Any) -> Weights:
    return {name: value.double().numpy() for name, value in module.state_dict().items()}


def linear(weights: Weights, name: str, data: Array) -> Array:
    result = weights[f"{name}.weight"] @ data
    return result + weights[f"{name}.bias"] if f"{name}.bias" in weights else result


def sigmoid(data: Array) -> Array:
    return 1 / (1 + np.exp(-data))


def softmax(scores: Array, inside: Mask) -> Array:
    """Of scores [rows, columns]; 0 where not inside."""
    spread = np.where(inside, np.exp(scores - scores[inside].max()), 0)
    return spread / spread.sum()


def gru(weights: Weights, name: str, data: Array, hidden: Array) -> Array:
    """A gated recurrent unit (Cho et al. 2014); the reset gate acts on what comes of the hidden state."""
    own = weights[f"{name}.weight_ih"] @ data + weights[f"{name}.bias_ih"]
    back = weights[f"{name}.weight_hh"] @ hidden + weights[f"{name}.bias_hh"]
    d = len(hidden)
    reset, update = sigmoid(own[:d] + back[:d]), sigmoid(own[d : 2 * d] + back[d : 2 * d])
    new = np.tanh(own[2 * d :] + reset * back[2 * d :])
    return (1 - update) * new + update * hidden


def convolve(grid: Array, kernel: Array) -> Array:
    """[c, rows, columns] by a kernel [d, c, k, k] -> [d, rows, columns]; 0 lies around the grid."""
    (_, rows, columns), size = grid.shape, kernel.shape[2]
    half = size // 2
    result = np.zeros((len(kernel), rows, columns))
    for y in range(rows):
        for x in range(columns):
            for i in range(size):
                for j in range(size):
                    row, column = y + i - half, x + j - half
                    if 0 <= row < rows and 0 <= column < columns:
                        result[:, y, x] += kernel[:, :, i, j] @ grid[:, row, column]
    return result


def batch_norm(weights: Weights, name: str, grid: Array) -> Array:
    """Of a grid [c, rows, columns] by running statistics."""
    result = np.zeros_like(grid)
    for c in range(len(grid)):
        mean, variance = weights[f"{name}.running_mean"][c], weights[f"{name}.running_var"][c]
        normal = (grid[c] - mean) / np.sqrt(variance + 1e-5)
        result[c] = normal * weights[f"{name}.weight"][c] + weights[f"{name}.bias"][c]
    return result


def features_of(sizes: list[tuple[int, int]], channels: int) -> tuple[Any, Any, tuple[int, int]]:
    """Random features [b, p, c], 0 in padding, the padding [b, p] and the grid that holds all sizes."""
    rows, columns = (max(each) for each in zip(*sizes, strict=True))
    generator = torch.Generator().manual_seed(4)
    data, padding = torch.zeros(len(sizes), rows, columns, channels), torch.ones(len(sizes), rows, columns)
    for i, (height, width) in enumerate(sizes):
        data[i, :height, :width] = torch.randn(height, width, channels, generator=generator)
        padding[i, :height, :width] = 0
    return data.flatten(1, 2), padding.bool().flatten(1), (rows, columns)
