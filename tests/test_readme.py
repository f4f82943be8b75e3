"""What README.md promises: its Python code runs, its commands and files exist, its figures are there."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from inktex.cli import COMMANDS
from inktex.latex.readable import readable

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WEIGHTS = ROOT / "src" / "inktex" / "weights"
SHIPS = (WEIGHTS / "model.json").is_file()
needs_weights = pytest.mark.skipif(not SHIPS, reason="no model ships in src/inktex/weights")


def code_blocks(language: str) -> list[str]:
    """The text of README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def hero_latex() -> str:
    """The LaTeX that the first screen shows beside its picture."""
    found = re.search(r"\| <img src=\"examples/hero\.png\".*?\| `(.*?)` \|", README)
    assert found is not None
    return found[1]


@needs_weights
def test_the_python_code_runs_and_reads_the_hero(monkeypatch: pytest.MonkeyPatch) -> None:
    """All Python blocks run one after the other; the first prints the LaTeX shown above it."""
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    names: dict[str, object] = {}

    with contextlib.redirect_stdout(printed):
        for block in code_blocks("python"):
            exec(compile(block, "README.md", "exec"), names)

    assert printed.getvalue().splitlines()[0].startswith(f"{hero_latex()} (")


def test_the_hero_is_what_was_drawn() -> None:
    """The LaTeX on the first screen is what examples/labels.txt says is in the picture, made readable."""
    lines = (ROOT / "examples" / "labels.txt").read_text(encoding="utf-8").splitlines()

    assert hero_latex() == readable(dict(line.split("\t") for line in lines)["hero.png"].split())


def test_every_command_is_described() -> None:
    """The commands in README's table are those of the program, and its examples use no other."""
    listed = re.findall(r"^\| `inktex ([\w-]+)` \|", README, re.MULTILINE)
    examples = "\n".join(code_blocks(""))
    used = set(re.findall(r"^inktex ([\w-]+)", examples, re.MULTILINE))

    assert sorted(listed) == sorted(command.name for command in COMMANDS)
    assert used <= set(listed)


def test_every_make_target_exists() -> None:
    """README names no target of make that the Makefile lacks."""
    named = {name for block in code_blocks("") for name in re.findall(r"^make (\w+)", block, re.MULTILINE)}
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert named
    assert named <= set(targets)


def tree_paths() -> list[Path]:
    """The paths of README's annotated tree, which is indented by four spaces a level."""
    (tree,) = [block for block in code_blocks("") if "src/inktex/" in block]
    above: list[str] = []
    paths = []
    for line in tree.splitlines():
        level = (len(line) - len(line.lstrip())) // 4
        above = [*above[:level], line.split()[0]]
        paths.append(ROOT.joinpath(*above))
    return paths


def test_the_annotated_tree_is_the_tree() -> None:
    """Every file and folder of the tree exists, and no module at the top of the package is left out."""
    paths = tree_paths()

    missing = [path for path in paths if not path.exists() and (SHIPS or path != WEIGHTS)]
    package = ROOT / "src" / "inktex"
    modules = {path for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}

    assert not missing
    assert modules <= set(paths)


def test_links_lead_somewhere() -> None:
    """Files that README and the pages in docs/ link to or show exist."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", text):
            assert (page.parent / "".join(target)).exists(), f"{page.name}: {''.join(target)}"


@needs_weights
@pytest.mark.parametrize("page", ["README.md", "MODEL_CARD.md", "docs/results.md", "docs/experiments.md"])
def test_no_figure_is_missing(page: str) -> None:
    """Once a model ships, no page has a gap where a figure belongs."""
    assert "TODO" not in (ROOT / page).read_text(encoding="utf-8")
