"""``inktex average``: one set of weights out of several."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from inktex.errors import ConfigError


def add_average(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex average``."""
    parser.description = (
        "Write the weighted mean of several runs' weights as a run folder. Tokens are matched by name; those "
        "that only some runs know have the mean of these."
    )
    parser.add_argument(
        "weights",
        nargs="+",
        metavar="RUN",
        help="a run folder, whose kept weights are taken, or a file of weights in one: "
        "epochs/N.safetensors or checkpoints/last.ckpt",
    )
    parser.add_argument(
        "--shares",
        nargs="+",
        type=float,
        metavar="S",
        help="how much each counts, in the same order (default: all alike)",
    )
    parser.add_argument("--out", metavar="FOLDER", required=True, help="the run folder to make")


def run_average(options: Namespace) -> int:
    """Write a run folder with the mean of weights."""
    from inktex.training.averaging import Share, average

    weights = [Path(name) for name in options.weights]
    shares = options.shares or [1.0] * len(weights)
    if len(shares) != len(weights):
        raise ConfigError(f"--shares wants a number for each run: {len(weights)}, not {len(shares)}")
    average([Share(*each) for each in zip(weights, shares, strict=True)], Path(options.out))
    print(f"{options.out}: mean of {len(weights)}")
    return 0
