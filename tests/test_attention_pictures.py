"""Attention as animation and sheet, and counting maps: what stands where, in which colours."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest

from inktex.visualize.attention import attention_frames, attention_sheet, encode_gif
from inktex.visualize.counting import CountingMap, counting_sheet
from inktex.visualize.explain import Explanation
from inktex.visualize.overlay import blank, colours, place, shape_px, warm

Image = pytest.importorskip("PIL.Image")


def made_up(tokens: str, shape: tuple[int, int] = (48, 160), seed: int = 0) -> Explanation:
    """An explanation of a random picture; each token is written with all attention at one square."""
    generator = np.random.default_rng(seed)
    words = tuple(tokens.split())
    picture = (generator.random(shape) > 0.97).astype(np.float32)
    attention = np.zeros((len(words), shape[0] // 8, shape[1] // 8), np.float32)
    attention.reshape(len(words), -1)[
        np.arange(len(words)), generator.integers(0, attention[0].size, len(words))
    ] = 1
    return Explanation(picture, 8, words, attention, generator.random(len(words)).astype(np.float32))


def warmth_of(frame: np.ndarray) -> np.ndarray:
    """How far from grey each pixel is: red above blue."""
    return frame[:, :, 2].astype(int) - frame[:, :, 0].astype(int)


def palette(frames: list[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate([frame.reshape(-1, 3) for frame in frames]), axis=0)


def test_warmth_lies_over_the_square_that_is_looked_at() -> None:
    """The centre of warmth is the centre of the square, at any stride, zoom and offset."""
    for stride, zoom, square in ((8, 3.0, (1, 2)), (16, 2.5, (0, 1)), (16, 0.5, (2, 3))):
        shape = (48, 72)
        values = np.zeros((-(-shape[0] // stride), -(-shape[1] // stride)), np.float32)
        values[square] = 1
        layers = blank(200, 300)

        warm(layers, values, stride, shape, zoom, 20, 30)

        rows, columns = np.indices(layers.warmth.shape)
        weight = layers.warmth / layers.warmth.sum()
        cut_off = square[0] * stride + 3 * stride / 2 > shape[0]  # its lower slope lies outside
        if not cut_off:
            assert (rows * weight).sum() == pytest.approx(
                20 + (square[0] + 0.5) * stride * zoom - 0.5, abs=stride
            )
        assert (columns * weight).sum() == pytest.approx(
            30 + (square[1] + 0.5) * stride * zoom - 0.5, abs=0.6 * zoom
        )
        height, width = round(shape[0] * zoom), round(shape[1] * zoom)
        assert not layers.warmth[20 + height :].any()
        assert not layers.warmth[:, 30 + width :].any()


def test_colours_are_those_of_the_layers() -> None:
    """White paper, dark ink, red accent, and warm paper that darkens towards red; ink stays dark on it."""
    layers = blank(1, 6)
    layers.ink[0, 1] = layers.ink[0, 4] = 255
    layers.accent[0, 2] = 255
    layers.warmth[0, 3:5] = 255
    layers.warmth[0, 5] = 90

    paper, ink, accent, hot, inked, mild = colours(layers)[0].astype(int)

    assert tuple(paper) == (255, 255, 255)
    assert max(ink) < 60
    assert tuple(inked) == tuple(ink)
    assert accent[2] > 150 > max(accent[0], accent[1])
    assert hot[2] > 200 > 100 > max(hot[0], hot[1])
    assert mild[2] > 240
    assert hot[0] < mild[0] < 255


def test_a_frame_a_token_of_one_size_in_few_colours() -> None:
    """As many frames as tokens, all alike in size, with at most 256 colours together."""
    explanation = made_up(r"\frac { a } { b } + \sqrt { c }")

    frames = attention_frames(explanation)

    assert len(frames) == len(explanation.tokens)
    assert len({frame.shape for frame in frames}) == 1
    assert len(palette(frames)) <= 256


def test_frames_show_the_newest_token_in_colour_and_grow() -> None:
    """Below the picture, accent stands further and further right, and what was written stays."""
    explanation = made_up("a b c d e")
    frames = attention_frames(explanation)
    top = 16 + shape_px(explanation.picture, 4.0)[0]

    places = [np.flatnonzero((warmth_of(frame[top:]) > 60).any(axis=0)) for frame in frames]
    dark = [(frame[top : top + 30].max(axis=2) < 120) for frame in frames]

    for before, after in pairwise(places):
        assert before.max() < after.min()
    for step in range(1, len(frames)):
        assert dark[step][:, places[step - 1]].any()
        assert not dark[step - 1][:, places[step]].any()


def test_long_formulas_keep_to_their_last_lines() -> None:
    """Two hundred tokens make frames no higher than sixty do, and the newest is always in sight."""
    long, shorter = (made_up(" ".join(["x"] * count), (48, 100)) for count in (300, 160))

    frames = attention_frames(long)

    assert frames[0].shape == attention_frames(shorter)[0].shape
    top = 16 + shape_px(long.picture, 4.0)[0]
    assert all((warmth_of(frame[top:]) > 60).any() for frame in frames)


def test_a_gif_holds_the_frames_unchanged() -> None:
    """Pillow reads the same pixels back, for the times that were asked for, without an end."""
    frames = attention_frames(made_up("x ^ { 2 } + y"))

    found = Image.open(io.BytesIO(encode_gif(frames, 400, 1500)))

    assert found.format == "GIF"
    assert found.n_frames == len(frames)
    assert found.info["loop"] == 0
    for number, frame in enumerate(frames):
        found.seek(number)
        assert found.info["duration"] == (1500 if number == len(frames) - 1 else 400)
        assert np.array_equal(np.asarray(found.convert("RGB"))[:, :, ::-1], frame)


def test_one_token_is_an_animation_too() -> None:
    """An expression of a single token gives a GIF of one frame."""
    frames = attention_frames(made_up("x"))

    found = Image.open(io.BytesIO(encode_gif(frames)))

    assert np.array_equal(np.asarray(found.convert("RGB"))[:, :, ::-1], frames[0])


@pytest.mark.parametrize(
    ("width", "count", "expected"),
    [(100, 20, 6), (100, 4, 4), (1024, 20, 4)],
)
def test_the_sheet_has_a_cell_a_step(width: int, count: int, expected: int) -> None:
    """Steps fill rows of at most six, fewer where the picture is wide; no sheet is wider than 1,520 px."""
    explanation = made_up(" ".join(["x"] * count), (48, width))

    sheet = attention_sheet(explanation)

    cell = min(2 * width, 300)
    rows = -(-count // expected)
    assert sheet.shape[1] == 16 + expected * (16 + cell)
    assert sheet.shape[1] <= 1520
    assert (sheet.shape[0] - 16) % rows == 0
    height = (sheet.shape[0] - 16) // rows
    for step in range(count):
        row, column = divmod(step, expected)
        assert (
            warmth_of(
                sheet[row * height + 16 : (row + 1) * height + 16, 16 + column * (16 + cell) :][:, :cell]
            )
            > 60
        ).any()


def test_a_picture_is_drawn_where_it_is_placed() -> None:
    """Ink appears at its place, enlarged, and nowhere else."""
    picture = np.zeros((8, 8), np.float32)
    picture[2, 5] = 1
    layers = blank(40, 40)

    place(layers, picture, 3.0, 4, 6)

    rows, columns = np.nonzero(layers.ink)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(4 + 2.5 * 3 - 0.5)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(6 + 5.5 * 3 - 0.5)
    assert layers.ink.max() == 255


def test_counting_maps_lie_side_by_side() -> None:
    """Each map is warm where its symbol is counted, and nowhere else in its cell."""
    picture = np.zeros((32, 64), np.float32)
    maps = []
    for number in range(3):
        values = np.zeros((2, 4), np.float32)
        values[1, number] = 1.4
        maps.append(CountingMap("abc"[number], 1.4, values))

    sheet = counting_sheet(picture, 16, maps)

    cell = 128 + 22 + 16  # the narrowest cell is wider than the picture
    assert sheet.shape == (16 + 64 + 20 + 16, 16 + 3 * cell, 3)
    for number in range(3):
        part = warmth_of(sheet[16 : 16 + 64, 16 + number * cell : 16 + number * cell + 128])
        rows, columns = np.nonzero(part > part.max() * 0.9)
        assert 32 <= rows.mean() < 64
        assert columns.mean() == pytest.approx(32 * number + 16, abs=6)
