"""A trained model -> a bundle: ONNX graphs, checked against PyTorch, their weights stored small."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from inktex import __version__
from inktex.bundle import Bundle, Facts
from inktex.errors import BundleError
from inktex.models.interface import Features
from inktex.vocabulary import Vocabulary

Named = dict[str, Any]  # name -> tensor or array

_OPSET = 17
_TOLERANCE = 1e-4
_STEPS_CHECKED = 20
_SIZES_CHECKED = (((32, 64),), ((48, 160), (16, 24), (64, 96)), ((8, 8), (120, 320)))  # (height, width) in px


def export(
    model: nn.Module,
    vocabulary: Vocabulary,
    facts: Facts,
    out: Path | None = None,
    weights: Literal["int8", "float32"] = "int8",
) -> Bundle:
    """Write a model as a bundle.

    Args:
        model: a network of any family, in evaluation mode and on the CPU.
        vocabulary: its tokens.
        facts: what ``model.json`` is to tell; parameters, weights and deviations are filled in here.
        out: the folder to write; ``None`` writes none.
        weights: ``int8`` stores large weights in 8 bits; they are float32 again once loaded.

    Returns:
        The bundle.

    Raises:
        BundleError: the graphs do not compute what the model does, or the folder cannot be written.
    """
    if model.training:
        raise ValueError("export needs the model in evaluation mode: call model.eval() first")
    with torch.no_grad():
        encoder, step = _trace(model, len(vocabulary))
        exact = Bundle(encoder.SerializeToString(), step.SerializeToString(), vocabulary, facts)
        deviation = _deviation(model, exact)
    if not deviation <= _TOLERANCE:  # NaN fails too
        raise BundleError(
            f"the exported graphs differ from the model by {deviation:.1e}; {_TOLERANCE:.0e} is allowed"
        )
    facts = replace(
        facts,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        weights=weights,
        version=__version__,
        deviation=deviation,
    )
    bundle = replace(exact, facts=facts)
    if weights == "int8":
        for graph in (encoder, step):
            store_weights_int8(graph)
        bundle = replace(bundle, encoder=encoder.SerializeToString(), step=step.SerializeToString())
        with torch.no_grad():
            bundle = replace(bundle, facts=replace(facts, storage_deviation=_deviation(model, bundle)))
    if out is not None:
        bundle.save(out)
    return bundle


def store_weights_int8(model: onnx.ModelProto, smallest: int = 4096) -> None:
    """Store the large weights of a graph in 8 bits, one scale an output channel, in place.

    A ``Cast`` and a ``Mul`` make them float32 again. ONNX Runtime computes both once when it loads the graph,
    so that steps are as fast as before. (``DequantizeLinear`` would say the same, but ONNX Runtime keeps it
    for its 8-bit kernels and rounds activations too.)

    Args:
        model: the graph.
        smallest: fewest elements of a weight that is stored so.
    """
    graph = model.graph
    axes = _output_axes(graph)
    decode = []
    for weight in [*graph.initializer]:
        values = numpy_helper.to_array(weight)
        if weight.name not in axes or values.dtype != np.float32 or values.size < smallest:
            continue
        others = tuple(axis for axis in range(values.ndim) if axis != axes[weight.name] % values.ndim)
        scale = np.abs(values).max(axis=others, keepdims=True) / 127
        scale[scale == 0] = 1
        stored, scaling = f"{weight.name}.int8", f"{weight.name}.scale"
        decode.append(helper.make_node("Cast", [stored], [f"{weight.name}.cast"], to=TensorProto.FLOAT))
        decode.append(helper.make_node("Mul", [f"{weight.name}.cast", scaling], [weight.name]))
        graph.initializer.append(numpy_helper.from_array(np.rint(values / scale).astype(np.int8), stored))
        graph.initializer.append(numpy_helper.from_array(scale, scaling))
        graph.initializer.remove(weight)
    nodes = [*decode, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _output_axes(graph: onnx.GraphProto) -> dict[str, int]:
    """Return for each tensor that is a weight of some node the axis of its output channels."""
    axes = {}
    for node in graph.node:
        if node.op_type == "MatMul":
            axes[node.input[1]] = -1
        elif node.op_type == "Gemm":
            turned = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
            axes[node.input[1]] = 0 if turned else 1
        elif node.op_type == "Conv":
            axes[node.input[1]] = 0
        elif node.op_type == "Gather":
            axes[node.input[0]] = 0
    return axes


class _Encoder(nn.Module):
    """Pictures -> the tensors of memory and state, flat."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, padding: Tensor) -> tuple[Tensor, ...]:
        memory, state = self.model.start(self.model.encode(images, padding))
        return (*_leaves(memory), *_leaves(state))


class _Step(nn.Module):
    """A token and the tensors of memory and state -> logits and the tensors of the new state."""

    def __init__(self, model: Any, memory: Any, state: Any) -> None:
        super().__init__()
        self.model = model
        self.like = (memory, state)

    def forward(self, token: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        given = iter(tensors)
        memory, state = (_rebuilt(tree, given) for tree in self.like)
        logits, attention, state = self.model.step(token, memory, state)
        return (logits, attention, *_leaves(state))


def _leaves(tree: Any) -> list[Tensor]:
    """Return the tensors of nested tuples in order."""
    return [tree] if isinstance(tree, Tensor) else [leaf for part in tree for leaf in _leaves(part)]


def _names(tree: Any, name: str) -> list[str]:
    """Return a name for each of the :func:`_leaves`: ``memory.padding``, ``memory.keys.0``, ..."""
    if isinstance(tree, Tensor):
        return [name]
    keys = getattr(tree, "_fields", range(len(tree)))
    return [leaf for key, part in zip(keys, tree, strict=True) for leaf in _names(part, f"{name}.{key}")]


def _rebuilt(tree: Any, leaves: Iterator[Tensor]) -> Any:
    """Return nested tuples like ``tree`` of other tensors."""
    if isinstance(tree, Tensor):
        return next(leaves)
    parts = [_rebuilt(part, leaves) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def _trace(model: Any, vocabulary_size: int) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """Return the graphs of encoder and step; what differs between two examples becomes a free dimension."""
    examples = []
    for pictures, height, width, steps in ((2, 32, 64, 1), (3, 48, 104, 2)):
        images, padding = torch.rand(pictures, 1, height, width), torch.zeros(pictures, height, width).bool()
        memory, state = model.start(model.encode(images, padding))
        token = torch.arange(pictures) % vocabulary_size
        for _ in range(steps):
            attention, state = model.step(token, memory, state)[1:]
        examples.append(((images, padding), (memory, state), token, attention))
    (pictures_given, (memory, state), token, attention) = examples[0]
    (pictures_other, other, token_other, attention_other) = examples[1]
    carried, kept = _names(memory, "memory"), _names(state, "state")
    changed = [name.replace("state", "next", 1) for name in kept]
    data, data_other = [*_leaves(memory), *_leaves(state)], [*_leaves(other[0]), *_leaves(other[1])]
    return (
        _graph(
            _Encoder(model),
            dict(zip(("images", "padding"), pictures_given, strict=True)),
            dict(zip((*carried, *kept), data, strict=True)),
            [*pictures_other, *data_other],
        ),
        _graph(
            _Step(model, memory, state),
            dict(zip(("token", *carried, *kept), (token, *data), strict=True)),
            {"logits": torch.zeros(2, 1), "attention": attention}
            | dict(zip(changed, _leaves(state), strict=True)),
            [token_other, *data_other, torch.zeros(3, 1), attention_other, *_leaves(other[1])],
        ),
    )


def _graph(module: nn.Module, inputs: Named, outputs: Named, others: list[Tensor]) -> onnx.ModelProto:
    """Trace a module; dimensions of inputs and outputs that differ in ``others`` (in order) are free."""
    free = {
        name: {axis: f"{name}_{axis}" for axis in range(one.ndim) if one.shape[axis] != other.shape[axis]}
        for (name, one), other in zip((*inputs.items(), *outputs.items()), others, strict=True)
    }
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter(
            "ignore"
        )  # tracer warnings: what they warn of is checked on other sizes afterwards
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            Path(folder, "graph.onnx"),
            dynamo=False,
            opset_version=_OPSET,
            input_names=[*inputs],
            output_names=[*outputs],
            dynamic_axes=free,
        )
        return onnx.load(Path(folder, "graph.onnx"))


def _deviation(model: Any, bundle: Bundle) -> float:
    """Return the largest difference of logits between bundle and model on random pictures.

    Batches of pictures of several sizes are read together, and random tokens fed. Differences are relative to
    the largest logit of the model where that is above 1.
    """
    encoder, step = bundle.sessions(threads=1)
    generator = np.random.default_rng(0)
    worst = 0.0
    for sizes in _SIZES_CHECKED:
        images, padding = _random_batch(sizes, generator)
        features: Features = model.encode(torch.from_numpy(images), torch.from_numpy(padding))
        memory, state = model.start(features)
        names = [output.name for output in encoder.get_outputs()]
        given = dict(zip(names, encoder.run(None, {"images": images, "padding": padding}), strict=True))
        for _ in range(_STEPS_CHECKED):
            token = generator.integers(0, len(bundle.vocabulary), len(sizes))
            expected, _, state = model.step(torch.from_numpy(token), memory, state)
            logits, _, *changed = step.run(None, given | {"token": token})
            kept = [name for name in names if name.startswith("state.")]
            given |= dict(zip(kept, changed, strict=True))
            difference = np.abs(logits - expected.numpy()).max() / max(1.0, float(expected.abs().max()))
            worst = max(worst, float(difference)) if difference == difference else float("nan")
            if worst != worst:
                return worst
    return worst


def _random_batch(
    sizes: tuple[tuple[int, int], ...], generator: np.random.Generator
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return pictures [b, 1, height, width] of sparse noise and their padding [b, height, width]."""
    height, width = (max(side) for side in zip(*sizes, strict=True))
    images = np.zeros((len(sizes), 1, height, width), np.float32)
    padding = np.ones((len(sizes), height, width), np.bool_)
    for row, (rows, columns) in enumerate(sizes):
        images[row, 0, :rows, :columns] = generator.random((rows, columns)) > 0.9
        padding[row, :rows, :columns] = False
    return images, padding
