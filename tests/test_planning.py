"""Which pictures stand together in a batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.data.batches.bucketing import BatchOptions, plan_batches

shapes = st.lists(st.tuples(st.integers(8, 300), st.integers(8, 900)), min_size=1, max_size=200)


@given(shapes=shapes, seed=st.integers(0, 9), scale=st.sampled_from([0.0, 0.2]))
@settings(max_examples=60, deadline=None)
def test_every_picture_stands_in_one_batch_within_the_limits(
    shapes: list[tuple[int, int]], seed: int, scale: float
) -> None:
    """A plan holds each picture once, fits every one, and keeps to the limits unless one alone is beyond."""
    options = BatchOptions(pixels=60_000, pictures=8)

    rng = np.random.default_rng(seed)
    scales = np.exp(rng.normal(0, scale, len(shapes))).astype(np.float32)
    plan = plan_batches(shapes, scales, options, rng)

    assert sorted(index for batch in plan for index in batch.examples) == list(range(len(shapes)))
    for batch in plan:
        count, area = len(batch.examples), batch.shape[0] * batch.shape[1]
        assert count == 1 or (count <= 8 and count * area <= 60_000)
        for index, factor in zip(batch.examples, batch.scales, strict=True):
            assert shapes[index][0] * factor <= batch.shape[0]
            assert shapes[index][1] * factor <= batch.shape[1]
