"""What every family is made of, so that training, search and export need to know no family.

Shape letters, here and in all networks: ``b`` pictures, ``n`` hypotheses, ``t`` tokens so far, ``p``
positions (rows x columns of the feature grid), ``d`` channels, ``h`` heads, ``v`` vocabulary.

Hypotheses come in ``g`` groups of ``k``, n = g k, those of a group side by side. A group reads one picture,
and what is the same for all its hypotheses is stored and read once. The plainest layout is k = 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeVar, cast

from torch import Tensor

Tree = TypeVar("Tree", bound=tuple[Any, ...])
PADDING_ID = 0  # of the token that fills short sequences up, in every vocabulary


class Features(NamedTuple):
    """What the encoder saw.

    Attributes:
        data: [b, p, d].
        padding: [b, p], True outside the picture.
        grid: rows and columns of the feature grid; p = rows x columns.
        symbol_map: [b, p, v], logits of "ink of a symbol of class v lies at position p"; of families that
            predict it.
        counts: [b, k, v], how many symbols of class v the picture shows, by each of k counters; of families
            that count.
    """

    data: Tensor
    padding: Tensor
    grid: tuple[int, int]
    symbol_map: Tensor | None = None
    counts: Tensor | None = None


class Output(NamedTuple):
    """What a teacher-forced pass gives.

    Attributes:
        logits: [b, t, v].
        attention: [b, t, p], the mean over heads of the last layer's attention over positions.
        structure: [b, t, v], logits of the label's structure alone (all other tokens become padding); of
            families with such a second head.
    """

    logits: Tensor
    attention: Tensor
    structure: Tensor | None = None


class Step(NamedTuple):
    """What one more token gives, or several at once.

    Attributes:
        logits: [n, v], or [n, t, v].
        attention: [n, p], or [n, t, p], as in :class:`Output`.
        state: of the family's own.
    """

    logits: Tensor
    attention: Tensor
    state: Any


class Model(Protocol):
    """The interface of a family; ``Memory`` and ``State`` are NamedTuples of tensors, and of tuples of
    tensors, of the family's own.

    The first dimension of each tensor of the memory is the group, and so it is in the keys and values of a
    :class:`inktex.models.attention.Cache`, which may be a field of the state; in all else of the state it is
    the hypothesis. Where each hypothesis is a group, :func:`select` can repeat and reorder them.

    Attributes:
        stride: side of the square of pixels that one position of the features stands for.
    """

    stride: int

    def encode(self, images: Tensor, padding: Tensor) -> Features:
        """Read pictures [b, 1, height, width] with padding [b, height, width], True outside the picture."""
        ...

    def start(self, features: Features) -> tuple[Any, Any]:
        """Return (memory, state): what is fixed for a picture, and what each hypothesis carries along.

        Every picture is a group of one hypothesis.
        """
        ...

    def step(self, token: Tensor, memory: Any, state: Any) -> Step:
        """Feed one token [n] to every hypothesis.

        A family that can read several at once, and so as fast as in training, has a method ``read`` besides,
        which takes tokens [n, t].
        """
        ...

    def forward(self, features: Features, tokens: Tensor) -> Output:
        """Score whole sequences [b, t] (teacher forcing): logits i are of what follows tokens[:, : i + 1]."""
        ...


def select(tree: Tree, index: Tensor) -> Tree:
    """Return nested tuples with the first dimension of every tensor in them indexed by ``index`` [n]."""
    parts = (
        part.index_select(0, index) if isinstance(part, Tensor) else select(part, index) for part in tree
    )
    return type(tree)(*parts) if hasattr(tree, "_fields") else cast(Tree, tuple(parts))
