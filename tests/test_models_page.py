"""What docs/models.md names: the five systems, the families and their configurations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from inktex.models.families import FAMILIES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
CONFIGS = sorted(path.stem for path in (ROOT / "configs").glob("*.yaml"))
SYSTEMS = [
    "HMER V2.0 (WAP)",
    "Scale augmentation and drop attention",
    "HMER-MTL, CoMER, BTTR",
    "image-to-latex, pure and text-mixed formulas",
    "CAN",
]


def test_every_system_has_its_commands() -> None:
    """The sections with commands are the five systems'; each trains, exports and evaluates."""
    sections = dict(re.findall(r"^## (.+?)$.*?^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))

    assert list(sections) == SYSTEMS
    for commands in sections.values():
        assert {"train", "export", "evaluate"} <= set(re.findall(r"^inktex ([\w-]+)", commands, re.MULTILINE))


def test_every_configuration_is_named() -> None:
    """The table names the families and, with their fast companions, the files in configs/."""
    rows = [row for row in PAGE.splitlines() if row.startswith("| `")]
    named = {name for row in rows[: len(FAMILIES)] for name in re.findall(r"`(\w+)`", row.split("|")[-2])}

    assert {re.findall(r"`(\w+)`", row)[0] for row in rows[: len(FAMILIES)]} == set(FAMILIES)
    assert {name.removesuffix("_fast") for name in CONFIGS} == {
        name for name in named if not name.endswith("_fast")
    }
