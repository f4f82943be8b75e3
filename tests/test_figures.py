"""The tables of the documents say what the records of the benchmarks say, and nothing else holds figures."""

from __future__ import annotations

import copy
import json
import math
import re
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import figures
from figure_tables import interval, parameters

RECORDS = figures.read_records()
NO_FIGURES = {"3.11", "2.0"}  # versions of Python and of a licence


@pytest.mark.parametrize("page", figures.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_documents_say_what_the_records_say(page: Path) -> None:
    """Writing a page's tables anew from the records changes nothing."""
    text = page.read_text(encoding="utf-8")

    assert figures.filled(text, RECORDS) == text


def test_a_new_record_changes_the_tables_that_quote_it() -> None:
    """Another ExpRate of 2014 appears in the headline, and the old one is gone."""
    records: Any = copy.deepcopy(RECORDS)
    records["crohme2014"]["figures"]["exprate"] = 100 * 700 / 986

    lines = "\n".join(figures.TABLES["headline"](records))

    assert "**70.99**" in lines
    assert f"**{RECORDS['crohme2014']['figures']['exprate']:.2f}**" not in lines


@pytest.mark.parametrize("text", ["<!-- figures: none -->\n<!-- end -->", "<!-- figures: headline -->\n"])
def test_a_table_without_name_or_end_is_refused(text: str) -> None:
    """A name that there is no table of, and a table without its last line, raise."""
    with pytest.raises(ValueError, match=r"no table|no line"):
        figures.filled(text, RECORDS)


@pytest.mark.parametrize("year", [2014, 2016, 2019])
def test_intervals_are_those_measured_elsewhere(year: int) -> None:
    """Wilson's interval, computed here from the rate and the count, is the one in the independent record."""
    measured = RECORDS["measured_e8983e0"]["sets"][f"crohme{year} official pictures"]
    low, high = measured["intervals"]["exprate"]

    assert interval(measured) == f"{low:.1f} to {high:.1f}"


def test_the_interval_of_868_of_1199() -> None:
    """The interval of 2019's ink is Wilson's of 868 right answers, worked out by its formula."""
    n, z = 1199, 1.959964
    share = 868 / n
    middle, half = share + z**2 / (2 * n), z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = (100 * (middle + side * half) / (1 + z**2 / n) for side in (-1, 1))

    ink = RECORDS["measured_e8983e0"]["sets"]["crohme2019 ink"]

    assert interval(ink) == f"{low:.1f} to {high:.1f}"


def test_both_measurements_of_2014_agree() -> None:
    """What was measured here and elsewhere on the pictures of 2014 is the same in every figure."""
    here = RECORDS["crohme2014"]["figures"]
    there = RECORDS["measured_e8983e0"]["sets"]["crohme2014 official pictures"]

    shared = here.keys() & there.keys() - {"seconds"}

    assert len(shared) > 15
    assert {key: here[key] for key in shared} == pytest.approx({key: there[key] for key in shared})


def test_parameters_are_those_of_the_weights() -> None:
    """The record of the network's size is what the checkpoint's file says, for the tokens that ship."""
    with (ROOT / "checkpoints/inktex/weights.safetensors").open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    running = ("running_mean", "running_var", "num_batches_tracked")  # statistics of batches, not learnt
    shapes = [
        entry["shape"]
        for name, entry in header.items()
        if name != "__metadata__" and not name.endswith(running)
    ]

    known = len(json.loads((ROOT / "checkpoints/inktex/vocabulary.json").read_text(encoding="utf-8")))
    figures = RECORDS["size"]["figures"]
    of_a_token = sum(math.prod(shape) // known for shape in shapes if known in shape)
    more = of_a_token * (known - figures["tokens"])
    assert sum(map(math.prod, shapes)) - more == figures["parameters"]


@pytest.mark.parametrize(
    ("million", "text"),
    [(4.963, "5.0 M"), (6.4, "6.4 M"), (16.8, "17 M"), (3000.0, "3 B"), (None, "")],
)
def test_parameters_are_rounded_alike(million: float | None, text: str) -> None:
    """A decimal below ten million, none above, billions as such."""
    assert parameters(million) == text


@pytest.mark.parametrize("page", ["README.md", "docs/results.md"])
def test_no_figure_stands_outside_a_table(page: str) -> None:
    """Between the tables that are written from records no text holds a decimal of its own."""
    text = figures.BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`|\]\([^)]*\)", "", text)

    assert set(re.findall(r"\d+\.\d+", text)) <= NO_FIGURES


def test_what_was_measured_elsewhere_says_so() -> None:
    """Records of others carry a field that says where they come from, and name the commit."""
    others = {name: record for name, record in RECORDS.items() if name.startswith("measured_")}

    assert others
    assert all("outside this repository" in record["measured"] for record in others.values())
    assert all(name.endswith(record["commit"]) for name, record in others.items())


def test_every_published_figure_has_a_source() -> None:
    """Each row of the other systems names its source and gives at least one figure."""
    systems = RECORDS["published"]["figures"]["systems"]

    assert len(systems) > 10
    assert all(system["source"] and (system["sets"] or "average" in system) for system in systems)
