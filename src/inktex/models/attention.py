"""Attention of the Transformer decoders, each usable on whole sequences and one token at a time."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

_MINUS_INFINITY = -1e4  # exp() of it is 0 in every precision, and 0 x it is finite


def split_heads(data: Tensor, heads: int) -> Tensor:
    """[b, t, d] -> [b, h, t, d / h]."""
    batch, time, width = data.shape
    return data.view(batch, time, heads, width // heads).transpose(1, 2)


def merge_heads(data: Tensor) -> Tensor:
    """[b, h, t, d / h] -> [b, t, d]."""
    mixed = data.transpose(1, 2)
    return mixed.reshape(mixed.shape[0], mixed.shape[1], -1)  # flatten(2) is five nodes in a graph


class Memory(NamedTuple):
    """Keys and values of the positions that cross-attention reads; what is fixed for a picture.

    Attributes:
        keys: of each layer [g, h, p, d / h].
        values: of each layer [g, h, p, d / h].
        padding: [g, p].
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    padding: Tensor


class Cache(NamedTuple):
    """Keys and values of the tokens that hypotheses have read.

    The hypotheses of a group share one row of keys and values, in which the s tokens of all of them stand in
    the order they were read in. So hypotheses can be reordered, repeated and dropped without a key being
    moved: each knows by its ``mask`` which tokens are its own. Fields but the mask have a row a group.

    Attributes:
        keys: of each layer [g, h, s, d / h].
        values: of each layer [g, h, s, d / h].
        mask: [n, s], added to scores: 0 for the hypothesis's own tokens, and for others so low that their
            attention is 0.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    mask: Tensor


def empty_cache(features: Tensor, layers: int, heads: int) -> Cache:
    """Return the cache before the first token, a row a picture; features [b, p, d] tell the sizes."""
    pictures, _, width = features.shape
    empty = (features.new_zeros(pictures, heads, 0, width // heads),) * layers
    return Cache(empty, empty, features.new_zeros((pictures, 0), dtype=torch.float32))


def with_newest(mask: Tensor, groups: int, steps: int = 1) -> Tensor:
    """Return what tokens being read see, t of each hypothesis: [n, t, s + k t].

    That is, of those before what the mask [n, s] of the cache lets through, and of the newest k t of their
    group those of their own hypothesis that do not come after them. The last of each hypothesis sees all its
    tokens, so that its row is the next mask.
    """
    count, device = mask.shape[0], mask.device
    each = count // groups
    step = torch.arange(steps, device=device)
    place = (torch.arange(count, device=device) % each * steps)[:, None] + step  # [n, t], among the newest
    back = place[:, :, None] - torch.arange(each * steps, device=device)  # [n, t, k t]
    hidden = (back < 0) | (back > step[:, None])
    before = mask[:, None] + torch.zeros(steps, 1, device=device)
    return torch.cat([before, hidden.to(mask.dtype) * _MINUS_INFINITY], dim=2)


class SelfAttention(nn.Module):
    """Causal multi-head attention (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.inputs = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def step(self, data: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Attend from the newest tokens of every hypothesis, t each, to themselves and those before them.

        Args:
            data: [g, k t, d].
            keys: [g, h, s, d / h], of the tokens before.
            values: [g, h, s, d / h].
            mask: [g, 1, k t, s + k t].

        Returns:
            Result [g, k t, d], and keys and values [g, h, s + k t, d / h] with those of the newest.
        """
        query, key, value = self._split(data)
        keys, values = torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)
        # Spelled out: at these lengths twice as fast on a CPU as the fused operator's backward pass.
        scores = (query @ keys.transpose(-1, -2) * self.scale).float()  # [g, h, k t, s + k t]
        mixed: Tensor = self.output(merge_heads((scores + mask).softmax(-1).to(values.dtype) @ values))
        return mixed, keys, values

    def _split(self, data: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        parts = self.inputs(data).split(self.output.in_features, dim=-1)  # not chunk: ONNX has no such node
        query, key, value = (split_heads(part, self.heads) for part in parts)
        return query, key, value


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
        self.scale = (width // heads) ** -0.5
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
        query = split_heads(self.query(data) * self.scale, self.heads)
        return query @ keys.transpose(-1, -2) + mask

    def refined(self, scores: Tensor, coverage: Tensor) -> Tensor:
        """Return scores [b, h, t, p] less the refinement of a coverage [b * t, 2, rows, columns]."""
        assert self.refine is not None
        penalty: Tensor = self.refine(coverage).reshape(scores.shape[0], -1, self.heads, scores.shape[3])
        return scores - penalty.transpose(1, 2)

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
