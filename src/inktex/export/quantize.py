"""ONNX graphs in few bits: weights stored in 8 or 4, large convolutions and products computed in 8."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]

_GROUP = 64  # weights that have a scale of their own, in 4 bits
_CLIPPED = np.linspace(0.6, 1.0, 17)  # shares of the largest weight that are tried as the end of the scale


class _Decoder(NamedTuple):
    """Tensors that are stored for a weight, and the nodes that make float32 of them."""

    tensors: list[onnx.TensorProto]
    nodes: list[onnx.NodeProto]


def store_weights(model: onnx.ModelProto, bits: Literal[4, 8] = 8, smallest: int = 4096) -> None:
    """Store the large weights of a graph in few bits, in place.

    In 8 bits an output channel has one scale; in 4 bits every 64 weights of it have one, chosen for the least
    squared error, and large constants, such as tables of positions, have 8. A few nodes make float32 of them
    again. ONNX Runtime computes those once when it loads the graph, so that steps are as fast as before.
    (``DequantizeLinear`` would say the same, but ONNX Runtime keeps it for its 8-bit kernels and rounds
    activations too.)

    Args:
        model: the graph.
        bits: of a weight; in 4, weights of fewer than four times ``smallest`` elements have 8.
        smallest: fewest elements of a weight that is stored so.
    """
    graph = model.graph
    axes = _output_axes(graph)
    decode = []
    for weight in [*graph.initializer]:
        values = numpy_helper.to_array(weight)
        if weight.name not in axes or values.dtype != np.float32 or values.size < smallest:
            continue
        store = _in_4_bits if bits == 4 and values.size >= 4 * smallest else _in_8_bits
        decoder = store(weight.name, values, axes[weight.name] % values.ndim)
        graph.initializer.remove(weight)
        graph.initializer.extend(decoder.tensors)
        decode += decoder.nodes
    for node in [*graph.node] if bits == 4 else ():
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            values = numpy_helper.to_array(node.attribute[0].t)
            if values.dtype == np.float32 and values.size >= smallest:
                decoder = _in_8_bits(node.output[0], values, 0)
                graph.node.remove(node)
                graph.initializer.extend(decoder.tensors)
                decode += decoder.nodes
    nodes = [*decode, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def compute_in_8_bits(
    model: onnx.ModelProto, examples: Sequence[dict[str, Array]], smallest: int = 16_384
) -> onnx.ModelProto:
    """Return a graph whose large convolutions take and give numbers of 8 bits, and large products take them.

    Weights have 7 bits and a scale for each output channel: with 8, processors without instructions for dot
    products of bytes add two products in 16 bits, and may run over. What goes in and comes out has one scale,
    by the largest values of the examples, so that a result does not depend on the rest of its batch.

    Args:
        model: the graph, with float32 weights.
        examples: inputs by name, each for one run of the graph.
        smallest: fewest weights of what is computed so: a product with a weight, or a convolution whose
            kernel is larger than 1 x 1.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # its base has no types
        def __init__(self) -> None:
            self.left = iter(examples)

        def get_next(self) -> dict[str, Array] | None:
            return next(self.left, None)

    sizes = {weight.name: list(weight.dims) for weight in model.graph.initializer}
    large = [
        node.name
        for node in model.graph.node
        if node.op_type in ("Conv", "MatMul")
        and np.prod(sizes.get(node.input[1], 0)) >= smallest
        and (node.op_type == "MatMul" or max(sizes[node.input[1]][2:]) > 1)
    ]
    if not large:
        return model
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "given.onnx"), Path(folder, "made.onnx")
        onnx.save(model, given)
        logging.disable(logging.WARNING)  # it would have the graph prepared, which changes nothing here
        try:
            quantize_static(
                given,
                made,
                Reader(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["Conv", "MatMul"],
                nodes_to_quantize=large,
                extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
            )
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(made)


def _in_8_bits(name: str, values: Array, axis: int) -> _Decoder:
    """Store a weight as whole numbers from -127 to 127, with a scale for each output channel."""
    others = tuple(other for other in range(values.ndim) if other != axis)
    scale = np.abs(values).max(axis=others, keepdims=True) / 127
    scale[scale == 0] = 1
    stored, scaling = f"{name}.int8", f"{name}.scale"
    tensors = [
        numpy_helper.from_array(np.rint(values / scale).astype(np.int8), stored),
        numpy_helper.from_array(scale, scaling),
    ]
    nodes = [
        helper.make_node("Cast", [stored], [f"{name}.cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.cast", scaling], [name]),
    ]
    return _Decoder(tensors, nodes)


def _in_4_bits(name: str, values: Array, axis: int) -> _Decoder:
    """Store a weight as whole numbers from -8 to 7, two a byte, with a scale for each group of a channel.

    The lower halves of the bytes are the first half of the weights, the upper halves the second.
    """
    moved = np.moveaxis(values, axis, 0)
    rows = moved.reshape(len(moved), -1)
    missing = -rows.shape[1] % _GROUP
    groups = np.pad(rows, ((0, 0), (0, missing))).reshape(-1, _GROUP)
    numbers, scale = _nearest(groups)
    first, second = (numbers + 8).astype(np.uint8).reshape(2, -1)

    def part(role: str) -> str:
        return f"{name}.{role}"

    constants: dict[str, Array] = {
        "int4": first | second << 4,
        "scale": scale,
        "sixteen": np.array(16, np.float32),
        "eight": np.array(8, np.float32),
        "groups": np.array([-1, _GROUP]),
        "rows": np.array([len(moved), -1]),
        "begin": np.array([0]),
        "end": np.array([rows.shape[1]]),
        "axis": np.array([1]),
        "shape": np.array(moved.shape),
    }
    back = [*range(1, axis + 1), 0, *range(axis + 1, values.ndim)]
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Cast", ["int4"], "bytes", {"to": TensorProto.FLOAT}),
        ("Div", ["bytes", "sixteen"], "shifted", {}),
        ("Floor", ["shifted"], "second", {}),
        ("Mul", ["second", "sixteen"], "upper", {}),
        ("Sub", ["bytes", "upper"], "first", {}),
        ("Concat", ["first", "second"], "both", {"axis": 0}),
        ("Sub", ["both", "eight"], "numbers", {}),
        ("Reshape", ["numbers", "groups"], "grouped", {}),
        ("Cast", ["scale"], "scaling", {"to": TensorProto.FLOAT}),
        ("Mul", ["grouped", "scaling"], "scaled", {}),
        ("Reshape", ["scaled", "rows"], "padded", {}),
        ("Slice", ["padded", "begin", "end", "axis"], "channels", {}),
        ("Reshape", ["channels", "shape"], "moved", {}),
    ]
    nodes = [
        helper.make_node(kind, [part(each) for each in given], [part(made)], **attributes)
        for kind, given, made, attributes in steps
    ]
    nodes.append(helper.make_node("Transpose", [part("moved")], [name], perm=back))
    return _Decoder([numpy_helper.from_array(each, part(role)) for role, each in constants.items()], nodes)


def _nearest(groups: Array) -> tuple[Array, Array]:
    """Return numbers from -8 to 7 [g, n] and scales [g, 1] whose products are nearest to weights [g, n]."""
    largest = np.abs(groups).max(axis=1, keepdims=True)
    best = np.full((len(groups), 1), np.inf)
    numbers, scales = np.zeros_like(groups), np.ones((len(groups), 1), np.float16)
    for share in _CLIPPED:
        scale = (largest * share / 7).astype(np.float16)
        scale[scale == 0] = 1
        tried = np.clip(np.rint(groups / scale.astype(np.float32)), -8, 7)
        error = ((tried * scale - groups) ** 2).sum(axis=1, keepdims=True)
        better = error < best
        best = np.where(better, error, best)
        numbers, scales = np.where(better, tried, numbers), np.where(better, scale, scales)
    return numbers, scales


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
