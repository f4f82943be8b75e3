"""What the names of files and folders say about splits, as Hugging Face and MathWriting name them.

Spellings of one split are one name, so that sets from several places go together: ``training`` is "train",
``valid``, ``validation`` and ``dev`` are "val", ``testing`` is "test".
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_SPELLINGS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("eval", "evaluation"), "eval"),
    **{name: name for name in ("synthetic", "symbols")},  # of MathWriting
}
_SHARD = re.compile(r"(.+)-[0-9]{5}-of-[0-9]{5}(?:-[0-9a-f]+)?")
_YEAR = re.compile(r"20[0-9][0-9]")


def usual_name(split: str) -> str:
    """Return the one name of a split: "val" of "Validation"; any other name as it is."""
    return _SPELLINGS.get(split.strip().lower(), split.strip())


def folder_split(name: str) -> str:
    """Return the split that the nearest folder of a file is named for, or ""."""
    for folder in reversed(PurePosixPath(name).parent.parts):
        if folder.lower() in _SPELLINGS:
            return _SPELLINGS[folder.lower()]
    return ""


def file_split(name: str) -> str:
    """Return the split that a file's name or else a folder of it says, or "".

    It is what stands before the numbers of a shard (``train`` in ``train-00000-of-00002.parquet``), else the
    only split or year among the name's words (``my_test-labels.csv``), else the nearest folder's.
    """
    stem = PurePosixPath(name).stem
    if shard := _SHARD.fullmatch(stem):
        return usual_name(shard[1])
    words = re.split(r"[^a-z0-9]+|(?<=[a-z])(?=[0-9])|(?<=[0-9])(?=[a-z])", stem.lower())
    said = {_SPELLINGS.get(word, word) for word in words if word in _SPELLINGS or _YEAR.fullmatch(word)}
    said -= {"synthetic", "symbols"}  # in a file's name they tell what it holds
    return said.pop() if len(said) == 1 else folder_split(name)
