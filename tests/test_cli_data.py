"""Importing, exporting and labels on the command line."""

import json
from pathlib import Path

import pytest

from inktex import cli
from inktex.commands.data import TOKENIZERS
from inktex.commands.labels import _FORMS
from inktex.data.dataset import read_dataset
from inktex.data.formats.tokenizers import NAMES
from inktex.data.formats.vocabularies import FORMS
from laid_out import cross, encoded, lay_out


def run(*arguments: str | Path | int) -> int:
    """Run a command line in this process."""
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twenty pictures with captions, dark and light, and what cannot be used."""
    labels = [f"p{number}\t\\in x ^ {number % 3}" for number in range(20)]
    files = {f"img/p{number}.png": encoded(cross(number, number % 4 > 0)) for number in range(20)}
    files["img/blank.png"] = encoded(cross()[:5, :5])
    labels += ["blank\ty", "bad\terror mathpix", "lost\tx"]
    files |= {"img/bad.png": encoded(cross()), "caption.txt": "\n".join(labels).encode()}
    return lay_out(files, tmp_path / "set")


def test_the_commands_offer_what_there_is() -> None:
    """The command line names tokenizers and forms of vocabularies without loading them."""
    assert TOKENIZERS == NAMES
    assert _FORMS == FORMS


def test_import_tells_polarities_and_reasons(pictures: Path, tmp_path: Path, capsys) -> None:
    """What ink the pictures have is counted, and so is why labels were passed over."""
    assert run("import", pictures, tmp_path / "a.parquet", "--json", tmp_path / "a.json") == 0

    out = capsys.readouterr().out
    assert "2 passed over:" in out
    assert "  caption.txt, line 22: its label is marked as bad: 'error mathpix'" in out
    assert "21 rows (no split 21)" in out
    figures = json.loads((tmp_path / "a.json").read_text())
    assert figures["polarities"] == {"dark ink on light": 5, "light ink on dark": 15, "no ink": 1}
    assert figures["reasons"] == {
        "its label is marked as bad: 'error mathpix'": 1,
        "there is no picture img/lost.png": 1,
    }


def test_import_divides_at_random(pictures: Path, tmp_path: Path, capsys) -> None:
    """--ratios gives every row a split, the same for the same seed."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        output = tmp_path / f"{name}.parquet"
        assert run("import", pictures, output, "--ratios", "60/20/20", "--seed", seed) == 0

    splits = [[each.split for each in read_dataset(tmp_path / f"{name}.parquet")] for name in "abc"]
    assert splits[0] == splits[1] != splits[2]
    assert set(splits[0]) == {"train", "val", "test"}
    assert abs(splits[0].count("train") - 13) <= 2  # of 23, two of which were passed over


def test_import_matches_with_a_vocabulary(pictures: Path, tmp_path: Path, capsys) -> None:
    """The tokenizer and its vocabulary decide what the tokens are; what it has no entry for is told."""
    (tmp_path / "words.txt").write_text("<eol>\n\\i\nx\n^\n")

    options = ("--tokenizer", "matching", "--vocabulary", tmp_path / "words.txt")
    assert run("import", pictures, tmp_path / "a.parquet", *options) == 0

    assert read_dataset(tmp_path / "a.parquet")[1].tokens == ("\\i", "n", "x", "^", "1")
    # \\i n x ^ 0, 1 and 2 for 20 pictures; y for the blank one
    assert "in the vocabulary: 5 (n 20, 0 7, 1 7, 2 6, y 1)" in capsys.readouterr().out


def test_import_takes_labels_from_elsewhere(pictures: Path, tmp_path: Path) -> None:
    """--labels names the list, --split the split."""
    (tmp_path / "other.txt").write_text("p3\tz\n")

    options = ("--labels", tmp_path / "other.txt", "--split", "mine")
    assert run("import", pictures / "img", tmp_path / "a.parquet", *options) == 0

    (sample,) = read_dataset(tmp_path / "a.parquet")
    assert (sample.id, sample.split, sample.tokens) == ("p3", "mine", ("z",))


def test_export_and_import_again(pictures: Path, tmp_path: Path, capsys) -> None:
    """One layout goes to another by way of Parquet, with the figures on screen and as JSON."""
    run("import", pictures, tmp_path / "a.parquet", "--split", "train")
    command = ("export-data", tmp_path / "a.parquet", tmp_path / "out.zip", "--format", "im2latex")
    assert run(*command, "--seed", 3, "--json", tmp_path / "e.json") == 0
    assert run("import", tmp_path / "out.zip", tmp_path / "b.parquet") == 0

    assert "21 expressions in 25 files" in capsys.readouterr().out
    figures = json.loads((tmp_path / "e.json").read_text())
    assert figures["splits"] == {"train": 14, "val": 2, "test": 5}
    before, after = ({each.id: each for each in read_dataset(tmp_path / f"{name}.parquet")} for name in "ab")
    assert before.keys() == after.keys()
    assert all(before[key].tokens == after[key].tokens for key in before)
    assert all(before[key].image == after[key].image for key in before)


def test_export_tells_what_is_lost(pictures: Path, tmp_path: Path, capsys) -> None:
    """Labels that the layout's own tokenizer would read differently are counted."""
    run("import", pictures, tmp_path / "a.parquet", "--tokenizer", "character")
    capsys.readouterr()

    assert run("export-data", tmp_path / "a.parquet", tmp_path / "out", "--format", "json") == 0

    assert "would cut into other tokens: 20, 'p0' for one" in capsys.readouterr().out


LABELS = "\\frac { 1 } { 2 }\n设 x\nx y z\nerror mathpix\n"


def test_labels_make_a_vocabulary(tmp_path: Path, capsys) -> None:
    """Tokens are counted, bad labels passed over, and rare tokens left out of the vocabulary."""
    (tmp_path / "labels.txt").write_text(LABELS)
    made = tmp_path / "words.json"

    command = ("labels", tmp_path / "labels.txt", "--make-vocabulary", made, "--min-count", 2)
    assert run(*command, "--json", tmp_path / "l.json") == 0

    out = capsys.readouterr().out
    assert "3 labels, 12 tokens of 9 types, at most 7 in a label" in out
    assert "1 passed over: its label is marked as bad: 'error mathpix'" in out
    assert "7 tokens, <pad>, <sos>, <eos> and <unk> among them; types left out: 6 (tokens: 6)" in out
    assert list(json.loads(made.read_text())) == ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "x", "{", "}"]
    figures = json.loads((tmp_path / "l.json").read_text())
    assert (figures["labels"], figures["types"], figures["vocabulary"]) == (3, 9, None)


def test_labels_are_held_against_a_vocabulary(tmp_path: Path, capsys) -> None:
    """What the vocabulary lacks is told with counts and examples, and replaced if that is asked for."""
    (tmp_path / "labels.txt").write_text("a\tx 设 设\nb\tx\n")
    (tmp_path / "words.txt").write_text("eos\nsos\nx\n")

    options = ("--vocabulary", tmp_path / "words.txt", "--output", tmp_path / "out.txt")
    assert run("labels", tmp_path / "labels.txt", *options, "--replace-unknown") == 0

    out = capsys.readouterr().out
    assert "words.txt lacks: 1 (tokens: 2; labels: 1, 50.00%)" in out
    assert "  设  2, as in: x 设 设" in out
    assert (tmp_path / "out.txt").read_text() == "a\tx <unk> <unk>\nb\tx\n"


def test_matching_tells_what_it_did_not_know(tmp_path: Path, capsys) -> None:
    """Single characters that matching made tokens of are reported as lacking."""
    (tmp_path / "labels.txt").write_text("\\fracx设\n")
    (tmp_path / "words.txt").write_text("\\frac\nx\n")

    options = ("--tokenizer", "matching", "--vocabulary", tmp_path / "words.txt")
    assert run("labels", tmp_path / "labels.txt", *options, "--output", tmp_path / "out.txt") == 0

    assert "lacks: 1 (tokens: 1; labels: 1, 100.00%)" in capsys.readouterr().out
    assert (tmp_path / "out.txt").read_text() == "\\frac x 设\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "set", "a.parquet", "--ratios", "1/2"], "--ratios must be three whole numbers"),
        (["import", "set", "a.parquet", "--seed", "-1"], "--seed must be at least 0"),
        (["import", "set", "a.parquet", "--tokenizer", "matching"], "needs a vocabulary"),
        (["import", "set", "a.parquet", "--vocabulary", "w"], "--vocabulary is what --tokenizer matching"),
        (["import", "set", "a.parquet", "--tokenizer", "bpe"], "invalid choice: 'bpe'"),
        (["import", "set", "a.parquet", "--labels", "nowhere"], "nowhere cannot be read"),
        (["export-data", "nowhere.parquet", "out", "--format", "comer"], "nowhere.parquet cannot be read"),
        (["export-data", "nowhere.parquet", "out"], "--format"),
        (["labels", "nowhere"], "nowhere cannot be read"),
        (["labels", "set/caption.txt", "--min-count", "0"], "--min-count must be at least 1"),
        (["labels", "set/caption.txt", "--replace-unknown"], "--replace-unknown needs"),
        (["labels", "set/caption.txt", "--vocabulary", "nowhere"], "nowhere cannot be read"),
        (["labels", "bad.txt"], "bad.txt holds no label that can be used: its label is marked as bad"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[str], message: str, pictures: Path, monkeypatch, capsys
) -> None:
    """Each mistake is named on one line, the code is 2, and no file is made."""
    monkeypatch.chdir(pictures.parent)
    Path("bad.txt").write_text("error mathpix\n")

    assert run(*arguments) == 2

    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["bad.txt", "set"]
