"""Small parts that several families share: positions, padding, pooling, normalisation, residual blocks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def sinusoids(length: int, channels: int, device: torch.device | None = None) -> Tensor:
    """Return the encoding [length, channels] of Vaswani et al. 2017, section 3.5: sines, then cosines."""
    frequencies = torch.exp(torch.arange(0, channels, 2) * (-math.log(10000.0) / channels)).to(device)
    angles = torch.arange(length, device=device)[:, None] * frequencies  # [length, channels / 2]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class GridPosition(nn.Module):
    """Adds the encoding of the row to one half of the channels and that of the column to the other.

    Positions count cells from the top left corner; they are not divided by the picture's size, since
    canonical pictures show symbols at one size. A grid may have any size.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.per_axis = channels // 2

    def forward(self, grid: Tensor) -> Tensor:
        """[b, d, rows, columns] -> the same shape."""
        _, _, height, width = grid.shape
        rows = sinusoids(height, self.per_axis, grid.device).T
        columns = sinusoids(width, self.per_axis, grid.device).T
        vertical = rows[:, :, None].expand(self.per_axis, height, width)
        horizontal = columns[:, None, :].expand(self.per_axis, height, width)
        return grid + torch.cat([vertical, horizontal]).to(grid.dtype)


class Dropout(nn.Dropout):
    """Drops a share of activations in training, given to 1 / 65,536; on a CPU five times as fast as
    that of PyTorch, which draws one number after the other."""

    def forward(self, data: Tensor) -> Tensor:
        """Drop, and scale what is left."""
        if not self.training or data.device.type != "cpu":
            return super().forward(data)
        count = data.numel()
        words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
        dropped = round(self.p * 2**16)
        kept = words.view(torch.int16)[:count].view(data.shape) >= dropped - 2**15
        return data * kept.to(data.dtype).mul_(2**16 / max(1, 2**16 - dropped))


class _MaskedReLU(torch.autograd.Function):
    """ReLU and the mask of the padding in place; what was let through is seen in the result."""

    @staticmethod
    def forward(ctx: Any, grid: Tensor, inside: Tensor) -> Tensor:
        ctx.mark_dirty(grid)
        grid.relu_().mul_(inside)
        ctx.save_for_backward(grid)
        return grid

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (result,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(gradient, result, 0), None


def masked_relu(grid: Tensor, inside: Tensor, training: bool) -> Tensor:
    """Return max(grid, 0) within pictures and 0 in their padding; in training ``grid`` is overwritten and its
    precision kept."""
    if not training or not grid.requires_grad:
        return torch.relu(grid) * inside
    masked: Tensor = _MaskedReLU.apply(grid, inside.to(grid.dtype))  # type: ignore[no-untyped-call]
    return masked


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch normalisation around a shortcut (He et al. 2016, figure 2).

    ``inside`` [b, 1, h, w] is 1 within each picture and 0 in its padding; it is multiplied in before every
    convolution reads across the border, so that padding never changes a picture's features.
    """

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
                nn.Conv2d(channels_in, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            )
        nn.init.zeros_(self.second_norm.weight)  # every block starts as its shortcut (Goyal et al. 2017)

    def forward(self, grid: Tensor, inside: Tensor) -> Tensor:
        """[b, c_in, h, w] -> [b, c, h / stride, w / stride]; ``inside`` is at the output's resolution."""
        inner = masked_relu(self.first_norm(self.first(grid)), inside, self.training)
        return masked_relu(self.second_norm(self.second(inner)) + self.shortcut(grid), inside, self.training)


def for_each(group: Tensor, hypotheses: int) -> Tensor:
    """Repeat what groups have [g, ...] for each of their hypotheses: [n, ...]."""
    each = hypotheses // group.shape[0]
    return group[:, None].expand(-1, each, *group.shape[1:]).flatten(0, 1)


def pad_to_multiple(images: Tensor, padding: Tensor, multiple: int) -> tuple[Tensor, Tensor]:
    """Extend pictures below and to the right until their sides are multiples, and say so in the padding.

    Args:
        images: [b, c, height, width].
        padding: [b, height, width], True outside the picture.
        multiple: of what, in pixels: the stride of the network.

    Returns:
        Pictures with zeros added, and padding that is True there.
    """
    added = (0, -images.shape[3] % multiple, 0, -images.shape[2] % multiple)
    return functional.pad(images, added), functional.pad(padding, added, value=True)


def masked_average_pool(grid: Tensor, inside: Tensor) -> Tensor:
    """Average squares of 2 x 2 cells over those of them that lie inside the picture.

    Args:
        grid: [b, d, rows, columns], both even.
        inside: [b, 1, rows, columns], 1 in the picture and 0 in its padding.

    Returns:
        [b, d, rows / 2, columns / 2]; 0 where no cell lies inside.
    """
    share = functional.avg_pool2d(inside, 2)
    return functional.avg_pool2d(grid * inside, 2) / share.clamp(min=0.25)


def grid_positions(padding: Tensor, channels: int) -> Tensor:
    """Return the encoding of each position's place in its own picture.

    As in Carion et al. 2020 (DETR): the place is the number of positions inside up to this one, from 1, as a
    share of the picture's side, times 2 pi.

    Args:
        padding: [b, rows, columns].
        channels: a multiple of 4.

    Returns:
        [b, rows, columns, channels]; the first half of the channels tells the column, the second the row.
    """
    inside = (~padding).float()
    exponents = torch.arange(0, channels // 2, 2, device=padding.device) / (channels // 2)
    halves = []
    for axis in (2, 1):
        place = inside.cumsum(axis) / (inside.sum(axis, keepdim=True) + 1e-6) * (2 * math.pi)
        angles = place[..., None] * 10000.0**-exponents  # [b, rows, columns, channels / 4]
        halves.append(torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2))
    return torch.cat(halves, dim=-1)


class MaskedBatchNorm(nn.Module):
    """Batch normalisation (Ioffe and Szegedy 2015) over the positions inside pictures."""

    def __init__(self, channels: int, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.running_mean: Tensor
        self.running_var: Tensor

    def forward(self, grid: Tensor, inside: Tensor) -> Tensor:
        """Normalise [n, c, rows, columns]; ``inside`` [n, 1, rows, columns] is 1 inside and 0 in padding.

        Returns:
            The same shape in float32, 0 in padding.
        """
        grid = grid.float()
        mean, variance = self._batch(grid, inside) if self.training else (self.running_mean, self.running_var)
        factor = self.weight * (variance + self.epsilon).rsqrt()  # [c]
        normal = (grid - mean[:, None, None]) * factor[:, None, None] + self.bias[:, None, None]
        return normal * inside

    def _batch(self, grid: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance [c] of the positions inside, and let the running ones follow."""
        count = inside.sum().clamp(min=1)
        mean = (grid * inside).sum((0, 2, 3)) / count
        variance = ((grid - mean[:, None, None]).square() * inside).sum((0, 2, 3)) / count
        with torch.no_grad():
            unbiased = variance * count / (count - 1).clamp(min=1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(unbiased, self.momentum)
        return mean, variance
