"""The families of networks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from inktex.models.can import CanModel, CanOptions
from inktex.models.hmer_mtl import HmerMtlModel, HmerMtlOptions
from inktex.models.im2latex import Im2latexModel, Im2latexOptions
from inktex.models.inktex import InktexModel, InktexOptions
from inktex.models.resnet_lstm import ResnetLstmModel, ResnetLstmOptions
from inktex.models.wap import WapModel, WapOptions


@dataclass(frozen=True)
class Family:
    """A family of networks.

    Attributes:
        options: the frozen dataclass of its sizes; ``max_length`` is one: the most tokens of a sequence.
        build: (vocabulary size, options) -> the network, a ``Model`` and an ``nn.Module``.
    """

    options: type[Any]
    build: Callable[[int, Any], Any]


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "inktex": Family(InktexOptions, InktexModel),
        "im2latex": Family(Im2latexOptions, Im2latexModel),
        "resnet_lstm": Family(ResnetLstmOptions, ResnetLstmModel),
        "wap": Family(WapOptions, WapModel),
        "can": Family(CanOptions, CanModel),
        "hmer_mtl": Family(HmerMtlOptions, HmerMtlModel),
    }
)
