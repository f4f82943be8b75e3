"""Pictures as data sets hold them: which is the ink, and how arrays become PNG."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from drawn import scribble
from inktex.data.formats.pictures import by_stem, from_levels, polarity, without_suffix
from inktex.data.formats.sources import read_source
from inktex.errors import DataError
from inktex.image.canonical import decode
from inktex.image.separation import separate_ink
from inktex.ink.strokes import rasterize
from laid_out import accepted, decoded, encoded

PHOTOS = Path(__file__).parents[2] / "shared" / "data" / "photos" / "hme100k_sample.zip"


@pytest.mark.parametrize("pen_px", [1, 4, 12])
@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("light", [False, True])
def test_the_polarity_of_drawn_ink(light: bool, uneven: bool, pen_px: float) -> None:
    """Ink drawn light or dark, on plain and on unevenly lit ground, is told as it was drawn."""
    ink = rasterize(scribble(3), 60, pen_px)
    ground = np.linspace(0, 0.4, ink.shape[1])[None].repeat(len(ink), 0) if uneven else np.zeros_like(ink)
    picture = np.clip(ground + ink * 0.55, 0, 1)

    told = polarity(encoded(np.uint8(255 * (picture if light else 1 - picture))))

    assert told == ("light ink on dark" if light else "dark ink on light")


def test_a_picture_of_one_shade_has_no_ink() -> None:
    """Without contrast there is no polarity."""
    assert polarity(encoded(np.full((20, 30), 200, np.uint8))) == "no ink"


@pytest.mark.skipif(not PHOTOS.exists(), reason="the photos are not at hand")
def test_the_polarity_of_photos_is_that_of_their_separated_ink() -> None:
    """Where ink is found, the photo is darker than around it if its ink is dark, else lighter."""
    for sample in accepted(task() for task in read_source(PHOTOS).tasks[::4]):
        assert sample.image is not None
        grey = decode(sample.image)
        ink = cv2.resize(separate_ink(grey), grey.shape[::-1])
        around = cv2.blur(grey, (31, 31), borderType=cv2.BORDER_REFLECT)
        brighter = float(((grey - around) * ink).sum()) > 0

        assert polarity(sample.image) == ("light ink on dark" if brighter else "dark ink on light"), sample.id


@pytest.mark.parametrize("shape", [(5, 7), (1, 5, 7)])
def test_arrays_become_png(shape: tuple[int, ...]) -> None:
    """Bytes keep their values; truth values become black and white; columns first makes no difference."""
    levels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    plane = levels.reshape(5, 7)

    np.testing.assert_array_equal(decoded(from_levels(levels)), plane)
    np.testing.assert_array_equal(decoded(from_levels(np.asfortranarray(levels))), plane)
    np.testing.assert_array_equal(decoded(from_levels(levels > 99)), (plane > 99) * 255)


@pytest.mark.parametrize(
    "array",
    [np.zeros((3, 5, 7), np.uint8), np.zeros((5, 7), np.float32), np.zeros((0, 7), np.uint8), np.zeros(3)],
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    """Colours, other numbers and empty arrays are refused with their shape."""
    with pytest.raises(DataError, match=r"must be uint8 \[h, w\] or \[1, h, w\], not"):
        from_levels(array)


def test_names_of_pictures() -> None:
    """Only a picture's suffix is taken off, and the first of several of one name counts."""
    assert [without_suffix(name) for name in ("a.b", "a.b.PNG", "x/a.jpeg", "png")] == [
        "a.b",
        "a.b",
        "x/a",
        "png",
    ]
    assert by_stem(["x/a.png", "y/a.bmp", "a.txt", "b.jpg"]) == {"a": "x/a.png", "b": "b.jpg"}
