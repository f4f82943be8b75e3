"""Coverage for attention with heads: the attention refinement module of CoMER and the block attention in it.

The module (ARM) is that of Zhao and Gao, "CoMER: Modeling Coverage for Transformer-based Handwritten
Mathematical Expression Recognition", ECCV 2022, sections 3.3 and 3.4. Block attention (CBAM) is that of Woo
et al., "CBAM: Convolutional Block Attention Module", ECCV 2018. Changed here: pools and statistics of a
normalisation are over the positions inside pictures alone, so that padding changes nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inktex.models.layers import MaskedBatchNorm


class BlockAttention(nn.Module):
    """CBAM: weights for the channels, then weights for the positions.

    Args:
        channels: of the grid.
        ratio: how many times fewer channels there are between the two layers for channels.
        kernel: side of the convolution for positions.
    """

    def __init__(self, channels: int, ratio: int = 2, kernel: int = 7) -> None:
        super().__init__()
        self.channels = nn.Sequential(
            nn.Linear(channels, channels // ratio), nn.ReLU(), nn.Linear(channels // ratio, channels)
        )
        self.positions = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)
        self.norm = MaskedBatchNorm(1)

    def forward(self, grid: Tensor, inside: Tensor) -> Tensor:
        """Weigh a grid [n, c, rows, columns] that is at least 0 inside, and 0 in padding.

        ``inside`` [n, 1, rows, columns] is 1 inside and 0 in padding.
        """
        mean = grid.sum((2, 3)) / inside.sum((2, 3)).clamp(min=1)  # [n, c]
        largest = grid.amax((2, 3))  # the 0 of padding is never above what is inside
        weights = torch.sigmoid(self.channels(mean) + self.channels(largest))
        grid = grid * weights[:, :, None, None]
        pooled = torch.cat([grid.mean(1, keepdim=True), grid.amax(1, keepdim=True)], dim=1)
        return grid * torch.sigmoid(self.norm(self.positions(pooled), inside))


class AttentionRefinement(nn.Module):
    """ARM: what the attention spent so far takes from the scores of the next step.

    Args:
        heads: of the attention.
        channels: of the convolution.
        cross: see the refined attention of the layer below.
        own: see the attention of the layer itself before refinement.
        block_attention: weigh the convolution's channels and positions by CBAM.
    """

    def __init__(self, heads: int, channels: int, cross: bool, own: bool, block_attention: bool) -> None:
        super().__init__()
        self.cross, self.own = cross, own
        self.coverage_channels = heads * (cross + own)
        self.convolution = nn.Conv2d(self.coverage_channels, channels, 5, padding=2)
        self.block_attention = BlockAttention(channels) if block_attention else None
        self.to_heads = nn.Conv2d(channels, heads, 1, bias=False)
        self.norm = MaskedBatchNorm(heads)

    def forward(self, below: Tensor, own: Tensor, spent: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Return what to subtract from the scores of some steps.

        Args:
            below: [g, h, k t, p], refined attention of the layer below; 0 in padding.
            own: [g, h, k t, p], attention of this layer before refinement; 0 in padding.
            spent: [n, c, rows, columns], attention summed over the steps before these.
            padding: [g, p].

        Returns:
            The refinement [g, h, k t, p], and what is spent [n, c, rows, columns] once these steps are too.
        """
        seen = [part for part, used in ((below, self.cross), (own, self.own)) if used]
        attention = torch.cat(seen, dim=1).transpose(1, 2)  # [g, k t, c, p]
        groups, every = attention.shape[:2]
        attention = attention.reshape(spent.shape[0], -1, *spent.shape[1:])  # [n, t, c, rows, columns]
        coverage = spent[:, None] + attention.cumsum(1) - attention  # without the step's own attention
        inside = (~padding).to(spent.dtype).view(groups, 1, 1, *spent.shape[2:])
        inside = inside.expand(-1, every, -1, -1, -1).flatten(0, 1)  # [n * t, 1, rows, columns]
        grid = torch.relu(self.convolution(coverage.flatten(0, 1))) * inside
        if self.block_attention is not None:
            grid = self.block_attention(grid, inside)
        refinement: Tensor = self.norm(self.to_heads(grid), inside).flatten(2)  # [n * t, h, p]
        refinement = refinement.view(groups, every, *refinement.shape[1:]).transpose(1, 2)
        return refinement, spent + attention.sum(1)
