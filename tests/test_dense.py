"""The dense encoders, against transcriptions of their plans without padding or masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from inktex.errors import RunError
from inktex.models.dense import DenseEncoder, DenseNet121Encoder
from inktex.models.layers import masked_average_pool, pad_to_multiple
from literal import Array, batch_norm, convolve, randomised, weights_of
from test_models import pictures


def count(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_encoders_have_the_published_numbers_of_parameters() -> None:
    """DenseNet-121 to its third block, and CAN's and CoMER's encoders, which differ by two normalisations."""
    assert count(DenseNet121Encoder()) == 4_266_304
    assert count(DenseEncoder(stem_norm=False, final_norm=False)) == 2_979_288
    assert count(DenseEncoder()) == 2_979_288 + 2 * 48 + 2 * 684


def seen_by(encoder: Any, names: list[str]) -> list[tuple[int, int, int]]:
    """The shapes (channels, rows, columns) that enter the parts of an encoder for a picture of 64 x 96 px."""
    shapes = []
    for name in names:
        encoder.get_submodule(name).register_forward_pre_hook(
            lambda module, inputs: shapes.append(tuple(inputs[0].shape[1:]))
        )
    grid, padding = encoder.eval()(torch.zeros(1, 1, 64, 96), torch.zeros(1, 64, 96).bool())
    assert padding.shape[1:] == grid.shape[2:]
    return [*shapes, tuple(grid.shape[1:])]


def test_dense_encoder_grows_and_halves_channels_as_published() -> None:
    """Channels go 48, 432, 216, 600, 300, 684, at strides 4, 8 and 16."""
    names = ["blocks.0.0", "transitions.0", "blocks.1.0", "transitions.1", "blocks.2.0"]

    assert seen_by(DenseEncoder(), names) == [
        (48, 16, 24),
        (432, 16, 24),
        (216, 8, 12),
        (600, 8, 12),
        (300, 4, 6),
        (684, 4, 6),
    ]


def test_densenet121_grows_and_halves_channels_as_published() -> None:
    """Channels go 64, 256, 128, 512, 256, 1024, at strides 4, 8 and 16."""
    names = [
        f"features.{part}"
        for i in (1, 2, 3)
        for part in (f"denseblock{i}.denselayer1", f"transition{i}.norm")
    ]

    assert seen_by(DenseNet121Encoder(), names) == [
        (64, 16, 24),
        (256, 16, 24),
        (128, 8, 12),
        (512, 8, 12),
        (256, 4, 6),
        (1024, 4, 6),
        (1024, 4, 6),
    ]


def pooled(grid: Array, kind: Any) -> Array:
    """2 x 2 cells -> one; at odd sides the last window holds what there is."""
    _, rows, columns = grid.shape
    result = np.zeros((len(grid), -(-rows // 2), -(-columns // 2)))
    for y in range(result.shape[1]):
        for x in range(result.shape[2]):
            result[:, y, x] = kind(grid[:, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2], axis=(1, 2))
    return result


@pytest.mark.parametrize(("norms", "size"), [(True, (40, 24)), (False, (40, 24)), (True, (32, 48))])
def test_dense_encoder_computes_its_plan(norms: bool, size: tuple[int, int]) -> None:
    """Stem, layers and transitions of one picture equal the plan in loops; pools round up."""
    encoder = randomised(DenseEncoder(2, 2, 0.0, stem_norm=norms, final_norm=norms))
    weights = weights_of(encoder)
    image = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(1))

    def block(name: str, grid: Array) -> Array:
        convolved = convolve(grid, weights[f"{name}.0.weight"])
        return np.maximum(batch_norm(weights, f"{name}.1", convolved), 0)

    grid = convolve(image[0].double().numpy(), weights["stem.weight"])[:, ::2, ::2]
    grid = pooled(np.maximum(batch_norm(weights, "stem_norm", grid) if norms else grid, 0), np.max)
    for stage in range(3):
        if stage:
            grid = pooled(block(f"transitions.{stage - 1}", grid), np.mean)
        for layer in range(2):
            name = f"blocks.{stage}.{layer}"
            grid = np.concatenate([grid, block(f"{name}.grow", block(f"{name}.narrow", grid))])
    expected = batch_norm(weights, "final_norm", grid) if norms else grid

    found, padding = encoder(image, torch.zeros(1, *size).bool())

    assert not padding.any()
    assert_close(found[0].double(), torch.from_numpy(expected), atol=1e-5, rtol=1e-5)


def torchvision_shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes in torchvision's network DenseNet-121, from its published table of layers."""

    def norm(name: str, channels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"features.{name}.{part}", (channels,)

    yield "features.conv0.weight", (64, 3, 7, 7)
    yield from norm("norm0", 64)
    channels = 64
    for block, layers in enumerate((6, 12, 24, 16), start=1):
        for layer in range(1, layers + 1):
            name = f"denseblock{block}.denselayer{layer}"
            yield from norm(f"{name}.norm1", channels)
            yield f"features.{name}.conv1.weight", (128, channels, 1, 1)
            yield from norm(f"{name}.norm2", 128)
            yield f"features.{name}.conv2.weight", (32, 128, 3, 3)
            channels += 32
        if block < 4:
            yield from norm(f"transition{block}.norm", channels)
            channels //= 2
            yield f"features.transition{block}.conv.weight", (channels, 2 * channels, 1, 1)
    yield from norm("norm5", channels)
    yield "classifier.weight", (1000, channels)
    yield "classifier.bias", (1000,)


@pytest.fixture(scope="module")
def imagenet() -> dict[str, Tensor]:
    """Random tensors in the layout of torchvision's network, which has 7,978,856 parameters."""
    generator = torch.Generator().manual_seed(5)
    stored = {}
    for name, shape in torchvision_shapes():
        value = torch.rand(shape, generator=generator) + 0.5
        if len(shape) == 4:
            value = (value - 1) * (8 / value[0].numel()) ** 0.5
        stored[name] = value
    assert sum(value.numel() for name, value in stored.items() if "running" not in name) == 7_978_856
    return stored


def densenet_by_name(weight: dict[str, Tensor], grid: Tensor) -> Tensor:
    """torchvision's network to the ReLU after its third block, on a picture without padding."""

    def active(grid: Tensor, name: str) -> Tensor:
        mean, variance = weight[f"{name}.running_mean"], weight[f"{name}.running_var"]
        return functional.batch_norm(
            grid, mean, variance, weight[f"{name}.weight"], weight[f"{name}.bias"]
        ).relu()

    grid = active(
        functional.conv2d(grid, weight["features.conv0.weight"], stride=2, padding=3), "features.norm0"
    )
    grid = functional.max_pool2d(grid, 3, stride=2, padding=1)
    for block, layers in enumerate((6, 12, 24), start=1):
        for layer in range(1, layers + 1):
            name = f"features.denseblock{block}.denselayer{layer}"
            new = functional.conv2d(active(grid, f"{name}.norm1"), weight[f"{name}.conv1.weight"])
            new = functional.conv2d(active(new, f"{name}.norm2"), weight[f"{name}.conv2.weight"], padding=1)
            grid = torch.cat([grid, new], 1)
        name = f"features.transition{block}"
        grid = active(grid, f"{name}.norm")
        if block < 3:
            grid = functional.avg_pool2d(functional.conv2d(grid, weight[f"{name}.conv.weight"]), 2)
    return grid


def old_style(name: str) -> str:
    """The name in torchvision's file: ``norm.1`` for ``norm1`` in layers, not in transitions."""
    if "denselayer" not in name:
        return name
    return (
        name.replace("norm1", "norm.1")
        .replace("norm2", "norm.2")
        .replace("conv1", "conv.1")
        .replace("conv2", "conv.2")
    )


@pytest.mark.parametrize("style", [str, old_style])
def test_torchvisions_weights_are_taken_by_name(
    style: Any, imagenet: dict[str, Tensor], tmp_path: Path
) -> None:
    """All 438 tensors but the first convolution are taken, in both styles of names, and computed with."""
    path = tmp_path / "densenet121-a639ec97.pth"
    torch.save({style(name): value for name, value in imagenet.items()}, path)
    encoder = DenseNet121Encoder().eval()
    first = encoder.features["conv0"].weight.detach().clone()

    assert encoder.load_imagenet(path) == 438

    assert torch.equal(encoder.features["conv0"].weight, first)
    image = torch.rand(1, 1, 48, 64)
    found, _ = encoder(image, torch.zeros(1, 48, 64).bool())
    both = torch.cat([image, torch.ones_like(image)], 1)
    expected = densenet_by_name({**imagenet, "features.conv0.weight": first}, both)
    assert expected.std() > 0.1
    assert_close(found, expected, rtol=1e-4, atol=float(1e-5 * expected.max()))


def test_files_that_do_not_fit_are_refused_and_change_nothing(
    imagenet: dict[str, Tensor], tmp_path: Path
) -> None:
    """A file that is missing, damaged or of another network is an error that names it and the usual one."""
    encoder = DenseNet121Encoder()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    small = {name: value for name, value in imagenet.items() if "denseblock3" not in name}
    lacking = {
        name: value for name, value in small.items() if name != "features.denseblock2.denselayer7.norm2.bias"
    }
    wrong = {**small, "features.transition1.conv.weight": torch.zeros(128, 256, 3, 3)}
    path = tmp_path / "weights.pth"

    def refused(message: str) -> None:
        with pytest.raises(RunError, match=message) as caught:
            encoder.load_imagenet(path)
        assert str(path) in str(caught.value)
        assert "densenet121-a639ec97.pth" in str(caught.value)

    refused("does not exist")
    for content, message in (
        (lacking, r"no tensor features\.denseblock2\.denselayer7\.norm2\.bias"),
        (wrong, r"features\.transition1\.conv\.weight .* \(128, 256, 3, 3\)"),
        ([torch.zeros(2)], "not a file of tensors"),
        ({7: torch.zeros(2)}, r"no tensor features\.norm0\.weight"),
    ):
        torch.save(content, path)
        refused(message)
    path.write_bytes(b"PK no zip")
    refused("not a file of tensors")
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize("kind", [DenseEncoder, DenseNet121Encoder])
def test_padding_changes_no_features(kind: Any) -> None:
    """A picture alone gives the features it gives within a larger batch, and 0 stands in padding."""
    torch.manual_seed(2)
    encoder = kind().eval()
    for name, buffer in encoder.named_buffers():
        if name.endswith("running_mean"):
            buffer.uniform_(-0.3, 0.3)  # so that a normalised 0 is not 0
    sizes = [(24, 40), (40, 24), (8, 72), (32, 32)]
    images, padding = pictures(*sizes, height=56)
    images = images.masked_fill(padding[:, None], 0.7)  # whatever lies there

    with torch.no_grad():
        together, outside = encoder(images, padding)

    assert together.masked_select(outside[:, None]).abs().max() == 0
    for i, (height, width) in enumerate(sizes):
        with torch.no_grad():
            alone, inside = encoder(
                images[i : i + 1, :, :height, :width], padding[i : i + 1, :height, :width]
            )
        rows, columns = alone.shape[2:]
        assert (rows, columns) == (-(-height // 16), -(-width // 16))
        assert not inside.any()
        assert int((~outside[i]).sum()) == rows * columns
        scale = float(alone.abs().max())
        assert_close(together[i, :, :rows, :columns] / scale, alone[0] / scale, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(16, 32), (8, 40), (24, 8)])
def test_pictures_are_extended_by_padding_to_multiples(height: int, width: int) -> None:
    """Sides are rounded up, the picture stays in its corner, and what is added is 0 and padding."""
    images, padding = torch.rand(2, 1, height, width), torch.rand(2, height, width) > 0.5

    wide, outside = pad_to_multiple(images, padding, 16)

    assert tuple(wide.shape[2:]) == (-(-height // 16) * 16, -(-width // 16) * 16)
    assert torch.equal(wide[:, :, :height, :width], images)
    assert torch.equal(outside[:, :height, :width], padding)
    assert wide.sum() == images.sum()
    assert outside[:, height:].all()
    assert outside[:, :, width:].all()


def test_average_is_over_the_cells_inside() -> None:
    """Of 2 x 2 cells of which 4, 2, 1 and none lie inside, the mean is over 4, 2, 1, and 0."""
    grid = torch.tensor([[[[1.0, 2, 3, 90], [3, 4, 5, 90], [7, 90, 90, 90], [90, 90, 90, 90]]]])

    inside = (grid < 90).float()

    assert masked_average_pool(grid, inside).flatten().tolist() == [2.5, 4, 7, 0]
