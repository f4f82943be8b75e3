"""Tables of pictures and labels, Hugging Face's among them, written by hand and imported."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile

from imported import PICTURE, imported, parquet, png, run, seen, shard, tar, url
from inktex.data.formats import rows as table_rows
from laid_out import cross, encoded, lay_out

HUGGING_FACE = {
    "README.md": b"# A set",
    "data/train-00000-of-00002.parquet": shard(
        (png(1), "a.png", r"\frac{1}{2}"),
        (encoded(cross(2), ".jpg"), None, "x^2"),
        (None, None, "lost"),
        (png(3)[:50], "cut.png", "y"),
        (png(4), "empty.png", None),
        (png(5), "open.png", r"\sqrt{x"),
    ),
    "data/train-00001-of-00002.parquet": shard((png(6), "a.png", "z")),
    "data/validation-00000-of-00001-0123456789abcdef.parquet": shard((png(7), None, "$v$")),
}


@pytest.mark.parametrize("name", ["set", "set.zip", "set.tgz"])
def test_parquet_of_hugging_face(tmp_path: Path, name: str) -> None:
    """Splits come from the shards' names, ids from the pictures' or the row; bad rows are told by number."""
    path = tmp_path / name
    samples, reasons = imported(
        tar(HUGGING_FACE, path) if name.endswith("tgz") else lay_out(HUGGING_FACE, path)
    )

    start = "data/train-00000-of-00002.parquet, row"
    assert seen(samples) == [
        ("train", "a", r"\frac { 1 } { 2 }", 1),
        ("train", "train-00000-of-00002-1", "x ^ 2", 2),
        ("train", "train-00001-of-00002-0", "z", 6),
        ("val", "validation-00000-of-00001-0123456789abcdef-0", "v", 7),
    ]
    assert reasons[f"{start} 2"] == "it has no picture"
    assert reasons[f"{start} 4"] == "its label is empty"
    assert reasons[f"{start} 5"].startswith("Malformed LaTeX")
    assert set(reasons) == {f"{start} {row}" for row in (2, 3, 4, 5)}


@pytest.mark.parametrize("label", ["latex", "latex_formula", "formula", "Latex Formula", "label", "caption"])
def test_one_parquet_file(tmp_path: Path, label: str) -> None:
    """Plain bytes will do, the label's column is known by name, and numbers are no labels."""
    columns = {
        "id": pa.array([7, 8]),
        "text" if label != "label" else "class": pa.array([0, 1]),
        "image": pa.array([png(1), png(2)], pa.binary()),
        label: pa.array(["x", "y"]).dictionary_encode(),
    }
    source = lay_out({"formulas.parquet": parquet(columns)}, tmp_path / "set") / "formulas.parquet"

    samples, _ = imported(source, "--split", "mine")

    assert seen(samples) == [("mine", "7", "x", 1), ("mine", "8", "y", 2)]


def test_parquet_that_names_its_pictures(tmp_path: Path) -> None:
    """A picture may lie beside the table, or be a data URL."""
    rows = {"image": pa.array(["img/a.png", url(2), "img/lost.png"]), "latex": pa.array(["x", "y", "z"])}
    files = {"test.parquet": parquet(rows), "img/a.png": png(1)}

    samples, reasons = imported(lay_out(files, tmp_path / "set"))

    assert seen(samples) == [("test", "a", "x", 1), ("test", "test-1", "y", 2)]
    assert reasons == {"test.parquet, row 2": "there is no picture img/lost.png"}


def test_long_shards_come_in_order(tmp_path: Path) -> None:
    """Rows over many groups and batches keep their order and their pictures."""
    columns = {
        "image": pa.array([{"bytes": png(n), "path": None} for n in range(50)], PICTURE),
        "latex": pa.array([f"{n}" for n in range(50)]),
    }
    files = {"train.parquet": parquet(columns, row_group_size=7)}

    samples, _ = imported(lay_out(files, tmp_path / "set"))

    assert [row[2:] for row in seen(samples)] == [(" ".join(str(n)), n) for n in range(50)]


def test_a_damaged_shard_loses_what_follows(tmp_path: Path) -> None:
    """Rows that cannot be read are told one by one, and other shards are read."""
    whole = shard((png(1), "a.png", "x"), (png(2), "b.png", "y"), (png(3), "c.png", "z"))
    page = ParquetFile(io.BytesIO(whole)).metadata.row_group(1).column(0).data_page_offset
    damaged = whole[:page] + b"\xff" * 9 + whole[page + 9 :]
    files = {
        "train-00000-of-00002.parquet": damaged,
        "train-00001-of-00002.parquet": shard((png(4), None, "w")),
    }

    samples, reasons = imported(lay_out(files, tmp_path / "set"))

    assert [row[2] for row in seen(samples)] == ["x", "y", "w"]
    assert list(reasons) == ["train-00000-of-00002.parquet, row 2"]


FOLDER = {
    **{
        f"{split}/{number}.png": png(number + 10 * (split == "test"))
        for split in ("train", "test")
        for number in (1, 2)
    },
    "train/pictures/3.png": png(3),
    "train/spare.png": png(4),
}
JSON_LINES = {
    "train/metadata.jsonl": b'{"file_name": "1.png", "text": "x^2"}\n\n{"file_name": "2.png", "text": "{x"}\n'
    b'{"file_name": "pictures/3.png", "text": "y", "writer": 3}\n{"file_name": "lost.png", "text": "z"}\n'
    b'{"file_name": "2.png"}\nnot JSON\n{"file_name": "1.png", "text": "again"}\n',
    "test/metadata.jsonl": b'{"file_name": "1.png", "text": "a b"}\n'
    b'{"file_name": "2.png", "text": "\\\\pi"}\n',
}
CSV = {
    "train/metadata.csv": b"file_name,text\r\n1.png,x^2\r\n2.png,{x\r\npictures/3.png,y\r\nlost.png,z\r\n",
    "test/metadata.csv": b'file_name,text\n1.png,"a b"\n2.png,\\pi\n',
}


@pytest.mark.parametrize("name", ["set", "set.zip"])
@pytest.mark.parametrize("tables", [JSON_LINES, CSV], ids=["jsonl", "csv"])
def test_image_folders_of_hugging_face(tmp_path: Path, name: str, tables: dict[str, bytes]) -> None:
    """metadata beside the pictures labels those of its folder, and no others of the same name."""
    samples, reasons = imported(lay_out({**FOLDER, **tables}, tmp_path / name))

    assert seen(samples) == [
        ("test", "1", "a b", 11),
        ("test", "2", r"\pi", 12),
        ("train", "1", "x ^ 2", 1),
        ("train", "3", "y", 3),
    ]
    assert sorted(reason.partition(":")[0] for reason in reasons.values())[:3] == [
        "Malformed LaTeX",
        *(
            ["it is not JSON", 'it is not {"file_name"']
            if tables is JSON_LINES
            else ["no label names it", "there is no picture lost.png"]
        ),
    ]
    assert reasons["train/spare.png"] == "no label names it"


def test_csv_with_quoted_fields(tmp_path: Path) -> None:
    """Commas and quotes stand in quotes; a row of another width and one without a picture are told."""
    table = (
        '\ufeffid,"Image Path",split,LaTeX\n'
        'first,a.png,train,"f(x,y)"\n'
        'second,b.png,Validation,"x'
        '"" y"\n'
        "third,c.png,train,f(x,y)\n"
        "fourth,,train,x\n"
        'fifth,d.png,train,"x\n+y"\n'
        f"sixth,{url(6)!r},train,z\n".replace("'", '"')
    )
    files = {
        "labels.csv": table.encode(),
        **{f"pictures/{name}.png": png(n) for n, name in enumerate("abcd")},
    }

    samples, reasons = imported(lay_out(files, tmp_path / "set"))

    assert seen(samples) == [
        ("train", "first", "f ( x , y )", 0),
        ("train", "sixth", "z", 6),
        ("val", "second", 'x " y', 1),
    ]
    assert reasons == {
        "labels.csv, line 4": "it has 5 fields and the header 4; "
        "a field with a comma in it must stand in quotes",
        "labels.csv, line 5": "it names no picture",
        "labels.csv, line 6 to 7": "its label has several lines",
        "pictures/c.png": "no label names it",
    }


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("my_test-labels.tsv", 'file\tformula\na\tx,y\nb\t"z"\n'),
        ("test.csv", "img;label\na.png;x,y\nb.png;z\n"),
        ("test.jsonl", '{"img": "a.png", "equation": "x,y"}\n{"img": "b", "equation": "z"}\n'),
        ("test.json", '[{"picture": "a.png", "latex": "x,y"}, {"picture": "b.png", "latex": "z"}]'),
        ("test.json", '{"picture": "a.png", "latex": "x,y"}\n{"picture": "b.png", "latex": "z"}\n'),
    ],
)
def test_the_same_table_in_several_forms(tmp_path: Path, name: str, table: str) -> None:
    """A table that is named itself is read with the pictures below it."""
    files = {name: table.encode(), "img/deep/a.png": png(1), "img/deep/b.png": png(2), "other.csv": b"x\n"}

    samples, reasons = imported(lay_out(files, tmp_path / "set") / name)

    assert seen(samples) == [("test", "a", "x , y", 1), ("test", "b", "z", 2)]
    assert not reasons


def test_pictures_in_data_urls(tmp_path: Path) -> None:
    """Base64 in a line is the picture; what is damaged or not base64 is told."""
    pictures = [
        url(1),
        url(2).replace("data:image/png;", "DATA:;"),
        url(3)[:-5] + "%",
        "data:,x",
        "http://a/b.png",
    ]
    lines = [json.dumps({"image": picture, "text": "x"}) for picture in pictures]

    samples, reasons = imported(
        lay_out({"train.jsonl": "\n".join(lines).encode()}, tmp_path / "set") / "train.jsonl"
    )

    assert [row[1::2] for row in seen(samples)] == [("train-1", 1), ("train-2", 2)]
    assert reasons == {
        "train.jsonl, line 3": "its picture is a data URL whose base64 is damaged",
        "train.jsonl, line 4": "its picture is a data URL that is not base64",
        "train.jsonl, line 5": "there is no picture http://a/b.png",
    }


def test_a_name_that_two_pictures_have_is_not_guessed(tmp_path: Path) -> None:
    """Which of two pictures of one name is meant is said by its path, or the split, or not at all."""
    files = {"train/a.png": png(1), "test/a.png": png(2), "x/b.png": png(3), "y/b.png": png(4)}
    table = b"file_name,text\na.png,1\nb.png,2\ny/b.png,3\n"

    samples, reasons = imported(lay_out({**files, "test.csv": table}, tmp_path / "set"))

    assert seen(samples) == [("test", "a", "1", 2), ("test", "b", "3", 4)]
    assert reasons["test.csv, line 3"] == "there are 2 pictures b.png, x/b.png for one"


def test_tables_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """A table of more rows than may be is told and not read further."""
    monkeypatch.setattr(table_rows, "MOST_ROWS", 3)
    source = lay_out({"a.csv": b"image,text\n" + b"a.png,x\n" * 9, "a.png": png(1)}, tmp_path / "set")

    assert run("import", source, tmp_path / "a.parquet") == 2

    assert "a.csv: it has more than 3 rows" in capsys.readouterr().out
