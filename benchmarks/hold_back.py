"""Which drawings and writers of the collections of symbols are for evaluation alone, as a JSON file.

python benchmarks/hold_back.py OUT SOURCE...

Of each Detexify command every tenth drawing in the order of the crc32 of its id, at least four; commands
with fewer than 12 drawings are not held back. Of the writers of UNIPEN and Omniglot every tenth, in that
order too.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from inktex.data.formats.symbols import read_drawings

ONE_IN, AT_LEAST, FEWEST = 10, 4, 12
NOTICE = (
    "Ids of drawings of Detexify (Daniel Kirsch) are taken from its database, which is made available under "
    "the Open Database License (ODbL) v1.0; this list of them is under the same license."
)


def chosen(names: Iterable[str], least: int = 0) -> list[str]:
    """Return every tenth name in the order of their crc32, at least so many."""
    ordered = sorted(names, key=lambda name: (zlib.crc32(name.encode()), name))
    count = max(-(-len(ordered) // ONE_IN), min(least, len(ordered)))
    return [ordered[number * len(ordered) // count] for number in range(count)]


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description="Choose what is held back for evaluation.")
    parser.add_argument("out", type=Path)
    parser.add_argument("sources", type=Path, nargs="+")
    options = parser.parse_args()
    commands: dict[str, list[str]] = defaultdict(list)
    writers: dict[str, set[str]] = defaultdict(set)
    for source in options.sources:
        for drawing in read_drawings(source, Counter()):
            if drawing.writer:
                writers[drawing.source].add(f"{drawing.source}/{drawing.writer}")
            else:
                commands[drawing.label].append(drawing.id)
    held: dict[str, object] = {name: sorted(chosen(found)) for name, found in sorted(writers.items())}
    held["detexify"] = sorted(
        name for ids in commands.values() if len(ids) >= FEWEST for name in chosen(ids, AT_LEAST)
    )
    held["notice"] = NOTICE
    options.out.write_text(json.dumps(held, separators=(",", ":")).replace('","', '",\n"') + "\n")


if __name__ == "__main__":
    main()
