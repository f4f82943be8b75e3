"""Small parts that several families share: positional encodings and residual convolution blocks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def sinusoids(length: int, channels: int) -> Tensor:
    """Return the encoding [length, channels] of Vaswani et al. 2017, section 3.5: sines, then cosines."""
    frequencies = torch.exp(torch.arange(0, channels, 2) * (-math.log(10000.0) / channels))
    angles = torch.arange(length)[:, None] * frequencies  # [length, channels / 2]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class GridPosition(nn.Module):
    """Adds the encoding of the row to one half of the channels and that of the column to the other.

    Positions count cells from the top left corner; they are not divided by the picture's size, since
    canonical pictures show symbols at one size.
    """

    def __init__(self, channels: int, rows: int = 64, columns: int = 256) -> None:
        super().__init__()
        self.register_buffer("rows", sinusoids(rows, channels // 2), persistent=False)
        self.register_buffer("columns", sinusoids(columns, channels // 2), persistent=False)
        self.rows: Tensor
        self.columns: Tensor

    def forward(self, grid: Tensor) -> Tensor:
        """[b, d, rows, columns] -> the same shape."""
        _, channels, height, width = grid.shape
        vertical = self.rows[:height].T[:, :, None].expand(channels // 2, height, width)
        horizontal = self.columns[:width].T[:, None, :].expand(channels // 2, height, width)
        return grid + torch.cat([vertical, horizontal]).to(grid.dtype)


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
        inner = torch.relu(self.first_norm(self.first(grid))) * inside
        return torch.relu(self.second_norm(self.second(inner)) + self.shortcut(grid)) * inside
