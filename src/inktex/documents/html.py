"""Readings beside their pictures as an HTML page of one file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from inktex.documents.reading import Reading, least_sure_first
from inktex.errors import LatexError
from inktex.latex.readable import readable
from inktex.mathml import to_mathml
from inktex.mathml.elements import text
from inktex.pages.document import render


def html_page(readings: Sequence[Reading]) -> str:
    """Return the page, the least sure reading first; it loads nothing and runs no script."""
    rows = "\n".join(_row(reading) for reading in least_sure_first(readings))
    return render("readings_page", {"count": f"{len(readings):,}", "rows": rows})


def _row(reading: Reading) -> str:
    latex = readable(reading.tokens)
    try:
        formula = to_mathml(reading.tokens)
    except LatexError:
        formula = ""
    picture = b64encode(reading.picture).decode()
    size = f'width="{reading.width_px}" height="{reading.height_px}"'
    return (
        f'<tr><td class="name">{text(reading.name)}</td>'
        f'<td class="sure">{reading.confidence:.0%}</td>'
        f'<td><img src="data:image/png;base64,{picture}" {size} alt="what {text(reading.name)} shows"></td>'
        f"<td>{formula}<code>{text(latex)}</code></td></tr>"
    )
