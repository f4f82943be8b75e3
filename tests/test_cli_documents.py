"""``inktex recognize --format``: other notations, and documents with pictures."""

from __future__ import annotations

import io
import re
import sys
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from drawn import png, scribble
from inktex import cli
from inktex.errors import LatexError
from inktex.ink.inkml import InkDocument, write_inkml
from inktex.ink.strokes import rasterize
from inktex.latex.tree import tokenize
from inktex.notations.asciimath import to_asciimath
from inktex.notations.omml import to_omml
from inktex.notations.speech import to_speech
from inktex.notations.sympy import to_sympy
from inktex.notations.typst import to_typst
from inktex.recognition.recognizer import Recognizer
from inktex.recognition.result import Recognition

ROOT = tuple(tokenize(r"\sqrt { x } \pm 1"))


def run(*arguments: str | Path) -> int:
    """Run a command line in this process."""
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A picture, an ink, and a file that cannot be read."""
    (tmp_path / "a.png").write_bytes(png(scribble(1)))
    (tmp_path / "b.inkml").write_bytes(write_inkml(InkDocument(scribble(3))))
    (tmp_path / "c.png").write_bytes(b"no picture")
    return [tmp_path / name for name in ("a.png", "b.inkml", "c.png")]


def test_a_recognition_has_all_notations() -> None:
    """Each property is what its printer writes of the tokens; SymPy names what it has no counterpart for."""
    read = Recognition(ROOT, 0.5)

    assert read.typst == to_typst(ROOT) == "sqrt(x) plus.minus 1"
    assert read.asciimath == to_asciimath(ROOT) == "sqrt(x) +- 1"
    assert read.speech == to_speech(ROOT) == "the square root of x plus or minus 1"
    assert read.omml == to_omml(ROOT)
    assert Recognition(ROOT[:4], 0.5).sympy == to_sympy(ROOT[:4]) == "sqrt(x)"
    with pytest.raises(LatexError, match="pm"):
        _ = read.sympy


@pytest.mark.parametrize("notation", ["typst", "asciimath", "speech", "omml"])
def test_notations_are_printed_like_text(
    notation: str, files: list[Path], tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one file the formula alone is printed, of several a line each after the name."""
    expected = [getattr(Recognizer(tiny_bundle).recognize(file), notation) for file in files[:2]]

    assert run("recognize", files[0], "--format", notation, "--model", tiny_bundle) == 0
    assert capsys.readouterr().out == f"{expected[0]}\n"

    assert run("recognize", *files[:2], "--format", notation, "--model", tiny_bundle) == 0
    lines = [f"{file}\t{text}" for file, text in zip(files[:2], expected, strict=True)]
    assert capsys.readouterr().out.splitlines() == lines


def test_what_means_nothing_to_sympy_is_told(
    files: list[Path],
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The formula is named on stderr with what stands in its way, the others are printed; the code is 2."""
    answers = iter([Recognition(ROOT, 0.5), Recognition(ROOT[:4], 0.5)])
    monkeypatch.setattr(Recognizer, "recognize_each", lambda self, sources, details=False: enumerate(answers))

    assert run("recognize", *files[:2], "--format", "sympy", "--model", tiny_bundle) == 2

    out, err = capsys.readouterr()
    assert out == f"{files[1]}\tsqrt(x)\n"
    assert err == f"inktex: error: {files[0]}: SymPy has no counterpart for '\\pm'.\n"


def shown(path: Path) -> np.ndarray:
    """What a document is to show of a file, 0 to 255."""
    if path.suffix == ".inkml":
        return np.rint((1 - rasterize(scribble(3))) * 255).astype(np.uint8)
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


def test_html_holds_what_was_read(
    files: list[Path], tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page has what could be read, by confidence, with the pictures; the rest is reported."""
    page = tmp_path / "page.html"

    assert run("recognize", *files, "--format", "html", "--output", page, "--model", tiny_bundle) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert str(files[2]) in err
    text = page.read_text(encoding="utf-8")
    read = {file: Recognizer(tiny_bundle).recognize(file) for file in files[:2]}
    order = sorted(read, key=lambda file: read[file].confidence)
    assert re.findall('class="name">([^<]*)<', text) == [str(file) for file in order]
    pictures = [b64decode(found) for found in re.findall(r"png;base64,([^\"]+)", text)]
    for file, picture in zip(order, pictures, strict=True):
        pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(pixels, shown(file))
        assert read[file].mathml in text


def test_large_pictures_are_shrunk(tiny_bundle: Path, tmp_path: Path) -> None:
    """A photo takes no more room in a document than a screen can show."""
    model = ("--model", tiny_bundle)
    large = np.full((600, 4000), 255, np.uint8)
    cv2.line(large, (100, 300), (3900, 320), 0, 30)
    (tmp_path / "large.png").write_bytes(cv2.imencode(".png", large)[1].tobytes())

    target = tmp_path / "x.html"

    assert run("recognize", tmp_path / "large.png", "--format", "html", "--output", target, *model) == 0

    assert 'width="1600" height="240"' in target.read_text(encoding="utf-8")


def test_standard_input_goes_into_a_document(
    files: list[Path], tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dash stands for a picture on standard input here too."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(files[0].read_bytes())))
    target = tmp_path / "folder"

    assert run("recognize", "-", "--format", "tex", "--output", target, "--model", tiny_bundle) == 0

    assert [path.name for path in sorted(target.iterdir())] == ["formulas.tex", "pictures"]
    pixels = cv2.imread(str(target / "pictures" / "0001.png"), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(pixels, shown(files[0]))


def test_word_documents_are_written(files: list[Path], tiny_bundle: Path, tmp_path: Path) -> None:
    """The file opens as a Word document with a row a formula."""
    docx = pytest.importorskip("docx")
    target = tmp_path / "x.docx"

    assert run("recognize", *files[:2], "--format", "docx", "--output", target, "--model", tiny_bundle) == 0

    assert len(docx.Document(str(target)).tables[0].rows) == 2


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--format", "html"], "--output"),
        (["--format", "tex"], "the folder"),
        (["--format", "tex", "--output", "."], "exists"),
        (["--format", "html", "--output", "no/such/x.html"], "no folder"),
        (["--format", "html", "--output", "x.html", "--tokens"], "--tokens"),
        (["--format", "html", "--output", "x.html", "--details"], "--details"),
        (["--format", "typst", "--wrap", "inline"], "--wrap"),
    ],
)
def test_documents_that_cannot_be_written_are_refused(
    options: list[str],
    problem: str,
    files: list[Path],
    tiny_bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sentence says what is missing or in the way, and nothing is written."""
    monkeypatch.chdir(tmp_path)

    assert run("recognize", files[0], *options, "--model", tiny_bundle) == 2

    assert problem in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == files


def test_a_missing_package_is_named_with_its_extra(
    files: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without python-docx the extra to install is told, before anything is read."""
    monkeypatch.setitem(sys.modules, "docx", None)

    assert run("recognize", files[0], "--format", "docx", "--output", tmp_path / "x.docx") == 2

    assert "inktex[docx]" in capsys.readouterr().err
