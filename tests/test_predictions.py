import hashlib
import io
import json
import random
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.errors import DataError
from inktex.ink.strokes import Ink
from inktex.latex.tree import tokenize
from inktex.metrics.item import Item
from inktex.metrics.sequence import exprate
from inktex.predictions import Change, Format, Matched, item_id, match, normalise, reading, reference_hash

PEERS = Path(__file__).parents[2] / "shared/data/peer_predictions"
needs_peers = pytest.mark.skipif(not PEERS.exists(), reason="the peers' predictions are not at hand")
# File -> its published rates in percent of at most 0, 1 and 2 errors.
KNOWN_SCORES = {
    "comer_int8_greedy": (56.59, 72.52, 79.51),
    "tamer": (61.05, 75.76, 82.76),
    "unimumer_3b": (82.66, 90.37, 93.71),
    "unimumer_7b": (83.87, 89.86, 93.61),
}


def zipped(**members: str) -> bytes:
    """An archive of these .txt members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.txt", content)
    return buffer.getvalue()


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def tokens(text: str) -> tuple[str, ...]:
    """Tokens written with spaces."""
    return tuple(text.split())


def unmatched(matched: Matched) -> set[str]:
    """All names that stand on one side alone, or more than once."""
    return {*matched.missing, *matched.extra, *matched.double, *matched.double_references}


LABELS = "a\tx ^ { 2 }\nb\t\\frac { 1 } { 2 }\n"
# Every format as a file of predictions for LABELS, in which "a" is right and "b" is "1".
PREDICTIONS = {
    Format.TSV: "b.png\t1\na.png\tx^{2}\n",
    Format.JSON_LINES: '{"id": "a", "prediction": "x ^ { 2 }"}\n\n{"id": "b", "prediction": "1"}\n',
    Format.JSON_LIST: '[{"i": 0, "image": "img/a.png", "p": "x^{2}", "l": "x^{2}"},\n'
    ' {"i": 1, "image": "img/b.png", "p": "1", "l": "\\\\frac12"}]',
    Format.JSON_TABLE: '{\n"a": {"label": "x ^ { 2 }", "predi": "x ^ { 2 }"},\n'
    '"b": {"label": "1", "predi": "1"}\n}',
    Format.ZIP: zipped(a="%a\n$x ^ { 2 }$\n", b="%b\n$1$"),
    Format.PLAIN: "x ^ { 2 }\n1\n",
}


@pytest.mark.parametrize("form", PREDICTIONS, ids=lambda form: form.name)
def test_every_format_gives_the_predictions_written_in_it(tmp_path: Path, form: Format) -> None:
    """Whatever the format, the right and the wrong prediction stand as tokens beside their labels."""
    predictions = written(tmp_path, "predictions.dat", PREDICTIONS[form])

    matched = match(predictions, written(tmp_path, "labels.dat", LABELS))

    assert (matched.predictions_format, matched.references_format) == (form, Format.TSV)
    assert matched.items == (
        Item("a", tokens("x ^ { 2 }"), tokens("x ^ { 2 }")),
        Item("b", ("1",), tokens(r"\frac { 1 } { 2 }")),
    )
    assert unmatched(matched) == set()


@pytest.mark.parametrize(
    ("content", "items"),
    [
        (
            '{"id": "a", "prediction": "", "reference": "x", "confidence": 0.25, "writer": "w1"}\r\n'
            '{"id": 7, "prediction": null, "reference": "y"}\r\n',
            [Item("a", (), ("x",), 0.25, "w1"), Item("7", None, ("y",), problem="no prediction")],
        ),
        (
            '\ufeff{"name": "a.PNG", "pred": "x", "label": "x y"}\n'
            '{"file": "b", "error": "torn", "label": "x"}',
            [Item("a", ("x",), tokens("x y")), Item("b", None, ("x",), problem="torn")],
        ),
        (
            json.dumps([{"i": 3, "image": None, "p": "\x02x^2\x03\x00\x00", "l": "\x02x\x03y"}]),
            [Item("3", tokens("x ^ 2"), ("x",))],
        ),
        (
            json.dumps({'a"': {"label": "x _ 1", "predi": "x _ 1"}, "b": {"label": "y", "predi": "x"}}),
            [Item('a"', tokens("x _ 1"), tokens("x _ 1")), Item("b", ("x",), ("y",))],
        ),
    ],
    ids=["lines", "other keys", "code points", "table"],
)
def test_one_file_may_hold_both_sides(tmp_path: Path, content: str, items: list[Item]) -> None:
    """Without a second file, predictions are scored against the references that stand beside them."""
    matched = match(written(tmp_path, "both", content))

    assert list(matched.items) == items
    assert matched.missing == tuple(item.id for item in items if item.problem == "no prediction")
    assert matched.references_format is None


def test_what_recognize_prints_is_read(tmp_path: Path) -> None:
    """The JSON lines of ``inktex recognize`` give tokens and confidence; what could not be read is wrong."""
    from inktex.recognition.result import Alternative, Recognition

    read = Recognition(tokens("x ^ { 2 }"), 0.75, (Alternative(tokens("x _ { 2 }"), 0.25),))
    assert read.latex == "x^2"
    lines = [
        json.dumps({"file": "scans/a.png", **read.to_dict()}),
        json.dumps({"file": "scans/b.png", "error": "scans/b.png is no picture"}),
    ]

    matched = match(
        written(tmp_path, "out", "\n".join(lines)), written(tmp_path, "labels", "a\tx ^ { 2 }\nb\ty")
    )

    assert matched.items == (
        Item("a", tokens("x ^ { 2 }"), tokens("x ^ { 2 }"), 0.75),
        Item("b", None, ("y",), problem="scans/b.png is no picture"),
    )
    assert matched.missing == ()


def test_the_latex_of_json_lines_may_be_references(tmp_path: Path) -> None:
    """In a file of references, ``latex`` is the label unless the object names one."""
    labels = '{"id": "a", "latex": "x"}\n{"id": "b", "latex": "x", "reference": "y"}'

    matched = match(written(tmp_path, "p", "a\tx\nb\tx"), written(tmp_path, "r", labels))

    assert [item.reference for item in matched.items] == [("x",), ("y",)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("18_em_0", "18_em_0"),
        ("18_em_0.bmp", "18_em_0"),
        (" data/2014/img/18_em_0.PNG ", "18_em_0"),
        ("C:\\scans\\a.b.inkml", "a.b"),
        ("a.png.png", "a.png"),
        ("folder/", "folder"),
        ("version1.2", "version1.2"),
        (".png", ".png"),
        ("/", ""),
    ],
)
def test_names_lose_folders_and_one_suffix(name: str, expected: str) -> None:
    """The id is the last part of the name without the suffix of a picture or of ink."""
    assert item_id(name) == expected


TOKENS = [
    "x",
    "1",
    "^",
    "_",
    "{",
    "}",
    "(",
    "[",
    r"\{",
    r"\frac",
    r"\alpha",
    r"\\",
    r"\begin{array}",
    "设",
    '"',
]
token_lists = st.lists(st.sampled_from(TOKENS), max_size=8).map(tuple)
names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=5).filter(
    item_id
)
answers = st.dictionaries(names.map(item_id), st.tuples(token_lists, token_lists), min_size=1, max_size=6)
Answers = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]  # id -> (prediction, reference)


def as_file(form: Format, texts: dict[str, str]) -> bytes:
    """Write texts by name as a file of this format, by hand."""
    if form is Format.TSV:
        return "".join(f"{name}\t{text}\n" for name, text in texts.items()).encode()
    if form is Format.PLAIN:
        return "".join(f"{text}\n" for text in texts.values()).encode()
    if form is Format.ZIP:
        return zipped(**{f"m{at}": f"%{name}\n${text}$\n" for at, (name, text) in enumerate(texts.items())})
    objects = [
        {"id": name, "prediction": text, "reference": text, "confidence": None}
        for name, text in texts.items()
    ]
    if form is Format.JSON_LIST:
        return json.dumps(objects, ensure_ascii=False, indent=1).encode()
    if form is Format.JSON_TABLE:
        table = {name: {"label": text, "predi": text} for name, text in texts.items()}
        return json.dumps(table, ensure_ascii=False).encode()
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in objects).encode()


@pytest.mark.parametrize("form", PREDICTIONS, ids=lambda form: form.name)
@settings(deadline=None, max_examples=25)
@given(st.data())
def test_what_is_written_in_a_format_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, form: Format, data: st.DataObject
) -> None:
    """Random predictions and references, each side in any format, come back token for token."""
    folder = tmp_path_factory.getbasetemp()
    # Without a name an empty expression at the end cannot be told from the end; and names that agree after
    # cleaning are one expression.
    wanted: Answers = data.draw(answers.filter(lambda found: all(item_id(name) == name for name in found)))
    other = form if form is Format.PLAIN else data.draw(st.sampled_from([*PREDICTIONS][:-1]))
    predictions = {name: " ".join(each[0]) for name, each in wanted.items()}
    references = {name: " ".join(each[1]) for name, each in wanted.items()}
    if form is Format.PLAIN:
        predictions["last"] = references["last"] = "x"
    shuffled = (
        references if form is Format.PLAIN else dict(data.draw(st.permutations(list(references.items()))))
    )

    matched = match(
        written(folder, "p", as_file(form, predictions)), written(folder, "r", as_file(other, shuffled))
    )

    keys = [str(number) for number in range(1, len(references) + 1)]
    assert [item.id for item in matched.items] == (keys if form is Format.PLAIN else list(shuffled))
    for item, name in zip(matched.items, shuffled, strict=True):
        assert item.prediction == tokens(predictions[name])
        assert item.reference == tokens(references[name])
    assert unmatched(matched) == set()


@settings(deadline=None, max_examples=40)
@given(
    given_names=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=10),
    label_names=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=10),
)
def test_missing_extra_and_double_items_are_named(
    tmp_path_factory: pytest.TempPathFactory, given_names: list[str], label_names: list[str]
) -> None:
    """Any two lists of names: every reference is an item, and what does not match is told by sets."""
    folder = tmp_path_factory.getbasetemp()
    predictions = written(folder, "p", "".join(f"{name}\t{at}\n" for at, name in enumerate(given_names)))
    references = written(folder, "r", "".join(f"{name}\t{at}\n" for at, name in enumerate(label_names)))
    if not set(given_names) & set(label_names):
        with pytest.raises(DataError, match=f"no name of .*p occurs in .*r: .*'{given_names[0]}'"):
            match(predictions, references)
        return

    matched = match(predictions, references)

    assert [item.id for item in matched.items] == list(dict.fromkeys(label_names))
    assert set(matched.missing) == set(label_names) - set(given_names)
    assert set(matched.extra) == set(given_names) - set(label_names)
    assert set(matched.double) == {name for name in given_names if given_names.count(name) > 1}
    assert set(matched.double_references) == {name for name in label_names if label_names.count(name) > 1}
    for item in matched.items:
        assert item.reference == tuple(str(label_names.index(item.id)))
        if item.id in given_names:
            assert item.prediction == tuple(str(given_names.index(item.id)))
        else:
            assert (item.prediction, item.problem) == (None, "no prediction")


@pytest.mark.parametrize(
    ("predictions", "labels", "pairs", "missing", "extra"),
    [
        ('{ " }\n[ { " ]', "x\ny\n", {"1": '{ " }', "2": '[ { " ]'}, (), ()),
        ("x\n\nz", "x\ny\nz\n", {"1": "x", "2": "", "3": "z"}, (), ()),
        ("x\n", "x\ny\nz\n", {"1": "x", "2": None, "3": None}, ("2", "3"), ()),
        ("x\ny\nz\n\n\n", "x\n", {"1": "x"}, (), ("2", "3")),
        ("x\ny\nz\n", "a\tx\na\ty\nb\tz\n", {"a": "x", "b": "z"}, (), ()),
    ],
    ids=["braces first", "an empty line", "too few", "too many", "double names"],
)
def test_plain_lines_are_matched_by_position(
    tmp_path: Path,
    predictions: str,
    labels: str,
    pairs: dict[str, str | None],
    missing: tuple[str, ...],
    extra: tuple[str, ...],
) -> None:
    """The n-th line is the prediction of the n-th reference; what is left over at the end is named."""
    matched = match(written(tmp_path, "p", predictions), written(tmp_path, "r", labels))

    found = {item.id: item.prediction for item in matched.items}
    assert found == {name: None if text is None else tokens(text) for name, text in pairs.items()}
    assert (matched.missing, matched.extra) == (missing, extra)
    assert bool(matched.notes) == ("\t" in labels)


def test_text_that_cannot_be_cut_is_kept(tmp_path: Path) -> None:
    r"""A prediction that ends in a lone backslash is wrong and says why; a label keeps it as a token."""
    matched = match(
        written(tmp_path, "p", "a\tx\\\r\nb\tx\r\n"), written(tmp_path, "r", "a\tx\\\nb\tx\\\\\\\n")
    )

    first, second = matched.items
    assert first.prediction is None
    assert first.problem is not None
    assert "lone backslash" in first.problem
    assert (first.reference, second.reference) == (("x", "\\"), ("x", r"\\", "\\"))
    assert second.prediction == ("x",)
    assert matched.broken_references == ("a", "b")


def test_other_references_beside_the_predictions_are_noted(tmp_path: Path) -> None:
    """The file of references decides; that one label beside the predictions is another is said."""
    lines = [{"id": name, "prediction": "x", "reference": "x ^ 2"} for name in "ab"]
    predictions = written(tmp_path, "p", "\n".join(map(json.dumps, lines)))

    matched = match(predictions, written(tmp_path, "r", "a\tx^2\nb\tx"))

    assert [item.reference for item in matched.items] == [tokens("x ^ 2"), ("x",)]
    assert [note[:13] for note in matched.notes] == ["1 references "]


@pytest.mark.parametrize(("prediction", "notes"), [("x", 1), ("y", 0)])
def test_a_list_of_wrong_answers_is_noted(tmp_path: Path, prediction: str, notes: int) -> None:
    """A table in which nothing is right comes with a warning, since CAN writes only what went wrong."""
    table = json.dumps({"a": {"label": "y", "predi": "x"}, "b": {"label": "y", "predi": prediction}})

    assert len(match(written(tmp_path, "p", table)).notes) == notes


def dataset(folder: Path) -> Path:
    """A Parquet file of two samples."""
    pytest.importorskip("pyarrow")
    from inktex.data.dataset import Sample, write_dataset

    ink = Ink((np.zeros((2, 2), np.float32),))
    samples = [
        Sample("a", "test", "set", tokens("x ^ { 2 }"), None, ink, writer="w1"),
        Sample("b", "test", "set", ("y",), None, ink),
    ]
    write_dataset(samples, folder / "references")
    return folder / "references"


def test_a_data_set_holds_references(tmp_path: Path) -> None:
    """Labels and writers come from Parquet; as predictions it is refused."""
    references = dataset(tmp_path)

    matched = match(written(tmp_path, "p", "b\ty\n"), references)

    assert matched.references_format is Format.PARQUET
    assert matched.items == (
        Item("a", None, tokens("x ^ { 2 }"), source="w1", problem="no prediction"),
        Item("b", ("y",), ("y",), source="set"),
    )
    with pytest.raises(DataError, match="row 0 holds no prediction; a Parquet data set holds references"):
        match(references, references)


def test_a_data_set_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is missing, the error says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    references = written(tmp_path, "r", b"PAR1....PAR1")

    with pytest.raises(DataError, match=r"inktex\[data\]"):
        match(written(tmp_path, "p", "b\ty\n"), references)


OBJECT = '{"id": "a", "prediction": "x", "reference": "x"}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no expressions; allowed are"),
        (" \n\n", "holds no expressions"),
        ("[]", "holds no expressions"),
        (zipped(), "holds no expressions"),
        (b"x\ny\xff\n", "line 2 is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "line 1 is not UTF-8 text; allowed are"),
        ("x", r"\(plain lines\) holds no references"),
        ("a\tx\nb\n", "line 2 is not NAME<TAB>LATEX"),
        ("a\tx\n\tx\n", "line 2 is not NAME<TAB>LATEX"),
        (OBJECT + "x\n", "line 2, column 1: damaged JSON"),
        (OBJECT + '{"id": "a"', "line 2, column 11: damaged JSON"),
        ('{"id": "a"\n' + OBJECT, "line 1, column 11: damaged JSON"),
        (OBJECT + "[1]\n", "line 2 is no JSON object"),
        (OBJECT + '{"prediction": "x", "reference": "x"}', "line 2: there is no id"),
        (OBJECT + '{"id": "/", "prediction": "x", "reference": "x"}', "line 2: the id '/' is empty"),
        (OBJECT + '{"id": true, "prediction": "x", "reference": "x"}', "line 2: there is no id"),
        (
            OBJECT + '{"id": "b", "reference": "x"}',
            "line 2 holds no prediction; its key is one of prediction",
        ),
        (OBJECT + '{"id": "b", "prediction": "x"}', "line 2 holds no reference; its key is one of reference"),
        (
            OBJECT + '{"id": "b", "prediction": ["x"], "reference": "x"}',
            "'prediction' must be text, got list",
        ),
        (OBJECT + '{"id": "b", "id": "c"}', "line 2: .* has the key 'id' twice"),
        ('{"id": "a", "confidence": 1.5}\n' + OBJECT, "line 1: 'confidence' must be a number from 0 to 1"),
        ('{"id": "a", "confidence": NaN}\n' + OBJECT, "line 1: 'confidence' must be a number from 0 to 1"),
        ('{"id": ' + "[" * 100_000 + "\n" + OBJECT, "line 1: the JSON is nested too deep"),
        ('{"id": ' + "1" * 5000 + "}\n" + OBJECT, "line 1: the JSON cannot be read"),
        ('[{"i": 0},\n {"i" 1}]', "line 2, column 7: damaged JSON"),
        ('[{"i": 0, "p": "x", "l": "x"}, 5]', "item 2 is no JSON object"),
        ('{"a": {"label": "x", "predi": "x"},\n "b": {', r"line 2, column \d+: damaged JSON"),
        ('{"a": {"label": "x"},\n "a": {"label": "y"}}', "has the key 'a' twice"),
        ('{"a": {"label": "x", "predi": "x"},\n "b": "y"}', "the entry 'b' is no JSON object"),
        (b"PK\x03\x04 and no more", "is a damaged zip archive"),
        (zipped(a="%a\nx"), "'a.txt' must have two lines, %KEY and"),
        (zipped(a="a\n$x$"), "'a.txt' must have two lines, %KEY and"),
        (zipped(a="%a\n$x$\n$y$"), "'a.txt' must have two lines, %KEY and"),
        (zipped(a="%a\n$"), "'a.txt' must have two lines, %KEY and"),
        (zipped(a="%a\n$" + "x" * 2**20 + "$"), "'a.txt' is too large: one expression may have 1024 KiB"),
        (zipped(a="%a\n$xyz$").replace(b"a.txt", b"a.png"), "'a.png' is no .txt file"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    """Each damaged file raises one sentence with its name and the place."""
    path = written(tmp_path, "broken", content)

    with pytest.raises(DataError, match=message) as raised:
        match(path)

    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    """A byte changed within an archive is found by its checksum."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "%a\n$xyz$")

    path = written(tmp_path, "result.zip", buffer.getvalue().replace(b"xyz", b"xyy"))

    with pytest.raises(DataError, match=r"'a\.txt' is damaged"):
        match(path, written(tmp_path, "r", "a\tx"))


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many members that are each small enough still have to stay below a bound together."""
    monkeypatch.setattr(reading, "_LARGEST_FILE_BYTES", 2**20)
    half = "%a\n$" + "x" * 2**19 + "$"
    path = written(tmp_path, "result.zip", zipped(a=half, b=half, c=half))

    with pytest.raises(DataError, match=r"is too large: at most 1 MiB are unpacked"):
        match(path, written(tmp_path, "r", "a\tx"))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the bound is read."""
    monkeypatch.setattr(reading, "_LARGEST_FILE_BYTES", 100)

    with pytest.raises(DataError, match="p is too large"):
        match(written(tmp_path, "p", "x\n" * 100))


def test_no_such_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """The operating system's reason stands in the sentence."""
    with pytest.raises(DataError, match=r"nothing cannot be read: No such file"):
        match(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"cannot be read: Is a directory"):
        match(tmp_path)


def test_archives_may_hold_what_macos_leaves_there(tmp_path: Path) -> None:
    """Folders, hidden files and resource forks are passed over."""
    content = zipped(**{"__MACOSX/._a": "?", "result/.b": "?", "result/a": "%a\n$x$"})

    matched = match(written(tmp_path, "p", content), written(tmp_path, "r", "a\tx"))

    assert matched.items == (Item("a", ("x",), ("x",)),)


def test_half_a_surrogate_pair_can_be_written_again(tmp_path: Path) -> None:
    """What JSON can hold and no file can is replaced, so that any report can be written."""
    line = '{"id": "a\\ud800", "prediction": "\\udc00 x", "reference": "x", "error": null}'

    (item,) = match(written(tmp_path, "p", line)).items

    assert item == Item("a?", ("?", "x"), ("x",))


ITEMS = [Item("a", ("x",), ("x", "^")), Item("b", None, ()), Item("c", (), ("ab", "c"), 0.5, "w", None)]


def test_the_hash_is_of_the_references_alone() -> None:
    """It is the SHA-256 of sorted lines of ids and tokens, written here by hand, whatever the predictions."""
    by_hand = b'["a", ["x", "^"]]\n["b", []]\n["c", ["ab", "c"]]'

    assert reference_hash(ITEMS) == hashlib.sha256(by_hand).hexdigest()
    assert reference_hash(reversed(ITEMS)) == reference_hash(ITEMS)
    assert reference_hash([replace(item, prediction=("?",)) for item in ITEMS]) == reference_hash(ITEMS)


@pytest.mark.parametrize(
    "change",
    [{"id": "d"}, {"reference": ("abc",)}, {"reference": ("a", "bc")}, {"reference": ("ab", "c", "c")}],
)
def test_another_label_has_another_hash(change: dict[str, Any]) -> None:
    """A changed id, token or border between tokens changes the hash."""
    assert reference_hash([*ITEMS[:2], replace(ITEMS[2], **change)]) != reference_hash(ITEMS)


@pytest.mark.parametrize("form", [*PREDICTIONS][:-1], ids=lambda form: form.name)
def test_the_hash_does_not_depend_on_the_format(tmp_path: Path, form: Format) -> None:
    """The same labels in any format, in any order and under any folder, have one hash."""
    texts = {"a": "x ^ { 2 }", "b": r"\frac { 1 } { 2 }", "c": "设"}
    predictions = written(tmp_path, "p", "a\tx")
    expected = reference_hash(Item(name, None, tokens(text)) for name, text in texts.items())
    mixed = list(texts.items())
    random.Random(1).shuffle(mixed)
    renamed = {f"img/{name}.bmp": text.replace(" ", "") for name, text in mixed}

    matched = match(predictions, written(tmp_path, "r", as_file(form, renamed)))

    assert reference_hash(matched.items) == expected


@pytest.mark.parametrize(
    ("before", "after", "rules"),
    [
        ("x ^ { 2 }", "x ^ { 2 }", set()),
        ("x ^ 2", "x ^ { 2 }", {("", "{ }")}),
        ("x ^ { 2 } _ { 1 }", "x _ { 1 } ^ { 2 }", {("^ _", "_ ^")}),
        (r"a \le b \leq c", r"a \leq b \leq c", {(r"\le", r"\leq")}),
        (r"\left ( x \right )", "( x )", {(r"\left", ""), (r"\right", "")}),
        (
            r"\sum _ { i } \to",
            r"\sum \limits _ { i } \rightarrow",
            {("", r"\limits"), (r"\to", r"\rightarrow")},
        ),
        ("f '", r"f ^ { \prime }", {("'", r"\prime"), ("", "^"), ("", "{ }")}),
        (r"\mathrm { d } x", "d x", {(r"\mathrm", ""), ("{ }", "")}),
    ],
)
def test_normalising_names_the_rules_that_applied(
    before: str, after: str, rules: set[tuple[str, str]]
) -> None:
    """Each rule worked out by hand is named once for the prediction and once for the reference it changed."""
    items = [Item("a", tokens(before), tokens(after)), Item("b", None, tokens(before), problem="?")]

    result = normalise(items)

    changed = int(bool(rules))
    assert result.items == (
        Item("a", tokens(after), tokens(after)),
        Item("b", None, tokens(after), problem="?"),
    )
    assert (result.predictions, result.references) == (changed, changed)
    assert {change[:2] for change in result.changes} == rules
    assert all(change[2:] == (1, 1) for change in result.changes)
    assert normalise(result.items).changes == ()


def test_what_is_no_formula_stays_as_it_is() -> None:
    """Malformed tokens are counted and kept; an empty prediction is not malformed."""
    items = (
        Item("a", ("{", "x"), ("x", "\\")),
        Item("b", (), ("x", "^", "1")),
        Item("c", ("$", "y"), ("y",)),
    )

    result = normalise(items)

    assert result.items == (items[0], Item("b", (), tokens("x ^ { 1 }")), Item("c", ("y",), ("y",)))
    assert (result.predictions, result.references) == (1, 1)
    assert (result.malformed_predictions, result.malformed_references) == (1, 1)
    assert result.changes == (Change("", "{ }", 0, 1), Change("$", "", 1, 0))


@needs_peers
@pytest.mark.parametrize("system", KNOWN_SCORES)
def test_known_predictions_have_their_known_scores(system: str) -> None:
    """The rates at 0, 1 and 2 errors of four published systems come out to two digits, on the same labels."""
    matched = match(PEERS / f"crohme2014_{system}.jsonl")

    assert len(matched.items) == 986
    assert unmatched(matched) == set()
    assert matched.notes == ()
    rates = exprate([(item.prediction or (), item.reference) for item in matched.items], 2)
    assert tuple(round(100 * rate, 2) for rate in rates) == KNOWN_SCORES[system]
    assert reference_hash(matched.items).startswith("b59939189d256584")


@needs_peers
def test_text_that_is_tokens_already_keeps_them() -> None:
    """On the predictions of four systems and on their labels, cutting into tokens equals splitting."""
    for path in sorted(PEERS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for text in (json.loads(line)["prediction"], json.loads(line)["reference"]):
                assert tokenize(text) == text.split()
