"""How many labels of other collections the dialect can write; writes benchmarks/results/coverage.json.

python benchmarks/coverage.py LIST... [--vocabulary configs/vocabulary.json] [--json OUT]

A list is a text with a label a line, plain or packed (.xz, .gz). A label can be written where its tokens in
the dialect are in the vocabulary. Each of these is printed as MathML, which has to be well-formed and without
names of commands, and as readable LaTeX, which has to be read back as the same tokens.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from inktex.errors import LatexError
from inktex.latex.normalize import normalize
from inktex.latex.readable import readable
from inktex.mathml import to_mathml
from inktex.vocabulary import Vocabulary
from record import ROOT, write_record

_OPENERS = {".xz": lzma.open, ".gz": gzip.open}
_MOST_REASONS = 40


class Coverage(NamedTuple):
    """What became of the labels of a list.

    Attributes:
        labels: how many there are.
        written: how many of them can be written.
        reasons: labels left out, by what stands in the way; a label may have several reasons.
        failures: labels that can be written and do not survive a round trip, by trip.
    """

    labels: int
    written: int
    reasons: Counter[str]
    failures: Counter[str]


def read_labels(path: Path) -> Counter[str]:
    """Return the labels of a list and how often each occurs."""
    with _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:
        return Counter(line.strip() for line in file if line.strip())


def cover(labels: Counter[str], vocabulary: frozenset[str]) -> Coverage:
    """Bring labels into the dialect and count what can be written."""
    written = 0
    reasons: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for label, count in labels.items():
        try:
            tokens = normalize(label)
        except LatexError as error:
            reasons[_problem(str(error))] += count
            continue
        missing = {
            token if token.isascii() else "other scripts" for token in tokens if token not in vocabulary
        }
        for reason in missing:
            reasons[reason] += count
        if not missing:
            written += count
            for trip in _failures(tokens):
                failures[trip] += count
    return Coverage(labels.total(), written, reasons, failures)


def _problem(message: str) -> str:
    """Return a message of the parser without places and quoted tokens."""
    return re.sub(r" \(at .*\)|'[^']*'", lambda match: "..." if match[0][0] == "'" else "", message)


def _failures(tokens: list[str]) -> list[str]:
    """Return the round trips that lose something."""
    found = [] if normalize(readable(tokens)) == tokens else ["readable LaTeX"]
    root = ElementTree.fromstring(to_mathml(tokens))
    if any("\\" in (element.text or "") for element in root.iter() if element.tag.endswith("mtext")):
        found.append("MathML")
    return found


def _figures(coverage: Coverage) -> dict[str, Any]:
    return {
        "labels": coverage.labels,
        "written": coverage.written,
        "percent": round(100 * coverage.written / coverage.labels, 2),
        "left_out": dict(coverage.reasons.most_common(_MOST_REASONS)),
        "failed_round_trips": dict(coverage.failures),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Count the labels that the dialect can write.")
    parser.add_argument("lists", type=Path, nargs="+", metavar="LIST")
    parser.add_argument("--vocabulary", type=Path, default=ROOT / "configs" / "vocabulary.json")
    parser.add_argument("--json", type=Path, help="write the figures there instead")
    options = parser.parse_args()

    vocabulary = Vocabulary.from_json(options.vocabulary.read_text(encoding="utf-8"))
    figures: dict[str, Any] = {"tokens": len(vocabulary)}
    for path in options.lists:
        coverage = cover(read_labels(path), frozenset(vocabulary.tokens))
        figures[path.name.split(".")[0]] = _figures(coverage)
        print(f"{path.name}: {100 * coverage.written / coverage.labels:.2f} % of {coverage.labels} labels")
        for reason, count in coverage.reasons.most_common(_MOST_REASONS):
            print(f"  {count:6} {reason}")
        for trip, count in coverage.failures.items():
            print(f"  {count:6} LOST in {trip}")
    if options.json is None:
        write_record("coverage", figures)
    else:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
