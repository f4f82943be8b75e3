"""InkML of MathWriting, captions that are not cut, archives and wrong files, imported on the command line."""

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from imported import imported, parquet, png, run, seen, shard, tar
from inktex.data.dataset import Sample, write_dataset
from inktex.ink.inkml import read_inkml, write_inkml
from laid_out import cross, decoded, lay_out


def mathwriting(split: str, name: str, label: str, normalized: str | None = None) -> bytes:
    """An ink as MathWriting writes it: points are x, y and time."""
    more = "" if normalized is None else f'<annotation type="normalizedLabel">{normalized}</annotation>'
    return (
        f'<ink xmlns="http://www.w3.org/2003/InkML"><annotation type="label">{label}</annotation>'
        f'<annotation type="splitTagOriginal">{split}</annotation>'
        f'<annotation type="sampleId">{name}</annotation>{more}'
        '<annotation type="inkCreationMethod">human</annotation>'
        "<trace>10 20 0.0,30 40 13.5</trace><trace>5.5 6.25 99.0</trace></ink>"
    ).encode()


MATHWRITING = {
    "mathwriting-2024/symbols.jsonl": b'{"sourceSampleId": "a1", "strokeIndices": [0], "label": "f"}\n',
    "mathwriting-2024/train/a1.inkml": mathwriting("train", "a1", r"x \over 2", r"\frac{x}{2}"),
    "mathwriting-2024/valid/b2.inkml": mathwriting("valid", "b2", "x^2", "x^{2}"),
    "mathwriting-2024/valid/bad.inkml": mathwriting("valid", "bad", "x", "{x"),
    "mathwriting-2024/test/c3.inkml": mathwriting("test", "c3", r"\alpha", r"\alpha"),
    "mathwriting-2024/symbols/d4.inkml": mathwriting("symbols", "d4", r"\beta"),
}


@pytest.fixture(params=["folder", "zip", "tgz", "tar.gz", "tar"])
def mathwriting_source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """MathWriting unpacked, and in archives."""
    if request.param == "folder":
        return lay_out(MATHWRITING, tmp_path / "set") / "mathwriting-2024"
    path = tmp_path / f"mathwriting-2024.{request.param}"
    if request.param == "zip":
        return lay_out(MATHWRITING, path)
    return tar(
        {f"./{name}": data for name, data in MATHWRITING.items()},
        path,
        "w" if path.suffix == ".tar" else "w:gz",
    )


def test_mathwriting(mathwriting_source: Path) -> None:
    """The normalised label is the label, the plain one that of symbols; ids and splits are the files' own."""
    samples, reasons = imported(mathwriting_source)

    assert sorted((each.split, each.id, " ".join(each.tokens), each.source) for each in samples) == [
        ("symbols", "d4", r"\beta", "mathwriting-2024"),
        ("test", "c3", r"\alpha", "mathwriting-2024"),
        ("train", "a1", r"\frac { x } { 2 }", "mathwriting-2024"),
        ("val", "b2", "x ^ { 2 }", "mathwriting-2024"),
    ]
    assert samples[0].ink is not None
    assert [stroke.tolist() for stroke in samples[0].ink.strokes] == [[[10, 20], [30, 40]], [[5.5, 6.25]]]
    assert [(name.rpartition("/")[2], "Malformed" in reason) for name, reason in reasons.items()] == [
        ("bad.inkml", True)
    ]


@pytest.mark.parametrize("split", ["valid", "val"])
def test_one_split_of_mathwriting(mathwriting_source: Path, split: str, capsys) -> None:
    """--split takes one of the folders, under its own name or the usual one; another is refused."""
    samples, _ = imported(mathwriting_source, "--split", split)

    assert [(each.split, each.id) for each in samples] == [("val", "b2")]
    assert run("import", mathwriting_source, mathwriting_source.parent / "x.parquet", "--split", "2014") == 2
    assert "has no split '2014'; it has: symbols, test, train, val" in capsys.readouterr().err


def test_a_flat_folder_is_not_renamed(tmp_path: Path) -> None:
    """Files that name their split are not taken for another one."""
    flat = {name.rpartition("/")[2]: data for name, data in MATHWRITING.items() if name.endswith("inkml")}

    samples, reasons = imported(lay_out(flat, tmp_path / "set"), "--split", "train")

    assert [(each.split, each.id) for each in samples] == [("train", "a1")]
    assert reasons["b2.inkml"] == "its split is 'val'"


def test_names_of_mathwriting_are_written_too() -> None:
    """An ink's own name and split survive being written."""
    document = read_inkml(mathwriting("valid", "b2", "x^2", "x^{2}"))

    again = read_inkml(write_inkml(document))

    assert (document.truth, document.sample_id, document.split) == ("x^{2}", "b2", "valid")
    assert (again.truth, again.sample_id, again.split) == ("x^{2}", "b2", "valid")


def test_captions_without_spaces_are_cut(tmp_path: Path) -> None:
    """LaTeX in a list is cut by LaTeX's rules; what is cut already stays; what is malformed is told."""
    lines = [r"a" "\tx^2+y^2", "b\tx ^ { 2 }", "c\t\\frac{1}{2} x", "d\t\\frac{1}{", "e\t12", "f\t\\pi"]
    files = {f"img/{name}.png": png(number) for number, name in enumerate("abcdef")}

    samples, reasons = imported(
        lay_out({**files, "caption.txt": "\n".join(lines).encode()}, tmp_path / "train")
    )

    assert [(each.id, " ".join(each.tokens)) for each in samples] == [
        ("a", "x ^ 2 + y ^ 2"),
        ("b", "x ^ { 2 }"),
        ("c", r"\frac { 1 } { 2 } x"),
        ("e", "1 2"),
        ("f", r"\pi"),
    ]
    assert reasons == {"caption.txt, line 4": "Malformed LaTeX: the '}' of '\\frac' is missing (at the end)."}


@pytest.mark.parametrize(
    ("others", "tokens"),
    [
        (["x + y", "x ^ { 2 }"], [r"\left(", "x", r"\right)"]),
        (["x+y", "x^2"], [r"\left", "(", "x", r"\right", ")"]),
    ],
)
def test_most_captions_tell_what_a_token_is(tmp_path: Path, others: list[str], tokens: list[str]) -> None:
    r"""A delimiter with its \left is one token in a list of tokens, and two in a list of LaTeX."""
    captions = [r"\left( x \right)", *others]
    lines = "\n".join(f"{number}\t{caption}" for number, caption in enumerate(captions))
    pictures = {f"img/{number}.png": png(number) for number in range(len(captions))}

    samples, _ = imported(lay_out({**pictures, "caption.txt": lines.encode()}, tmp_path / "set"))

    assert list(samples[0].tokens) == tokens


def test_a_raw_list_of_image_to_latex_is_cut(tmp_path: Path) -> None:
    """The rule holds for lists by number too."""
    files = {
        "im2latex_formulas.lst": b"x^2\n",
        "im2latex_train_filter.lst": b"a.png 0\n",
        "images/a.png": png(1),
    }

    samples, _ = imported(lay_out(files, tmp_path / "set"))

    assert seen(samples) == [("train", "a", "x ^ 2", 1)]


def own_data() -> bytes:
    """A data set of Inktex."""
    return parquet({"image": pa.array([png(1)]), "latex": pa.array(["x"]), "tokens": pa.array([["x"]])})


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.parquet", b"PAR1", "a.parquet cannot be imported: it cannot be read as Parquet"),
        ("a.parquet", parquet({"x": pa.array([1])}), "it needs a column for pictures (image, images, img"),
        ("a.parquet", own_data(), "it is a data set of Inktex already"),
        ("a.csv", b"", "a.csv cannot be imported: it needs a column for pictures"),
        ("a.csv", b"one,two\n1,2\n", "and has: one, two"),
        ("a.csv", b'"image,text\na.png,x\n', "a.csv cannot be imported: its header cannot be read"),
        ("a.tsv", b"\xff\xfe", "a.tsv cannot be imported: it is not text in UTF-8"),
        ("a.jsonl", b"[1]\nrubbish\n", "a.jsonl cannot be imported: it needs a column for pictures"),
        ("a.json", b'[{"x": 1}]', "a.json cannot be imported: it needs a column for pictures"),
        ("a.json", b"{", "a.json cannot be imported: it cannot be read as JSON"),
        ("a.tgz", b"\x1f\x8b", "a.tgz is no sound tar archive"),
        ("a.tar", b"rubbish", "a.tar is no sound tar archive"),
        ("a.docx", b"rubbish", "a.docx is no folder, sound archive (.zip, .tar, .tar.gz, .tgz) or file"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, name: str, data: bytes, message: str, capsys) -> None:
    """What cannot be imported is named with the reason, the code is 2, and no file is made."""
    source = lay_out({name: data}, tmp_path / "set") / name

    assert run("import", source, tmp_path / "out.parquet") == 2

    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("size", [3 * 2**30, 2**33 - 1])
def test_a_tar_header_takes_no_memory(tmp_path: Path, size: int, capsys) -> None:
    """A header that claims gigabytes is refused before they are read."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, size
    (tmp_path / "a.tar").write_bytes(header.tobuf(tarfile.USTAR_FORMAT) + bytes(10_240))

    assert run("import", tmp_path / "a.tar", tmp_path / "out.parquet") == 2

    assert "a header of more than a megabyte" in capsys.readouterr().err


def test_links_in_a_tar_are_not_followed(tmp_path: Path) -> None:
    """What is no regular file is left out, and names that climb out stay names."""
    outside = lay_out({"secret.inkml": mathwriting("train", "s", "x")}, tmp_path / "outside") / "secret.inkml"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        link = tarfile.TarInfo("train/link.inkml")
        link.type, link.linkname = tarfile.SYMTYPE, str(outside)
        archive.addfile(link)
        archive.add(outside, "../../evil.inkml")

    samples, _ = imported(tmp_path / "a.tar")

    assert [each.id for each in samples] == ["s"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "out.json", "out.parquet", "outside"]


def test_an_archive_with_odd_entries(tmp_path: Path) -> None:
    """An entry without a name, one whose local name is not text, and a damaged one do not end the import."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.inkml", mathwriting("train", "a", "x"))
        archive.writestr("b-\xe9.inkml", b"<ink/>")  # not ASCII, so its name is marked as UTF-8
        archive.writestr("c.inkml", bytes(300), zipfile.ZIP_LZMA)
        with archive.open(zipfile.ZipInfo(""), "w") as file:
            file.write(b"nameless")
        end_of_c = archive.getinfo("").header_offset
    data = path.read_bytes().replace("b-\xe9".encode(), b"b-\xff\xff", 1)  # only where the entry lies
    path.write_bytes(data[: end_of_c - 12] + b"\xff" * 12 + data[end_of_c:])

    samples, reasons = imported(path)

    assert [each.id for each in samples] == ["a"]
    assert list(reasons) == ["b-\xe9.inkml", "c.inkml"]
    assert all("damaged" in reason for reason in reasons.values())


def test_a_line_number_of_many_digits(tmp_path: Path) -> None:
    """A number that is too long for any list is told as such."""
    filters = f"a.png {'9' * 5000}\na.png 0\n".encode()
    files = {"im2latex_formulas.lst": b"x\n", "im2latex_train_filter.lst": filters, "a.png": png(1)}

    samples, reasons = imported(lay_out(files, tmp_path / "set"))

    assert seen(samples) == [("train", "a", "x", 1)]
    assert list(reasons) == ["im2latex_train_filter.lst, line 1"]


def test_what_was_imported_is_not_imported_again(tmp_path: Path) -> None:
    """A data set beside a layout is told, and the layout read."""
    write_dataset([Sample("a", "", "", ("x",), png(1), None)], tmp_path / "done.parquet")
    files = {
        "done.parquet": (tmp_path / "done.parquet").read_bytes(),
        "train.parquet": shard((png(2), None, "x")),
    }

    samples, reasons = imported(lay_out(files, tmp_path / "set"))

    assert [each.split for each in samples] == ["train"]
    assert list(reasons) == ["done.parquet"]
    np.testing.assert_array_equal(decoded(samples[0].image), cross(2))
