"""Labels for new expressions: real ones with groups exchanged and symbols renamed."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import zlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inktex.data.synthesis.arithmetic import arithmetic
from inktex.data.synthesis.constructs import construct
from inktex.data.synthesis.expressions import Written, is_closed
from inktex.data.synthesis.families import ALIKE, FAMILY
from inktex.data.synthesis.layout import kind_of
from inktex.errors import ConfigError, DataError, LatexError
from inktex.latex.normalize import normalize
from inktex.latex.spans import Part, read_tree
from inktex.latex.tree import Command, Row, Script, is_well_formed

FloatArray = npt.NDArray[np.float64]

RARITY = 0.75  # how much samples with rarer symbols are preferred where none is stated
_FEWEST = 50  # a symbol written less often than this is preferred no more than one written so often
_LISTED_RARITY = 0.4  # the same for labels of lists
_PACKED = {b"\x1f\x8b": gzip.decompress, b"\xfd7zXZ\x00": lzma.decompress}
_LONGEST_EXCHANGED = 24  # tokens
_LONGEST_RUN = 6  # items
_LOOSE = frozenset(("operator", "point"))  # kinds of items that no expression should end with
_LOOKALIKE = 0.3  # of renamed letters and digits, the share that get a name that looks alike


@dataclass(frozen=True)
class ComposeOptions:
    """How labels are composed.

    Attributes:
        exchanges: most groups exchanged in a label.
        rename: share of labels whose symbols are renamed.
        renamed: share of symbols renamed in such a label.
        listed: share of labels taken from the lists, if there are any.
        single: share of labels that are one symbol alone.
        arithmetic: share of labels that are numbers and everyday arithmetic.
        constructs: share of labels with arrays, lines, words, accents and the like, made around listed ones.
        longest: most tokens of a label.
        rarity: how much rare symbols are preferred, as new names and in labels to begin with: 0 not at all, 1
            makes all alike.
    """

    exchanges: int = 2
    rename: float = 0.7
    renamed: float = 0.5
    listed: float = 0.25
    single: float = 0.0
    arithmetic: float = 0.0
    constructs: float = 0.0
    longest: int = 70
    rarity: float = RARITY

    def __post_init__(self) -> None:
        for name in ("listed", "single", "arithmetic", "constructs"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"the share '{name}' must be from 0 to 1, got {getattr(self, name):g}")
        if self.longest < 1 or self.exchanges < 0:
            raise ConfigError(
                f"labels need at least 1 token and 0 exchanges, got {self.longest} and {self.exchanges}"
            )


def read_labels(path: Path) -> list[list[str]]:
    """Read LaTeX, an expression a line, plain, gzipped or .xz; lines that are no LaTeX are passed over.

    Raises:
        DataError: the file cannot be read as text.
    """
    try:
        data = path.read_bytes()
        unpack = next((unpack for mark, unpack in _PACKED.items() if data.startswith(mark)), bytes)
        text = unpack(data).decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error, lzma.LZMAError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text: {error}") from None
    labels = []
    for line in text.splitlines():
        with contextlib.suppress(LatexError):
            labels.append(normalize(line))
    return labels


def preferences(labels: Sequence[Sequence[str]], rarity: float = RARITY) -> FloatArray:
    """Return with what probability each label is to be drawn: more, the rarer its rarest token is in all.

    Args:
        labels: none of them empty.
        rarity: 0 makes all alike; with 1, labels of a rare token are drawn as often as those of a usual one.
    """
    counts = Counter(token for tokens in labels for token in tokens)
    rarest = [max(_FEWEST, min(counts[token] for token in tokens)) for tokens in labels]
    weights: FloatArray = np.array(rarest, dtype=np.float64) ** -rarity
    weights /= weights.sum()
    return weights


class Composer:
    """Composes labels.

    Args:
        expressions: whose labels, groups and symbols are used.
        labels: lists of further labels, each label counted once; those with tokens that nobody wrote, or too
            long, are left out. A list is drawn from as often as the root of its length tells, a label more
            often the rarer its rarest token.
        options: how labels are composed.
        known: tokens that may be used besides those of the expressions.
        symbols: what may be written alone.
    """

    def __init__(
        self,
        expressions: Sequence[Written],
        labels: Sequence[Sequence[Sequence[str]]],
        options: ComposeOptions,
        known: frozenset[str] = frozenset(),
        symbols: Sequence[tuple[str, ...]] = (),
    ) -> None:
        self.options = options
        self.symbols = symbols
        self._counts = Counter(token for written in expressions for token in written.sample.tokens)
        self._known = known | self._counts.keys()
        self._groups: dict[str, list[tuple[str, ...]]] = {}
        for written in expressions:
            tokens = written.sample.tokens
            for role, start, end in _exchangeable(written.root, tokens):
                self._groups.setdefault(role, []).append(tokens[start:end])
        own = [written.sample.tokens for written in expressions]
        self._shares = np.cumsum(preferences(own, options.rarity))
        self.listed = [self._usable(some) for some in labels]
        self.listed = [some for some in self.listed if some]
        self._list_shares = [np.cumsum(preferences(some, _LISTED_RARITY)) for some in self.listed]
        self._by_length = [sorted(some, key=len) for some in self.listed]
        self._lengths = [[len(label) for label in some] for some in self._by_length]
        roots = np.sqrt([len(some) for some in self.listed])
        self._lists = np.cumsum(roots / roots.sum())

    def _usable(self, labels: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        return [
            tokens
            for tokens in dict.fromkeys(map(tuple, labels))
            if 0 < len(tokens) <= self.options.longest
            and self._known.issuperset(tokens)
            and is_well_formed(tokens)
        ]

    def choose(self, rng: np.random.Generator) -> int:
        """Return which expression to begin with, those with rare symbols more often."""
        return int(np.searchsorted(self._shares, rng.random() * self._shares[-1], side="right"))

    def compose(self, tokens: tuple[str, ...], rng: np.random.Generator) -> tuple[str, ...]:
        """Return a label made from another, or from one of the lists, or a symbol or sum of its own."""
        options = self.options
        kind = rng.random()
        if self.symbols and kind < options.single:
            return self.symbols[int(rng.integers(len(self.symbols)))]
        kind -= options.single
        if 0 <= kind < options.arithmetic:
            return arithmetic(rng)
        kind -= options.arithmetic
        if self.listed and 0 <= kind < options.constructs:
            made = construct(lambda longest: self._short(longest, rng), rng)
            if len(made) <= options.longest and self._known.issuperset(made):
                return made
        if self.listed and rng.random() < options.listed:
            which = self._some_list(rng)
            shares = self._list_shares[which]
            place = int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))
            tokens = self.listed[which][place]
        for _ in range(int(rng.integers(0, options.exchanges + 1))):
            changed = self._exchange(tokens, rng)
            if len(changed) <= options.longest and is_well_formed(changed):
                tokens = changed
        if rng.random() < options.rename:
            renamed = self._rename(tokens, rng)
            tokens = renamed if is_well_formed(renamed) else tokens
        return tokens

    def _some_list(self, rng: np.random.Generator) -> int:
        return int(np.searchsorted(self._lists, rng.random() * self._lists[-1], side="right"))

    def _short(self, longest: int, rng: np.random.Generator) -> tuple[str, ...]:
        """Return a listed label of at most so many tokens, or a short one if there is none."""
        which = self._some_list(rng)
        count = max(1, bisect_right(self._lengths[which], longest))
        return self._by_length[which][int(rng.integers(count))]

    def _exchange(self, tokens: tuple[str, ...], rng: np.random.Generator) -> tuple[str, ...]:
        """Return the label with one of its groups replaced by another of the same role."""
        places = list(_exchangeable(read_tree(tokens), tokens))
        if not places:
            return tokens
        role, start, end = places[rng.integers(len(places))]
        others = self._groups.get(role)
        if not others:
            return tokens
        return tokens[:start] + others[rng.integers(len(others))] + tokens[end:]

    def _rename(self, tokens: tuple[str, ...], rng: np.random.Generator) -> tuple[str, ...]:
        """Return the label with some symbols renamed within their families; a letter alike everywhere."""
        names = {"d": "d"} if "\\int" in tokens else {}  # the d of a differential stays
        renamed = []
        for token in tokens:
            new = token
            if token in FAMILY:
                if token not in names or not token.isalpha():  # digits and signs differ from place to place
                    change = rng.random() < self.options.renamed
                    names[token] = self._other(token, rng) if change else token
                new = names[token]
            renamed.append(new)
        return tuple(renamed)

    def _other(self, token: str, rng: np.random.Generator) -> str:
        """Return another token of its family, or one that looks like it."""
        if token in ALIKE and rng.random() < _LOOKALIKE:
            alike = [other for other in ALIKE[token] if other in self._known]
            return alike[rng.integers(len(alike))] if alike else token
        known = [other for other in FAMILY[token] if other in self._known]
        counts = [max(self._counts[other], _FEWEST) for other in known]
        weights = np.array(counts) ** (1.0 - self.options.rarity)
        return known[int(np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random()))]


def _exchangeable(part: Part, tokens: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield (role, start, end) of what can be exchanged for another of its role.

    These are arguments, scripts, and runs of several items; the role of a run says whether it begins and ends
    with a sign, so that none is left without its operands.
    """
    for role, child in part.children.items():
        if isinstance(child.node, Row) and child.children and _is_group(tokens[child.start : child.end]):
            head = part.node.name if isinstance(part.node, Command) else ""
            yield f"{head} {role}", child.start, child.end
        yield from _exchangeable(child, tokens)
    if not isinstance(part.node, Row):
        return
    for first, item in enumerate(part.items):
        if isinstance(item.node, Script) and "base" not in item.children:
            continue
        for last in part.items[first + 1 : first + _LONGEST_RUN]:
            if _is_group(tokens[item.start : last.end]):
                ends = " ".join("sign" if kind_of(end) in _LOOSE else "term" for end in (item, last))
                yield f"run {ends}", item.start, last.end


def _is_group(tokens: Sequence[str]) -> bool:
    return len(tokens) <= _LONGEST_EXCHANGED and is_closed(tokens)
