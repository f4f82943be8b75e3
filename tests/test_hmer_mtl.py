"""HMER-MTL, CoMER and BTTR, against slow transcriptions of their formulas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from numpy.typing import NDArray
from torch.testing import assert_close

import test_models
import tiny_models
from inktex.errors import ConfigError
from inktex.models.hmer_mtl import HmerMtlModel, HmerMtlOptions
from inktex.models.interface import Features
from inktex.models.layers import MaskedBatchNorm, grid_positions
from inktex.models.refinement import AttentionRefinement, BlockAttention
from inktex.recognition.metadata import Metadata
from inktex.vocabulary import Vocabulary

Array = NDArray[np.float64]
Weights = dict[str, Array]

TINY = HmerMtlOptions(4, 1, 0.0, 16, 3, 2, 24, 0.0, 6, max_length=32)
COMER = replace(TINY, cbam=False, structure_head=False)
VARIANTS = {
    "HMER-MTL": TINY,
    "CoMER": COMER,
    "self-coverage": replace(COMER, cross_coverage=False),
    "cross-coverage": replace(COMER, self_coverage=False),
    "BTTR": replace(COMER, cross_coverage=False, self_coverage=False),
}
VOCABULARY_SIZE = 11


def randomised(module: Any) -> Any:
    """Give every parameter and statistic a random value of some size and return it in evaluation mode."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * (0.5 if parameter.ndim == 1 else 0.3))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.uniform_(-0.5, 0.5)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
    return module.eval()


def weights_of(module: Any) -> Weights:
    return {name: value.double().numpy() for name, value in module.state_dict().items()}


def below(weights: Weights, prefix: str) -> Weights:
    """The weights of a part, by their names within it."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def linear(weights: Weights, name: str, data: Array) -> Array:
    return weights[f"{name}.weight"] @ data + weights[f"{name}.bias"]


def layer_norm(weights: Weights, name: str, data: Array) -> Array:
    normal = (data - data.mean()) / np.sqrt(data.var() + 1e-5)
    return normal * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def softmax(scores: Array, padding: Any) -> Array:
    """Of scores [p]; 0 in padding [p]."""
    spread = np.where(padding, 0, np.exp(scores - scores[~padding].max()))
    return spread / spread.sum()


def sigmoid(data: Array) -> Array:
    return 1 / (1 + np.exp(-data))


def convolve(grid: Array, kernel: Array, bias: Array | None = None) -> Array:
    """[c, rows, columns] by a kernel [d, c, k, k] -> [d, rows, columns], one product after the other."""
    (_, rows, columns), half = grid.shape, kernel.shape[2] // 2
    result = np.zeros((len(kernel), rows, columns))
    for d in range(len(kernel)):
        for y in range(rows):
            for x in range(columns):
                result[d, y, x] = 0 if bias is None else bias[d]
                for i in range(kernel.shape[2]):
                    for j in range(kernel.shape[3]):
                        row, column = y + i - half, x + j - half
                        if 0 <= row < rows and 0 <= column < columns:
                            result[d, y, x] += kernel[d, :, i, j] @ grid[:, row, column]
    return result


def batch_norm(weights: Weights, name: str, grid: Array) -> Array:
    """Of a grid [c, rows, columns] by running statistics."""
    result = np.zeros_like(grid)
    for c in range(len(grid)):
        mean, variance = weights[f"{name}.running_mean"][c], weights[f"{name}.running_var"][c]
        normal = (grid[c] - mean) / np.sqrt(variance + 1e-5)
        result[c] = normal * weights[f"{name}.weight"][c] + weights[f"{name}.bias"][c]
    return result


def block_attention(weights: Weights, grid: Array, padding: Any) -> Array:
    """CBAM (Woo et al. 2018, equations 1 to 3): M_s(F') * F' where F' = M_c(F) * F."""

    def perceptron(pooled: Array) -> Array:
        return linear(weights, "channels.2", np.maximum(linear(weights, "channels.0", pooled), 0))

    places = grid[:, ~padding]  # [c, positions inside]
    channel_weights = sigmoid(perceptron(places.mean(1)) + perceptron(places.max(1)))
    weighed = grid * channel_weights[:, None, None]
    pooled = np.stack([weighed.mean(0), weighed.max(0)])
    pooled[:, padding] = 0
    position_weights = sigmoid(batch_norm(weights, "norm", convolve(pooled, weights["positions.weight"])))
    return weighed * position_weights


def refinement_before_norm(weights: Weights, coverage: Array, padding: Any) -> Array:
    """ARM (CoMER, section 3.3) of a coverage [c, rows, columns], up to its normalisation."""
    grid = convolve(coverage, weights["convolution.weight"], weights["convolution.bias"])
    grid = np.maximum(grid, 0)
    if "block_attention.positions.weight" in weights:
        grid = block_attention(below(weights, "block_attention."), grid, padding)
    grid[:, padding] = 0
    return convolve(grid, weights["to_heads.weight"])


def attended(weights: Weights, name: str, query: Array, memory: list[Array], heads: int) -> Array:
    """Scores [h, p] of a query [d] with each of a memory of [d] (Vaswani et al. 2017, equation 1)."""
    query, size = linear(weights, f"{name}.query", query), len(query) // heads
    scores = np.zeros((heads, len(memory)))
    for p, data in enumerate(memory):
        key = linear(weights, f"{name}.key", data)
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores[head, p] = query[part] @ key[part] / np.sqrt(size)
    return scores


def mixed(weights: Weights, name: str, attention: list[Array], memory: list[Array]) -> Array:
    """What attention [h][p] reads from a memory of [d]."""
    result, size = np.zeros_like(memory[0]), len(memory[0]) // len(attention)
    for p, data in enumerate(memory):
        value = linear(weights, f"{name}.value", data)
        for head, shares in enumerate(attention):
            part = slice(head * size, (head + 1) * size)
            result[part] += shares[p] * value[part]
    return linear(weights, f"{name}.output", result)


def embedded(weights: Weights, token: int, time: int) -> Array:
    """A token and its place (Vaswani et al. 2017, section 3.5)."""
    data = layer_norm(weights, "embedding.1", weights["embedding.0.weight"][token])
    for i in range(0, len(data), 2):
        data[i] += np.sin(time / 10000 ** (i / len(data)))
        data[i + 1] += np.cos(time / 10000 ** (i / len(data)))
    return layer_norm(weights, "positions_norm", data)


class Transcription:
    """The decoder, one token after the other, on one picture.

    Features are [p] of [d], padding is [rows, columns]; ``spent`` holds of each layer [c, rows, columns].
    """

    def __init__(self, model: HmerMtlModel, features: Any, padding: Any) -> None:
        self.options, self.weights = model.options, weights_of(model)
        self.features, self.padding = [*features.double().numpy()], padding.numpy()
        self.before: list[list[Array]] = [[] for _ in range(self.options.layers)]
        channels = self.options.heads * (self.options.cross_coverage + self.options.self_coverage)
        self.spent = [np.zeros((channels, *self.padding.shape)) for _ in range(self.options.layers)]

    def read(self, token: int, time: int) -> tuple[Array, Array]:
        """Return the result [d] and the last layer's attention [h, p]."""
        data = embedded(self.weights, token, time)
        attention: list[Array] = []
        for index in range(self.options.layers):
            layer = below(self.weights, f"layers.{index}.")
            memory = self.before[index]
            memory.append(data)
            scores = attended(layer, "self_attention", data, memory, self.options.heads)
            shares = [softmax(row, np.zeros(len(row), bool)) for row in scores]
            data = layer_norm(layer, "self_norm", data + mixed(layer, "self_attention", shares, memory))
            scores = attended(layer, "cross_attention", data, self.features, self.options.heads)
            attention = self.refined(index, scores, attention)
            seen = mixed(layer, "cross_attention", attention, self.features)
            data = layer_norm(layer, "cross_norm", data + seen)
            inner = np.maximum(linear(layer, "feed_forward.0", data), 0)
            data = layer_norm(layer, "norm", data + linear(layer, "feed_forward.3", inner))
        return data, np.array(attention)

    def refined(self, index: int, scores: Array, attention_below: list[Array]) -> list[Array]:
        """Attention [h] of [p] after the refinement of all layers but the first (CoMER, section 3.4)."""
        outside = self.padding.ravel()
        attention = [softmax(row, outside) for row in scores]
        now = attention_below * self.options.cross_coverage + attention * self.options.self_coverage
        if index == 0 or not now:
            return attention
        weights = below(self.weights, "refinement.")
        refinement = refinement_before_norm(weights, self.spent[index], self.padding)
        refinement = batch_norm(weights, "norm", refinement).reshape(scores.shape)
        self.spent[index] = self.spent[index] + np.array(now).reshape(self.spent[index].shape)
        return [softmax(row, outside) for row in scores - refinement]


def grid_padding(rows: int, columns: int, sizes: list[tuple[int, int]]) -> Any:
    """Padding [b, rows, columns] of grids of the given sizes."""
    padding = torch.ones(len(sizes), rows, columns, dtype=torch.bool)
    for i, (height, width) in enumerate(sizes):
        padding[i, :height, :width] = False
    return padding


def distributions(padding: Any, heads: int, steps: int, seed: int) -> Any:
    """Random attention [b, h, t, p], 0 in padding."""
    generator = torch.Generator().manual_seed(seed)
    scores = 2 * torch.randn(len(padding), heads, steps, padding[0].numel(), generator=generator)
    return scores.masked_fill(padding.flatten(1)[:, None, None], -torch.inf).softmax(-1)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_decoder_computes_the_published_formulas(name: str) -> None:
    """Logits, structure and attention are those of a literal transcription, with padding in the picture."""
    model = randomised(HmerMtlModel(VOCABULARY_SIZE, VARIANTS[name]))
    padding = grid_padding(3, 5, [(3, 5), (2, 4)])
    data = torch.randn(2, 15, 16, generator=torch.Generator().manual_seed(5))
    tokens = [[1, 4, 9, 4, 6], [2, 7, 3, 3, 8]]

    output = model(Features(data, padding.flatten(1), (3, 5)), torch.tensor(tokens))

    weights = weights_of(model)
    for i in range(2):
        slow = Transcription(model, data[i], padding[i])
        results, attention = zip(*(slow.read(token, t) for t, token in enumerate(tokens[i])), strict=True)
        logits = np.array([linear(weights, "classifier", result) for result in results])
        np.testing.assert_allclose(output.logits[i].detach().numpy(), logits, atol=1e-5)
        np.testing.assert_allclose(
            output.attention[i].detach().numpy(), np.mean(attention, axis=1), atol=1e-5
        )
        if VARIANTS[name].structure_head:
            structure = np.array([linear(weights, "structure", result) for result in results])
            np.testing.assert_allclose(output.structure[i].detach().numpy(), structure, atol=1e-5)
    assert (output.structure is not None) == VARIANTS[name].structure_head


@pytest.mark.parametrize("name", VARIANTS)
def test_the_state_holds_what_was_spent(name: str) -> None:
    """After some steps the coverage of every refined layer is the transcription's sum over those steps."""
    model = randomised(HmerMtlModel(VOCABULARY_SIZE, VARIANTS[name]))
    padding = grid_padding(2, 4, [(2, 3)])
    data = torch.randn(1, 8, 16, generator=torch.Generator().manual_seed(6))
    memory, state = model.start(Features(data, padding.flatten(1), (2, 4)))
    slow = Transcription(model, data[0], padding[0])
    for time, token in enumerate((2, 9, 9)):
        state = model.step(torch.tensor([token]), memory, state).state
        slow.read(token, time)

    assert len(state.coverage) == (0 if name == "BTTR" else 2)
    for coverage, spent in zip(state.coverage, slow.spent[1:], strict=False):
        np.testing.assert_allclose(coverage[0].detach().numpy(), spent, atol=1e-5)


@pytest.mark.parametrize("cbam", [True, False])
def test_refinement_in_training_is_normalised_over_all_steps_and_pictures(cbam: bool) -> None:
    """Training statistics are of the positions inside, of every step of every picture, and are remembered."""
    module = randomised(AttentionRefinement(3, 4, True, True, cbam))
    weights = weights_of(module)
    module.norm.train()
    padding = grid_padding(3, 4, [(3, 4), (2, 3)])
    below_it, own = distributions(padding, 3, 4, seed=1), distributions(padding, 3, 4, seed=2)

    result, _ = module(below_it, own, torch.zeros(2, 6, 3, 4), padding.flatten(1))

    grids, inside = np.zeros((2, 4, 3, 3, 4)), ~padding.numpy()
    both = torch.cat([below_it, own], dim=1).double().numpy().reshape(2, 6, 4, 3, 4)
    for i in range(2):
        for time in range(4):
            coverage = both[i, :, :time].sum(1)
            grids[i, time] = refinement_before_norm(weights, coverage, padding[i].numpy())
    for head in range(3):
        values = np.concatenate([grids[i, :, head][:, inside[i]].ravel() for i in range(2)])
        normal = (grids[:, :, head] - values.mean()) / np.sqrt(values.var() + 1e-5)
        expected = normal * weights["norm.weight"][head] + weights["norm.bias"][head]
        for i in range(2):
            given = result[i, head].detach().view(4, 3, 4).numpy()
            np.testing.assert_allclose(given[:, inside[i]], expected[i][:, inside[i]], atol=1e-5)
        mean = 0.9 * weights["norm.running_mean"][head] + 0.1 * values.mean()
        variance = 0.9 * weights["norm.running_var"][head] + 0.1 * values.var(ddof=1)
        assert module.norm.running_mean[head].item() == pytest.approx(mean, abs=1e-5)
        assert module.norm.running_var[head].item() == pytest.approx(variance, abs=1e-5)


def test_block_attention_computes_the_published_formulas() -> None:
    """Channel and position weights are those of a literal transcription, pooled over what lies inside."""
    module = randomised(BlockAttention(6))
    padding = grid_padding(4, 9, [(4, 9), (3, 5)])
    grid = torch.rand(2, 6, 4, 9, generator=torch.Generator().manual_seed(7)) * 3
    inside = (~padding)[:, None].float()

    given = module(grid * inside, inside).detach().numpy()

    for i in range(2):
        expected = block_attention(weights_of(module), grid[i].double().numpy(), padding[i].numpy())
        expected[:, padding[i].numpy()] = 0
        np.testing.assert_allclose(given[i], expected, atol=1e-5)


def test_batch_normalisation_is_pytorchs_on_the_positions_inside() -> None:
    """Results, gradients and running statistics equal those of PyTorch's layer on those positions."""
    own, other = MaskedBatchNorm(3), torch.nn.BatchNorm1d(3)
    padding = grid_padding(4, 5, [(4, 5), (1, 3)])
    inside = (~padding)[:, None].float()
    for seed in range(3):
        grid = 2 + 3 * torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed))
        grids = [grid.clone().requires_grad_() for _ in range(2)]
        given = own(grids[0], inside)
        expected = other(grids[1].movedim(1, -1)[~padding])
        given.square().sin().sum().backward()
        expected.square().sin().sum().backward()

        assert_close(given.movedim(1, -1)[~padding], expected, atol=1e-5, rtol=1e-5)
        assert_close(grids[0].grad, grids[1].grad, atol=1e-5, rtol=1e-4)
        assert not given.masked_select(padding[:, None]).any()
    assert_close(own.running_mean, other.running_mean)
    assert_close(own.running_var, other.running_var)
    assert_close(own.weight.grad, other.weight.grad, atol=1e-4, rtol=1e-4)


def test_grid_positions_are_shares_of_the_pictures_own_sides() -> None:
    """Sines and cosines of 2 pi x / columns, then of 2 pi y / rows, counted from 1 within each picture."""
    sizes = [(3, 4), (2, 3)]

    given = grid_positions(grid_padding(3, 4, sizes), 8).numpy()

    for i, (rows, columns) in enumerate(sizes):
        for y in range(rows):
            for x in range(columns):
                expected = []
                for place in ((x + 1) / columns, (y + 1) / rows):
                    for k in range(2):
                        angle = 2 * np.pi * place / 10000 ** (2 * k / 4)
                        expected += [np.sin(angle), np.cos(angle)]
                np.testing.assert_allclose(given[i, y, x], expected, atol=1e-5)


def count(vocabulary_size: int, options: HmerMtlOptions) -> int:
    model = HmerMtlModel(vocabulary_size, options)
    return sum(parameter.numel() for parameter in model.parameters())


def test_networks_have_the_published_numbers_of_parameters() -> None:
    """HMER-MTL has 6,420,024 parameters at 114 tokens, CoMER 6,389,041 at 113, BTTR as many less ARM's."""
    comer = HmerMtlOptions(cbam=False, structure_head=False)
    convolution, to_heads, norm = 5 * 5 * 16 * 32 + 32, 32 * 8, 2 * 8

    assert count(114, HmerMtlOptions()) == 6_420_024
    assert count(113, comer) == 6_389_041
    assert count(113, replace(comer, cross_coverage=False, self_coverage=False)) == (
        6_389_041 - convolution - to_heads - norm
    )
    one_kind = 6_389_041 - 5 * 5 * 8 * 32
    assert count(113, replace(comer, cross_coverage=False)) == one_kind
    assert count(113, replace(comer, self_coverage=False)) == one_kind


SHARED = (
    test_models.test_stepping_equals_teacher_forcing,
    test_models.test_padding_changes_nothing,
    test_models.test_logits_depend_on_earlier_tokens_alone,
    test_models.test_selected_hypotheses_go_on_as_their_parents_would,
    test_models.test_attention_is_a_distribution_over_the_picture,
    test_models.test_stepping_reports_the_attention_of_the_whole_pass,
)


@pytest.mark.parametrize("check", SHARED, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ["CoMER", "self-coverage", "BTTR"])
def test_the_forerunners_do_what_every_family_must(
    check: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CoMER, with one coverage as well, and BTTR pass what the tests of all families ask."""
    monkeypatch.setitem(tiny_models.TINY, "hmer_mtl", VARIANTS[name])

    check("hmer_mtl")


@pytest.mark.parametrize("name", ["HMER-MTL", "CoMER", "BTTR"])
def test_networks_export(name: str) -> None:
    """The exported graphs compute what the network does, at sizes and lengths they were not traced with."""
    pytest.importorskip("onnx")
    from inktex.export.onnx import export

    vocabulary = Vocabulary.build([list("abcdefgh")])
    model = randomised(HmerMtlModel(len(vocabulary), VARIANTS[name]))

    bundle = export(model, vocabulary, Metadata("hmer_mtl", 32, 16.0, model.stride), weights="float32")

    assert bundle.metadata.deviation < 1e-4


def test_every_weight_learns() -> None:
    """Training with both heads reaches every parameter."""
    model = HmerMtlModel(VOCABULARY_SIZE, TINY).train()
    features = model.encode(*test_models.pictures((32, 48), (24, 64)))
    output = model(features, torch.tensor([[1, 4, 5], [2, 3, 3]]))

    (output.logits.square().sum() + output.structure.square().sum()).backward()

    assert not [name for name, weight in model.named_parameters() if weight.grad is None]


def test_dropout_changes_attention_in_training_and_not_the_report() -> None:
    """In training the reported attention is before dropout: it sums to one."""
    model = HmerMtlModel(VOCABULARY_SIZE, replace(TINY, dropout=0.5)).train()
    features = model.encode(*test_models.pictures((32, 48), (24, 64)))

    first, second = (model(features, torch.tensor([[1, 4, 5], [2, 3, 3]])) for _ in range(2))

    assert_close(first.attention.sum(-1), torch.ones(2, 3))
    assert not torch.equal(first.attention, second.attention)


@pytest.mark.parametrize(("width", "heads"), [(250, 5), (256, 6)])
def test_widths_that_cannot_be_divided_are_refused(width: int, heads: int) -> None:
    """A width has to be a multiple of 4, for the positions, and of the number of heads."""
    with pytest.raises(ConfigError, match=f"width must be a multiple of 4 and of heads .*got {width}"):
        HmerMtlOptions(width=width, heads=heads)
