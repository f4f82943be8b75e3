"""Where a model looks while it writes: the attention and the probability of every token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from inktex.decoding.search import Starts
from inktex.decoding.stepper import FloatArray, Stepper
from inktex.decoding.teacher_forcing import force
from inktex.recognition.inputs import Source, canonical_pictures
from inktex.recognition.recognizer import Recognizer
from inktex.vocabulary import Vocabulary

_CONCENTRATED = 0.2  # share of the attention that one square of a symbol's gets


@dataclass(frozen=True, eq=False)
class Explanation:
    """How an expression was read, from left to right.

    Attributes:
        picture: the canonical picture [h, w] that the model was shown, ink 1 on 0.
        stride: side of the square of pixels that one position of the attention stands for.
        tokens: the t tokens that were written.
        attention: [t, rows, columns], over the squares of the picture while each token was written; each sums
            to 1.
        probabilities: [t], of each token after those before it.
    """

    picture: FloatArray = field(repr=False)
    stride: int
    tokens: tuple[str, ...]
    attention: FloatArray = field(repr=False)
    probabilities: FloatArray

    def warmth(self, step: int) -> FloatArray:
        """Return how much each square [rows, columns] is looked at while a token is written, 0 to 1.

        The square looked at most has 1 if it gets a fifth of the attention or more; attention that is spread
        wider than that stays pale.
        """
        attention = self.attention[step]
        return np.asarray(attention / max(float(attention.max()), _CONCENTRATED), np.float32)


def explain(recognizer: Recognizer, source: Source) -> Explanation:
    """Read an expression as the recognizer does, and see where it looks.

    What is best is found by the recognizer's own search; its tokens are then fed to the model again, from
    left to right.

    Args:
        recognizer: reads it.
        source: what a recognizer reads.

    Raises:
        InktexError: the source cannot be read.
    """
    tokens = recognizer.recognize(source).tokens
    bundle = recognizer.bundle
    (canonical,) = canonical_pictures(source, (bundle.metadata.symbol_px,))
    return follow(recognizer.stepper(), bundle.vocabulary, bundle.metadata.stride, canonical.picture, tokens)


def follow(
    stepper: Stepper, vocabulary: Vocabulary, stride: int, picture: FloatArray, tokens: Sequence[str]
) -> Explanation:
    """Feed an expression to a model token by token, and see where it looks before each.

    Args:
        stepper: the model.
        vocabulary: its tokens by id.
        stride: side of the square of pixels that one position of its attention stands for.
        picture: canonical picture [h, w].
        tokens: the expression, at most as long as the stepper's ``max_length``.

    Raises:
        VocabularyError: a token that the model does not know.
    """
    written = vocabulary.encode(tokens)
    rows, columns = (-(-side // stride) for side in picture.shape)
    start, end = np.array([vocabulary.start_id]), np.array([vocabulary.end_id])
    stepper.start(picture[None, None], np.zeros((1, *picture.shape), np.bool_))
    starts = Starts(np.zeros(1, np.int64), start, end, vocabulary.unwritten)
    (forced,) = force(stepper, starts, [written])
    attention = forced.attention.reshape(len(written), rows, columns)
    return Explanation(picture, stride, tuple(tokens), attention, np.exp(forced.scores))
