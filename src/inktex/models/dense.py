"""Densely connected encoders (Huang et al., "Densely Connected Convolutional Networks", CVPR 2017).

Two of them: the DenseNet of 3 x 16 bottleneck layers that DenseWAP (Zhang et al., ICPR 2018) brought to
handwritten mathematics and that BTTR, CoMER and CAN kept, and torchvision's DenseNet-121 without its last
block, which can begin with weights of ImageNet. Changed in both: what lies in a picture's padding is set to
0 wherever a neighbour could read it, so that padding never changes a picture's features.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from inktex.models.layers import masked_average_pool, pad_to_multiple
from inktex.models.pretrained import load_torchvision_weights

_BLOCKS = (6, 12, 24)  # layers of the first three blocks of DenseNet-121
_IMAGENET = "densenet121-a639ec97.pth"  # torchvision's own file name
_OLD_NAME = re.compile(
    r"(denselayer\d+\.(?:norm|conv))\.(\d)"
)  # of torchvision's weight files, which kept it


class DenseEncoder(nn.Module):
    """Three dense blocks with a transition, which halves channels and resolution, after the first two.

    Convolutions come before normalisation here, as in DenseWAP, BTTR, CoMER and CAN: 1x1 to four times the
    growth, then 3x3. Changed: the last row and column of a transition are averages of what lies inside the
    picture.

    Args:
        growth: channels that each layer adds; the stem has twice as many.
        depth: layers of each block.
        dropout: share of activations dropped in training, after each convolution of the blocks.
        stem_norm: whether the first convolution is normalised (CoMER; not CAN).
        final_norm: whether the features are normalised (CoMER; not CAN).

    Attributes:
        channels: of the features; 684 for a growth of 24 and a depth of 16.
    """

    stride = 16

    def __init__(
        self,
        growth: int = 24,
        depth: int = 16,
        dropout: float = 0.2,
        stem_norm: bool = True,
        final_norm: bool = True,
    ) -> None:
        super().__init__()
        channels = 2 * growth
        self.stem = nn.Conv2d(1, channels, 7, 2, 3, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels) if stem_norm else nn.Identity()
        self.blocks = nn.ModuleList()  # of lists of layers
        self.transitions = nn.ModuleList()
        for number in range(3):
            if number:
                self.transitions.append(_convolution(channels, channels // 2, 1, dropout))
                channels //= 2
            self.blocks.append(
                nn.ModuleList(DenseLayer(channels + i * growth, growth, dropout) for i in range(depth))
            )
            channels += depth * growth
        self.final_norm = nn.BatchNorm2d(channels) if final_norm else nn.Identity()
        self.channels = channels

    def forward(self, images: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Encode pictures.

        Args:
            images: [b, 1, height, width], ink 1 on 0, both sides multiples of 8.
            padding: [b, height, width], True outside the picture; its edges at multiples of 8.

        Returns:
            Features [b, channels, rows, columns], 0 in padding, and padding [b, rows, columns]; rows and
            columns are height and width by 16, rounded up.
        """
        images, padding, inside = _prepared(images, padding)
        grid = self.stem_norm(self.stem(images)).relu()
        inside = _halved(inside).to(grid.dtype)  # stride 2
        grid, inside = functional.max_pool2d(grid, 2), _halved(inside)  # stride 4
        for number, block in enumerate(cast(list[list[DenseLayer]], self.blocks)):
            if number:
                grid = masked_average_pool(self.transitions[number - 1](grid), inside)
                inside = _halved(inside)
            for layer in block:
                grid = torch.cat([grid, layer(grid, inside)], dim=1)
        return self.final_norm(grid) * inside, padding[:, :: self.stride, :: self.stride]


class DenseLayer(nn.Module):
    """A 1x1 convolution to four times the growth and a 3x3 convolution, each with BN, ReLU and dropout."""

    def __init__(self, channels: int, growth: int, dropout: float) -> None:
        super().__init__()
        self.narrow = _convolution(channels, 4 * growth, 1, dropout)
        self.grow = _convolution(4 * growth, growth, 3, dropout)

    def forward(self, grid: Tensor, inside: Tensor) -> Tensor:
        """[b, c, h, w] -> the new channels [b, growth, h, w]."""
        grown: Tensor = self.grow(self.narrow(grid) * inside)
        return grown


class DenseNet121Encoder(nn.Module):
    """torchvision's DenseNet-121 up to the normalisation and ReLU after its third block.

    It reads two channels: the picture, and 1 inside the picture and 0 in its padding. Modules are named as
    in torchvision, so that its weights fit by name; the last normalisation is ``transition3.norm``, which
    follows the third block there too.

    Attributes:
        channels: of the features.
    """

    stride = 16
    channels = 1024

    def __init__(self) -> None:
        super().__init__()
        channels, growth = 64, 32
        parts: dict[str, nn.Module] = {
            "conv0": nn.Conv2d(2, channels, 7, 2, 3, bias=False),
            "norm0": nn.BatchNorm2d(channels),
        }
        for number, depth in enumerate(_BLOCKS, start=1):
            layers = {
                f"denselayer{i + 1}": PreactivatedLayer(channels + i * growth, growth) for i in range(depth)
            }
            channels += depth * growth
            transition: dict[str, nn.Module] = {"norm": nn.BatchNorm2d(channels)}
            if number < len(_BLOCKS):
                transition["conv"] = nn.Conv2d(channels, channels // 2, 1, bias=False)
                channels //= 2
            parts[f"denseblock{number}"] = nn.ModuleDict(layers)
            parts[f"transition{number}"] = nn.ModuleDict(transition)
        self.features = nn.ModuleDict(parts)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Encode pictures as :meth:`DenseEncoder.forward` does."""
        images, padding, inside = _prepared(images, padding)
        parts = cast(Mapping[str, Any], self.features)
        grid = parts["norm0"](parts["conv0"](torch.cat([images, inside], dim=1))).relu()
        inside = _halved(inside).to(grid.dtype)  # stride 2
        # Windows end at even cells, as pictures do, so that none reads across the border.
        grid, inside = functional.max_pool2d(grid, 3, 2, 1), _halved(inside)  # stride 4
        for number in range(1, len(_BLOCKS) + 1):
            for layer in parts[f"denseblock{number}"].values():
                grid = torch.cat([grid, layer(grid, inside)], dim=1)
            transition = parts[f"transition{number}"]
            grid = transition["norm"](grid).relu()
            if number < len(_BLOCKS):
                grid = masked_average_pool(transition["conv"](grid), inside)
                inside = _halved(inside)
        return grid * inside, padding[:, :: self.stride, :: self.stride]

    def load_imagenet(self, path: Path) -> int:
        """Take every layer but the first convolution, whose input is another, from a file of torchvision's.

        Args:
            path: a state dict of torchvision's ``densenet121``, usually ``densenet121-a639ec97.pth``; keys
                such as ``denselayer1.norm.1.weight``, as in that file, and ``denselayer1.norm1.weight``, as
                in torchvision's own network, both do.

        Returns:
            How many tensors were taken.

        Raises:
            RunError: the file is missing, is no such state dict, or holds tensors of other shapes.
        """
        parts = {name: part for name, part in self.features.items() if name != "conv0"}
        rest = nn.ModuleDict({"features": nn.ModuleDict(parts)})
        return load_torchvision_weights(rest, path, _IMAGENET, lambda name: _OLD_NAME.sub(r"\1\2", name))


class PreactivatedLayer(nn.Module):
    """BN, ReLU and a 1x1 convolution to four times the growth, then BN, ReLU and a 3x3 convolution."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, grid: Tensor, inside: Tensor) -> Tensor:
        """[b, c, h, w] -> the new channels [b, growth, h, w]."""
        narrow = self.conv1(self.norm1(grid).relu())
        grown: Tensor = self.conv2(self.norm2(narrow).relu() * inside)
        return grown


def _convolution(channels_in: int, channels: int, kernel: int, dropout: float) -> nn.Sequential:
    """Return a convolution that keeps the resolution, with BN, ReLU and dropout after it."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Dropout(dropout),
    )


def _prepared(images: Tensor, padding: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return pictures and padding with sides that are multiples of 16, and where inside is [b, 1, h, w]."""
    images, padding = pad_to_multiple(images, padding, 16)
    inside = (~padding).unsqueeze(1).to(images.dtype)
    return images * inside, padding, inside


def _halved(inside: Tensor) -> Tensor:
    """Return at half the resolution what lies inside: a cell does if its upper left quarter does."""
    return inside[:, :, ::2, ::2]
