"""Attention as pictures: an animation, a frame a token, and a sheet of all steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2

from inktex.visualize.explain import Explanation
from inktex.visualize.lettering import MEDIUM, SMALL, Print, text_px, write
from inktex.visualize.overlay import ColourArray, Layers, blank, colours, place, shape_px, warm

_MARGIN_PX = 16
_LARGEST_ZOOM = 4.0
_NARROWEST_PX = 420  # of a frame, without margins
_LINES = 4  # of LaTeX in a frame; the last of more
_STRONG, _WEAK = 255, 140  # print
_SPACE_PX = 6
_SHEET_PX = 1500
_CELL_PX = 300
_NARROWEST_CELL_PX = 170


class _Word(NamedTuple):
    """A token on its line: the line, the column where it begins."""

    token: str
    line: int
    left: int


def attention_frames(explanation: Explanation, width_px: int = 640) -> list[ColourArray]:
    """Draw a frame for each token: where the model looks, and below it the LaTeX so far.

    Args:
        explanation: how an expression was read.
        width_px: largest width of the picture within a frame.

    Returns:
        Pictures [h, w, 3] of one size, of at most 256 colours all together.
    """
    zoom = min(_LARGEST_ZOOM, width_px / explanation.picture.shape[1])
    height, width = shape_px(explanation.picture, zoom)
    inner = max(width, _NARROWEST_PX)
    words = _lay_out(explanation.tokens, inner, MEDIUM)
    lines = min(_LINES, words[-1].line + 1) if words else 0
    top = _MARGIN_PX + height + _MARGIN_PX // 2
    whole = (top + (lines + 1) * MEDIUM.line_px + _MARGIN_PX // 2, inner + 2 * _MARGIN_PX)
    frames = []
    for step in range(len(words)):
        layers = blank(*whole)
        _draw_step(layers, explanation, step, zoom, _MARGIN_PX, _MARGIN_PX + (inner - width) // 2)
        first = max(0, words[step].line + 1 - lines)
        for number, word in enumerate(words[: step + 1]):
            if word.line >= first:
                base = top + (word.line - first) * MEDIUM.line_px + MEDIUM.line_px // 2
                layer = layers.accent if number == step else layers.ink
                write(layer, word.token, _MARGIN_PX + word.left, base, _STRONG, MEDIUM)
        base = top + lines * MEDIUM.line_px + MEDIUM.line_px // 2
        write(layers.ink, _state(explanation, step), _MARGIN_PX, base, _WEAK, SMALL)
        frames.append(colours(layers))
    return frames


def attention_sheet(explanation: Explanation, columns: int = 6) -> ColourArray:
    """Draw all steps in a grid, row by row, each with the end of the LaTeX so far and its newest token.

    Args:
        explanation: how an expression was read, of at least one token.
        columns: most steps in a row; wide pictures leave room for fewer.

    Returns:
        Picture [h, w, 3].
    """
    zoom = min(_LARGEST_ZOOM / 2, _CELL_PX / explanation.picture.shape[1])
    height, width = shape_px(explanation.picture, zoom)
    cell_width = max(width, _NARROWEST_CELL_PX) + _MARGIN_PX
    cell_height = height + 2 * SMALL.line_px + _MARGIN_PX
    count = len(explanation.tokens)
    columns = max(1, min(columns, count, _SHEET_PX // cell_width))
    layers = blank(-(-count // columns) * cell_height + _MARGIN_PX, columns * cell_width + _MARGIN_PX)
    for step in range(count):
        row, column = divmod(step, columns)
        top, left = row * cell_height + _MARGIN_PX, column * cell_width + _MARGIN_PX
        _draw_step(layers, explanation, step, zoom, top, left)
        base = top + height + SMALL.line_px
        _write_end(layers, explanation.tokens[: step + 1], left, base, cell_width - _MARGIN_PX)
        write(layers.ink, _state(explanation, step), left, base + SMALL.line_px, _WEAK, SMALL)
    return colours(layers)


def encode_gif(frames: Sequence[ColourArray], step_ms: int = 700, last_ms: int = 3000) -> bytes:
    """Return an endless GIF.

    Args:
        frames: pictures of one size; up to 256 colours are kept as they are.
        step_ms: how long each is shown.
        last_ms: how long the last is shown.
    """
    animation = cv2.Animation()
    animation.frames = list(frames)
    animation.durations = [step_ms] * (len(frames) - 1) + [last_ms]
    exact = [cv2.IMWRITE_GIF_QUALITY, cv2.IMWRITE_GIF_COLORTABLE_SIZE_256, cv2.IMWRITE_GIF_DITHER, 3]
    return bytes(cv2.imencodeanimation(".gif", animation, exact)[1])


def _draw_step(layers: Layers, explanation: Explanation, step: int, zoom: float, top: int, left: int) -> None:
    warmth = explanation.warmth(step)
    warm(layers, warmth, explanation.stride, explanation.picture.shape, zoom, top, left)
    place(layers, explanation.picture, zoom, top, left)


def _state(explanation: Explanation, step: int) -> str:
    return f"{step + 1} of {len(explanation.tokens)}, probability {explanation.probabilities[step]:.3f}"


def _lay_out(tokens: Sequence[str], width_px: int, size: Print) -> list[_Word]:
    """Set tokens in lines of a width."""
    words: list[_Word] = []
    line = left = 0
    for token in tokens:
        length = text_px(token, size)
        if left and left + length > width_px:
            line, left = line + 1, 0
        words.append(_Word(token, line, left))
        left += length + _SPACE_PX
    return words


def _write_end(layers: Layers, tokens: Sequence[str], left: int, base: int, width_px: int) -> None:
    """Write as many of the last tokens as have room in one line, the very last in colour."""
    lengths = [text_px(token, SMALL) + _SPACE_PX for token in tokens]
    cut = text_px("...", SMALL) + _SPACE_PX
    first = len(tokens) - 1
    while first > 0 and sum(lengths[first - 1 :]) + (cut if first > 1 else 0) <= width_px:
        first -= 1
    if first > 0:
        write(layers.ink, "...", left, base, _STRONG, SMALL)
        left += cut
    for number in range(first, len(tokens)):
        layer = layers.accent if number == len(tokens) - 1 else layers.ink
        write(layer, tokens[number], left, base, _STRONG, SMALL)
        left += lengths[number]
