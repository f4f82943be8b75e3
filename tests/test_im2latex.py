"""The family ``im2latex`` against PyTorch's own Transformer decoder and a ResNet-18 written out by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import Tensor, nn
from torch.nn import functional
from torch.testing import assert_close

from inktex.errors import RunError
from inktex.models.im2latex import Im2latexModel, Im2latexOptions
from inktex.models.interface import Features
from tiny_models import TINY, VOCABULARY

SMALL: Im2latexOptions = TINY["im2latex"]
TOKENS = torch.tensor([[1, 4, 5, 12, 3, 7], [2, 9, 9, 4, 11, 6]])


def network(options: Im2latexOptions = SMALL) -> Im2latexModel:
    """A network whose every weight and statistic is random."""
    torch.manual_seed(0)
    model = Im2latexModel(VOCABULARY, options).eval()
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            nn.init.uniform_(parameter, -0.5, 1.0)
        elif not name.startswith("trunk."):
            nn.init.normal_(parameter, std=0.4)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.uniform_(-0.3, 0.3)
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    return model


def waves(place: int, channels: int) -> Tensor:
    """The encoding of one place: sines, then cosines (Vaswani et al., section 3.5)."""
    angles = [place * 10000 ** (-2 * i / channels) for i in range(channels // 2)]
    return torch.tensor([math.sin(angle) for angle in angles] + [math.cos(angle) for angle in angles])


@pytest.mark.parametrize(
    ("vocabulary", "layers", "count"), [(494, 3, 3_538_990), (1660, 3, 3_838_652), (1660, 5, 4_236_220)]
)
def test_parameter_counts_are_the_published_ones(vocabulary: int, layers: int, count: int) -> None:
    """Formulas alone with 3 layers, and mixed with Chinese text with 3 and 5."""
    model = Im2latexModel(vocabulary, Im2latexOptions(layers=layers))

    assert sum(parameter.numel() for parameter in model.parameters()) == count


def pytorch_decoder(model: Im2latexModel) -> nn.TransformerDecoder:
    """PyTorch's decoder with the weights of a network."""
    options = model.options
    layer = nn.TransformerDecoderLayer(
        options.width, options.heads, options.feed_forward, options.dropout, batch_first=True
    )
    decoder = nn.TransformerDecoder(layer, options.layers).eval()
    renamed = {
        "self_attention.query": "self_attn.in_proj",
        "own_keys_values": "self_attn.in_proj",
        "self_attention.output": "self_attn.out_proj",
        "cross_attention.query": "multihead_attn.in_proj",
        "keys_values": "multihead_attn.in_proj",
        "cross_attention.output": "multihead_attn.out_proj",
        "self_norm": "norm1",
        "cross_norm": "norm2",
        "feed_forward_norm": "norm3",
        "feed_forward.0": "linear1",
        "feed_forward.3": "linear2",
    }
    weights: dict[str, Tensor] = {}
    for ours, theirs in zip(model.layers, decoder.layers, strict=True):
        own = ours.state_dict()
        for name in theirs.state_dict():
            module, kind = name.rsplit("_", 1) if "in_proj" in name else name.rsplit(".", 1)
            parts = [own[f"{mine}.{kind}"] for mine, other in renamed.items() if other == module]
            weights[name] = torch.cat(parts)
        theirs.load_state_dict(weights)
    return decoder


def test_the_decoder_is_pytorchs_own() -> None:
    """Logits and attention are those of nn.TransformerDecoder with the same weights, padding masked."""
    model = network(replace(SMALL, layers=3))
    decoder, options = pytorch_decoder(model), model.options
    padding = torch.zeros(2, 12, dtype=torch.bool)
    padding[1, 7:] = True
    features = Features(torch.randn(2, 12, options.width), padding, (3, 4))
    places = torch.stack([waves(place, options.width) for place in range(6)])
    data = model.embedding.weight[TOKENS] * options.width**0.5 + places
    later = torch.ones(6, 6, dtype=torch.bool).triu(1)

    output = model(features, TOKENS)

    expected = decoder(data, features.data, tgt_mask=later, memory_key_padding_mask=padding)
    assert_close(output.logits, model.classifier(expected), atol=1e-5, rtol=1e-5)
    for layer in decoder.layers[:-1]:
        data = layer(data, features.data, tgt_mask=later, memory_key_padding_mask=padding)
    last = decoder.layers[-1]
    data = last.norm1(data + last.self_attn(data, data, data, attn_mask=later)[0])
    attention = last.multihead_attn(data, features.data, features.data, key_padding_mask=padding)[1]
    assert_close(output.attention, attention, atol=1e-5, rtol=1e-5)
    assert output.attention.max() > 0.25  # far from uniform


def resnet18_by_name(weight: dict[str, Tensor], grid: Tensor) -> Tensor:
    """ResNet-18 to layer3 on pictures without padding, from weights under torchvision's names."""

    def normalised(grid: Tensor, name: str) -> Tensor:
        return functional.batch_norm(
            grid,
            weight[f"{name}.running_mean"],
            weight[f"{name}.running_var"],
            weight[f"{name}.weight"],
            weight[f"{name}.bias"],
        )

    grid = normalised(functional.conv2d(grid, weight["conv1.weight"], stride=2, padding=3), "bn1").relu()
    grid = functional.max_pool2d(grid, 3, 2, 1)
    for layer in (1, 2, 3):
        for block in (0, 1):
            name = f"layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            inner = functional.conv2d(grid, weight[f"{name}.conv1.weight"], stride=stride, padding=1)
            inner = normalised(inner, f"{name}.bn1").relu()
            inner = functional.conv2d(inner, weight[f"{name}.conv2.weight"], padding=1)
            inner = normalised(inner, f"{name}.bn2")
            if stride == 2:
                grid = functional.conv2d(grid, weight[f"{name}.downsample.0.weight"], stride=2)
                grid = normalised(grid, f"{name}.downsample.1")
            grid = (inner + grid).relu()
    return grid


def test_features_are_resnet18_and_places() -> None:
    """A picture's features are layer3 of ResNet-18 on three equal channels, projected, plus its places."""
    model = network(replace(SMALL, channels=(64, 128, 256)))
    images = torch.rand(2, 1, 32, 64)

    features = model.encode(images, torch.zeros(2, 32, 64, dtype=torch.bool))

    seen = resnet18_by_name(model.trunk.state_dict(), torch.cat([images] * 3, dim=1))
    seen = model.project(seen)  # [2, 32, 2, 4]
    half = SMALL.width // 2
    for row in range(2):
        for column in range(4):
            place = torch.cat([waves(row, half), waves(column, half)])
            expected = seen[:, :, row, column] + place
            assert_close(features.data[:, row * 4 + column], expected, atol=1e-5, rtol=1e-4)
    assert features.grid == (2, 4)


@pytest.mark.parametrize("stride", [16, 8])
def test_padding_changes_nothing_at_either_stride(stride: Any) -> None:
    """A picture within a larger batch has the logits that it has alone."""
    model = network(replace(SMALL, stride=stride))
    images, padding = torch.rand(2, 1, 56, 104), torch.ones(2, 56, 104, dtype=torch.bool)
    images[1, :, 40:], images[1, :, :, 72:] = 0, 0
    padding[0], padding[1, :40, :72] = False, False

    features = model.encode(images, padding)
    together = model(features, TOKENS).logits[1]
    alone = model(model.encode(images[1:, :, :40, :72], padding[1:, :40, :72]), TOKENS[1:]).logits[0]

    assert features.grid == (math.ceil(56 / stride), math.ceil(104 / stride))
    assert_close(alone, together, atol=1e-5, rtol=1e-4)


def test_a_longer_output_keeps_all_weights() -> None:
    """The weights of a network for 8 tokens load into one for 40 and give the same logits."""
    short, long = (
        network(replace(SMALL, max_length=8)),
        Im2latexModel(VOCABULARY, replace(SMALL, max_length=40)),
    )
    long.load_state_dict(short.state_dict())
    features = Features(torch.randn(2, 6, SMALL.width), torch.zeros(2, 6, dtype=torch.bool), (2, 3))

    assert torch.equal(long.eval()(features, TOKENS).logits, short(features, TOKENS).logits)
    assert long(features, TOKENS.repeat(1, 6)).logits.shape == (2, 36, VOCABULARY)


def test_only_embedding_and_classifier_depend_on_the_vocabulary() -> None:
    """Of all weights these alone are of another shape for another vocabulary, in their first dimension."""
    one, other = (Im2latexModel(size, SMALL).state_dict() for size in (13, 17))

    differing = {name for name in one if one[name].shape != other[name].shape}

    assert differing == {"embedding.weight", "classifier.weight", "classifier.bias"}
    assert all(one[name].shape[1:] == other[name].shape[1:] for name in differing)


def torchvision_shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes in torchvision's file of ResNet-18, from its published table of layers."""

    def norm(name: str, channels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{name}.{part}", (channels,)

    yield "conv1.weight", (64, 3, 7, 7)
    yield from norm("bn1", 64)
    before = 64
    for layer, channels in enumerate((64, 128, 256, 512), start=1):
        for block in (0, 1):
            name = f"layer{layer}.{block}"
            entering = channels if block else before
            yield f"{name}.conv1.weight", (channels, entering, 3, 3)
            yield from norm(f"{name}.bn1", channels)
            yield f"{name}.conv2.weight", (channels, channels, 3, 3)
            yield from norm(f"{name}.bn2", channels)
            if entering != channels:
                yield f"{name}.downsample.0.weight", (channels, entering, 1, 1)
                yield from norm(f"{name}.downsample.1", channels)
        before = channels
    yield "fc.weight", (1000, 512)
    yield "fc.bias", (1000,)


@pytest.fixture(scope="module")
def imagenet() -> dict[str, Tensor]:
    """Random tensors in the layout of torchvision's file, which has 102 of them."""
    torch.manual_seed(5)
    stored = {name: torch.rand(shape) for name, shape in torchvision_shapes()}
    assert len(stored) == 102
    return stored


def test_torchvisions_weights_are_taken_by_name(imagenet: dict[str, Tensor], tmp_path: Path) -> None:
    """All 75 tensors up to layer3 are taken, and the trunk then computes with them."""
    torch.save(imagenet, tmp_path / "resnet18-f37072fd.pth")
    model = Im2latexModel(VOCABULARY, Im2latexOptions()).eval()

    assert model.load_imagenet(tmp_path / "resnet18-f37072fd.pth") == 75

    taken = {name: value for name, value in model.trunk.state_dict().items() if "num_batches" not in name}
    assert taken.keys() == {name for name in imagenet if not name.startswith(("layer4", "fc"))}
    assert all(torch.equal(value, imagenet[name]) for name, value in taken.items())
    images = torch.rand(1, 1, 32, 48)
    seen = model.trunk(images.expand(-1, 3, -1, -1), torch.ones(1, 1, 32, 48))
    expected = resnet18_by_name(imagenet, images.expand(-1, 3, -1, -1))
    assert_close(seen, expected, rtol=1e-4, atol=float(1e-5 * expected.max()))


def test_a_missing_file_says_which_one_is_meant(tmp_path: Path) -> None:
    """The message names the path and torchvision's own name of the file."""
    with pytest.raises(RunError, match=r"nowhere\.pth does not exist.*resnet18-f37072fd\.pth"):
        network().load_imagenet(tmp_path / "nowhere.pth")


def test_a_folder_is_no_file_of_weights(tmp_path: Path) -> None:
    """A path that cannot be read as a file is an error of one sentence."""
    with pytest.raises(RunError, match="cannot be read"):
        network().load_imagenet(tmp_path)


@pytest.fixture(scope="module")
def small() -> Im2latexModel:
    """One network for all bytes."""
    return network()


@settings(max_examples=30, deadline=None)
@given(content=st.binary(max_size=60))
def test_any_other_bytes_are_refused(
    content: bytes, small: Im2latexModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever a file holds that is no dictionary of tensors, the error is ours."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    path.write_bytes(content)

    with pytest.raises(RunError, match=r"is not a file of tensors like torchvision's resnet18-f37072fd\.pth"):
        small.load_imagenet(path)


class _Harmful:
    """A pickle that would call a function when read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("harmed"),)


def test_reading_weights_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that would run a function when unpickled is refused, and the function is not run."""
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1.weight": _Harmful()}, tmp_path / "harmful.pth")

    with pytest.raises(RunError, match="not a file of tensors"):
        network().load_imagenet(tmp_path / "harmful.pth")
    assert not (tmp_path / "harmed").exists()


def test_weights_that_do_not_fit_change_nothing(imagenet: dict[str, Tensor], tmp_path: Path) -> None:
    """A lacking tensor, other content or another shape is an error, and the network stays as it was."""
    model = Im2latexModel(VOCABULARY, Im2latexOptions())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    lacking = {name: value for name, value in imagenet.items() if name != "layer3.1.bn2.running_var"}
    wrong = {**imagenet, "layer2.0.downsample.0.weight": torch.zeros(128, 64, 3, 3)}
    for content, message in (
        (lacking, r"holds no tensor layer3\.1\.bn2\.running_var"),
        ([torch.zeros(2)], "is not a file of tensors"),
        (wrong, r"layer2\.0\.downsample\.0\.weight in .* is of shape \(128, 64, 3, 3\)"),
    ):
        torch.save(content, tmp_path / "weights.pth")
        with pytest.raises(RunError, match=message):
            model.load_imagenet(tmp_path / "weights.pth")

    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("stride", [16, 8])
def test_the_exported_network_is_the_network(stride: Any) -> None:
    """Bundles compute what PyTorch does, within 1e-4."""
    pytest.importorskip("onnx")
    from inktex.export.onnx import export
    from inktex.recognition.metadata import Metadata
    from inktex.vocabulary import Vocabulary

    model = network(replace(SMALL, stride=stride))

    vocabulary = Vocabulary.build([[chr(ord("a") + i) for i in range(VOCABULARY - 3)]])
    bundle = export(model, vocabulary, Metadata("im2latex", 64, 16.0, model.stride), weights="float32")

    assert bundle.metadata.deviation <= 1e-4
