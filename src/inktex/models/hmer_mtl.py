"""The family ``hmer_mtl``: a DenseNet and a Transformer decoder with coverage, and its two forerunners.

HMER-MTL (Nguyen, "HMER-MTL: Towards efficient recognition of handwritten mathematical expressions with
multi-task learning") is CoMER (Zhao and Gao, ECCV 2022) with block attention in the refinement of attention
and a second head that learns the label's structure. CoMER is BTTR (Zhao et al., "Handwritten Mathematical
Expression Recognition with Bidirectionally Trained Transformer", ICDAR 2021) with that refinement. Without
``cbam`` and ``structure_head`` the network is CoMER; without these and both coverages it is BTTR.

A sequence that begins with ``<sos>`` runs forwards, one that begins with ``<eos>`` backwards, with the same
weights. Changed here: keys, values and coverage are kept as state, so that a step costs the same at any
length; and padding is left out of pools and statistics (see :mod:`inktex.models.refinement`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from inktex.errors import ConfigError
from inktex.models.attention import (
    Cache,
    Memory,
    empty_cache,
    mean_over_heads,
    merge_heads,
    padding_mask,
    split_heads,
    with_newest,
)
from inktex.models.dense import DenseEncoder
from inktex.models.interface import Features, Output, Step
from inktex.models.layers import grid_positions, sinusoids
from inktex.models.refinement import AttentionRefinement


@dataclass(frozen=True)
class HmerMtlOptions:
    """Sizes and parts of the network.

    Attributes:
        growth: channels that each layer of a dense block adds.
        depth: layers of each of the three dense blocks.
        encoder_dropout: share of activations dropped in the dense blocks in training.
        width: channels of features and decoder; a multiple of 4 and of ``heads``.
        layers: decoder layers; coverage refines the attention of all but the first.
        heads: attention heads.
        feed_forward: inner channels of the feed-forward sublayer.
        dropout: share of activations and of attention dropped in the decoder in training.
        coverage_channels: channels of the coverage convolution.
        cross_coverage: refine attention by what the layer below has spent.
        self_coverage: refine attention by what the layer itself has spent before refinement.
        cbam: weigh channels and positions of the coverage convolution; nothing without coverage.
        structure_head: learn the label's structure with a second head; it is unused in recognition.
        max_length: longest sequence that can be read or written, in tokens.
    """

    growth: int = 24
    depth: int = 16
    encoder_dropout: float = 0.2
    width: int = 256
    layers: int = 3
    heads: int = 8
    feed_forward: int = 1024
    dropout: float = 0.3
    coverage_channels: int = 32
    cross_coverage: bool = True
    self_coverage: bool = True
    cbam: bool = True
    structure_head: bool = True
    max_length: int = 200

    def __post_init__(self) -> None:
        if self.width % 4 or self.width % self.heads:
            raise ConfigError(f"width must be a multiple of 4 and of heads ({self.heads}), got {self.width}")


class State(NamedTuple):
    """What a hypothesis carries along.

    Attributes:
        length: [n], tokens read so far.
        cache: of the self-attention.
        coverage: of each layer that is refined [n, c, rows, columns], attention spent so far.
    """

    length: Tensor
    cache: Cache
    coverage: tuple[Tensor, ...]


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2), initialised as PyTorch's own."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.width = width
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        for part in (self.query, self.key, self.value):
            nn.init.xavier_uniform_(part.weight, gain=0.5**0.5)  # PyTorch stacks them: [3d, d], not [d, d]
            nn.init.zeros_(part.bias)
        nn.init.zeros_(self.output.bias)

    def pairs(self, data: Tensor, groups: int) -> tuple[Tensor, Tensor]:
        """[g p, d] or [g, p, d] -> keys and values, each [g, h, p, d / h]."""
        sizes = groups, self.heads, self.width // self.heads
        return split_heads(self.key(data), *sizes), split_heads(self.value(data), *sizes)

    def scores(self, data: Tensor, keys: Tensor) -> Tensor:
        """Return unnormalised attention [g, h, t, p] of [g t, d], in float32."""
        size = self.width // self.heads
        query = split_heads(self.query(data) * self.scale, keys.shape[0], self.heads, size)
        return (query @ keys.transpose(-1, -2)).float()

    def read(self, attention: Tensor, values: Tensor) -> Tensor:
        """Mix values by attention [g, h, t, p] into [g t, d]."""
        return cast(Tensor, self.output(merge_heads(attention.to(values.dtype) @ values, self.width)))


class DecoderLayer(nn.Module):
    """Self-attention, attention to the picture, feed-forward; normalisation after each."""

    def __init__(self, options: HmerMtlOptions) -> None:
        super().__init__()
        width = options.width
        self.self_attention = Attention(width, options.heads)
        self.self_norm = nn.LayerNorm(width)
        self.cross_attention = Attention(width, options.heads)
        self.cross_norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, options.feed_forward),
            nn.ReLU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.feed_forward, width),
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(options.dropout)

    def recall(
        self, data: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attend from tokens [g t, d] to themselves and those before; return the result, keys and values."""
        key, value = self.self_attention.pairs(data, mask.shape[0])
        keys, values = torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)
        attention = self.dropout((self.self_attention.scores(data, keys) + mask).softmax(-1))
        mixed = self.self_attention.read(attention, values)
        return self.self_norm(data + self.dropout(mixed)), keys, values

    def look(self, data: Tensor, attention: Tensor, values: Tensor) -> Tensor:
        """Take in the picture by attention [g, h, t, p], then feed forward; [g t, d] -> [g t, d]."""
        data = self.cross_norm(data + self.dropout(self.cross_attention.read(attention, values)))
        return cast(Tensor, self.norm(data + self.dropout(self.feed_forward(data))))


class HmerMtlModel(nn.Module):
    """The network; see :class:`inktex.models.interface.Model` for the methods' contract."""

    stride = DenseEncoder.stride

    def __init__(self, vocabulary_size: int, options: HmerMtlOptions) -> None:
        super().__init__()
        self.options = options
        width = options.width
        self.encoder = DenseEncoder(options.growth, options.depth, options.encoder_dropout)
        self.project = nn.Conv2d(self.encoder.channels, width, 1)
        self.features_norm = nn.LayerNorm(width)
        self.embedding = nn.Sequential(nn.Embedding(vocabulary_size, width), nn.LayerNorm(width))
        places = sinusoids(options.max_length, width).view(-1, 2, width // 2)  # sines, cosines
        self.register_buffer("positions", places.transpose(1, 2).flatten(1), persistent=False)  # in turn
        self.positions: Tensor
        self.positions_norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(DecoderLayer(options) for _ in range(options.layers))
        self.refinement = None  # one for all layers
        if options.cross_coverage or options.self_coverage:
            parts = options.cross_coverage, options.self_coverage, options.cbam
            self.refinement = AttentionRefinement(options.heads, options.coverage_channels, *parts)
        self.classifier = nn.Linear(width, vocabulary_size)
        self.structure = nn.Linear(width, vocabulary_size) if options.structure_head else None

    def encode(self, images: Tensor, padding: Tensor) -> Features:
        """Read pictures [b, 1, height, width]."""
        grid, outside = self.encoder(images, padding)  # [b, channels, rows, columns], [b, rows, columns]
        data = self.project(grid).movedim(1, -1)
        data = self.features_norm(data + grid_positions(outside, self.options.width))
        return Features(data.flatten(1, 2), outside.flatten(1), (grid.shape[2], grid.shape[3]))

    def start(self, features: Features) -> tuple[Memory, State]:
        """Lay out the memory of every picture and the empty state."""
        pictures, options = features.data.shape[0], self.options
        pairs = (layer.cross_attention.pairs(features.data, pictures) for layer in self._layers())
        keys, values = zip(*pairs, strict=True)
        coverage: tuple[Tensor, ...] = ()
        if self.refinement is not None:
            shape = (pictures, self.refinement.coverage_channels, *features.grid)
            coverage = (features.data.new_zeros(shape, dtype=torch.float32),) * (options.layers - 1)
        length = torch.zeros(pictures, dtype=torch.long, device=features.data.device)
        cache = empty_cache(features.data, options.layers, options.heads)
        return Memory(keys, values, features.padding), State(length, cache, coverage)

    def forward(self, features: Features, tokens: Tensor) -> Output:
        """Score whole sequences [b, t]."""
        data, attention, _ = self._pass(tokens, *self.start(features))
        structure = None if self.structure is None else self.structure(data)
        return Output(self.classifier(data), attention, structure)

    def step(self, token: Tensor, memory: Memory, state: State) -> Step:
        """Feed one token [n] to every hypothesis."""
        logits, attention, state = self.read(token[:, None], memory, state)
        return Step(logits[:, 0], attention[:, 0], state)

    def read(self, tokens: Tensor, memory: Memory, state: State) -> Step:
        """Feed t tokens [n, t] to every hypothesis."""
        data, attention, state = self._pass(tokens, memory, state)
        return Step(self.classifier(data), attention, state)

    def _pass(self, tokens: Tensor, memory: Memory, state: State) -> tuple[Tensor, Tensor, State]:
        """Pass tokens [n, t] through all layers: [n, t, d], attention [n, t, p], and the state after them."""
        groups, steps = memory.padding.shape[0], tokens.shape[1]
        places = state.length[:, None] + torch.arange(steps, device=tokens.device)
        data = self.positions_norm(self.embedding(tokens) + self.positions[places])  # [n, t, d]
        data = data.view(-1, self.options.width)  # [g k t, d]
        outside = padding_mask(memory.padding, torch.float32)  # [g, 1, 1, p]
        mask = with_newest(state.cache.mask, groups, steps)  # [n, t, s + k t]
        others = mask.view(groups, 1, -1, mask.shape[2])
        below = attention = torch.zeros(0)
        keys, values, coverages = [], [], []
        for index, layer in enumerate(self._layers()):
            cached = (state.cache.keys[index], state.cache.values[index])
            data, key, value = layer.recall(data, *cached, others)
            keys.append(key)
            values.append(value)
            scores = layer.cross_attention.scores(data, memory.keys[index]) + outside
            attention = scores.softmax(-1)  # [g, h, k t, p]
            if index and self.refinement is not None:
                own, spent = layer.dropout(attention), state.coverage[index - 1]
                refinement, spent = self.refinement(below, own, spent, memory.padding)
                coverages.append(spent)
                attention = (scores - refinement).softmax(-1)
            below = layer.dropout(attention)
            data = layer.look(data, below, memory.values[index])
        after = State(state.length + steps, Cache(tuple(keys), tuple(values), mask[:, -1]), tuple(coverages))
        seen = mean_over_heads(attention)  # [g, k t, p]
        return data.view(*tokens.shape, -1), seen.view(*tokens.shape, -1), after

    def _layers(self) -> list[DecoderLayer]:
        return cast(list[DecoderLayer], self.layers)
