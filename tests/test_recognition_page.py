"""What docs/recognition.md promises: its Python prints what stands below it, its commands run."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from inktex import cli

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "recognition.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^inktex recognize .*$", PAGE, re.MULTILINE)
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


@needs_weights
@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_run(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command reads what it names without a complaint."""
    words = shlex.split(line)
    if "<" in words:
        data = (ROOT / words[words.index("<") + 1]).read_bytes()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        words = words[: words.index("<")]
    files = [str(file) for word in words for file in (sorted(ROOT.glob(word)) if "*" in word else [])]
    words = [word for word in words if "*" not in word]
    words[2:2] = files[:2]
    monkeypatch.chdir(ROOT)
    if "--output" in words:
        words[words.index("--output") + 1] = str(tmp_path / "out")

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as problems:
        code = cli.main([*words[1:], "--width", "1", "--one-way", "--one-look"])

    assert words[0] == "inktex"
    assert (code, problems.getvalue()) == (0, "")


@pytest.mark.parametrize("module", ["recognition", "forms"])
def test_every_option_is_described(module: str) -> None:
    """The page names the options that say what is printed, and every value they take."""
    source = (ROOT / f"src/inktex/commands/{module}.py").read_text(encoding="utf-8")
    named = set(re.findall(r'"(--[a-z-]+)"', source.partition("def add_evaluate")[0]))
    search = {"--model", "--width", "--one-way", "--one-look", "--threads"}  # README has them

    assert named
    assert {option for option in named - search if option not in PAGE} == set()
