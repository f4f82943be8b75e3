"""Writes the tables of README.md, MODEL_CARD.md and docs/ from the records in benchmarks/results/.

python benchmarks/figures.py [--check]

A table stands between two lines: ``<!-- figures: NAME -->`` and ``<!-- end -->``; what is between them is
replaced. ``--check`` writes nothing, names the pages that would change, and ends with 1 if there are any.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import figure_costs as costs
import figure_tables as tables
from record import RESULTS, ROOT

Record = Mapping[str, Any]
Table = Callable[[Mapping[str, Record]], list[str]]  # records by name -> lines of Markdown

TABLES: dict[str, Table] = {
    "headline": tables.headline,
    "accuracy": tables.accuracy,
    "sets": tables.sets,
    "confidence": tables.confidence,
    "robustness": tables.robustness,
    "changed": tables.changed,
    "searches": tables.searches,
    "speed-int8": costs.speed_int8,
    "speed": costs.speed,
    "cost": costs.cost,
    "training": costs.training,
    "boxes": costs.boxes,
}
PAGES = [ROOT / "README.md", ROOT / "MODEL_CARD.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^<!-- figures: (\S+) -->\n(.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL)


def read_records(folder: Path = RESULTS) -> dict[str, Record]:
    """Return the records of a folder by the names of their files."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def filled(text: str, records: Mapping[str, Record]) -> str:
    """Return a page whose tables say what the records say.

    Raises:
        ValueError: a table has a name that there is none of, or lacks its end.
    """

    def block(found: re.Match[str]) -> str:
        name = found[1]
        if name not in TABLES:
            raise ValueError(f"there is no table {name!r}; there are: {', '.join(TABLES)}")
        lines = TABLES[name](records)
        return "\n".join([f"<!-- figures: {name} -->", *lines, "<!-- end -->"])

    if text.count("<!-- figures:") != len(BLOCK.findall(text)):
        raise ValueError("a table has no line <!-- end --> of its own")
    return BLOCK.sub(block, text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the tables of the documents from the records.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a page would change")
    options = parser.parse_args()

    records = read_records()
    stale = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        try:
            new = filled(text, records)
        except ValueError as error:
            parser.exit(2, f"{page.relative_to(ROOT)}: {error}\n")
        if new != text:
            stale.append(page)
            print(page.relative_to(ROOT))
            if not options.check:
                page.write_text(new, encoding="utf-8")
    sys.exit(int(options.check and bool(stale)))


if __name__ == "__main__":
    main()
