"""Single symbols: collections read, brought to one form, held back and written with."""

from __future__ import annotations

import json
import lzma
import math
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from inktex.cli import main
from inktex.data.dataset import Sample, read_dataset, write_dataset
from inktex.data.formats.symbols import Drawing, read_drawings
from inktex.data.synthesis.expressions import read_written
from inktex.data.synthesis.library import Library
from inktex.data.synthesis.symbols import HELD, UNIT, Usual, completed, symbol_label, usual_in_expressions
from inktex.data.synthesis.synthesizer import Synthesizer, read_expressions
from inktex.errors import DataError
from inktex.ink.strokes import Ink, Symbol
from typewriter import CLASSES, typed

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
import hold_back
import training_labels

UNIPEN = {"l": "K", "w": "abc/anna", "f": "x.dat", "q": "OK", "s": [[0, 0, 0, 10], [5, 0, 0, 5, 5, 10]]}
DETEXIFY = {"id": "d:1", "command": r"\omega", "package": "", "mode": "math", "strokes": [[0, 0, 500, 900]]}


def lines(path: Path, *records: object) -> Path:
    text = "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)
    path.write_bytes(lzma.compress(text.encode()) if path.suffix == ".xz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.xz"])
def test_lines_of_unipen_and_detexify_are_read(tmp_path: Path, name: str) -> None:
    """Label, writer and strokes come as they stand; a damaged line and a quotation mark are counted."""
    path = lines(tmp_path / name, UNIPEN, "{", UNIPEN | {"l": '"'}, UNIPEN | {"l": "^"}, DETEXIFY)
    rejected: Counter[str] = Counter()

    found = list(read_drawings(path, rejected))

    assert [(each.source, each.writer, each.label) for each in found] == [
        ("unipen", "abc/anna", "K"),
        ("unipen", "abc/anna", r"\hat"),
        ("detexify", "", r"\omega"),
    ]
    assert found[0].strokes[1].tolist() == [[5, 0], [0, 5], [5, 10]]
    assert found[2].strokes[0].tolist() == [[0, 0], [500, 900]]
    assert rejected == {"damaged line": 1, "no symbol of mathematics": 1}


def test_letters_of_omniglot_are_read_upright(tmp_path: Path) -> None:
    """The third small letter of Greek is gamma; its y, which points up there, points down here."""
    path = tmp_path / "omniglot.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "part1/Greek/character03/0396_07.txt", "START\n1,-2,0\n3,-4,5\nBREAK\nSTART\n5,-6,9\n"
        )
        archive.writestr("part1/Korean/character01/0001_01.txt", "START\n1,-2,0\n")

    (found,) = read_drawings(path, Counter())

    assert (found.label, found.writer) == (r"\gamma", "07")
    assert [stroke.tolist() for stroke in found.strokes] == [[[1, 2], [3, 4]], [[5, 6]]]


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01", b'{"a": 1}\n' * 30, b"\xfd7zXZ\x00broken", b"PK\x05\x06"]
)
def test_what_is_no_collection_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    """Empty, binary, damaged and foreign files end in one error that names the file."""
    path = tmp_path / "some.file"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"some\.file") as caught:
        list(read_drawings(path, Counter()))

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("label", "tokens"),
    [
        (r"\omega", (r"\omega",)),
        (r"\leqslant", (r"\leq",)),
        (r"\mathds{R}", (r"\mathbb", "{", "R", "}")),
        (r"\mathcal{L}", (r"\mathcal", "{", "L", "}")),
        ("'", (r"\prime",)),
        (r"\sqrt{}", None),
        (r"\frac{a", None),
    ],
)
def test_a_label_names_one_symbol(label: str, tokens: tuple[str, ...] | None) -> None:
    """A label is a token of the dialect, or a letter in an alphabet; anything else is no single symbol."""
    stroke = np.zeros((2, 2), np.float32)

    assert symbol_label(Drawing("1", "detexify", "", label, (stroke,))) == tokens


def test_usual_sizes_are_those_the_typewriter_types() -> None:
    """Of typed ink the size of a box over an x's, and its height above the middle line, are found again."""
    written = [read_written(typed("x + y = 2 b", size)) for size in (10.0, 20.0, 30.0) for _ in range(7)]

    usual = usual_in_expressions([each for each in written if each is not None], least=20)

    x = math.hypot(*CLASSES["x"][:2])
    for token in ("x", "y", "2", "b", "="):
        width, height, lift = CLASSES[token]
        assert math.exp(usual[token].log_size) == pytest.approx(math.hypot(width, height) / x, rel=0.05)
        assert usual[token].lift == pytest.approx(lift / x, abs=0.07)


def test_what_no_expression_has_follows_the_line_through_the_others() -> None:
    """Handwriting twice as tall as type, and lower, is so for symbols known from type alone."""
    typed_sizes = {str(n): Usual(0.1 * n, 0.05 * n) for n in range(12)}
    written = {
        name: Usual(each.log_size + math.log(2), each.lift - 0.1) for name, each in typed_sizes.items()
    }
    del written["11"]

    found = completed(written, typed_sizes)

    assert found["11"] == pytest.approx((1.1 + math.log(2), 0.45))
    with pytest.raises(DataError, match="share only 1 symbols"):
        completed({"1": Usual(0, 0)}, typed_sizes)


def symbol(token: str, writer: str, slant: float, number: int = 0, split: str = "train") -> Sample:
    """A stick of the height of an x that leans by so much to the right for its height."""
    stroke = np.array([[0, 30], [60 * slant, -30]], np.float32)
    ink = Ink((stroke,), (Symbol(token, (0,), "token-0"),))
    return Sample(f"{token}{writer}{number}", split, "made", (token,), None, ink, writer)


def test_a_writer_writes_with_own_symbols_and_else_with_those_of_a_like_hand() -> None:
    """Anna, who leans, never wrote k: of two others' she takes the one that leans, not the upright one."""
    expressions = read_expressions([typed("x + y")])
    letters = "abcdefghij"
    symbols = [symbol(letter, "anna", 0.6) for letter in letters]
    symbols += [symbol(letter, "berta", 0.0) for letter in letters for _ in range(3)]
    symbols += [symbol("k", "carl", 0.5), symbol("k", "dora", -0.1)]
    library = Library(expressions, symbols)
    rng = np.random.default_rng(1)

    def writer(token: str) -> set[str]:
        pieces = [library.find((token,), ["made/anna"], rng) for _ in range(30)]
        return {library.expressions[piece.expression].sample.writer for piece in pieces if piece}

    assert writer("a") == {"anna"}
    assert writer("k") == {"carl"}


def test_held_back_drawings_are_never_written_with(tmp_path: Path) -> None:
    """Of 200 new expressions with symbols none has a stroke of a drawing that is held back."""
    data, library, out = (str(tmp_path / name) for name in ("data.parquet", "symbols.parquet", "out.parquet"))
    write_dataset([typed("x + y = 2"), typed("x = 1 + b")], data)
    symbols = [symbol("k", "anna", 0.3), symbol("k", "anna", 3.0, 1, HELD), symbol("z", "anna", 3.0, 2, HELD)]
    write_dataset(symbols, library)
    (tmp_path / "labels.txt").write_text("k = x\nz = x\nk + k + k\n")
    words = [
        "--symbols",
        library,
        "--labels",
        str(tmp_path / "labels.txt"),
        "--listed",
        "1",
        "--single",
        "0.3",
    ]

    assert main(["synthesize", data, out, "--count", "200", "--rename", "0", *words]) == 0

    made = read_dataset(out)
    sticks = [s for each in made for s in each.ink.strokes if len(s) == 2 and np.ptp(s[:, 1]) > 0]
    assert any("k" in each.tokens for each in made)
    assert not any("z" in each.tokens for each in made)
    assert max(np.ptp(s[:, 0]) / np.ptp(s[:, 1]) for s in sticks) == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("count", "least", "held"), [(45, 4, 5), (30, 4, 4), (12, 4, 4), (420, 0, 42), (3, 0, 1)]
)
def test_a_tenth_is_held_back_spread_over_the_order_of_checksums(count: int, least: int, held: int) -> None:
    """As many as a table made by hand says, none twice, the same whatever the order they come in."""
    names = [f"name-{n}" for n in range(count)]

    chosen = hold_back.chosen(names, least)

    assert len(chosen) == len(set(chosen)) == held
    assert chosen == hold_back.chosen(reversed(names), least)


def test_the_list_of_what_is_held_back_says_its_licence() -> None:
    """Ids of Detexify stand under the ODbL, which the file itself says; every entry is a string once."""
    held = json.loads((ROOT / "configs" / "held_back.json").read_text())

    assert "Open Database License" in held.pop("notice")
    for names in held.values():
        assert len(names) == len(set(names)) > 0


def test_labels_for_evaluation_are_in_no_list(tmp_path: Path) -> None:
    """Labels of tests, ExpressMatch's, its arrays and their rows, and 300 of a list are in no list."""
    matrix = r"\left[ \begin{array}{cc} a & b + 1 \\ c & d + 2 \end{array} \right]"
    lines(tmp_path / "em.jsonl.xz", {"latex_raw": f"$M = {matrix}$"})
    write_dataset([typed("x + y = 2")], tmp_path / "test.parquet")
    numbers = [f"x = {n}" for n in range(400)]
    lines(
        tmp_path / "first.txt", *numbers, "x+y=2", f"M={matrix}", matrix, "a & b+1", r"2 \unknown x", "y = 1"
    )
    lines(tmp_path / "second.txt", *numbers, f"N + {matrix}", "c, d", "y = 2")
    vocabulary = lines(
        tmp_path / "v.json",
        json.dumps([*"0123456789xyMNabcd+=[],", "&", r"\\", r"\begin{matrix}", r"\end{matrix}"]),
    )
    sys.argv = [
        "",
        str(tmp_path / "out"),
        "--vocabulary",
        str(vocabulary),
        "--without",
        str(tmp_path / "test.parquet"),
        "--expressmatch",
        str(tmp_path / "em.jsonl.xz"),
        "--hold-back",
        "first",
        "--lists",
        str(tmp_path / "first.txt"),
        str(tmp_path / "second.txt"),
    ]

    training_labels.main()

    first, second, held = (
        (tmp_path / "out" / f"{name}.txt").read_text().splitlines()
        for name in ("first", "second", "first.held")
    )
    assert len(held) == 300
    assert not set(held) & {*first, *second}
    assert sorted([*first, *held]) == sorted([*(" ".join(n.replace(" ", "")) for n in numbers), "y = 1"])
    assert "y = 2" in second
    assert "c , d" in second
    assert not any("matrix" in label for label in second)


def test_the_library_is_made_by_a_command(tmp_path: Path) -> None:
    """What is held back is marked, heights are the usual ones, of a doubled symbol's size a part is kept."""
    labels = ("x + b = 2 y", "( x + 1 )", "| y | = 1 b")
    typed_ink = [typed(label, size) for label in labels for size in (10.0, 20.0, 30.0)] * 8
    write_dataset(typed_ink, tmp_path / "data.parquet")
    records = [
        UNIPEN | {"l": token, "w": f"a/{writer}", "s": [[0, 0, 10 * k * width, 10 * k * height]]}
        for token, (width, height, _) in CLASSES.items()
        for writer, k in (("anna", 1), ("berta", 4))
    ]
    double = UNIPEN | {"l": "x", "w": "a/anna", "s": [[0, 0, 16, 12]]}
    source = lines(tmp_path / "unipen.jsonl", *records, double, UNIPEN, "damaged")
    vocabulary = lines(tmp_path / "v.json", json.dumps([*CLASSES]))
    held = lines(tmp_path / "held.json", json.dumps({"unipen": ["unipen/a/berta"]}))
    options = ["--vocabulary", str(vocabulary), "--held-back", str(held), "--json", str(tmp_path / "j")]

    out = tmp_path / "symbols.parquet"
    assert main(["symbols", str(tmp_path / "data.parquet"), str(out), str(source), *options]) == 0

    made = read_dataset(out)
    assert Counter((each.writer, each.split) for each in made) == {
        ("a/anna", "train"): 11,
        ("a/berta", HELD): 10,
    }
    x = math.hypot(*CLASSES["x"][:2])
    for each in made[:-1]:
        left, top, right, bottom = each.ink.bounds()
        width, height, lift = CLASSES[each.tokens[0]]
        assert math.hypot(right - left, bottom - top) == pytest.approx(
            UNIT * math.hypot(width, height) / x, rel=0.1
        )
        assert (top + bottom) / 2 == pytest.approx(-UNIT * lift / x, abs=8)
    left, top, right, bottom = made[-1].ink.bounds()
    assert math.hypot(right - left, bottom - top) == pytest.approx(
        UNIT * math.exp(0.6 * math.log(2)), rel=0.1
    )
    assert json.loads((tmp_path / "j").read_text())["rejected"] == {
        "not in the vocabulary: K": 1,
        "damaged line": 1,
    }


def test_ink_of_the_library_has_the_size_and_height_of_a_row() -> None:
    """Of twice a writer's usual size the stated part is kept; the middle is the usual one."""
    from inktex.data.synthesis import symbols as library

    drawing = Drawing("1", "unipen", "w", "x", (np.array([[0, 0], [6, 8]], np.float32),))
    ink = library._placed(drawing, "x", Usual(0.0, 0.25), math.log(5))

    left, top, right, bottom = ink.bounds()
    assert math.hypot(right - left, bottom - top) == pytest.approx(UNIT * 2**0.6, rel=1e-4)
    assert (top + bottom) / 2 == pytest.approx(-0.25 * UNIT)


def test_singles_and_sums_have_their_shares() -> None:
    """With shares of 0.3 and 0.2, of 1,000 labels about 300 are a symbol and 200 arithmetic."""
    from inktex.data.synthesis.composition import ComposeOptions
    from inktex.latex.tree import is_well_formed

    symbols = [symbol(letter, "anna", 0.2) for letter in "pq"]
    options = ComposeOptions(exchanges=0, rename=0, listed=0, single=0.3, arithmetic=0.2)
    composer = Synthesizer(read_expressions([typed("x + y")]), (), options, symbols)._composer
    rng = np.random.default_rng(0)

    labels = [composer.compose(("x", "+", "y"), rng) for _ in range(1000)]

    assert abs(sum(label in (("p",), ("q",)) for label in labels) - 300) < 75
    assert abs(sum(label == ("x", "+", "y") for label in labels) - 500) < 80
    assert all(map(is_well_formed, labels))


def test_constructs_are_made_around_listed_labels() -> None:
    """Of 400 labels all are well formed and in the dialect, and all constructs are among them."""
    from inktex.data.synthesis.constructs import construct
    from inktex.latex.normalize import normalize
    from inktex.latex.tree import is_well_formed

    labels = [
        tuple(label.split()) for label in ("x = y", "a + b", "3", r"\frac { 1 } { x } \leq k", "f ( x )")
    ]
    rng = np.random.default_rng(3)

    made = [construct(lambda longest: labels[rng.integers(len(labels))], rng) for _ in range(400)]

    assert all(is_well_formed(label) for label in made)
    assert all(tuple(normalize(" ".join(label))) == label for label in made)
    tokens = {token for label in made for token in label}
    assert tokens.issuperset(
        {r"\begin{matrix}", r"\begin{aligned}", r"\text", r"\hat", r"\overline", r"\|", r"\prod"}
    )
    assert tokens.issuperset({r"\boxed", r"\xrightarrow", r"\overset", r"\not", r"\lfloor", r"\binom", "&"})
