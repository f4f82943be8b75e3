"""Data sets written in the field's layouts and imported again."""

import json
import pickle
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn import scribble
from inktex.commands.data import _FORMATS
from inktex.data.dataset import Sample
from inktex.data.formats.layouts import LAYOUTS
from inktex.data.formats.pictures import draw
from inktex.data.formats.sources import read_source
from inktex.data.formats.targets import export_samples
from inktex.data.splits import divide, parse_ratios
from inktex.errors import ConfigError, DataError, InktexError
from laid_out import accepted, cross, decoded, encoded, rejected

TOKENS = st.sampled_from(
    [
        r"\frac",
        "{",
        "}",
        "^",
        "_",
        r"\{",
        r"\\",
        "&",
        r"\begin{array}",
        r"\end{array}",
        "设",
        "x",
        "'",
        "<",
        '"',
    ]
) | st.characters(exclude_categories=("C", "Z"), exclude_characters="\\$")
NAMES = st.text(max_size=8) | st.sampled_from(
    [
        "caption",
        "x_labels",
        "a.png",
        "a.b",
        "a",
        "a_0",
        "..",
        ".hidden",
        ".PNG",
        "a/b",
        "train",
        "1.txt",
        "x" * 300,
    ]
)


def sample(name: str, label: str = "x ^ { 2 }", split: str = "train", seed: int = 0) -> Sample:
    """A sample with the picture of a seed."""
    return Sample(name, split, "", tuple(label.split()), encoded(cross(seed)), None)


def known(samples: list[Sample]) -> list[tuple[str, tuple[str, ...], bytes]]:
    """Split, tokens and pixels of samples, in an order that does not depend on names."""
    return sorted((each.split, each.tokens, decoded(each.image).tobytes()) for each in samples)


def test_the_command_offers_every_layout() -> None:
    """The command line names the layouts without loading them."""
    assert tuple(LAYOUTS) == _FORMATS


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_what_is_written_is_read_again(layout: str, data: st.DataObject) -> None:
    """Tokens, pictures and splits survive any layout, whatever the names; fit names survive too."""
    splits = ["train", "val", "test"] if LAYOUTS[layout].three_splits else ["", "train", "2014", "14_test"]
    rows = st.tuples(NAMES, st.lists(TOKENS, min_size=1, max_size=5), st.sampled_from(splits))
    drawn = data.draw(st.lists(rows, min_size=1, max_size=5))
    samples = [
        sample(name, " ".join(tokens), split, seed) for seed, (name, tokens, split) in enumerate(drawn)
    ]
    ratios = None if len({each.split for each in samples}) > 1 else (100, 0, 0)
    if ratios:
        samples = [sample(each.id, " ".join(each.tokens), "train", i) for i, each in enumerate(samples)]
    ending = data.draw(st.sampled_from(["", ".zip"]))

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"out{ending}"
        done = export_samples(samples, out, layout, ratios)
        items = list(read_source(out))
        left = [path.name for path in Path(folder).iterdir()]

    assert not rejected(items)
    assert known(accepted(items)) == known(samples)
    assert done.unfaithful == ()
    assert left == [out.name]
    plain = {each.id for each in samples if each.id.isidentifier() and len(each.id) < 200}
    assert plain <= {each.id for each in accepted(items)}


def test_the_files_of_each_layout(tmp_path: Path) -> None:
    """The files bear the names, and the lists the lines, that the published systems read."""
    samples = [sample("a", seed=1), sample("b", r"\pi", "val", 2), sample("c", "y", "test", 3)]
    contents: dict[str, dict[str, bytes]] = {}
    for layout in LAYOUTS:
        export_samples(samples, tmp_path / f"{layout}.zip", layout)
        with zipfile.ZipFile(tmp_path / f"{layout}.zip") as archive:
            contents[layout] = {name: archive.read(name) for name in archive.namelist()}

    names = {layout: set(files) for layout, files in contents.items()}
    assert {"data/train/caption.txt", "data/train/img/a.bmp", "data/test/img/c.bmp"} <= names["comer"]
    assert {"train_caption.txt", "off_image_train/a_0.bmp", "off_image_val/b_0.bmp"} <= names["hmer"]
    assert {"offline-train.pkl", "train_caption.txt", "offline-val.pkl"} <= names["pickle"]
    assert {"train/train_labels.txt", "train/train_images/a.png"} <= names["hme100k"]
    assert {"train/a.txt", "train/a.png"} <= names["text"]
    assert contents["comer"]["data/train/caption.txt"] == b"a\tx ^ { 2 }\n"
    assert contents["hme100k"]["val/val_labels.txt"] == b"b.png\t\\pi\n"
    assert contents["text"]["train/a.txt"] == b"x ^ { 2 }\n"
    assert json.loads(contents["json"]["test.json"]) == [{"images": "c.png", "labels": "y"}]
    assert contents["im2latex"]["im2latex_formulas.norm.new.lst"] == b"x ^ { 2 }\n\\pi\ny\n"
    assert contents["im2latex"]["im2latex_validate_filter.lst"] == b"b.png 1\n"
    (array,) = pickle.loads(contents["pickle"]["offline-train.pkl"]).values()
    np.testing.assert_array_equal(array, cross(1)[None])


def test_formulas_lie_in_the_order_of_the_splits(tmp_path: Path) -> None:
    """image-to-latex's lines are those of training, then validation, then test."""
    samples = [sample(str(i), f"{i}", split) for i, split in enumerate(["test", "train", "val", "train"])]

    export_samples(samples, tmp_path / "out", "im2latex")

    lines = (tmp_path / "out" / "im2latex_formulas.norm.new.lst").read_text().split()
    assert lines == ["1", "3", "2", "0"]
    assert (tmp_path / "out" / "im2latex_train_filter.lst").read_text() == "1.png 0\n3.png 1\n"


@pytest.mark.parametrize(
    ("count", "sizes"), [(58_189, (40_732, 5_818, 11_639)), (56_019, (39_213, 5_601, 11_205)), (3, (2, 0, 1))]
)
def test_seventy_ten_twenty(count: int, sizes: tuple[int, int, int]) -> None:
    """The parts are as large as those published for the pure and the mixed set of image-to-latex's fork."""
    splits = divide(count, (70, 10, 20), 0)

    assert tuple(splits.count(name) for name in ("train", "val", "test")) == sizes


def test_a_division_depends_on_its_seed_alone() -> None:
    """The same seed divides alike, another one otherwise, and no split lies in one piece."""
    first, again, other = (divide(1000, (8, 1, 1), seed) for seed in (5, 5, 6))

    assert first == again
    assert first != other
    assert len(set(first[:100])) == 3


@given(st.integers(0, 200), st.tuples(*[st.integers(0, 9)] * 3).filter(any))
def test_nothing_goes_where_nothing_was_asked_for(count: int, ratios: tuple[int, int, int]) -> None:
    """A share of 0 gets no items, and every other share is within two items of what it should be."""
    splits = divide(count, ratios, 1)

    for name, share in zip(("train", "val", "test"), ratios, strict=True):
        assert abs(splits.count(name) - count * share / sum(ratios)) <= 2 * (share > 0)


@pytest.mark.parametrize(
    "text", ["70/30", "70/10/20/0", "a/b/c", "-1/1/1", "0/0/0", "", "70/10/20 ", "\u0661/1/1"]
)
def test_odd_ratios_are_refused(text: str) -> None:
    """Ratios are three whole numbers, not all 0."""
    with pytest.raises(ConfigError, match="--ratios must"):
        parse_ratios(text)


def test_one_split_becomes_three(tmp_path: Path) -> None:
    """Samples of one split are divided 70/10/20 where the layout has three splits."""
    done = export_samples([sample(str(i)) for i in range(50)], tmp_path / "out", "im2latex")

    assert done.splits == {"train": 35, "val": 5, "test": 10}


def test_splits_under_other_names(tmp_path: Path) -> None:
    """ "eval" goes to validation; what is none of the three needs --ratios."""
    done = export_samples([sample("a"), sample("b", split="eval")], tmp_path / "out", "im2latex")

    assert done.splits == {"train": 1, "val": 1}
    with pytest.raises(DataError, match="the splits are 2014, train, and im2latex has train, val, test"):
        export_samples([sample("a"), sample("b", split="2014")], tmp_path / "other", "im2latex")


def test_what_a_layout_cannot_keep_is_told(tmp_path: Path) -> None:
    """Ink drawn, names changed and labels that read back differently are counted."""
    ink = scribble(1)
    samples = [
        Sample("a/b", "", "", ("x",), None, ink),
        sample("dup", r"\left( x", ""),
        sample("dup", "y", ""),
        Sample("none", "", "", (), encoded(cross()), None),
    ]

    done = export_samples(samples, tmp_path / "out", "text")

    assert (done.drawn, done.renamed, done.unfaithful) == (1, 2, ("dup", "none"))
    items = {each.id: each for each in accepted(read_source(tmp_path / "out"))}
    assert list(items) == ["a_b", "dup", "dup-2"]
    np.testing.assert_array_equal(decoded(items["a_b"].image), decoded(draw(ink)))


def test_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    """A picture that cannot be read ends the export, names its expression, and leaves no file."""
    bad = Sample("bad", "", "", ("x",), b"no picture", None)
    (tmp_path / "old.zip").write_bytes(b"old")

    for out in ("out", "old.zip"):
        with pytest.raises(DataError, match="the picture of 'bad' cannot be read"):
            export_samples([sample("a", split=""), bad], tmp_path / out, "comer")

    assert [path.name for path in tmp_path.iterdir()] == ["old.zip"]
    assert (tmp_path / "old.zip").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("samples", "out", "layout", "problem"),
    [
        ([], "out", "comer", "no samples"),
        ([sample("a")], "out", "word", "no format 'word'; there are: comer, hmer"),
        ([sample("a")], "there", "comer", "exists already"),
        ([sample("a")], "no/out", "comer", "there is no folder"),
        ([sample("a", split="a/b")], "out", "comer", "the split 'a/b' cannot be the name"),
        ([sample("a", split="images")], "out", "hmer", "the split 'images' cannot be the name"),
    ],
)
def test_mistakes_are_named(
    samples: list[Sample], out: str, layout: str, problem: str, tmp_path: Path
) -> None:
    """Each mistake is one sentence, and nothing is written."""
    (tmp_path / "there").mkdir()

    with pytest.raises(InktexError, match=problem):
        export_samples(samples, tmp_path / out, layout)

    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_the_same_samples_make_the_same_archive(tmp_path: Path) -> None:
    """Two archives of the same samples are the same bytes."""
    for name in ("one.zip", "two.zip"):
        export_samples([sample("a"), sample("b")], tmp_path / name, "comer")

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
