"""What every family of networks must do; each test runs on all of them, at tiny sizes."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor
from torch.testing import assert_close

from inktex.models.families import FAMILIES
from inktex.models.inktex import InktexModel, InktexOptions
from inktex.models.interface import PADDING_ID, Features, select
from inktex.models.layers import GridPosition
from inktex.vocabulary import Vocabulary
from tiny_models import TINY, VOCABULARY


def tiny(family: str) -> Any:
    """Return a small network in evaluation mode whose every parameter and statistic is random."""
    torch.manual_seed(0)
    model = FAMILIES[family].build(VOCABULARY, TINY[family])
    for parameter in model.parameters():
        if parameter.ndim == 1:
            torch.nn.init.uniform_(parameter, 0.2, 1.0)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.uniform_(-0.5, 0.5)
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    return model.eval()


def pictures(*sizes: tuple[int, int], height: int = 0, width: int = 0) -> tuple[Tensor, Tensor]:
    """Return random pictures of the given sizes in one padded batch, with the padding."""
    height = max(height, *(size[0] for size in sizes))
    width = max(width, *(size[1] for size in sizes))
    images, padding = torch.zeros(len(sizes), 1, height, width), torch.ones(len(sizes), height, width).bool()
    for i, (rows, columns) in enumerate(sizes):
        images[i, 0, :rows, :columns] = torch.rand(rows, columns, generator=torch.Generator().manual_seed(i))
        padding[i, :rows, :columns] = False
    return images, padding


def stepwise(model: Any, features: Features, tokens: Tensor) -> Tensor:
    """Return logits [b, t, v], one token at a time."""
    memory, state = model.start(features)
    logits = []
    for token in tokens.T:
        each, _, state = model.step(token, memory, state)
        logits.append(each)
    return torch.stack(logits, dim=1)


def test_the_padding_of_networks_is_that_of_vocabularies() -> None:
    """Networks, which know no vocabulary, take the id of its padding for padding."""
    assert Vocabulary.build([["x"]]).pad_id == PADDING_ID


def test_training_rows_of_padding_change_nothing() -> None:
    """In training the scores of a label's tokens are those it has alone, however long the others are."""
    model = tiny("inktex").train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    features = model.encode(*pictures((24, 32), (24, 32)))
    long = torch.tensor([[1, 4, 5, 12, 3, 7], [2, 9, 0, 0, 0, 0]])

    together = model(features, long).logits
    for row, length in ((0, 6), (1, 2)):
        one = Features(features.data[row : row + 1], features.padding[row : row + 1], features.grid)
        assert_close(together[row, :length], model(one, long[row : row + 1, :length]).logits[0])


def test_features_read_for_both_directions_are_those_repeated() -> None:
    """Twice as many sequences as pictures are scored as if every picture stood there twice."""
    model = tiny("inktex")
    features = model.encode(*pictures((24, 32), (16, 40)))
    tokens = torch.tensor([[1, 4, 5], [1, 7, 8], [2, 5, 4], [2, 8, 7]])
    twice = Features(features.data.repeat(2, 1, 1), features.padding.repeat(2, 1), features.grid)

    assert_close(model(features, tokens).logits, model(twice, tokens).logits)


TOKENS = torch.tensor([[1, 4, 5, 12, 3, 7], [2, 9, 9, 4, 11, 6], [1, 3, 8, 8, 5, 10]])


@pytest.mark.parametrize("family", FAMILIES)
def test_stepping_equals_teacher_forcing(family: str) -> None:
    """Decoding one token at a time gives the logits of the whole-sequence pass."""
    model = tiny(family)
    features = model.encode(*pictures((16, 40), (24, 24), (8, 48)))

    assert_close(stepwise(model, features, TOKENS), model(features, TOKENS).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_changes_nothing(family: str) -> None:
    """A picture alone gives the logits that it gives padded within a larger batch."""
    model = tiny(family)
    together = model(model.encode(*pictures((16, 40), (24, 24), (8, 48), height=40, width=72)), TOKENS).logits

    for i, size in enumerate([(16, 40), (24, 24), (8, 48)]):
        images, padding = pictures((16, 40), (24, 24), (8, 48))
        rows, columns = size
        alone = model.encode(images[i : i + 1, :, :rows, :columns], padding[i : i + 1, :rows, :columns])
        assert_close(model(alone, TOKENS[i : i + 1]).logits[0], together[i], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_depend_on_earlier_tokens_alone(family: str) -> None:
    """Another token at place t changes no logits before t, and those at t."""
    model = tiny(family)
    features = model.encode(*pictures((16, 40), (24, 24), (8, 48)))
    changed = TOKENS.clone()
    changed[:, 3] = 5

    before, after = model(features, TOKENS).logits, model(features, changed).logits

    assert_close(before[:, :3], after[:, :3])
    assert (before[:, 3] - after[:, 3]).abs().max() > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_order_within_a_batch_does_not_matter(family: str) -> None:
    """Pictures in another order give the same logits in that order."""
    model = tiny(family)
    images, padding = pictures((16, 40), (24, 24), (8, 48))
    order = torch.tensor([2, 0, 1])

    straight = model(model.encode(images, padding), TOKENS).logits
    turned = model(model.encode(images[order], padding[order]), TOKENS[order]).logits

    assert_close(turned, straight[order], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_selected_hypotheses_go_on_as_their_parents_would(family: str) -> None:
    """After ``select`` every hypothesis continues like the one it was copied from."""
    model = tiny(family)
    features = model.encode(*pictures((16, 40), (24, 24), (8, 48)))
    memory, state = model.start(features)
    state = model.step(TOKENS[:, 0], memory, state).state
    straight = model.step(TOKENS[:, 1], memory, state).logits
    index = torch.tensor([1, 1, 2, 0])

    chosen = model.step(TOKENS[index, 1], select(memory, index), select(state, index)).logits

    assert_close(chosen, straight[index], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_attention_is_a_distribution_over_the_picture(family: str) -> None:
    """The reported attention sums to one and leaves padding out."""
    model = tiny(family)
    features = model.encode(*pictures((16, 40), (24, 24), (8, 48)))

    attention = model(features, TOKENS).attention

    assert_close(attention.sum(-1), torch.ones(TOKENS.shape), atol=1e-4, rtol=0)
    assert attention.masked_select(features.padding[:, None].expand_as(attention)).max() < 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_stepping_reports_the_attention_of_the_whole_pass(family: str) -> None:
    """A step tells where it looked, as the teacher-forced pass does."""
    model = tiny(family)
    features = model.encode(*pictures((16, 40), (24, 24), (8, 48)))
    memory, state = model.start(features)
    first = model.step(TOKENS[:, 0], memory, state)
    second = model.step(TOKENS[:, 1], memory, first.state)

    whole = model(features, TOKENS).attention

    assert_close(torch.stack([first.attention, second.attention], 1), whole[:, :2], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_saved_and_loaded_network_is_the_same(family: str, tmp_path: Any) -> None:
    """Weights written as safetensors and read back give the same logits, bit for bit."""
    safetensors = pytest.importorskip("safetensors.torch")
    from inktex.training.module import model_weights

    model, other = tiny(family), FAMILIES[family].build(VOCABULARY, TINY[family]).eval()
    safetensors.save_file(model_weights(model), tmp_path / "weights.safetensors")
    other.load_state_dict(safetensors.load_file(tmp_path / "weights.safetensors"))

    images, padding = pictures((16, 40), (24, 24), (8, 48))
    assert torch.equal(
        model(model.encode(images, padding), TOKENS).logits,
        other(other.encode(images, padding), TOKENS).logits,
    )


def test_inktex_is_compact() -> None:
    """The shipped sizes stay within 7 million parameters."""
    model = InktexModel(112, InktexOptions())

    assert sum(parameter.numel() for parameter in model.parameters()) <= 7_000_000


def test_coverage_reaches_later_steps() -> None:
    """What earlier steps attended to changes the scores of later ones: the refinement is not idle."""
    model = tiny("inktex")
    features = model.encode(*pictures((16, 40)))
    with_coverage = model(features, TOKENS[:1]).logits
    for layer in model.layers[1:]:
        torch.nn.init.zeros_(layer.cross_attention.refine[2].weight)
    without = model(features, TOKENS[:1]).logits

    assert_close(with_coverage[:, 0], without[:, 0], atol=1e-5, rtol=1e-4)  # nothing is spent yet
    assert (with_coverage[:, 1:] - without[:, 1:]).abs().max() > 1e-4


def test_positions_of_a_grid_of_any_size_are_sines_and_cosines() -> None:
    """Row and column, each by the formula of Vaswani et al. 2017, far beyond any picture's grid."""
    added = GridPosition(16)(torch.zeros(1, 16, 600, 3))[0]

    for row, column in ((0, 0), (7, 2), (599, 1)):
        expected = [
            function(place / 10000 ** (pair / 4))
            for place in (row, column)
            for function in (math.sin, math.cos)
            for pair in range(4)
        ]
        assert added[:, row, column].tolist() == pytest.approx(expected, abs=1e-4)
