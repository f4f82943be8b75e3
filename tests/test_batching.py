"""Training batches."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inktex.data.batches.augment import draw
from inktex.data.batches.batching import NO_TARGET, Batches, EpochSampler, collate, pad_pictures
from inktex.data.batches.bucketing import BatchOptions
from inktex.data.batches.examples import Example, Limits, prepare_examples
from inktex.data.batches.options import AugmentOptions
from inktex.data.dataset import Sample
from inktex.ink.strokes import Ink, Symbol
from inktex.vocabulary import Vocabulary

VOCABULARY = Vocabulary.build([["a", "b"]])


def sample(name: str, tokens: str, width: float = 1.0) -> Sample:
    strokes = tuple(
        np.array([[30 * i * width, 0], [30 * i * width + 20, 20]], dtype=np.float32)
        for i in range(len(tokens))
    )
    symbols = tuple(Symbol(token, (i,), f"s{i}") for i, token in enumerate(tokens))
    mathml = (
        "<math>" + "".join(f'<mi xml:id="s{i}">{token}</mi>' for i, token in enumerate(tokens)) + "</math>"
    )
    return Sample(name, "train", "test", tuple(tokens), None, Ink(strokes, symbols), "", mathml)


def batches(samples: list[Sample], **options: int) -> Batches:
    examples, left_out = prepare_examples(samples, VOCABULARY, Limits())
    assert not left_out
    return Batches(examples, VOCABULARY, BatchOptions(**options), AugmentOptions(), seed=7)


def epoch_ids(both: Batches, epoch: int) -> list[str]:
    """The ids of what an epoch's batches hold, sorted."""
    examples = both.examples(epoch)
    return sorted(examples[index].id for batch in both.plan(epoch) for index in batch.examples)


def test_a_batch_reads_labels_from_left_to_right_alone_if_asked_to() -> None:
    """Rows of the other direction are left out, and the others stay as they are."""
    samples = [sample("one", "aab"), sample("two", "ba")]

    both, one = batches(samples)[0, 0], batches(samples, both_ways=False)[0, 0]

    for name in ("inputs", "targets", "token_symbol"):
        assert torch.equal(getattr(one, name), getattr(both, name)[: len(one.images)])
    assert torch.equal(one.images, both.images)


def test_larger_symbols_make_larger_batches() -> None:
    """With symbols of 32 px a picture is twice that of 16 px, within a cell and the margins."""
    examples, _ = prepare_examples([sample("one", "aab")], VOCABULARY, Limits())
    large, _ = prepare_examples([sample("one", "aab")], VOCABULARY, Limits(), 32.0)
    options, none = BatchOptions(), AugmentOptions(strength=0)

    usual = Batches(examples, VOCABULARY, options, none, 7)[0, 0].images
    doubled = Batches(large, VOCABULARY, options, none, 7, symbol_px=32.0)[0, 0].images

    assert large[0].shape == pytest.approx([2 * side for side in examples[0].shape], abs=16)
    assert [side % 8 for side in doubled.shape[2:]] == [0, 0]
    extents = [np.ptp(np.flatnonzero((each[0, 0] > 0.5).any(0).numpy())) for each in (usual, doubled)]
    assert extents[1] == pytest.approx(2 * extents[0], abs=3)


def test_a_batch_reads_every_label_in_both_directions() -> None:
    """Inputs begin with their direction's start, targets end with its end, and symbols follow the tokens."""
    both = batches([sample("one", "aab"), sample("two", "aab")])
    examples = [
        both.examples(0)[0],
        both.examples(0)[1]._replace(tokens=VOCABULARY.encode(["b"]), token_symbol=[2]),
    ]
    drawn = draw(examples[0].ink, AugmentOptions(), np.random.default_rng(0))
    batch = collate(examples, [drawn, drawn], VOCABULARY)
    a, b, start, end = (*VOCABULARY.encode(["a", "b"]), VOCABULARY.start_id, VOCABULARY.end_id)
    rows = {tuple(row[row != NO_TARGET].tolist()) for row in batch.targets}

    assert rows == {(a, a, b, end), (b, end), (b, a, a, start), (b, start)}
    assert set(batch.inputs[:2, 0].tolist()) == {start}
    assert set(batch.inputs[2:, 0].tolist()) == {end}
    assert batch.token_symbol[0, :4].tolist() == [0, 1, 2, -1]
    assert batch.token_symbol[2, :4].tolist() == [2, 1, 0, -1]
    assert batch.token_symbol[3, :2].tolist() == [2, -1]
    assert batch.symbol_class[0].tolist() == [a, a, b]
    assert batch.symbol_cells[0].any(dim=1).tolist() == [True, True, True]


def test_batches_depend_on_seed_epoch_and_number_alone() -> None:
    """The same key gives the same bytes from another object, another epoch gives others."""
    samples = [sample(str(i), "ab" * (i + 1)) for i in range(6)]
    first, again = batches(samples, pictures=3), batches(samples, pictures=3)
    again.plan(5)

    for one, other in zip(first[(1, 0)], again[(1, 0)], strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(first[(1, 0)].images, first[(2, 0)].images)


def test_two_pens_draw_every_example_of_a_batch() -> None:
    """Each batch holds, within its limits, the same examples twice: labels and symbols alike, the second
    drawing darker."""
    examples, _ = prepare_examples([sample(str(i), "ab" * (i + 1)) for i in range(6)], VOCABULARY, Limits())
    augment = AugmentOptions(pen_px=(0.9, 3.2), canonicalized=0)
    both = Batches(examples, VOCABULARY, BatchOptions(pictures=5), augment, 7, two_pens=True)

    assert epoch_ids(both, 0) == ["0", "1", "2", "3", "4", "5"]
    for number, planned in enumerate(both.plan(0)):
        batch, count = both[0, number], len(planned.examples)
        assert len(batch.images) == 2 * count <= 5
        assert (batch.images[count:].sum((1, 2, 3)) > batch.images[:count].sum((1, 2, 3))).all()
        assert torch.equal(batch.symbol_class[count:], batch.symbol_class[:count])
        for rows in (batch.inputs, batch.targets, batch.token_symbol):
            left, right = rows.view(2, 2, count, -1)  # directions, pens
            assert torch.equal(left[0], left[1])
            assert torch.equal(right[0], right[1])
        assert all(torch.equal(one, other) for one, other in zip(batch, both[0, number], strict=True))


def test_growing_epochs_begin_with_the_smallest_pictures() -> None:
    """Early epochs hold a growing share of the examples, the smallest first; later ones hold all."""
    samples = [sample(str(i), "ab" * (i + 1)) for i in range(6)]
    growing = batches(samples, growing_epochs=2)

    held = [epoch_ids(growing, epoch) for epoch in range(4)]

    everything = ["0", "1", "2", "3", "4", "5"]
    assert held == [everything[:2], everything[:4], everything, everything]


def test_every_epoch_holds_some_extra_examples() -> None:
    """All examples and so many extra ones, other ones each time, and never a larger one than has grown in."""
    samples = [sample(str(i), "ab" * (i + 1)) for i in range(6)]
    examples, _ = prepare_examples(samples, VOCABULARY, Limits())
    options = BatchOptions(growing_epochs=1)
    extra = [example._replace(id=f"e{example.id}") for example in examples]
    both = Batches(examples[:3], VOCABULARY, options, AugmentOptions(), 7, extra, extra_per_epoch=2)

    held = [epoch_ids(both, epoch) for epoch in range(1, 30)]

    own, others = {"0", "1", "2"}, {"e0", "e1", "e2", "e3", "e4", "e5"}
    assert all(len(epoch) == 5 and own < set(epoch) for epoch in held)
    assert {name for epoch in held for name in epoch} == own | others
    assert set(epoch_ids(both, 0)) <= {"0", "1", "e0", "e1"}


def test_fresh_examples_are_those_of_their_epoch() -> None:
    """Every epoch is given its own; those larger than what has grown in wait for another epoch."""
    samples = [sample(str(i), "ab" * (i + 1)) for i in range(4)]
    examples, _ = prepare_examples(samples, VOCABULARY, Limits())

    def fresh(epoch: int) -> list[Example]:
        return [example._replace(id=f"{epoch}:{example.id}") for example in examples]

    options = BatchOptions(growing_epochs=1)
    both = Batches(examples, VOCABULARY, options, AugmentOptions(), 7, fresh=fresh)

    assert epoch_ids(both, 0) == ["0", "0:0", "0:1", "1"]
    assert epoch_ids(both, 3) == ["0", "1", "2", "3", "3:0", "3:1", "3:2", "3:3"]
    assert both.expected(3) == len(both.plan(3))


def test_processes_share_an_epoch_without_overlap() -> None:
    """Two processes see different batches, the same number each; a resumed one sees the rest."""
    left, right = (list(EpochSampler(3, 9, rank=rank, processes=2)) for rank in (0, 1))

    assert set(left).isdisjoint(right)
    assert len(left) == len(right) == len(EpochSampler(3, 9, processes=2)) == 4
    assert list(EpochSampler(3, 9, done=3, rank=1, processes=2)) == right[3:]


def test_what_does_not_fit_is_counted() -> None:
    """Samples beyond a limit, with unknown tokens or nothing to see are left out, counted by reason."""
    _, blank = cv2.imencode(".png", np.full((40, 60), 255, np.uint8))
    samples = [
        sample("long", "a" * 9),
        sample("strange", "ac"),
        sample("good", "ab"),
        sample("wide", "ab" * 4),
        Sample("blank", "train", "test", ("a",), blank.tobytes(), None, "", None),
        Sample("damaged", "train", "test", ("a",), blank.tobytes()[:30], None, "", None),
    ]

    examples, left_out = prepare_examples(samples, VOCABULARY, Limits(label=8, picture=3_000))

    assert [example.id for example in examples] == ["good"]
    assert left_out == {
        "label too long": 1,
        "token not in the vocabulary": 1,
        "picture unreadable or without ink": 2,
        "picture too large": 1,
    }


def test_padding_marks_what_is_outside() -> None:
    """Pictures stand at the top left; padding is True everywhere else, and the images are 0 there."""
    images, padding = pad_pictures([np.ones((8, 16), np.float32), np.ones((24, 8), np.float32)], (16, 32))

    assert images.shape == (2, 1, 24, 32)
    assert np.array_equal(images[:, 0] == 0, padding)
    assert (~padding).sum(axis=(1, 2)).tolist() == [8 * 16, 24 * 8]
