"""``inktex score`` and ``inktex compare``: what they print, write and return."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inktex.cli import main

PEERS = Path(__file__).parents[2] / "shared/data/peer_predictions"
LABELS = "a\tx ^ { 2 }\nb\ta + b\nc\ty\n"


def run(*arguments: object) -> int:
    return main([str(each) for each in arguments])


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "caption.txt"
    path.write_text(LABELS)
    return path


def predictions(path: Path, **texts: str) -> Path:
    """Write predictions as JSON lines."""
    path.write_text(
        "".join(json.dumps({"id": name, "prediction": text}) + "\n" for name, text in texts.items())
    )
    return path


def figures(path: Path) -> dict[str, object]:
    return dict(json.loads(path.read_text()))


def test_score_counts_what_is_right_missing_and_too_much(tmp_path: Path, labels: Path, capsys) -> None:
    """One right, one wrong, one missing, one of nothing: a third is right, and all are named."""
    given = predictions(tmp_path / "p.jsonl", a="x ^ { 2 }", b="a + c", elsewhere="z")

    assert run("score", given, labels, "--json", tmp_path / "s.json") == 0

    out = capsys.readouterr().out
    result = figures(tmp_path / "s.json")
    assert "33.33 %" in out
    assert "without a prediction, and wrong: c" in out
    assert "passed over: elsewhere" in out
    assert result["exprate"] == pytest.approx(100 / 3)
    assert result["wer"] == pytest.approx(100 * 2 / 9)
    assert (result["count"], result["missing"]) == (3, 1)
    assert result["missing_items"] == ["c"]
    assert result["extra_items"] == ["elsewhere"]
    assert [each["id"] for each in result["items"]] == ["a", "b", "c"]
    assert len(result["reference_hash"]) == 64
    assert result["reference_hash"][:16] in out


def test_score_with_the_dialect_prints_both_numbers(tmp_path: Path, labels: Path, capsys) -> None:
    """``x^2`` is wrong token by token and right in the dialect; the rule is told."""
    given = predictions(tmp_path / "p.jsonl", a=r"\left x ^ 2", b="a + b", c="y")
    given = predictions(tmp_path / "p.jsonl", a="x ^ 2", b="a + b", c="y")

    assert run("score", given, labels, "--normalise", "--json", tmp_path / "s.json") == 0

    out = capsys.readouterr().out
    result = figures(tmp_path / "s.json")
    assert result["exprate"] == pytest.approx(200 / 3)
    assert result["normalised"]["exprate"] == 100
    assert "normalised" in out
    assert "1 predictions and 0 references are changed" in out
    assert [(rule["before"], rule["after"]) for rule in result["normalised"]["rules"]] == [("", "{ }")]


def test_score_reads_what_evaluate_and_score_write(tmp_path: Path, labels: Path) -> None:
    """The items that a score holds, written as JSON lines, score the same without references."""
    given = predictions(tmp_path / "p.jsonl", a="x ^ { 2 }", b="a + c")
    assert run("score", given, labels, "--json", tmp_path / "first.json") == 0
    first = figures(tmp_path / "first.json")
    lines = tmp_path / "items.jsonl"
    lines.write_text("".join(json.dumps(each) + "\n" for each in first["items"]))

    assert run("score", lines, "--json", tmp_path / "second.json") == 0

    second = figures(tmp_path / "second.json")
    assert second["items"] == first["items"]
    assert {name: second[name] for name in ("exprate", "wer", "reference_hash", "missing")} == {
        name: first[name] for name in ("exprate", "wer", "reference_hash", "missing")
    }


@pytest.mark.skipif(not PEERS.is_dir(), reason="the predictions of published models are not here")
@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("comer_int8_greedy", (56.59, 72.52, 79.51)),
        ("tamer", (61.05, 75.76, 82.76)),
        ("unimumer_3b", (82.66, 90.37, 93.71)),
        ("unimumer_7b", (83.87, 89.86, 93.61)),
    ],
)
def test_published_models_score_what_is_known(name: str, known: tuple[float, ...], tmp_path: Path) -> None:
    """ExpRate, <= 1 and <= 2 of the predictions of published models on CROHME 2014."""
    assert run("score", PEERS / f"crohme2014_{name}.jsonl", "--json", tmp_path / "s.json") == 0

    result = figures(tmp_path / "s.json")
    assert tuple(round(result[key], 2) for key in ("exprate", "exprate_1", "exprate_2")) == known


def test_score_writes_a_page(tmp_path: Path, labels: Path) -> None:
    """The page holds every expression and loads nothing."""
    given = predictions(tmp_path / "p.jsonl", a="x ^ { 2 }", b="a + c")

    assert run("score", given, labels, "--page", tmp_path / "page.html") == 0

    page = (tmp_path / "page.html").read_text()
    assert all(f'"id":"{name}"' in page for name in "abc")
    assert page.startswith("<!doctype html>")


def test_compare_tells_who_is_right_where(tmp_path: Path, labels: Path, capsys) -> None:
    """One item that only the first has right, one that only the second has: no difference in sum."""
    for name, texts in (("one", {"a": "x ^ { 2 }", "b": "a"}), ("two", {"a": "x", "b": "a + b"})):
        given = predictions(tmp_path / f"{name}.jsonl", **texts)
        assert run("score", given, labels, "--json", tmp_path / f"{name}.json") == 0
    capsys.readouterr()

    assert run("compare", tmp_path / "one.json", tmp_path / "two.json", "--json", tmp_path / "c.json") == 0

    out = capsys.readouterr().out
    result = figures(tmp_path / "c.json")
    assert "only the first 1, only the second 1" in out
    assert "p = 1" in out
    assert "a: x ^ { 2 }\n    the second has: x\n" in out
    assert "b: a + b\n    the first has: a\n" in out
    assert result["discordance"] == {"both": 0, "first_only": 1, "second_only": 1, "neither": 1, "p_value": 1}
    assert [each["id"] for each in result["differing"]] == ["a", "b"]


def test_compare_refuses_other_items_and_other_files(tmp_path: Path, labels: Path, capsys) -> None:
    """Another set of items, other references, no items, no JSON, no file: one sentence each, exit code 2."""
    given = predictions(tmp_path / "p.jsonl", a="x")
    assert run("score", given, labels, "--json", tmp_path / "whole.json") == 0
    whole = figures(tmp_path / "whole.json")
    others = {
        "fewer.json": {**whole, "items": whole["items"][:2]},
        "changed.json": {**whole, "items": [{**each, "reference": "q"} for each in whole["items"]]},
        "nothing.json": {"exprate": 3},
    }
    for name, content in others.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "text.json").write_text("no JSON")
    capsys.readouterr()

    for name, told in (
        ("fewer.json", "only"),
        ("changed.json", "differ at a"),
        ("nothing.json", "holds no items"),
        ("text.json", "is not JSON"),
        ("absent.json", "cannot be read"),
    ):
        assert run("compare", tmp_path / "whole.json", tmp_path / name) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1


def test_score_refuses_what_it_cannot_do(tmp_path: Path, labels: Path, capsys) -> None:
    """A seed below 0, a file that is not there, a page in no folder: one sentence each, nothing written."""
    given = predictions(tmp_path / "p.jsonl", a="x")
    before = sorted(tmp_path.iterdir())

    for arguments, told in (
        ((given, labels, "--seed", "-1"), "--seed"),
        ((tmp_path / "absent.jsonl", labels), "absent.jsonl"),
        ((given, tmp_path / "absent.txt"), "absent.txt"),
        ((given,), "p.jsonl"),
        ((given, labels, "--page", tmp_path / "no" / "page.html"), "no folder"),
    ):
        assert run("score", *arguments) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
