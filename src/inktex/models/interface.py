"""What every family is made of, so that training, search and export need to know no family.

Shape letters, here and in all networks: ``b`` pictures, ``n`` hypotheses, ``t`` tokens so far, ``p``
positions (rows x columns of the feature grid), ``d`` channels, ``h`` heads, ``v`` vocabulary.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeVar

from torch import Tensor

Tree = TypeVar("Tree", bound=tuple[Any, ...])


class Features(NamedTuple):
    """What the encoder saw.

    Attributes:
        data: [b, p, d].
        padding: [b, p], True outside the picture.
        grid: rows and columns of the feature grid; p = rows x columns.
    """

    data: Tensor
    padding: Tensor
    grid: tuple[int, int]


class Output(NamedTuple):
    """What a teacher-forced pass gives.

    Attributes:
        logits: [b, t, v].
        attention: [b, t, p], the mean over heads of the last layer's attention over positions.
    """

    logits: Tensor
    attention: Tensor


class Model(Protocol):
    """The interface of a family; ``Memory`` and ``State`` are NamedTuples of tensors, and of tuples of
    tensors, of the family's own.

    The first dimension of each of their tensors is the hypothesis, so that :func:`select` can repeat and
    reorder them.
    """

    def encode(self, images: Tensor, padding: Tensor) -> Features:
        """Read pictures [b, 1, height, width] with padding [b, height, width], True outside the picture."""
        ...

    def start(self, features: Features) -> tuple[Any, Any]:
        """Return (memory, state): what is fixed for a picture, and what each hypothesis carries along."""
        ...

    def step(self, token: Tensor, memory: Any, state: Any) -> tuple[Tensor, Any]:
        """Feed one token [n] to every hypothesis; return (logits [n, v], new state)."""
        ...

    def forward(self, features: Features, tokens: Tensor) -> Output:
        """Score whole sequences [b, t] (teacher forcing): logits i are of what follows tokens[:, : i + 1]."""
        ...


def select(tree: Tree, index: Tensor) -> Tree:
    """Return the NamedTuple with the first dimension of every tensor in it indexed by ``index`` [n]."""
    return type(tree)(*(_select(part, index) for part in tree))


def _select(part: Tensor | tuple[Tensor, ...], index: Tensor) -> Tensor | tuple[Tensor, ...]:
    if isinstance(part, Tensor):
        return part.index_select(0, index)
    return tuple(tensor.index_select(0, index) for tensor in part)
