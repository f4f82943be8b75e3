"""Labels by themselves: read from files, filtered, and held against a vocabulary."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inktex.data.dataset import read_dataset
from inktex.data.formats.tokenizers import Tokenizer
from inktex.errors import DataError

BAD_MARKS: tuple[str, ...] = ("error mathpix",)  # what a label made by machine says where none could be made
_EXAMPLES = 3
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"


@dataclass(frozen=True)
class Label:
    """A label that is not cut yet.

    Attributes:
        name: of the expression, or "" where the file has none.
        text: the label.
    """

    name: str
    text: str


@dataclass(frozen=True)
class Lacking:
    """A token that a vocabulary does not hold.

    Attributes:
        token: the token.
        count: how often it occurs.
        examples: the first labels with it, tokens joined by spaces.
    """

    token: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """How much of some labels a vocabulary covers.

    Attributes:
        labels: how many there are.
        labels_covered: how many have only tokens of the vocabulary.
        tokens: how many tokens they have.
        tokens_covered: how many of those the vocabulary holds.
        lacking: the tokens it lacks, the most frequent first.
    """

    labels: int
    labels_covered: int
    tokens: int
    tokens_covered: int
    lacking: tuple[Lacking, ...]


def checked_label(text: str, cut: Tokenizer) -> tuple[str, ...]:
    """Cut a label that is fit for use.

    Raises:
        DataError: it is empty, has several lines or is marked as bad.
        LatexError: the tokenizer cannot read it.
    """
    if len(text.strip().splitlines()) > 1:
        raise DataError("its label has several lines")
    mark = next((mark for mark in BAD_MARKS if mark in text.lower()), None)
    if mark is not None:
        raise DataError(f"its label is marked as bad: {mark!r}")
    tokens = tuple(cut(text))
    if not tokens:
        raise DataError("its label is empty")
    return tokens


def read_labels(path: Path) -> list[Label]:
    """Read the labels of a Parquet data set, or of text with a label or ``NAME<TAB>LABEL`` a line.

    Text may be gzipped; empty lines are left out.

    Raises:
        DataError: the file cannot be read, or holds no labels.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_PARQUET))
        if start == _PARQUET:
            return [Label(sample.id, " ".join(sample.tokens)) for sample in read_dataset(path)]
        data = path.read_bytes()
        text = (gzip.decompress(data) if start.startswith(_GZIP) else data).decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text: {error}") from None
    labels = [_to_label(line) for line in text.split("\n") if line.strip()]
    if not labels:
        raise DataError(f"{path} holds no labels")
    return labels


def _to_label(line: str) -> Label:
    name, tab, label = line.strip("\r").partition("\t")
    return Label(name.strip(), label) if tab else Label("", name)


def coverage(labels: Iterable[Sequence[str]], vocabulary: Collection[str]) -> Coverage:
    """Hold labels against a vocabulary.

    Args:
        labels: token lists.
        vocabulary: the tokens that are known.
    """
    known = frozenset(vocabulary)
    missing: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    count = covered = tokens = 0
    for label in labels:
        count += 1
        tokens += len(label)
        unknown = [token for token in label if token not in known]
        covered += not unknown
        missing.update(unknown)
        for token in dict.fromkeys(unknown):
            if len(shown := examples.setdefault(token, [])) < _EXAMPLES:
                shown.append(" ".join(label))
    lacking = tuple(
        Lacking(token, times, tuple(examples[token]))
        for token, times in sorted(missing.items(), key=lambda item: (-item[1], item[0]))
    )
    return Coverage(count, covered, tokens, tokens - missing.total(), lacking)


def replaced(labels: Iterable[Sequence[str]], vocabulary: Collection[str], by: str) -> Iterator[list[str]]:
    """Yield the labels with another token in place of those a vocabulary lacks."""
    known = frozenset(vocabulary)
    for label in labels:
        yield [token if token in known else by for token in label]
