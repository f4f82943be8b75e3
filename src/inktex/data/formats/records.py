"""What every layout of pictures with labels boils down to: entries, each a picture and its label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from inktex.data.dataset import Sample
from inktex.data.formats.labels import checked_label
from inktex.data.formats.pictures import as_png
from inktex.data.formats.tokenizers import Tokenizer, caption_tokenizer
from inktex.errors import InktexError

MOST_ROWS = 2_000_000  # of one list or table


@dataclass(frozen=True)
class Rejected:
    """What was passed over.

    Attributes:
        name: the file within the source, and the line or entry in it.
        reason: why, without the name.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """One expression of a layout, not yet read.

    Attributes:
        id: name of the expression.
        label: its label as the layout has it.
        where: where the label stands, for messages.
        picture: what the picture is called in messages.
        load: returns the picture file's bytes; raises an InktexError.
        group: the part of the collection it belongs to, or "".
    """

    id: str
    label: str
    where: str
    picture: str
    load: Callable[[], bytes]
    group: str = ""


Later = Callable[[], Entry | Rejected]  # an expression whose label is not read yet either


@dataclass(frozen=True)
class Part:
    """One split of a source.

    Attributes:
        split: its name, or "" where the layout gives none.
        entries: its expressions, and what was passed over on the way to them.
        cut: makes tokens of the layout's labels.
    """

    split: str
    entries: Sequence[Entry | Rejected | Later]
    cut: Tokenizer


def caption_part(split: str, entries: Iterable[Entry | Rejected]) -> Part:
    """Return a part whose labels are captions: tokens already, or LaTeX that is to be cut."""
    listed = tuple(entries)
    return Part(split, listed, caption_tokenizer(each.label for each in listed if isinstance(each, Entry)))


class Found(NamedTuple):
    """What a layout finds in a source.

    Attributes:
        parts: its splits, none if the source is not in this layout.
        rest: pictures that no part names.
        faults: files that may be of the layout and cannot be read as such.
    """

    parts: tuple[Part, ...]
    rest: tuple[Rejected, ...] = ()
    faults: tuple[Rejected, ...] = ()

    @property
    def has_entries(self) -> bool:
        """Whether there is anything to read, and not only what is passed over."""
        return any(not isinstance(entry, Rejected) for part in self.parts for entry in part.entries)


def read_entry(entry: Entry, split: str, source: str, cut: Tokenizer) -> Sample | Rejected:
    """Cut the label and read the picture of an entry.

    Args:
        entry: what to read.
        split: the sample's split.
        source: the sample's source, unless the entry belongs to a group.
        cut: makes tokens of the label.
    """
    try:
        tokens = checked_label(entry.label, cut)
    except InktexError as error:
        return Rejected(entry.where, str(error))
    try:
        image = as_png(entry.load())
    except InktexError as error:
        return Rejected(entry.picture, str(error))
    return Sample(entry.id, split, entry.group or source, tokens, image, None)
