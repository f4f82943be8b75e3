"""A mock model for tests of search: its logits are a table that an oracle can read too."""

from collections.abc import Sequence

import numpy as np

from inktex.decoding.stepper import Stepper

PAD, START, END = 0, 1, 2


class TableStepper(Stepper):
    """A mock model: logits are a fixed random function of (picture, tokens so far)."""

    def __init__(self, seed: int, size: int, max_length: int = 100, spread: float = 1.5) -> None:
        self.max_length = max_length
        self.seed, self.size, self.spread = seed, size, spread
        self.steps: list[int] = []

    def start(self, images: np.ndarray, padding: np.ndarray) -> None:
        """Take the number of each picture from its first pixel."""
        self.pictures = [int(image.flat[0]) for image in images]
        self.rewind()

    def rewind(self) -> None:
        """Forget all hypotheses."""
        self.prefixes: list[tuple[int, ...]] = [(picture,) for picture in self.pictures]

    @property
    def attention(self) -> np.ndarray:
        """Attention [n, 1] over pictures of a single position."""
        return np.ones((len(self.prefixes), 1), np.float32)

    def step(self, tokens: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """Continue hypotheses, and note how many."""
        self.prefixes = [
            (*self.prefixes[parent], int(token)) for token, parent in zip(tokens, parents, strict=True)
        ]
        self.steps.append(len(tokens))
        return np.stack([self.logits(prefix) for prefix in self.prefixes])

    def logits(self, prefix: tuple[int, ...]) -> np.ndarray:
        """Return the logits [v] that follow (picture, tokens so far)."""
        generator = np.random.default_rng([self.seed, *prefix])
        return (generator.standard_normal(self.size) * self.spread).astype(np.float32)

    def score(
        self,
        picture: int,
        written: Sequence[int],
        start: int = START,
        end: int | None = END,
        also: tuple = (PAD,),
    ) -> float:
        """Log-probability of a sequence, worked out in double precision and token by token."""
        total, prefix = 0.0, (picture, start)
        for token in [*written, *([] if end is None else [end])]:
            logits = self.logits(prefix).astype(np.float64)
            allowed = [number for number in range(self.size) if number not in (start, *also)]
            total += logits[token] - np.log(np.exp(logits[allowed]).sum())
            prefix = (*prefix, token)
        return float(total)


def batch(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures whose first pixel is their number."""
    images = np.arange(count, dtype=np.float32)[:, None, None, None]
    return images, np.zeros((count, 1, 1), bool)
