"""Readers of InkML and of pictures with captions, from folders and archives made by hand."""

import struct
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from inktex.data.dataset import Sample
from inktex.data.formats import files
from inktex.data.formats.sources import Rejected, read_source
from inktex.errors import DataError

SHARED = Path(__file__).parents[2] / "shared" / "data" / "crohme"


def inkml(truth: str | None = "$x^2$", traces: str = "<trace id='0'>0 0, 10 20</trace>") -> bytes:
    """Return an InkML document."""
    label = "" if truth is None else f"<annotation type='truth'>{truth}</annotation>"
    return f"<ink xmlns='http://www.w3.org/2003/InkML'>{label}{traces}</ink>".encode()


def picture(kind: str = ".png", seed: int = 0) -> bytes:
    """Return an encoded picture of a cross, white on black."""
    canvas = np.zeros((40, 60 + seed), np.uint8)
    cv2.line(canvas, (10, 10), (30, 30), 255, 3)
    cv2.line(canvas, (30, 10), (10, 30), 255, 3)
    return bytes(cv2.imencode(kind, canvas)[1])


INK_FILES = {
    "TrainINKML/KAIST/b.inkml": inkml(),
    "TrainINKML/KAIST/a.inkml": inkml(r"$\frac12$"),
    "TrainINKML/HAMEX/c.INKML": inkml("$y$"),
    "TrainINKML/HAMEX/empty.inkml": b"",
    "TrainINKML/HAMEX/untold.inkml": inkml(None),
    "TrainINKML/HAMEX/unbalanced.inkml": inkml("${ x$"),
    "TrainINKML/HAMEX/strokeless.inkml": inkml("$x$", ""),
    "TrainINKML/readme.txt": b"not ours",
    "__MACOSX/TrainINKML/KAIST/._a.inkml": b"rubbish",
}

CAPTION_FILES = {
    "data/train/caption.txt": b"one\tx ^ { 2 }\ntwo\ty\n\nlost\tz\nbroken\ta\nnothing\t \n"
    b"words only\none\tagain\n",
    "data/train/img/one.png": picture(seed=1),
    "data/train/img/two.bmp": picture(".bmp", 2),
    "data/train/img/broken.png": b"\x89PNG\r\n\x1a\n",
    "data/train/img/silent.png": picture(),
    "data/2014/caption.txt": "\ufeffq\t\\frac { 1 } { 2 }\r\n".encode(),
    "data/2014/img/q.png": picture(),
}


@pytest.fixture(params=["folder", "zip"])
def build(request: pytest.FixtureRequest, tmp_path: Path):
    """Lay files out in a folder or a zip archive of the given name and return its path."""

    def make(files: dict[str, bytes], name: str) -> Path:
        if request.param == "zip":
            path = tmp_path / f"{name}.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for file, data in reversed(files.items()):
                    archive.writestr(file, data)
            return path
        for file, data in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_bytes(data)
        return tmp_path / name

    return make


def accepted(items) -> list[Sample]:
    """Return the samples of a source."""
    return [item for item in items if isinstance(item, Sample)]


def rejected(items) -> dict[str, str]:
    """Return the reasons of what was passed over, by name."""
    return {item.name: item.reason for item in items if isinstance(item, Rejected)}


def test_inkml_becomes_samples_in_the_order_of_the_names(build) -> None:
    """Sound files are read with id, source, tokens, ink and picture; the others are named with a reason."""
    source = read_source(build(INK_FILES, "inkml_train"))
    items = list(source)

    assert len(source) == len(items) == 7
    assert [(s.id, s.source, s.split, " ".join(s.tokens)) for s in accepted(items)] == [
        ("c", "HAMEX", "train", "y"),
        ("a", "KAIST", "train", r"\frac { 1 } { 2 }"),
        ("b", "KAIST", "train", "x ^ { 2 }"),
    ]
    reasons = rejected(items)
    assert [name.rpartition("/")[2] for name in reasons] == [
        "empty.inkml",
        "strokeless.inkml",
        "unbalanced.inkml",
        "untold.inkml",
    ]
    for word, reason in zip(("empty", "no strokes", "LaTeX", "no truth"), reasons.values(), strict=True):
        assert word in reason


def test_the_picture_of_an_ink_is_white_on_black(build) -> None:
    """The drawn PNG has 8 bits, a black border and white ink."""
    (first, *_) = accepted(read_source(build(INK_FILES, "train")))

    assert first.image is not None
    assert first.ink is not None
    drawn = cv2.imdecode(np.frombuffer(first.image, np.uint8), cv2.IMREAD_UNCHANGED)
    assert (drawn.dtype, drawn.ndim) == (np.uint8, 2)
    assert drawn[0].max() == drawn[:, -1].max() == 0
    assert drawn.max() == 255


@pytest.mark.parametrize(
    ("name", "option", "split"),
    [
        ("inkml_test2013", None, "2013"),
        ("trainData_2012", None, "train"),
        ("validation", None, "val"),
        ("test", None, "test"),
        ("some", None, ""),
        ("inkml_test2013", "val", "val"),
    ],
)
def test_the_split_comes_from_the_option_or_the_name(
    build, name: str, option: str | None, split: str
) -> None:
    """The option names the split of InkML; without it a word in the source's own name does."""
    (sample,) = accepted(read_source(build({"x/a.inkml": inkml()}, name), option))

    assert sample.split == split


def test_a_single_inkml_file(tmp_path: Path) -> None:
    """One InkML file is a source of one."""
    (tmp_path / "a.inkml").write_bytes(inkml())

    (sample,) = read_source(tmp_path / "a.inkml")

    assert isinstance(sample, Sample)
    assert sample.id == "a"


def test_captions_and_pictures_are_matched(build) -> None:
    """Captions find their pictures; whatever is left over on either side is reported by name."""
    items = list(read_source(build(CAPTION_FILES, "offline")))

    assert [(s.split, s.id, s.source, s.tokens) for s in accepted(items)] == [
        ("2014", "q", "offline", ("\\frac", "{", "1", "}", "{", "2", "}")),
        ("train", "one", "offline", ("x", "^", "{", "2", "}")),
        ("train", "two", "offline", ("y",)),
    ]
    train = "data/train/caption.txt"
    assert rejected(items) == {
        f"{train}, line 4": "there is no picture data/train/img/lost.png",
        "data/train/img/broken.png": rejected(items)["data/train/img/broken.png"],
        f"{train}, line 6": "it is not NAME<TAB>TOKENS",
        f"{train}, line 7": "it is not NAME<TAB>TOKENS",
        f"{train}, line 8": "there is a second caption for one",
        "data/train/img/silent.png": f"there is no caption for it in {train}",
    }


def test_a_png_is_kept_and_other_formats_become_png(build) -> None:
    """The bytes of a sound PNG are untouched; a BMP becomes a PNG of the same pixels."""
    kept, made = accepted(read_source(build(CAPTION_FILES, "offline"), "train"))

    assert kept.image == CAPTION_FILES["data/train/img/one.png"]
    assert made.image is not None
    assert made.image.startswith(b"\x89PNG")
    original = cv2.imdecode(
        np.frombuffer(CAPTION_FILES["data/train/img/two.bmp"], np.uint8), cv2.IMREAD_GRAYSCALE
    )
    again = cv2.imdecode(np.frombuffer(made.image, np.uint8), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(again, original)


def test_one_of_several_splits(build) -> None:
    """The option takes one split with captions; one that is not there is refused with those that are."""
    path = build(CAPTION_FILES, "offline")

    assert [item.id for item in accepted(read_source(path, "2014"))] == ["q"]
    with pytest.raises(DataError, match="no split '2016'; it has: 2014, train"):
        read_source(path, "2016")


def test_captions_outside_any_folder(build) -> None:
    """A caption file at the top takes its split from the option; names may carry the picture's suffix."""
    files = {"caption.txt": b"a.png\tx\nb.c\ty\n", "img/a.png": picture(), "img/b.c.jpg": picture(".jpg")}

    items = list(read_source(build(files, "set"), "mine"))

    assert [(item.id, item.split) for item in accepted(items)] == [("a", "mine"), ("b.c", "mine")]
    assert not rejected(items)


def test_captions_that_are_not_text(build) -> None:
    """A caption file in another encoding is reported, and its pictures do not become samples."""
    items = list(read_source(build({"t/caption.txt": b"a\t\xff\xfe", "t/img/a.png": picture()}, "set")))

    assert not accepted(items)
    assert list(rejected(items)) == ["t/caption.txt"]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"some words", picture()])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    """A file that is no sound zip archive is named."""
    (tmp_path / "odd.zip").write_bytes(data)

    with pytest.raises(DataError, match=r"odd\.zip is no folder"):
        read_source(tmp_path / "odd.zip")


def test_nothing_to_import_is_refused(build, tmp_path: Path) -> None:
    """No such path, and a source without InkML or captions, are named."""
    with pytest.raises(DataError, match="nowhere"):
        read_source(tmp_path / "nowhere")
    with pytest.raises(DataError, match="neither InkML files nor pictures with labels"):
        read_source(build({"a.txt": b"", "img/b.png": picture()}, "set"))


def test_a_damaged_entry_is_passed_over(tmp_path: Path) -> None:
    """An entry whose data does not match its checksum is reported, and the others are read."""
    path = tmp_path / "train.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/a.inkml", inkml("$a$"))
        archive.writestr("x/b.inkml", inkml("$b$"))
    path.write_bytes(path.read_bytes().replace(b"$a$", b"$z$"))

    items = list(read_source(path))

    assert [item.id for item in accepted(items)] == ["b"]
    assert "damaged" in rejected(items)["x/a.inkml"]


def test_an_encrypted_entry_is_passed_over(tmp_path: Path) -> None:
    """An entry that needs a password is reported."""
    path = tmp_path / "train.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/a.inkml", inkml())
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + offset
        data[place : place + 2] = struct.pack("<H", 1)  # general purpose bit 0: encrypted
    path.write_bytes(data)

    assert "encrypted" in rejected(read_source(path))["x/a.inkml"]


def test_entries_are_bounded(build, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that unpacks to more than the bound is reported and not read further."""
    monkeypatch.setattr(files, "LARGEST_FILE_BYTES", 1000)
    names = {"x/big.inkml": inkml() + b" " * 1_000_000, "x/small.inkml": inkml()}

    items = list(read_source(build(names, "train")))

    assert [item.id for item in accepted(items)] == ["small"]
    assert "larger than" in rejected(items)["x/big.inkml"]


def test_names_that_climb_out_stay_names(tmp_path: Path) -> None:
    """Entries named like paths outside are only read: nothing is written anywhere."""
    path = tmp_path / "train.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil.inkml", inkml())
        archive.writestr("/etc/evil2.inkml", inkml())

    assert sorted(item.id for item in accepted(read_source(path))) == ["evil", "evil2"]
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_source_gives_the_same_samples(build) -> None:
    """Reading twice gives the same bytes in the same order."""
    path = build({**INK_FILES, **CAPTION_FILES}, "both")

    first, second = ([vars(item) for item in read_source(path)] for _ in range(2))

    assert [{**row, "ink": None} for row in first] == [{**row, "ink": None} for row in second]
    assert len(first) == 7 + 9


@pytest.mark.skipif(not SHARED.exists(), reason="the CROHME archives are not at hand")
def test_the_validation_set_of_crohme() -> None:
    """The CROHME 2013 test archive gives 668 samples; its three files without truth are reported."""
    items = list(read_source(SHARED / "inkml_test2013.zip"))

    assert len(accepted(items)) == 668
    assert {item.split for item in accepted(items)} == {"2013"}
    assert sorted(rejected(items)) == [
        f"TestINKMLGT/{name}.inkml" for name in ("rit_4295_2", "rit_4295_3", "ritm_426_0")
    ]
