"""Pickles of pictures: read whatever wrote them, and nothing in them is ever run."""

import os
import pickle
import pickletools
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inktex.data.formats import pickles
from inktex.data.formats.pickles import load_arrays
from inktex.data.formats.sources import read_source
from inktex.errors import DataError
from laid_out import cross, encoded, lay_out, rejected, told

# What Python 2 and NumPy 1 write for {"a": array([[1, 2, 255]], uint8)}, protocol 2, spelled out.
PYTHON_2 = (
    b"\x80\x02}q\x00U\x01aq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03"
    b"K\x00\x85q\x04U\x01bq\x05\x87q\x06Rq\x07(K\x01K\x01K\x03\x86q\x08cnumpy\ndtype\nq\tU\x02u1q\n"
    b"K\x00K\x01\x87q\x0bRq\x0c(K\x03U\x01|q\rNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0eb\x89"
    b"U\x03\x01\x02\xffq\x0ftq\x10bs."
)


# The same in protocol 0, which Python 2 took unless told otherwise.
PYTHON_2_PLAIN = rb"""(dp0
S'a'
p1
cnumpy.core.multiarray
_reconstruct
p2
(cnumpy
ndarray
p3
(I0
tp4
S'b'
p5
tp6
Rp7
(I1
(I1
I3
tp8
cnumpy
dtype
p9
(S'u1'
p10
I0
I1
tp11
Rp12
(I3
S'|'
p13
NNNI-1
I-1
I0
tp14
bI00
S'\x01\x02\xff'
p15
tp16
bs."""


@pytest.mark.parametrize("data", [PYTHON_2, PYTHON_2_PLAIN])
def test_a_pickle_of_python_2(data: bytes) -> None:
    """Bytes that Python 2 wrote as text are read, as NumPy itself reads them."""
    (array,) = load_arrays(data).values()

    assert array.build().tolist() == [[1, 2, 255]]
    assert pickle.loads(data, encoding="latin1")["a"].tolist() == [[1, 2, 255]]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("module", [b"numpy._core", b"numpy.core"])
def test_every_protocol_and_age_of_numpy(protocol: int, module: bytes) -> None:
    """Arrays of any layout in memory come back as they were, whichever NumPy wrote them."""
    rng = np.random.default_rng(protocol)
    wide = rng.integers(0, 256, (4, 6), np.uint8)
    arrays = {
        "rows": wide,
        "columns": np.asfortranarray(wide),
        "turned": np.moveaxis(rng.integers(0, 256, (2, 3, 4), np.uint8), 0, 1),
        "view": wide[:, ::2],
        "channel": wide[None],
        "empty": np.zeros((0, 3), np.uint8),
        "truth": wide > 100,
        "large": wide.astype(">u2"),
    }
    data = pickle.dumps(arrays, protocol)
    if module == b"numpy.core" and protocol < 4:  # later protocols tell lengths, so text cannot be exchanged
        data = data.replace(b"numpy._core", module)

    loaded = load_arrays(data)

    for name, array in arrays.items():
        built = loaded[name].build()
        assert built.dtype == array.dtype
        np.testing.assert_array_equal(built, array)


class Runs:
    """An object whose pickle makes a folder when it is loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    """A pickle that calls a function is refused with that function's name, and calls nothing."""
    target = tmp_path / "made"

    with pytest.raises(DataError, match=r"asks for (posix|nt)\.mkdir, and only NumPy arrays may be in it"):
        load_arrays(pickle.dumps({"a": Runs(str(target))}, protocol))

    assert not target.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("__builtin__", "__import__"),
        ("numpy", "load"),
        ("numpy", "memmap"),
        ("numpy.core.multiarray", "fromfile"),
        ("numpy._core.numeric", "load"),
        ("numpy", "ndarray.tofile"),
        ("_codecs", "lookup"),
        ("codecs", "encode"),
        ("collections", "OrderedDict"),
        ("copyreg", "_reconstructor"),
        ("inktex.data.formats.pickles", "load_arrays"),
    ],
)
def test_other_names_are_refused(module: str, name: str) -> None:
    """Whatever is not needed to rebuild an array is refused by its name."""
    stream = b"\x80\x04\x8c" + bytes([len(module)]) + module.encode()
    stream += b"\x8c" + bytes([len(name)]) + name.encode() + b"\x93."

    with pytest.raises(DataError, match=f"asks for {module}.{name}, and only NumPy arrays"):
        load_arrays(stream)


def test_a_pickle_cannot_change_what_the_next_one_gets() -> None:
    """Attributes that a pickle sets on what stands for NumPy's names are gone with it."""
    for state in (b"N}U\x08__name__U\x01xs\x86b", b"}U\x08__name__U\x01xsb"):
        with pytest.raises(DataError):
            load_arrays(b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n" + state + b".")

    assert pickles._reconstruct.__name__ == "_reconstruct"
    assert not vars(pickles._reconstruct)
    assert load_arrays(PYTHON_2)["a"].build().tolist() == [[1, 2, 255]]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([np.zeros((2, 2), np.uint8)], "not a pickle of arrays by name"),
        ({}, "not a pickle of arrays by name"),
        ({"a": 3}, "not a pickle of arrays by name"),
        ({3: np.zeros((2, 2), np.uint8)}, "not a pickle of arrays by name"),
        ("text", "not a pickle of arrays by name"),
    ],
)
def test_other_values_are_refused(value: object, problem: str) -> None:
    """A pickle that is no table of arrays is refused."""
    with pytest.raises(DataError, match=problem):
        load_arrays(pickle.dumps(value))


@pytest.mark.parametrize(
    "array", [np.array([object()]), np.array(["x"]), np.zeros(2, np.dtype("u1,u1")), np.array([1j])]
)
def test_arrays_of_other_things_are_not_built(array: np.ndarray) -> None:
    """Arrays of objects, text, records and complex numbers are refused when loaded or when built."""
    array = np.array([None]) if array.dtype == object else array

    with pytest.raises(DataError, match=r"does not hold numbers|is no sound pickle|asks for"):
        load_arrays(pickle.dumps({"a": array}, 2))["a"].build()


def test_a_shape_that_the_bytes_do_not_fill() -> None:
    """A shape of a million million pixels over three bytes takes no memory and is refused."""
    stream = PYTHON_2.replace(b"(K\x01K\x01K\x03\x86q\x08", b"(K\x01\x8a\x06\0\0\0\0\x00\x01K\x03\x86q\x08")
    assert "LONG1" in [code.name for code, _, _ in pickletools.genops(stream)]

    with pytest.raises(DataError, match="as many numbers as its shape says"):
        load_arrays(stream)["a"].build()


def test_a_number_takes_no_memory() -> None:
    """A pickle that remembers a value under the number 500,000,000 does not get room for as many."""
    tracemalloc.start()
    with pytest.raises(DataError, match="not a pickle of arrays by name"):
        load_arrays(b"\x80\x02}r" + (500_000_000).to_bytes(4, "little") + b".")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


SOUND = pickle.dumps({"a": np.arange(6, dtype=np.uint8).reshape(2, 3)}, 2)


@settings(deadline=None)
@given(st.integers(0, len(SOUND) - 1), st.binary(max_size=3))
@example(len(SOUND) - 1, b"")
def test_damage_is_one_sentence(place: int, patch: bytes) -> None:
    """Bytes cut off or changed anywhere give an array or an error of ours, never another."""
    for data in (SOUND[:place], SOUND[:place] + patch + SOUND[place + len(patch) :]):
        try:
            for array in load_arrays(data).values():
                array.build()
        except DataError as error:
            told = str(error)
        else:
            told = "an array"
        assert "\n" not in told


def pickled(arrays: dict[str, np.ndarray]) -> bytes:
    return pickle.dumps(arrays, 2)


@pytest.mark.parametrize("name", ["set", "set.zip"])
def test_pickles_with_captions_beside_them(tmp_path: Path, name: str) -> None:
    """Each pickle takes the list of its name; pictures may be [1, h, w] or [h, w]."""
    files = {
        "offline-train.pkl": pickled(
            {"a": cross(1)[None], "b": cross(2), "odd": cross(3)[None].repeat(3, 0)}
        ),
        "train_caption.txt": b"a\tx\nb\ty ^ 2\nodd\tz\nlost\tz\n",
        "14_test_images.pkl": pickled({"q.jpg": cross(4), "extra": cross(5)}),
        "14_test_labels.txt": b"q.jpg\t\\pi\n",
        "words_dict.txt": b"eos\nsos\nx\n",
    }

    items = list(read_source(lay_out(files, tmp_path / name)))

    assert told(items) == [
        ("14_test", "q", r"\pi", 4),
        ("train", "a", "x", 1),
        ("train", "b", "y ^ 2", 2),
    ]
    assert rejected(items) == {
        "14_test_images.pkl, extra": "there is no caption for it",
        "offline-train.pkl, odd": "its picture must be uint8 [h, w] or [1, h, w], not uint8 [3, 40, 63]",
        "train_caption.txt, line 4": "there is no picture lost in offline-train.pkl",
    }


def test_a_list_of_pickles_is_one_split(tmp_path: Path) -> None:
    """The pickles that a .list names are one split with one list of labels; others stay apart."""
    files = {
        "train_images.list": b"parts/1.pkl\nparts/2.pkl\n",
        "parts/1.pkl": pickled({"a": cross(1)}),
        "parts/2.pkl": pickled({"b": cross(2)}),
        "train_labels.txt": b"a\tx\nb\ty\n",
    }
    folder = lay_out(files, tmp_path / "set")

    expected = [("train", "a", "x", 1), ("train", "b", "y", 2)]
    assert told(read_source(folder)) == expected
    assert told(read_source(folder / "train_images.list")) == expected
    (folder / "parts" / "2.pkl").unlink()
    with pytest.raises(DataError, match=r"train_images\.list names parts/2\.pkl, which is not there"):
        read_source(folder)


def test_one_pickle_and_labels_from_elsewhere(tmp_path: Path) -> None:
    """A pickle without a list beside it needs --labels, and says so."""
    (tmp_path / "x.pkl").write_bytes(pickled({"a": cross(1)}))
    labels = lay_out({"words.txt": b"a\tx\n"}, tmp_path / "other") / "words.txt"

    with pytest.raises(DataError, match=r"no labels for x\.pkl: a list such as x_caption\.txt .* --labels"):
        read_source(tmp_path / "x.pkl")
    assert told(read_source(tmp_path / "x.pkl", labels=labels)) == [("x", "a", "x", 1)]


def test_pictures_come_before_the_pickles_made_of_them(tmp_path: Path) -> None:
    """Where a folder has both, the pictures are read and the pickle is named as left aside."""
    files = {
        "train_caption.txt": b"a\tx\n",
        "offline-train.pkl": pickled({"a": cross(9)}),
        "off_image_train/a_0.png": encoded(cross(1)),
    }

    items = list(read_source(lay_out(files, tmp_path / "set")))

    assert told(items) == [("train", "a", "x", 1)]
    assert list(rejected(items)) == ["offline-train.pkl"]


def test_a_pickle_that_is_refused_is_named(tmp_path: Path) -> None:
    """The sentence names the file and what it asks for."""
    files = {"train.pkl": pickle.dumps({"a": Runs("x")}, 2), "train_caption.txt": b"a\tx\n"}

    with pytest.raises(DataError, match=r"train\.pkl cannot be read as pictures: it asks for posix\.mkdir"):
        read_source(lay_out(files, tmp_path / "set"))
