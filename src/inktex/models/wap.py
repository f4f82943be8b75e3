"""The family ``wap``: a DenseNet, attention with coverage and two GRUs (HMER V2.0).

The network is that of HMER V2.0, a DenseNet-121 cut to three blocks under the decoder of WAP (Zhang et al.,
"Watch, attend and parse", Pattern Recognition 71, 2017) with the energies passed through a convolution and a
normalisation before they are scored. With ``encoder="dense"`` the encoder is that of DenseWAP (Zhang et al.,
"Multi-scale attention with dense encoder for handwritten mathematical expression recognition", ICPR 2018).

Changed here: coverage is the sum of the past attention, as WAP defines it, and not of its convolutions; the
softmax is stable and over positions inside the picture alone, and so are the statistics of the normalisation
among energies; the first hidden state is the tanh of the mean over the picture of the projected features that
attention compares with, where the original took random numbers. A linear map of what does not change from
step to step is computed once a picture, also where the original repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from inktex.errors import RunError
from inktex.models.dense import DenseEncoder, DenseNet121Encoder
from inktex.models.interface import Features, Output, Step
from inktex.models.layers import MaskedBatchNorm, for_each


@dataclass(frozen=True)
class WapOptions:
    """Sizes of the network.

    Attributes:
        encoder: ``densenet121`` (HMER V2.0) or ``dense``, three blocks of bottleneck layers (DenseWAP).
        growth: channels that a layer of the encoder ``dense`` adds.
        depth: layers of each block of the encoder ``dense``.
        encoder_dropout: share of activations dropped in training in the encoder ``dense``.
        width: channels of embedding, hidden states and attention.
        output_width: channels in front of the output layer.
        dropout: share of the embedding and of what enters the output layer that is dropped in training.
        max_length: longest sequence that can be read or written, in tokens.
    """

    encoder: Literal["densenet121", "dense"] = "densenet121"
    growth: int = 24
    depth: int = 16
    encoder_dropout: float = 0.2
    width: int = 256
    output_width: int = 128
    dropout: float = 0.5
    max_length: int = 256


class Memory(NamedTuple):
    """What is fixed for a picture.

    Attributes:
        energies: [g, d, rows, columns], what the features add to the energies.
        values: [g, p, c], the features.
        inside: [g, 1, rows, columns], 1 inside the picture and 0 in its padding.
        inside_around: [g, 9, p], the same for the 3 x 3 positions around each.
    """

    energies: Tensor
    values: Tensor
    inside: Tensor
    inside_around: Tensor


class State(NamedTuple):
    """What a hypothesis carries along.

    Attributes:
        hidden: [n, d], hidden state of the second GRU.
        coverage: [n, 1, rows, columns], attention spent so far.
    """

    hidden: Tensor
    coverage: Tensor


class EnergyMap(nn.Module):
    """Attention whose energies look at their neighbours.

    With query s, features a_p and coverage F = conv3x3(sum of past attention):
    e_p = v tanh(BN(conv3x3(W s + U a_p + W_f F_p))), and the attention is the softmax of e. What the outer
    conv3x3 reads is 0 outside the picture.

    Since conv3x3 is linear, its part from the features is computed once a picture, its part from the query
    is one vector times the map of what is inside, and its part from the coverage is a convolution of one
    channel. A step so costs a tenth of a convolution of all channels, or less.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.features = nn.Linear(channels, width)
        self.coverage = nn.Conv2d(1, 1, 3, padding=1)
        self.from_coverage = nn.Linear(1, width)
        self.energy = nn.Conv2d(width, width, 3, padding=1)
        self.norm = MaskedBatchNorm(width)
        self.score = nn.Conv2d(width, 1, 1)

    def kernels(self) -> tuple[Tensor, Tensor]:
        """Return the outer convolution as it acts on a vector and on the coverage.

        Returns:
            A matrix [9 d, d] from the channels of one position to what they add to the 3 x 3 around it, and
            weights [d, 1, 3, 3] that are those of W_f and of the convolution together.
        """
        matrix = self.energy.weight.permute(0, 2, 3, 1).flatten(0, 2)
        return matrix, functional.linear(self.from_coverage.weight.T, matrix).view(-1, 1, 3, 3)

    def forward(
        self, query: Tensor, coverage: Tensor, memory: Memory, kernels: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Return attention [n, p] in float32.

        Args:
            query: [n, d].
            coverage: [n, 1, rows, columns], attention spent so far.
            memory: of the pictures.
            kernels: of :meth:`kernels`, which a sequence computes once.
        """
        matrix, filters = kernels
        constant = self.query(query) + self.from_coverage.bias  # [n, d], the same at all positions inside
        inside = for_each(memory.inside, query.shape[0])  # [n, 1, rows, columns]
        spread = (
            functional.linear(constant, matrix).view(memory.inside.shape[0], -1, 9) @ memory.inside_around
        )
        covered = functional.conv2d(self.coverage(coverage) * inside, filters, padding=1)
        changing = covered + spread.view_as(covered)  # [n, d, rows, columns]
        energies = for_each(memory.energies, query.shape[0]) + changing
        scores: Tensor = self.score(self.norm(energies, inside).tanh()).float()
        return scores.masked_fill(inside == 0, -1e4).flatten(1).softmax(-1)


class WapModel(nn.Module):
    """The network; see :class:`inktex.models.interface.Model` for the methods' contract."""

    stride = 16

    def __init__(self, vocabulary_size: int, options: WapOptions) -> None:
        super().__init__()
        self.options = options
        encoder: DenseEncoder | DenseNet121Encoder
        if options.encoder == "densenet121":
            encoder = DenseNet121Encoder()
        else:
            encoder = DenseEncoder(options.growth, options.depth, options.encoder_dropout)
        width = options.width
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.first = nn.GRUCell(width, width)
        self.attention = EnergyMap(encoder.channels, width)
        self.second = nn.GRUCell(encoder.channels, width)
        self.from_hidden = nn.Linear(width, options.output_width)
        self.from_embedding = nn.Linear(width, options.output_width)
        self.from_context = nn.Linear(encoder.channels, options.output_width)
        self.classifier = nn.Linear(options.output_width, vocabulary_size)
        self.dropout = nn.Dropout(options.dropout)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
        self.encoder = encoder  # last, so that it keeps its own initial weights

    def load_imagenet(self, path: Path) -> int:
        """Begin with ImageNet's weights; see :meth:`inktex.models.dense.DenseNet121Encoder.load_imagenet`."""
        if not isinstance(self.encoder, DenseNet121Encoder):
            raise RunError(
                f"{path}: weights of ImageNet fit the encoder densenet121 alone, not {self.options.encoder}"
            )
        return self.encoder.load_imagenet(path)

    def encode(self, images: Tensor, padding: Tensor) -> Features:
        """Read pictures [b, 1, height, width]; sides and padding edges at multiples of 8."""
        grid, outside = self.encoder(images, padding)  # [b, c, rows, columns]
        return Features(grid.flatten(2).transpose(1, 2), outside.flatten(1), (grid.shape[2], grid.shape[3]))

    def start(self, features: Features) -> tuple[Memory, State]:
        """Lay out the memory of every picture and the first state."""
        data = features.data
        inside = (~features.padding).float()  # [b, p]
        projected = self.attention.features(data) * inside[..., None]  # [b, p, d], 0 in padding
        grid = projected.transpose(1, 2).reshape(*projected.shape[::2], *features.grid)
        mask = inside.view(data.shape[0], 1, *features.grid)
        memory = Memory(self.attention.energy(grid), data, mask, functional.unfold(mask, 3, padding=1))
        hidden = torch.tanh(projected.sum(1) / inside.sum(1, keepdim=True))
        return memory, State(hidden, torch.zeros_like(mask))

    def forward(self, features: Features, tokens: Tensor) -> Output:
        """Score whole sequences [b, t]."""
        memory, state = self.start(features)
        kernels = self.attention.kernels()
        embedded = self.dropout(self.embedding(tokens))  # [b, t, d]
        hidden, contexts, attentions = [], [], []
        for token in embedded.unbind(1):
            state, context, attention = self._advance(token, memory, state, kernels)
            hidden.append(state.hidden)
            contexts.append(context)
            attentions.append(attention)
        logits = self._classify(torch.stack(hidden, 1), embedded, torch.stack(contexts, 1))
        return Output(logits, torch.stack(attentions, 1))

    def step(self, token: Tensor, memory: Memory, state: State) -> Step:
        """Feed one token [n] to every hypothesis."""
        embedded = self.dropout(self.embedding(token))  # [n, d]
        state, context, attention = self._advance(embedded, memory, state, self.attention.kernels())
        return Step(self._classify(state.hidden, embedded, context), attention, state)

    def _advance(
        self, embedded: Tensor, memory: Memory, state: State, kernels: tuple[Tensor, Tensor]
    ) -> tuple[State, Tensor, Tensor]:
        """Return the state after one token [n, d], what it read [n, c] and where from [n, p]."""
        query = self.first(embedded, state.hidden)
        attention = self.attention(query, state.coverage, memory, kernels)
        grouped = attention.view(memory.values.shape[0], -1, attention.shape[1])  # [g, k, p]
        context = (grouped.to(memory.values.dtype) @ memory.values).flatten(0, 1)
        hidden = self.second(context, query)
        return State(hidden, state.coverage + attention.view_as(state.coverage)), context, attention

    def _classify(self, hidden: Tensor, embedded: Tensor, context: Tensor) -> Tensor:
        """Return logits [..., v]."""
        mixed = self.from_hidden(hidden) + self.from_embedding(embedded) + self.from_context(context)
        logits: Tensor = self.classifier(self.dropout(mixed))
        return logits
