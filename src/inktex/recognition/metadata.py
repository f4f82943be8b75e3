"""What a bundle knows of its model: its sizes, how to search it, what its probabilities are worth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from inktex.decoding.options import SearchOptions

STORAGE = ("int4", "int8", "float32")  # of weights
STRIDES = (1, 2, 4, 8, 16, 32, 64)
_SYMBOL_PX = (4, 128)  # sizes of symbols that a model may want
_MOST_STEPS = 100_000
_MOST_TOKENS = 10_000
_MOST_HYPOTHESES = 10_000
_LARGEST_WEIGHT = 1e9  # of a curve


@dataclass(frozen=True)
class Calibration:
    """What a model's own probability of its best reading is worth, as a logistic curve.

    The logarithm of a probability falls with the length of a formula and is pulled down by label smoothing;
    a reading above one half, to which no other can come near, is right more often than its logarithm tells.

    Attributes:
        bias: of the curve.
        slope: weight of the logarithm of the probability.
        length: weight of the number of tokens.
        share: weight of the probability itself.

    Raises:
        ValueError: a value that is not allowed.
    """

    bias: float
    slope: float
    length: float
    share: float

    def __post_init__(self) -> None:
        for name in ("bias", "slope", "length", "share"):
            if not -_LARGEST_WEIGHT <= getattr(self, name) <= _LARGEST_WEIGHT:
                raise ValueError(f"{name} must be a finite number, got {getattr(self, name)}")

    @staticmethod
    def features(probability: float, tokens: int) -> tuple[float, float, float]:
        """Return what the weights are for, of a reading of a probability above 0 and so many tokens."""
        return math.log(probability), float(tokens), probability

    def confidence(self, probability: float, tokens: int) -> float:
        """Return the chance that a best reading of this probability and so many tokens is right."""
        if probability <= 0:
            return 0.0
        weights = (self.slope, self.length, self.share)
        features = self.features(probability, tokens)
        score = self.bias + sum(weight * each for weight, each in zip(weights, features, strict=True))
        return 1 / (1 + math.exp(-max(-700.0, min(700.0, score))))


@dataclass(frozen=True)
class SecondLook:
    """Which pictures a model is shown again, and how much larger.

    Attributes:
        scale: how much larger than usual.
        width: hypotheses kept then.
        below: readings of a lower probability are doubtful.
        at_least: readings of a lower probability are hopeless.
        max_tokens: longer readings are not looked at again: it would take long.
        max_symbols: nor are pictures that cover more areas of a typical symbol than this.

    Raises:
        ValueError: a value that is not allowed.
    """

    scale: float
    width: int
    below: float
    at_least: float
    max_tokens: int
    max_symbols: float

    def __post_init__(self) -> None:
        if not 0.1 <= self.scale <= 10:
            raise ValueError(f"scale must be 0.1 to 10, got {self.scale}")
        if not 1 <= self.width <= _MOST_HYPOTHESES:
            raise ValueError(f"width must be 1 to {_MOST_HYPOTHESES}, got {self.width}")
        if not 0 < self.below <= 1:
            raise ValueError(f"below must be above 0 and at most 1, got {self.below}")
        if not 0 <= self.at_least <= 1:
            raise ValueError(f"at_least must be 0 to 1, got {self.at_least}")
        if not 0 <= self.max_tokens <= _MOST_TOKENS:
            raise ValueError(f"max_tokens must be 0 to {_MOST_TOKENS}, got {self.max_tokens}")
        if not 0 < self.max_symbols <= 1e6:
            raise ValueError(f"max_symbols must be above 0 and at most 1000000, got {self.max_symbols}")

    def doubts(self, probability: float, tokens: int) -> bool:
        """Tell whether another look at a reading of this probability and length may pay."""
        return tokens <= self.max_tokens and self.at_least <= probability < self.below


@dataclass(frozen=True)
class Metadata:
    """What ``model.json`` tells of a model.

    Attributes:
        family: name of the network's family.
        max_length: most steps of a sequence.
        symbol_px: size of a typical symbol in the pictures it was trained on.
        stride: side of the square of pixels that one position of the attention stands for.
        both_ways: whether it was trained to read from both ends; else it reads from left to right alone.
        licence: of the weights.
        options: sizes of the network.
        training: what it was trained on and how it did; for people.
        search: how to search it.
        second_look: which pictures it is shown again; ``None`` if it was not tuned for that.
        calibration: what its probabilities are worth in that search; ``None`` if nobody has measured that.
        parameters: number of weights.
        weights: how they are stored, ``int4``, ``int8`` or ``float32``.
        deviation: largest difference of logits between the float32 graphs and PyTorch.
        storage_deviation: largest difference of logits that storing weights and computing in few bits made.
        version: of Inktex when exported.

    Raises:
        ValueError: a value that is not allowed.
    """

    family: str
    max_length: int
    symbol_px: float
    stride: int
    both_ways: bool = False
    licence: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    search: SearchOptions = field(default_factory=SearchOptions)
    second_look: SecondLook | None = None
    calibration: Calibration | None = None
    parameters: int = 0
    weights: str = "float32"
    deviation: float = 0.0
    storage_deviation: float = 0.0
    version: str = ""

    def __post_init__(self) -> None:
        if not self.family:
            raise ValueError("family must name the network's family, and is empty")
        if not 1 <= self.max_length <= _MOST_STEPS:
            raise ValueError(f"max_length must be 1 to {_MOST_STEPS}, got {self.max_length}")
        for size in self.sizes_px:
            if not _SYMBOL_PX[0] <= size <= _SYMBOL_PX[1]:
                raise ValueError(
                    f"symbols must have {_SYMBOL_PX[0]} to {_SYMBOL_PX[1]} px, and here they have {size:g} px"
                )
        if self.stride not in STRIDES:
            raise ValueError(f"stride must be one of {', '.join(map(str, STRIDES))}, got {self.stride}")
        if self.weights not in STORAGE:
            raise ValueError(f"weights must be one of {', '.join(STORAGE)}, got {self.weights!r}")
        for name in ("parameters", "deviation", "storage_deviation"):
            if not 0 <= getattr(self, name) <= 1e15:
                raise ValueError(f"{name} must be a finite number, 0 or more, got {getattr(self, name)}")
        if self.search.both_ways and not self.both_ways:
            raise ValueError(
                "search.both_ways needs a model that was trained both ways, and both_ways is false"
            )

    @property
    def sizes_px(self) -> tuple[float, ...]:
        """Sizes of a typical symbol at which pictures are shown: at the first look, and at a second."""
        look = self.second_look
        return (self.symbol_px,) if look is None else (self.symbol_px, self.symbol_px * look.scale)
