"""Data sets: round trips through Parquet, files made by others, and files that cannot be used."""

import builtins
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inktex.data.dataset import Sample, read_dataset, write_dataset
from inktex.data.description import Spread, describe
from inktex.errors import DataError, InktexError
from inktex.ink.strokes import Ink, Symbol, ink_from_lists
from inktex.visualize.sheets import contact_sheet

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

COORDINATES = st.floats(min_value=-1e6, max_value=1e6, width=32)
STROKES = st.lists(
    st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=4), min_size=1, max_size=4
)
WORDS = st.text(st.characters(codec="utf-8"), max_size=6)


@st.composite
def inks(draw: st.DrawFn) -> Ink:
    """An ink with any symbols over its strokes."""
    ink = ink_from_lists(draw(STROKES))
    members = st.lists(st.integers(0, len(ink.strokes) - 1), min_size=1, max_size=3).map(tuple)
    return Ink(
        ink.strokes, tuple(draw(st.lists(st.builds(Symbol, WORDS, members, st.none() | WORDS), max_size=3)))
    )


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """A sample with a picture, ink or both."""
    ink = draw(st.none() | inks())
    image = draw(st.binary(max_size=20) | st.none() if ink else st.binary(max_size=20))
    tokens = tuple(draw(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5), max_size=5)))
    return Sample(
        draw(WORDS), draw(WORDS), draw(WORDS), tokens, image, ink, draw(WORDS), draw(st.none() | WORDS)
    )


def as_plain(sample: Sample) -> dict[str, Any]:
    """Return a sample as values that compare."""
    plain = dict(vars(sample))
    if sample.ink is not None:
        plain["ink"] = ([stroke.tolist() for stroke in sample.ink.strokes], sample.ink.symbols)
    return plain


def sample(name: str = "a", tokens: tuple[str, ...] = ("x",), size: tuple[int, int] = (20, 30)) -> Sample:
    """Return a sample with a black picture of the given height and width."""
    image = bytes(cv2.imencode(".png", np.zeros(size, np.uint8))[1])
    return Sample(name, "train", "us", tokens, image, None)


@given(st.lists(samples(), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(tmp_path: Path, rows: list[Sample]) -> None:
    """What is written reads back equal, whichever of picture and ink the rows have."""
    path = tmp_path / "data.parquet"

    assert write_dataset(rows, path) == len(rows)

    assert [as_plain(row) for row in read_dataset(path)] == [as_plain(row) for row in rows]
    assert [file.name for file in tmp_path.iterdir()] == ["data.parquet"]


def test_many_row_groups(tmp_path: Path) -> None:
    """Rows keep their order and their own ink over row groups and read batches."""
    rows = []
    for number in range(2500):
        ink = None if number % 3 == 0 else Ink((np.full((1 + number % 4, 2), number, np.float32),))
        rows.append(Sample(str(number), "s", "", ("t",) * (number % 5), b"p", ink))

    write_dataset(iter(rows), tmp_path / "a.parquet")

    assert parquet.ParquetFile(tmp_path / "a.parquet").num_row_groups > 1
    assert [as_plain(row) for row in read_dataset(tmp_path / "a.parquet")] == [as_plain(row) for row in rows]


def test_the_columns_are_plain_arrow(tmp_path: Path) -> None:
    """Another reader sees strokes as nested lists, tokens as a list and the label as text."""
    ink = Ink((np.array([[1, 2], [3, 4]], np.float32),), (Symbol("x", (0,), "x_1"),))
    write_dataset([Sample("a", "train", "us", ("x", "^", "2"), None, ink)], tmp_path / "a.parquet")

    (row,) = parquet.read_table(tmp_path / "a.parquet").to_pylist()

    assert row["ink"] == [[[1.0, 2.0], [3.0, 4.0]]]
    assert row["symbols"] == [{"label": "x", "strokes": [0], "reference": "x_1"}]
    assert (row["tokens"], row["latex"]) == (["x", "^", "2"], "x ^ 2")
    assert row["image"] is None


def test_a_file_made_by_others(tmp_path: Path) -> None:
    """Double coordinates, large lists, further columns and absent ones are taken as they come."""
    ink = pa.array([[[[1, 2], [3, 4]]], None], pa.large_list(pa.list_(pa.list_(pa.float64()))))
    table = pa.table({"ink": ink, "image": pa.array([None, b"p"]), "tokens": [["x"], ["y"]], "age": [3, 4]})
    parquet.write_table(table, tmp_path / "a.parquet")

    first, second = read_dataset(tmp_path / "a.parquet")

    assert (first.id, first.split, second.id) == ("0", "", "1")
    assert first.ink is not None
    assert first.ink.strokes[0].tolist() == [[1, 2], [3, 4]]
    assert second.ink is None


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"image": [b"p"]}, "no column 'tokens'"),
        ({"tokens": [["x"]]}, "neither a column 'image' nor a column 'ink'"),
        ({"tokens": [None], "image": [b"p"]}, "without tokens"),
        ({"tokens": [["x", None]], "image": [b"p"]}, "without tokens"),
        ({"tokens": ["x"], "image": [b"p"]}, "tokens|string|cast"),
        ({"tokens": [["x"]], "image": [{"bytes": b"p"}]}, "cast|struct"),
        ({"tokens": [["x"]], "image": pa.array([None], pa.binary())}, "Row 0 .* neither a picture nor ink"),
        ({"tokens": [["x"]], "ink": [[[[1.0]]]]}, r"point \(x, y\)"),
        ({"tokens": [["x"]], "ink": [[[[1.0, 2.0, 3.0]]]]}, r"point \(x, y\)"),
        ({"tokens": [["x"]], "ink": [[[[1.0, None]]]]}, r"point \(x, y\)"),
        ({"tokens": [["x"]], "ink": [[[[1.0, 2.0]], None]]}, r"point \(x, y\)"),
        ({"tokens": [["x"]], "ink": [[[[1.0, math.nan]]]]}, "finite"),
        (
            {
                "tokens": [["x"]],
                "ink": [[[[1.0, 2.0]]]],
                "symbols": [[{"label": "x", "strokes": [1], "reference": None}]],
            },
            "its ink does not have",
        ),
        (
            {
                "tokens": [["x"]],
                "ink": [[[[1.0, 2.0]]]],
                "symbols": pa.array(
                    [[{"label": "x", "strokes": None, "reference": None}]],
                    pa.list_(
                        pa.struct(
                            [
                                ("label", pa.string()),
                                ("strokes", pa.list_(pa.int32())),
                                ("reference", pa.string()),
                            ]
                        )
                    ),
                ),
            },
            "without a label or strokes",
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(tmp_path: Path, columns: dict[str, Any], problem: str) -> None:
    """A missing column, another type or a row without content ends in a sentence that names the file."""
    parquet.write_table(pa.table(columns), tmp_path / "odd.parquet")

    with pytest.raises(DataError, match=problem) as caught:
        read_dataset(tmp_path / "odd.parquet")

    assert "odd.parquet" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"some text", b"PAR1" + bytes(100) + b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, data: bytes) -> None:
    """Anything else than Parquet is refused by name."""
    (tmp_path / "odd.parquet").write_bytes(data)

    with pytest.raises(DataError, match=r"odd\.parquet"):
        read_dataset(tmp_path / "odd.parquet")


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    """A Parquet file cut short is refused, wherever it is cut."""
    write_dataset([sample()], tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    for length in (4, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.parquet").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut\.parquet"):
            read_dataset(tmp_path / "cut.parquet")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    """No such file, and a folder, are each named."""
    for path in (tmp_path / "none.parquet", tmp_path):
        with pytest.raises(DataError, match=path.name):
            read_dataset(path)


def test_a_failure_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    """When the samples fail half-way, the file is as it was and nothing else is left in the folder."""
    path = tmp_path / "data.parquet"
    write_dataset([sample("old")], path)

    def broken() -> Any:
        for number in range(2000):
            yield sample(str(number))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_dataset(broken(), path)

    assert [row.id for row in read_dataset(path)] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    """No samples, a folder that does not exist, and a folder in place of the file are refused by name."""
    for rows, path in (([], "a.parquet"), ([sample()], "no/a.parquet"), ([sample()], "")):
        with pytest.raises(InktexError, match=r"written|no samples"):
            write_dataset(rows, tmp_path / path)

    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a base install the error says what to install."""
    real = builtins.__import__

    def without_pyarrow(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(DataError, match=r"inktex\[data\]"):
        read_dataset(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"inktex\[data\]"):
        write_dataset([sample()], tmp_path / "a.parquet")


def test_a_description_by_hand() -> None:
    """Counts, sizes and lengths of four small samples are those counted by hand."""
    ink = Ink((np.zeros((1, 2), np.float32),) * 3, (Symbol("x", (0,)),))
    rows = [
        sample("a", ("x", "x", "y"), (10, 40)),
        sample("b", ("x",), (20, 30)),
        sample("c", ("x",), (30, 20)),
        Sample("d", "2013", "them", ("z", "y"), None, ink),
    ]

    description = describe(rows)

    assert (description.count, description.with_image, description.with_ink, description.with_symbols) == (
        4,
        3,
        1,
        1,
    )
    assert description.distinct_labels == 3
    assert description.splits == {"train": 3, "2013": 1}
    assert description.sources == {"us": 3, "them": 1}
    assert description.height_px == Spread(10, 20, 30, 30)
    assert description.width_px == Spread(20, 30, 40, 40)
    assert description.length == Spread(1, 1, 3, 3)
    assert description.strokes == Spread(3, 3, 3, 3)
    assert list(description.tokens.items()) == [("x", 4), ("y", 2), ("z", 1)]


def test_nothing_to_describe() -> None:
    """No samples give zeros, not an error."""
    assert describe([]).height_px == Spread(0, 0, 0, 0)


def test_a_contact_sheet_holds_every_picture() -> None:
    """Each cell of the sheet shows its picture unchanged when it fits, and print underneath."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, size, dtype=np.uint8) for size in ((50, 100), (96, 360), (10, 10))]
    rows = [
        Sample(str(i), "", "", ("x",) * 300, bytes(cv2.imencode(".png", picture)[1]), None)
        for i, picture in enumerate(pictures)
    ]

    sheet = contact_sheet(rows, columns=2)

    assert sheet.shape == (2 * (96 + 4 * 15 + 8) + 8, 2 * 368 + 8)
    for (row, column), picture in zip([(0, 0), (0, 1), (1, 0)], pictures, strict=True):
        top, left = 8 + row * 164, 8 + column * 368
        np.testing.assert_array_equal(
            sheet[top : top + picture.shape[0], left : left + picture.shape[1]], picture
        )
        below = sheet[top + 96 : top + 156, left : left + 368]
        assert (below < 128).sum() > 50
    assert (sheet[172:, 376:] == 255).all()
