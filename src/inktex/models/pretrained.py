"""torchvision's ImageNet weights, from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from inktex.errors import RunError


def load_torchvision_weights(
    module: nn.Module, path: Path, published: str, rename: Callable[[str], str] = str
) -> int:
    """Copy the weights of all a module's layers from a file of torchvision's, by name.

    Args:
        module: what they are for; the file may hold more layers.
        path: the file, a state dictionary written by ``torch.save``; only tensors are read from it.
        published: what torchvision calls the file, for messages.
        rename: a name in the file -> the module's.

    Returns:
        How many tensors were taken; counters of batches, which torchvision's older files lack, are not.

    Raises:
        RunError: the file is missing, cannot be read, or lacks a tensor or has it in another shape.
    """
    wanted = {
        name: value for name, value in module.state_dict().items() if not name.endswith("num_batches_tracked")
    }
    stored = {rename(str(name)): value for name, value in _read(path, published).items()}
    taken = {}
    for name, value in wanted.items():
        found = stored.get(name)
        if not isinstance(found, Tensor):
            raise RunError(f"{path} holds no tensor {name}, which torchvision's {published} has")
        if found.shape != value.shape:
            raise RunError(
                f"{name} in {path} is of shape {tuple(found.shape)}, this network's of {tuple(value.shape)}: "
                f"only published sizes can start from {published}"
            )
        taken[name] = found
    module.load_state_dict(taken, strict=False)
    return len(taken)


def _read(path: Path, published: str) -> Mapping[object, object]:
    """Return what a file holds by name."""
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RunError(
            f"{path} does not exist: ImageNet weights are read from torchvision's file {published}, "
            "to be had from https://download.pytorch.org/models/"
        ) from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception:  # a damaged file of pickled tensors can raise anything
        raise RunError(f"{path} is not a file of tensors like torchvision's {published}") from None
    if not isinstance(stored, Mapping):
        raise RunError(f"{path} is not a file of tensors like torchvision's {published}")
    return stored
