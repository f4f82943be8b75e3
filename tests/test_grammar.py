from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.decoding import grammar
from inktex.decoding import grammar_backward as behind
from inktex.decoding import grammar_forward as ahead
from inktex.decoding.grammar import MOST_REPEATS, Grammar, Writing
from inktex.decoding.rescore import search_both_ways
from inktex.decoding.search import Hypothesis, SearchOptions, search
from inktex.errors import LatexError
from inktex.latex import tree as latex
from inktex.latex.tree import (
    ARITY,
    DELIMITERS,
    LIMIT_OPERATORS,
    OPTIONAL_ARGUMENT,
    is_well_formed,
    parse,
    to_tokens,
)
from inktex.vocabulary import SPECIALS, Vocabulary
from mock_stepper import END, PAD, START, TableStepper, batch

CAPTIONS = Path(__file__).parents[2] / "shared/data/crohme/offline.zip"
BOTH_WAYS = pytest.mark.parametrize(("first", "last"), [(START, END), (END, START)], ids=["ahead", "back"])

TRICKY = r"x { } ^ _ \frac \sqrt [ ] \left ( \right \limits \sum \begin{matrix} \end{matrix} & \\"
MANY = Vocabulary(
    (
        *SPECIALS,
        *(TRICKY + r" y + \int \mathop \binom \vec \xrightarrow ) . \begin{array} \end{array}").split(),
    )
)


def over(tokens: str) -> Vocabulary:
    """A vocabulary of some tokens, written with spaces."""
    return Vocabulary((*SPECIALS, *tokens.split()))


def in_dialect(tokens: Sequence[str]) -> bool:
    """Whether tokens parse and are printed as they stand, as the parser and the printer know it."""
    try:
        return to_tokens(parse(tokens)) == list(tokens)
    except LatexError:
        return False


def turned(tokens: Sequence[int], first: int) -> list[int]:
    """The tokens in the order in which they are written by a search that begins with ``first``."""
    return list(tokens) if first == START else list(tokens[::-1])


def accepts(rules: Grammar, sequences: Sequence[Sequence[int]], first: int, last: int) -> bool:
    """Whether all of some sequences of one length may be written where there is just room for them."""
    written = np.array([[*turned(each, first), last] for each in sequences])
    everyone = np.arange(len(written))
    writing = rules.start(np.full(len(written), first), written.shape[1])
    for time in range(written.shape[1]):
        if not writing.allowed()[everyone, written[:, time]].all():
            return False
        writing = writing.after(everyone, written[:, time])
    return True


@pytest.mark.skipif(not CAPTIONS.exists(), reason="the official CROHME captions are not at hand")
@BOTH_WAYS
def test_every_official_caption_may_be_written(first: int, last: int) -> None:
    """All labels of CROHME's training and 2014 test sets are allowed, in just as many tokens as they have."""
    labels = set()
    with zipfile.ZipFile(CAPTIONS) as archive:
        for split in ("train", "2014"):
            lines = archive.read(f"data/{split}/caption.txt").decode().splitlines()
            labels |= {tuple(line.split("\t", 1)[1].split()) for line in lines if line.strip()}
    vocabulary = Vocabulary.build(labels)
    rules = Grammar(vocabulary)
    by_length = defaultdict(list)
    for label in labels:
        by_length[len(label)].append(vocabulary.encode(label))

    assert len(labels) > 5_000
    assert [length for length, same in by_length.items() if not accepts(rules, same, first, last)] == []


def writable(writing: Writing, last: int, before: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Everything that may be written, by following every allowed token."""
    allowed = np.flatnonzero(writing.allowed()[0]).tolist()
    assert allowed, f"nothing may follow {before}"
    for token in allowed:
        if token == last:
            yield before
        else:
            yield from writable(writing.after(np.array([0]), np.array([token])), last, (*before, token))


@BOTH_WAYS
@pytest.mark.parametrize(
    ("tokens", "longest"),
    [
        (TRICKY, 4),
        (r"x { } [ ] \sqrt", 6),
        (r"\left \right ( ] [ { } \sqrt", 5),
        (r"{ } _ ^ \limits \sum \mathop", 6),
        (r"{ } \binom \mathop \limits", 7),
        (r"x \begin{array} \end{array} \begin{matrix} \end{matrix} { } & \\", 5),
    ],
)
def test_what_may_be_written_is_what_the_printer_writes(
    tokens: str, longest: int, first: int, last: int
) -> None:
    """Of all sequences up to a length, exactly those are allowed that come back from tree and printer.

    On the way to each, something may always follow, so a bound on length leads into no dead end.
    """
    vocabulary = over(tokens)
    everything = (each for length in range(longest + 1) for each in product(tokens.split(), repeat=length))

    found = list(writable(Grammar(vocabulary).start(np.array([first]), longest + 1), last))

    assert len(found) == len(set(found))
    assert {tuple(vocabulary.decode(turned(each, first))) for each in found} == set(
        filter(in_dialect, everything)
    )


@pytest.mark.parametrize(("tokens", "longest"), [(r"[ ] { } \sqrt", 8), (r"\left \right [ ] { } \sqrt", 7)])
def test_options_in_options_are_the_same_from_both_sides(tokens: str, longest: int) -> None:
    """Where brackets are options, symbols and delimiters in turn, both directions allow the same formulas."""
    rules = Grammar(over(tokens))

    ahead = set(writable(rules.start(np.array([START]), longest + 1), END))
    back = {each[::-1] for each in writable(rules.start(np.array([END]), longest + 1), START)}

    assert ahead == back
    assert all(in_dialect(over(tokens).decode(each)) for each in ahead)


def phrases(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Strategies for constructs with smaller things at "A" and "B"."""
    templates = [
        "A B",
        "{ A }",
        r"\frac { A } { B }",
        r"\sqrt { A }",
        r"\sqrt [ A ] { B }",
        "x _ { A }",
        "( ^ { A }",
        "x _ { A } ^ { B }",
        "_ { A }",
        r"\sum \limits _ { A } ^ { B }",
        r"\mathop { A } \limits ^ { B }",
        r"\left ( A \right ]",
        r"\left [ A \right . _ { B }",
        r"\begin{matrix} A & B \\ A \end{matrix}",
        r"\begin{array} { A } B & \end{array}",
        r"\xrightarrow [ A ] { B }",
    ]
    return st.builds(
        lambda template, a, b: template.replace("A", a).replace("B", b),
        st.sampled_from(templates),
        inner,
        inner,
    )


@given(
    text=st.recursive(st.sampled_from(["", "x", "y +", "[", "]", r"\int", "( ."]), phrases, max_leaves=8),
    change=st.tuples(st.integers(0, 99), st.integers(0, 2), st.sampled_from(MANY.tokens[len(SPECIALS) :])),
)
@settings(max_examples=300, deadline=None)
def test_both_directions_agree_with_the_parser(text: str, change: tuple[int, int, str]) -> None:
    """A formula, and one with tokens taken out or put in, is allowed both ways or neither way."""
    place, cut, token = change
    tokens, rules = text.split(), Grammar(MANY)
    for each in (
        tokens,
        [*tokens[:place], token, *tokens[place + cut :]],
        tokens[:place] + tokens[place + 1 :],
    ):
        ids = MANY.encode(each)
        answers = [accepts(rules, [ids], *way) for way in ((START, END), (END, START))]
        assert answers == [in_dialect(each)] * 2, " ".join(each)


@BOTH_WAYS
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("{", "}"),
        ("x _ {", "}"),
        (r"\frac { } {", "}"),
        (r"\sqrt [", "] { }"),
        (r"\left (", r"\right )"),
        (r"\begin{matrix}", r"\end{matrix}"),
    ],
)
def test_groups_are_nested_as_deep_as_the_parser_allows(
    monkeypatch: pytest.MonkeyPatch, opening: str, closing: str, first: int, last: int
) -> None:
    """The deepest formula that parses may be written, and one deeper may not; the limit is set to 6 here."""
    for module in (latex, ahead, behind):
        monkeypatch.setattr(module, "MAX_DEPTH", 6)
    for depth in (6, 7):
        tokens = [*opening.split() * depth, *closing.split() * depth]
        answer = accepts(Grammar(MANY), [MANY.encode(tokens)], first, last)
        assert answer == in_dialect(tokens) == (depth == 6)


def test_the_tables_are_as_the_automata_take_them() -> None:
    """A command with an option has one argument and carries no limits, and a delimiter is a plain symbol."""
    assert {ARITY[command] for command in OPTIONAL_ARGUMENT} == {1}
    assert not OPTIONAL_ARGUMENT & LIMIT_OPERATORS
    assert not DELIMITERS & (ARITY.keys() | LIMIT_OPERATORS)


class RandomStepper:
    """A model of random weights, fonder of what opens and closes than of letters or of ending."""

    def __init__(self, seed: int, vocabulary: Vocabulary) -> None:
        self.max_length = 1000
        self.generator = np.random.default_rng(seed)
        self.fondness = np.array([0.0 if token.isalnum() else 1.0 for token in vocabulary.tokens])
        self.fondness[[START, END]] = -2.0

    def start(self, images: np.ndarray, padding: np.ndarray) -> None:
        """Look at nothing."""

    def rewind(self) -> None:
        """Forget nothing."""

    def step(self, tokens: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """Return random logits."""
        noise = self.generator.standard_normal((len(tokens), len(self.fondness)))
        return (noise * 2 + self.fondness).astype(np.float32)


@BOTH_WAYS
@pytest.mark.parametrize("width", [1, 3])
def test_what_random_weights_write_parses(width: int, first: int, last: int) -> None:
    """Whatever a model prefers, each of 10,000 formulas is complete, within its bound and in the dialect."""
    written = []
    for max_length in (1, 2, 3, 5, 8, 13, 21, 34, 60):
        options = SearchOptions(width=width, max_length=max_length)
        stepper = RandomStepper(max_length, MANY)
        found = search(stepper, *batch(300 // width), first, last, (PAD,), options, Grammar(MANY))
        written += [each for hypotheses in found for each in hypotheses]
        assert all(each.complete and len(each.tokens) < max_length for each in written)

    formulas = [MANY.decode(turned(each.tokens, first)) for each in written]

    assert len(formulas) >= 2_500
    assert [formula for formula in formulas if not is_well_formed(formula) or not in_dialect(formula)] == []
    assert len(set(map(tuple, formulas))) > 1_500


@given(seed=st.integers(0, 10_000), width=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_both_directions_together_write_the_dialect_and_score_as_ever(seed: int, width: int) -> None:
    """What search in both directions finds is in the dialect, the best with the score of the model alone."""
    vocabulary = over(r"x { } _ [ ] \sqrt")
    stepper = TableStepper(seed, len(vocabulary))
    options, rules = SearchOptions(width=width, max_length=9), Grammar(vocabulary)

    (found,) = search_both_ways(stepper, *batch(1), START, END, (PAD, START), options, rules)

    assert all(each.complete and in_dialect(vocabulary.decode(each.tokens)) for each in found)
    ahead, back = (
        search(stepper, *batch(1), *way, (PAD,), options, rules)[0] for way in ((START, END), (END, START))
    )
    disputed = ahead[0].tokens != back[0].tokens[::-1]
    if disputed:
        one = stepper.score(0, found[0].tokens, START, END)
        other = stepper.score(0, found[0].tokens[::-1], END, START)
        assert found[0].score == pytest.approx((one + other) / 2, abs=1e-4)


class Favouring(TableStepper):
    """A model that holds the same tokens for likeliest at every step, in the order given."""

    def __init__(self, vocabulary: Vocabulary, order: str) -> None:
        super().__init__(0, len(vocabulary), max_length=1000)
        self.favoured = np.full(self.size, -50, np.float32)
        self.favoured[vocabulary.encode(order.split())] = -np.arange(len(order.split()))

    def logits(self, prefix: tuple[int, ...]) -> np.ndarray:
        """Return the same logits whatever is written."""
        return self.favoured


def greedy(
    stepper: TableStepper, vocabulary: Vocabulary, max_length: int, first: int, last: int
) -> Hypothesis:
    """The likeliest formula token by token, under the grammar."""
    options = SearchOptions(width=1, max_length=max_length)
    ((found,),) = search(stepper, *batch(1), first, last, (PAD,), options, Grammar(vocabulary))
    return found


@pytest.mark.parametrize(
    ("first", "last", "order", "max_length", "formula"),
    [
        (START, END, r"\frac { x } \sum", 1, ""),
        (START, END, r"\frac { x } \sum", 2, "x"),
        (START, END, r"\frac { x } \sum", 5, "{ { } }"),
        (START, END, r"\frac { x } \sum", 6, r"\frac { } { }"),
        (START, END, r"\frac { x } \sum", 7, r"\frac { x } { }"),
        (START, END, r"\frac { x } \sum", 8, r"\frac { { } } { }"),
        (START, END, r"\left ( \right", 6, r"\left ( ( \right ("),
        (START, END, r"\left ( \right", 9, r"\left ( \left ( \right ( \right ("),
        (START, END, r"\sqrt [ ] { }", 7, r"\sqrt [ [ ] { }"),
        (END, START, r"} x { \frac", 6, "{ { x } }"),
        (END, START, r"\limits } x { \sum \mathop", 2, "x"),
        (END, START, r"\limits } x { \sum \mathop", 3, r"\sum \limits"),
        (END, START, r"\limits } x { \sum \mathop", 5, r"\mathop { } \limits"),
        (END, START, r"( \right ) \left x", 4, "( ( ("),
        (END, START, r"\right ( \left x", 6, r"\left ( ( \right ("),
        (END, START, r"} ] [ { \sqrt", 6, "{ { ] } }"),
    ],
)
def test_the_length_bound_closes_a_formula(
    first: int, last: int, order: str, max_length: int, formula: str
) -> None:
    """Worked by hand: the model's favourites as long as there is room to close what they open."""
    vocabulary = over(r"x { } \frac \sqrt \sum \mathop \limits [ ] \left \right ( )")

    found = greedy(Favouring(vocabulary, order), vocabulary, max_length, first, last)

    assert " ".join(vocabulary.decode(turned(found.tokens, first))) == formula
    assert found.complete


class Looping(TableStepper):
    """A model that writes the same phrase over and over, or else what comes first in the vocabulary."""

    def __init__(self, phrase: Sequence[int], size: int) -> None:
        super().__init__(0, size, max_length=1000)
        self.phrase = phrase

    def logits(self, prefix: tuple[int, ...]) -> np.ndarray:
        """Favour the token that stands in the phrase at this place."""
        logits = -np.arange(self.size, dtype=np.float32)
        logits[[START, END]] = -30
        logits[self.phrase[(len(prefix) - 2) % len(self.phrase)]] = 9
        return logits


@BOTH_WAYS
@pytest.mark.parametrize("length", range(1, len(MOST_REPEATS) + 1))
def test_a_phrase_stands_in_a_row_so_often_and_no_more(length: int, first: int, last: int) -> None:
    """A model in a loop is thrown out of it before the phrase stands there once too often."""
    vocabulary, most = over("a b c d e f g h i"), MOST_REPEATS[length - 1]
    phrase = "ihgfedcb"[:length]
    stepper = Looping(vocabulary.encode(phrase), len(vocabulary))

    found = greedy(stepper, vocabulary, 300, first, last)

    text = "".join(vocabulary.decode(found.tokens))
    assert text.startswith(phrase * most + phrase[:-1] + "a")
    for size, bound in enumerate(MOST_REPEATS, start=1):
        assert not any(text[at : at + size] * (bound + 1) in text for at in range(len(text) - size + 1))
    assert len(text) == 299


@BOTH_WAYS
def test_what_has_to_close_may_be_repeated(first: int, last: int) -> None:
    """Where nothing else is left, a phrase goes on past its bound: thirty groups are closed."""
    vocabulary = over("{ } x")

    found = greedy(Favouring(vocabulary, "{ x }" if first == START else "} x {"), vocabulary, 80, first, last)

    formula = vocabulary.decode(turned(found.tokens, first))
    assert found.complete
    assert in_dialect(formula)
    assert formula.count("{") > MOST_REPEATS[0] + 5


def test_bounds_are_told_afterwards() -> None:
    """A formula with room to spare met no bound; a loop, and one that was closed by its length, did."""
    vocabulary = over(r"x y { } \frac")
    rules = Grammar(vocabulary)

    def met(text: str, max_length: int) -> bool:
        return rules.bounds(vocabulary.encode(text.split()), max_length)

    assert not met(r"\frac { x } { y }", 100)
    assert not met("x y " * 10, 100)
    assert met("x " * MOST_REPEATS[0], 100)
    assert met("x y " * MOST_REPEATS[1] + "x", 100)
    # After the formula the likes of `\frac { } { }` need 6 tokens with the end, inside its last argument 7.
    assert not met("x", 7)
    assert met("x", 6)
    assert not met("{ x }", 10)
    assert met("{ x }", 8)


@BOTH_WAYS
def test_tokens_without_their_partners_are_never_allowed(first: int, last: int) -> None:
    """What could not be completed over a vocabulary is left out from the start: no dead ends."""
    vocabulary = over(r"x ( ] \left \sqrt { _ \frac \begin{matrix} \end{array} \limits & \\")

    found = list(writable(Grammar(vocabulary).start(np.array([first]), 4), last))

    assert {token for each in found for token in vocabulary.decode(each)} == {"x", "(", "]"}
    assert len(found) == 1 + 3 + 9 + 27


def test_the_unknown_is_never_allowed() -> None:
    """Neither the special tokens nor the one that stands for unknown ones may be written, only the end."""
    vocabulary = Vocabulary((*SPECIALS, "<unk>", "x"))

    allowed = Grammar(vocabulary).start(np.array([START, END]), 5).allowed()

    assert allowed.tolist() == [[False, False, True, False, True], [False, True, False, False, True]]


@BOTH_WAYS
def test_forgetting_states_changes_nothing(monkeypatch: pytest.MonkeyPatch, first: int, last: int) -> None:
    """A grammar that keeps hardly any states works them out again, and allows the same."""
    found = set(writable(Grammar(over(TRICKY)).start(np.array([first]), 4), last))
    monkeypatch.setattr(grammar, "_STATES", 2)

    assert set(writable(Grammar(over(TRICKY)).start(np.array([first]), 4), last)) == found


def test_rows_do_not_mind_one_another() -> None:
    """Formulas in one batch, in both directions and reordered, are allowed what they are allowed alone."""
    rules, generator = Grammar(MANY), np.random.default_rng(0)
    first = np.array([START, END, START, END, START])
    writing = rules.start(first, 30)
    histories: list[list[int]] = [[] for _ in first]
    for _ in range(25):
        allowed = writing.allowed()
        for row, history in enumerate(histories):
            alone = rules.start(first[[row]], 30)
            for token in history:
                alone = alone.after(np.array([0]), np.array([token]))
            assert (alone.allowed()[0] == allowed[row]).all()
        going = allowed & ~np.isin(np.arange(len(MANY)), (START, END))
        parents = generator.permutation(len(first)) if going.any(axis=1).all() else np.arange(len(first))
        parents = parents[going[parents].any(axis=1)]
        tokens = (generator.random(going.shape) * going)[parents].argmax(axis=1)
        writing, first = writing.after(parents, tokens), first[parents]
        histories = [[*histories[parent], int(token)] for parent, token in zip(parents, tokens, strict=True)]
