"""The field's layouts of pictures with labels, made by hand and recognised by themselves."""

import json
from pathlib import Path

import pytest

from inktex.data.formats.captions import split_word
from inktex.data.formats.sources import read_source
from inktex.data.formats.tokenizers import characters, dialect
from inktex.errors import DataError
from laid_out import accepted, cross, encoded, lay_out, rejected, told

PHOTOS = Path(__file__).parents[2] / "shared" / "data" / "photos"


@pytest.fixture(params=["set", "set.zip"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a source is laid out: a folder, then an archive."""
    return tmp_path / request.param


def png(seed: int) -> bytes:
    return encoded(cross(seed))


HMER = {
    "train_caption.txt": b"a\tx ^ { 2 }\nb\ty\nlost\tz\n",
    "test_caption.txt": b"a\t\\pi\n",
    "off_image_train/a_0.bmp": encoded(cross(1), ".bmp"),
    "off_image_train/b_0.bmp": encoded(cross(2), ".bmp"),
    "off_image_train/silent_0.bmp": encoded(cross(3), ".bmp"),
    "off_image_test/a_0.bmp": encoded(cross(4), ".bmp"),
    "dictionary.txt": b"x\t1\n",
}


def test_captions_beside_bitmaps_of_one_channel(path: Path) -> None:
    """HMER V2.0's captions find NAME_0.bmp in the folder of their split; what is left over is told."""
    items = list(read_source(lay_out(HMER, path)))

    assert told(items) == [
        ("test", "a", r"\pi", 4),
        ("train", "a", "x ^ { 2 }", 1),
        ("train", "b", "y", 2),
    ]
    assert rejected(items) == {
        "train_caption.txt, line 3": "there is no picture off_image_train/lost_0.png",
        "off_image_train/silent_0.bmp": "there is no caption for it in train_caption.txt",
    }


def test_names_that_end_in_a_channel_are_not_taken_for_one(path: Path) -> None:
    """Where pictures have the captions' own names, ``a`` and ``a_0`` are two expressions."""
    files = {"caption.txt": b"a\tx\na_0\ty\n", "img/a.png": png(1), "img/a_0.png": png(2)}

    assert told(read_source(lay_out(files, path))) == [("", "a", "x", 1), ("", "a_0", "y", 2)]


@pytest.mark.parametrize("folder", ["off_image_train", "off_image_train/sub"])
def test_one_caption_file_takes_the_only_folder(path: Path, folder: str) -> None:
    """A plain caption.txt takes the folder of pictures beside it, and the split from its name."""
    files = {"caption.txt": b"a\tx\n", f"{folder}/a_0.bmp": encoded(cross(1), ".bmp")}

    assert told(read_source(lay_out(files, path))) == [("train", "a", "x", 1)]


def test_a_caption_file_may_be_named_itself(tmp_path: Path) -> None:
    """Of a folder with several lists, the one that is named is read alone."""
    folder = lay_out(HMER, tmp_path / "set")

    assert [row[:2] for row in told(read_source(folder / "test_caption.txt"))] == [("test", "a")]
    assert [row[:2] for row in told(read_source(folder / "test_caption.txt", "2014"))] == [("2014", "a")]


def test_splits_are_chosen_by_their_word(path: Path) -> None:
    """--split takes one of the lists; a name that none has is refused with those there are."""
    lay_out(HMER, path)

    assert [row[0] for row in told(read_source(path, "test"))] == ["test"]
    with pytest.raises(DataError, match="no split '2014'; it has: test, train"):
        read_source(path, "2014")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("off_image_train", "train"),
        ("train_caption", "train"),
        ("offline-test", "test"),
        ("14_test_images", "14_test"),
        ("14_test_labels", "14_test"),
        ("caption", ""),
        ("img", ""),
        ("images", ""),
        ("labels", ""),
        ("offline", ""),
        ("imagery", "imagery"),
        ("2014", "2014"),
    ],
)
def test_the_word_that_lists_and_folders_share(name: str, word: str) -> None:
    """The words for pictures and labels go, what tells the split stays."""
    assert split_word(name) == word


HME100K = {
    "train/train_labels.txt": b"t_0.jpg\t\\frac { 1 } { 2 }\nt_1.jpg\tx\n",
    "train/train_images/t_0.jpg": encoded(cross(1), ".jpg"),
    "train/train_images/t_1.jpg": encoded(cross(2), ".jpg"),
    "test/test_labels.txt": b"s_0.jpg\ty\ns_1.jpg\tz\n",
    "test/test_images/s_0.jpg": encoded(cross(3), ".jpg"),
    "test/test_images/s_1.jpg": encoded(cross(4), ".jpg"),
    "subset/easy.json": json.dumps(["s_0.jpg"]).encode(),
    "subset/hard.json": json.dumps({"s_1.jpg": "z"}).encode(),
}


def test_hme100k(path: Path) -> None:
    """Splits come from the folders, and the subsets of the test become its sources."""
    items = list(read_source(lay_out(HME100K, path)))

    assert told(items) == [
        ("test", "s_0", "y", 3),
        ("test", "s_1", "z", 4),
        ("train", "t_0", r"\frac { 1 } { 2 }", 1),
        ("train", "t_1", "x", 2),
    ]
    assert [sample.source for sample in accepted(items)] == ["easy", "hard", "set", "set"]
    assert not rejected(items)


def test_a_damaged_subset_is_named(path: Path) -> None:
    """A subset that is no JSON is not taken for an empty one."""
    with pytest.raises(DataError, match=r"subset/easy\.json cannot be read as JSON"):
        read_source(lay_out({**HME100K, "subset/easy.json": b"["}, path))


def test_labels_and_images_at_the_top(path: Path) -> None:
    """MLHME-38k's labels.txt and images/ have no split, and take the one that is given."""
    files = {"labels.txt": b"a.jpg\tx\n", "images/a.jpg": encoded(cross(1), ".jpg")}

    assert told(read_source(lay_out(files, path), "mine")) == [("mine", "a", "x", 1)]


IM2LATEX = {
    "im2latex_formulas.norm.lst": b"old\nold\nold\nold\n",
    "im2latex_formulas.norm.new.lst": "x ^ { 2 }\n\\text {{ 设 }}\r\nz\n\n".replace("{{", "{")
    .replace("}}", "}")
    .encode(),
    "im2latex_train_filter.lst": b"a b.png 1\n2.jpg 0\n",
    "im2latex_validate_filter.lst": b"c.png 2\nlost.png 2\nc.png 9\nc.png\nd.png 3\n",
    "im2latex_test_filter.lst": b"",
    "formula_images/a b.png": png(1),
    "formula_images/2.jpg": encoded(cross(2), ".jpg"),
    "formula_images/c.png": png(3),
    "formula_images/d.png": png(4),
    "formula_images/spare.png": png(5),
}


def test_a_label_list_with_three_filters(path: Path) -> None:
    """Filters join pictures and lines counted from 0; the newest list of labels is read."""
    items = list(read_source(lay_out(IM2LATEX, path)))

    assert told(items) == [
        ("train", "a b", r"\text { 设 }", 1),
        ("train", "2", "x ^ { 2 }", 2),
        ("val", "c", "z", 3),
    ]
    name = "im2latex_validate_filter.lst"
    assert rejected(items) == {
        f"{name}, line 2": "there is no picture lost.png",
        f"{name}, line 3": "im2latex_formulas.norm.new.lst has no line 9, counted from 0",
        f"{name}, line 4": "it is not PICTURE NUMBER",
        f"{name}, line 5": "its label is empty",
        "formula_images/spare.png": "no filter names it",
    }


def test_one_filter_by_itself(tmp_path: Path) -> None:
    """A filter that is named is read alone, with the labels beside it."""
    folder = lay_out(IM2LATEX, tmp_path / "set")

    assert [row[1] for row in told(read_source(folder / "im2latex_train_filter.lst"))] == ["a b", "2"]


SCALE_AUGMENTATION = {
    "train.json": json.dumps(
        [
            {"images": "a.png", "labels": "$x^2$"},
            {"images": "data_png_Training/b.png", "labels": r"\frac12"},
            {"images": "lost.png", "labels": "x"},
            {"images": "c.png"},
            {"images": "d.png", "labels": "x\n+y"},
            {"images": "e.png", "labels": "Error Mathpix: no equation"},
            {"images": "f.png", "labels": "x\\"},
        ]
    ).encode(),
    "eval.json": json.dumps([{"images": "c.png", "labels": r"\left(x\right)"}]).encode(),
    "label_info.json": json.dumps({"a": "x^2"}).encode(),
    "labels.txt": b"x^2\n\\frac12\n",
    **{f"data_png_Training/{name}.png": png(number) for number, name in enumerate("abcdefg")},
}


def test_json_lists(path: Path) -> None:
    """Raw LaTeX is cut into tokens and stays as it is otherwise; each fault is told, with its entry."""
    items = list(read_source(lay_out(SCALE_AUGMENTATION, path)))

    assert told(items) == [
        ("eval", "c", r"\left ( x \right )", 2),
        ("train", "a", "x ^ 2", 0),
        ("train", "b", r"\frac 1 2", 1),
    ]
    assert rejected(items) == {
        "train.json, entry 3": "there is no picture lost.png",
        "train.json, entry 4": 'it is not {"images": PICTURE, "labels": LATEX}',
        "train.json, entry 5": "its label has several lines",
        "train.json, entry 6": "its label is marked as bad: 'error mathpix'",
        "train.json, entry 7": "The LaTeX ends in a lone backslash.",
        "data_png_Training/g.png": "no label names it",
    }


@pytest.mark.parametrize(("cut", "label"), [(dialect, r"\frac { 1 } { 2 }"), (characters, r"\ f r a c 1 2")])
def test_the_tokenizer_may_be_chosen(path: Path, cut, label: str) -> None:
    """Another tokenizer than the layout's is used for every label."""
    items = read_source(lay_out(SCALE_AUGMENTATION, path), "train", cut=cut)

    assert {sample.id: " ".join(sample.tokens) for sample in accepted(items)}["b"] == label


def test_a_table_of_labels(path: Path) -> None:
    """Without lists, an object of names and LaTeX is read, if it names pictures."""
    files = {
        "data/label_info.json": json.dumps({"a": "x^2", "b": "y"}).encode(),
        "data/settings.json": json.dumps({"colour": "red"}).encode(),
        "data/pictures/a.png": png(1),
        "data/pictures/b.png": png(2),
    }

    assert told(read_source(lay_out(files, path))) == [("", "a", "x ^ 2", 1), ("", "b", "y", 2)]


def test_a_damaged_list_is_not_overlooked(path: Path) -> None:
    """JSON that is cut short is told where another list can be read."""
    files = {**SCALE_AUGMENTATION, "train.json": SCALE_AUGMENTATION["train.json"][:50]}

    items = list(read_source(lay_out(files, path)))

    assert [row[1] for row in told(items)] == ["c"]
    assert "cannot be read as JSON" in rejected(items)["train.json"]


def test_text_beside_each_picture(path: Path) -> None:
    """NAME.txt is the label of NAME.png; the folder is the split, and a list's name is no list there."""
    files = {
        "train/1.txt": b"x^2\n",
        "train/1.png": png(1),
        "train/caption.txt": b"y",
        "train/caption.jpg": encoded(cross(2), ".jpg"),
        "train/3.txt": b"\xff",
        "train/3.png": png(3),
        "train/4.txt": b"\n",
        "train/4.png": png(4),
        "train/alone.png": png(5),
        "readme.txt": b"no label",
    }

    items = list(read_source(lay_out(files, path)))

    assert told(items) == [("train", "1", "x ^ 2", 1), ("train", "caption", "y", 2)]
    assert rejected(items) == {
        "train/3.txt": "it is not text in UTF-8: invalid start byte at byte 0",
        "train/4.txt": "its label is empty",
        "readme.txt": "there is no picture beside it",
        "train/alone.png": "there is no label beside it",
    }


def test_labels_from_elsewhere(path: Path, tmp_path: Path) -> None:
    """--labels joins a list from elsewhere with the pictures of a source."""
    lay_out({"off_image_train/a_0.bmp": encoded(cross(1), ".bmp"), "b_0.png": png(2)}, path)
    labels = tmp_path / "elsewhere_caption.txt"
    labels.write_bytes(b"a\tx\nb\ty\nc\tz\n")

    for given, split in ((None, "elsewhere"), ("mine", "mine")):
        items = list(read_source(path, given, labels))

        assert told(items) == [(split, "a", "x", 1), (split, "b", "y", 2)]
        assert rejected(items) == {"elsewhere_caption.txt, line 3": "there is no picture c_0.png"}


def test_captions_without_any_pictures(path: Path) -> None:
    """A list whose pictures are missing is told line by line."""
    items = list(read_source(lay_out({"t/caption.txt": b"a\tx\n"}, path)))

    assert rejected(items) == {"t/caption.txt, line 1": "there is no picture t/img/a.png"}


@pytest.mark.skipif(not PHOTOS.exists(), reason="the photos are not at hand")
@pytest.mark.parametrize(
    ("name", "count", "split"), [("hme100k_sample.zip", 346, "train"), ("mlhme38k_part.zip", 1778, "")]
)
def test_photos_as_published(name: str, count: int, split: str) -> None:
    """The published folders of photos are recognised, and nothing in them is left over."""
    source = read_source(PHOTOS / name)
    first = next(iter(source))

    assert len(source) == count
    assert not rejected(task() for task in source.tasks[::25])
    assert first.split == split  # type: ignore[union-attr]
