"""``inktex archive``: a run as small as training can go on from it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path


def add_archive(parser: ArgumentParser) -> None:
    """Declare the options of ``inktex archive``."""
    parser.description = (
        "Write the weights of a run in half precision, with its configuration and vocabulary, to a folder "
        "that 'inktex train --trainer.initial' and 'inktex average' take."
    )
    parser.add_argument("run", help="a run folder, or a file of weights in one")
    parser.add_argument("out", help="the folder to make, such as checkpoints/mine")


def run_archive(options: Namespace) -> int:
    """Write the weights of a run in half precision."""
    from inktex.training.folder import archive_run

    out = Path(options.out)
    archive_run(Path(options.run), out)
    size = sum(file.stat().st_size for file in out.iterdir())
    print(f"{out}: {size / 1e6:.1f} MB")
    print("to go on from it:")
    print(f"  inktex train --config {out / 'config.yaml'} --trainer.initial {out}")
    return 0
