"""The layouts a data set can be written in: what files there are, and what they hold.

Every layout turns samples with names that are fit for files into such files, one after the other; where they
go is the business of :mod:`inktex.data.formats.targets`. What it writes,
:mod:`inktex.data.formats.sources` recognises.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from inktex.data.dataset import Sample
from inktex.data.formats.pictures import as_png, draw, encode, to_levels
from inktex.data.formats.tokenizers import Tokenizer, caption_tokens, tokens_or_latex
from inktex.errors import DataError, ImageError
from inktex.image import canonical as picture_file

_PICKLE_PROTOCOL = 4  # any Python 3 reads it
_FILTERS = {"train": "train", "val": "validate", "test": "test"}


class Named(NamedTuple):
    """A sample under the name that its files take.

    Attributes:
        sample: the sample.
        name: the name, without suffix.
        split: its split, or "".
    """

    sample: Sample
    name: str
    split: str

    @property
    def label(self) -> str:
        """The tokens, joined by spaces."""
        return " ".join(self.sample.tokens)


class File(NamedTuple):
    """A file to write.

    Attributes:
        name: with forward slashes.
        data: its bytes.
    """

    name: str
    data: bytes


@dataclass(frozen=True)
class Layout:
    """One of the ways to lay a data set out.

    Attributes:
        summary: what it is, for the help.
        write: makes the files of samples.
        cut: how importing it cuts labels.
        one_folder: the pictures of all splits lie in one folder.
        three_splits: the splits are train, val and test, and no other.
    """

    summary: str
    write: Callable[[Iterable[Named]], Iterator[File]]
    cut: Tokenizer
    one_folder: bool = False
    three_splits: bool = False


def _comer(samples: Iterable[Named]) -> Iterator[File]:
    """``data/SPLIT/caption.txt`` and ``data/SPLIT/img/NAME.bmp``; without a split both lie at the top."""
    captions: dict[str, list[str]] = {}
    for each in samples:
        folder = f"data/{each.split}/" if each.split else ""
        captions.setdefault(f"{folder}caption.txt", []).append(f"{each.name}\t{each.label}")
        yield File(f"{folder}img/{each.name}.bmp", _bmp(each.sample))
    yield from _texts(captions)


def _hmer(samples: Iterable[Named]) -> Iterator[File]:
    """``SPLIT_caption.txt`` and ``off_image_SPLIT/NAME_0.bmp``."""
    captions: dict[str, list[str]] = {}
    for each in samples:
        folder = f"off_image_{each.split}" if each.split else "off_image"
        captions.setdefault(_before("caption.txt", each.split), []).append(f"{each.name}\t{each.label}")
        yield File(f"{folder}/{each.name}_0.bmp", _bmp(each.sample))
    yield from _texts(captions)


def _pickle(samples: Iterable[Named]) -> Iterator[File]:
    """``offline-SPLIT.pkl``, arrays [1, h, w] by name, and ``SPLIT_caption.txt``."""
    captions: dict[str, list[str]] = {}
    arrays: dict[str, dict[str, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]] = {}
    for each in samples:
        captions.setdefault(_before("caption.txt", each.split), []).append(f"{each.name}\t{each.label}")
        levels = to_levels(picture_file.decode(_png(each.sample)))
        arrays.setdefault(each.split, {})[each.name] = levels[None]
    for split, by_name in arrays.items():
        name = f"offline-{split}.pkl" if split else "offline.pkl"
        yield File(name, pickle.dumps(by_name, _PICKLE_PROTOCOL))
    yield from _texts(captions)


def _im2latex(samples: Iterable[Named]) -> Iterator[File]:
    """``im2latex_formulas.norm.new.lst``, three filters, and ``images/NAME.png``."""
    formulas: list[str] = []
    filters: dict[str, list[str]] = {f"im2latex_{name}_filter.lst": [] for name in _FILTERS.values()}
    for each in samples:
        filters[f"im2latex_{_FILTERS[each.split]}_filter.lst"].append(f"{each.name}.png {len(formulas)}")
        formulas.append(each.label)
        yield File(f"images/{each.name}.png", _png(each.sample))
    yield from _texts({"im2latex_formulas.norm.new.lst": formulas, **filters})


def _json(samples: Iterable[Named]) -> Iterator[File]:
    """``SPLIT.json``, a list of ``{"images": NAME.png, "labels": LATEX}``, and ``images/NAME.png``."""
    lists: dict[str, list[dict[str, str]]] = {}
    for each in samples:
        entry = {"images": f"{each.name}.png", "labels": each.label}
        lists.setdefault(each.split or "labels", []).append(entry)
        yield File(f"images/{each.name}.png", _png(each.sample))
    for name, entries in lists.items():
        yield File(f"{name}.json", (json.dumps(entries, ensure_ascii=False, indent=1) + "\n").encode())


def _hme100k(samples: Iterable[Named]) -> Iterator[File]:
    """``SPLIT/SPLIT_labels.txt`` and ``SPLIT/SPLIT_images/NAME.png``; without a split both lie at the top."""
    labels: dict[str, list[str]] = {}
    for each in samples:
        folder = f"{each.split}/" if each.split else ""
        lines = labels.setdefault(folder + _before("labels.txt", each.split), [])
        lines.append(f"{each.name}.png\t{each.label}")
        yield File(f"{folder}{_before('images', each.split)}/{each.name}.png", _png(each.sample))
    yield from _texts(labels)


def _text(samples: Iterable[Named]) -> Iterator[File]:
    """``SPLIT/NAME.txt`` beside ``SPLIT/NAME.png``."""
    for each in samples:
        start = f"{each.split}/{each.name}" if each.split else each.name
        yield File(f"{start}.png", _png(each.sample))
        yield File(f"{start}.txt", f"{each.label}\n".encode())


def _before(name: str, split: str) -> str:
    return f"{split}_{name}" if split else name


def _texts(files: dict[str, list[str]]) -> Iterator[File]:
    for name, lines in files.items():
        yield File(name, "".join(f"{line}\n" for line in lines).encode())


def _png(sample: Sample) -> bytes:
    """Return a sample's picture as PNG; ink without a picture is drawn as importing it would."""
    if sample.image is None:
        assert sample.ink is not None
        return draw(sample.ink)
    try:
        return as_png(sample.image)
    except ImageError as error:
        raise DataError(f"the picture of {sample.id!r} cannot be read: {error}") from None


def _bmp(sample: Sample) -> bytes:
    return encode(to_levels(picture_file.decode(_png(sample))), ".bmp")


LAYOUTS: dict[str, Layout] = {
    "comer": Layout("CoMER's folders, as in its data.zip", _comer, caption_tokens),
    "hmer": Layout("HMER V2.0's captions and bitmaps", _hmer, caption_tokens),
    "pickle": Layout("pickles of arrays with captions", _pickle, caption_tokens),
    "im2latex": Layout(
        "image-to-latex's label list and three filters", _im2latex, caption_tokens, True, True
    ),
    "json": Layout("JSON lists of pictures and LaTeX", _json, tokens_or_latex, True),
    "hme100k": Layout("HME100K's folders", _hme100k, caption_tokens),
    "text": Layout("a text file beside each picture", _text, tokens_or_latex),
}
