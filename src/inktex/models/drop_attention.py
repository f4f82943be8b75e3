"""Drop attention: in training, now and then the decoder must do without what it looks at most.

The idea is of Li et al., "Improving Attention-Based Handwritten Mathematical Expression Recognition with
Scale Augmentation and Drop Attention" (ICFHR 2020, arXiv 2007.10092): attended features are suppressed or
abandoned at random, so that a symbol is also recognised when attention misses its key region. The rule and
the rates are this project's own; the paper's were not at hand.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from inktex.errors import ConfigError

_GONE = -1e4  # added to a score: leaves nothing of it, unless nothing else is left


class DropAttention(nn.Module):
    """Zeroes or damps the highest attention of a step and shares the rest out again.

    Every row of every call draws once, from PyTorch's global generator: with probability ``abandon`` the
    attention of the chosen positions becomes 0, with probability ``suppress`` it is multiplied by ``factor``,
    else it stays; then each distribution is made to sum to 1 again. Chosen are the fewest positions that
    together hold at least ``share`` of the attention, the mean over maps deciding. In evaluation mode nothing
    is dropped.

    Args:
        abandon: probability, a row, of doing without the chosen positions.
        suppress: probability of damping them.
        factor: what damped attention is multiplied by.
        share: how much of the attention the chosen positions hold; near 0 it is the highest position alone.

    Raises:
        ConfigError: a probability or share that is none.
    """

    def __init__(self, abandon: float, suppress: float, factor: float, share: float) -> None:
        super().__init__()
        if not (abandon >= 0 and suppress >= 0 and abandon + suppress <= 1):
            raise ConfigError(
                f"abandon and suppress are probabilities and together at most 1, got {abandon} and {suppress}"
            )
        if not 0 < factor <= 1:
            raise ConfigError(f"the factor of damped attention must be above 0 and at most 1, got {factor}")
        if not 0 < share < 1:
            raise ConfigError(f"the share of attention to drop must be between 0 and 1, got {share}")
        self.abandon, self.suppress, self.factor, self.share = abandon, suppress, factor, share

    def forward(self, scores: Tensor, attention: Tensor) -> Tensor:
        """Return the attention to read with.

        Args:
            scores: [n, p, m] in float32, of m maps one number a position; padding far below the rest.
            attention: [n, p, m], their softmax over positions.

        Returns:
            [n, p, m], each map a distribution; in evaluation mode ``attention`` itself. A picture of a single
            position keeps it.
        """
        if not self.training or self.abandon + self.suppress == 0:
            return attention
        draw = torch.rand(len(scores), 1, device=scores.device)
        penalty = torch.zeros_like(draw)  # of logarithms, so that softmax does the sharing out, safely
        penalty = penalty.masked_fill(draw < self.abandon + self.suppress, math.log(self.factor))
        penalty = penalty.masked_fill(draw < self.abandon, _GONE)
        return (scores + (penalty * self.chosen(attention)).unsqueeze(-1)).softmax(1)

    def chosen(self, attention: Tensor) -> Tensor:
        """Return [n, p], True at the positions that hold the highest attention [n, p, m]."""
        ordered, order = attention.detach().mean(-1).sort(dim=1, descending=True)
        higher = ordered.cumsum(1) - ordered  # what the positions before each hold
        return torch.zeros_like(order, dtype=torch.bool).scatter(1, order, higher < self.share)
