"""Options of a tiny network of every family, for tests that all families share."""

from __future__ import annotations

from typing import Any

from inktex.models.can import CanOptions
from inktex.models.hmer_mtl import HmerMtlOptions
from inktex.models.im2latex import Im2latexOptions
from inktex.models.inktex import InktexOptions
from inktex.models.resnet_lstm import ResnetLstmOptions
from inktex.models.wap import WapOptions

VOCABULARY = 13
TINY: dict[str, Any] = {
    "im2latex": Im2latexOptions((8, 8, 16), 16, 32, layers=2, heads=4, feed_forward=64, max_length=64),
    "resnet_lstm": ResnetLstmOptions((4, 8, 8, 16), 16, maps=4, max_length=64),
    "inktex": InktexOptions((8, 8, 16), (1, 1, 1), 32, 3, 4, 64, 4, 0.1, 64),
    "wap": WapOptions("dense", 4, 2, 0.1, 16, 8, 0.1, 64),
    "can": CanOptions(4, 2, 0.1, 16, 16, 5, True, 16, 0.1, 64),
    "hmer_mtl": HmerMtlOptions(
        4, 2, 0.1, 32, layers=3, heads=4, feed_forward=64, coverage_channels=4, max_length=64
    ),
}
