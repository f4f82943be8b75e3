"""How many inks and pictures each token was learnt from; writes benchmarks/results/token_counts.json.

python benchmarks/token_counts.py --vocabulary FILE --ink DATA... --drawings SYMBOLS [--pictures DATA...]

Counted are the expressions of ``--ink`` and ``--pictures`` that have the token, and the drawings of it in the
library of symbols that are not held back. Synthetic ink is made of these and not counted.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from inktex.data.dataset import Sample, read_dataset
from inktex.data.synthesis.symbols import HELD
from inktex.vocabulary import SPECIALS
from record import write_record


def counted(samples: Iterable[Sample]) -> Counter[str]:
    """Return in how many samples each token is."""
    return Counter(token for sample in samples for token in set(sample.tokens))


def main() -> None:
    """Count, and write the record."""
    parser = argparse.ArgumentParser(description="Count what each token was learnt from.")
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--ink", type=Path, nargs="+", required=True, help="expressions as ink")
    parser.add_argument("--drawings", type=Path, required=True, help="a library of single symbols")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="expressions as pictures")
    options = parser.parse_args()
    ink = counted(sample for path in options.ink for sample in read_dataset(path))
    pictures = counted(sample for path in options.pictures for sample in read_dataset(path))
    drawings = counted(sample for sample in read_dataset(options.drawings) if sample.split != HELD)
    tokens = json.loads(options.vocabulary.read_text(encoding="utf-8"))
    write_record(
        "token_counts",
        {
            "columns": ["expressions in ink", "single drawings", "photos"],
            "tokens": {
                token: [ink[token], drawings[token], pictures[token]]
                for token in tokens
                if token not in SPECIALS
            },
        },
    )


if __name__ == "__main__":
    main()
