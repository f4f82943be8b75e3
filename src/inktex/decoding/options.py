"""How a model is searched."""

from __future__ import annotations

import math
from dataclasses import dataclass

_MOST_HYPOTHESES = 10_000
_MOST_TOKENS = 10_000
_LARGEST_PENALTY = 10


@dataclass(frozen=True)
class SearchOptions:
    """How to search; by default from left to right, exactly, any sequence of tokens.

    What suits a model stands in its bundle. ``both_ways`` and ``grammar`` are for whoever chooses between
    :func:`inktex.decoding.search.search` and :func:`inktex.decoding.rescore.search_both_ways`, and what
    constraint they are given; all else these functions follow themselves.

    Attributes:
        width: hypotheses kept for a picture; 1 is greedy.
        length_penalty: hypotheses are ranked by score / length ** penalty, the length counting the end token.
        max_length: most tokens written, the end token counted; a model may allow fewer.
        prune: hypotheses are dropped whose probability is below this share of the best one's, be that open
            or complete; 0 drops none.
        both_ways: search from both ends, each direction judging the other; for models trained so.
        grammar: write well-formed LaTeX only; for models trained on labels in the captions' dialect.
        rescore_above: where the two directions differ, each scores what the other holds for best; more of
            what the other found only if one gives its best this probability at least.

    Raises:
        ValueError: a value that is not allowed.
    """

    width: int = 3
    length_penalty: float = 1.0
    max_length: int = 200
    prune: float = 0.0
    both_ways: bool = False
    grammar: bool = False
    rescore_above: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.width <= _MOST_HYPOTHESES:
            raise ValueError(f"width must be 1 to {_MOST_HYPOTHESES}, got {self.width}")
        if not 0 <= self.length_penalty <= _LARGEST_PENALTY:
            raise ValueError(f"length_penalty must be 0 to {_LARGEST_PENALTY}, got {self.length_penalty}")
        if not 1 <= self.max_length <= _MOST_TOKENS:
            raise ValueError(f"max_length must be 1 to {_MOST_TOKENS}, got {self.max_length}")
        if not 0 <= self.prune < 1:
            raise ValueError(f"prune must be at least 0 and below 1, got {self.prune}")
        if not 0 <= self.rescore_above <= 1:
            raise ValueError(f"rescore_above must be 0 to 1, got {self.rescore_above}")

    @property
    def margin(self) -> float:
        """How far below the best score another may lie and not be pruned."""
        return -math.log(self.prune) if self.prune else math.inf
