"""Bounds on foreign files: what they are, and what the page about them says."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from inktex.errors import ConfigError
from inktex.limits import DEFAULT_LIMITS, Limits

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"


def test_the_page_states_every_default() -> None:
    """The table of docs/reliability.md has a row for each bound, with its default."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert {name: int(value.replace(",", "")) for name, value in rows} == dataclasses.asdict(DEFAULT_LIMITS)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Limits)])
def test_a_bound_is_above_nothing(name: str) -> None:
    """A bound of 0, below it or that is no number is refused by its name."""
    for value in (0, -1, float("nan")):
        with pytest.raises(ConfigError, match=name):
            Limits(**{name: value})
