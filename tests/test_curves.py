"""Training curves: what is read from logs, and what is drawn of it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib")

from inktex.cli import main
from inktex.errors import RunError
from inktex.pages.curves import curves_page, draw_curves, read_history

SVG = "{http://www.w3.org/2000/svg}"
FIRST = """\
epoch,step,train/loss_epoch,train/loss_step,val/exprate,val/wer
0,19,,1.5,,
0,39,,1.25,,
0,39,,,10.0,80.0
0,39,1.375,,,
1,59,,1.125,,
1,79,,1.0,,
"""
# Gone on after step 40 from a checkpoint: steps 59 and 79 were done again.
SECOND = """\
epoch,step,lr,train/loss_epoch,train/loss_step,val/exprate,val/wer
1,59,0.001,,1.1,,
1,79,0.0005,,0.9,,
1,79,,,,30.0,60.0
1,79,,1.0,,,
2,99,0.0,,0.8,,
2,99,,,,25.0,50.0
"""


def write_run(folder: Path, *logs: str) -> Path:
    """Write the folder of a run whose starts logged these, beside folders of another log."""
    for number, text in enumerate(logs):
        (folder / "log" / f"version_{2 * number}").mkdir(parents=True)
        (folder / "log" / f"version_{2 * number}" / "metrics.csv").write_text(text)
        (folder / "log" / f"version_{2 * number + 1}").mkdir()
    return folder


@pytest.fixture
def resumed(tmp_path: Path) -> Path:
    """A run that was interrupted and gone on with."""
    return write_run(tmp_path / "resumed", FIRST, SECOND)


def test_what_was_done_again_counts_once(resumed: Path) -> None:
    """The series by hand: updates are counted from 1, and the later start replaces what it repeats."""
    history = read_history(resumed)

    assert history.name == "resumed"
    assert history.series == {
        "train/loss_step": [(20, 1.5), (40, 1.25), (60, 1.1), (80, 0.9), (100, 0.8)],
        "train/loss_epoch": [(40, 1.375), (80, 1.0)],
        "val/exprate": [(40, 10.0), (80, 30.0), (100, 25.0)],
        "val/wer": [(40, 80.0), (80, 60.0), (100, 50.0)],
        "lr": [(60, 0.001), (80, 0.0005), (100, 0.0)],
    }
    assert history.best == (80, 30.0)
    assert history.updates == 100


def test_the_tenth_start_comes_after_the_second(tmp_path: Path) -> None:
    """Starts are ordered by number, not by the letters of their folders."""
    row = "epoch,step,lr\n0,{},{}\n"
    run = write_run(tmp_path / "run", *(row.format(10 * n + 9, n) for n in range(6)))

    assert read_history(run).series["lr"] == [(10 * n + 10, float(n)) for n in range(6)]


def drawn(run: Path) -> ElementTree.Element:
    """The picture of a run as XML."""
    return ElementTree.fromstring(draw_curves([read_history(run)], "svg"))


def texts(picture: ElementTree.Element) -> list[str]:
    return ["".join(each.itertext()).strip() for each in picture.iter(f"{SVG}text")]


def lines(picture: ElementTree.Element) -> list[np.ndarray]:
    """The points of every line in the colour of the first run that is clipped to a plot."""
    found = []
    for path in picture.iter(f"{SVG}path"):
        if "clip-path" in path.attrib and "#0072b2" in path.attrib.get("style", ""):
            numbers = re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", path.attrib["d"])
            found.append(np.array(numbers, float))
    return found


def test_every_series_is_drawn_to_scale(resumed: Path) -> None:
    """Each line's points lie where a linear map of each axis puts the numbers of the log."""
    series = read_history(resumed).series
    order = ("train/loss_step", "train/loss_epoch", "val/wer", "val/exprate", "lr")

    found = lines(drawn(resumed))

    assert len(found) == len(order)
    for name, points in zip(order, found, strict=True):
        expected = np.array(series[name])
        assert len(points) == len(expected)
        for axis, direction in ((0, 1), (1, -1)):
            slope, _ = np.polyfit(expected[:, axis], points[:, axis], 1)
            assert np.sign(slope) == direction
            if len(expected) > 2:
                assert np.corrcoef(expected[:, axis], points[:, axis])[0, 1] ** 2 > 0.999999


def test_a_panel_without_data_says_so(tmp_path: Path, resumed: Path) -> None:
    """Old logs have no learning rate; other panels are drawn all the same."""
    old = write_run(tmp_path / "old", FIRST)

    assert texts(drawn(old)).count("not in the log") == 1
    assert texts(drawn(resumed)).count("not in the log") == 0
    assert {"old", "loss", "ExpRate, %", "WER", "learning rate"} <= set(texts(drawn(old)))


def test_several_runs_have_a_colour_and_a_name_each(tmp_path: Path, resumed: Path) -> None:
    """The legend names all runs, and the second is drawn in another colour."""
    other = write_run(tmp_path / "other", FIRST)

    svg = draw_curves([read_history(resumed), read_history(other)], "svg").decode()

    assert {"resumed", "other"} <= set(texts(ElementTree.fromstring(svg)))
    assert "#0072b2" in svg
    assert "#d55e00" in svg


def test_the_same_runs_give_the_same_bytes(resumed: Path) -> None:
    """Nothing in the files hangs on time or chance."""
    history = read_history(resumed)

    for form in ("svg", "png"):
        assert draw_curves([history], form) == draw_curves([history], form)


def test_the_page_needs_nothing_else_and_escapes_names(tmp_path: Path) -> None:
    """The page holds the picture and a row a run, loads nothing, and runs no script."""
    run = write_run(tmp_path / "a <b>", FIRST)

    page = curves_page([read_history(run)])

    assert "<svg" in page
    assert "a &lt;b&gt;" in page
    assert "<td>80</td><td>10.00 %</td><td>40</td>" in page
    assert "script" not in page
    assert not re.search(r"(src|href)=\"http", page.replace('xlink:href="http', ""))


def run_curves(*arguments: object) -> int:
    return main(["curves", *map(str, arguments)])


def test_the_command_writes_each_format(resumed: Path, tmp_path: Path, capsys) -> None:
    """The suffix decides; what was reached is printed, and nothing is left beside the file."""
    before = set(tmp_path.iterdir())
    for suffix in ("png", "svg", "html"):
        assert run_curves(resumed, "-o", tmp_path / f"curves.{suffix}") == 0
        assert capsys.readouterr().out == f"{resumed}: 100 updates, best ExpRate 30.00 % after 80\n"

    picture = cv2.imread(str(tmp_path / "curves.png"))
    assert picture is not None
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
    assert set(tmp_path.iterdir()) - before == {tmp_path / f"curves.{s}" for s in ("png", "svg", "html")}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nowhere", "-o", "c.png"], "nowhere holds no training log"),
        (["empty", "-o", "c.png"], "empty holds no training log"),
        (["damaged", "-o", "c.png"], "metrics.csv is damaged"),
        (["overlong", "-o", "c.png"], "has more values than columns"),
        (["run", "-o", "c.pdf"], ".png or .svg or .html"),
        (["run", "-o", "no/c.png"], "no folder no"),
        (["run"], "--output"),
    ],
)
def test_mistakes_are_named(arguments: list[str], named: str, tmp_path: Path, capsys, monkeypatch) -> None:
    """Runs without a sound log and files that cannot be written: one sentence, code 2, nothing written."""
    monkeypatch.chdir(tmp_path)
    write_run(Path("run"), FIRST)
    write_run(Path("empty"), "epoch,step\n")
    write_run(Path("damaged"), FIRST + "2,x,,1,,\n")
    write_run(Path("overlong"), FIRST + "2,3,,1,,,,9,9\n")

    assert run_curves(*arguments) == 2

    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("c.*"))


def test_a_damaged_log_is_an_error_of_ours(tmp_path: Path) -> None:
    """A log whose numbers are none is refused with its name."""
    run = write_run(tmp_path / "run", "epoch,step,lr\n0,1,fast\n")

    with pytest.raises(RunError, match=r"metrics\.csv is damaged"):
        read_history(run)
