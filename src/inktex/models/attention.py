"""Attention of the Transformer decoders, each usable on whole sequences and one token at a time.

Tokens come as rows [g t, d], t of each of g groups: so a linear layer is one node of an exported graph, its
bias included.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

_MINUS_INFINITY = -1e4  # exp() of it is 0 in every precision, and 0 x it is finite


def split_heads(data: Tensor, groups: int, heads: int, size: int) -> Tensor:
    """[g t, h s] or [g, t, h s] -> [g, h, t, s], with s the size of a head."""
    return data.view(groups, -1, heads, size).transpose(1, 2)


def merge_heads(data: Tensor, width: int) -> Tensor:
    """[g, h, t, d / h] -> [g t, d], with d the width."""
    return data.transpose(1, 2).reshape(-1, width)  # sizes are given, or a graph would work them out


class Rows(NamedTuple):
    """Which of all rows of tokens are worked on, where labels in a batch differ much in length.

    Attributes:
        chosen: [m], their numbers.
        among: the number of all rows.
    """

    chosen: Tensor
    among: int

    def spread(self, data: Tensor) -> Tensor:
        """[m, ...] -> [all, ...], with zeros in all other rows."""
        return data.new_zeros((self.among, *data.shape[1:])).index_copy(0, self.chosen, data)


def rows_of(written: Tensor, multiple: int = 64) -> Rows:
    """Choose the rows that are written [count], and so many others that there are a multiple of some number:
    kernels are made for few sizes."""
    count = written.numel()
    most = min(count, -(-int(written.sum()) // multiple) * multiple)
    return Rows((~written).to(torch.uint8).argsort(stable=True)[:most].sort().values, count)


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
        self.width = width
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.inputs = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def step(
        self, data: Tensor, groups: int, keys: Tensor, values: Tensor, mask: Tensor, rows: Rows | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attend from the newest tokens of every hypothesis, t each, to themselves and those before them.

        Args:
            data: [g k t, d].
            groups: g.
            keys: [g, h, s, d / h], of the tokens before.
            values: [g, h, s, d / h].
            mask: [g, 1, k t, s + k t].
            rows: which of the g k t rows data and result hold; none: all.

        Returns:
            Result [g k t, d], and keys and values [g, h, s + k t, d / h] with those of the newest.
        """
        size = self.width // self.heads
        projected = self.inputs(data) if rows is None else rows.spread(self.inputs(data))
        every = split_heads(projected, groups, 3 * self.heads, size)
        parts = torch.split_with_sizes(every, 3 * [self.heads], dim=1)  # not chunk: ONNX has no such node
        query, key, value = parts
        keys, values = torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)
        # Spelled out: at these lengths twice as fast on a CPU as the fused operator's backward pass.
        scores = (query @ keys.transpose(-1, -2) * self.scale).float()  # [g, h, k t, s + k t]
        attention = (scores + mask).softmax(-1)
        merged = merge_heads(attention.to(values.dtype) @ values, self.width)
        mixed: Tensor = self.output(merged if rows is None else merged[rows.chosen])
        return mixed, keys, values


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
        self.width = width
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

    def scores(
        self, data: Tensor, groups: int, keys: Tensor, mask: Tensor, rows: Rows | None = None
    ) -> Tensor:
        """Return unnormalised attention [g, h, t, p] of tokens [g t, d] over keys [g, h, p, d / h]; if there
        are ``rows``, data holds only those."""
        asked = self.query(data) * self.scale
        query = split_heads(
            asked if rows is None else rows.spread(asked), groups, self.heads, self.width // self.heads
        )
        return query @ keys.transpose(-1, -2) + mask

    def refined(self, scores: Tensor, coverage: Tensor, rows: Rows | None = None) -> Tensor:
        """Return scores [g, h, t, p] less the refinement of a coverage [g t, 2, rows, columns], in ``rows``
        alone if there are any."""
        assert self.refine is not None
        if rows is not None:
            chosen = coverage[rows.chosen].to(scores.dtype).contiguous(memory_format=torch.channels_last)
            penalty = rows.spread(self.refine(chosen).flatten(2))
        else:
            penalty = self.refine(coverage)
        penalty = penalty.reshape(scores.shape[0], -1, self.heads, scores.shape[3])
        return scores - penalty.transpose(1, 2)

    def read(self, attention: Tensor, values: Tensor, rows: Rows | None = None) -> Tensor:
        """Mix values [g, h, p, d / h] by attention [g, h, t, p] into [g t, d], of that only ``rows`` if there
        are any."""
        merged = merge_heads(attention.to(values.dtype) @ values, self.width)
        mixed: Tensor = self.output(merged if rows is None else merged[rows.chosen])
        return mixed


def padding_mask(padding: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what is added to scores so that padding [b, p] is not attended to: [b, 1, 1, p]."""
    return padding[:, None, None].to(dtype) * _MINUS_INFINITY


def mean_over_heads(attention: Tensor) -> Tensor:
    """[b, h, t, p] -> [b, t, p], in float32."""
    return attention.mean(dim=1).float()


def spent(before: Tensor, attention: Tensor) -> tuple[Tensor, Tensor]:
    """Return the attention that is spent before each of t steps [n, t, ...] and after all of them [n, ...].

    Args:
        before: [n, ...], what earlier steps have spent.
        attention: [n, t, ...], of each step.
    """
    sums = torch.cat([before[:, None], attention], dim=1).cumsum(dim=1)
    return sums[:, :-1], sums[:, -1]
