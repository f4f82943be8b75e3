"""Attention of the Transformer decoders, each usable on whole sequences and one token at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_MINUS_INFINITY = -1e4  # exp() of it is 0 in every precision, and 0 x it is finite


def split_heads(data: Tensor, heads: int) -> Tensor:
    """[b, t, d] -> [b, h, t, d / h]."""
    batch, time, width = data.shape
    return data.view(batch, time, heads, width // heads).transpose(1, 2)


def merge_heads(data: Tensor) -> Tensor:
    """[b, h, t, d / h] -> [b, t, d]."""
    return data.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Causal multi-head attention (Vaswani et al. 2017) with a cache of keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inputs = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, data: Tensor, cache: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Attend from every token to itself and those before it.

        Args:
            data: [b, t, d]; with a cache, t = 1: the newest token.
            cache: [b, 2, h, t_before, d / h], keys and values of the tokens before.

        Returns:
            Result [b, t, d] and the cache with the new tokens appended.
        """
        query, key, value = (split_heads(part, self.heads) for part in self.inputs(data).chunk(3, dim=-1))
        new = torch.stack([key, value], dim=1)
        cache = new if cache is None else torch.cat([cache, new], dim=3)
        # Spelled out: at these lengths twice as fast on a CPU as the fused operator's backward pass.
        scores = (query @ cache[:, 0].transpose(-1, -2) * query.shape[-1] ** -0.5).float()  # [b, h, t, t_all]
        if data.shape[1] > 1:
            scores = scores + torch.full(scores.shape[-2:], _MINUS_INFINITY, device=scores.device).triu(1)
        mixed = scores.softmax(-1).to(cache.dtype) @ cache[:, 1]
        result: Tensor = self.output(merge_heads(mixed))
        return result, cache


class CrossAttention(nn.Module):
    """Multi-head attention from tokens to positions; optionally refined by coverage.

    The refinement is that of CoMER (Zhao and Gao, "CoMER: Modeling Coverage for Transformer-based Handwritten
    Mathematical Expression Recognition", ECCV 2022, section 3.4, fusion coverage): the attention that
    earlier steps have spent, of this layer before refinement and of the layer below after it, passes
    through a convolution and is subtracted from the scores. Changed here: the sums are of the mean over
    heads and kept as state, there is no batch normalisation, and fewer channels.
    """

    def __init__(self, width: int, heads: int, coverage_channels: int = 0, kernel: int = 5) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.refine = None
        if coverage_channels:
            self.refine = nn.Sequential(
                nn.Conv2d(2, coverage_channels, kernel, padding=kernel // 2),
                nn.ReLU(),
                nn.Conv2d(coverage_channels, heads, 1, bias=False),
            )

    def scores(self, data: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        """Return unnormalised attention [b, h, t, p] of tokens [b, t, d] over keys [b, h, p, d / h]."""
        query = split_heads(self.query(data) * (data.shape[-1] // self.heads) ** -0.5, self.heads)
        return query @ keys.transpose(-1, -2) + mask

    def refined(self, scores: Tensor, coverage: Tensor) -> Tensor:
        """Return scores [b, h, t, p] less the refinement of a coverage [b, t, 2, rows, columns]."""
        assert self.refine is not None
        penalty: Tensor = self.refine(coverage.flatten(0, 1)).flatten(2)  # [b * t, h, p]
        return scores - penalty.view(*coverage.shape[:2], *penalty.shape[1:]).transpose(1, 2)

    def read(self, attention: Tensor, values: Tensor) -> Tensor:
        """Mix values [b, h, p, d / h] by attention [b, h, t, p] into [b, t, d]."""
        mixed: Tensor = self.output(merge_heads(attention.to(values.dtype) @ values))
        return mixed


def padding_mask(padding: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what is added to scores so that padding [b, p] is not attended to: [b, 1, 1, p]."""
    return padding[:, None, None].to(dtype) * _MINUS_INFINITY


def mean_over_heads(attention: Tensor) -> Tensor:
    """[b, h, t, p] -> [b, t, p], in float32."""
    return attention.mean(dim=1).float()


def spent_before(attention: Tensor) -> Tensor:
    """Return for each step the attention summed over the steps before it, [b, t, p] -> [b, t, p]."""
    return attention.cumsum(dim=1) - attention
