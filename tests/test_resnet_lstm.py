"""The family ``resnet_lstm`` against its formulas, written out in NumPy position by position."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from inktex.errors import ConfigError
from inktex.models.interface import Features
from inktex.models.resnet_lstm import ResnetLstmModel, ResnetLstmOptions
from tiny_models import TINY, VOCABULARY

SMALL = replace(TINY["resnet_lstm"], encoder_dropout=(0.0, 0.0, 0.0, 0.0))
WIDTH = SMALL.channels[-1]
GRID = (3, 4)
TOKENS = torch.tensor([[1, 4, 5, 12, 3], [2, 9, 9, 4, 11]])


def network(options: ResnetLstmOptions) -> ResnetLstmModel:
    """A network of large random weights, so that attention is far from uniform."""
    torch.manual_seed(0)
    model = ResnetLstmModel(VOCABULARY, options).eval()
    for name, parameter in model.named_parameters():
        if not name.startswith("encoder."):
            torch.nn.init.normal_(parameter, std=0.7)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.uniform_(-0.3, 0.3)
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    return model


def some_features() -> Features:
    """Features of two pictures; the second is of 2 x 3 of the 3 x 4 positions."""
    generator = torch.Generator().manual_seed(4)
    padding = torch.zeros(2, *GRID, dtype=torch.bool)
    padding[1, 2:] = padding[1, :, 3:] = True
    return Features(torch.randn(2, 12, WIDTH, generator=generator), padding.flatten(1), GRID)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def place_code(row: int, column: int) -> np.ndarray:
    """q of one position: sines and cosines of the row, then of the column (Vaswani et al., section 3.5)."""
    half = WIDTH // 2
    rates = [10000 ** (-2 * i / half) for i in range(half // 2)]
    return np.array(
        [turn(count * rate) for count in (row, column) for turn in (math.sin, math.cos) for rate in rates]
    )


def literal(
    model: ResnetLstmModel, f: np.ndarray, q: np.ndarray, tokens: list[int], without_top: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The formulas for one picture without padding: f, q [l, d] -> logits [t, v], attention [t, l].

    Args:
        without_top: read without the position of the highest attention.
    """
    weight = {name: value.double().numpy() for name, value in model.state_dict().items()}
    maps = model.options.maps
    own_map = [channel // (WIDTH // maps) for channel in range(WIDTH)]
    h = cell = c_next = np.zeros(WIDTH)
    s = np.zeros((len(f), maps))
    logits, attentions = [], []
    for y in tokens:
        inputs = np.concatenate([weight["embedding.weight"][y], c_next, h])
        i, kept, o, new = np.split(weight["gates.weight"] @ inputs, 4)
        cell = sigmoid(kept) * cell + sigmoid(i) * np.tanh(new)
        h = sigmoid(o) * np.tanh(cell)
        e = np.zeros((len(f), maps))
        for place in range(len(f)):
            inner = weight["of_features.weight"] @ f[place] + weight["of_places.weight"] @ q[place]
            inner = inner + weight["of_hidden.weight"] @ h + weight["of_spent.weight"] @ s[place]
            e[place] = weight["energy.weight"] @ np.tanh(inner)
        a = np.exp(e) / np.exp(e).sum(0)
        s = s + a
        attentions.append(a.mean(1))
        if without_top:
            a[attentions[-1].argmax()] = 0
            a = a / a.sum(0)
        c, c_next = np.zeros(WIDTH), np.zeros(WIDTH)
        for place in range(len(f)):
            c = c + a[place][own_map] * f[place]
            c_next = c_next + a[place][own_map] * (f[place] + q[place])
        joined = weight["join.weight"] @ np.concatenate([c, h])
        logits.append(weight["classifier.weight"] @ joined)
    return np.array(logits), np.array(attentions)


def compare(model: ResnetLstmModel, without_top: bool = False) -> None:
    """Hold logits and attention of whole sequences to the formulas, picture by picture."""
    features = some_features()
    with torch.no_grad():
        output = model(features, TOKENS)
    for picture in range(2):
        inside = (~features.padding[picture]).nonzero().flatten().tolist()
        f = features.data[picture, inside].double().numpy()
        q = np.array([place_code(*divmod(place, GRID[1])) for place in inside])
        logits, attention = literal(model, f, q, TOKENS[picture].tolist(), without_top)
        np.testing.assert_allclose(output.logits[picture].numpy(), logits, atol=1e-5, rtol=1e-5)
        np.testing.assert_allclose(output.attention[picture, :, inside].numpy(), attention, atol=1e-5)
        assert attention.max() > 3 * attention.min()  # far from uniform


@pytest.mark.parametrize("maps", [1, 4, WIDTH])
def test_the_decoder_is_its_formulas(maps: int) -> None:
    """Five steps with padding give the logits and the attention of the formulas, by literal NumPy."""
    compare(network(replace(SMALL, maps=maps)))


@pytest.mark.parametrize("maps", [1, 4])
def test_dropped_attention_is_neither_read_nor_forgotten(maps: int) -> None:
    """In training the abandoned position is left out of both contexts, but spent and reported as it was."""
    options = replace(SMALL, maps=maps, abandon=1.0, suppress=0.0, drop_share=0.01)

    compare(network(options).train(), without_top=True)


def test_parameter_count_is_the_published_one() -> None:
    """16,104,832 at 126 tokens, of them 10,995,072 in the encoder."""
    model = ResnetLstmModel(126, ResnetLstmOptions())
    encoder = sum(parameter.numel() for parameter in model.encoder.parameters())

    assert encoder == 10_995_072
    assert sum(parameter.numel() for parameter in model.parameters()) == encoder + 5_109_760 == 16_104_832


def encoded_by_hand(model: ResnetLstmModel, picture: Tensor, stride: int) -> Tensor:
    """The encoder on one picture [h, w], function by function; padding is cut to zeros after each."""
    weight = model.encoder.state_dict()
    height, width = picture.shape
    sides = [math.ceil(side / stride) * stride for side in picture.shape]
    grid = torch.zeros(1, 3, *sides)
    grid[:, :, :height, :width] = picture

    def cut(grid: Tensor) -> Tensor:
        result, cell = torch.zeros_like(grid), sides[0] // grid.shape[2]
        rows, columns = math.ceil(height / cell), math.ceil(width / cell)
        result[:, :, :rows, :columns] = grid[:, :, :rows, :columns]
        return result

    def normalised(grid: Tensor, name: str) -> Tensor:
        mean, variance = weight[f"{name}.running_mean"], weight[f"{name}.running_var"]
        scale = weight[f"{name}.weight"] / (variance + 1e-5).sqrt()
        return (grid - mean[:, None, None]) * scale[:, None, None] + weight[f"{name}.bias"][:, None, None]

    def pooled(grid: Tensor) -> Tensor:
        return grid.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax((3, 5))

    grid = pooled(cut(functional.conv2d(grid, weight["stem.weight"], weight["stem.bias"], padding=1)))
    grid = cut(normalised(grid, "stem_norm").relu())
    for stage in range(4):
        for index in range(4):
            grid = functional.conv2d(grid, weight[f"stages.{stage}.convolutions.{index}.weight"], padding=1)
            grid = normalised(grid, f"stages.{stage}.norms.{index}")
            grid = cut(grid if index in (1, 3) else grid.relu())
        if grid.shape[2] > sides[0] // stride:
            grid = pooled(grid)
    return grid


@pytest.mark.parametrize("stride", [32, 16, 8])
def test_the_encoder_is_the_published_plan(stride: Any) -> None:
    """Seventeen convolutions, max-pooling down to the stride, in a picture that is no multiple of it."""
    model = network(replace(SMALL, stride=stride))
    picture = torch.rand(40, 72, generator=torch.Generator().manual_seed(1))

    features = model.encode(picture[None, None], torch.zeros(1, 40, 72, dtype=torch.bool))

    expected = encoded_by_hand(model, picture, stride)
    assert features.grid == (math.ceil(40 / stride), math.ceil(72 / stride)) == expected.shape[2:]
    assert_close(features.data[0].T, expected[0].flatten(1), atol=1e-5, rtol=1e-4)
    assert not features.padding.any()
    assert features.data.std() > 0.01


@pytest.mark.parametrize("stride", [32, 8])
def test_padding_changes_nothing_at_any_stride(stride: Any) -> None:
    """A picture within a larger batch has the logits that it has alone."""
    model = network(replace(SMALL, stride=stride))
    images, padding = torch.rand(2, 1, 88, 104), torch.ones(2, 88, 104, dtype=torch.bool)
    images[1, :, 40:], images[1, :, :, 72:] = 0, 0
    padding[0], padding[1, :40, :72] = False, False

    together = model(model.encode(images, padding), TOKENS).logits[1]
    alone = model(model.encode(images[1:, :, :40, :72], padding[1:, :40, :72]), TOKENS[1:]).logits[0]

    assert_close(alone, together, atol=1e-5, rtol=1e-4)


def test_only_embedding_and_classifier_depend_on_the_vocabulary() -> None:
    """Of all weights these alone are of another shape for another vocabulary, in their first dimension."""
    one, other = (ResnetLstmModel(size, SMALL).state_dict() for size in (13, 17))

    differing = {name for name in one if one[name].shape != other[name].shape}

    assert differing == {"embedding.weight", "classifier.weight"}
    assert all(one[name].shape[1:] == other[name].shape[1:] for name in differing)


def test_maps_that_do_not_divide_the_channels_are_refused() -> None:
    """Every map has its equal share of the channels."""
    with pytest.raises(ConfigError, match="512 channels, got 5"):
        ResnetLstmOptions(maps=5)


@pytest.mark.parametrize("maps", [1, 4])
def test_the_exported_network_is_the_network(maps: int) -> None:
    """Bundles compute what PyTorch does, within 1e-4, at the published stride."""
    pytest.importorskip("onnx")
    from inktex.export.onnx import export
    from inktex.recognition.metadata import Metadata
    from inktex.vocabulary import Vocabulary

    model = network(replace(SMALL, stride=32, maps=maps))

    vocabulary = Vocabulary.build([[chr(ord("a") + i) for i in range(VOCABULARY - 3)]])
    bundle = export(model, vocabulary, Metadata("resnet_lstm", 64, 16.0, model.stride), weights="float32")

    assert bundle.metadata.deviation <= 1e-4
