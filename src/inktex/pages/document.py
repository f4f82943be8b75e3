"""HTML pages of one file: style, script and data are inside, and the browser is to load nothing else."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from pathlib import Path
from string import Template

from inktex.mathml.elements import printable

_ASSETS = Path(__file__).parent / "assets"


def render(name: str, values: dict[str, str]) -> str:
    """Return a page as HTML, to be written as UTF-8.

    Its content security policy lets the browser run no script but the page's own.

    Args:
        name: of the page's ``.html``, ``.css`` and, if it has a script, ``.js`` among the assets.
        values: HTML by the names that stand for it in the ``.html``, besides ``style``, ``script`` and
            ``script_hash``.
    """
    script = _asset(f"{name}.js") if (_ASSETS / f"{name}.js").is_file() else ""
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(_asset(f"{name}.html")).substitute(
        values,
        style=_asset("page.css") + _asset(f"{name}.css"),
        script=script,
        script_hash=f"sha256-{digest}",
    )


def embedded_json(data: object) -> str:
    """Return JSON that no text within can end or comment out the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return printable(text).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
