"""ResNet-18 to its third stage, with torchvision's names.

He et al., "Deep Residual Learning for Image Recognition" (CVPR 2016), table 1. Changed here: padding is kept
at 0 throughout, so that it never reaches a picture's features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut (section 4.1, option B); the names are torchvision's."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, grid: Tensor, inside: Tensor) -> Tensor:
        """[b, c_in, h, w] -> [b, c, h / stride, w / stride]; ``inside`` is at the output's resolution."""
        shortcut = grid if self.downsample is None else self.downsample(grid)
        inner = torch.relu(self.bn1(self.conv1(grid))) * inside
        return torch.relu(self.bn2(self.conv2(inner)) + shortcut) * inside


class ResNet18Trunk(nn.Module):
    """The layers of ResNet-18 from the first convolution to ``layer3``.

    Args:
        channels: of the three stages; those of ResNet-18 are 64, 128 and 256.
        stride: 16, or 8: without the max-pooling after the first convolution.
    """

    def __init__(self, channels: Sequence[int], stride: int) -> None:
        super().__init__()
        first, second, third = channels
        self.pools = stride == 16
        self.conv1 = nn.Conv2d(3, first, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.layer1 = nn.ModuleList([BasicBlock(first, first, 1), BasicBlock(first, first, 1)])
        self.layer2 = nn.ModuleList([BasicBlock(first, second, 2), BasicBlock(second, second, 1)])
        self.layer3 = nn.ModuleList([BasicBlock(second, third, 2), BasicBlock(third, third, 1)])
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor, inside: Tensor) -> Tensor:
        """Read pictures.

        Args:
            images: [b, 3, h, w], 0 outside the pictures; both sides multiples of the stride.
            inside: [b, 1, h, w], 1 within each picture and 0 outside.

        Returns:
            [b, d, h / stride, w / stride], 0 outside the pictures.
        """
        inside = inside[:, :, ::2, ::2]
        grid = torch.relu(self.bn1(self.conv1(images))) * inside
        if self.pools:
            inside = inside[:, :, ::2, ::2]
            grid = functional.max_pool2d(grid, 3, 2, 1) * inside
        for number, layer in enumerate((self.layer1, self.layer2, self.layer3)):
            if number:
                inside = inside[:, :, ::2, ::2]
            for block in cast(list[BasicBlock], layer):
                grid = block(grid, inside)
        return grid
