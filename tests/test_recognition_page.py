"""What docs/recognition.md promises: its Python prints what stands below it, and it names every option."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "recognition.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
needs_weights = pytest.mark.skipif(
    not (ROOT / "src/inktex/weights/model.json").is_file(), reason="no model ships in src/inktex/weights"
)


def without_decimals(text: str) -> str:
    """Text whose decimal numbers, which differ from model to model, are all the same."""
    return re.sub(r"\d+\.\d+", "0.0", text)


@needs_weights
def test_the_python_code_prints_what_stands_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All examples run one after the other, and none lacks its output; decimals may differ."""
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}

    assert len(EXAMPLES) == PAGE.count("```python") > 3
    for code, expected in EXAMPLES:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "recognition.md", "exec"), names)
        assert without_decimals(printed.getvalue()) == without_decimals(expected)


@pytest.mark.parametrize("module", ["recognition", "output_formats"])
def test_every_option_is_described(module: str) -> None:
    """The page names the options that say what is printed, and every value they take."""
    source = (ROOT / f"src/inktex/commands/{module}.py").read_text(encoding="utf-8")
    named = set(re.findall(r'"(--[a-z-]+)"', source.partition("def add_evaluate")[0]))

    assert named
    assert {option for option in named if option not in PAGE} == set()
