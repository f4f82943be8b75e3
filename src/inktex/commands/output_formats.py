"""How ``inktex recognize`` prints what was read: LaTeX and its marks, JSON, CSV, other notations."""

from __future__ import annotations

import csv
import io
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inktex.commands.documents import DOCUMENTS
from inktex.errors import ConfigError, InktexError, LatexError

if TYPE_CHECKING:
    from inktex.recognition.result import Recognition

_NOTATIONS = ("mathml", "typst", "asciimath", "sympy", "speech", "omml")
_FORMATS = ("text", "json", "jsonl", "csv", *_NOTATIONS, *DOCUMENTS)
_WRAPPINGS = ("none", "inline", "display", "brackets")  # the values of inktex.latex.readable.Wrapping
_CSV_COLUMNS = ("file", "latex", "confidence", "error")


def add_form(parser: ArgumentParser) -> None:
    """Declare the options that say how to print."""
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="text",
        help="text: LaTeX, of several files a line each of name, tab, LaTeX; mathml, typst, asciimath, "
        "sympy, speech, omml: the same in another notation; jsonl: an object a line; json: a list of these "
        "objects; csv: a header, then a row a file; html, docx, tex: a document with the pictures, the least "
        "sure first, written to --output (default: text)",
    )
    parser.add_argument(
        "--json-lines", dest="format", action="store_const", const="jsonl", help="the same as --format jsonl"
    )
    parser.add_argument(
        "--wrap",
        choices=_WRAPPINGS,
        default="none",
        help="what to put round LaTeX: inline $...$, display $$...$$, brackets \\[...\\] (default: none)",
    )
    parser.add_argument(
        "--tokens", action="store_true", help="print LaTeX as the model's tokens, with spaces between any two"
    )
    parser.add_argument(
        "--details",
        action="store_true",
        help="in JSON, tell of each token how sure it is and where it stands, as [left, top, right, bottom]",
    )


@dataclass(frozen=True)
class Form:
    """How to print.

    Attributes:
        format: text, json, jsonl, csv or a notation.
        wrapping: what to put round LaTeX: none, inline, display or brackets.
        spaced: whether LaTeX is printed as tokens.
        details: whether JSON tells of each token.
        named: whether lines of LaTeX and other notations begin with the file's name.
    """

    format: str
    wrapping: str
    spaced: bool
    details: bool
    named: bool

    @property
    def streams(self) -> bool:
        """Whether lines may be printed as they come, without waiting for the last."""
        return self.format != "json"

    def head(self) -> list[str]:
        """Return the lines before all others."""
        return [_row(_CSV_COLUMNS)] if self.format == "csv" else []

    def line(self, name: str, read: Recognition) -> str:
        """Return the line of what was read.

        Args:
            name: the file's.
            read: what was read.

        Raises:
            LatexError: it has no form in the notation, or cannot stand between the marks.
        """
        if self.format in ("json", "jsonl"):
            return self._object(name, read)
        if self.format == "csv":
            return _row((name, self._latex(read.tokens), f"{read.confidence:.6f}", ""))
        text = self._notation(read) if self.format in _NOTATIONS else self._latex(read.tokens)
        return f"{name}\t{text}" if self.named else text

    def problem(self, name: str, error: InktexError) -> str | None:
        """Return the line of a file of which nothing was read, ``None`` where there is no such line."""
        if self.format in ("json", "jsonl"):
            return json.dumps({"file": name, "error": str(error)}, ensure_ascii=False)
        return _row((name, "", "", str(error))) if self.format == "csv" else None

    def document(self, lines: Sequence[str]) -> list[str]:
        """Return the lines of all files, where they do not stream."""
        return ["[", *(f"{line}," for line in lines[:-1]), *lines[-1:], "]"]

    def _object(self, name: str, read: Recognition) -> str:
        values = {"file": name, **read.to_dict()}
        values["latex"] = self._latex(read.tokens)
        alternatives = []
        for each in values["alternatives"]:
            try:
                alternatives.append({**each, "latex": self._latex(each["tokens"])})
            except LatexError:  # the answer itself is not lost for one that cannot stand between the marks
                continue
        values["alternatives"] = alternatives
        if not self.details:
            del values["details"]
        return json.dumps(values, ensure_ascii=False)

    def _notation(self, read: Recognition) -> str:
        text: str = getattr(read, self.format)
        return text

    def _latex(self, tokens: Sequence[str]) -> str:
        from inktex.latex.readable import Wrapping, readable, wrap

        return wrap(" ".join(tokens) if self.spaced else readable(tokens), Wrapping(self.wrapping))


def chosen_form(options: Namespace, named: bool) -> Form:
    """Return the form that the options ask for.

    Raises:
        ConfigError: options that do not go together.
    """
    form = Form(options.format, options.wrap, options.tokens, options.details, named)
    if form.format in _NOTATIONS + DOCUMENTS and (form.spaced or form.wrapping != "none"):
        given = "--tokens" if form.spaced else "--wrap"
        raise ConfigError(f"{given} is about LaTeX that is printed, and --format {form.format} prints none")
    if form.details and form.format not in ("json", "jsonl"):
        raise ConfigError(f"--details needs --format json or jsonl: {form.format} has no place for them")
    return form


def _row(cells: Sequence[str]) -> str:
    """Return a line of CSV (RFC 4180, but for the line's end)."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
