"""The family ``can``: the counting-aware network.

Li et al., "When Counting Meets HMER: Counting-Aware Network for Handwritten Mathematical Expression
Recognition", ECCV 2022: a DenseNet; two branches that count the symbols of every class in the picture without
knowing where they are (multi-scale counting module, section 3.3); and a GRU with coverage attention that also
sees the counts (section 3.4).

Changed here: the mean over positions in the counting branches and the softmax of the attention are over the
positions inside the picture alone, and the softmax is stable, so that padding changes nothing. What the
counts and the features contribute is computed once a picture, and the two linear maps of the coverage are
put together into one. Without counting it is the baseline of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from inktex.models.counting import CountingBranch
from inktex.models.dense import DenseEncoder
from inktex.models.interface import Features, Output, Step
from inktex.models.layers import for_each, grid_positions


@dataclass(frozen=True)
class CanOptions:
    """Sizes of the network.

    Attributes:
        growth: channels that a layer of the encoder adds.
        depth: layers of each of the three blocks of the encoder.
        encoder_dropout: share of activations dropped in training in the encoder.
        width: channels of embedding, hidden state and what enters the output layer.
        attention_width: channels in which attention compares; a multiple of 4.
        coverage_kernel: side of the convolution over past attention; odd.
        counting: whether symbols are counted.
        counting_width: channels of a counting branch; a multiple of 16.
        dropout: share of what enters the output layer that is dropped in training.
        max_length: longest sequence that can be read or written, in tokens.
    """

    growth: int = 24
    depth: int = 16
    encoder_dropout: float = 0.2
    width: int = 256
    attention_width: int = 512
    coverage_kernel: int = 11
    counting: bool = True
    counting_width: int = 512
    dropout: float = 0.5
    max_length: int = 256


class Memory(NamedTuple):
    """What is fixed for a picture.

    Attributes:
        keys: [g, d, rows, columns], what attention compares with.
        values: [g, p, c], the features.
        padding: [g, p].
        counted: [g, d], what the counts add to the input of the output layer; 0 without counting.
    """

    keys: Tensor
    values: Tensor
    padding: Tensor
    counted: Tensor


class State(NamedTuple):
    """What a hypothesis carries along.

    Attributes:
        hidden: [n, d], hidden state of the GRU.
        coverage: [n, 1, rows, columns], attention spent so far.
    """

    hidden: Tensor
    coverage: Tensor


class CoverageAttention(nn.Module):
    """Attention that knows where it has been (section 3.4, as in WAP).

    With hidden state h, features a_p at place P_p and coverage F = conv(sum of past attention):
    e_p = v tanh(W h + U F_p + W_a a_p + P_p), and the attention is the softmax of e.
    """

    def __init__(self, channels: int, hidden: int, width: int, kernel: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden, width)
        self.features = nn.Linear(channels, width)
        self.coverage = nn.Conv2d(1, width, kernel, padding=kernel // 2, bias=False)
        self.from_coverage = nn.Linear(width, width, bias=False)
        self.score = nn.Conv2d(width, 1, 1)

    def keys(self, features: Features) -> Tensor:
        """Return what the features and their places add to the energies, [b, d, rows, columns]."""
        padding = features.padding.view(-1, *features.grid)
        places = grid_positions(padding, self.query.out_features).flatten(1, 2)  # [b, p, d]
        keys: Tensor = self.features(features.data)
        keys = keys + places.to(keys.dtype)
        return keys.transpose(1, 2).reshape(*keys.shape[::2], *features.grid)

    def kernel(self) -> Tensor:
        """Return the two linear maps of the coverage as the weights [d, 1, k, k] of one convolution."""
        return (self.from_coverage.weight @ self.coverage.weight.flatten(1)).view_as(self.coverage.weight)

    def forward(self, hidden: Tensor, coverage: Tensor, memory: Memory, kernel: Tensor) -> Tensor:
        """Return attention [n, p] in float32.

        Args:
            hidden: [n, d].
            coverage: [n, 1, rows, columns], attention spent so far.
            memory: of the pictures.
            kernel: of :meth:`kernel`, which a sequence computes once.
        """
        covered = functional.conv2d(coverage, kernel, padding=kernel.shape[-1] // 2)
        changing = (self.query(hidden)[:, :, None, None] + covered).unflatten(0, (memory.keys.shape[0], -1))
        energies = torch.tanh(memory.keys[:, None] + changing).flatten(0, 1)  # [n, d, rows, columns]
        scores: Tensor = self.score(energies).flatten(1).float()
        return scores.masked_fill(for_each(memory.padding, hidden.shape[0]), -1e4).softmax(-1)


class CanModel(nn.Module):
    """The network; see :class:`inktex.models.interface.Model` for the methods' contract."""

    stride = DenseEncoder.stride

    def __init__(self, vocabulary_size: int, options: CanOptions) -> None:
        super().__init__()
        self.options = options
        self.encoder = DenseEncoder(
            options.growth, options.depth, options.encoder_dropout, stem_norm=False, final_norm=False
        )
        channels, width = self.encoder.channels, options.width
        self.counters = nn.ModuleList(
            CountingBranch(channels, options.counting_width, vocabulary_size, kernel)
            for kernel in ((3, 5) if options.counting else ())
        )
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.first_hidden = nn.Linear(channels, width)
        self.cell = nn.GRUCell(width, width)
        self.attention = CoverageAttention(channels, width, options.attention_width, options.coverage_kernel)
        self.from_hidden = nn.Linear(width, width)
        self.from_embedding = nn.Linear(width, width)
        self.from_context = nn.Linear(channels, width)
        self.from_counts = nn.Linear(vocabulary_size, width) if options.counting else None
        self.classifier = nn.Linear(width, vocabulary_size)
        self.dropout = nn.Dropout(options.dropout)

    def encode(self, images: Tensor, padding: Tensor) -> Features:
        """Read pictures [b, 1, height, width], and count their symbols: each branch, and the mean of both."""
        grid, outside = self.encoder(images, padding)  # [b, c, rows, columns]
        data = grid.flatten(2).transpose(1, 2)
        features = Features(data, outside.flatten(1), (grid.shape[2], grid.shape[3]))
        if not self.options.counting:
            return features
        counts = self._maps(features).sum(-1)  # [b, 2, v]
        return features._replace(counts=torch.cat([counts, counts.mean(1, keepdim=True)], dim=1))

    def counting_maps(self, features: Features) -> Tensor:
        """Return the maps [b, v, p] whose sums over positions are the counts that the decoder sees.

        Raises:
            ValueError: the network does not count.
        """
        if not self.options.counting:
            raise ValueError("a network without counting has no counting maps")
        return self._maps(features).mean(1)

    def start(self, features: Features) -> tuple[Memory, State]:
        """Lay out the memory of every picture and the first state."""
        data, inside = features.data, (~features.padding).float()
        mean = (data * inside[..., None]).sum(1) / inside.sum(1, keepdim=True)  # [b, c]
        counted = data.new_zeros(data.shape[0], self.options.width)
        if self.from_counts is not None:
            assert features.counts is not None
            counted = self.from_counts(features.counts[:, -1])
        memory = Memory(self.attention.keys(features), data, features.padding, counted)
        unspent = torch.zeros_like(inside).view(data.shape[0], 1, *features.grid)
        return memory, State(torch.tanh(self.first_hidden(mean)), unspent)

    def forward(self, features: Features, tokens: Tensor) -> Output:
        """Score whole sequences [b, t]."""
        memory, state = self.start(features)
        kernel = self.attention.kernel()
        embedded = self.embedding(tokens)  # [b, t, d]
        hidden, contexts, attentions = [], [], []
        for token in embedded.unbind(1):
            state, context, attention = self._advance(token, memory, state, kernel)
            hidden.append(state.hidden)
            contexts.append(context)
            attentions.append(attention)
        counted = memory.counted[:, None]
        logits = self._classify(torch.stack(hidden, 1), embedded, torch.stack(contexts, 1), counted)
        return Output(logits, torch.stack(attentions, 1))

    def step(self, token: Tensor, memory: Memory, state: State) -> Step:
        """Feed one token [n] to every hypothesis."""
        embedded = self.embedding(token)  # [n, d]
        state, context, attention = self._advance(embedded, memory, state, self.attention.kernel())
        counted = for_each(memory.counted, token.shape[0])
        return Step(self._classify(state.hidden, embedded, context, counted), attention, state)

    def _maps(self, features: Features) -> Tensor:
        """Return the maps [b, 2, v, p] of both branches."""
        data = features.data
        grid = data.transpose(1, 2).reshape(*data.shape[::2], *features.grid)
        inside = (~features.padding).float().view(-1, 1, *features.grid)
        return torch.stack([counter(grid, inside).flatten(2) for counter in self.counters], dim=1)

    def _advance(
        self, embedded: Tensor, memory: Memory, state: State, kernel: Tensor
    ) -> tuple[State, Tensor, Tensor]:
        """Return the state after one token [n, d], what it read [n, c] and where from [n, p]."""
        hidden = self.cell(embedded, state.hidden)
        attention = self.attention(hidden, state.coverage, memory, kernel)
        grouped = attention.view(memory.values.shape[0], -1, attention.shape[1])  # [g, k, p]
        context = (grouped.to(memory.values.dtype) @ memory.values).flatten(0, 1)
        return State(hidden, state.coverage + attention.view_as(state.coverage)), context, attention

    def _classify(self, hidden: Tensor, embedded: Tensor, context: Tensor, counted: Tensor) -> Tensor:
        """Return logits [..., v]."""
        mixed = self.from_hidden(hidden) + self.from_embedding(embedded) + self.from_context(context)
        logits: Tensor = self.classifier(self.dropout(mixed + counted))
        return logits
