"""CAN with and without counting, against a slow transcription of its formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.testing import assert_close

import test_models
import tiny_models
from inktex.models.can import CanModel, CanOptions
from inktex.models.counting import CountingBranch
from inktex.models.interface import Features
from inktex.recognition.metadata import Metadata
from inktex.vocabulary import Vocabulary
from literal import (
    Array,
    Weights,
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

SMALL = CanOptions(
    growth=4, depth=1, width=8, attention_width=12, coverage_kernel=7, counting_width=64, dropout=0.0
)
TOKENS = torch.tensor([[1, 4, 4, 2, 6], [1, 0, 3, 5, 2]])
SIZES = [(3, 5), (4, 2)]


def place_code(row: int, column: int, size: tuple[int, int], channels: int) -> Array:
    """The encoding of one place, counted from 1, in a picture of ``size`` positions: column, then row."""
    code = []
    for place, count in ((column, size[1]), (row, size[0])):
        for k in range(channels // 4):
            angle = 2 * np.pi * place / count / 10000 ** (k / (channels // 4))
            code += [np.sin(angle), np.cos(angle)]
    return np.array(code)


def counting_maps(weights: Weights, name: str, grid: Array, inside: Array) -> Array:
    """The maps [v, rows, columns] of a counting branch for features [c, rows, columns]."""
    grid = batch_norm(weights, f"{name}.norm", convolve(grid, weights[f"{name}.convolution.weight"]))
    mean = grid[:, inside].mean(axis=1)
    narrow = np.maximum(linear(weights, f"{name}.channels.0", mean), 0)
    importance = sigmoid(linear(weights, f"{name}.channels.2", narrow))
    scores = convolve(grid * importance[:, None, None], weights[f"{name}.classes.weight"])
    return sigmoid(scores) * inside


def literal(
    model: CanModel, data: Array, size: tuple[int, int], tokens: list[int], counts: Array | None
) -> tuple[Array, Array]:
    """Logits [t, v] and attention [t, rows, columns] for features [rows, columns, c], place by place."""
    weights = weights_of(model)
    rows, columns, _ = data.shape
    places = [(y, x) for y in range(size[0]) for x in range(size[1])]
    inside = np.zeros((rows, columns), bool)
    inside[: size[0], : size[1]] = True
    hidden = np.tanh(linear(weights, "first_hidden", sum(data[place] for place in places) / len(places)))
    spent = np.zeros((1, rows, columns))
    logits, attentions = [], []
    for token in tokens:
        embedded = weights["embedding.weight"][token]
        hidden = gru(weights, "cell", embedded, hidden)
        coverage = convolve(spent, weights["attention.coverage.weight"])
        scores = np.zeros((rows, columns))
        for y, x in places:
            energy = linear(weights, "attention.query", hidden) + linear(
                weights, "attention.features", data[y, x]
            )
            energy += linear(weights, "attention.from_coverage", coverage[:, y, x])
            energy += place_code(y + 1, x + 1, size, len(energy))
            scores[y, x] = (weights["attention.score.weight"][0, :, 0, 0] @ np.tanh(energy)).item()
        attention = softmax(scores + weights["attention.score.bias"], inside)
        context = sum(attention[place] * data[place] for place in places)
        mixed = linear(weights, "from_hidden", hidden) + linear(weights, "from_embedding", embedded)
        mixed += linear(weights, "from_context", context)
        if counts is not None:
            mixed += linear(weights, "from_counts", counts)
        logits.append(linear(weights, "classifier", mixed))
        attentions.append(attention)
        spent = spent + attention
    return np.array(logits), np.array(attentions)


@pytest.mark.parametrize("counting", [True, False])
def test_the_decoder_computes_its_formulas(counting: bool) -> None:
    """Logits and attention of whole sequences equal the formulas in loops, for pictures of two sizes."""
    model = randomised(CanModel(7, replace(SMALL, counting=counting)))
    model.attention.score.weight.data *= 4  # attention that is somewhere, not everywhere
    data, padding, grid = features_of(SIZES, model.encoder.channels)
    counts = torch.rand(2, 3, 7) * 2 if counting else None

    output = model(Features(data, padding, grid, counts=counts), TOKENS)

    for i, tokens in enumerate(TOKENS.tolist()):
        seen = None if counts is None else counts[i, 2].double().numpy()
        picture = data[i].view(*grid, -1).double().numpy()
        logits, attention = literal(model, picture, SIZES[i], tokens, seen)
        assert_close(output.logits[i].double(), torch.from_numpy(logits), atol=1e-5, rtol=1e-5)
        assert_close(
            output.attention[i].view(-1, *grid).double(), torch.from_numpy(attention), atol=1e-5, rtol=1e-5
        )
        assert np.abs(np.diff(attention, axis=0)).max() > 0.02  # it moves


@pytest.mark.parametrize("kernel", [3, 5])
def test_a_counting_branch_computes_its_formulas(kernel: int) -> None:
    """Convolution, channel attention and classes equal the formulas in loops, for pictures of two sizes."""
    branch = randomised(CountingBranch(6, 32, 5, kernel))
    data, padding, grid = features_of(SIZES, 6)

    maps = branch(data.transpose(1, 2).reshape(2, 6, *grid), (~padding).float().view(2, 1, *grid))

    weights = {f"branch.{name}": value for name, value in weights_of(branch).items()}
    for i in range(2):
        picture = data[i].T.view(6, *grid).double().numpy()
        expected = counting_maps(weights, "branch", picture, ~padding[i].view(grid).numpy())
        assert_close(maps[i].double(), torch.from_numpy(expected), atol=1e-5, rtol=1e-5)


def test_counts_are_those_of_both_branches_and_their_mean() -> None:
    """Each branch sums its map over the picture; the third count is the mean, and its map the mean map."""
    model = randomised(CanModel(7, SMALL))
    images, padding = test_models.pictures((32, 64), (24, 40))

    features = model.encode(images, padding)

    assert features.counts.shape == (2, 3, 7)
    weights = weights_of(model)
    for i in range(2):
        grid = features.data[i].T.reshape(-1, *features.grid).detach().double().numpy()
        inside = ~features.padding[i].view(features.grid).numpy()
        maps = np.array([counting_maps(weights, f"counters.{k}", grid, inside) for k in (0, 1)])
        counts = maps.sum(axis=(2, 3))
        expected = torch.from_numpy(np.array([*counts, (counts[0] + counts[1]) / 2]))
        assert_close(features.counts[i].double(), expected, atol=1e-5, rtol=1e-5)
        found = model.counting_maps(features)[i].view(7, *features.grid)
        assert_close(found.double(), torch.from_numpy(maps.mean(axis=0)), atol=1e-5, rtol=1e-5)


def test_without_counting_there_are_neither_counts_nor_maps() -> None:
    """The network without counting gives no counts and refuses to show maps."""
    model = CanModel(7, replace(SMALL, counting=False)).eval()

    features = model.encode(*test_models.pictures((32, 64)))

    assert features.counts is None
    with pytest.raises(ValueError, match="no counting maps"):
        model.counting_maps(features)


def test_networks_have_the_published_numbers_of_parameters() -> None:
    """CAN has 16,838,280 parameters at 111 tokens: 2,979,288 see, 12,089,408 count and 1,769,584 write."""
    model = CanModel(111, CanOptions())
    seeing, counting, all_of_them = (
        sum(weight.numel() for weight in part.parameters()) for part in (model.encoder, model.counters, model)
    )

    assert (seeing, counting, all_of_them - seeing - counting) == (2_979_288, 12_089_408, 1_769_584)
    without = CanModel(111, CanOptions(counting=False))
    assert sum(weight.numel() for weight in without.parameters()) == 16_838_280 - 12_089_408 - 112 * 256


CHECKS = (
    test_models.test_stepping_equals_teacher_forcing,
    test_models.test_padding_changes_nothing,
    test_models.test_selected_hypotheses_go_on_as_their_parents_would,
)


@pytest.mark.parametrize("check", CHECKS)
def test_the_network_without_counting_does_what_every_family_must(
    check: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without counting the family passes the tests of all families as well."""
    monkeypatch.setitem(tiny_models.TINY, "can", replace(SMALL, counting=False))

    check("can")


@pytest.mark.parametrize("counting", [True, False])
def test_networks_export(counting: bool) -> None:
    """The exported graphs compute what the network does, at sizes and lengths they were not traced with."""
    pytest.importorskip("onnx")
    from inktex.export.onnx import export

    vocabulary = Vocabulary.build([list("abcdefgh")])
    model = randomised(CanModel(len(vocabulary), replace(SMALL, counting=counting)))

    bundle = export(model, vocabulary, Metadata("can", 32, 16.0, model.stride), weights="float32")

    assert bundle.metadata.deviation < 1e-4


def test_every_weight_learns() -> None:
    """Training on tokens and counts reaches every parameter."""
    model = CanModel(7, SMALL).train()
    features = model.encode(*test_models.pictures((32, 48), (24, 64)))

    (model(features, TOKENS).logits.square().sum() + features.counts[:, :2].sum()).backward()

    idle = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert idle in ([], ["attention.score.bias"])  # which the softmax cancels, up to rounding
