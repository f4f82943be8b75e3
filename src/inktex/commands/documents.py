"""What ``inktex recognize`` read, beside its pictures, as a document: HTML, Word or LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inktex.commands.output import check_targets
from inktex.errors import ConfigError, DataError
from inktex.files import whole_folder, write_bytes, write_text

if TYPE_CHECKING:
    from inktex.documents.reading import Reading
    from inktex.recognition.result import Recognition

DOCUMENTS = ("html", "docx", "tex")
_LARGEST_SIDE_PX = 1600


def check_document(document: str, output: str | None) -> None:
    """Refuse what cannot be written before any work is done for it.

    Raises:
        ConfigError: no file was named.
        DataError: the file or folder cannot be written.
    """
    if output is None:
        what = "the folder" if document == "tex" else "the file"
        raise ConfigError(f"--format {document} needs --output, {what} to write to")
    if document == "docx":
        import docx  # noqa: F401  so that a missing package is told first
    if document != "tex":
        check_targets(output)
    elif Path(output).exists() and (not Path(output).is_dir() or any(Path(output).iterdir())):
        raise DataError(f"{output} cannot be written: it already exists")
    elif not Path(output).absolute().parent.is_dir():
        raise DataError(f"{output} cannot be written: there is no folder {Path(output).parent}")


def reading(name: str, source: str | Path | bytes, read: Recognition) -> Reading:
    """Return what a document shows of a file.

    Args:
        name: the file's.
        source: the file, or what it holds.
        read: what was read of it.
    """
    import cv2
    import numpy as np

    from inktex.documents.reading import Reading
    from inktex.recognition.inputs import grey_picture

    grey = np.rint(grey_picture(source) * 255).astype(np.uint8)
    height, width = grey.shape
    scale = min(1.0, _LARGEST_SIDE_PX / max(height, width))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    picture = cv2.imencode(".png", grey)[1].tobytes()
    return Reading(name, picture, grey.shape[1], grey.shape[0], read.tokens, read.confidence)


def write_document(document: str, output: str, readings: Sequence[Reading]) -> None:
    """Write the document; of LaTeX a folder, which also holds the pictures.

    Raises:
        FileError: it cannot be written.
    """
    if document == "html":
        from inktex.documents.html import html_page

        write_text(output, html_page(readings))
    elif document == "docx":
        from inktex.documents.word import word_document

        write_bytes(output, word_document(readings))
    else:
        from inktex.documents.tex import write_tex

        with whole_folder(output) as folder:
            write_tex(folder, readings)
