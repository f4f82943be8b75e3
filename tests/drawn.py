"""Ink and pictures drawn for tests."""

import cv2
import numpy as np

from inktex.ink.strokes import Ink, rasterize


def scribble(seed: int, strokes: int = 4) -> Ink:
    """An ink of random walks beside each other."""
    generator = np.random.default_rng(seed)
    return Ink(
        tuple(
            np.float32(np.cumsum(generator.normal(0, 4, (20, 2)), axis=0) + np.array([30 * number, 0]))
            for number in range(strokes)
        )
    )


def png(ink: Ink) -> bytes:
    """An ink drawn black on white as a PNG file."""
    return bytes(cv2.imencode(".png", np.rint(255 * (1 - rasterize(ink))).astype(np.uint8))[1])
