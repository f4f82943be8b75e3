r"""Readings beside their pictures as HTML, Word and LaTeX: order, escapes, equations, what compiles."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from every_token import FORMULAS
from inktex.documents.html import html_page
from inktex.documents.reading import Reading
from inktex.documents.tex import write_tex
from inktex.documents.word import word_document
from inktex.mathml import to_mathml
from inktex.notations.omml import to_omml

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
PICTURE = cv2.imencode(".png", np.full((30, 90), 255, np.uint8))[1].tobytes()
HARD = "50%_of <a> & {b} #1 ~^\\.png"  # a file may be called so


def reading(name: str, latex: str, confidence: float) -> Reading:
    return Reading(name, PICTURE, 90, 30, tuple(latex.split()), confidence)


THREE = [
    reading("sure.png", r"\frac { a } { b }", 0.9),
    reading(HARD, "x < y ^ 2", 0.2),
    reading("broken.png", "{ x _", 0.5),
]


def test_html_shows_the_least_sure_first() -> None:
    """Rows come by confidence; each has its picture, its formula and its LaTeX, names escaped."""
    page = html_page(THREE)
    rows = re.findall("<tr><td.*?</tr>", page, re.DOTALL)

    assert re.findall(r'class="sure">(\d+%)<', "".join(rows)) == ["20%", "50%", "90%"]
    assert "50%_of &lt;a&gt; &amp; {b} #1 ~^\\.png" in rows[0]
    assert to_mathml(THREE[1].tokens) in rows[0]
    assert "<math" not in rows[1]
    assert "{x_" in rows[1].replace(" ", "")
    for row in rows:
        assert b64decode(re.findall(r"base64,([^\"]+)", row)[0]) == PICTURE


def test_html_loads_nothing_and_is_well_formed() -> None:
    """The page has no script, and addresses of pictures inside it alone."""
    page = html_page(THREE)
    main = page[page.index("<main>") : page.index("</main>") + len("</main>")]

    ElementTree.fromstring(re.sub("(<img[^>]*)>", r"\1/>", main))
    assert "<script" not in page
    assert all(source.startswith("data:") for source in re.findall(r"(?:src|href)=\"([^\"]*)", page))
    assert "default-src 'none'" in page


def test_word_holds_equations_and_pictures() -> None:
    """Opened again, the document has a row a file, with its picture and the equation that OMML spells."""
    docx = pytest.importorskip("docx")

    document = docx.Document(io.BytesIO(word_document(THREE)))

    rows = document.tables[0].rows
    assert [re.findall(r", (\d+)% sure", row.cells[0].text) for row in rows] == [["20"], ["50"], ["90"]]
    equations = [list(row.cells[1]._tc.iter(f"{M}oMath")) for row in rows]
    assert [len(found) for found in equations] == [1, 0, 1]
    wanted = ElementTree.fromstring(to_omml(THREE[0].tokens))
    assert [(node.tag, node.text) for node in equations[2][0].iter()] == [
        (node.tag, node.text) for node in wanted.iter()
    ]
    assert rows[1].cells[1].text.replace(" ", "").strip() == "{x_"
    assert len(document.inline_shapes) == 3


def test_word_takes_every_token() -> None:
    """A document with all tokens of the vocabulary is a zip of well-formed XML that has all equations."""
    pytest.importorskip("docx")
    data = word_document([reading(str(n), " ".join(tokens), 0.5) for n, tokens in enumerate(FORMULAS)])

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name.endswith(".xml")}

    roots = {name: ElementTree.fromstring(part) for name, part in parts.items()}
    assert len(list(roots["word/document.xml"].iter(f"{M}oMath"))) == len(FORMULAS)


def test_tex_names_its_pictures_and_escapes_names(tmp_path: Path) -> None:
    """The least sure reading comes first, with its picture; names and malformed LaTeX are set as text."""
    write_tex(tmp_path, THREE)

    text = (tmp_path / "formulas.tex").read_text(encoding="utf-8")
    assert re.findall(r"(\d+)\\,\\% sure", text) == ["20", "50", "90"]
    assert r"50\%\_of <a> \& \{b\} \#1 \textasciitilde{}\textasciicircum{}\textbackslash{}.png" in text
    assert re.findall(r"\\\[.*\\\]", text) == [r"\[x < y^2\]", r"\[\frac{a}{b}\]"]
    assert r"\texttt{\{" in text
    for name in re.findall(r"\{(pictures/[^}]+)\}", text):
        assert (tmp_path / name).read_bytes() == PICTURE
    assert "ctex" not in text


def test_tex_of_chinese_loads_its_fonts(tmp_path: Path) -> None:
    """Words that are not Latin bring in the package that sets them."""
    write_tex(tmp_path, [reading("a.png", r"\text { 面 积 }", 0.5)])

    assert "{ctex}" in (tmp_path / "formulas.tex").read_text(encoding="utf-8")


@pytest.mark.slow
def test_tex_compiles(tmp_path: Path) -> None:
    """LaTeX compiles a document with every token of the vocabulary and names that are hard to set."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    readings = [reading(str(n), " ".join(tokens), 0.5) for n, tokens in enumerate(FORMULAS)]
    write_tex(tmp_path, [*THREE, *readings])

    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "formulas.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)

    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "formulas.pdf").stat().st_size > 10_000
