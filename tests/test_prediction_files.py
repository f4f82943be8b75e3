"""Predictions as files: what stands in them, and that the readers read them back."""

from __future__ import annotations

import io
import json
import string
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.errors import ConfigError, DataError
from inktex.metrics.item import Item
from inktex.predictions import Format, item_id, match
from inktex.predictions.reading import read_records
from inktex.predictions.writing import (
    bad_cases_file,
    check_bad_cases,
    check_predictions,
    predictions_file,
)

ITEMS = (
    Item("18_em_0", ("x", "^", "{", "2", "}"), ("x", "^", "{", "2", "}"), 0.75, "writer 3"),
    Item("18_em_1", (r"\frac", "{", "a", "}", "{", "b", "}"), ("a",), 0.5),
    Item("em_2.png", (), ("b",), 0.25),
    Item("em_3", None, ("c",), problem="the picture shows no ink"),
    Item("em_4", ("国", "="), ("国", "=")),
)
TOKENS = st.lists(st.sampled_from([r"\frac", "{", "}", "a", "2", r"\{", "国", r"\pm", "'"]), max_size=6).map(
    tuple
)


def some_items(names: list[str], data: st.DataObject) -> list[Item]:
    """Items of these names with any predictions, or a reason for having none, and references."""
    items = []
    for name in names:
        prediction, reference = data.draw(st.none() | TOKENS), data.draw(TOKENS.filter(bool))
        confidence = data.draw(st.none() | st.floats(0, 1))
        items.append(
            Item(
                name, prediction, reference, confidence, problem=None if prediction is not None else "no ink"
            )
        )
    return items


NAMES = st.lists(
    st.text(string.ascii_letters + string.digits + "_-", min_size=1), min_size=1, max_size=5, unique=True
)


def written(folder: Path, name: str, items: list[Item] | tuple[Item, ...]) -> Path:
    path = folder / name
    path.write_bytes(predictions_file(str(path), items))
    return path


def labels(folder: Path, items: list[Item] | tuple[Item, ...]) -> Path:
    """The references of items as a caption file."""
    path = folder / "caption.txt"
    path.write_text("".join(f"{item.id}\t{' '.join(item.reference)}\n" for item in items))
    return path


def test_json_lines_are_an_object_each(tmp_path: Path) -> None:
    """The first and the fourth line by hand, in the letters of any language."""
    lines = written(tmp_path, "p.jsonl", ITEMS).read_text().splitlines()

    assert lines[0] == (
        '{"id": "18_em_0", "prediction": "x ^ { 2 }", "reference": "x ^ { 2 }", "confidence": 0.75, '
        '"source": "writer 3"}'
    )
    assert lines[3] == '{"id": "em_3", "reference": "c", "problem": "the picture shows no ink"}'
    assert "国" in lines[4]
    assert predictions_file("/dev/stdout", ITEMS) == predictions_file("p.jsonl", ITEMS)
    assert json.loads(predictions_file("p.json", ITEMS)) == [json.loads(line) for line in lines]


def test_text_is_a_line_each_in_order(tmp_path: Path) -> None:
    """Tokens separated by spaces; what has no prediction, or an empty one, is an empty line."""
    assert written(tmp_path, "p.txt", ITEMS).read_text() == ("x ^ { 2 }\n\\frac { a } { b }\n\n\n国 =\n")


def test_an_archive_has_a_file_each() -> None:
    """CoMER's two lines, under names without suffixes of pictures; nothing for what has no prediction."""
    data = predictions_file("result.zip", ITEMS)

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["18_em_0.txt", "18_em_1.txt", "em_2.txt", "em_4.txt"]
        assert archive.read("18_em_0.txt").decode() == "%18_em_0\n$x ^ { 2 }$\n"
        assert archive.read("em_2.txt").decode() == "%em_2\n$$\n"
        assert archive.read("em_4.txt").decode() == "%em_4\n$国 =$\n"
    assert data == predictions_file("result.zip", ITEMS)


@settings(max_examples=40, deadline=None)
@given(NAMES, st.data())
def test_every_format_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject
) -> None:
    """Matched with their references, predictions are those that were written, whatever the format.

    Plain lines do not tell an empty prediction from none.
    """
    items = some_items(names, data)
    folder = tmp_path_factory.mktemp("files")
    references = labels(folder, items)
    expected = [item.prediction for item in items]
    for name, form in (("p.jsonl", Format.JSON_LINES), ("p.json", Format.JSON_LIST), ("p.zip", Format.ZIP)):
        if name == "p.zip" and not any(each is not None for each in expected):
            continue
        matched = match(written(folder, name, items), references)
        assert matched.predictions_format is form
        assert [item.prediction for item in matched.items] == expected, name
    alone = match(folder / "p.jsonl")
    assert [(item.reference, item.confidence) for item in alone.items] == [
        (item.reference, item.confidence) for item in items
    ]
    if any(expected):
        matched = match(written(folder, "p.txt", items), references)
        assert [item.prediction or () for item in matched.items] == [each or () for each in expected]


@settings(max_examples=40, deadline=None)
@given(NAMES, st.data())
def test_bad_cases_are_the_wrong_ones(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject
) -> None:
    """The file reads as CAN's does: those alone whose prediction is missing or differs, with their labels."""
    items = some_items(names, data)
    path = tmp_path_factory.mktemp("files") / "bad_case.json"
    path.write_bytes(bad_cases_file(items))

    wrong = {item.id: item for item in items if item.prediction is None or item.prediction != item.reference}
    assert json.loads(path.read_text()).keys() == wrong.keys()
    if wrong:
        assert read_records(path).format is Format.JSON_TABLE
        for item in match(path).items:
            assert item.reference == wrong[item.id].reference
            assert item.prediction == wrong[item.id].prediction


def test_bad_cases_by_hand() -> None:
    """Names, labels and predictions of the three wrong items; null where nothing was predicted."""
    assert json.loads(bad_cases_file(ITEMS)) == {
        "18_em_1": {"label": "a", "predi": r"\frac { a } { b }"},
        "em_2": {"label": "b", "predi": ""},
        "em_3": {"label": "c", "predi": None},
    }
    assert json.loads(bad_cases_file(ITEMS[:1])) == {}


def test_files_that_cannot_hold_the_predictions_are_refused() -> None:
    """An unknown suffix, and two expressions of one name where the name is all that tells them apart."""
    twice = ["train/a.png", "test/a"]
    assert len({item_id(name) for name in twice}) == 1

    with pytest.raises(ConfigError, match=r"p\.csv.*\.jsonl, \.json, \.txt, \.zip"):
        check_predictions("p.csv", ["a"])
    with pytest.raises(DataError, match=r"p\.zip .* two of 'a'"):
        check_predictions("p.zip", twice)
    with pytest.raises(DataError, match=r"b\.json .* two of 'a'"):
        check_bad_cases("b.json", twice)
    for path in ("p.jsonl", "p.json", "p.txt", "P.TXT", "answers"):
        check_predictions(path, twice)
    check_predictions("p.zip", ["a", "b"])
