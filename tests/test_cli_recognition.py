"""``inktex recognize`` and ``inktex evaluate``: what they print, write and return."""

import csv
import io
import json
import os
import pty
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from drawn import png, scribble
from inktex import cli
from inktex.data.dataset import Sample, write_dataset
from inktex.ink.inkml import InkDocument, write_inkml
from inktex.ink.strokes import ink_to_json
from inktex.recognition.recognizer import Recognizer
from inktex.recognition.result import Alternative, Recognition

SOURCE = str(Path(cli.__file__).parents[1])


def run(*arguments: str | Path) -> int:
    """Run a command line in this process."""
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture
def reader(tiny_bundle: Path) -> Recognizer:
    """The recognizer that the commands are expected to agree with."""
    return Recognizer(tiny_bundle)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two pictures, two inks, and files that are neither."""
    folder = tmp_path / "inputs"
    (folder / "deeper.png").mkdir(parents=True)
    (folder / "b.png").write_bytes(png(scribble(1)))
    (folder / "a.PNG").write_bytes(png(scribble(2)))
    (folder / "c.inkml").write_bytes(write_inkml(InkDocument(scribble(3))))
    (folder / "d.json").write_text(ink_to_json(scribble(4)))
    for name in ("notes.txt", ".hidden.png"):
        (folder / name).write_text("nothing to read")
    return folder


def test_one_file_prints_its_latex_alone(folder: Path, tiny_bundle: Path, reader: Recognizer, capsys) -> None:
    """A single file gives what the recognizer reads and nothing else."""
    assert run("recognize", folder / "b.png", "--model", tiny_bundle) == 0

    assert capsys.readouterr() == (reader.recognize(folder / "b.png").latex + "\n", "")


def test_several_files_print_a_line_each_in_order(
    folder: Path, tiny_bundle: Path, reader: Recognizer, capsys
) -> None:
    """Names and LaTeX come in the order of the arguments, options between them or not."""
    files = [folder / name for name in ("d.json", "a.PNG", "b.png", "d.json")]

    assert run("recognize", files[0], "--model", tiny_bundle, *files[1:]) == 0

    expected = [f"{file}\t{reader.recognize(file).latex}" for file in files]
    assert capsys.readouterr().out.splitlines() == expected


def test_a_folder_is_searched_by_suffix(folder: Path, tiny_bundle: Path, capsys) -> None:
    """Pictures and inks of a folder are read in the order of their names; other files are left alone."""
    assert run("recognize", folder, "--model", tiny_bundle) == 0

    out, err = capsys.readouterr()
    names = [Path(line.partition("\t")[0]).name for line in out.splitlines()]
    assert names == ["a.PNG", "b.png", "c.inkml", "d.json"]
    assert err == ""


def test_a_folder_of_one_file_prints_its_name(tmp_path: Path, tiny_bundle: Path, capsys) -> None:
    """The form of the output follows from the command line, not from what the folder happens to hold."""
    (tmp_path / "a.png").write_bytes(png(scribble(1)))

    assert run("recognize", tmp_path, "--model", tiny_bundle) == 0

    assert capsys.readouterr().out.startswith(f"{tmp_path / 'a.png'}\t")


@pytest.mark.parametrize("name", ["b.png", "c.inkml", "d.json"])
def test_standard_input_is_read(
    folder: Path, tiny_bundle: Path, reader: Recognizer, capsys, monkeypatch, name: str
) -> None:
    """A dash stands for a picture or ink on standard input."""
    data = (folder / name).read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    assert run("recognize", "-", "--model", tiny_bundle) == 0

    assert capsys.readouterr().out == reader.recognize(folder / name).latex + "\n"


@pytest.mark.parametrize("option", ["--json-lines", "--format=jsonl", "--format=json"])
def test_json_holds_the_whole_recognition(
    option: str, folder: Path, tiny_bundle: Path, reader: Recognizer, capsys
) -> None:
    """Each object has all values of the recognition but details, or the error; a list of them is JSON too."""
    files = [folder / "b.png", folder / "missing.png", folder / "c.inkml"]

    assert run("recognize", *files, option, "--model", tiny_bundle) == 2

    out = capsys.readouterr().out
    objects = json.loads(out) if option.endswith("json") else [json.loads(line) for line in out.splitlines()]
    first, second, third = objects
    assert first["file"] == str(files[0])
    assert set(second) == {"file", "error"}
    assert "missing.png" in second["error"]
    for shown, file in ((first, files[0]), (third, files[2])):
        expected = reader.recognize(file).to_dict()
        for one, other in (
            (shown, expected),
            *zip(shown["alternatives"], expected["alternatives"], strict=True),
        ):
            assert one.pop("confidence") == pytest.approx(other.pop("confidence"), rel=1e-3)
        assert shown == {"file": str(file), **{key: expected[key] for key in expected if key != "details"}}


def test_json_of_one_file_is_a_list_too(folder: Path, tiny_bundle: Path, capsys) -> None:
    """A program need not ask how many files there were; where none could be read, it still gets JSON."""
    assert run("recognize", folder / "b.png", "--format", "json", "--model", tiny_bundle) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1

    assert run("recognize", folder / "no.png", "--format", "json", "--model", tiny_bundle) == 2
    assert [set(each) for each in json.loads(capsys.readouterr().out)] == [{"file", "error"}]


def test_details_are_told_on_demand(folder: Path, tiny_bundle: Path, reader: Recognizer, capsys) -> None:
    """With ``--details`` each object tells of every token what the recognizer tells."""
    files = [folder / "b.png", folder / "c.inkml"]

    assert run("recognize", *files, "--details", "--format", "jsonl", "--model", tiny_bundle) == 0

    lines = capsys.readouterr().out.splitlines()
    for line, file in zip(lines, files, strict=True):
        told, expected = json.loads(line)["details"], reader.recognize(file, details=True).details
        assert expected
        for one, other in zip(told, expected, strict=True):
            assert one["token"] == other.token
            assert one["confidence"] == pytest.approx(other.confidence, rel=1e-3)
            assert one["box"] == pytest.approx(other.box, rel=1e-3)


def test_csv_has_a_row_a_file(tmp_path: Path, tiny_bundle: Path, reader: Recognizer, capsys) -> None:
    """The table has a header; names with commas and quotes are quoted; a bad file has its error."""
    names = ['a,"b".png', "bad.png"]
    (tmp_path / names[0]).write_bytes(png(scribble(1)))
    (tmp_path / names[1]).write_bytes(b"")

    code = run("recognize", *(tmp_path / name for name in names), "--format", "csv", "--model", tiny_bundle)

    header, good, bad = csv.reader(io.StringIO(capsys.readouterr().out))
    expected = reader.recognize(tmp_path / names[0])
    assert code == 2
    assert header == ["file", "latex", "confidence", "error"]
    assert (good[0], good[1], good[3]) == (str(tmp_path / names[0]), expected.latex, "")
    assert float(good[2]) == pytest.approx(expected.confidence, abs=1e-3)
    assert bad == [str(tmp_path / names[1]), "", "", f"{tmp_path / names[1]} is empty"]


def test_mathml_is_printed_like_text(folder: Path, tiny_bundle: Path, reader: Recognizer, capsys) -> None:
    """Of one file it is MathML alone, of several a line each of name, tab and MathML."""
    files = [folder / "b.png", folder / "d.json"]
    for chosen in (files[:1], files):
        assert run("recognize", *chosen, "--format", "mathml", "--model", tiny_bundle) == 0

        expected = [reader.recognize(file).mathml for file in chosen]
        if len(chosen) > 1:
            expected = [f"{file}\t{mathml}" for file, mathml in zip(chosen, expected, strict=True)]
        assert capsys.readouterr().out.splitlines() == expected


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        (["--wrap", "inline"], "$", "$"),
        (["--wrap", "display"], "$$", "$$"),
        (["--wrap", "brackets"], "\\[", "\\]"),
        (["--wrap", "none"], "", ""),
        ([], "", ""),
    ],
)
def test_marks_are_put_round_latex(
    options: list[str], before: str, after: str, folder: Path, tiny_bundle: Path, reader: Recognizer, capsys
) -> None:
    """In text and in JSON, alternatives too; ``--tokens`` puts spaces between the tokens within them."""
    expected = reader.recognize(folder / "b.png")
    arguments = ("recognize", folder / "b.png", "--model", tiny_bundle, *options)

    assert run(*arguments) == 0
    assert capsys.readouterr().out == f"{before}{expected.latex}{after}\n"
    assert run(*arguments, "--tokens") == 0
    assert capsys.readouterr().out == f"{before}{' '.join(expected.tokens)}{after}\n"
    assert run(*arguments, "--json-lines") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["latex"] == f"{before}{expected.latex}{after}"
    assert [each["latex"] for each in shown["alternatives"]] == [
        f"{before}{each.latex}{after}" if each.latex else "" for each in expected.alternatives
    ]
    assert shown["tokens"] == list(expected.tokens)


def malformed(self: Recognizer, sources: Iterable[object], *, details: bool = False) -> Iterator[tuple]:
    """Read every other source as LaTeX that can neither be wrapped nor become MathML."""
    for index, _ in enumerate(sources):
        tokens = (("x", "^"), ("x",))
        yield index, Recognition(tokens[index % 2], 0.5, (Alternative(tokens[1 - index % 2], 0.25),))


@pytest.mark.parametrize(
    "options", [["--wrap", "inline"], ["--format", "mathml"], ["--wrap", "inline", "--format", "jsonl"]]
)
def test_what_cannot_be_printed_is_reported_like_a_bad_file(
    options: list[str], folder: Path, tiny_bundle: Path, capsys, monkeypatch
) -> None:
    """Malformed LaTeX that was to be wrapped, or to become MathML, is a line on stderr; the others go on."""
    monkeypatch.setattr(Recognizer, "recognize_each", malformed)

    assert run("recognize", folder, *options, "--model", tiny_bundle) == 2

    out, err = capsys.readouterr()
    bad = [folder / name for name in ("a.PNG", "c.inkml")]
    for line, file in zip(err.splitlines(), bad, strict=True):
        assert line.startswith(f"inktex: error: {file}: ")
    if "jsonl" in options:
        objects = [json.loads(line) for line in out.splitlines()]
        assert [set(each) == {"file", "error"} for each in objects] == [True, False] * 2
        assert objects[1]["latex"] == "$x$"
        assert objects[1]["alternatives"] == []  # that one cannot be wrapped
    else:
        assert len(out.splitlines()) == 2


def test_malformed_latex_is_printed_where_nothing_is_asked_of_it(
    folder: Path, tiny_bundle: Path, capsys, monkeypatch
) -> None:
    """Without marks it is text like any other, and its MathML in JSON is null."""
    monkeypatch.setattr(Recognizer, "recognize_each", malformed)

    assert run("recognize", folder / "b.png", "--model", tiny_bundle) == 0
    assert capsys.readouterr().out == "x^\n"
    assert run("recognize", folder / "b.png", "--format", "jsonl", "--model", tiny_bundle) == 0
    assert json.loads(capsys.readouterr().out)["mathml"] is None


def test_one_bad_file_does_not_stop_the_others(folder: Path, tiny_bundle: Path, capsys) -> None:
    """Of many files the bad ones are named on stderr, the others are printed, and the code is 2."""
    (folder / "bad.json").write_text('{"no": "ink"}')
    (folder / "empty.png").write_bytes(b"")

    assert run("recognize", folder, "--model", tiny_bundle) == 2

    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    first, second = err.splitlines()
    assert first.startswith(f"inktex: error: {folder / 'bad.json'}")
    assert second == f"inktex: error: {folder / 'empty.png'} is empty"


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "mathml"])
def test_output_goes_to_a_file(form: str, folder: Path, tiny_bundle: Path, capsys) -> None:
    """``--output`` holds what would have been printed, and only the named file is left."""
    command = ("recognize", folder, "--model", tiny_bundle, "--threads", "1", "--format", form)
    run(*command)
    printed = capsys.readouterr().out
    target = folder.parent / "read.txt"

    assert run(*command, "--output", target) == 0

    assert capsys.readouterr() == ("", "")
    assert target.read_text() == printed
    assert sorted(path.name for path in folder.parent.iterdir()) == ["inputs", "read.txt"]


def test_options_reach_the_search(folder: Path, tiny_bundle: Path, capsys) -> None:
    """Width 1 in one direction is greedy: there is nothing but the answer."""
    options = ("--width", "1", "--one-way", "--threads", "1", "--json-lines")

    assert run("recognize", folder / "b.png", "--model", tiny_bundle, *options) == 0

    assert json.loads(capsys.readouterr().out)["alternatives"] == []


def test_a_name_that_is_no_unicode_is_printed_escaped(folder: Path, tiny_bundle: Path, capsys) -> None:
    """A file name of bytes that are no UTF-8 neither stops the command nor spoils its output."""
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png"))
    try:
        odd.write_bytes(png(scribble(5)))
    except OSError:
        pytest.skip("the file system takes no such name")

    assert run("recognize", folder, "--model", tiny_bundle) == 0

    assert "\\udcff.png\t" in capsys.readouterr().out


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def plain(height: int, width: int) -> bytes:
    """A white PNG picture."""
    return bytes(cv2.imencode(".png", np.full((height, width), 255, np.uint8))[1])


HUGE = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
ENTITIES = b'<!DOCTYPE ink [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><ink><trace>&b;</trace></ink>'
BAD_FILES: dict[str, Callable[[], bytes]] = {
    "text.png": lambda: b"hello",
    "truncated.png": lambda: png(scribble(0))[:200],
    "truncated.jpg": lambda: bytes(cv2.imencode(".jpg", np.zeros((90, 90), np.uint8))[1])[:200],
    "empty.png": bytes,
    "dot.png": lambda: plain(1, 1),
    "white.png": lambda: plain(60, 90),
    "huge.png": lambda: HUGE + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""),
    "broken.inkml": lambda: b"<ink><trace>0 0, 1 1",
    "entities.inkml": lambda: ENTITIES,
    "strokeless.inkml": lambda: b"<ink/>",
    "empty.inkml": bytes,
    "words.json": lambda: b'["no", "ink"]',
    "broken.json": lambda: b"[[[1, 2]",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_sentence(name: str, tmp_path: Path, tiny_bundle: Path, capsys) -> None:
    """Whatever is wrong with a file, one line names it, the code is 2 and nothing is left behind."""
    (tmp_path / name).write_bytes(BAD_FILES[name]())

    code = run("recognize", tmp_path / name, "--model", tiny_bundle, "--output", tmp_path / "out.txt")

    check_refused(code, capsys, str(tmp_path / name))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def check_refused(code: int, capsys: pytest.CaptureFixture[str], *named: str) -> None:
    """Hold a refused command line against the rule: code 2, one line on stderr that names the thing."""
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.startswith("inktex: error: ")
    assert err.count("\n") == 1
    assert all(name in err for name in named)


def test_standard_input_is_named_in_errors(tiny_bundle: Path, capsys, monkeypatch) -> None:
    """What is wrong with standard input is said of standard input."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"")))

    check_refused(run("recognize", "-", "--model", tiny_bundle), capsys, "standard input: ")


def test_missing_files_and_folders_of_nothing_are_named(tmp_path: Path, tiny_bundle: Path, capsys) -> None:
    """A file that is not there and a folder without pictures or ink are named."""
    for name in ("missing.png", "missing.json", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        check_refused(run("recognize", tmp_path / name, "--model", tiny_bundle), capsys, name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(folder: Path, tiny_bundle: Path, capsys) -> None:
    """A file and a folder that may not be read are named."""
    for path in (folder / "b.png", folder):
        path.chmod(0)
        check_refused(run("recognize", path, "--model", tiny_bundle), capsys, str(path), "permission")
        path.chmod(0o700)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--width", "0"], "width"),
        (["--threads", "0"], "threads"),
        (["--width", "many"], "many"),
        (["--format", "xml"], "xml"),
        (["--wrap", "round"], "round"),
        (["--format", "mathml", "--wrap", "inline"], "--wrap"),
        (["--format", "mathml", "--tokens"], "--tokens"),
        (["--details"], "--details"),
        (["--details", "--format", "csv"], "--details"),
        (["--widht", "3"], "--width"),
        (["--output", "no/such/folder"], "no/such"),
        (["--output", "."], "folder"),
        (["--model", "nowhere"], "nowhere"),
    ],
)
def test_bad_options_are_named(
    options: list[str], named: str, folder: Path, tiny_bundle: Path, capsys, monkeypatch
) -> None:
    """Options that are unknown or not allowed are refused before anything is read."""
    monkeypatch.chdir(folder)

    check_refused(run("recognize", "b.png", "--model", tiny_bundle, *options), capsys, named)


@pytest.mark.parametrize("name", ["encoder.onnx", "step.onnx", "vocabulary.json", "model.json"])
def test_a_damaged_bundle_is_named(
    name: str, folder: Path, tiny_bundle: Path, tmp_path: Path, capsys
) -> None:
    """A bundle with a file missing or altered is refused by that file's name."""
    model = tmp_path / "model"
    model.mkdir()
    for file in tiny_bundle.iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    (model / name).write_bytes(b"altered" + (model / name).read_bytes())
    check_refused(run("recognize", folder / "b.png", "--model", model), capsys, str(model), name)
    (model / name).unlink()
    check_refused(run("recognize", folder / "b.png", "--model", model), capsys, str(model), name)


def test_a_terminal_gets_a_bar_on_stderr_only(folder: Path, tiny_bundle: Path) -> None:
    """With stderr on a terminal a bar is drawn there, and the results still go to the file on stdout."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "inktex.cli", "recognize", str(folder), "--model", str(tiny_bundle)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE, "TERM": "xterm"},
        timeout=60,
        check=False,
    )
    os.close(theirs)
    drawn = os.read(ours, 100_000).decode()
    os.close(ours)

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 4
    assert "recognizing" in drawn
    assert "\t" not in drawn


def test_recognition_loads_nothing_heavy(folder: Path, tiny_bundle: Path) -> None:
    """Reading a picture on the command line loads neither PyTorch nor anything else it can do without."""
    code = (
        "import sys; from inktex.cli import main\n"
        f"assert main(['recognize', {str(folder / 'b.png')!r}, '--model', {str(tiny_bundle)!r}]) == 0\n"
        "print({'torch', 'onnx', 'pyarrow', 'rich', 'jsonargparse', 'yaml', 'lxml'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "set()"


@pytest.fixture
def data(tmp_path: Path, reader: Recognizer) -> Path:
    """A data set: a right label, one off by one, ink, and a picture that cannot be read."""
    picture, other, ink = png(scribble(1)), png(scribble(2)), scribble(3)
    tokens = [reader.recognize(source).tokens for source in (picture, other, ink)]
    path = tmp_path / "data.parquet"
    samples = [
        Sample("right", "", "", tokens[0], picture, scribble(9)),  # the picture counts, not the ink
        Sample("off", "", "", (*tokens[1], "z"), other, None),
        Sample("ink", "", "", tokens[2], None, ink),
        Sample("bad", "", "", ("x",), b"no picture", None),
    ]
    write_dataset(samples, path)
    return path


def test_evaluate_counts_errors(
    data: Path, tiny_bundle: Path, tmp_path: Path, reader: Recognizer, capsys
) -> None:
    """Figures, predictions and the report agree with a table worked by hand."""
    arguments = ("--json", tmp_path / "a.json", "--predictions", tmp_path / "a.jsonl")

    assert run("evaluate", data, "--model", tiny_bundle, *arguments) == 0

    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["right", "off", "ink", "bad"]
    assert [list(line) for line in lines] == [
        *[["id", "prediction", "reference", "confidence"]] * 3,
        ["id", "reference", "problem"],
    ]
    assert lines[1]["reference"] == f"{lines[1]['prediction']} z".strip()
    figures = json.loads((tmp_path / "a.json").read_text())
    shares = [figures[key] for key in ("exprate", "exprate_1", "exprate_2", "exprate_3")]
    assert shares == [50, 75, 75, 75]  # the unreadable one is never right
    words = sum(len(line["reference"].split()) for line in lines)
    assert figures["wer"] == pytest.approx(100 * 2 / words)
    assert (figures["count"], figures["missing"]) == (4, 1)
    assert figures["items"] == lines
    assert figures["seconds"] > 0
    assert "50.00 %" in out
    assert "bad: " in err


def test_evaluate_and_score_agree(data: Path, tiny_bundle: Path, tmp_path: Path, capsys) -> None:
    """The predictions that evaluation writes score what evaluation said; the page holds pictures and inks."""
    answers, page = tmp_path / "a.jsonl", tmp_path / "a.html"
    arguments = ("--json", tmp_path / "a.json", "--predictions", answers, "--page", page)
    assert run("evaluate", data, "--model", tiny_bundle, *arguments) == 0

    assert run("score", answers, "--json", tmp_path / "b.json") == 0

    capsys.readouterr()
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    shared = first.keys() & second.keys() - {"seconds"}
    assert shared > {"wer", "bleu", "graph_exprate", "intervals", "breakdowns", "calibration", "items"}
    assert {key: first[key] for key in shared} == {key: second[key] for key in shared}
    assert page.read_text().count('"picture":"iVBOR') == 3  # a PNG; the fourth picture is none


@pytest.mark.parametrize("suffix", ["json", "txt", "zip"])
def test_predictions_in_other_formats_score_the_same(
    data: Path, tiny_bundle: Path, tmp_path: Path, suffix: str, capsys
) -> None:
    """Scored against the labels, any format gives the figures of the evaluation; bad cases are the wrong."""
    answers = tmp_path / f"answers.{suffix}"
    arguments = ("--json", tmp_path / "a.json", "--bad-cases", tmp_path / "bad.json")
    assert run("evaluate", data, "--model", tiny_bundle, "--predictions", answers, *arguments) == 0

    assert run("score", answers, data, "--json", tmp_path / "b.json") == 0

    capsys.readouterr()
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert [first[key] for key in ("count", "exprate", "wer", "bleu")] == [
        second[key] for key in ("count", "exprate", "wer", "bleu")
    ]
    bad = json.loads((tmp_path / "bad.json").read_text())
    assert list(bad) == ["off", "bad"]
    assert bad["bad"] == {"label": "x", "predi": None}


def test_evaluate_takes_the_first(data: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    """A limit leaves out what comes after it."""
    assert run("evaluate", data, "--model", tiny_bundle, "--limit", "1", "--json", tmp_path / "a.json") == 0

    figures = json.loads((tmp_path / "a.json").read_text())
    assert (figures["count"], figures["exprate"]) == (1, 100)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nowhere.parquet"], "nowhere.parquet"),
        (["text.parquet"], "text.parquet"),
        (["data.parquet", "--limit", "0"], "--limit"),
        (["data.parquet", "--predictions", "no/such/file"], "no/such"),
        (["data.parquet", "--json", "no/such/file"], "no/such"),
        (["data.parquet", "--page", "no/such/file"], "no/such"),
        (["data.parquet", "--bad-cases", "no/such/file"], "no/such"),
        (["data.parquet", "--predictions", "a.csv"], ".jsonl, .json, .txt, .zip"),
        (["twice.parquet", "--predictions", "a.zip"], "there are two of 'off'"),
        (["twice.parquet", "--bad-cases", "a.json"], "there are two of 'off'"),
    ],
)
def test_evaluate_refuses(
    arguments: list[str], named: str, data: Path, tiny_bundle: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    """Data sets that are missing or no data sets, and impossible options, are named; nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.parquet").write_text("no data set")
    write_dataset(
        [Sample("off", "", source, ("x",), None, scribble(1)) for source in "ab"], Path("twice.parquet")
    )
    before = sorted(path.name for path in tmp_path.iterdir())

    check_refused(run("evaluate", *arguments, "--model", tiny_bundle), capsys, named)

    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("module", "command", "extra"),
    [("pyarrow", ["evaluate", "data.parquet"], "data"), ("torch", ["export", "a", "b"], "train")],
)
def test_a_missing_extra_is_named(
    module: str, command: list[str], extra: str, tiny_bundle: Path, tmp_path: Path
) -> None:
    """Where an optional package is not installed, one sentence names the extra that brings it."""
    if command[0] == "evaluate":
        command = [*command, "--model", str(tiny_bundle)]
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        f"from inktex.cli import main; sys.exit(main({command!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        cwd=tmp_path,
        check=False,
    )

    assert done.returncode == 2
    assert f'pip install "inktex[{extra}]"' in done.stderr
    assert done.stderr.count("\n") == 1
