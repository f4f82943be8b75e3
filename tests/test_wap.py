"""HMER V2.0 and DenseWAP, against a slow transcription of their formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.testing import assert_close

import test_models
import tiny_models
from inktex.errors import RunError
from inktex.models.interface import Features
from inktex.models.wap import WapModel, WapOptions
from inktex.recognition.metadata import Metadata
from inktex.vocabulary import Vocabulary
from literal import (
    Array,
    batch_norm,
    convolve,
    features_of,
    gru,
    linear,
    randomised,
    sigmoid,
    softmax,
    weights_of,
)

SMALL = WapOptions("dense", growth=4, depth=1, width=8, output_width=6, dropout=0.0)
TOKENS = torch.tensor([[1, 4, 4, 2, 6], [1, 0, 3, 5, 2]])


def literal(model: WapModel, data: Array, inside: Array, tokens: list[int]) -> tuple[Array, Array]:
    """Logits [t, v] and attention [t, rows, columns] for features [rows, columns, c], place by place."""
    weights = weights_of(model)
    rows, columns, _ = data.shape
    places = [(y, x) for y in range(rows) for x in range(columns) if inside[y, x]]
    projected = {place: linear(weights, "attention.features", data[place]) for place in places}
    hidden = np.tanh(sum(projected.values()) / len(places))
    spent = np.zeros((1, rows, columns))
    logits, attentions = [], []
    for token in tokens:
        embedded = weights["embedding.weight"][token]
        query = gru(weights, "first", embedded, hidden)
        coverage = convolve(spent, weights["attention.coverage.weight"]) + weights["attention.coverage.bias"]
        energies = np.zeros((len(query), rows, columns))
        for y, x in places:
            covered = linear(weights, "attention.from_coverage", coverage[:, y, x])
            energies[:, y, x] = linear(weights, "attention.query", query) + projected[y, x] + covered
        energies = convolve(energies, weights["attention.energy.weight"])
        energies += weights["attention.energy.bias"][:, None, None]
        energies = np.tanh(batch_norm(weights, "attention.norm", energies))
        scores = convolve(energies, weights["attention.score.weight"])[0] + weights["attention.score.bias"]
        attention = softmax(scores, inside)
        context = sum(attention[place] * data[place] for place in places)
        hidden = gru(weights, "second", context, query)
        mixed = linear(weights, "from_hidden", hidden) + linear(weights, "from_embedding", embedded)
        logits.append(linear(weights, "classifier", mixed + linear(weights, "from_context", context)))
        attentions.append(attention)
        spent = spent + attention
    return np.array(logits), np.array(attentions)


def test_the_decoder_computes_its_formulas() -> None:
    """Logits and attention of whole sequences equal the formulas in loops, for pictures of two sizes."""
    model = randomised(WapModel(7, SMALL))
    for part, factor in (
        (model.attention.energy, 0.3),
        (model.attention.score, 8),
        (model.attention.coverage, 10),
    ):
        part.weight.data *= factor  # so that attention is somewhere and moves
    data, padding, grid = features_of([(3, 5), (4, 2)], model.encoder.channels)

    output = model(Features(data, padding, grid), TOKENS)

    for i, tokens in enumerate(TOKENS.tolist()):
        picture, inside = data[i].view(*grid, -1).double().numpy(), ~padding[i].view(grid).numpy()
        logits, attention = literal(model, picture, inside, tokens)
        assert_close(output.logits[i].double(), torch.from_numpy(logits), atol=1e-5, rtol=1e-5)
        assert_close(
            output.attention[i].view(-1, *grid).double(), torch.from_numpy(attention), atol=1e-5, rtol=1e-5
        )
        assert np.abs(np.diff(attention, axis=0)).max() > 0.02  # it moves


def test_a_gated_recurrent_unit_forgets_or_keeps() -> None:
    """Worked by hand: with all gates at 1/2, the state goes halfway to the tanh of the input."""
    zeros = {f"g.{name}": np.zeros((3, 1)) for name in ("weight_ih", "weight_hh")}
    zeros |= {f"g.{name}": np.zeros(3) for name in ("bias_ih", "bias_hh")}
    zeros["g.weight_ih"][2] = 1

    assert gru(zeros, "g", np.array([0.3]), np.array([0.8]))[0] == pytest.approx((np.tanh(0.3) + 0.8) / 2)
    assert sigmoid(np.zeros(1)) == 0.5


def test_networks_have_the_published_numbers_of_parameters() -> None:
    """HMER V2.0 has 6,805,307 parameters at 112 tokens: 4,266,304 see and 2,539,003 write."""
    model = WapModel(112, WapOptions())

    seeing = sum(parameter.numel() for parameter in model.encoder.parameters())
    assert seeing == 4_266_304
    assert sum(parameter.numel() for parameter in model.parameters()) - seeing == 2_539_003


def test_the_encoder_of_densewap_has_684_channels() -> None:
    """With the encoder ``dense``, what reads the features shrinks by 340 channels, and nothing else."""
    model = WapModel(112, WapOptions(encoder="dense"))

    writing = sum(weight.numel() for name, weight in model.named_parameters() if "encoder" not in name)
    assert writing == 2_539_003 - (1024 - 684) * (256 + 3 * 256 + 128)


CHECKS = (
    test_models.test_stepping_equals_teacher_forcing,
    test_models.test_padding_changes_nothing,
    test_models.test_selected_hypotheses_go_on_as_their_parents_would,
)


@pytest.mark.parametrize("check", CHECKS)
def test_densenet121_does_what_every_encoder_must(
    check: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With DenseNet-121 the family passes the tests of all families as well."""
    monkeypatch.setitem(tiny_models.TINY, "wap", replace(SMALL, encoder="densenet121"))

    check("wap")


@pytest.mark.parametrize("encoder", ["dense", "densenet121"])
def test_networks_export(encoder: str) -> None:
    """The exported graphs compute what the network does, at sizes and lengths they were not traced with."""
    pytest.importorskip("onnx")
    from inktex.export.onnx import export

    vocabulary = Vocabulary.build([list("abcdefgh")])
    torch.manual_seed(0)
    model = WapModel(len(vocabulary), replace(SMALL, encoder=encoder)).eval()

    bundle = export(model, vocabulary, Metadata("wap", 32, 16.0, model.stride), weights="float32")

    assert bundle.metadata.deviation < 1e-4


def test_every_weight_learns() -> None:
    """Training reaches every parameter, of either encoder, and statistics follow the positions inside."""
    for options in (SMALL, replace(SMALL, encoder="densenet121")):
        model = WapModel(7, options).train()
        features = model.encode(*test_models.pictures((32, 48), (24, 64)))
        model(features, TOKENS).logits.square().sum().backward()

        idle = [
            name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()
        ]
        assert idle in ([], ["attention.score.bias"])  # which the softmax cancels, up to rounding
        assert model.attention.norm.running_mean.abs().max() > 0


def test_weights_of_imagenet_fit_densenet121_alone(tmp_path: Path) -> None:
    """With the other encoder, the error says which one they are for."""
    with pytest.raises(
        RunError, match=r"weights\.pth: weights of ImageNet fit the encoder densenet121 alone"
    ):
        WapModel(7, SMALL).load_imagenet(tmp_path / "weights.pth")
    with pytest.raises(RunError, match="does not exist"):
        WapModel(7, WapOptions(width=8)).load_imagenet(tmp_path / "weights.pth")
