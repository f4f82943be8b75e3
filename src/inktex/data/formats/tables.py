"""Tables of pictures and labels: CSV, TSV and JSON lines, with columns or keys of known names.

Such are Hugging Face's image folders, ``SPLIT/metadata.csv`` or ``SPLIT/metadata.jsonl`` with ``file_name``
beside the pictures, and lists that people keep in a spreadsheet. Labels are raw LaTeX; in place of the name
of a picture may stand a data URL.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from inktex.data.formats import csv_rows, json_rows
from inktex.data.formats.files import Files
from inktex.data.formats.picture_index import PictureIndex
from inktex.data.formats.records import Found, Part, Rejected
from inktex.data.formats.rows import to_parts
from inktex.data.formats.split_names import file_split
from inktex.data.formats.tokenizers import well_formed
from inktex.errors import DataError

SUFFIXES = (*csv_rows.SUFFIXES, *json_rows.LINE_SUFFIXES)


def find_tables(files: Files) -> Found:
    """Find tables with columns that are known; one of no such columns is passed over."""
    pictures = PictureIndex(files)
    parts: list[Part] = []
    faults: list[Rejected] = []
    for name in files.named(*SUFFIXES):
        is_csv = PurePosixPath(name).suffix.lower() in csv_rows.SUFFIXES
        read = csv_rows.csv_rows if is_csv else json_rows.line_rows
        try:
            rows = read(files.read_text(name), name)
        except DataError as error:
            faults.append(Rejected(name, str(error)))
        else:
            parts += to_parts(files, name, file_split(name), rows, pictures, well_formed)
    return Found(tuple(parts), pictures.rest("no label names it"), tuple(faults))
