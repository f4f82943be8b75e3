"""The family ``inktex``: a compact residual encoder and a Transformer decoder with coverage, in both
directions.

The decoder follows CoMER (Zhao and Gao, ECCV 2022), which follows BTTR (Zhao et al., ICDAR 2021) in reading
every label from left to right and from right to left with one set of weights: a sequence that begins with
``<sos>`` runs forwards, one that begins with ``<eos>`` backwards. Changed here: a residual encoder of
stride 8 on small canonical pictures instead of a DenseNet of stride 16 on large ones, normalisation before
each sublayer, coverage and keys kept as state so that a step costs the same at any length, and a map of
symbol classes over the positions, which training compares with the true symbols of the ink.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from inktex.models.attention import (
    Cache,
    CrossAttention,
    Memory,
    Rows,
    SelfAttention,
    empty_cache,
    mean_over_heads,
    padding_mask,
    rows_of,
    spent,
    split_heads,
    with_newest,
)
from inktex.models.encoders import ResidualEncoder
from inktex.models.interface import PADDING_ID, Features, Output, Step
from inktex.models.layers import Dropout, sinusoids


@dataclass(frozen=True)
class InktexOptions:
    """Sizes of the network.

    Attributes:
        channels: encoder channels at strides 2, 4 and 8.
        blocks: residual blocks at strides 2, 4 and 8.
        width: channels of features and decoder.
        layers: decoder layers; coverage refines the attention of all but the first.
        heads: attention heads.
        feed_forward: inner channels of the feed-forward sublayer.
        coverage_channels: channels of the coverage convolution.
        dropout: share of activations dropped in training.
        max_length: longest sequence that can be read or written, in tokens.
    """

    channels: tuple[int, int, int] = (32, 80, 192)
    blocks: tuple[int, int, int] = (1, 2, 4)
    width: int = 256
    layers: int = 2
    heads: int = 4
    feed_forward: int = 1024
    coverage_channels: int = 16
    dropout: float = 0.1
    max_length: int = 256


class State(NamedTuple):
    """What a hypothesis carries along.

    Attributes:
        length: [n], tokens read so far.
        cache: of the self-attention.
        coverage: of each layer but the first [n, 2, rows, columns], attention spent so far.
    """

    length: Tensor
    cache: Cache
    coverage: tuple[Tensor, ...]


class DecoderLayer(nn.Module):
    """Self-attention, attention to the picture, feed-forward; normalisation before each."""

    def __init__(self, options: InktexOptions, refines: bool) -> None:
        super().__init__()
        width = options.width
        self.heads = options.heads
        self.self_norm = nn.LayerNorm(width)
        self.self_attention = SelfAttention(width, options.heads)
        self.cross_norm = nn.LayerNorm(width)
        self.keys_values = nn.Linear(width, 2 * width)
        self.cross_attention = CrossAttention(
            width, options.heads, options.coverage_channels if refines else 0
        )
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, options.feed_forward),
            nn.ReLU(),
            nn.Linear(options.feed_forward, width),
        )
        self.dropout = Dropout(options.dropout)

    def memorise(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features [b, p, d] -> keys and values, each [b, h, p, d / h]."""
        keys, values = self.keys_values(features).chunk(2, -1)
        sizes = features.shape[0], self.heads, features.shape[2] // self.heads
        return split_heads(keys, *sizes), split_heads(values, *sizes)


class InktexModel(nn.Module):
    """The network; see :class:`inktex.models.interface.Model` for the methods' contract."""

    stride = ResidualEncoder.stride
    repeats_features = True

    def __init__(self, vocabulary_size: int, options: InktexOptions) -> None:
        super().__init__()
        self.options = options
        self.encoder = ResidualEncoder(options.channels, options.blocks, options.width, options.dropout)
        self.symbol_map = nn.Linear(options.width, vocabulary_size)
        self.embedding = nn.Embedding(vocabulary_size, options.width)
        self.register_buffer("positions", sinusoids(options.max_length, options.width), persistent=False)
        self.positions: Tensor
        self.layers = nn.ModuleList(DecoderLayer(options, refines=i > 0) for i in range(options.layers))
        self.norm = nn.LayerNorm(options.width)
        self.classifier = nn.Linear(options.width, vocabulary_size)
        self.dropout = Dropout(options.dropout)
        nn.init.normal_(self.embedding.weight, std=options.width**-0.5)
        nn.init.constant_(self.symbol_map.bias, -4.6)  # one class in a hundred at a position, as in the ink

    def encode(self, images: Tensor, padding: Tensor) -> Features:
        """Read pictures [b, 1, height, width]; sides and padding edges at multiples of 8."""
        features: Features = self.encoder(images, padding)
        return features._replace(symbol_map=self.symbol_map(features.data))

    def forward(self, features: Features, tokens: Tensor) -> Output:
        """Score whole sequences [b, t], or [k b, t] as if the features were repeated k times.

        In training nothing is worked out of rows that hold only padding: its scores are zeros.
        """
        memory, state = self.start(features)
        times = len(tokens) // len(features.data)
        if times > 1:  # keys and values are worked out once
            memory = Memory(
                tuple(keys.repeat(times, 1, 1, 1) for keys in memory.keys),
                tuple(values.repeat(times, 1, 1, 1) for values in memory.values),
                memory.padding.repeat(times, 1),
            )
            state = State(
                state.length.repeat(times),
                empty_cache(
                    memory.keys[0].transpose(1, 2).flatten(2), self.options.layers, self.options.heads
                ),
                tuple(coverage.repeat(times, 1, 1, 1) for coverage in state.coverage),
            )
        rows = rows_of((tokens != PADDING_ID).flatten()) if self.training else None
        logits, attention, _ = self.read(tokens, memory, state, rows)
        return Output(logits, attention)

    def start(self, features: Features) -> tuple[Memory, State]:
        """Lay out the memory of every picture and the empty state."""
        pictures, options = features.data.shape[0], self.options
        keys, values = zip(*(layer.memorise(features.data) for layer in self._layers()), strict=True)
        unspent = features.data.new_zeros((pictures, 2, *features.grid), dtype=torch.float32)
        state = State(
            length=torch.zeros(pictures, dtype=torch.long, device=features.data.device),
            cache=empty_cache(features.data, options.layers, options.heads),
            coverage=(unspent,) * (options.layers - 1),
        )
        return Memory(keys, values, features.padding), state

    def step(self, token: Tensor, memory: Memory, state: State) -> Step:
        """Feed one token [n] to every hypothesis."""
        logits, attention, state = self.read(token[:, None], memory, state)
        return Step(logits[:, 0], attention[:, 0], state)

    def read(self, tokens: Tensor, memory: Memory, state: State, rows: Rows | None = None) -> Step:
        """Feed t tokens [n, t] to every hypothesis; returns logits [n, t, v] and attention [n, t, p].

        With ``rows`` it is only those of the n t tokens that are worked on; the others' logits are zeros.
        """
        groups, steps = memory.padding.shape[0], tokens.shape[1]
        places = state.length[:, None] + torch.arange(steps, device=tokens.device)
        data = self._embed(tokens, places).view(-1, self.options.width)  # [g k t, d]
        data = self.dropout(data if rows is None else data[rows.chosen])
        mask = padding_mask(memory.padding, memory.keys[0].dtype)
        own = with_newest(state.cache.mask, groups, steps)  # [n, t, s + k t]
        others = own.view(groups, 1, -1, own.shape[2])
        below = torch.zeros(0)
        keys, values, coverages = [], [], []
        for index, layer in enumerate(self._layers()):
            cached = (state.cache.keys[index], state.cache.values[index])
            mixed, key, value = layer.self_attention.step(
                layer.self_norm(data), groups, *cached, others, rows
            )
            keys.append(key)
            values.append(value)
            data = data + layer.dropout(mixed)
            cross = layer.cross_attention
            scores = cross.scores(layer.cross_norm(data), groups, memory.keys[index], mask, rows)
            attention = scores.softmax(-1)  # [g, h, k t, p]
            if index:
                before = state.coverage[index - 1]  # [n, 2, rows, columns]
                now = torch.stack([mean_over_heads(attention), below], dim=2)  # [g, k t, 2, p]
                earlier, total = spent(before, now.view(-1, steps, 2, *before.shape[2:]))
                coverages.append(total)
                attention = cross.refined(scores, earlier.reshape(-1, 2, *before.shape[2:]), rows).softmax(-1)
            below = mean_over_heads(attention)  # [g, k t, p]
            data = data + layer.dropout(cross.read(attention, memory.values[index], rows))
            data = data + layer.dropout(layer.feed_forward(data))
        logits = self.classifier(self.norm(data))
        logits = (logits if rows is None else rows.spread(logits)).view(*tokens.shape, -1)
        cache = Cache(tuple(keys), tuple(values), own[:, -1])
        after = State(state.length + steps, cache, tuple(coverages))
        return Step(logits, below.view(*tokens.shape, -1), after)

    def _layers(self) -> list[DecoderLayer]:
        return cast(list[DecoderLayer], self.layers)

    def _embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Embed tokens [..., t] at positions [..., t] into [..., t, d]."""
        scale = self.options.width**0.5
        embedded: Tensor = self.embedding(tokens) * scale + self.positions[positions]
        return embedded
