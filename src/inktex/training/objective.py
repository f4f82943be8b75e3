"""What training minimises."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from inktex.data.batches.augment import CELL_PX
from inktex.data.batches.batching import NO_TARGET, Batch
from inktex.models.interface import Features, Model, Output
from inktex.training.config import ObjectiveOptions
from inktex.vocabulary import SPECIALS, UNKNOWN, Vocabulary

STRUCTURE = (
    *("{", "}", "^", "_", r"\frac", r"\sqrt", "[", "]"),
    *("+", "=", "-", r"\times", r"\cdot", r"\div", r"\geq", ">", "<"),
)
"""Tokens that the structure of a label keeps (HMER-MTL)."""
UNCOUNTED = ("^", "_", "{", "}")
"""Tokens that stand for no symbol on paper (CAN, Li et al., ECCV 2022)."""


class Losses(NamedTuple):
    """The parts of the loss; ``None`` for what the family does not give or the weights leave out.

    Attributes:
        tokens: cross-entropy of the tokens.
        structure: cross-entropy of the label's structure.
        counting: error of the numbers of symbols.
        symbol_map: binary cross-entropy of the map of symbol classes.
        attention: mean of -log(attention on the token's own symbol).
        distillation: divergence from the teacher's reading.
    """

    tokens: Tensor
    structure: Tensor | None = None
    counting: Tensor | None = None
    symbol_map: Tensor | None = None
    attention: Tensor | None = None
    distillation: Tensor | None = None

    def total(self, options: ObjectiveOptions) -> Tensor:
        """Return the weighted sum."""
        weights = (
            options.lambda_1,
            options.lambda_2,
            options.counting,
            options.symbol_map,
            options.attention,
            options.distillation,
        )
        parts = [weight * part for weight, part in zip(weights, self, strict=True) if part is not None]
        return torch.stack(parts).sum()


class Objective(nn.Module):
    """Compares a batch's output with its targets.

    Args:
        vocabulary: tokens and ids; structure and symbols are found in it by name.
        options: what is computed, and how.
        stride: of the network, in whose positions attention is guided.
    """

    def __init__(self, vocabulary: Vocabulary, options: ObjectiveOptions, stride: int) -> None:
        super().__init__()
        self.options = options
        self.pad_id = vocabulary.pad_id
        self.stride = stride
        kept = [token in STRUCTURE or token in SPECIALS for token in vocabulary.tokens]
        uncounted = (*UNCOUNTED, *SPECIALS, UNKNOWN)
        counted = [token not in uncounted for token in vocabulary.tokens]
        self.register_buffer("kept", torch.tensor(kept), persistent=False)  # [v]
        self.register_buffer("counted", torch.tensor(counted), persistent=False)  # [v]
        self.kept: Tensor
        self.counted: Tensor

    def forward(
        self, features: Features, output: Output, batch: Batch, taught: Tensor | None = None
    ) -> Losses:
        """Compute the parts of the loss.

        Args:
            features: of the pictures [b].
            output: of every label in every direction [r].
            batch: the targets.
            taught: a teacher's logits of the first half of the pictures, see :func:`distillation_loss`.
        """
        options = self.options
        structure = counting = symbol_map = attention = distillation = None
        if options.lambda_2 and output.structure is not None:
            structure = self._entropy(output.structure, self.structure_targets(batch.targets))
        if options.counting and features.counts is not None:
            counting = counting_loss(features.counts, self.numbers(batch.targets[: len(batch.images)]))
        if options.symbol_map and features.symbol_map is not None:
            symbol_map = symbol_map_loss(features.symbol_map, features.padding, batch)
        if options.attention:
            attention = attention_loss(output.attention, batch, self.stride)
        if taught is not None:
            distillation = distillation_loss(output.logits, taught, batch.targets, len(batch.images))
        tokens = self._entropy(output.logits, batch.targets)
        return Losses(tokens, structure, counting, symbol_map, attention, distillation)

    def structure_targets(self, targets: Tensor) -> Tensor:
        """Return targets [r, t] in which every token that is no structure has become padding."""
        known = self.kept[targets.clamp(min=0)] | (targets == NO_TARGET)
        return targets.where(known, self.pad_id)

    def numbers(self, targets: Tensor) -> Tensor:
        """Return how often each token that stands for a symbol occurs in targets [b, t]: [b, v]."""
        classes = functional.one_hot(targets.clamp(min=0), len(self.counted))  # [b, t, v]
        return (classes * (targets != NO_TARGET)[..., None]).sum(dim=1) * self.counted

    def _entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(
            logits.float().flatten(0, 1),
            targets.flatten(),
            ignore_index=NO_TARGET,
            label_smoothing=self.options.label_smoothing,
            reduction=self.options.reduction,
        )


def counting_loss(counts: Tensor, numbers: Tensor) -> Tensor:
    """Return the smooth L1 error of counts [b, k, v] against true numbers [b, v]: means, summed over the k
    counters (CAN, section 3.5)."""
    error = functional.smooth_l1_loss(
        counts.float(), numbers[:, None].expand_as(counts).float(), reduction="none"
    )
    return error.mean(dim=(0, 2)).sum()


def symbol_map_loss(symbol_logits: Tensor, padding: Tensor, batch: Batch) -> Tensor:
    """Return the binary cross-entropy of "ink of a symbol of class v lies at position p".

    Summed over classes, averaged over positions within the pictures; a picture without known symbols is
    left out.
    """
    known = batch.symbol_class >= 0  # [b, s]
    classes = functional.one_hot(batch.symbol_class.clamp(min=0), symbol_logits.shape[-1]) * known[..., None]
    # [b, p, s] @ [b, s, v] counts the symbols of each class at each position
    target = (batch.symbol_cells.float().transpose(1, 2) @ classes.float()).clamp(max=1)
    usable = ~padding & known.any(dim=1)[:, None]  # [b, p]
    entropy = functional.binary_cross_entropy_with_logits(
        symbol_logits.float(), target, reduction="none"
    ).sum(-1)
    return (entropy * usable).sum() / usable.sum().clamp(min=1)


def attention_loss(attention: Tensor, batch: Batch, stride: int = CELL_PX) -> Tensor:
    """Return the mean of -log(attention within the cells of the token's own symbol) over aligned tokens.

    Args:
        attention: [r, t, p], over positions of ``stride`` pixels.
        batch: symbols and the cells of their ink, of ``CELL_PX`` pixels.
        stride: a multiple of ``CELL_PX``; a position is a symbol's if one of its cells is.
    """
    symbols = batch.token_symbol  # [r, t]
    pictures, count = batch.symbol_cells.shape[:2]
    if count == 0:
        return attention.new_zeros(())
    rows, columns = (side // CELL_PX for side in batch.images.shape[2:])
    fine = batch.symbol_cells.view(pictures, count, rows, columns).float()
    cells = functional.max_pool2d(fine, stride // CELL_PX, ceil_mode=True).flatten(2)  # [b, s, p]
    cells = cells.repeat(len(symbols) // pictures, 1, 1)  # [r, s, p]
    index = symbols.clamp(min=0)[..., None].expand(-1, -1, cells.shape[2])
    own = cells.gather(1, index)  # [r, t, p]
    inside = (attention * own).sum(-1)
    aligned = symbols >= 0
    return -(torch.log(inside + 1e-4) * aligned).sum() / aligned.sum().clamp(min=1)


def distillation_loss(logits: Tensor, taught: Tensor, targets: Tensor, pictures: int) -> Tensor:
    """Return the mean Kullback-Leibler divergence, over all tokens, of what is read from what a teacher reads
    (Hinton et al., Distilling the Knowledge in a Neural Network, 2015, at temperature 1). The second half of
    the pictures shows the same as the first; the teacher has read the first alone.

    Args:
        logits: [r, t, v], each direction's rows in the order of the pictures.
        taught: [r / 2, t, v], the teacher's logits.
        targets: [r, t].
        pictures: their number b, even.
    """
    each = (-1, 2, pictures // 2, targets.shape[1])  # directions, halves, pictures, tokens
    read = logits.float().log_softmax(-1).view(*each, logits.shape[2])
    aim = taught.float().log_softmax(-1).view(-1, 1, *each[2:], logits.shape[2]).expand_as(read)
    divergence = functional.kl_div(read, aim, reduction="none", log_target=True).sum(-1)
    known = targets.view(each) != NO_TARGET
    return (divergence * known).sum() / known.sum().clamp(min=1)


def free_run(model: Model, features: Features, inputs: Tensor) -> Output:
    """Decode with the network's own likeliest tokens in place of the true ones, with gradients.

    Args:
        model: of any family.
        features: of pictures [r].
        inputs: [r, t]; of these only the first token of each row is read.

    Returns:
        Output of t steps, without the structure.
    """
    memory, state = model.start(features)
    token = inputs[:, 0]
    steps = []
    for _ in range(inputs.shape[1]):
        steps.append(model.step(token, memory, state))
        token, state = steps[-1].logits.detach().argmax(-1), steps[-1].state
    return Output(
        torch.stack([step.logits for step in steps], dim=1),
        torch.stack([step.attention for step in steps], dim=1),
    )
