"""Labels as text beside pictures: lists of ``NAME<TAB>LABEL``, and a text file for each picture.

A list is a text file whose name ends in ``caption`` or ``labels``; its pictures lie in a folder beside it.
Such are CoMER's ``SPLIT/caption.txt`` with ``SPLIT/img``, HMER V2.0's ``train_caption.txt`` with
``off_image_train/NAME_0.bmp`` and HME100K's ``train/train_labels.txt`` with ``train/train_images``. The
words that such names share (``train``) tell which list and which folder belong together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from inktex.data.formats.files import Files
from inktex.data.formats.pictures import by_stem, is_picture, without_suffix
from inktex.data.formats.records import Entry, Found, Part, Rejected, caption_part
from inktex.data.formats.tokenizers import tokens_or_latex
from inktex.errors import DataError

_LIST_WORDS = frozenset(("caption", "captions", "label", "labels"))
_COMMON_WORDS = re.compile(
    r"(?<![^\W_])(?:offline|off|images?|imgs?|pictures?|captions?|labels?)(?![^\W_])", re.IGNORECASE
)
_USUAL_LIST = "caption.txt"
_USUAL_FOLDER = "img"
_USUAL_SPLIT = re.compile(r"train|val|test|20[0-9][0-9]")
_CHANNEL = "_0"  # HMER V2.0 numbers the channels of a picture: NAME_0.bmp
_SUBSETS = frozenset(("easy", "medium", "hard"))


class Line(NamedTuple):
    """A line of a list.

    Attributes:
        where: the list and the line's number, for messages.
        key: the picture's name without the suffix of a picture.
        label: the label as it stands there.
    """

    where: str
    key: str
    label: str


def split_word(name: str) -> str:
    """Return what tells a list or folder from its neighbours: ``14_test`` of ``14_test_images``, else ""."""
    return _COMMON_WORDS.sub("", name).strip("-_ .")


def find_captions(files: Files) -> Found:
    """Find lists of labels that have a folder of pictures."""
    pairs = ((name, _folder(files, name)) for name in label_lists(files, files.named(".txt")))
    return Found(tuple(_captions(files, name, folder) for name, folder in pairs if folder is not None))


def find_bare_captions(files: Files) -> Found:
    """Find lists of labels whose pictures are not there, so that this can be told."""
    names = label_lists(files, files.named(".txt"))
    return Found(tuple(_captions(files, name, None) for name in names))


def find_texts(files: Files) -> Found:
    """Find ``NAME.txt`` beside ``NAME.png``; the labels are raw LaTeX."""
    if files.chosen is not None:
        return Found(())
    texts = {name[: -len(".txt")]: name for name in files.named(".txt")}
    pictures = {without_suffix(name): name for name in reversed(files.names) if is_picture(name)}
    by_folder: dict[str, list[Entry | Rejected]] = {}
    for path in sorted(texts.keys() & pictures.keys()):
        entry = _text_entry(files, texts[path], pictures[path])
        by_folder.setdefault(PurePosixPath(path).parent.name, []).append(entry)
    alone = [Rejected(texts[path], "there is no picture beside it") for path in texts.keys() - pictures]
    alone += [Rejected(pictures[path], "there is no label beside it") for path in pictures.keys() - texts]
    parts = tuple(Part(folder, tuple(entries), tokens_or_latex) for folder, entries in by_folder.items())
    return Found(parts, tuple(sorted(alone, key=lambda file: file.name)))


def find_with_labels(files: Files, labels: Path) -> Found:
    """Join a list of labels from elsewhere with all pictures of a source.

    Raises:
        DataError: the list cannot be read as text.
    """
    pictures = by_stem(files.names)
    if not pictures:
        return Found(())
    entries = match(files, given_lines(labels), pictures, labels.name)
    return Found((caption_part(split_word(labels.stem), entries),))


def label_lists(files: Files, names: Iterable[str]) -> list[str]:
    """Return which of some text files are lists of labels; a text beside a picture of its name is none."""
    stems = {without_suffix(name) for name in files.names if is_picture(name)}
    return [
        name
        for name in names
        if name == files.chosen
        or (
            re.split(r"[-_ .]", PurePosixPath(name).stem.lower())[-1] in _LIST_WORDS
            and name[: -len(".txt")] not in stems
            and _may_be_list(files, name)
        )
    ]


def given_lines(path: Path) -> list[Line | Rejected]:
    """Read a list of labels that the user named.

    Raises:
        DataError: it cannot be read as text.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8: {error.reason} at byte {error.start}") from None
    return list(caption_lines(text, path.name))


def caption_lines(text: str, name: str) -> Iterator[Line | Rejected]:
    """Yield the lines of a list that are ``NAME<TAB>LABEL`` and the first of their name."""
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        key, _, label = (part.strip() for part in line.partition("\t"))
        key = without_suffix(key)
        where = f"{name}, line {number}"
        if not key or not label:
            yield Rejected(where, "it is not NAME<TAB>TOKENS")
        elif key in seen:
            yield Rejected(where, f"there is a second caption for {key}")
        else:
            seen.add(key)
            yield Line(where, key, label)


def match(
    files: Files,
    lines: Sequence[Line | Rejected],
    pictures: Mapping[str, str],
    source: str,
    folder: str = "",
) -> Iterator[Entry | Rejected]:
    """Yield an entry for each line whose picture is there, in the order of the lines; then what is left over.

    Args:
        files: where the pictures are.
        lines: the list of labels.
        pictures: names of pictures by their stems.
        source: the list, for messages.
        folder: where pictures should be, for messages.
    """
    keys = [line.key for line in lines if isinstance(line, Line)]
    plain, numbered = (sum(key + ending in pictures for key in keys) for ending in ("", _CHANNEL))
    ending = _CHANNEL if numbered > plain else ""
    groups = _subsets(files)
    left = dict(pictures)
    for line in lines:
        if isinstance(line, Rejected):
            yield line
        elif name := left.pop(line.key + ending, None):
            load = partial(files.read, name)
            yield Entry(line.key, line.label, line.where, name, load, groups.get(line.key, ""))
        else:
            yield Rejected(line.where, f"there is no picture {folder}{line.key}{ending}.png")
    for name in left.values():
        yield Rejected(name, f"there is no caption for it in {source}")


def _may_be_list(files: Files, name: str) -> bool:
    """Whether a list has tabs; a ``caption.txt`` is one in any case, so that its faults are told."""
    if PurePosixPath(name).name == _USUAL_LIST:
        return True
    try:
        return b"\t" in files.read(name)
    except DataError:
        return False


def _below(name: str) -> str:
    """Return what the names of all files in a file's folder begin with."""
    return name[: -len(PurePosixPath(name).name)]


def _folder(files: Files, name: str) -> str | None:
    """Return what the names of a list's pictures begin with, or None where it is not clear which they are.

    Of several folders of pictures beside the list it is the one of the list's word; a single one will do.
    """
    below = _below(name)
    inside = (file[len(below) :] for file in files.names if file.startswith(below) and is_picture(file))
    folders = sorted({file.partition("/")[0] if "/" in file else "" for file in inside})
    word = split_word(PurePosixPath(name).stem)
    fitting = [folder for folder in folders if folder and split_word(folder) == word]
    if not fitting and len(folders) != 1:
        return None
    folder = (fitting or folders)[0]
    return f"{below}{folder}/" if folder else below


def _captions(files: Files, name: str, folder: str | None) -> Part:
    """Read a list of labels; ``folder`` is what the names of its pictures begin with."""
    path = PurePosixPath(name)
    beside = split_word((folder or "").removeprefix(_below(name)).rstrip("/"))
    split = split_word(path.stem) or (beside if _USUAL_SPLIT.search(beside) else "") or path.parent.name
    try:
        lines = list(caption_lines(files.read_text(name), name))
    except DataError as error:
        return caption_part(split, [Rejected(name, f"it cannot be read as captions: {error}")])
    if folder is None:
        expected, pictures = f"{_below(name)}{_USUAL_FOLDER}/", {}
    else:
        expected, pictures = folder, by_stem(file for file in files.names if file.startswith(folder))
    return caption_part(split, match(files, lines, pictures, name, expected))


def _subsets(files: Files) -> dict[str, str]:
    """Return HME100K's ``subset/{easy,medium,hard}.json`` by picture: names in a list, or as keys.

    Raises:
        DataError: such a file is no JSON.
    """
    groups: dict[str, str] = {}
    for name in files.names:
        path = PurePosixPath(name)
        if path.suffix.lower() != ".json" or path.stem not in _SUBSETS or path.parent.name != "subset":
            continue
        try:
            value = json.loads(files.read_text(name))
        except (DataError, ValueError, RecursionError) as error:
            raise DataError(f"{name} cannot be read as JSON: {error}") from None
        names = value if isinstance(value, list | dict) else ()
        groups.update((without_suffix(each), path.stem) for each in names if isinstance(each, str))
    return groups


def _text_entry(files: Files, text: str, picture: str) -> Entry | Rejected:
    try:
        label = files.read_text(text)
    except DataError as error:
        return Rejected(text, str(error))
    return Entry(PurePosixPath(text).stem, label, text, picture, partial(files.read, picture))
