"""What the documents say to type runs as it stands there, from a folder that holds a clone and the data.

Data sets are replaced by small samples of the same names, networks by tiny ones of the same family unless a
page starts from the shipped weights. Where a page trains or writes thousands of samples, an option is added
that bounds it. Nothing else is prepared: what a command needs, commands above it on the page have made.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("pyarrow")

from drawn_sets import lay_out_sets, run, shrink
from inktex import cli
from inktex.data.dataset import read_dataset

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
PROGRAMS = ("inktex", "python", "make", "mkdir", "pip")
# What is added to a command that would take long; EXPLAINED where the page shows what the network reads, for
# after an epoch it reads nothing.
BOUNDS = {"inktex train": "--trainer.epochs 1", "inktex synthesize": "--count 20"}
EXPLAINED = "--trainer.epochs 20 --trainer.validate_every 20"
WHOLE_NETWORKS = ("docs/fine_tuning.md",)  # pages that start from the shipped weights
NOT_RUN = {  # the beginning of a command -> why it is not run here
    "inktex serve": "runs until it is stopped",
    "pip install": "installs an environment; continuous integration does so in a fresh clone",
    "make setup": "installs an environment; continuous integration does so in a fresh clone",
    "make demo": "installs an environment; continuous integration does so in a fresh clone",
    "make test": "is this test itself, among others",
    "make check": "continuous integration runs it in a fresh clone",
    "make reproduce": "trains for a day; its dry run is a test of its own",
    "inktex import inktex-ink.zip": "reads what the page in a browser saves; a test of the page does so",
    "inktex import SOURCE": "shows options with placeholders",
    "inktex export-data DATA": "shows options with placeholders",
    "inktex labels SOURCE": "shows options with placeholders",
    "inktex synthesize DATA": "shows options with placeholders",
    "inktex describe DATA": "shows options with placeholders",
    "inktex explain examples/hero.png --model runs/can": "needs a run of CAN; docs/models.md makes one",
    "inktex curves runs/first runs/second": "needs two runs; docs/models.md makes some",
    "python benchmarks/recognition.py": "traces other networks and times them: ten minutes",
    "python benchmarks/train_step.py": "times a minute of training",
}


class Section(NamedTuple):
    """Commands that stand in one place of a page and run one after the other."""

    page: str
    title: str
    commands: tuple[str, ...]


def commands(text: str) -> tuple[str, ...]:
    """The lines of the code blocks that say what to type, whole where they are broken."""
    found = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        lines = block.replace("\\\n", " ").splitlines() if language in ("", "sh") else []
        for line in lines:
            words = line.split("  #")[0].split()
            while words and re.fullmatch(r"[A-Z_]+=\S+", words[0]):
                words.pop(0)  # a variable of the environment
            if words and words[0] in PROGRAMS:
                found.append(" ".join(words))
    return tuple(found)


def sections() -> list[Section]:
    """The pages with commands; docs/models.md by system, for each begins anew."""
    found = []
    for page in PAGES:
        name, text = str(page.relative_to(ROOT)), page.read_text(encoding="utf-8")
        parts = re.split(r"^## ", text, flags=re.MULTILINE) if name == "docs/models.md" else [text]
        found += [Section(name, part.partition("\n")[0], commands(part)) for part in parts]
    return [section for section in found if section.commands]


SECTIONS = sections()


def reason(command: str) -> str | None:
    """Why a command is not run, or None if it is."""
    return next((why for start, why in NOT_RUN.items() if command.startswith(start)), None)


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all data sets that the pages name."""
    return lay_out_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture
def clone(
    tmp_path: Path, sets: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    """A folder with what a clone has, and with the data sets; the working directory."""
    section: Section = request.getfixturevalue("section")
    monkeypatch.chdir(tmp_path)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for path in ("examples", "checkpoints/inktex", "models/small"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).symlink_to(ROOT / path)
    for path in sets.iterdir():
        (tmp_path / path.name).symlink_to(path)
    for folder, pattern in (("configs", "*.yaml"), ("benchmarks", "*.py")):
        (tmp_path / folder).mkdir()
        for file in (ROOT / folder).glob(pattern):
            small = folder == "configs" and section.page not in WHOLE_NETWORKS
            (shrink if small else shutil.copy)(file, tmp_path / folder / file.name)
    return tmp_path


def bounded(command: str, explained: bool) -> str:
    """A command as it is run: with the option that bounds it, or with a number of epochs of 1."""
    bound = next((more for start, more in BOUNDS.items() if command.startswith(start)), "")
    if "--trainer.epochs" in bound:
        bound = EXPLAINED if explained else bound
        command, named = re.subn(r"--(max_epochs|epochs) \d+", r"--\1 1", command)
        bound = "" if named else bound  # a key may be named once
    return f"{command} {bound}".strip()


def execute(command: str) -> None:
    """Run one command as a shell would; it must succeed."""
    words = shlex.split(command)
    source = words[words.index("<") + 1] if "<" in words else None
    words = words[: words.index("<")] if source else words
    words = [
        file for word in words for file in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]
    if words[0] == "mkdir":
        Path(words[-1]).mkdir(parents=True, exist_ok="-p" in words)
    elif words[0] == "inktex":
        with pytest.MonkeyPatch.context() as patch:
            if source:
                patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(source).read_bytes())))
            run(*words[1:])
    else:
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def written(command: str) -> list[Path]:
    """The files and folders that a command names as what it writes."""
    found = re.findall(
        r"(?:-o|--out|--output|--json|--predictions|--page|--bad-cases|--counts|--make-vocabulary) (\S+)",
        command,
    )
    words = command.split()
    if words[:2] in (["inktex", "import"], ["inktex", "export"], ["inktex", "export-data"]):
        found.append(words[3])
    if words[:2] == ["python", "benchmarks/accuracy.py"]:
        found.append(f"benchmarks/results/{words[words.index('--name') + 1]}.json")
    return [Path(path) for path in found]


@pytest.mark.slow
@pytest.mark.parametrize(
    "section",
    [section for section in SECTIONS if any(reason(command) is None for command in section.commands)],
    ids=lambda section: f"{section.page}: {section.title}",
)
def test_commands_run_as_they_stand(section: Section, clone: Path) -> None:
    """One after the other they succeed, and write the files that they name."""
    explained = any(command.startswith("inktex explain") for command in section.commands)
    small = section.page not in WHOLE_NETWORKS
    for command in section.commands:
        if reason(command) is None:
            execute(bounded(command, explained and small))
            missing = [path for path in written(command) if not path.exists()]
            assert not missing, f"{command}: {missing}"


def test_reasons_are_not_stale() -> None:
    """Every command that is listed as not run stands on some page, and every bound is used."""
    everything = [command for section in SECTIONS for command in section.commands]

    for start in (*NOT_RUN, *BOUNDS):
        assert any(command.startswith(start) for command in everything), start


def test_commands_are_found() -> None:
    """Broken lines are joined, variables and remarks left out, and what is no command passed over."""
    text = "```python\ninktex no\n```\n```\nA=b/c inktex train --x \\\n    1   # hours\nsrc/  a folder\n```\n"

    assert commands(text) == ("inktex train --x 1",)
    assert len(SECTIONS) > 8


def test_pages_name_only_commands_that_exist() -> None:
    """The second word of every command line is a command of the program, and its options are known."""
    names = {command.name for command in cli.COMMANDS}

    used = {c.split()[1] for section in SECTIONS for c in section.commands if c.startswith("inktex ")}

    assert used <= names


def test_samples_are_what_the_pages_name(sets: Path, tmp_path: Path) -> None:
    """A sample of inks is imported with ink, symbols for every token and the label that was drawn."""
    run("import", sets / "inkml_train.zip", tmp_path / "out.parquet")

    samples = read_dataset(tmp_path / "out.parquet")

    assert len(samples) == 10
    for sample in samples:
        assert sample.ink is not None
        assert [symbol.label for symbol in sample.ink.symbols] == list(sample.tokens)


@pytest.mark.parametrize("page", ["docs/seeing.md"])
def test_python_on_pages_runs(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python code of the page runs from the root of the repository and prints something."""
    monkeypatch.chdir(ROOT)
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for block in blocks:
            exec(compile(block, page, "exec"), {})

    assert blocks
    assert printed.getvalue()
