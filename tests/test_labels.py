"""Labels cut into tokens, filtered, and held against vocabularies of three forms."""

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inktex.data.dataset import Sample, write_dataset
from inktex.data.formats.labels import checked_label, coverage, read_labels, replaced
from inktex.data.formats.tokenizers import (
    NAMES,
    Matching,
    caption_tokenizer,
    caption_tokens,
    characters,
    choose,
    latex_tokens,
    tokens_or_latex,
    well_formed,
    whitespace,
)
from inktex.data.formats.vocabularies import FORMS, format_tokens, parse_tokens, special_of, to_vocabulary
from inktex.errors import ConfigError, DataError, LatexError, VocabularyError
from inktex.vocabulary import SPECIALS, UNKNOWN, Vocabulary
from laid_out import cross, encoded

MIXED = Path(__file__).parents[2] / "shared" / "data" / "labels" / "leikrit_mixed_zh_56k.txt.gz"
ENTRIES = ("\\in", "\\int", "\\infty", "\\left(", "\\le", "a", "ab", "bc", "x")


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        ("whitespace", r" \left( x  ^{2} ", [r"\left(", "x", "^{2}"]),
        ("latex", r"$\left(x^{2}\$", [r"\left", "(", "x", "^", "{", "2", "}", r"\$"]),
        ("character", "$x ^\t设$", ["x", "^", "设"]),
        ("dialect", r"$\left(\frac12\right)$", ["(", r"\frac", "{", "1", "}", "{", "2", "}", ")"]),
        ("matching", "abc", ["ab", "c"]),
        ("matching", "a bc", ["a", "bc"]),
        ("matching", r"\infty\int\inx", [r"\infty", r"\int", r"\in", "x"]),
        ("matching", r"\left(x\le", [r"\left(", "x", r"\le"]),
        ("matching", r"\foo设", ["\\", "f", "o", "o", "设"]),
    ],
)
def test_five_ways_to_cut(name: str, text: str, tokens: list[str]) -> None:
    """Each tokenizer against what it should give, worked by hand."""
    assert choose(name, ENTRIES)(text) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("x^2", ["x", "^", "2"]),
        ("x ^ { 2", ["x", "^", "{", "2"]),
        (r"\begin{array} { c } x \end{array}", [r"\begin{array}", "{", "c", "}", "x", r"\end{array}"]),
        (r"\left\{ x \right.", [r"\left\{", "x", r"\right."]),
        (r"\left(x\right)", [r"\left", "(", "x", r"\right", ")"]),
        (r"\leftx y", [r"\leftx", "y"]),
        ("$ x $", ["$", "x", "$"]),
        ("$x$", ["x"]),
        (r"\text { 设 函数 }", [r"\text", "{", "设", "函", "数", "}"]),
        ("12 + 3", ["1", "2", "+", "3"]),
    ],
)
def test_captions_are_cut_unless_they_are(text: str, tokens: list[str]) -> None:
    """A caption of tokens stays as it is, and any other is cut as LaTeX, worked by hand."""
    assert caption_tokens(text) == tokens


@given(
    st.lists(st.sampled_from([r"\frac", "{", "}", "^", "设", r"\{", r"\begin{array}", "x", "&"]), max_size=9)
)
def test_tokens_of_latex_stay_whatever_they_are(tokens: list[str]) -> None:
    """Tokens joined by spaces come back, well-formed or not, and are cut alike if they are LaTeX."""
    text = " ".join(tokens)

    assert caption_tokenizer([text])(text) == caption_tokens(text) == tokens_or_latex(text) == tokens


@pytest.mark.parametrize("cut", [caption_tokens, tokens_or_latex, well_formed])
@pytest.mark.parametrize("text", [r"\frac{1}{", "x^2^3", "a\\"])
def test_what_is_cut_must_be_well_formed(cut, text: str) -> None:
    """LaTeX that cannot be parsed is refused by whatever cuts it."""
    with pytest.raises(LatexError):
        cut(text)


@given(st.text("abcx\\inftylr( 设", max_size=30), st.sets(st.text("abcx\\inft(", min_size=1, max_size=5)))
def test_matching_is_what_a_regular_expression_would_do(text: str, entries: set[str]) -> None:
    """Alternatives sorted by length, longest first, match the same tokens."""
    longest_first = "|".join(map(re.escape, sorted(entries, key=len, reverse=True)))
    pattern = re.compile(rf"{longest_first}|\S" if entries else r"\S")

    assert Matching(frozenset(entries))(text) == pattern.findall(text)


@given(st.lists(st.text("abc\\{}^设", min_size=1, max_size=4), max_size=8))
def test_spaces_between_tokens_are_kept_apart(tokens: list[str]) -> None:
    """Tokens of the vocabulary that are separated by spaces come back as they are."""
    assert Matching(frozenset(tokens))(" ".join(tokens)) == tokens
    assert whitespace(" ".join(tokens)) == tokens


@given(st.text(max_size=20))
def test_characters_are_code_points(text: str) -> None:
    """Joined again, the characters are the text without white space and dollar signs."""
    assert "".join(characters(text)) == "".join(text.replace("$", "").split())


def test_a_tokenizer_is_named_or_refused() -> None:
    """All names lead somewhere; another is refused, and so is matching without a vocabulary."""
    assert all(choose(name, ENTRIES)("x") == ["x"] for name in NAMES)
    with pytest.raises(ConfigError, match="no tokenizer 'bpe'; there are: whitespace, latex"):
        choose("bpe")
    with pytest.raises(ConfigError, match="needs a vocabulary"):
        choose("matching")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\nb", "its label has several lines"),
        ("x Error MathPix y", "its label is marked as bad: 'error mathpix'"),
        (" \n", "its label is empty"),
        ("$$", "its label is empty"),
    ],
)
def test_labels_that_are_not_fit(text: str, problem: str) -> None:
    """Several lines, the mark of a failed reading and nothing at all are refused by name."""
    with pytest.raises(DataError, match=problem):
        checked_label(text, latex_tokens)


def test_a_label_may_end_its_line() -> None:
    """A line break at the end is no second line; LaTeX that cannot be cut says so."""
    assert checked_label("x ^ 2\r\n", latex_tokens) == ("x", "^", "2")
    with pytest.raises(LatexError, match="lone backslash"):
        checked_label("x \\", latex_tokens)


def test_labels_from_text_and_parquet(tmp_path: Path) -> None:
    """Plain and gzipped lines, with and without names, and data sets are read."""
    text = "\ufeffa\tx ^ 2\r\n\nb\ty\n".encode()
    (tmp_path / "a.txt").write_bytes(text)
    (tmp_path / "b.gz").write_bytes(gzip.compress(text.replace(b"a\t", b"").replace(b"b\t", b"")))
    rows = [Sample("a", "", "", ("x", "^", "2"), encoded(cross()), None)]
    write_dataset(rows, tmp_path / "c.parquet")

    found = [[(each.name, each.text) for each in read_labels(path)] for path in sorted(tmp_path.iterdir())]

    assert found == [[("a", "x ^ 2"), ("b", "y")], [("", "x ^ 2"), ("", "y")], [("a", "x ^ 2")]]


@pytest.mark.parametrize("data", [b"\xff", b"\x1f\x8bcut", b"\n \n"])
def test_a_file_without_labels_is_named(data: bytes, tmp_path: Path) -> None:
    """What is no text, damaged or empty is refused by its name."""
    (tmp_path / "odd.txt").write_bytes(data)

    with pytest.raises(DataError, match=r"odd\.txt"):
        read_labels(tmp_path / "odd.txt")
    with pytest.raises(DataError, match="nowhere"):
        read_labels(tmp_path / "nowhere")


def test_what_a_vocabulary_lacks() -> None:
    """Counts, and the first three labels of each token, the most frequent first."""
    labels = [["a", "z"], ["a"], ["z", "z", "q"], ["b", "z"], ["z"]]

    report = coverage(labels, ["a", "b"])

    assert (report.labels, report.labels_covered, report.tokens, report.tokens_covered) == (5, 1, 9, 3)
    assert [(each.token, each.count, each.examples) for each in report.lacking] == [
        ("z", 5, ("a z", "z z q", "b z")),
        ("q", 1, ("z z q",)),
    ]
    assert list(replaced(labels[:2], ["a"], UNKNOWN)) == [["a", UNKNOWN], ["a"]]


@given(st.lists(st.lists(st.text("abc", min_size=1, max_size=2), max_size=5), max_size=5), st.integers(1, 4))
def test_coverage_of_a_vocabulary_made_of_the_labels(labels: list[list[str]], min_count: int) -> None:
    """It lacks just the tokens that occur less often than asked, and encoding names them all unknown."""
    vocabulary = Vocabulary.build(labels, min_count, with_unknown=True)
    flat = [token for label in labels for token in label]

    report = coverage(labels, vocabulary.tokens)

    rare = {token for token in flat if flat.count(token) < min_count}
    assert {each.token for each in report.lacking} == rare
    unknown = [vocabulary.encode(label).count(vocabulary.unknown_id) for label in labels]
    assert sum(unknown) == sum(each.count for each in report.lacking)


TOKEN_LISTS = st.lists(
    st.characters(exclude_categories=("C", "Z"))
    | st.sampled_from(["\\frac", "[", "]", "{", "}", "\\{", "12"]),
    max_size=8,
)


@pytest.mark.parametrize("form", FORMS)
@given(tokens=TOKEN_LISTS, with_unknown=st.booleans())
def test_vocabulary_files_are_read_as_written(form, tokens: list[str], with_unknown: bool) -> None:
    """A vocabulary written in any form comes back equal, specials and unknown included."""
    vocabulary = Vocabulary.build([tokens], with_unknown=with_unknown)

    assert to_vocabulary(parse_tokens(format_tokens(vocabulary, form), "it")) == vocabulary


@pytest.mark.parametrize(
    "text",
    [
        "x\t2\n<sos>\t4\n<eol>\t0\n\\frac\t1\n'\t3\n",  # HMER V2.0, in no order
        "eos\nsos\n\\frac\nx\n'\n",  # CAN
        "\\frac\nx\n'\n",  # CoMER
        '{"<PAD>": 0, "<SOS>": 1, "<EOS>": 2, "\\\\frac": 4, "x": 5, "\'": 6}',  # image-to-latex
        '["<pad>", "<sos>", "<eos>", "\\\\frac", "x", "\'"]',  # ours
        "\ufeff\\frac\r\nx\r\n'\r\n".lstrip("\ufeff"),
    ],
)
def test_vocabularies_of_the_published_systems(text: str) -> None:
    """Every form and every name for a special gives the same vocabulary."""
    assert to_vocabulary(parse_tokens(text, "it")).tokens == (*SPECIALS, "\\frac", "x", "'")


def test_the_unknown_is_kept_where_there_is_one() -> None:
    """image-to-latex's <UNK> becomes ours, and stands for what the vocabulary lacks."""
    vocabulary = to_vocabulary(parse_tokens(json.dumps({"x": 0, "<UNK>": 7, "<PAD>": 9}), "it"))

    assert vocabulary.tokens == (*SPECIALS, UNKNOWN, "x")
    assert vocabulary.encode(["x", "y"]) == [4, 3]


@pytest.mark.parametrize(
    ("token", "special"),
    [
        ("<PAD>", "<pad>"),
        ("eol", "<eos>"),
        ("<s>", "<sos>"),
        ("s", None),
        ("end", None),
        ("<", None),
        ("<>", None),
    ],
)
def test_names_of_specials(token: str, special: str | None) -> None:
    """A special is told by its name in angle brackets, or by a word that is no token of a label."""
    assert special_of(token) == special


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no tokens"),
        ("a\na\n", "'a' twice"),
        ("a\t0\nb\t0\n", "two tokens one id"),
        ("a\t0\nb\n", "line 2: a vocabulary is JSON"),
        ("a b c\n", "line 1"),
        ("a\tb\n", "line 1"),
        ('{"a b": 1}', "without white space"),
        ('{"a": "b"}', "line 1"),
        ("a\neos\n<eol>\n", "both 'eos' and '<eol>' for <eos>"),
    ],
)
def test_odd_vocabularies_are_refused(text: str, problem: str) -> None:
    """What is no vocabulary is refused with a sentence that says where."""
    with pytest.raises(VocabularyError, match=problem):
        to_vocabulary(parse_tokens(text, "it"))


@pytest.mark.skipif(not MIXED.exists(), reason="the labels of the mixed set are not at hand")
def test_a_vocabulary_regenerated_from_56_019_labels() -> None:
    """The mixed labels give 1,639 tokens and four specials; matching cuts every joined label as it was."""
    labels = [whitespace(label.text) for label in read_labels(MIXED)]

    vocabulary = Vocabulary.build(labels, with_unknown=True)
    cut = Matching(frozenset(vocabulary.tokens[4:]))
    same = sum(cut("".join(label)) == label for label in labels)

    assert (len(labels), len(vocabulary)) == (56_019, 1_643)
    assert not coverage(labels, vocabulary.tokens).lacking
    assert same == len(labels)
