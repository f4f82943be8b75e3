"""How large the shipped model is; writes benchmarks/results/size.json.

python benchmarks/size.py [--checkpoint checkpoints/inktex]

Parameters are counted in the network that the configuration of the checkpoint builds, for the tokens of the
model that ships; sizes of model folders are those of their files.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from inktex.models.families import FAMILIES
from inktex.training.reading import read_config
from record import ROOT, write_record

BUNDLES = {"shipped": ROOT / "src/inktex/weights", "small": ROOT / "models/small"}
MEGABYTE = 1_000_000


def parameters(run: Path) -> tuple[str, int, int]:
    """Return a run's family, the tokens of what ships, specials included, and the parameters for them."""
    config = read_config(run / "config.yaml")
    vocabulary = BUNDLES["shipped"] / "vocabulary.json"
    tokens = len(json.loads(vocabulary.read_text(encoding="utf-8")))
    network = FAMILIES[config.family].build(tokens, config.model)
    return config.family, tokens, sum(parameter.numel() for parameter in network.parameters())


def folder_mb(folder: Path) -> float:
    """Return the size of a folder's files in megabytes."""
    files = (path for path in folder.iterdir() if path.is_file())
    return round(sum(path.stat().st_size for path in files) / MEGABYTE, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description="Count parameters and bytes of the shipped model.")
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "checkpoints/inktex")
    options = parser.parse_args()

    family, tokens, count = parameters(options.checkpoint)
    sizes = {f"{name}_mb": folder_mb(folder) for name, folder in BUNDLES.items()}
    write_record("size", {"family": family, "tokens": tokens, "parameters": count, **sizes})


if __name__ == "__main__":
    main()
