"""Weights of ONNX graphs in 8 bits."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


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
