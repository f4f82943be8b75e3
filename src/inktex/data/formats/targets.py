"""Samples -> a data set in one of the field's layouts, as a folder or a zip archive."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inktex.data.dataset import Sample
from inktex.data.formats.captions import split_word
from inktex.data.formats.layouts import LAYOUTS, File, Layout, Named
from inktex.data.formats.pictures import is_picture
from inktex.data.splits import SPLITS, USUAL_RATIOS, Ratios, divide, usual_split
from inktex.errors import ConfigError, DataError, LatexError
from inktex.files import whole_file, whole_folder

_UNFIT = re.compile(r"[\s/\\:*?\"<>|]")  # in a file's name somewhere, or between the columns of a list
_SPLIT = re.compile(r"\w(?:[\w.-]*\w)?")
_LONGEST_NAME_BYTES = 200
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the same samples make the same archive


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        files: how many files there are.
        splits: expressions by split.
        drawn: expressions without a picture, whose ink was drawn.
        renamed: expressions whose id is no name for a file, or not theirs alone.
        unfaithful: ids of expressions whose label reads back differently when the layout is imported.
    """

    files: int
    splits: dict[str, int]
    drawn: int
    renamed: int
    unfaithful: tuple[str, ...]


def export_samples(
    samples: Sequence[Sample],
    out: Path,
    layout: str,
    ratios: Ratios | None = None,
    seed: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> Exported:
    """Write samples in a layout, whole or not at all.

    Args:
        samples: what to write; ink, symbols, writers and MathML have no place in any layout.
        out: the folder to make, or a zip archive if its name ends so.
        layout: one of ``LAYOUTS``.
        ratios: divides all samples anew; otherwise they keep their splits, but samples of one split only are
            divided 70/10/20 where the layout has three.
        seed: of the division.
        advance: called after each sample.

    Raises:
        ConfigError: no such layout.
        DataError: no samples, splits the layout cannot have, ``out`` exists, or a picture that cannot be
            read.
        FileError: ``out`` cannot be written.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"there is no format {layout!r}; there are: {', '.join(LAYOUTS)}")
    if not samples:
        raise DataError(f"there are no samples to write to {out}")
    form = LAYOUTS[layout]
    _check_target(out)
    named = _name(samples, _splits(samples, form, layout, ratios, seed), form)
    if form.three_splits:
        named.sort(key=lambda each: SPLITS.index(each.split))

    def counted() -> Iterator[Named]:
        for each in named:
            yield each
            advance()

    write = _write_zip if _is_zip(out) else _write_folder
    files = write(form.write(counted()), out)
    return Exported(
        files=files,
        splits=dict(Counter(each.split for each in named)),
        drawn=sum(each.sample.image is None for each in named),
        renamed=sum(each.name != each.sample.id for each in named),
        unfaithful=tuple(each.sample.id for each in named if not _is_faithful(each, form)),
    )


def _check_target(out: Path) -> None:
    if not out.parent.is_dir():
        raise DataError(f"{out} cannot be written: there is no folder {out.parent}")
    if out.exists() and not (_is_zip(out) and out.is_file()):
        raise DataError(f"{out} exists already; name a folder that does not, or a .zip file")


def _splits(
    samples: Sequence[Sample], form: Layout, layout: str, ratios: Ratios | None, seed: int
) -> list[str]:
    """Return the split that each sample is written under."""
    splits = [sample.split for sample in samples]
    known = sorted(set(splits))
    if ratios is None and form.three_splits and len(known) == 1:
        ratios = USUAL_RATIOS
    if ratios is not None:
        return divide(len(samples), ratios, seed)
    if form.three_splits:
        splits = [usual_split(name) for name in splits]
        if not set(splits) <= set(SPLITS):
            raise DataError(
                f"the splits are {', '.join(name or 'no split' for name in known)}, and {layout} has "
                f"{', '.join(SPLITS)}: --ratios 70/10/20 divides the samples anew"
            )
        return splits
    for name in known:
        if name and (not _SPLIT.fullmatch(name) or split_word(name) != name):
            raise DataError(f"the split {name!r} cannot be the name of a folder or list in {layout}")
    return splits


def _name(samples: Sequence[Sample], splits: Sequence[str], form: Layout) -> list[Named]:
    """Give every sample a name of its own within the folder its picture goes to."""
    taken: set[tuple[str, str]] = set()
    named: list[Named] = []
    for sample, split in zip(samples, splits, strict=True):
        folder = "" if form.one_folder else split
        name = stem = _fit_name(sample.id)
        number = 1
        while (folder, name) in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add((folder, name))
        named.append(Named(sample, name, split))
    return named


def _fit_name(name: str) -> str:
    """Return a name with "_" for what a file's name or a list cannot hold."""
    fit = _UNFIT.sub("_", name)
    fit = "".join(character if character.isprintable() else "_" for character in fit)
    if not fit or fit.startswith("."):
        fit = f"_{fit}"
    fit = fit.encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore")
    if is_picture(fit):  # a suffix would be taken for the file's own
        fit = "_".join(fit.rsplit(".", 1))
    return fit


def _is_faithful(each: Named, form: Layout) -> bool:
    try:
        return bool(each.sample.tokens) and tuple(form.cut(each.label)) == each.sample.tokens
    except LatexError:
        return False


def _is_zip(out: Path) -> bool:
    return out.suffix.lower() == ".zip"


def _write_zip(files: Iterable[File], out: Path) -> int:
    count = 0
    with whole_file(out) as unfinished, zipfile.ZipFile(unfinished, "w") as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.name, _ZIP_DATE)
            archive.writestr(entry, file.data, zipfile.ZIP_DEFLATED)
            count += 1
    return count


def _write_folder(files: Iterable[File], out: Path) -> int:
    count = 0
    with whole_folder(out) as unfinished:
        for file in files:
            path = unfinished / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
            count += 1
    return count
