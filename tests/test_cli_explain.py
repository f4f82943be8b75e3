"""``inktex explain``: what it writes, from a model and from a run, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from drawn import png, scribble
from inktex import cli
from inktex.recognition.recognizer import Recognizer

FAMILY_NAMES = ("inktex", "wap", "resnet_lstm", "hmer_mtl", "im2latex", "can")
SOURCE = str(Path(cli.__file__).parents[1])


def run(*arguments: object) -> int:
    """Run a command line in this process."""
    return cli.main(["explain", *map(str, arguments)])


def process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code, then the command line, in a process of its own."""
    code = f"import sys\n{code}\nfrom inktex.cli import main; sys.exit(main(['explain', *sys.argv[1:]]))"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        timeout=120,
        check=False,
    )


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of a scribble."""
    path = tmp_path / "a <b>.png"
    path.write_bytes(png(scribble(1)))
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs of tiny untrained networks of all families, and of one that never writes anything."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("lightning")
    from safetensors.torch import save_file

    from inktex.models.families import FAMILIES
    from inktex.training.config import TrainConfig
    from inktex.training.folder import dump_config
    from inktex.training.module import model_weights
    from inktex.vocabulary import Vocabulary
    from tiny_models import TINY

    vocabulary = Vocabulary.build([[*"abcdefgh", "{", "}"]])
    folder = tmp_path_factory.mktemp("runs")
    for name, end in (*((family, -9.0) for family in FAMILY_NAMES), ("mute", 50.0)):
        family = "inktex" if name == "mute" else name
        torch.manual_seed(1)
        network = FAMILIES[family].build(len(vocabulary), TINY[family])
        with torch.no_grad():
            for head in network.modules():
                if isinstance(head, torch.nn.Linear) and head.out_features == len(vocabulary):
                    head.weight.normal_(std=0.5)
                    head.weight[vocabulary.end_id] = 0
                    if head.bias is not None:
                        head.bias[vocabulary.end_id] = end
        (folder / name).mkdir()
        save_file(model_weights(network), folder / name / "weights.safetensors")
        (folder / name / "vocabulary.json").write_text(vocabulary.to_json())
        config = TrainConfig(family=family, model=TINY[family])
        (folder / name / "config.yaml").write_text(dump_config(config))
    return folder


def test_each_suffix_gives_its_format(picture: Path, tiny_bundle: Path, capsys) -> None:
    """An animation, a sheet and a page are written, and what was read is printed."""
    latex = Recognizer(tiny_bundle).recognize(picture).latex
    out = picture.parent
    for suffix, begin in ((".gif", b"GIF89a"), (".PNG", b"\x89PNG"), (".html", b"<!doctype html>")):
        assert run(picture, "--model", tiny_bundle, "-o", out / f"seen{suffix}") == 0
        assert capsys.readouterr() == (f"{latex}\n", "")
        assert (out / f"seen{suffix}").read_bytes().startswith(begin)

    assert "<title>Inktex: a &lt;b&gt;.png</title>" in (out / "seen.html").read_text()
    assert len(list(out.iterdir())) == 4


def test_a_model_is_explained_without_pytorch(picture: Path, tiny_bundle: Path) -> None:
    """Nothing of the extras is loaded for a model folder."""
    names = ("torch", "lightning", "pyarrow", "matplotlib", "yaml")
    for suffix in ("gif", "html"):
        done = process(
            f"for name in {names}: sys.modules[name] = None",
            *(picture, "--model", tiny_bundle, "-o", picture.parent / f"seen.{suffix}"),
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_a_run_is_explained(runs: Path, family: str, picture: Path, capsys) -> None:
    """A run of any family is read from left to right and drawn."""
    assert run(picture, "--model", runs / family, "--output", picture.parent / "seen.png") == 0

    assert capsys.readouterr().out.strip()
    assert cv2.imread(str(picture.parent / "seen.png")).shape[2] == 3


def test_counting_maps_are_of_what_the_network_counts(runs: Path, picture: Path, capsys) -> None:
    """The sheet has a cell for each symbol counted half a time or more; braces are no symbols."""
    import torch

    from inktex.recognition.inputs import canonical_pictures
    from inktex.training.folder import load_run

    assert run(picture, "--model", runs / "can", "--counts", picture.parent / "counts.png") == 0

    assert capsys.readouterr().out == ""
    network, vocabulary, _ = load_run(runs / "can")
    canonical = canonical_pictures(picture, [16.0])[0].picture
    image = torch.from_numpy(canonical)[None, None]
    with torch.no_grad():
        counts = network.encode(image, torch.zeros(image.shape[0], *canonical.shape, dtype=torch.bool)).counts
    totals = counts[0, :2].mean(0)
    count = sum(
        float(total) >= 0.5 and token in "abcdefgh"
        for token, total in zip(vocabulary.tokens, totals, strict=True)
    )
    sheet = cv2.imread(str(picture.parent / "counts.png"))
    height, width = (round(side * min(2.0, 360 / canonical.shape[1])) for side in canonical.shape)
    columns = min(4, count, 1200 // (max(width, 150) + 16))
    assert count > 0
    assert sheet.shape[1] == columns * (max(width, 150) + 16) + 16
    assert sheet.shape[0] == -(-count // columns) * (height + 36) + 16


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-o", "a.gif"], "missing.png: no such file"),
        (["picture"], "--output FILE"),
        (["picture", "-o", "a.jpg"], ".gif or .png or .html"),
        (["picture", "-o", "no/a.gif"], "no folder no"),
        (["picture", "--counts", "a.gif"], "must end in .png"),
        (["picture", "--counts", "a.png"], "--model"),
        (["picture", "--counts", "a.png", "--model", "bundle"], "--model"),
        (["picture", "--counts", "a.png", "--model", "runs/inktex"], "does not count symbols"),
        (["picture", "-o", "a.png", "--model", "nowhere"], "nowhere is neither a model nor a training run"),
        (["blank", "-o", "a.png", "--model", "bundle"], "shows no ink"),
        (["picture", "-o", "a.png", "--model", "runs/mute"], "reads nothing there"),
        (["picture", "-o", "a.png", "--model", "broken"], "broken is not a complete training run"),
    ],
)
def test_mistakes_are_named(
    arguments: list[str],
    named: str,
    runs: Path,
    tiny_bundle: Path,
    picture: Path,
    tmp_path: Path,
    capsys,
    monkeypatch,
) -> None:
    """Each is one sentence and exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blank.png").write_bytes(bytes(cv2.imencode(".png", np.full((20, 20), 255, np.uint8))[1]))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.yaml").write_text("family: inktex\n...\n")
    places = {
        "picture": picture,
        "blank": "blank.png",
        "bundle": tiny_bundle,
        "runs/inktex": runs / "inktex",
        "runs/mute": runs / "mute",
    }
    given = [places.get(argument, argument) for argument in arguments]
    if arguments[0] not in places:
        given = ["missing.png", "--model", tiny_bundle, *given]

    assert run(*given) == 2

    out, error = capsys.readouterr()
    assert out == ""
    assert named in error
    assert error.startswith("inktex: error: ")
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("a.*"))


@pytest.mark.parametrize("option", ["-o", "--counts"])
def test_a_run_needs_the_extra(runs: Path, picture: Path, option: str) -> None:
    """Without PyTorch, one sentence names the extra that brings it."""
    done = process(
        "sys.modules['torch'] = None",
        *(picture, "--model", runs / "can", option, picture.parent / "seen.png"),
    )

    assert done.returncode == 2
    assert 'pip install "inktex[train]"' in done.stderr
    assert done.stderr.count("\n") == 1
