"""Reading with attention: what an explanation holds, and that it is the model's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drawn import scribble
from inktex.decoding.rescore import score_sequences
from inktex.decoding.search import Starts
from inktex.errors import InktexError, VocabularyError
from inktex.recognition.inputs import canonical_pictures
from inktex.recognition.recognizer import Recognizer
from inktex.visualize.explain import Explanation, explain, follow
from inktex.vocabulary import Vocabulary
from mock_stepper import TableStepper

VOCABULARY = Vocabulary.build([list("abcde")])


class LookingStepper(TableStepper):
    """A mock model that looks at the square whose number is the count of tokens it was fed."""

    squares = 6

    @property
    def attention(self) -> np.ndarray:
        """All of the attention at one square."""
        return np.stack([np.eye(self.squares, dtype=np.float32)[len(prefix) - 2] for prefix in self.prefixes])


def test_each_token_has_the_attention_and_the_probability_of_its_own_step() -> None:
    """Square 0 while the first token is written, 1 while the second is, and the table's probabilities."""
    stepper = LookingStepper(3, len(VOCABULARY))
    picture = np.zeros((16, 24), np.float32)

    explanation = follow(stepper, VOCABULARY, 8, picture, ["b", "a", "e"])

    assert explanation.tokens == ("b", "a", "e")
    assert explanation.attention.shape == (3, 2, 3)
    assert [tuple(np.argwhere(each)[0]) for each in explanation.attention] == [(0, 0), (0, 1), (0, 2)]
    ids = VOCABULARY.encode("bae")
    before = (0, VOCABULARY.start_id)
    for number, token in enumerate(ids):
        logits = stepper.logits((*before, *ids[:number])).astype(np.float64)
        allowed = [id_ for id_ in range(len(VOCABULARY)) if id_ not in VOCABULARY.unwritten]
        expected = np.exp(logits[token]) / np.exp(logits[allowed]).sum()
        assert explanation.probabilities[number] == pytest.approx(expected, rel=1e-5)


def test_squares_at_the_edge_are_counted_whole() -> None:
    """A picture that is no multiple of the stride has a square for what remains."""
    stepper = LookingStepper(3, len(VOCABULARY))

    explanation = follow(stepper, VOCABULARY, 16, np.zeros((24, 40), np.float32), ["a"])

    assert explanation.attention.shape == (1, 2, 3)


def test_nothing_read_has_no_steps() -> None:
    """An empty expression is explained by nothing, and a token that the model does not know is refused."""
    stepper = LookingStepper(3, len(VOCABULARY))
    picture = np.zeros((16, 24), np.float32)

    assert follow(stepper, VOCABULARY, 8, picture, []).attention.shape == (0, 2, 3)
    with pytest.raises(VocabularyError, match="'z'"):
        follow(stepper, VOCABULARY, 8, picture, ["z"])


def test_concentrated_attention_is_warm_and_scattered_attention_pale() -> None:
    """The warmest square is 1 from a fifth of the attention on; below that warmth is in proportion."""
    attention = np.float32([[[0.6, 0.3, 0.1, 0.0]], [[0.1, 0.1, 0.05, 0.05]]])
    explanation = Explanation(np.zeros((8, 32), np.float32), 8, ("a", "b"), attention, np.ones(2, np.float32))

    assert explanation.warmth(0) == pytest.approx(np.float32([[1, 0.5, 1 / 6, 0]]))
    assert explanation.warmth(1) == pytest.approx(np.float32([[0.5, 0.5, 0.25, 0.25]]))


@pytest.mark.parametrize("seed", range(3))
def test_a_recognizer_is_explained_in_its_own_words(tiny_bundle: Path, seed: int) -> None:
    """Tokens are those that it recognizes; attention sums to 1; the probabilities multiply to the score."""
    recognizer, ink = Recognizer(tiny_bundle), scribble(seed)

    explanation = explain(recognizer, ink)

    picture = canonical_pictures(ink, [16.0])[0].picture
    height, width = picture.shape
    assert np.array_equal(explanation.picture, picture)
    assert explanation.tokens == recognizer.recognize(ink).tokens
    assert explanation.tokens
    assert explanation.attention.shape == (len(explanation.tokens), height // 8, width // 8)
    assert explanation.attention.sum(axis=(1, 2)) == pytest.approx(np.ones(len(explanation.tokens)), abs=1e-4)
    vocabulary, stepper = recognizer.bundle.vocabulary, recognizer.stepper()
    stepper.start(picture[None, None], np.zeros((1, height, width), bool))
    ids = vocabulary.encode(explanation.tokens)
    # Ended by each token instead of the end, beginnings score what their tokens do together.
    for length in range(1, len(ids) + 1):
        starts = Starts(
            np.array([0]),
            np.array([vocabulary.start_id]),
            np.array([ids[length - 1]]),
            vocabulary.unwritten,
        )
        score = score_sequences(stepper, starts, [ids[: length - 1]])[0]
        assert np.log(explanation.probabilities[:length]).sum() == pytest.approx(score, abs=1e-4)


def test_what_cannot_be_read_cannot_be_explained(tiny_bundle: Path) -> None:
    """The recognizer's own error comes through."""
    with pytest.raises(InktexError, match="no such file"):
        explain(Recognizer(tiny_bundle), "nowhere.png")


def test_pytorch_and_the_bundle_look_at_the_same_places(tmp_path: Path) -> None:
    """A network and its export give one explanation, within what export allows."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from inktex.decoding.stepper import OnnxStepper
    from inktex.export.onnx import export
    from inktex.models.families import FAMILIES
    from inktex.recognition.metadata import Metadata
    from inktex.training.stepper import TorchStepper
    from tiny_models import TINY

    picture = canonical_pictures(scribble(1), [16.0])[0].picture
    for family in ("inktex", "wap"):
        torch.manual_seed(0)
        network = FAMILIES[family].build(len(VOCABULARY), TINY[family]).eval()
        bundle = export(network, VOCABULARY, Metadata(family, 64, 16.0, network.stride), tmp_path / family)

        ours = follow(TorchStepper(network, 64), VOCABULARY, network.stride, picture, list("abcab"))
        theirs = follow(
            OnnxStepper(*bundle.sessions(), 64), VOCABULARY, bundle.metadata.stride, picture, list("abcab")
        )

        assert theirs.attention == pytest.approx(ours.attention, abs=1e-4)
        assert theirs.probabilities == pytest.approx(ours.probabilities, abs=1e-4)
        assert ours.attention.std() > 0
