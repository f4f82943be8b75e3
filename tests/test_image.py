"""Pictures in any format, shade, size and light become one canonical picture; Pillow is the other opinion."""

from __future__ import annotations

import dataclasses
import io
import os
import struct
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageOps

from inktex.errors import ImageError
from inktex.image import canonical as image
from inktex.image.box import Box, FloatArray
from inktex.image.canonical import (
    CANONICAL_SYMBOL_PX,
    canonicalize_at,
    decode,
    from_array,
    read_picture,
)
from inktex.image.separation import pen_px
from inktex.image.symbol_size import typical_symbol_px
from inktex.ink.strokes import Ink, draw_strokes
from inktex.limits import Limits
from inktex.recognition.inputs import canonical_pictures

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
LINES = [  # x = 1 and a dot
    [[12, 12], [40, 52]],
    [[40, 12], [12, 52]],
    [[60, 26], [90, 26]],
    [[60, 38], [90, 38]],
    [[108, 22], [120, 12], [120, 52]],
    [[136, 50], [136, 50]],
]
LOSSY = {"JPEG": 0.03, "WEBP": 0.03}
SIZES = [CANONICAL_SYMBOL_PX]  # of a typical symbol, where it does not matter which


def canonicalize(grey: FloatArray) -> FloatArray:
    """Return the canonical picture at the usual size of these tests."""
    return image.canonicalize(grey, CANONICAL_SYMBOL_PX)


def formula(scale: float = 1.0, pen: float = 3.0) -> FloatArray:
    """Draw "x = 1" with a dot behind it, about 40 px high at scale 1: ink 1 on 0, [h, w]."""
    strokes = [np.array(line, dtype=np.float32) * scale for line in LINES]
    return draw_strokes(strokes, round(64 * scale), round(150 * scale), pen * scale)


def bilevel(scale: float = 1.0, pen: float = 3.0) -> FloatArray:
    """Draw the formula in two levels."""
    return (formula(scale, pen) > 0.5).astype(np.float32)


def colours() -> Image.Image:
    """A smooth picture that differs from every turn of itself, [24, 40] in three channels."""
    y, x = np.mgrid[0:24, 0:40]
    return Image.fromarray(np.stack([x * 6, y * 10, 255 - 3 * (x + y)], axis=2).astype(np.uint8))


def encode(picture: Image.Image, form: str, **options: object) -> bytes:
    """Return the bytes of a file that Pillow writes."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def assert_shades(grey: FloatArray, expected: np.ndarray, tolerance: float = 0.006) -> None:
    """Assert that the greys differ by at most the tolerance on average."""
    assert grey.dtype == np.float32
    assert grey.shape == expected.shape
    assert np.abs(grey - expected).mean() <= tolerance


def luma(picture: Image.Image) -> np.ndarray:
    """Return the shades of a Pillow picture, 0..1."""
    return np.asarray(picture.convert("RGB"), dtype=np.float32) @ LUMA / 255


FORMS = {
    "PNG": ("1", "L", "P", "RGB", "RGBA", "LA"),
    "JPEG": ("L", "RGB", "CMYK"),
    "BMP": ("1", "L", "P", "RGB"),
    "GIF": ("1", "L", "P"),
    "TIFF": ("1", "L", "P", "RGB", "RGBA", "CMYK"),
    "WEBP": ("L", "RGB", "RGBA"),
}


@pytest.mark.parametrize(("form", "mode"), [(form, mode) for form, modes in FORMS.items() for mode in modes])
def test_every_format_and_mode_gives_the_shades_that_pillow_sees(form: str, mode: str) -> None:
    """Format by pixel mode, a picture decodes to the luma of what Pillow reads from the same bytes."""
    data = encode(colours().convert(mode), form)

    assert_shades(decode(data), luma(Image.open(io.BytesIO(data))), LOSSY.get(form, 0.006))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bit_greys_keep_their_depth(form: str) -> None:
    """16-bit files decode to value / 65535, finer than 8 bits could tell."""
    values = np.arange(0, 65536, 157, dtype=np.uint16)[:400].reshape(20, 20)

    grey = decode(encode(Image.fromarray(values), form))

    np.testing.assert_allclose(grey, values / 65535, atol=1e-6)


@pytest.mark.parametrize("extension", [".png", ".tiff"])
def test_sixteen_bit_colours_decode_too(extension: str) -> None:
    """16-bit RGB and RGBA files give the shades of their 8-bit versions."""
    bgr = np.asarray(colours())[:, :, ::-1].astype(np.uint16) * 257
    opaque = np.full((*bgr.shape[:2], 1), 65535, dtype=np.uint16)

    for pixels in (bgr, np.concatenate([bgr, opaque], axis=2)):
        assert_shades(decode(cv2.imencode(extension, pixels)[1].tobytes()), luma(colours()))


def test_floating_point_tiff_decodes() -> None:
    """A float TIFF is read as 0 to 1, or as 0 to its maximum if that is larger."""
    values = np.linspace(0, 1, 200, dtype=np.float32).reshape(10, 20)

    for factor in (1, 255):
        np.testing.assert_allclose(
            decode(encode(Image.fromarray(values * factor), "TIFF")), values, atol=1e-6
        )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("form", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGBA"), ("TIFF", "RGB")]
)
def test_exif_orientation_is_undone(form: str, mode: str, orientation: int) -> None:
    """All eight EXIF orientations come out as Pillow's exif_transpose turns them."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = colours().convert(mode)
    data = encode(picture, form, exif=exif)

    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))

    assert_shades(decode(data), luma(expected), LOSSY.get(form, 0.006))


def test_big_endian_exif_is_read() -> None:
    """EXIF in Motorola byte order turns the picture just the same."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"

    assert decode(encode(colours(), "JPEG", exif=exif)).shape == (40, 24)


@pytest.mark.parametrize(
    ("form", "ink"), [("PNG", 0), ("PNG", 255), ("WEBP", 0), ("WEBP", 255), ("TIFF", 0), ("TIFF", 255)]
)
def test_ink_on_a_transparent_ground_is_seen_in_either_shade(form: str, ink: int) -> None:
    """Black or white ink on a transparent ground of the same colour canonicalises as plain ink does."""
    alpha = (formula() * 255).astype(np.uint8)
    pixels = np.dstack([np.full((*alpha.shape, 3), ink, np.uint8), alpha])

    grey = decode(encode(Image.fromarray(pixels), form, **({"lossless": True} if form == "WEBP" else {})))

    assert grey[0, 0] == (1.0 if ink == 0 else 0.0)
    np.testing.assert_allclose(canonicalize(grey), canonicalize(formula()), atol=0.03)


def test_transparent_corners_take_the_shade_of_the_paper() -> None:
    """An opaque screenshot with transparent corners stays dark ink on white."""
    shades = (255 - formula() * 255).astype(np.uint8)
    alpha = np.full_like(shades, 255)
    alpha[:6, :6] = 0

    grey = decode(encode(Image.fromarray(np.dstack([shades, shades, shades, alpha])), "PNG"))

    assert grey[0, 0] == 1.0


def test_an_animation_gives_its_first_frame() -> None:
    """Of an animated GIF the first frame is read."""
    frames = [colours().convert("P"), ImageOps.invert(colours()).convert("P")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert_shades(decode(data), luma(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.98])
def test_a_file_cut_short_is_one_sentence(form: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    """A truncated file of any format is an ImageError that names it, and nothing else is printed."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    data = encode(Image.fromarray(noise), form)

    with pytest.raises(ImageError, match=r"^cut\.img is ") as caught:
        decode(data[: int(len(data) * share)], "cut.img")

    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def bomb(form: str) -> bytes:
    """A small file whose header announces 30,000 x 30,000 pixels."""
    side = 30_000
    if form == "PNG":
        body = struct.pack(">4sIIBBBBB", b"IHDR", side, side, 8, 0, 0, 0, 0)
        header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
        return b"\x89PNG\r\n\x1a\n" + header + encode(Image.new("L", (8, 8)), "PNG")[33:]
    data = bytearray(encode(Image.new("RGB", (8, 8)), form))
    if form == "JPEG":
        frame = data.index(b"\xff\xc0")
        data[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    elif form == "BMP":
        data[18:26] = struct.pack("<ii", side, side)
    elif form == "GIF":
        data[6:10] = struct.pack("<HH", side, side)
    else:
        start = struct.unpack_from("<I", data, 4)[0] + 2
        for entry in range(start, start + 24, 12):
            data[entry : entry + 12] = struct.pack(
                "<HHII", struct.unpack_from("<H", data, entry)[0], 4, 1, side
            )
    return bytes(data)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF", "TIFF"])
def test_a_huge_picture_is_refused_at_its_header(form: str) -> None:
    """30,000 x 30,000 pixels are refused at once, by a sentence that names the size and the limit."""
    start = time.process_time()

    with pytest.raises(ImageError, match=r"^big is too large: 30000 x 30000 pixels.* 50 megapixels"):
        decode(bomb(form), "big")

    assert time.process_time() - start < 0.1


def test_a_huge_webp_is_refused_at_its_header() -> None:
    """The largest WebP (16,383 x 16,383) is over the limit too, in each of its three kinds of header."""
    lossy = b"VP8 " + struct.pack("<I", 10) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383)
    lossless = b"VP8L" + struct.pack("<I", 5) + b"\x2f" + struct.pack("<I", 16382 | 16382 << 14)
    extended = b"VP8X" + struct.pack("<I", 10) + b"\0" * 4 + (16382).to_bytes(3, "little") * 2

    for chunk in (lossy, lossless, extended):
        with pytest.raises(ImageError, match="16383 x 16383"):
            decode(b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "^a.png is empty$"),
        (b"# Notes\n", "^a.png is not a picture: it must be PNG, JPEG, BMP, GIF, TIFF or WebP"),
        (b"%PDF-1.7\n" + bytes(100), "^a.png is not a picture"),
        (b"\x89PNG\r\n\x1a\n", "^a.png is not a picture"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, message: str) -> None:
    """Empty files, text and other formats are each refused by their name."""
    with pytest.raises(ImageError, match=message):
        decode(data, "a.png")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_never_escape_as_another_error(data: st.DataObject) -> None:
    """Whatever bytes are changed, a picture decodes within 0..1 or is an ImageError."""
    form = data.draw(st.sampled_from(list(FORMS)))
    raw = bytearray(encode(colours(), form))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        grey = decode(bytes(raw))
    except ImageError:
        return
    assert grey.ndim == 2
    assert grey.min() >= 0
    assert grey.max() <= 1.001


def test_a_file_is_read_like_its_bytes(tmp_path: Path) -> None:
    """read_picture gives what decode gives for the file's bytes."""
    path = tmp_path / "a.png"
    path.write_bytes(encode(colours(), "PNG"))

    np.testing.assert_array_equal(read_picture(path), decode(path.read_bytes()))


def test_limits_are_those_that_are_given(tmp_path: Path) -> None:
    """A picture of just as many bytes and pixels as allowed is read; with one fewer allowed it is refused."""
    data = encode(colours(), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    height, width = decode(data).shape
    exact = Limits(file_bytes=len(data), pixels=height * width)

    assert decode(data, limits=exact).shape == read_picture(path, exact).shape == (height, width)
    for name in ("file_bytes", "pixels"):
        fewer = dataclasses.replace(exact, **{name: getattr(exact, name) - 1})
        with pytest.raises(ImageError, match="is too large"):
            decode(data, limits=fewer)
        with pytest.raises(ImageError, match=r"a\.png is too large"):
            read_picture(path, fewer)


def test_a_file_without_end_is_not_read_to_the_end() -> None:
    """Of a device that gives bytes for ever, no more are taken than a file may have."""
    with pytest.raises(ImageError, match=r"^/dev/zero is too large: the file of a picture may have 1 MiB$"):
        read_picture(Path("/dev/zero"), Limits(file_bytes=2**20))


def test_unreadable_paths_are_named(tmp_path: Path) -> None:
    """A missing file, a folder and a file that is no picture each give one sentence with the path."""
    text = tmp_path / "a.txt"
    text.write_text("x = 1")
    for path, message in (
        (tmp_path / "none.png", "no such file"),
        (tmp_path, "is a folder"),
        (text, "is not a picture"),
        (text / "b.png", "cannot be read"),
    ):
        with pytest.raises(ImageError, match=message) as caught:
            read_picture(path)
        assert str(path) in str(caught.value)


def test_a_file_without_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is an ImageError that says so (played for root, who may read all)."""
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    path.chmod(0)
    if os.geteuid() == 0:

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(ImageError, match="no permission"):
        read_picture(path)


def test_arrays_of_every_kind_give_the_same_shades() -> None:
    """uint8, uint16, float and bool, with one, three or four channels: the same picture, the same greys."""
    shades = np.asarray(colours().convert("L"))
    expected = shades / np.float32(255)
    rgb = np.repeat(shades[:, :, None], 3, axis=2)
    rgba = np.dstack([rgb, np.full_like(shades, 255)])

    for array in (shades, shades[:, :, None], rgb, rgba, shades.astype(np.uint16) * 257, expected, rgb / 255):
        np.testing.assert_allclose(from_array(array), expected, atol=1e-5)
    np.testing.assert_array_equal(from_array(shades > 100), (shades > 100).astype(np.float32))


def test_array_channels_are_red_green_blue() -> None:
    """The weights of the luma meet the channels in the order RGB."""
    np.testing.assert_allclose(from_array(np.eye(3, dtype=np.float32)[None]), LUMA[None], atol=1e-3)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        ([[0, 1]], "not list"),
        (np.zeros((2, 2), np.int64), "not int64"),
        (np.zeros((2, 2, 2), np.uint8), r"not of shape \[2, 2, 2\]"),
        (np.zeros((0, 5), np.uint8), r"not of shape \[0, 5\]"),
        (np.zeros(7, np.uint8), r"not of shape \[7\]"),
        (np.full((2, 2), 255.0), "within 0"),
        (np.full((2, 2), np.nan), "within 0"),
    ],
)
def test_arrays_of_another_form_are_refused(array: object, message: str) -> None:
    """Each array that is no picture is an ImageError that names what is wrong."""
    with pytest.raises(ImageError, match=message):
        from_array(array)


def test_the_canonical_picture_is_ink_on_nothing_at_one_size() -> None:
    """Ink is 1 on exact 0, inside the margin, in sides of multiples of 8, with symbols of one size."""
    canonical = canonicalize(bilevel(1.7))

    left, top, width, height = cv2.boundingRect((canonical > 0.5).astype(np.uint8))
    assert canonical.dtype == np.float32
    assert canonical.shape[0] % 8 == canonical.shape[1] % 8 == 0
    assert (left, top) == (image.MARGIN_PX, image.MARGIN_PX)
    assert 0 <= canonical.shape[1] - (left + width) - image.MARGIN_PX < 9
    assert 0 <= canonical.shape[0] - (top + height) - image.MARGIN_PX < 9
    assert canonical.max() == 1
    assert np.median(canonical) == 0
    assert typical_symbol_px((canonical > 0.5).astype(np.uint8)) == pytest.approx(
        image.CANONICAL_SYMBOL_PX, rel=0.06
    )


@pytest.mark.parametrize(
    ("scale", "frame"), [(0.6, (0, 0)), (1.0, (300, 7)), (5.0, (20, 90)), (9.0, (700, 1200))]
)
def test_a_canonical_picture_knows_what_it_shows(scale: float, frame: tuple[int, int]) -> None:
    """At any size of symbols, also of a picture that is reduced first, ink leads back to where it was."""
    picture = np.pad(formula(scale), ((frame[0], 5), (frame[1], 60)))
    ys, xs = np.nonzero(picture > 0.5)

    for symbol_px in (16.0, 24.0):
        (canonical,) = canonicalize_at(1 - picture, [symbol_px])
        rows, columns = np.nonzero(canonical.picture > 0.5)
        found = canonical.in_source(Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))

        pixel = max(scale * 40 / symbol_px, 1)  # of the canonical picture in the source, or a little more
        assert found == pytest.approx((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), abs=0.75 * pixel)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_shown_is_told_of_the_upright_picture(orientation: int) -> None:
    """A picture that is stored turned shows the same area as the one that is stored upright."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.uint8(255 * (1 - np.pad(formula(), ((40, 0), (0, 90))))))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(encode(stored, "PNG", exif=exif))))

    (canonical,) = canonical_pictures(encode(stored, "PNG", exif=exif), SIZES)

    assert canonical.area == pytest.approx(canonical_pictures(encode(upright, "PNG"), SIZES)[0].area)
    assert canonical.area == pytest.approx(canonical_pictures(np.asarray(upright), SIZES)[0].area)


def test_it_looks_like_what_training_draws() -> None:
    """The canonical form of a large drawing is the drawing made at canonical size, pixel by pixel."""
    large = formula(4)
    canonical = canonicalize(large)
    binary = (large > 0.5).astype(np.uint8)
    scale = image.CANONICAL_SYMBOL_PX / typical_symbol_px(binary)
    left, top, _, _ = cv2.boundingRect(binary)
    shift = np.array([left, top], dtype=np.float32)
    strokes = [(np.array(line, dtype=np.float32) * 4 - shift) * scale + image.MARGIN_PX for line in LINES]

    drawings = [draw_strokes(strokes, *canonical.shape, pen / 4) for pen in range(3, 13)]

    # OpenCV draws pens in steps of half a pixel here, so the nearest is off by up to a sixth of the pen.
    assert min(np.abs(canonical - drawn).sum() / drawn.sum() for drawn in drawings) < 0.15


@pytest.mark.parametrize("pen", [4.5, 5.25, 6])
def test_a_thick_pen_is_thinned_in_small_pictures_as_in_large_ones(pen: float) -> None:
    """Strokes of a few pixels do not break, and the ink has as many pieces and is as large afterwards."""
    turns = np.linspace(0, 2 * np.pi, 40)
    ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    strokes = [ring * (9, 14) + (25 + 40 * place, 30) for place in range(6)]
    strokes += [ring[:20] * (8, 10 + place) + (25 + 40 * place, 70) for place in range(6)]
    large = draw_strokes([each.astype(np.float32) for each in strokes], 96, 260, pen)
    small = cv2.resize(large, (130, 48), interpolation=cv2.INTER_AREA)

    of_large, of_small = (canonicalize(picture) > 0.5 for picture in (large, small))

    pieces = [cv2.connectedComponents(each.astype(np.uint8))[0] - 1 for each in (of_large, of_small)]
    assert pieces == [12, 12]
    wide = [cv2.boundingRect(each.astype(np.uint8))[2] for each in (of_large, of_small)]
    assert wide[1] == pytest.approx(wide[0], rel=0.1)


@settings(max_examples=25, deadline=None)
@given(
    hnp.arrays(np.float32, (2, 2), elements=st.floats(0, 60, width=32)),
    st.floats(1, 4),
)
def test_polarity_makes_no_difference(end_points: np.ndarray, pen: float) -> None:
    """A bilevel picture and its negative give one array, bit for bit."""
    strokes = [end_points + 10, np.array([[75, 10], [100, 70]], dtype=np.float32)]
    ink = (draw_strokes(strokes, 80, 110, pen) > 0.5).astype(np.float32)

    np.testing.assert_array_equal(canonicalize(ink), canonicalize(1 - ink))


@pytest.mark.parametrize(("paper", "ink"), [(1.0, 0.6), (0.9, 0.2), (0.5, 0.4), (0.2, 0.8), (0.0, 0.15)])
def test_the_shades_of_paper_and_ink_make_no_difference(paper: float, ink: float) -> None:
    """Grey on white, white on grey, pale on pale: the picture of black on white."""
    plain = formula()

    np.testing.assert_allclose(canonicalize(paper + (ink - paper) * plain), canonicalize(plain), atol=0.06)


@pytest.mark.parametrize("scale", [0.4, 0.5, 2.0, 3.0])
def test_zoom_makes_no_difference(scale: float) -> None:
    """A bilevel picture made smaller or larger by resampling gives nearly the same canonical picture."""
    picture = bilevel(1.5)
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    zoomed = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)

    expected, got = canonicalize(picture), canonicalize(np.clip(zoomed, 0, 1))

    assert got.shape == expected.shape
    assert np.abs(got - expected).sum() / expected.sum() < 0.25


def test_small_writing_is_enlarged() -> None:
    """Symbols of 6 px come out at the usual size, with strokes that still reach 1."""
    small = formula(0.18, pen=6)

    canonical = canonicalize(small)

    assert canonical.shape[0] > 2 * small.shape[0]
    assert typical_symbol_px((canonical > 0.5).astype(np.uint8)) == pytest.approx(
        image.CANONICAL_SYMBOL_PX, rel=0.1
    )
    assert canonical.max() == 1


def test_hairlines_do_not_fade() -> None:
    """Lines far finer than a pixel of the canonical picture stay visible all along."""
    canonical = canonicalize(formula(8, pen=0.15))

    strongest = canonical.max(axis=0)[image.MARGIN_PX + 1 : image.MARGIN_PX + 8]  # columns of the "x"
    assert strongest.min() > 0.4


@pytest.mark.parametrize("pen", [6, 8])
def test_thick_strokes_stay_filled(pen: float) -> None:
    """The middle of a marker's stroke is ink, on a clean picture and on a photo."""
    ink = formula(4, pen)
    for picture in (1 - ink, photograph(ink)):
        binary = (canonicalize(picture) > 0.5).astype(np.uint8)
        ground, pieces = (
            cv2.connectedComponents(mask, connectivity=4)[0] - 1 for mask in (1 - binary, binary)
        )
        assert (ground, pieces) == (1, 5)  # no holes; x, both bars, 1 and the dot


@pytest.mark.parametrize("pen", [6, 7, 8, 9, 10])
def test_a_thick_pen_looks_like_a_thinner_one(pen: float) -> None:
    """Strokes of up to twice the width give nearly the canonical picture of the thinner pen."""
    thinner = canonicalize(formula(4, 5))

    assert np.abs(canonicalize(formula(4, pen)) - thinner).sum() / thinner.sum() < 0.25


def test_thinning_leaves_thin_strokes() -> None:
    """A fine line beside strokes of a marker is as strong as it would be alone."""
    ink = formula(4, 10)
    hairline = np.zeros_like(ink)
    hairline[20:236, 590:598] = 1

    canonical = canonicalize(np.pad(np.maximum(ink, hairline), 4))

    right = canonical.shape[1] * 5 // 6
    line = canonical[:, right:].sum(axis=1)  # wherever it lies in the pixels
    assert (line > 0.6).sum() >= 25
    assert cv2.connectedComponents((canonical > 0.4).astype(np.uint8))[0] - 1 == 6


def photograph(ink: FloatArray, seed: int = 0) -> FloatArray:
    """Lay ink on paper in light that falls off, with a shadow over one half, sensor noise and a soft lens."""
    height, width = ink.shape
    y, x = np.mgrid[0:height, 0:width]
    shadow = cv2.GaussianBlur((x + 2 * y > width).astype(np.float32), (0, 0), 6)
    light = (0.85 - 0.25 * x / width) * (1 - 0.4 * shadow)
    noise = np.random.default_rng(seed).normal(0, 0.01, ink.shape)
    soft = cv2.GaussianBlur(ink, (0, 0), 0.8)
    return np.clip(light * (1 - 0.7 * soft) + noise, 0, 1).astype(np.float32)


@pytest.mark.parametrize("scale", [1.0, 2.0, 6.0])
def test_a_photo_in_uneven_light_gives_the_ink_alone(scale: float) -> None:
    """Falling light, a shadow and noise vanish: what remains is what the clean drawing gives."""
    ink = formula(scale)

    clean, photo = canonicalize(ink), canonicalize(photograph(ink))

    assert abs(photo.shape[0] - clean.shape[0]) <= 8
    assert abs(photo.shape[1] - clean.shape[1]) <= 8
    rows, columns = np.minimum(clean.shape, photo.shape)
    near = cv2.dilate(photo[:rows, :columns], np.ones((3, 3))) > 0.5
    assert near[clean[:rows, :columns] > 0.5].mean() > 0.9
    assert photo.sum() == pytest.approx(clean.sum(), rel=0.3)


def test_what_the_border_of_a_photo_cut_off_is_not_ink() -> None:
    """Feet of the line above and heads of the line below leave no trace; a tall piece does."""
    page = np.pad(formula(2), 40)
    clean = canonicalize(photograph(page))
    with_lines = page.copy()
    with_lines[:7, 60:90] = with_lines[:4, 150:155] = with_lines[-6:, 200:260] = 1
    cropped = page.copy()
    cropped[:80, 20:28] = 1

    np.testing.assert_allclose(canonicalize(photograph(with_lines)), clean, atol=0.25)
    assert canonicalize(photograph(cropped)).shape != clean.shape


@pytest.mark.parametrize("rows", [40, 48])
def test_strokes_of_a_small_photo_do_not_break(rows: int) -> None:
    """Writing so small that its strokes are a pixel wide is seen whole: as many pieces as it has."""
    page = np.pad(formula(4, 10), 40)
    small = cv2.resize(
        page, (round(page.shape[1] * rows / page.shape[0]), rows), interpolation=cv2.INTER_AREA
    )

    canonical = canonicalize(photograph(small))

    pieces = cv2.connectedComponents((canonicalize(page) > 0.4).astype(np.uint8))[0]
    assert cv2.connectedComponents((canonical > 0.4).astype(np.uint8))[0] == pieces


def test_black_wedges_of_a_turned_photo_are_not_ink() -> None:
    """The full black corners that turning a photo leaves do not enter the canonical picture."""
    photo = photograph(np.pad(formula(1), 24))
    clean = canonicalize(photo)
    wedge = np.add.outer(np.arange(photo.shape[0]) * 6, np.arange(photo.shape[1])) < 110
    turned = np.where(wedge, np.float32(0), photo)

    assert canonicalize(turned).shape == clean.shape


def test_specks_are_not_ink_but_dots_are() -> None:
    """Dust of single pixels is dropped, the full stop of the formula is kept."""
    clean = bilevel(2)
    dusty = clean.copy()
    dusty[2::23, 3::29] = 1

    canonical = canonicalize(dusty)

    np.testing.assert_allclose(canonical, canonicalize(clean), atol=0.35)
    assert cv2.connectedComponents((canonical > 0.5).astype(np.uint8))[0] - 1 == 5  # x = = 1 .


def test_jpeg_noise_leaves_no_trace() -> None:
    """A JPEG of a drawing has an exactly empty background and nearly the drawing's ink."""
    clean = bilevel(2)
    data = encode(Image.fromarray((255 - clean * 255).astype(np.uint8)), "JPEG", quality=60)

    canonical, expected = canonicalize(decode(data)), canonicalize(clean)

    assert canonical.shape == expected.shape
    assert np.abs(canonical - expected).sum() / expected.sum() < 0.1
    assert (canonical[:2] == 0).all()


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((1, 1)),
        np.ones((40, 60)),
        np.full((40, 60), 0.4),
        np.tile(np.linspace(0.6, 0.9, 600), (400, 1)),
        0.7 + np.random.default_rng(0).normal(0, 0.01, (300, 400)),
        0.5 + np.random.default_rng(0).normal(0, 0.05, (300, 400)),
    ],
    ids=["1x1", "white", "grey", "gradient", "faint noise", "strong noise"],
)
def test_a_picture_without_ink_is_an_error(picture: np.ndarray) -> None:
    """One pixel, one shade, a shade that runs, and mere sensor noise: no ink, one sentence."""
    with pytest.raises(ImageError, match="shows no ink"):
        canonicalize(picture.astype(np.float32))


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_any_small_picture_is_canonical_or_without_ink(pixels: np.ndarray) -> None:
    """Whatever the pixels: an ImageError, or values within 0..1 in bounded sides of multiples of 8."""
    try:
        canonical = canonicalize(from_array(pixels))
    except ImageError:
        return
    assert canonical.min() >= 0
    assert canonical.max() <= 1
    assert canonical.shape[0] % 8 == canonical.shape[1] % 8 == 0
    assert canonical.shape[0] <= image.MAX_HEIGHT_PX
    assert canonical.shape[1] <= image.MAX_WIDTH_PX


@pytest.mark.parametrize("shape", [(8, 6000), (6000, 8), (3000, 4000)])
def test_the_size_is_bounded(shape: tuple[int, int]) -> None:
    """Long rules, tall rules and large pages of small writing stay within the largest canonical picture."""
    picture = np.zeros(shape, dtype=np.float32)
    picture[2:-2:60, 2:-2:60] = 1
    picture[3:-2:60, 2:-2:60] = 1
    picture = cv2.dilate(picture, np.ones((3, 3)))

    canonical = canonicalize(picture)

    assert canonical.shape[0] <= image.MAX_HEIGHT_PX
    assert canonical.shape[1] <= image.MAX_WIDTH_PX
    assert canonical.max() > 0.3


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (2, 4), (3, 3), (3, 4), (5, 9)])
def test_large_pictures_show_smaller_symbols(rows: int, columns: int) -> None:
    """Symbols shrink so that the ink covers 19,200 square pixels at most, but by no more than a fifth."""
    page = np.tile(bilevel(), (rows, columns)).astype(np.uint8)
    _, _, width, height = cv2.boundingRect(page)

    canonical = canonicalize(page.astype(np.float32))

    shown_px = cv2.boundingRect((canonical > 0.5).astype(np.uint8))[2]
    usual = image.CANONICAL_SYMBOL_PX / typical_symbol_px(page)
    share = shown_px / width / usual
    fits = width * height * usual**2 < 19_200
    assert share == pytest.approx(
        1 if fits else max(0.8, 19_200**0.5 / (width * height) ** 0.5 / usual), abs=0.01
    )
    assert fits == (rows * columns <= 6)


@pytest.mark.parametrize("width", [1, 2, 4, 7, 15])
def test_the_pen_width_is_measured(width: int) -> None:
    """The estimate meets the width of a drawn bar within a pixel."""
    bar = np.zeros((60, 200), dtype=np.uint8)
    bar[20 : 20 + width, 10:190] = 1

    assert pen_px(bar) == pytest.approx(width, abs=1)


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_the_typical_symbol_scales_with_the_picture(factor: int) -> None:
    """Repeating every pixel multiplies the estimate by that factor, within three in a hundred."""
    ink = bilevel().astype(np.uint8)

    enlarged = np.kron(ink, np.ones((factor, factor), dtype=np.uint8))

    assert typical_symbol_px(enlarged) == pytest.approx(factor * typical_symbol_px(ink), rel=0.03)


def test_symbols_that_touch_in_a_point_are_measured_as_apart() -> None:
    """Bridges of a pixel between strokes of five hide neither the number nor the size of symbols."""
    page = np.zeros((60, 500), np.uint8)
    for left in range(20, 460, 40):
        page[10:46, left : left + 36] = 1
        page[15:41, left + 5 : left + 31] = 0
    touching = page.copy()
    touching[28, 20:456] |= page[27, 20:456] ^ 1  # from stroke to stroke, through squares and gaps

    components = [cv2.connectedComponents(each)[0] - 1 for each in (page, touching)]

    assert components == [11, 1]
    assert typical_symbol_px(touching) == pytest.approx(typical_symbol_px(page), rel=0.03)


@pytest.mark.parametrize("scale", [0.8, 1, 1.5, 2, 3])
def test_a_pen_two_pixels_thicker_hardly_changes_the_typical_symbol(scale: float) -> None:
    """Symbols grow by two pixels, of which the estimate takes up little more than one."""
    ink = bilevel(scale, 4).astype(np.uint8)

    thicker = cv2.dilate(np.pad(ink, 2), np.ones((3, 3), np.uint8))

    assert abs(typical_symbol_px(thicker) - typical_symbol_px(ink)) < 1.3


def test_no_ink_has_size_one() -> None:
    """The estimate of an empty picture is 1, not an error."""
    assert typical_symbol_px(np.zeros((5, 5), dtype=np.uint8)) == 1.0


@pytest.mark.parametrize("radius", [1, 2, 4, 9, 30])
def test_a_dot_alone_is_ink(radius: int) -> None:
    """A dot, whose thinning would leave nothing of it, is seen at any size; so is a stroke of one point."""
    dot = np.ones((4 * radius + 9, 4 * radius + 9), np.float32)
    cv2.circle(dot, (2 * radius + 4, 2 * radius + 4), radius, 0, -1)
    point = canonical_pictures(Ink((np.float32([[611, 200]]),)), SIZES)[0].picture

    assert canonicalize(dot).max() > 0.5
    assert point.max() > 0.5
