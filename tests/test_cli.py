"""The command line: what it prints, writes and returns."""

import gzip
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from inktex import __version__, cli
from inktex.data.dataset import read_dataset, write_dataset
from inktex.errors import DataError
from typewriter import typed

INKML = b"<ink><annotation type='truth'>$x^2$</annotation><trace>0 0, 10 20</trace></ink>"
SOURCE = str(Path(cli.__file__).parents[1])


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """A folder of one sound and two unusable InkML files."""
    folder = tmp_path / "train"
    folder.mkdir()
    for name, data in (("a", INKML), ("b", b""), ("c", b"<ink/>")):
        (folder / f"{name}.inkml").write_bytes(data)
    return folder


def run(*arguments: str | Path) -> int:
    """Run a command line in this process."""
    return cli.main([str(argument) for argument in arguments])


def process(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "inktex.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        timeout=60,
        check=False,
    )


def test_import_writes_what_is_sound_and_names_the_rest(train: Path, tmp_path: Path, capsys) -> None:
    """One row is written, both unusable files are named with a reason, and the figures go to JSON."""
    assert run("import", train, tmp_path / "a.parquet", "--json", tmp_path / "a.json") == 0

    out, err = capsys.readouterr()
    assert "1 row (train 1)" in out
    assert "b.inkml: " in out
    assert "c.inkml: the file holds no strokes" in out
    assert err == ""
    assert [sample.id for sample in read_dataset(tmp_path / "a.parquet")] == ["a"]
    figures = json.loads((tmp_path / "a.json").read_text())
    assert (figures["count"], figures["splits"]) == (1, {"train": 1})
    assert [file["name"] for file in figures["rejected"]] == ["b.inkml", "c.inkml"]
    assert figures["seconds"] >= 0


def test_import_names_the_split(train: Path, tmp_path: Path) -> None:
    """The option names the split, digits included."""
    assert run("import", train, tmp_path / "a.parquet", "--split", "2013") == 0
    assert read_dataset(tmp_path / "a.parquet")[0].split == "2013"


def test_import_of_nothing_sound_fails(train: Path, tmp_path: Path, capsys) -> None:
    """When no row can be written the exit code is 2, the files are named and no file is left."""
    (train / "a.inkml").unlink()

    assert run("import", train, tmp_path / "a.parquet", "--json", tmp_path / "a.json") == 2

    out, err = capsys.readouterr()
    assert "b.inkml" in out
    assert err.startswith("inktex: error: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train"]


def test_only_the_first_bad_files_are_listed(tmp_path: Path, capsys) -> None:
    """After twenty bad files a count follows."""
    folder = tmp_path / "train"
    folder.mkdir()
    (folder / "a.inkml").write_bytes(INKML)
    for number in range(25):
        (folder / f"bad{number:02}.inkml").write_bytes(b"")

    assert run("import", folder, tmp_path / "a.parquet") == 0

    out = capsys.readouterr().out
    assert "25 passed over" in out
    assert "bad19.inkml" in out
    assert "bad20.inkml" not in out
    assert "and 5 more" in out


def test_describe_counts_draws_and_writes(train: Path, tmp_path: Path, capsys) -> None:
    """Counts and tokens are printed, brackets included; the sheet is a PNG, the JSON holds the counts."""
    (train / "d.inkml").write_bytes(INKML.replace(b"x^2", b"[x]"))
    run("import", train, tmp_path / "a.parquet")
    capsys.readouterr()

    assert (
        run("describe", tmp_path / "a.parquet", "--sheet", tmp_path / "s.png", "--json", tmp_path / "a.json")
        == 0
    )

    words = capsys.readouterr().out.split()
    assert words[words.index("expressions") + 1] == "2"
    assert words[words.index("[") + 1] == "1"
    figures = json.loads((tmp_path / "a.json").read_text())
    assert figures["tokens"] == {"x": 2, "2": 1, "[": 1, "]": 1, "^": 1, "{": 1, "}": 1}
    assert figures["length"] == {"smallest": 3, "median": 3, "p95": 5, "largest": 5}
    sheet = cv2.imdecode(np.frombuffer((tmp_path / "s.png").read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert sheet.ndim == 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["--fast"],
        ["import"],
        ["import", "a"],
        ["import", "a", "b", "--colour", "red"],
        ["describe", "nowhere.parquet"],
        ["describe", "nowhere.parquet", "--sheet-size", "many"],
        ["describe", "nowhere.parquet", "--sheet-size", "0"],
        ["import", "nowhere", "b.parquet"],
    ],
)
def test_mistakes_end_with_code_2(arguments: list[str], capsys, tmp_path: Path, monkeypatch) -> None:
    """Whatever is wrong with the command line, the code is 2 and stderr says so without a traceback."""
    monkeypatch.chdir(tmp_path)

    assert run(*arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    if arguments:
        assert err.startswith("inktex: error: ")
        assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_target_is_named(train: Path, tmp_path: Path, capsys) -> None:
    """Folders that do not exist are named for each file a command writes."""
    missing = tmp_path / "no" / "file"

    assert run("import", train, missing) == 2
    assert str(missing) in capsys.readouterr().err
    assert run("import", train, tmp_path / "a.parquet", "--json", missing) == 2
    assert str(missing) in capsys.readouterr().err
    assert run("describe", tmp_path / "a.parquet", "--sheet", missing) == 2
    assert str(missing) in capsys.readouterr().err


def test_help_and_version(capsys) -> None:
    """The help lists every command of the table, each command has its own, and --version is the package's."""
    assert run("--help") == 0
    out = capsys.readouterr().out
    for command in cli.COMMANDS:
        assert f"  {command.name}" in out
        assert run(command.name, "--help") == 0
        assert f"usage: inktex {command.name}" in capsys.readouterr().out
    assert run("--version") == 0
    assert capsys.readouterr().out == f"inktex {__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DataError("the file is odd"), 2, "inktex: error: the file is odd\n"),
        (KeyboardInterrupt(), 130, "inktex: interrupted\n"),
    ],
)
def test_errors_become_exit_codes(error: BaseException, code: int, message: str, capsys, monkeypatch) -> None:
    """An error of ours is one line and code 2; ctrl-C is code 130."""

    def fail(_: object) -> int:
        raise error

    command = cli.Command("fail", "Fail.", lambda _: None, fail)
    monkeypatch.setattr(cli, "COMMANDS", (command,))

    assert run("fail") == code
    assert capsys.readouterr().err == message


def test_a_fault_of_ours_is_not_hidden(monkeypatch) -> None:
    """An exception that is no user's mistake comes through."""

    def fail(_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "COMMANDS", (cli.Command("fail", "Fail.", lambda _: None, fail),))

    with pytest.raises(ZeroDivisionError):
        run("fail")


def test_help_loads_nothing_heavy() -> None:
    """The help imports nothing beyond the standard library and takes little computing."""
    code = "import sys; from inktex.cli import main; main(['--help']); print(sorted(sys.modules))"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert after.ru_utime - before.ru_utime < 1  # 0.1 s, however busy the machine is
    for module in ("numpy", "cv2", "jsonargparse", "yaml", "rich", "pyarrow", "torch"):
        assert f"'{module}'" not in done.stdout


def test_a_closed_pipe_is_no_traceback(train: Path, tmp_path: Path) -> None:
    """When the reader of the output goes away, the command ends without a traceback."""
    run("import", train, tmp_path / "a.parquet")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "inktex.cli", "describe", str(tmp_path / "a.parquet")],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        timeout=60,
        check=False,
    )
    os.close(writer)

    assert done.returncode != 0
    assert done.stderr == ""


def test_no_progress_bar_outside_a_terminal(train: Path, tmp_path: Path) -> None:
    """Without a terminal nothing is drawn on stderr."""
    done = process("import", train, tmp_path / "a.parquet")

    assert done.returncode == 0
    assert done.stderr == ""


def test_synthesize_writes_new_samples_and_figures(tmp_path: Path, capsys) -> None:
    """As many expressions as asked for, the same for the same seed; listed labels are read and counted."""
    write_dataset([typed(label) for label in ("x + y", "x ^ { 2 } = y", "( x ) 2")], tmp_path / "a.parquet")
    (tmp_path / "labels.txt.gz").write_bytes(gzip.compress(b"$x=2$\nx^\nx=z\n"))
    command = ("synthesize", tmp_path / "a.parquet")

    assert (
        run(
            *command,
            tmp_path / "b.parquet",
            "--count",
            20,
            "--seed",
            3,
            "--labels",
            tmp_path / "labels.txt.gz",
        )
        == 0
    )
    assert (
        run(*command, tmp_path / "c.parquet", "--count", 20, "--seed", 3, "--json", tmp_path / "c.json") == 0
    )
    assert run(*command, tmp_path / "d.parquet", "--count", 20, "--seed", 3) == 0

    out, _ = capsys.readouterr()
    assert "1 of 2 expressions can be written" in out
    assert len(read_dataset(tmp_path / "b.parquet")) == 20
    made = [
        [sample.tokens for sample in read_dataset(tmp_path / name)] for name in ("c.parquet", "d.parquet")
    ]
    assert made[0] == made[1]
    assert json.loads((tmp_path / "c.json").read_text())["distinct_labels"] == len(set(made[0]))


def test_synthesize_renames_as_many_labels_as_told(tmp_path: Path, capsys) -> None:
    """With 0 none is, and neither label has a group that fits into the other."""
    write_dataset([typed("x + x"), typed("y")], tmp_path / "a.parquet")
    labels = {}
    for share in ("0", "1"):
        made = tmp_path / f"{share}.parquet"
        assert run("synthesize", tmp_path / "a.parquet", made, "--count", 40, "--rename", share) == 0
        labels[share] = {" ".join(sample.tokens) for sample in read_dataset(made)}

    assert labels["0"] == {"x + x", "y"}
    assert "y + y" in labels["1"]


def test_synthesize_cuts_sub_expressions(tmp_path: Path, capsys) -> None:
    """All of them unless told how many."""
    write_dataset([typed("x + y"), typed("( x ) 2")], tmp_path / "a.parquet")

    assert run("synthesize", tmp_path / "a.parquet", tmp_path / "b.parquet", "--decompose") == 0
    assert run("synthesize", tmp_path / "a.parquet", tmp_path / "c.parquet", "--decompose", "--count", 2) == 0

    found = [" ".join(sample.tokens) for sample in read_dataset(tmp_path / "b.parquet")]
    assert sorted(found) == ["( x )", "+ y", "x +"]
    assert {" ".join(sample.tokens) for sample in read_dataset(tmp_path / "c.parquet")} < set(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--count", "0"], "--count must be at least 1"),
        (["--seed", "-1"], "--seed must be at least 0"),
        (["--least", "0"], "--least must be at least 1"),
        (["--decompose", "--labels", "x"], "--labels is for new expressions"),
        (["--decompose", "--least", "9"], "no sub-expressions of 9 symbols"),
        (["--labels", "nowhere"], "nowhere cannot be read"),
        (["--listed", "0.5"], "--listed is a share of the labels in --labels"),
        (["--labels", "README.md", "--listed", "2"], "--listed must be from 0 to 1"),
        (["--rename", "-1"], "--rename must be from 0 to 1"),
        (["--decompose", "--rename", "0"], "--rename is for new expressions"),
    ],
)
def test_synthesize_refuses_what_makes_nothing(
    options: list[str], message: str, tmp_path: Path, capsys
) -> None:
    """A mistake is one sentence, exit code 2, and no file."""
    write_dataset([typed("x + y")], tmp_path / "a.parquet")

    assert run("synthesize", tmp_path / "a.parquet", tmp_path / "b.parquet", *options) == 2

    assert message in capsys.readouterr().err
    assert not (tmp_path / "b.parquet").exists()


def test_synthesize_needs_ink(train: Path, tmp_path: Path, capsys) -> None:
    """Ink that does not name its symbols cannot be taken apart."""
    run("import", train, tmp_path / "a.parquet")

    assert run("synthesize", tmp_path / "a.parquet", tmp_path / "b.parquet") == 2

    assert "none of the samples has ink that names the strokes" in capsys.readouterr().err
