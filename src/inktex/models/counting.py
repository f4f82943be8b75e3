"""Counting symbols in a picture without knowing where they are.

The branch of the multi-scale counting module of Li et al., "When Counting Meets HMER: Counting-Aware Network
for Handwritten Mathematical Expression Recognition", ECCV 2022, section 3.3. Changed here: means are over the
positions inside the picture, so that padding changes nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CountingBranch(nn.Module):
    """Maps of "part of a symbol of class v lies here" whose sums over the picture are counts.

    A convolution, weights for its channels from their means over the picture (channel attention), and a 1x1
    convolution to classes.
    """

    def __init__(self, channels: int, width: int, vocabulary_size: int, kernel: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.channels = nn.Sequential(
            nn.Linear(width, width // 16), nn.ReLU(), nn.Linear(width // 16, width), nn.Sigmoid()
        )
        self.classes = nn.Conv2d(width, vocabulary_size, 1, bias=False)

    def forward(self, grid: Tensor, inside: Tensor) -> Tensor:
        """Return maps [b, v, rows, columns] in float32, from 0 to 1, and 0 in padding.

        Args:
            grid: [b, c, rows, columns], 0 in padding.
            inside: [b, 1, rows, columns], 1 inside the picture and 0 in its padding.
        """
        grid = self.norm(self.convolution(grid)) * inside
        mean = grid.sum((2, 3)) / inside.sum((2, 3))  # [b, width]
        grid = grid * self.channels(mean)[:, :, None, None]
        return torch.sigmoid(self.classes(grid).float()) * inside.float()
