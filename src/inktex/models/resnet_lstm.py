"""The family ``resnet_lstm``: a deep convolutional encoder and an attention decoder with an LSTM.

Li et al., "Improving Attention-Based Handwritten Mathematical Expression Recognition with Scale Augmentation
and Drop Attention" (ICFHR 2020, arXiv 2007.10092). With f the features, q the encoding of their places, h the
LSTM's output, s the attention spent so far and y the token before, one step is::

    h  = LSTM([E y, c'], h)                         (of the step before: c' and h)
    e  = W_e tanh(W_f f + W_q q + W_h h + W_s s)    for every position
    a  = softmax of e over positions
    c  = sum of a * f,   p = g(c, h)
    s  = s + a,   c' = sum of a * (f + q)           (for the step after)

The encoder has the channel plan of ResNet-18 with all strides 1, max-pooling instead, and dropout. Layers and
sizes are those published with these formulas: every matrix of the attention is d x d, so e, a and s have one
value a channel, ``*`` is the product of elements and every channel has its own distribution over positions
(``maps`` = d). ``maps`` = 1 is one distribution for all channels, as in the paper.

Changed here: softmax is over positions, as the formula has it (the published code normalised over channels,
which makes a gate and no attention); places are told in two dimensions, so that padding does not move them;
ink is 1 on 0. As published, g is two matrices with nothing between. Drop attention (see
:mod:`inktex.models.drop_attention`) acts on what is read, c and c'; what is remembered, s, and what is
reported is where the step meant to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from inktex.errors import ConfigError
from inktex.models.drop_attention import DropAttention
from inktex.models.interface import Features, Output, Step
from inktex.models.layers import GridPosition, for_each, pad_to_multiple

_OUTSIDE = -1e9  # score of padding: far below what drop attention takes off


@dataclass(frozen=True)
class ResnetLstmOptions:
    """Sizes of the network.

    Attributes:
        channels: of the encoder's four stages; the last is also the decoder's width.
        stride: pixels a position stands for; 16 and 8 leave out the last poolings, for small pictures.
        encoder_dropout: share of channels dropped in training after each stage.
        maps: distributions of attention a step, each for its share of the channels; 1 is the paper's.
        abandon: probability, a step, that the highest attention is zeroed in training.
        suppress: probability, a step, that it is damped.
        suppress_factor: what damped attention is multiplied by.
        drop_share: how much of a step's attention counts as the highest.
        max_length: most tokens of a sequence.
    """

    channels: tuple[int, int, int, int] = (64, 128, 256, 512)
    stride: Literal[32, 16, 8] = 32
    encoder_dropout: tuple[float, float, float, float] = (0.1, 0.2, 0.3, 0.3)
    maps: int = 512
    abandon: float = 0.1
    suppress: float = 0.1
    suppress_factor: float = 0.3
    drop_share: float = 0.5
    max_length: int = 256

    def __post_init__(self) -> None:
        if self.maps < 1 or self.channels[-1] % self.maps:
            raise ConfigError(f"maps must divide the {self.channels[-1]} channels, got {self.maps}")


class Memory(NamedTuple):
    """What is fixed for a picture.

    Attributes:
        features: [g, p, d], f.
        placed: [g, p, d], f + q.
        keys: [g, p, d], W_f f + W_q q.
        padding: [g, p].
    """

    features: Tensor
    placed: Tensor
    keys: Tensor
    padding: Tensor


class State(NamedTuple):
    """What a hypothesis carries along.

    Attributes:
        hidden: [n, d], h.
        cell: [n, d], the LSTM's memory.
        context: [n, d], c' of the step before.
        spent: [n, p, m], s.
    """

    hidden: Tensor
    cell: Tensor
    context: Tensor
    spent: Tensor


class _Seen(NamedTuple):
    """What a step saw: context and hidden state [n, 2d], attention [n, p], and the state after it."""

    joined: Tensor
    attention: Tensor
    state: State


class Stage(nn.Module):
    """Four 3x3 convolutions of stride 1 with batch normalisation, in two pairs; then pooling and dropout."""

    def __init__(self, channels_in: int, channels: int, pools: bool, dropout: float) -> None:
        super().__init__()
        sizes = (channels_in, channels, channels, channels)
        self.convolutions = nn.ModuleList(nn.Conv2d(size, channels, 3, 1, 1, bias=False) for size in sizes)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in sizes)
        self.pools = pools
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, grid: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """[b, c_in, h, w] -> [b, c, h', w'], halved if it pools; ``inside`` [b, 1, h, w] likewise."""
        for index, (convolve, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            grid = norm(convolve(grid))
            grid = (grid if index % 2 else grid.relu()) * inside
        if self.pools:
            grid, inside = functional.max_pool2d(grid, 2), inside[:, :, ::2, ::2]
        return self.dropout(grid), inside


class PlainEncoder(nn.Module):
    """Seventeen convolutions; the picture is halved by max-pooling alone.

    Args:
        channels: of the four stages.
        stride: of the output; the first pooling and as many stages' poolings as it takes are made.
        dropout: share of channels dropped after each stage.
    """

    def __init__(self, channels: Sequence[int], stride: int, dropout: Sequence[float]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels[0], 3, 1, 1)
        self.stem_norm = nn.BatchNorm2d(channels[0])
        self.stages = nn.ModuleList()
        before = channels[0]
        for number, (after, share) in enumerate(zip(channels, dropout, strict=True)):
            self.stages.append(Stage(before, after, 2 ** (number + 2) <= stride, share))
            before = after

    def forward(self, images: Tensor, inside: Tensor) -> Tensor:
        """[b, 3, h, w] -> [b, d, h / stride, w / stride], both 0 where ``inside`` [b, 1, h, w] is."""
        grid = functional.max_pool2d(self.stem(images) * inside, 2)
        inside = inside[:, :, ::2, ::2]
        grid = torch.relu(self.stem_norm(grid)) * inside
        for stage in cast(list[Stage], self.stages):
            grid, inside = stage(grid, inside)
        return grid


class ResnetLstmModel(nn.Module):
    """The network; see :class:`inktex.models.interface.Model` for the methods' contract."""

    stride: int = 32

    def __init__(self, vocabulary_size: int, options: ResnetLstmOptions) -> None:
        super().__init__()
        self.options = options
        self.stride = options.stride
        width, maps = options.channels[-1], options.maps
        self.encoder = PlainEncoder(options.channels, options.stride, options.encoder_dropout)
        self.grid_position = GridPosition(width)
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.gates = nn.Linear(3 * width, 4 * width, bias=False)  # the LSTM: of [E y, c', h]
        self.of_features = nn.Linear(width, width, bias=False)  # W_f
        self.of_places = nn.Linear(width, width, bias=False)  # W_q
        self.of_hidden = nn.Linear(width, width, bias=False)  # W_h
        self.of_spent = nn.Linear(maps, width, bias=False)  # W_s
        self.energy = nn.Linear(width, maps, bias=False)  # W_e
        self.drop = DropAttention(
            options.abandon, options.suppress, options.suppress_factor, options.drop_share
        )
        self.join = nn.Linear(2 * width, width, bias=False)
        self.classifier = nn.Linear(width, vocabulary_size, bias=False)

    def encode(self, images: Tensor, padding: Tensor) -> Features:
        """Read pictures [b, 1, height, width] of any size."""
        images, padding = pad_to_multiple(images, padding, self.stride)
        inside = (~padding).unsqueeze(1).to(images.dtype)  # [b, 1, height, width]
        grid = self.encoder((images * inside).expand(-1, 3, -1, -1), inside)  # [b, d, rows, columns]
        outside = padding[:, :: self.stride, :: self.stride].flatten(1)  # [b, p]
        return Features(grid.flatten(2).transpose(1, 2), outside, (grid.shape[2], grid.shape[3]))

    def start(self, features: Features) -> tuple[Memory, State]:
        """Lay out the memory of every picture and the empty state."""
        data = features.data
        pictures, positions, width = data.shape
        nowhere = data.new_zeros((1, width, *features.grid))
        places = self.grid_position(nowhere).flatten(2).transpose(1, 2)  # [1, p, d]
        keys = self.of_features(data) + self.of_places(places)
        nothing = data.new_zeros((pictures, width), dtype=torch.float32)
        unspent = data.new_zeros((pictures, positions, self.options.maps), dtype=torch.float32)
        return Memory(data, data + places, keys, features.padding), State(nothing, nothing, nothing, unspent)

    def step(self, token: Tensor, memory: Memory, state: State) -> Step:
        """Feed one token [n] to every hypothesis."""
        seen = self._look(self.embedding(token), memory, state)
        return Step(self.classifier(self.join(seen.joined)), seen.attention, seen.state)

    def forward(self, features: Features, tokens: Tensor) -> Output:
        """Score whole sequences [b, t]."""
        memory, state = self.start(features)
        joined, attention = [], []
        for embedded in self.embedding(tokens).unbind(1):
            seen = self._look(embedded, memory, state)
            state = seen.state
            joined.append(seen.joined)
            attention.append(seen.attention)
        return Output(self.classifier(self.join(torch.stack(joined, 1))), torch.stack(attention, 1))

    def _look(self, embedded: Tensor, memory: Memory, state: State) -> _Seen:
        """One step, given the embedded token before [n, d]."""
        gates = self.gates(torch.cat([embedded.float(), state.context, state.hidden], 1)).float()
        entering, kept, shown, new = gates.chunk(4, 1)
        cell = kept.sigmoid() * state.cell + entering.sigmoid() * new.tanh()
        hidden = shown.sigmoid() * cell.tanh()  # [n, d]
        changing = self.of_hidden(hidden)[:, None] + self.of_spent(state.spent)  # [n, p, d]
        inner = for_each(memory.keys, hidden.shape[0]) + changing
        scores = self.energy(inner.tanh()).float()
        scores = scores.masked_fill(for_each(memory.padding, hidden.shape[0])[..., None], _OUTSIDE)
        meant = scores.softmax(1)  # [n, p, m]
        read = self.drop(scores, meant)
        joined = torch.cat([_mix(read, memory.features), hidden], 1)
        after = State(hidden, cell, _mix(read, memory.placed), state.spent + meant)
        return _Seen(joined, meant.mean(-1), after)


def _mix(attention: Tensor, data: Tensor) -> Tensor:
    """Sum data [g, p, d] over positions, each m-th part of the channels by its own attention [n, p, m].

    Returns:
        [n, d].
    """
    parts = data.reshape(*data.shape[:2], attention.shape[2], -1)  # [g, p, m, d / m]
    return (attention[..., None] * for_each(parts, attention.shape[0])).sum(1).flatten(1)
