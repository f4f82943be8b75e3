"""Convolutional encoders: a padded batch of pictures -> a grid of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from inktex.models.interface import Features
from inktex.models.layers import Dropout, GridPosition, ResidualBlock, masked_relu


class ResidualEncoder(nn.Module):
    """A compact residual network of output stride 8.

    A 5x5 convolution of stride 2 reads the picture; each stage after the first halves the resolution again.

    Args:
        channels: channels of the stages at strides 2, 4 and 8.
        blocks: residual blocks of each stage.
        width: channels of the features.
        dropout: share of features dropped in training.
    """

    stride = 8

    def __init__(self, channels: Sequence[int], blocks: Sequence[int], width: int, dropout: float) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, channels[0], 5, 2, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels[0])
        self.stages = nn.ModuleList()  # of lists of blocks
        before = channels[0]
        for number, (after, depth) in enumerate(zip(channels, blocks, strict=True)):
            stage = nn.ModuleList()
            for index in range(depth):
                stage.append(ResidualBlock(before, after, stride=2 if number and index == 0 else 1))
                before = after
            self.stages.append(stage)
        self.project = nn.Conv2d(before, width, 1)
        self.position = GridPosition(width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, images: Tensor, padding: Tensor) -> Features:
        """Encode pictures.

        Args:
            images: [b, 1, height, width], ink 1 on 0, both sides multiples of 8.
            padding: [b, height, width], True outside the picture; its edges at multiples of 8.

        Returns:
            Features of height / 8 x width / 8 positions.
        """
        inside = (~padding).unsqueeze(1).to(images.dtype)  # [b, 1, height, width]
        inside = inside[:, :, ::2, ::2]
        grid = masked_relu(self.stem_norm(self.stem(images)), inside, self.training)
        for number, stage in enumerate(cast(list[list[ResidualBlock]], self.stages)):
            if number:
                inside = inside[:, :, ::2, ::2]
            for block in stage:
                grid = block(grid, inside)
        grid = self.position(self.project(grid))  # [b, d, rows, columns]
        data = self.dropout(self.norm(grid.flatten(2).transpose(1, 2)))  # [b, p, d]
        outside = padding[:, :: self.stride, :: self.stride].flatten(1)  # [b, p]
        return Features(data, outside, (grid.shape[2], grid.shape[3]))
