"""Readings beside their pictures as a Word document, with equations that Word can edit."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from inktex.documents.reading import Reading, least_sure_first
from inktex.errors import LatexError
from inktex.latex.readable import readable
from inktex.mathml.elements import printable
from inktex.notations.omml import to_omml

if TYPE_CHECKING:
    from docx.text.paragraph import Paragraph

_MARGIN_CM = 2.0
_WIDTH_CM = 8.0
_HEIGHT_CM = 4.0
_DOTS_PER_CM = 60  # of pictures that are not shrunk
_MONOSPACE = "Courier New"


def word_document(readings: Sequence[Reading]) -> bytes:
    """Return a .docx file, the least sure reading first."""
    from docx import Document
    from docx.shared import Cm

    document = Document()
    for section in document.sections:
        section.left_margin = section.right_margin = Cm(_MARGIN_CM)
    document.add_heading("Formulas, the least sure first", 1)
    table = document.add_table(rows=0, cols=2)
    table.style = "Table Grid"
    for reading in least_sure_first(readings):
        left, right = table.add_row().cells
        _show(left.paragraphs[0], reading)
        left.add_paragraph(f"{printable(reading.name)}, {reading.confidence:.0%} sure")
        _write(right.paragraphs[0], reading)
        latex = right.add_paragraph().add_run(printable(readable(reading.tokens)))
        latex.font.name = _MONOSPACE
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _show(paragraph: Paragraph, reading: Reading) -> None:
    """Put the picture into a paragraph, in its own size or as large as the cell has room for."""
    from docx.shared import Cm

    width = reading.width_px / _DOTS_PER_CM
    height = reading.height_px / _DOTS_PER_CM
    scale = min(1.0, _WIDTH_CM / width, _HEIGHT_CM / height)
    paragraph.add_run().add_picture(io.BytesIO(reading.picture), width=Cm(width * scale))


def _write(paragraph: Paragraph, reading: Reading) -> None:
    """Put the formula into a paragraph, nothing if the LaTeX is malformed."""
    from docx.oxml import parse_xml

    try:
        paragraph._p.append(parse_xml(to_omml(reading.tokens)))
    except LatexError:
        return
