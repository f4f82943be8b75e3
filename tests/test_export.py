from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from inktex.decoding.options import SearchOptions
from inktex.decoding.rescore import search_both_ways
from inktex.decoding.stepper import OnnxStepper
from inktex.errors import BundleError
from inktex.export.onnx import export
from inktex.export.quantize import compute_in_8_bits, store_weights
from inktex.models.inktex import InktexModel, InktexOptions
from inktex.models.interface import Step
from inktex.recognition.bundle import Bundle, load_bundle
from inktex.recognition.metadata import Metadata
from inktex.training.stepper import TorchStepper
from inktex.vocabulary import Vocabulary

TINY = InktexOptions((8, 8, 16), (1, 1, 1), 32, layers=2, heads=4, feed_forward=64, coverage_channels=4)
VOCABULARY = Vocabulary.build([list("abcdefgh")])
METADATA = Metadata("inktex", TINY.max_length, 16.0, 8, both_ways=True)


@pytest.fixture(scope="module")
def model() -> InktexModel:
    """A tiny network with weights of some size everywhere."""
    torch.manual_seed(1)
    model = InktexModel(len(VOCABULARY), TINY).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(("classifier", "encoder.stages")):
                parameter.copy_(torch.randn_like(parameter) * 0.3)
    return model


@pytest.fixture(scope="module")
def bundle(model: InktexModel) -> Bundle:
    """The network as a bundle of float32 weights."""
    return export(model, VOCABULARY, METADATA, weights="float32")


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Three pictures of different sizes in one batch."""
    generator = np.random.default_rng(5)
    images, padding = np.zeros((3, 1, 48, 96), np.float32), np.ones((3, 48, 96), bool)
    for row, (height, width) in enumerate(((48, 40), (16, 96), (24, 24))):
        images[row, 0, :height, :width] = generator.random((height, width)) > 0.8
        padding[row, :height, :width] = False
    return images, padding


def test_bundle_and_network_find_the_same(model: InktexModel, bundle: Bundle) -> None:
    """Searching on ONNX Runtime and on PyTorch gives the same hypotheses; scores are within 1e-4 a step."""
    limits = SearchOptions(width=3, max_length=12)
    ids = (VOCABULARY.start_id, VOCABULARY.end_id, VOCABULARY.unwritten, limits)

    ours = search_both_ways(OnnxStepper(*bundle.sessions(1), TINY.max_length), *pictures(), *ids)
    theirs = search_both_ways(TorchStepper(model, TINY.max_length), *pictures(), *ids)

    for found, expected in zip(ours, theirs, strict=True):
        assert [each.tokens for each in found] == [each.tokens for each in expected]
        scores = [each.score for each in expected]
        assert [each.score for each in found] == pytest.approx(scores, abs=12e-4)


def test_hypotheses_may_be_reordered_repeated_and_dropped(model: InktexModel, bundle: Bundle) -> None:
    """Random parents at every step give the same logits from both steppers."""
    ours, theirs = OnnxStepper(*bundle.sessions(1), TINY.max_length), TorchStepper(model, TINY.max_length)
    generator = np.random.default_rng(0)

    for stepper in (ours, theirs):
        stepper.start(*pictures())
    for _ in range(2):
        count = 3
        for rows in (3, 7, 5, 5, 9, 2, 4):
            parents, tokens = generator.integers(0, count, rows), generator.integers(0, len(VOCABULARY), rows)
            np.testing.assert_allclose(ours.step(tokens, parents), theirs.step(tokens, parents), atol=1e-4)
            count = rows
        for stepper in (ours, theirs):
            stepper.rewind()


def test_groups_are_as_large_as_neighbours_allow(model: InktexModel, bundle: Bundle) -> None:
    """Beams of one picture, of several, and what is left of them give the logits that each gives alone."""
    ours, theirs = OnnxStepper(*bundle.sessions(1), TINY.max_length), TorchStepper(model, TINY.max_length)
    generator = np.random.default_rng(1)
    for stepper in (ours, theirs):
        stepper.start(*pictures())

    groups = []
    for parents in (
        [0, 1, 2, 0, 1, 2],  # a search from each end
        np.repeat(np.arange(6), 3),
        np.repeat(np.arange(6), 3) * 3 + generator.integers(0, 3, 18),
        np.repeat([0, 2, 5], 3) * 3 + generator.integers(0, 3, 9),  # of which three go on
        [6, 7, 7],  # and one
        [1, 0, 2, 2, 0],
    ):
        tokens = generator.integers(0, len(VOCABULARY), len(parents))
        expected = theirs.step(tokens, np.asarray(parents))
        np.testing.assert_allclose(ours.step(tokens, np.asarray(parents)), expected, atol=1e-4)
        np.testing.assert_allclose(ours.attention, theirs.attention, atol=1e-4)
        groups.append(len(ours._read))

    assert groups == [6, 6, 6, 3, 1, 1]


@pytest.mark.parametrize("at_once", [1, 400, 10**9])
def test_several_tokens_at_once_are_as_good_as_one_by_one(
    model: InktexModel, bundle: Bundle, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is fed in a piece, after other tokens too, logits and attention are those of single steps."""
    monkeypatch.setattr("inktex.decoding.stepper._READ_AT_ONCE", at_once)
    ours, theirs = OnnxStepper(*bundle.sessions(1), TINY.max_length), TorchStepper(model, TINY.max_length)
    generator = np.random.default_rng(3)
    for parents in ([0, 1, 2], [2, 2, 2, 2], [0, 0, 1, 1], [1, 0, 1, 2, 2]):
        for stepper in (ours, theirs):
            stepper.start(*pictures())
        first = generator.integers(0, len(VOCABULARY), (len(parents), 5))
        second = generator.integers(0, len(VOCABULARY), (len(parents), 8))
        for tokens, before in ((first, np.array(parents)), (second, np.arange(len(parents))[::-1].copy())):
            logits, attention = ours.read(tokens, before)
            expected_logits, expected_attention = theirs.read(tokens, before)
            np.testing.assert_allclose(logits, expected_logits, atol=1e-4)
            np.testing.assert_allclose(attention, expected_attention, atol=1e-4)
        following = ours.step(first[:, 0], np.arange(len(parents)))
        expected = theirs.step(first[:, 0], np.arange(len(parents)))
        np.testing.assert_allclose(following, expected, atol=1e-4)


def test_tokens_of_dropped_hypotheses_leave_the_cache(model: InktexModel, bundle: Bundle) -> None:
    """However long beams grow, what is cached is what they still are, and a bounded rest; logits stay."""
    ours, theirs = OnnxStepper(*bundle.sessions(1), TINY.max_length), TorchStepper(model, TINY.max_length)
    generator = np.random.default_rng(2)
    for stepper in (ours, theirs):
        stepper.start(*pictures())
    written = [()] * 3
    parents = np.repeat([0, 1, 2], 4)
    for _ in range(100):
        written = [(*written[parent], object()) for parent in parents]
        tokens = generator.integers(0, len(VOCABULARY), 12)
        logits = ours.step(tokens, parents)
        np.testing.assert_allclose(logits, theirs.step(tokens, parents), atol=1e-4)
        alive = max(len({id(token) for each in written[i : i + 4] for token in each}) for i in (0, 4, 8))
        assert ours._given["state.cache.keys.0"].shape()[2] <= alive + 100
        parents = np.repeat([0, 4, 8], 4) + generator.integers(0, 4, 12)

    assert ours._given["state.cache.keys.0"].shape()[2] < 300


def test_the_folder_is_what_was_checked(model: InktexModel, tmp_path: Path) -> None:
    """The written bundle holds the metadata that export filled in, and its graphs."""
    bundle = export(model, VOCABULARY, METADATA, tmp_path / "out")

    loaded = load_bundle(tmp_path / "out")

    assert loaded.encoder == bundle.encoder
    assert loaded.metadata == bundle.metadata
    assert loaded.metadata.parameters == sum(each.numel() for each in model.parameters())
    assert loaded.metadata.weights == "int8"
    assert 0 < loaded.metadata.deviation < 1e-4


def test_graphs_that_differ_are_not_exported(model: InktexModel, tmp_path: Path) -> None:
    """A network whose computation the graph does not hold is refused, and no folder is left."""

    class Moody(torch.nn.Module):
        """Adds the number of steps made so far, which a traced graph takes for a constant."""

        def __init__(self) -> None:
            super().__init__()
            self.inner, self.encode, self.start, self.steps = model, model.encode, model.start, 0

        def step(self, token: Any, memory: Any, state: Any) -> Any:
            """Step with a hidden counter."""
            self.steps += 1
            logits, attention, state = self.inner.step(token, memory, state)
            return Step(logits + self.steps, attention, state)

    with pytest.raises(BundleError, match="differ"):
        export(Moody().eval(), VOCABULARY, METADATA, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_in_training_mode_is_not_exported() -> None:
    """Dropout and batch statistics have no place in a bundle."""
    with pytest.raises(ValueError, match="eval"):
        export(InktexModel(len(VOCABULARY), TINY).train(), VOCABULARY, METADATA)


def test_weights_stored_in_8_bits_are_close_and_a_quarter_of_the_size(bundle: Bundle) -> None:
    """Every stored weight is within half a step of its channel's scale, and the outputs stay close."""
    exact = onnx.load_from_string(bundle.step)
    small = onnx.load_from_string(bundle.step)
    store_weights(small, smallest=64)
    onnx.checker.check_model(small)

    weights = {weight.name: onnx.numpy_helper.to_array(weight) for weight in exact.graph.initializer}
    stored = {weight.name: onnx.numpy_helper.to_array(weight) for weight in small.graph.initializer}
    changed = [name for name in weights if name not in stored]
    assert sum(weights[name].nbytes for name in changed) > 0.9 * sum(each.nbytes for each in weights.values())
    for name in changed:
        scale = stored[f"{name}.scale"]
        assert stored[f"{name}.int8"].dtype == np.int8
        assert sorted(scale.shape)[:-1] == [1] * (scale.ndim - 1)
        assert (np.abs(stored[f"{name}.int8"] * scale - weights[name]) <= scale * 0.501).all()

    logits = []
    for graph in (bundle.step, small.SerializeToString()):
        stepper = OnnxStepper(*replace(bundle, step=graph).sessions(1), TINY.max_length)
        stepper.start(*pictures())
        logits.append([stepper.step(np.array([1, 3, 4]), np.arange(3)) for _ in range(5)])
    difference, spread = np.abs(np.subtract(*logits)).max(), np.std(logits[0])
    assert 0 < difference < 0.1 * spread


def wide_step() -> onnx.ModelProto:
    """A graph of a convolution and a product whose channels have other sizes than groups of weights have."""
    generator = np.random.default_rng(2)
    weights = {
        "kernel": generator.normal(size=(10, 6, 3, 3)).astype(np.float32),
        "matrix": generator.normal(size=(70, 40)).astype(np.float32) ** 3,  # some far from the others
    }
    helper = onnx.helper
    inputs = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in GIVEN]
    outputs = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in MADE]
    nodes = [
        helper.make_node("Conv", ["picture", "kernel"], ["grid"]),
        helper.make_node("MatMul", ["vector", "matrix"], ["row"]),
    ]
    tensors = [onnx.numpy_helper.from_array(each, name) for name, each in weights.items()]
    return helper.make_model(
        helper.make_graph(nodes, "wide", inputs, outputs, tensors),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


GIVEN = (("picture", (1, 6, 3, 3)), ("vector", (1, 70)))
MADE = (("grid", (1, 10, 1, 1)), ("row", (1, 40)))


def read_back(model: onnx.ModelProto) -> tuple[np.ndarray, np.ndarray]:
    """The kernel [10, 6, 3, 3] and the matrix [70, 40] that a stored :func:`wide_step` computes with."""
    run = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    kernels = [
        run.run(["grid"], {"picture": unit.reshape(1, 6, 3, 3), "vector": np.zeros((1, 70), np.float32)})[0]
        for unit in np.eye(54, dtype=np.float32)
    ]
    rows = [
        run.run(["row"], {"picture": np.zeros((1, 6, 3, 3), np.float32), "vector": unit[None]})[0]
        for unit in np.eye(70, dtype=np.float32)
    ]
    return np.stack(kernels, axis=-1).reshape(10, 6, 3, 3), np.concatenate(rows)


def test_weights_stored_in_4_bits_are_near_their_own() -> None:
    """What the stored graph computes with lies on sixteen steps in every group, and no scale fits better.

    A group is 64 neighbours of an output channel; the oracle tries the same scales one by one.
    """
    exact = wide_step()
    small = wide_step()
    store_weights(small, bits=4, smallest=16)
    onnx.checker.check_model(small)

    weights = [onnx.numpy_helper.to_array(weight) for weight in exact.graph.initializer]
    for weight, found, channels in zip(weights, read_back(small), (0, 1), strict=True):
        rows, stored = (
            np.moveaxis(each, channels, 0).reshape(each.shape[channels], -1) for each in (weight, found)
        )
        for row, kept in zip(rows, stored, strict=True):
            for start in range(0, len(row), 64):
                group, near = row[start : start + 64], kept[start : start + 64]
                errors = []
                for share in np.linspace(0.6, 1, 17):
                    scale = float(np.float16(np.abs(group).max() * share / 7))
                    errors.append(((np.clip(np.round(group / scale), -8, 7) * scale - group) ** 2).sum())
                assert ((near - group) ** 2).sum() == pytest.approx(min(errors), rel=1e-4)
                assert len(np.unique(near.round(5))) <= 16
    assert small.ByteSize() < 0.3 * exact.ByteSize() + 2000  # names and nodes


@pytest.mark.parametrize("bits", [4, 8])
def test_stored_weights_are_decoded_once_at_load(bits: Literal[4, 8], bundle: Bundle, tmp_path: Path) -> None:
    """ONNX Runtime folds the decoding: no tensor of few bits and no cast of one is left in what it runs."""
    small = onnx.load_from_string(bundle.step)
    store_weights(small, bits, smallest=64)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED

    onnxruntime.InferenceSession(small.SerializeToString(), options, providers=["CPUExecutionProvider"])

    run = onnx.load(tmp_path / "optimised.onnx").graph
    few = (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
    assert not [weight.name for weight in run.initializer if weight.data_type in few]
    decoded = (".int8", ".int4", ".cast", ".bytes", ".moved")
    assert not [node.name for node in run.node if any(name.endswith(decoded) for name in node.input)]


def test_8_bits_err_by_their_rounding_alone() -> None:
    """Every output is as near to the float32 one as half a step of input and weights allows, and a step of
    the output, which only convolutions round; two products of a weight and a byte fit into 16 bits."""
    generator = np.random.default_rng(3)
    graph = wide_step()
    examples = [
        {name: generator.exponential(size=shape).astype(np.float32) for name, shape in GIVEN}
        for _ in range(20)
    ]

    made = compute_in_8_bits(graph, examples, smallest=500)

    weights = {weight.name: onnx.numpy_helper.to_array(weight) for weight in made.graph.initializer}
    small = [weight for weight in weights.values() if weight.dtype == np.int8 and weight.ndim > 1]
    assert len(small) == 2
    for weight in small:
        assert 60 <= np.abs(weight.astype(int)).max() <= 64
        assert 2 * 255 * np.abs(weight.astype(int)).max() < 2**15
    run = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    kernel, matrix = (onnx.numpy_helper.to_array(each).astype(float) for each in graph.graph.initializer)
    for given, result, exact in (("picture", "grid", kernel.reshape(10, -1)), ("vector", "row", matrix.T)):
        inputs = np.stack([example[given].reshape(-1) for example in examples]).astype(float)
        expected = inputs @ exact.T
        found = np.stack([run.run([result], example)[0].reshape(-1) for example in examples])
        of_input = inputs.max() / 255
        of_weights = np.abs(exact).max(axis=1) / 63
        of_output = (max(expected.max(), 0) - min(expected.min(), 0)) / 255 if result == "grid" else 0
        from_input = of_input / 2 * np.abs(exact).sum(axis=1)
        from_weights = of_weights / 2 * (inputs + of_input / 2).sum(axis=1)[:, None]
        error = np.abs(found - expected)
        assert (error <= from_input + from_weights + of_output).all()
        assert error.max() > 0
        assert error.mean() < 0.02 * np.abs(expected).max()


def test_a_picture_reads_the_same_in_8_bits_whatever_is_beside_it(bundle: Bundle) -> None:
    """The encoder gives a picture the same memory alone and in a batch with others, near that of float32."""
    images, padding = pictures()
    alone = {"images": images[1:2, :, :16], "padding": padding[1:2, :16]}
    examples = [{"images": images, "padding": padding}]

    made = compute_in_8_bits(onnx.load_from_string(bundle.encoder), examples, smallest=500)

    encoder, _ = replace(bundle, encoder=made.SerializeToString()).sessions(1)
    exact, _ = bundle.sessions(1)
    names = [output.name for output in encoder.get_outputs() if output.name.startswith("memory.values")]
    single = encoder.run(names, alone)
    together = encoder.run(names, {"images": images[1:], "padding": padding[1:]})
    for one, both, other in zip(single, together, exact.run(names, alone), strict=True):
        rows, columns = 2, 12
        grid = both[0].reshape(both.shape[1], 6, 12, -1)[:, :rows, :columns]
        np.testing.assert_allclose(grid.reshape(one[0].shape), one[0], atol=1e-5)
        assert 0 < np.abs(one - other).max() < 0.3 * other.std()
