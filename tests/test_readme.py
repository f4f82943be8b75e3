"""What the documents promise: Python code runs, commands and files exist, links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from inktex.cli import COMMANDS
from inktex.latex.readable import readable
from test_architecture import ALLOWED

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LOG = ROOT / "docs" / "experiments"
WEIGHTS = ROOT / "src" / "inktex" / "weights"
SHIPS = (WEIGHTS / "model.json").is_file()
needs_weights = pytest.mark.skipif(not SHIPS, reason="no model ships in src/inktex/weights")
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "MODEL_CARD.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
EXPERIMENTS = sorted(LOG.glob("2*.md"))
SUMMARY = ("Question", "Change", "Result", "Verdict", "Command")


def code_blocks(text: str, language: str) -> list[str]:
    """The text of the code blocks of a language."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for name, block in blocks if name == language]


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
        for block in code_blocks(README, "python"):
            exec(compile(block, "README.md", "exec"), names)

    assert printed.getvalue().splitlines()[0].startswith(f"{hero_latex()} (")


def test_the_hero_is_what_was_drawn() -> None:
    """The LaTeX on the first screen is what examples/labels.txt says is in the picture, made readable."""
    lines = (ROOT / "examples" / "labels.txt").read_text(encoding="utf-8").splitlines()

    assert hero_latex() == readable(dict(line.split("\t") for line in lines)["hero.png"].split())


def test_readme_is_short() -> None:
    """The first page a newcomer reads stays under 160 lines."""
    assert len(README.splitlines()) < 160


def test_every_command_is_described() -> None:
    """The commands in README's table are those of the program."""
    listed = re.findall(r"^\| `inktex ([\w-]+)` \|", README, re.MULTILINE)

    assert sorted(listed) == sorted(command.name for command in COMMANDS)


def test_every_make_target_exists() -> None:
    """No page names a target of make that the Makefile lacks."""
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    named = {name for text in texts for name in re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE)}

    assert {"demo", "test", "figures"} <= named
    assert named <= set(targets)


def tree_paths() -> list[Path]:
    """The paths of the annotated tree of docs/architecture.md, indented by four spaces a level."""
    (tree,) = [block for block in code_blocks(ARCHITECTURE, "") if "src/inktex/" in block]
    above: list[str] = []
    paths = []
    for line in tree.splitlines():
        level = (len(line) - len(line.lstrip())) // 4
        above = [*above[:level], line.split()[0]]
        paths.append(ROOT.joinpath(*above))
    return paths


def test_the_annotated_tree_is_the_tree() -> None:
    """Every file and folder of the tree exists, and no room of the package is left out."""
    paths = tree_paths()

    missing = [path for path in paths if not path.exists() and (SHIPS or path != WEIGHTS)]
    package = ROOT / "src" / "inktex"
    rooms = {path for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}

    assert not missing
    assert rooms <= set(paths)


def test_the_table_of_imports_is_the_one_that_is_enforced() -> None:
    """The page about architecture gives every part the row that the test of imports holds it to."""
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (.*?) \|", ARCHITECTURE, re.MULTILINE)
    told = {
        part: frozenset(re.findall(r"`(\w+)`", others))
        for parts, others in rows
        for part in re.findall(r"`(\w+)`", parts)
    }

    told.pop("commands")  # which may import anything but ``cli``

    assert told == {part: ALLOWED[part] for part in ALLOWED.keys() - {"__init__", "commands"}}
    assert "cli" not in ALLOWED["commands"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Files that a page links to or shows exist."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)|src=\"([^\":]+)\"", text):
        assert (page.parent / "".join(target)).exists(), "".join(target)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_can_be_read(page: Path) -> None:
    """No line of a page is so long that a change of it cannot be seen."""
    assert max(map(len, page.read_text(encoding="utf-8").splitlines())) < 400


@pytest.mark.parametrize("page", EXPERIMENTS, ids=lambda page: page.stem)
def test_an_experiment_has_a_summary_and_a_place_in_the_index(page: Path) -> None:
    """Each page of the log begins with five lines and stands in the index; one that runs may lack them."""
    index = (LOG / "README.md").read_text(encoding="utf-8")
    (verdict,) = re.findall(rf"^\| \[.*?\]\({re.escape(page.name)}\) \| (.+) \|$", index, re.MULTILINE)

    summary = re.findall(r"^- \*\*(\w+):\*\* \S", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert verdict == "running" or tuple(summary[:5]) == SUMMARY
