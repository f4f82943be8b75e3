"""Tokens <-> ids. The specials are found by name, and nothing else in Inktex knows their numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from inktex.errors import VocabularyError

PAD = "<pad>"
START = "<sos>"
END = "<eos>"
UNKNOWN = "<unk>"
SPECIALS: tuple[str, str, str] = (PAD, START, END)


@dataclass(frozen=True)
class Vocabulary:
    """The token types a model knows; a token's id is its place.

    Attributes:
        tokens: the specials `<pad>`, `<sos>` and `<eos>`, then the LaTeX tokens, each once. If `<unk>` is
            among them, tokens that are not are encoded as it.

    Raises:
        VocabularyError: the specials are not the first three, or a token is empty, holds white space or
            stands twice.
    """

    tokens: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.tokens[: len(SPECIALS)] != SPECIALS:
            raise VocabularyError(
                f"A vocabulary must begin with {', '.join(SPECIALS)}, not {self.tokens[:3]}"
            )
        ids: dict[str, int] = {}
        for token in self.tokens:
            if token.split() != [token]:
                raise VocabularyError(f"A vocabulary token must be text without white space, not {token!r}")
            if token in ids:
                raise VocabularyError(f"The vocabulary holds the token {token!r} twice")
            ids[token] = len(ids)
        object.__setattr__(self, "_ids", ids)

    @classmethod
    def build(
        cls, labels: Iterable[Sequence[str]], min_count: int = 1, *, with_unknown: bool = False
    ) -> Vocabulary:
        """Collect the tokens of labels, sorted by code point, so that the same labels give the same ids.

        Args:
            labels: token lists.
            min_count: tokens that occur less often in all labels together are left out.
            with_unknown: whether `<unk>` stands for those, and for any other token; it does too where the
                labels hold it.
        """
        counts = Counter(token for label in labels for token in label)
        specials = (*SPECIALS, UNKNOWN)
        kept = sorted(
            token for token, count in counts.items() if count >= min_count and token not in specials
        )
        return cls((*(specials if with_unknown or UNKNOWN in counts else SPECIALS), *kept))

    @classmethod
    def from_json(cls, text: str | bytes) -> Vocabulary:
        """Read what :meth:`to_json` wrote.

        Raises:
            VocabularyError: not JSON, not a list of tokens, or not a sound vocabulary.
        """
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise VocabularyError(f"The vocabulary is not JSON: {error}") from None
        if not isinstance(value, list) or not all(isinstance(token, str) for token in value):
            raise VocabularyError("The vocabulary must be a JSON list of tokens")
        return cls(tuple(value))

    def to_json(self) -> str:
        """Return the tokens as a JSON list in the order of their ids, one a line."""
        return json.dumps(list(self.tokens), ensure_ascii=False, indent=0) + "\n"

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    @property
    def pad_id(self) -> int:
        """Id of padding."""
        return self._ids[PAD]

    @property
    def start_id(self) -> int:
        """Id of what stands before the first token."""
        return self._ids[START]

    @property
    def end_id(self) -> int:
        """Id of what stands after the last token."""
        return self._ids[END]

    @property
    def unknown_id(self) -> int | None:
        """Id of what stands for tokens that the vocabulary lacks, None if nothing does."""
        return self._ids.get(UNKNOWN)

    @property
    def unwritten(self) -> tuple[int, ...]:
        """Ids that no prediction may hold: padding, start and the unknown."""
        ids = (self.pad_id, self.start_id)
        return ids if self.unknown_id is None else (*ids, self.unknown_id)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Return the ids of LaTeX tokens, without start and end.

        Raises:
            VocabularyError: a token is not in the vocabulary, and nothing stands for the unknown.
        """
        if self.unknown_id is not None:
            return [self._ids.get(token, self.unknown_id) for token in tokens]
        try:
            return [self._ids[token] for token in tokens]
        except KeyError as error:
            raise VocabularyError(
                f"The vocabulary of {len(self)} tokens does not hold {error.args[0]!r}"
            ) from None

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the LaTeX tokens of ids; specials and the unknown are dropped.

        Raises:
            VocabularyError: an id is not in the vocabulary.
        """
        tokens = []
        for id_ in ids:
            if not 0 <= id_ < len(self.tokens):
                raise VocabularyError(f"{id_} is no id of a vocabulary of {len(self)} tokens")
            if self.tokens[id_] not in SPECIALS and id_ != self.unknown_id:
                tokens.append(self.tokens[id_])
        return tokens
