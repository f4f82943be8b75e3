"""The family ``im2latex``: ResNet-18 to its third stage and a plain Transformer decoder.

It is the network of image-to-latex (kingyiusuen) and of its extension to formulas mixed with Chinese text,
which deepened the decoder from 3 layers to 5 and raised the longest output from 150 tokens to 400. The
convolutions are those of He et al. 2016 (see :mod:`inktex.models.resnet`), the decoder is that of Vaswani et
al., "Attention Is All You Need" (2017), normalisation after each sublayer.

Changed here: ink is 1 on 0 instead of raw grey values; padding is masked, where the published network read
it; keys and values are kept as state, so that a step costs the same at any length; and positions are
computed and not stored, so that a longer ``max_length`` throws no weights away. Sines and cosines of
positions stand in halves rather than alternating, which is a renumbering of channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from inktex.models.attention import (
    Cache,
    CrossAttention,
    Memory,
    empty_cache,
    mean_over_heads,
    padding_mask,
    split_heads,
    with_newest,
)
from inktex.models.interface import Features, Output, Step
from inktex.models.layers import GridPosition, pad_to_multiple, sinusoids
from inktex.models.pretrained import load_torchvision_weights
from inktex.models.resnet import ResNet18Trunk

_IMAGENET_FILE = "resnet18-f37072fd.pth"


@dataclass(frozen=True)
class Im2latexOptions:
    """Sizes of the network.

    Attributes:
        channels: of the three stages of ResNet-18.
        stride: pixels a position stands for; 8 leaves out the max-pooling, for small pictures.
        width: channels of features and decoder.
        layers: decoder layers; published with 3, then 5.
        heads: attention heads.
        feed_forward: inner channels of the feed-forward sublayer.
        dropout: share of activations dropped in training in the decoder's layers.
        position_dropout: share dropped of embedded tokens.
        max_length: longest sequence that can be read or written, in tokens.
    """

    channels: tuple[int, int, int] = (64, 128, 256)
    stride: Literal[16, 8] = 16
    width: int = 128
    layers: int = 5
    heads: int = 4
    feed_forward: int = 256
    dropout: float = 0.3
    position_dropout: float = 0.1
    max_length: int = 400


class State(NamedTuple):
    """What a hypothesis carries along.

    Attributes:
        length: [n], tokens read so far.
        cache: of the self-attention.
    """

    length: Tensor
    cache: Cache


class _Read(NamedTuple):
    """Keys and values [b, h, p, d / h] of what is read, and what is added to scores."""

    keys: Tensor
    values: Tensor
    mask: Tensor


class _Passed(NamedTuple):
    """What a layer gives: data [g t, d] and attention [g, t, p]."""

    data: Tensor
    attention: Tensor


class DecoderLayer(nn.Module):
    """Self-attention, attention to the picture, feed-forward; normalisation after each."""

    def __init__(self, options: Im2latexOptions) -> None:
        super().__init__()
        width = options.width
        self.heads = options.heads
        self.own_keys_values = nn.Linear(width, 2 * width)
        self.self_attention = CrossAttention(width, options.heads)  # whose positions are the tokens so far
        self.self_norm = nn.LayerNorm(width)
        self.keys_values = nn.Linear(width, 2 * width)
        self.cross_attention = CrossAttention(width, options.heads)
        self.cross_norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, options.feed_forward),
            nn.ReLU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.feed_forward, width),
        )
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(options.dropout)

    def memorise(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features [b, p, d] -> keys and values, each [b, h, p, d / h]."""
        keys, values = self.keys_values(features).chunk(2, -1)
        sizes = features.shape[0], self.heads, features.shape[2] // self.heads
        return split_heads(keys, *sizes), split_heads(values, *sizes)

    def recall(self, data: Tensor, groups: int) -> tuple[Tensor, Tensor]:
        """Tokens [g t, d] -> their keys and values, each [g, h, t, d / h]."""
        keys, values = self.own_keys_values(data).chunk(2, -1)
        sizes = groups, self.heads, data.shape[1] // self.heads
        return split_heads(keys, *sizes), split_heads(values, *sizes)

    def forward(self, data: Tensor, groups: int, tokens: _Read, picture: _Read) -> _Passed:
        """Pass tokens [g t, d] on, given what there is to read of tokens and of the picture."""
        own = self.self_attention.scores(data, groups, tokens.keys, tokens.mask).float().softmax(-1)
        mixed = self.self_attention.read(self.dropout(own), tokens.values)
        data = self.self_norm(data + self.dropout(mixed))
        attention = self.cross_attention.scores(data, groups, picture.keys, picture.mask).float().softmax(-1)
        seen = self.cross_attention.read(self.dropout(attention), picture.values)
        data = self.cross_norm(data + self.dropout(seen))
        data = self.feed_forward_norm(data + self.dropout(self.feed_forward(data)))
        return _Passed(data, mean_over_heads(attention))


class Im2latexModel(nn.Module):
    """The network; see :class:`inktex.models.interface.Model` for the methods' contract."""

    stride: int = 16

    def __init__(self, vocabulary_size: int, options: Im2latexOptions) -> None:
        super().__init__()
        self.options = options
        self.stride = options.stride
        width = options.width
        self.trunk = ResNet18Trunk(options.channels, options.stride)
        self.project = nn.Conv2d(options.channels[-1], width, 1)
        self.grid_position = GridPosition(width)
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.register_buffer("positions", sinusoids(options.max_length, width), persistent=False)
        self.positions: Tensor
        self.position_dropout = nn.Dropout(options.position_dropout)
        self.layers = nn.ModuleList(DecoderLayer(options) for _ in range(options.layers))
        self.classifier = nn.Linear(width, vocabulary_size)
        nn.init.kaiming_normal_(self.project.weight, mode="fan_out", nonlinearity="relu")
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.uniform_(self.classifier.weight, -0.1, 0.1)
        nn.init.zeros_(self.classifier.bias)

    def load_imagenet(self, path: Path) -> int:
        """Start the convolutions from ImageNet, by torchvision's file ``resnet18-f37072fd.pth``.

        Returns:
            How many tensors were taken.

        Raises:
            RunError: the file is missing, cannot be read or does not fit.
        """
        return load_torchvision_weights(self.trunk, path, _IMAGENET_FILE)

    def encode(self, images: Tensor, padding: Tensor) -> Features:
        """Read pictures [b, 1, height, width] of any size."""
        images, padding = pad_to_multiple(images, padding, self.stride)
        inside = (~padding).unsqueeze(1).to(images.dtype)  # [b, 1, height, width]
        grid = self.trunk((images * inside).expand(-1, 3, -1, -1), inside)
        grid = self.grid_position(self.project(grid))  # [b, d, rows, columns]
        outside = padding[:, :: self.stride, :: self.stride].flatten(1)  # [b, p]
        return Features(grid.flatten(2).transpose(1, 2), outside, (grid.shape[2], grid.shape[3]))

    def forward(self, features: Features, tokens: Tensor) -> Output:
        """Score whole sequences [b, t]."""
        logits, attention, _ = self.read(tokens, *self.start(features))
        return Output(logits, attention)

    def start(self, features: Features) -> tuple[Memory, State]:
        """Lay out the memory of every picture and the empty state."""
        pictures, options = features.data.shape[0], self.options
        keys, values = zip(*(layer.memorise(features.data) for layer in self._layers()), strict=True)
        length = torch.zeros(pictures, dtype=torch.long, device=features.data.device)
        cache = empty_cache(features.data, options.layers, options.heads)
        return Memory(keys, values, features.padding), State(length, cache)

    def step(self, token: Tensor, memory: Memory, state: State) -> Step:
        """Feed one token [n] to every hypothesis."""
        logits, attention, state = self.read(token[:, None], memory, state)
        return Step(logits[:, 0], attention[:, 0], state)

    def read(self, tokens: Tensor, memory: Memory, state: State) -> Step:
        """Feed t tokens [n, t] to every hypothesis."""
        groups, steps = memory.padding.shape[0], tokens.shape[1]
        places = state.length[:, None] + torch.arange(steps, device=tokens.device)
        data = self._embed(tokens, places).view(-1, self.options.width)  # [g k t, d]
        mask = padding_mask(memory.padding, torch.float32)
        own = with_newest(state.cache.mask, groups, steps)  # [n, t, s + k t]
        others = own.view(groups, 1, -1, own.shape[2])
        attention = torch.zeros(0)
        keys, values = [], []
        for index, layer in enumerate(self._layers()):
            key, value = layer.recall(data, groups)
            keys.append(torch.cat([state.cache.keys[index], key], dim=2))
            values.append(torch.cat([state.cache.values[index], value], dim=2))
            picture = _Read(memory.keys[index], memory.values[index], mask)
            data, attention = layer(data, groups, _Read(keys[-1], values[-1], others), picture)
        after = State(state.length + steps, Cache(tuple(keys), tuple(values), own[:, -1]))
        shape = (*tokens.shape, -1)
        return Step(self.classifier(data).view(shape), attention.view(shape), after)

    def _layers(self) -> list[DecoderLayer]:
        return cast(list[DecoderLayer], self.layers)

    def _embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Embed tokens [..., t] at positions [..., t] into [..., t, d]."""
        scale = self.options.width**0.5
        embedded: Tensor = self.position_dropout(self.embedding(tokens) * scale + self.positions[positions])
        return embedded
