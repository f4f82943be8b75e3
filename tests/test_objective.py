"""What training minimises, against numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from torch.testing import assert_close

from inktex.data.batches.batching import NO_TARGET, Batch
from inktex.data.batches.bucketing import BatchOptions
from inktex.models.families import FAMILIES
from inktex.models.interface import Features, Output
from inktex.training.config import ObjectiveOptions, TrainConfig
from inktex.training.module import TrainingModule, teacher_forced
from inktex.training.objective import (
    Losses,
    Objective,
    attention_loss,
    counting_loss,
    distillation_loss,
    free_run,
)
from inktex.vocabulary import END, Vocabulary
from tiny_models import TINY

LABEL = (r"\frac", "{", "a", "}", "{", "2", "}", "+", "a", "^", "{", r"\leq", "}", r"\geq", "a")
VOCABULARY = Vocabulary.build([LABEL])


def ids(*tokens: str) -> list[int]:
    """The ids of tokens, special ones too."""
    return [VOCABULARY.tokens.index(token) for token in tokens]


def batch_of(inputs: Any, targets: Any, pictures: int, cells: Any = None) -> Batch:
    """A batch of blank pictures of one cell."""
    targets = torch.tensor(targets)
    return Batch(
        images=torch.zeros(pictures, 1, 8, 8),
        padding=torch.zeros(pictures, 8, 8, dtype=torch.bool),
        inputs=torch.tensor(inputs),
        targets=targets,
        token_symbol=torch.full_like(targets, -1),
        symbol_cells=torch.zeros(pictures, 0, 1, dtype=torch.bool) if cells is None else cells,
        symbol_class=torch.zeros(pictures, 0, dtype=torch.long),
    )


def random_batch(model: Any, rows: int, length: int) -> tuple[Features, Batch]:
    """Features of two random pictures, and random labels of them."""
    torch.manual_seed(3)
    images, padding = (torch.rand(2, 1, 32, 64) > 0.8).float(), torch.zeros(2, 32, 64, dtype=torch.bool)
    tokens = torch.randint(3, 13, (rows, length))
    batch = batch_of(tokens.tolist(), tokens.tolist(), 2, torch.zeros(2, 1, 32, dtype=torch.bool))
    batch = batch._replace(images=images, padding=padding, symbol_class=torch.zeros(2, 1, dtype=torch.long))
    return model.encode(images, padding), batch


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_cross_entropy_is_the_sum_or_the_mean_over_tokens(reduction: str, smoothing: float) -> None:
    """Three tokens of two labels, each -(1 - s) log p(target) - s mean(log p); no target, no cost."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 2, len(VOCABULARY)))
    targets = [[5, 6], [7, NO_TARGET]]
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    each = [
        -(1 - smoothing) * log_p[row, place, targets[row][place]] - smoothing * log_p[row, place].mean()
        for row, place in ((0, 0), (0, 1), (1, 0))
    ]
    options = ObjectiveOptions(label_smoothing=smoothing, reduction=reduction, attention=0)

    output = Output(torch.tensor(logits), torch.zeros(2, 2, 1))
    features = Features(torch.zeros(2, 1, 4), torch.zeros(2, 1, dtype=torch.bool), (1, 1))
    losses = Objective(VOCABULARY, options, 16)(features, output, batch_of(targets, targets, 2))

    assert losses.tokens.item() == pytest.approx(sum(each) if reduction == "sum" else np.mean(each), rel=1e-5)
    assert losses[1:] == (None,) * 5


def test_structure_keeps_structure_and_blanks_the_rest() -> None:
    """Worked by hand: braces, scripts, fractions, operators and the end stay; symbols become padding, and so
    does ``\\leq``, which the published list lacks."""
    expected = (r"\frac", "{", "<pad>", "}", "{", "<pad>", "}", "+", "<pad>", "^", "{", "<pad>", "}", r"\geq")
    targets = torch.tensor([[*ids(*LABEL), *ids(END), NO_TARGET]])

    found = Objective(VOCABULARY, ObjectiveOptions(), 16).structure_targets(targets)

    assert found.tolist() == [[*ids(*expected), *ids("<pad>", END), NO_TARGET]]


def test_symbols_are_counted_and_structure_is_not() -> None:
    """The label holds three a, and one each of 2, +, fraction, \\leq and \\geq; braces are no symbols."""
    targets = torch.tensor([[*ids(*LABEL), *ids(END), NO_TARGET]])

    (found,) = Objective(VOCABULARY, ObjectiveOptions(), 16).numbers(targets).tolist()

    seen = {VOCABULARY.tokens[index]: number for index, number in enumerate(found) if number}
    assert seen == {"a": 3, "2": 1, "+": 1, r"\frac": 1, r"\leq": 1, r"\geq": 1}


def test_counting_error_is_smooth_l1_summed_over_the_counters() -> None:
    """Errors 0.5 and 2 cost 0.5 x 0.25 and 2 - 0.5; each counter's mean is over pictures and classes."""
    counts = torch.tensor([[[1.5, 0.0], [1.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]])  # [2 pictures, 2 counters, 2]
    numbers = torch.tensor([[1, 0], [0, 0]])

    first, second = (0.125 + 0 + 0 + 0) / 4, (0 + 1.5 + 0 + 0) / 4

    assert counting_loss(counts, numbers).item() == pytest.approx(first + second)


def test_parts_are_weighed_by_their_options() -> None:
    """The total is the sum of weight times part, over the parts there are."""
    options = ObjectiveOptions(
        lambda_1=2, lambda_2=3, counting=5, symbol_map=7, attention=11, distillation=13
    )
    one, ten = torch.tensor(1.0), torch.tensor(10.0)

    assert Losses(one, ten, None, one, ten, ten).total(options).item() == 2 + 30 + 7 + 110 + 130
    assert Losses(one).total(options).item() == 2


@pytest.mark.parametrize(
    ("family", "weights", "computed"),
    [
        ("hmer_mtl", {}, {"structure", "attention"}),
        ("hmer_mtl", {"lambda_2": 0}, {"attention"}),
        ("can", {}, {"counting", "attention"}),
        ("can", {"counting": 0, "attention": 0}, set()),
        ("inktex", {}, {"symbol_map", "attention"}),
        ("inktex", {"symbol_map": 0, "attention": 0}, set()),
    ],
)
def test_only_what_a_family_gives_and_a_weight_asks_for_is_computed(
    family: str, weights: dict[str, float], computed: set[str]
) -> None:
    """Each family has the parts of its own, and weight 0 takes them away."""
    model = FAMILIES[family].build(13, TINY[family]).eval()
    features, batch = random_batch(model, 2, 4)
    vocabulary = Vocabulary.build([list("abcdefghij")])

    objective = Objective(vocabulary, ObjectiveOptions(**weights), model.stride)
    losses = objective(features, model(features, batch.inputs), batch)

    assert {name for name, part in losses._asdict().items() if part is not None} == {"tokens"} | computed


@pytest.mark.parametrize("directions", [1, 2])
def test_both_drawings_are_held_to_what_the_teacher_reads_of_one(directions: int) -> None:
    """Of two inks, each drawn twice: the mean of sum(p log(p / q)) over all known tokens of both drawings, p
    of the teacher's one reading, in every direction."""
    generator = torch.Generator().manual_seed(directions)
    logits = torch.randn(directions * 4, 3, 5, generator=generator)
    taught = torch.randn(directions * 2, 3, 5, generator=generator)
    targets = torch.tensor([[1, 2, 3], [4, 3, NO_TARGET]] * 2 * directions)

    costs = []
    for row, places in enumerate([3, 2] * 2 * directions):  # the rows of a direction: ink 0, 1, 0, 1
        teacher = row // 4 * 2 + row % 2
        for place in range(places):
            p, q = (np.exp(each.double().numpy()) for each in (taught[teacher, place], logits[row, place]))
            p, q = p / p.sum(), q / q.sum()
            costs.append((p * np.log(p / q)).sum())

    assert distillation_loss(logits, taught, targets, 4).item() == pytest.approx(np.mean(costs), rel=1e-5)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_attention_is_guided_to_the_positions_that_a_symbol_touches(stride: int) -> None:
    """On 5 x 7 cells a symbol in cells (1, 2) and (4, 6): the cost is -log of the attention on the positions
    that these lie in, whatever the network's stride."""
    cells = torch.zeros(1, 1, 5, 7, dtype=torch.bool)
    cells[0, 0, 1, 2] = cells[0, 0, 4, 6] = True
    batch = batch_of([[3]], [[3]], 1, cells.flatten(2))._replace(
        images=torch.zeros(1, 1, 40, 56), token_symbol=torch.tensor([[0]])
    )
    rows, columns = -(-40 // stride), -(-56 // stride)
    attention = torch.rand(1, 1, rows, columns, generator=torch.Generator().manual_seed(stride)) / 9

    touched = {(row * 8 // stride, column * 8 // stride) for row, column in ((1, 2), (4, 6))}
    expected = -np.log(sum(attention[0, 0, row, column].item() for row, column in touched) + 1e-4)

    assert attention_loss(attention.flatten(2), batch, stride).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("directions", [1, 2])
def test_attention_is_guided_in_every_direction_of_reading(directions: int) -> None:
    """The cost is the mean of -log of the attention on the cells of the token's symbol, over tokens that have
    one, however often a picture's labels are read."""
    attention = torch.tensor([[[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]] * directions)  # [r, 2, 3]
    cells = torch.tensor([[[True, True, False]]])  # one symbol in the first two of three cells
    batch = batch_of([[3, 4]], [[3, 4]], 1, cells)._replace(
        token_symbol=torch.tensor([[0, -1], [-1, 0]][:directions]), images=torch.zeros(1, 1, 8, 24)
    )

    own = [0.5 + 0.3, 0.1 + 0.1][:directions]

    assert attention_loss(attention, batch).item() == pytest.approx(-np.mean(np.log(own)), abs=1e-3)


def test_coarse_positions_are_a_symbols_if_one_of_their_cells_is() -> None:
    """At twice the stride four cells make a position; what is left over at the edges makes positions too."""
    cells = torch.zeros(1, 1, 3, 5, dtype=torch.bool)
    cells[0, 0, 1, 1] = cells[0, 0, 2, 4] = True  # in the first position of six, and in the last
    batch = batch_of([[3]], [[3]], 1, cells.flatten(2))._replace(
        token_symbol=torch.tensor([[0]]), images=torch.zeros(1, 1, 24, 40)
    )
    attention = torch.tensor([[[0.25, 0.05, 0.1, 0.2, 0.3, 0.1]]])

    assert attention_loss(attention, batch, 16).item() == pytest.approx(-np.log(0.25 + 0.1), abs=1e-3)


@pytest.mark.parametrize("family", ["inktex", "can", "hmer_mtl", "wap", "resnet_lstm", "im2latex"])
def test_free_running_equals_reading_what_was_written(family: str) -> None:
    """Decoding freely gives the logits of the teacher-forced pass over the very tokens that it chose."""
    torch.manual_seed(0)
    model = FAMILIES[family].build(13, TINY[family]).eval()
    features, batch = random_batch(model, 2, 6)

    free = free_run(model, features, batch.inputs)

    written = torch.cat([batch.inputs[:, :1], free.logits.argmax(-1)[:, :-1]], dim=1)
    forced = model(features, written)
    assert_close(free.logits, forced.logits, rtol=1e-4, atol=1e-4)
    assert_close(free.attention, forced.attention, rtol=1e-4, atol=1e-4)
    assert (written[:, 1:] != batch.inputs[:, 1:]).any()


@pytest.mark.parametrize(("ratio", "share"), [(1.0, 0), (0.0, 40), (0.5, 20)])
def test_the_ratio_says_how_many_batches_run_freely(
    ratio: float, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 40 steps none, all or about half feed the decoder its own tokens, as their losses show."""
    vocabulary = Vocabulary.build([list("abcdefghij")])
    options = ObjectiveOptions(teacher_forcing_ratio=ratio, symbol_map=0.0, attention=0.0)
    config = TrainConfig("inktex", TINY["inktex"], batch=BatchOptions(both_ways=False), objective=options)
    module = TrainingModule(config, vocabulary).eval()
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    features, batch = random_batch(module.model, 2, 5)
    free, forced = free_run(module.model, features, batch.inputs), module.model(features, batch.inputs)
    losses = [module.objective(features, output, batch).total(options).item() for output in (free, forced)]

    ran_freely = 0
    for step in range(40):
        monkeypatch.setattr(TrainingModule, "global_step", step)
        found = module.training_step(batch, step).item()
        assert any(found == pytest.approx(loss, rel=1e-4) for loss in losses)
        ran_freely += found == pytest.approx(losses[0], rel=1e-4)

    assert abs(losses[0] - losses[1]) > 1e-2
    assert abs(ran_freely - share) <= (10 if 0 < ratio < 1 else 0)


def test_labels_become_inputs_and_targets() -> None:
    """Worked by hand: one shifted against the other, padded, cut, and silent of tokens that are not known."""
    vocabulary = Vocabulary.build([["a", "b"]])  # a is 3, b is 4

    inputs, targets = teacher_forced([("a", "b", "?"), ("b",)], vocabulary, 3)

    assert inputs.tolist() == [[1, 3, 4], [1, 4, 0]]
    assert targets.tolist() == [[3, 4, NO_TARGET], [4, 2, NO_TARGET]]
