"""A trained model -> a bundle: ONNX graphs, checked against PyTorch, their weights stored small."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor, nn

from inktex import __version__
from inktex.errors import BundleError
from inktex.export.quantize import compute_in_8_bits, store_weights
from inktex.models.attention import Cache
from inktex.models.interface import Features, Step, select
from inktex.recognition.bundle import Bundle
from inktex.recognition.metadata import Metadata
from inktex.vocabulary import Vocabulary

FloatArray = npt.NDArray[np.float32]
Named = dict[str, Any]  # name -> tensor or array

_OPSET = 17
_TOLERANCE = 1e-4
_STEPS_CHECKED = 20
_READ_CHECKED = 4  # tokens read at once by the first step, where the family reads several
_EACH_CHECKED = 3  # hypotheses of each picture
_SIZES_CHECKED = (((32, 64),), ((48, 160), (16, 24), (64, 96)), ((8, 8), (120, 320)))  # (height, width) in px


def export(
    model: nn.Module,
    vocabulary: Vocabulary,
    metadata: Metadata,
    out: Path | None = None,
    weights: Literal["int4", "int8", "float32"] = "int8",
    examples: Sequence[FloatArray] = (),
) -> Bundle:
    """Write a model as a bundle.

    Args:
        model: a network of any family, in evaluation mode and on the CPU.
        vocabulary: its tokens.
        metadata: what ``model.json`` is to tell; parameters, weights and deviations are filled in here.
        out: the folder to write; ``None`` writes none.
        weights: ``int8`` and ``int4`` store large weights in 8 or 4 bits; they are float32 again once loaded.
        examples: canonical pictures [h, w]. If there are any, the encoder's large convolutions and products
            are computed in 8 bits, for values as large as these give.

    Returns:
        The bundle.

    Raises:
        BundleError: the graphs do not compute what the model does, or the folder cannot be written.
    """
    if model.training:
        raise ValueError("export needs the model in evaluation mode: call model.eval() first")
    with torch.no_grad():
        encoder, step = _trace(model, len(vocabulary))
        exact = Bundle(encoder.SerializeToString(), step.SerializeToString(), vocabulary, metadata)
        deviation = _deviation(model, exact)
    if not deviation <= _TOLERANCE:  # NaN fails too
        raise BundleError(
            f"the exported graphs differ from the model by {deviation:.1e}; {_TOLERANCE:.0e} is allowed"
        )
    metadata = replace(
        metadata,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        weights=weights,
        version=__version__,
        deviation=deviation,
    )
    bundle = replace(exact, metadata=metadata)
    if examples:
        encoder = compute_in_8_bits(encoder, [_picture(example) for example in examples])
    if weights != "float32":
        for graph in (encoder, step):
            store_weights(graph, bits=4 if weights == "int4" else 8)
    if examples or weights != "float32":
        bundle = replace(bundle, encoder=encoder.SerializeToString(), step=step.SerializeToString())
        with torch.no_grad():
            stored = replace(metadata, storage_deviation=_deviation(model, bundle))
            bundle = replace(bundle, metadata=stored)
    if out is not None:
        bundle.save(out)
    return bundle


def _picture(example: FloatArray) -> dict[str, Any]:
    """Return what the encoder is given to read a single picture [h, w]."""
    return {"images": example[None, None], "padding": np.zeros((1, *example.shape), np.bool_)}


class _Encoder(nn.Module):
    """Pictures -> the tensors of memory and state, flat."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, padding: Tensor) -> tuple[Tensor, ...]:
        memory, state = self.model.start(self.model.encode(images, padding))
        return (*_leaves(memory), *_leaves(state))


class _Step(nn.Module):
    """Tokens [n, t] and the tensors of memory and state -> logits and the tensors of the new state.

    The state is that of the hypotheses before; ``parents`` tells which of them each one goes on from.
    """

    def __init__(self, model: Any, memory: Any, state: Any) -> None:
        super().__init__()
        self.model = model
        self.like = (memory, state)

    def forward(self, tokens: Tensor, parents: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        given = iter(tensors)
        memory, state = (_rebuilt(tree, given) for tree in self.like)
        logits, attention, state = _read(self.model, tokens, memory, _followed(state, parents))
        return (logits, attention, *_leaves(state))


def _read(model: Any, tokens: Tensor, memory: Any, state: Any) -> Step:
    """Feed tokens [n, t] to a model, a single one if it reads no more at once."""
    if hasattr(model, "read"):
        result: Step = model.read(tokens, memory, state)
        return result
    logits, attention, state = model.step(tokens[:, 0], memory, state)
    return Step(logits[:, None], attention[:, None], state)


def _followed(state: Any, parents: Tensor) -> Any:
    """Return the state of hypotheses that go on from others of their group."""
    if isinstance(state, Tensor):
        return state.index_select(0, parents)
    if isinstance(state, Cache):
        return state._replace(mask=state.mask.index_select(0, parents))
    parts = [_followed(part, parents) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)


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
    one = _example(model, vocabulary_size, (2, 96, 160), 3, 3)
    other = _example(model, vocabulary_size, (3, 64, 224), 5, 2)
    (memory, _), (_, state) = one.started, one.stepped
    carried, kept = _names(memory, "memory"), _names(state, "state")
    changed = [name.replace("state", "next", 1) for name in kept]
    encoder = _graph(
        _Encoder(model),
        dict(zip(("images", "padding"), one.pictures, strict=True)),
        dict(zip((*carried, *kept), _leaves(one.started), strict=True)),
        [*other.pictures, *_leaves(other.started)],
    )
    names = ("tokens", "parents", *carried, *kept)
    inputs, others = (
        dict(zip(names, (*each.given, *_leaves(each.stepped)), strict=True)) for each in (one, other)
    )
    step = _graph(
        _Step(model, *one.stepped),
        inputs,
        dict(zip(("logits", "attention", *changed), _leaves(one.result), strict=True)),
        [*others.values(), *_leaves(other.result)],
    )
    return encoder, step


class _Example(NamedTuple):
    """Tensors that go in and out of both graphs.

    Attributes:
        pictures: images and padding.
        started: (memory, state) at the start.
        stepped: (memory, state) after some steps.
        given: further tokens [n, t], and parents.
        result: of those.
    """

    pictures: tuple[Tensor, Tensor]
    started: tuple[Any, Any]
    stepped: tuple[Any, Any]
    given: tuple[Tensor, Tensor]
    result: Step


def _example(model: Any, vocabulary_size: int, size: tuple[int, int, int], each: int, steps: int) -> _Example:
    """Return an example of some pictures (how many, height, width), each with some hypotheses after steps.

    No two sizes that are free may be the same in both examples, or they would be taken for one.
    """
    count, height, width = size
    pictures = torch.rand(count, 1, height, width), torch.zeros(count, height, width).bool()
    started = memory, state = model.start(model.encode(*pictures))
    parents = torch.arange(count).repeat_interleave(each)
    token = torch.arange(len(parents)) % vocabulary_size
    for _ in range(steps):
        state = model.step(token, memory, _followed(state, parents)).state
        parents = torch.arange(len(token))
    tokens = token[:, None].repeat(1, steps if hasattr(model, "read") else 1)
    result = _read(model, tokens, memory, state)
    return _Example(pictures, started, (memory, state), (tokens, parents), result)


def _graph(module: nn.Module, inputs: Named, outputs: Named, others: list[Tensor]) -> onnx.ModelProto:
    """Trace a module; dimensions of inputs and outputs that differ in ``others`` (in order) are free."""
    free = {
        name: {axis: f"{name}_{axis}" for axis in range(one.ndim) if one.shape[axis] != other.shape[axis]}
        for (name, one), other in zip((*inputs.items(), *outputs.items()), others, strict=True)
    }
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        # What the tracer warns of is checked on other sizes afterwards.
        warnings.simplefilter("ignore")
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

    Batches of pictures of several sizes are read together, and random tokens fed to hypotheses with random
    parents; in the model each hypothesis is a group of its own. Differences are relative to the largest logit
    of the model where that is above 1.
    """
    encoder, step = bundle.sessions(threads=1)
    generator = np.random.default_rng(0)
    names = [output.name for output in encoder.get_outputs()]
    kept = [name for name in names if name.startswith("state.")]
    worst = 0.0
    for sizes in _SIZES_CHECKED:
        images, padding = _random_batch(sizes, generator)
        features: Features = model.encode(torch.from_numpy(images), torch.from_numpy(padding))
        memory, state = model.start(features)
        given = dict(zip(names, encoder.run(None, {"images": images, "padding": padding}), strict=True))
        parents = np.repeat(np.arange(len(sizes)), _EACH_CHECKED)
        memory = select(memory, torch.from_numpy(parents))
        for number in range(_STEPS_CHECKED):
            several = _READ_CHECKED if number == 0 and hasattr(model, "read") else 1
            tokens = generator.integers(0, len(bundle.vocabulary), (len(parents), several))
            state = select(state, torch.from_numpy(parents))
            expected, _, state = _read(model, torch.from_numpy(tokens), memory, state)
            logits, _, *changed = step.run(None, given | {"tokens": tokens, "parents": parents})
            given |= dict(zip(kept, changed, strict=True))
            firsts = np.repeat(np.arange(len(sizes)), _EACH_CHECKED) * _EACH_CHECKED
            parents = firsts + generator.integers(0, _EACH_CHECKED, len(firsts))
            difference = np.abs(logits - expected.numpy()).max() / max(1.0, float(expected.abs().max()))
            worst = max(worst, float(difference)) if difference == difference else float("nan")
            if worst != worst:
                return worst
    return worst


def _random_batch(
    sizes: tuple[tuple[int, int], ...], generator: np.random.Generator
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return pictures [b, 1, height, width] of sparse noise and their padding [b, height, width]."""
    height, width = (max(side) for side in zip(*sizes, strict=True))
    images = np.zeros((len(sizes), 1, height, width), np.float32)
    padding = np.ones((len(sizes), height, width), np.bool_)
    for row, (rows, columns) in enumerate(sizes):
        images[row, 0, :rows, :columns] = generator.random((rows, columns)) > 0.9
        padding[row, :rows, :columns] = False
    return images, padding
