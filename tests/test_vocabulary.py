"""The vocabulary against tables worked by hand and against properties."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inktex.errors import VocabularyError
from inktex.vocabulary import Vocabulary

TOKENS = st.text(min_size=1, max_size=6).filter(lambda t: t.split() == [t] and not t.startswith("<"))
LABELS = st.lists(st.lists(TOKENS, max_size=6), max_size=6)


def test_ids_follow_the_specials_in_code_point_order() -> None:
    """The specials come first and the tokens after them, sorted, whatever the order of the labels."""
    vocabulary = Vocabulary.build([["x", "^", "{", "2", "}"], ["\\frac", "x", "A"]])

    assert vocabulary.tokens == ("<pad>", "<sos>", "<eos>", "2", "A", "\\frac", "^", "x", "{", "}")
    assert (vocabulary.pad_id, vocabulary.start_id, vocabulary.end_id) == (0, 1, 2)
    assert vocabulary.unwritten == (0, 1)
    assert len(vocabulary) == 10
    assert vocabulary.encode(["x", "A"]) == [7, 4]
    assert vocabulary.decode([1, 7, 4, 2, 0]) == ["x", "A"]
    assert "x" in vocabulary
    assert "y" not in vocabulary


def test_rare_tokens_are_left_out() -> None:
    """A token that occurs less often than asked is not in the vocabulary; occurrences add up over labels."""
    vocabulary = Vocabulary.build([["a", "b"], ["a", "c", "c"]], min_count=2)

    assert vocabulary.tokens[3:] == ("a", "c")


@given(LABELS, st.randoms(use_true_random=False))
def test_labels_survive_encoding_and_order_does_not_matter(labels: list[list[str]], random) -> None:
    """Every label decodes to itself, and the same labels in another order build an equal vocabulary."""
    vocabulary = Vocabulary.build(labels)
    shuffled = random.sample(labels, len(labels))

    assert [vocabulary.decode(vocabulary.encode(label)) for label in labels] == labels
    assert Vocabulary.build(shuffled) == vocabulary
    assert hash(Vocabulary.build(shuffled)) == hash(vocabulary)


@given(LABELS)
def test_json_round_trip(labels: list[list[str]]) -> None:
    """A vocabulary is a plain JSON list of tokens and reads back equal."""
    vocabulary = Vocabulary.build(labels)

    assert json.loads(vocabulary.to_json()) == list(vocabulary.tokens)
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_the_unknown_stands_for_what_is_lacking() -> None:
    """With ``<unk>`` any token can be encoded; no prediction may hold it, and decoding drops it."""
    vocabulary = Vocabulary.build([["a", "a", "b"]], min_count=2, with_unknown=True)

    assert vocabulary.tokens == ("<pad>", "<sos>", "<eos>", "<unk>", "a")
    assert vocabulary.encode(["a", "b", "<unk>", "zeta"]) == [4, 3, 3, 3]
    assert vocabulary.unwritten == (0, 1, 3)
    assert vocabulary.decode([4, 3]) == ["a"]
    assert Vocabulary.build([["a", "<unk>"]]) == vocabulary
    assert Vocabulary.build([["a"]]).unknown_id is None


def test_an_unknown_token_is_named() -> None:
    """Encoding a token that the vocabulary lacks says which."""
    with pytest.raises(VocabularyError, match="'zeta'"):
        Vocabulary.build([["a"]]).encode(["a", "zeta"])


@pytest.mark.parametrize("number", [-1, 4])
def test_an_unknown_id_is_named(number: int) -> None:
    """Decoding an id outside the vocabulary says which, negative ones included."""
    with pytest.raises(VocabularyError, match=str(number)):
        Vocabulary.build([["a"]]).decode([3, number])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": 1}', "JSON list"),
        ('["<pad>", "<sos>", "<eos>", 3]', "JSON list"),
        ("[]", "must begin with"),
        ('["<sos>", "<pad>", "<eos>"]', "must begin with"),
        ('["<pad>", "<sos>", "<eos>", "a", "a"]', "'a' twice"),
        ('["<pad>", "<sos>", "<eos>", "<sos>"]', "'<sos>' twice"),
        ('["<pad>", "<sos>", "<eos>", "a b"]', "white space"),
        ('["<pad>", "<sos>", "<eos>", ""]', "white space"),
    ],
)
def test_a_damaged_vocabulary_is_refused(text: str, problem: str) -> None:
    """What is not a sound vocabulary is refused with a sentence that says why."""
    with pytest.raises(VocabularyError, match=problem):
        Vocabulary.from_json(text)
