"""What training minimises."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from inktex.data.batching import NO_TARGET, Batch
from inktex.models.interface import Output
from inktex.training.config import ObjectiveOptions


class Losses(NamedTuple):
    """The parts of the loss, each a mean: over tokens, over positions, over aligned tokens."""

    tokens: Tensor
    symbol_map: Tensor
    attention: Tensor

    def total(self, options: ObjectiveOptions) -> Tensor:
        """Return the weighted sum."""
        return self.tokens + options.symbol_map * self.symbol_map + options.attention * self.attention


def losses(
    output: Output, symbol_logits: Tensor, padding: Tensor, batch: Batch, options: ObjectiveOptions
) -> Losses:
    """Compare a batch's output with its targets.

    Args:
        output: of both directions, logits [2b, t, v] and attention [2b, t, p].
        symbol_logits: [b, p, v].
        padding: [b, p].
        batch: the targets.
        options: label smoothing.
    """
    tokens = functional.cross_entropy(
        output.logits.float().flatten(0, 1),
        batch.targets.flatten(),
        ignore_index=NO_TARGET,
        label_smoothing=options.label_smoothing,
    )
    return Losses(
        tokens, symbol_map_loss(symbol_logits, padding, batch), attention_loss(output.attention, batch)
    )


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


def attention_loss(attention: Tensor, batch: Batch) -> Tensor:
    """Return the mean of -log(attention within the cells of the token's own symbol) over aligned tokens."""
    symbols = batch.token_symbol  # [2b, t]
    if batch.symbol_cells.shape[1] == 0:
        return attention.new_zeros(())
    cells = torch.cat([batch.symbol_cells, batch.symbol_cells])  # [2b, s, p]
    index = symbols.clamp(min=0)[..., None].expand(-1, -1, cells.shape[2])
    own = cells.gather(1, index)  # [2b, t, p]
    inside = (attention * own).sum(-1)
    aligned = symbols >= 0
    return -(torch.log(inside + 1e-4) * aligned).sum() / aligned.sum().clamp(min=1)
