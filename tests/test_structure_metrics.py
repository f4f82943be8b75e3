import io
import math
import random
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.errors import DataError, LatexError
from inktex.latex.normalize import normalize
from inktex.latex.tree import Command, Node, Row, Script, Symbol, is_well_formed, to_tokens, tokenize
from inktex.metrics.layout_graph import LayoutGraph, layout_graph, read_lg, to_lg
from inktex.metrics.structure import LayoutScore, StructureRates, layout_score, structure_rates

CROHME = Path(__file__).parents[2] / "shared/data/crohme"
needs_crohme = pytest.mark.skipif(not CROHME.exists(), reason="the CROHME archives are not at hand")

# LaTeX -> its symbols as PLACE:LABEL in any order, by hand.
LAYOUTS = [
    ("", ""),
    ("x", "O:x"),
    ("a + b", "O:a OR:+ ORR:b"),
    ("x ^ { 2 } + 1", "O:x OSup:2 OR:+ ORR:1"),
    ("x _ { i j } ^ 2", "O:x OSub:i OSubR:j OSup:2"),
    ("x _ { n _ { k } } y", "O:x OSub:n OSubSub:k OR:y"),
    (r"\frac { a b } { c } d", "O:- OAbove:a OAboveR:b OBelow:c OR:d"),
    (r"\frac { \frac { 1 } { x } } { }", "O:- OAbove:- OAboveAbove:1 OAboveBelow:x"),
    (r"\frac { a } { b } ^ { 2 }", "O:- OAbove:a OBelow:b OSup:2"),
    (r"\dfrac { a } { b }", "O:- OAbove:a OBelow:b"),
    (r"\sqrt { x + 1 } y", r"O:\sqrt OInside:x OInsideR:+ OInsideRR:1 OR:y"),
    (r"\sqrt [ 3 ] { x }", r"O:\sqrt OAbove:3 OInside:x"),
    (r"\sum \limits _ { i = 1 } ^ { n } i", r"O:\sum OSub:i OSubR:= OSubRR:1 OSup:n OR:i"),
    (r"\sum _ { i } \int \limits ^ { 1 }", r"O:\sum OSub:i OR:\int ORSup:1"),
    (r"\lim \limits _ { x \rightarrow 0 } f", r"O:\lim OSub:x OSubR:\rightarrow OSubRR:0 OR:f"),
    (r"\log _ { 2 } \sin x", r"O:\log OSub:2 OR:\sin ORR:x"),
    (r"f ^ { \prime } ( x )", r"O:f OSup:\prime OR:( ORR:x ORRR:)"),
    (r"f ' ^ { 2 } g ' '", r"O:f OSup:\prime OSupR:2 OR:g ORSup:\prime ORSupR:\prime"),
    (r"' x", r"O:\prime OR:x"),
    (r"( a ) ^ { 2 }", "O:( OR:a ORR:) ORRSup:2"),
    (r"\left( a \right) ^ 2 \left. b \right|", "O:( OR:a ORR:) ORRSup:2 ORRR:b ORRRR:|"),
    (r"\left[ a \right. b", "O:[ OR:a ORR:b"),
    (r"\{ a \} \lbrace b \rbrack", r"O:\{ OR:a ORR:\} ORRR:\{ ORRRR:b ORRRRR:]"),
    ("{ a b } ^ { 2 } c", "O:a OR:b ORSup:2 ORR:c"),
    ("{ x _ { 1 } } ^ { 2 }", "O:x OSub:1 OSup:2"),
    ("{ x ^ { 2 } } ^ { 3 } y", "O:x OSup:2 OSupR:3 OR:y"),
    ("{ } ^ { 2 } x", "O:_ OSup:2 OR:x"),
    ("x { } _ { 2 } ^ { }", "O:x OSub:2"),
    ("{ } ^ { } x", "O:x"),
    ("a ^ { ^ { 2 } }", "O:a OSup:_ OSupSup:2"),
    (r"a , b < c > d \lt \gt", "O:a OR:, ORR:b ORRR:< ORRRR:c ORRRRR:> ORRRRRR:d ORRRRRRR:< ORRRRRRRR:>"),
    (r"a \cdot b \cdots \ldots", r"O:a OR:. ORR:b ORRR:\ldots ORRRR:\ldots"),
    (r"x \to y \le z", r"O:x OR:\rightarrow ORR:y ORRR:\leq ORRRR:z"),
    (r"\mathrm { d } x \, \text { i f } \quad y", "O:d OR:x ORR:i ORRR:f ORRRR:y"),
    (r"a \phantom { b } c", "O:a OR:c"),
    (r"\hat { x } ^ 2 \overline { a b }", r"O:\hat OInside:x OSup:2 OR:\overline ORInside:a ORInsideR:b"),
    (r"\binom { n } { k }", r"O:\binom OAbove:n OBelow:k"),
    (r"a \overset { ! } { = } b", "O:a OR:= ORAbove:! ORR:b"),
    (r"\underset { x } { \lim } f", r"O:\lim OSub:x OR:f"),
    (r"\overset { n } { } x", "O:_ OAbove:n OR:x"),
    (r"\xrightarrow [ b ] { a }", r"O:\xrightarrow OAbove:a OBelow:b"),
    (
        r"\hat { x } _ { i } \overline { a b } c",
        r"O:\hat OInside:x OSub:i OR:\overline ORInside:a ORInsideR:b ORR:c",
    ),
    (r"\underbrace { a } _ { n }", r"O:\underbrace OInside:a OSub:n"),
    (r"\mathbb { R } ^ { n } \mathcal { L }", r"O:\mathbb{R} OSup:n OR:\mathcal{L}"),
    (r"x \text { i f ~ y } \| a \parallel", r"O:x OR:i ORR:f ORRR:y ORRRR:\| ORRRRR:a ORRRRRR:\|"),
    (
        r"\not \equiv \max \limits _ { i } ( \mod n )",
        r"O:\not OR:\equiv ORR:\max ORRSub:i ORRR:( ORRRR:\mod "
        "ORRRRR:n ORRRRRR:)",
    ),
    (
        r"\begin{aligned} a \\ b \end{aligned}",
        r"O:\begin{aligned} OInside:\\ OInsideInside:& OInsideInsideInside:a OInsideBelow:\\ "
        r"OInsideBelowInside:& OInsideBelowInsideInside:b",
    ),
    (
        r"\begin{cases} a & b \\ c \end{cases} d",
        r"O:\begin{cases} OInside:\\ OInsideInside:& OInsideInsideInside:a OInsideInsideR:& "
        r"OInsideInsideRInside:b OInsideBelow:\\ OInsideBelowInside:& OInsideBelowInsideInside:c OR:d",
    ),
]

# What no converter of the captions can give, and why.
CAPTION_AGAINST_MATHML = {
    "RIT_2014_30": "the last 3 is a superscript of ')' in the MathML",
    "RIT_2014_66": "the MathML of the second sum ends in a _ { i }, the caption in a",
    "RIT_2014_69": "the MathML ends after the first root",
    "RIT_2014_73": "the first comma is a subscript of the 7 in the MathML",
    "RIT_2014_129": "the lower bound is a in the MathML, 2 in the caption",
    "RIT_2014_133": r"the last symbol is \pi in the MathML, \Pi in the caption",
    "RIT_2014_136": r"the commas are subscripts of F and of \ldots in the MathML",
    "RIT_2014_160": "the comma stands in the subscript of sigma in the MathML",
    "RIT_2014_190": "the MathML has no equals sign",
    "RIT_2014_199": r"the second comma is a subscript of \ldots in the MathML",
    "RIT_2014_205": "the comma stands in the subscript of sigma in the MathML",
    "RIT_2014_217": "both commas are subscripts of the digit before in the MathML",
    "RIT_2014_224": "both decimal points are subscripts of the 0 before in the MathML",
    "RIT_2014_225": "all three commas are subscripts of the letter before in the MathML",
    "RIT_2014_276": "the MathML has other scripts: 1 1, 2 2 and y _ { 1 2 }",
    "RIT_2014_298": "the MathML has no superscript: Delta k x in a row",
}
FILE_AGAINST_MATHML = {
    "34_em_225": "the InkML has no MathML, and all symbols of the file stand at O",
    "34_em_232": "the minus of the exponent stands at O, where t is",
    "RIT_2014_19": "the digits of the exponent are lost, and two rows begin at O",
    "RIT_2014_25": "the second half begins at O, where the first does",
    "RIT_2014_62": r"\sin, \cos and \tan carry each other's labels",
    "RIT_2014_309": r"the bar of the second fraction is labelled \sqrt",
}


def graph(latex: str) -> LayoutGraph:
    """The graph of LaTeX."""
    return layout_graph(tokenize(latex))


@pytest.mark.parametrize(("latex", "symbols"), LAYOUTS)
def test_a_graph_is_the_one_worked_out_by_hand(latex: str, symbols: str) -> None:
    """Every construct puts its symbols where the table says."""
    assert graph(latex).symbols == dict(symbol.split(":", 1) for symbol in symbols.split())


def test_relations_lead_to_every_symbol_but_the_first() -> None:
    """A fraction with a script has the relations worked out by hand."""
    assert set(graph(r"\frac { a b } { \sqrt { c } } d ^ { 2 }").relations) == {
        ("O", "OAbove", "Above"),
        ("OAbove", "OAboveR", "R"),
        ("O", "OBelow", "Below"),
        ("OBelow", "OBelowInside", "Inside"),
        ("O", "OR", "R"),
        ("OR", "ORSup", "Sup"),
    }


def test_malformed_latex_has_no_graph() -> None:
    """What does not parse is refused."""
    with pytest.raises(LatexError):
        graph(r"\frac { a }")


@pytest.fixture(scope="module")
def official() -> dict[str, str]:
    """The official .lg files of the CROHME 2014 test by id."""
    with zipfile.ZipFile(CROHME / "symlg_2014.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".lg")]
        return {Path(name).stem: archive.read(name).decode() for name in names}


@pytest.fixture(scope="module")
def captions() -> dict[str, list[str]]:
    """The captions of the CROHME 2014 test by id."""
    with zipfile.ZipFile(CROHME / "offline.zip") as archive:
        lines = io.TextIOWrapper(archive.open("data/2014/caption.txt"), "utf-8").read().splitlines()
    return {name: label.split() for name, label in (line.split("\t") for line in lines)}


def unlike(official: dict[str, str], labels: dict[str, list[str]]) -> set[str]:
    """The ids whose label has another graph than its official file, or whose file is no graph."""
    different = set()
    for name, text in official.items():
        try:
            same = name in labels and read_lg(text) == layout_graph(labels[name])
        except DataError:
            same = False
        if not same:
            different.add(name)
    return different


@needs_crohme
def test_captions_have_the_official_graphs(official: dict[str, str], captions: dict[str, list[str]]) -> None:
    """All 986 captions give the graph of the official file but those explained one by one."""
    assert official.keys() == captions.keys()
    assert unlike(official, captions) == CAPTION_AGAINST_MATHML.keys() | FILE_AGAINST_MATHML.keys()


@needs_crohme
def test_the_mathml_has_the_official_graphs(official: dict[str, str]) -> None:
    """Converted from the MathML that the official files were made of, 99 % and all but six are the same."""
    labels = {}
    with zipfile.ZipFile(CROHME / "inkml_test2014.zip") as archive:
        for name in archive.namelist():
            math_element = re.search(rb"<math.*?</math>", archive.read(name), re.DOTALL)
            if math_element:
                labels[Path(name).stem] = normalize("", math_element[0].decode())
    different = unlike(official, labels)
    assert different == FILE_AGAINST_MATHML.keys()
    assert len(different) <= 0.01 * len(official)


@needs_crohme
def test_relations_are_those_of_the_official_files(official: dict[str, str]) -> None:
    """Without operators, the relations are the lines of the file, doubled ones under roots aside."""
    compared = 0
    for name, text in official.items():
        if name in FILE_AGAINST_MATHML or re.search(r"\\(?:sum|int|lim),", text):
            continue
        places = dict(re.findall(r"^O, (.*?), .*, (O\w*)$", text, re.MULTILINE))
        lines = re.findall(r"^EO, (.*?), (.*?), (\w+), ", text, re.MULTILINE)
        stated = {(places[up], places[down], step.replace("Right", "R")) for up, down, step in lines}
        doubled = {
            (up, down, step) for up, down, step in stated if down == up + "InsideR" and step == "Inside"
        }
        assert set(read_lg(text).relations) == stated - doubled
        compared += 1
    assert compared > 700


LETTERS = "abxyz12+,<"
OPERATORS = [r"\sum", r"\lim", r"\int"]


def random_row(rng: random.Random, depth: int, least: int = 1) -> Row:
    """A row of a few symbols, fractions, roots and scripts, nested up to a depth."""
    return Row(tuple(random_node(rng, depth) for _ in range(rng.randint(least, 3))))


def random_node(rng: random.Random, depth: int) -> Node:
    """A symbol, or something with rows in it."""
    kind = rng.choice(["symbol", "fraction", "root", "script", "operator"]) if depth else "symbol"
    rows = [random_row(rng, depth - 1) for _ in range(2)] if kind != "symbol" else []
    maybe = rng.choice([None, *rows[1:]])
    match kind:
        case "fraction":
            return Command(r"\frac", tuple(rows))
        case "root":
            return Command(r"\sqrt", (rows[0],), maybe)
        case "script":
            return Script(Symbol(rng.choice(LETTERS)), rows[0], maybe)
        case "operator":
            return Script(Symbol(rng.choice(OPERATORS)), maybe, rows[0], rng.random() < 0.5)
    return Symbol(rng.choice(LETTERS))


generators = st.integers(0, 1 << 32).map(random.Random)
rows = generators.map(lambda rng: random_row(rng, depth=rng.randint(0, 2), least=0))


def otherwise(node: Node, rng: random.Random) -> Iterator[str]:
    """The tokens of a node with redundant braces, scripts in any order, `\\limits` set or not."""
    match node:
        case Row(parts):
            for part in parts:
                braces = rng.random() < 0.3
                yield from "{" * braces
                yield from otherwise(part, rng)
                yield from "}" * braces
        case Symbol(token):
            yield token
        case Command(name, arguments, option):
            yield name
            if option is not None:
                yield from ("[", *otherwise(option, rng), "]")
            for argument in arguments:
                yield from ("{", *otherwise(argument, rng), "}")
        case Script(base, sub, sup):
            assert isinstance(base, Symbol)
            if base.token.startswith("\\") and rng.random() < 0.5:
                yield from (base.token, r"\limits")
            else:
                yield from otherwise(Row((base,)), rng)
            scripts = [("_", sub), ("^", sup)]
            rng.shuffle(scripts)
            for sign, script in scripts:
                if script is not None:
                    yield from (sign, "{", *otherwise(script, rng), "}")
        case _:
            raise AssertionError(node)


@settings(deadline=None)
@given(rows, generators)
def test_layout_forgives_braces_order_and_limits(row: Row, rng: random.Random) -> None:
    """However a formula is written, its graph is the same."""
    assert layout_graph(list(otherwise(row, rng))) == layout_graph(to_tokens(row))


@settings(deadline=None)
@given(rows)
def test_every_token_that_draws_is_one_symbol_at_a_place_of_its_own(row: Row) -> None:
    """There are as many symbols as tokens that draw, and every symbol's parent is a symbol."""
    tokens = to_tokens(row)
    found = layout_graph(tokens)
    assert len(found.symbols) == sum(
        token not in ("{", "}", "_", "^", "[", "]", r"\limits") for token in tokens
    )
    assert len(found.relations) == max(len(found.symbols) - 1, 0)
    assert all(relation.parent in found.symbols for relation in found.relations)


@settings(deadline=None)
@given(rows.filter(lambda row: bool(row.items)), st.data())
def test_renaming_a_symbol_changes_its_label_and_no_place(row: Row, data: st.DataObject) -> None:
    """One error, the structure still right, and one symbol less that is correct."""
    tokens = to_tokens(row)
    letters = [number for number, token in enumerate(tokens) if token in LETTERS]
    renamed = list(tokens)
    renamed[data.draw(st.sampled_from(letters))] = "w"
    score = layout_score(renamed, tokens)
    size = len(layout_graph(tokens).symbols)
    assert score == (size, size, size, size - 1, 1)
    assert score.right_structure


@settings(deadline=None)
@given(rows)
def test_a_graph_written_and_read_is_the_same(row: Row) -> None:
    """The .lg format loses nothing."""
    found = layout_graph(to_tokens(row))
    assert read_lg(to_lg(found, "a formula")) == found


@pytest.mark.parametrize("label", ["[", "#", r"\begin{cases}", r"\\", "&", ".", "_"])
def test_labels_survive_the_file(label: str) -> None:
    """Labels outside the official classes, too, are written and read back."""
    found = LayoutGraph({"O": label, "OR": ","})
    assert read_lg(to_lg(found, "labels")) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("O, a, x, 1.0, O\nO, b, y, 1.0, O", "both 'x' and 'y' at O"),
        ("O, a, x, 1.0, O\nO, b, y, 1.0, OR", "leads to its 'y' at OR"),
        ("O, a, x, 1.0, O\nO, b, y, 1.0, OR\nEO, a, b, Sup, 1.0", "leads to its 'y' at OR"),
        ("O, b, y, 1.0, OR\nEO, a, b, Right, 1.0", "leads to its 'y' at OR"),
        ("O, a, x, 1.0, O\nO, b, y, 1.0, ORR\nEO, a, b, RR, 1.0", "leads to its 'y' at ORR"),
        ("O, a, x, 1.0, O\nO, b, y, 1.0, OX\nEO, a, b, X, 1.0", "leads to its 'y' at OX"),
        ("O, a, x, 1.0", "'O, a, x, 1.0' is neither"),
        ("N, a, x, 1.0", "'N, a, x, 1.0' is neither"),
        (
            "O, s, \\sum, 1, O\nO, a, x, 1, OSub\nO, b, y, 1, OBelow\nEO, s, a, Sub, 1\nEO, s, b, B, 1",
            "both a script and a limit",
        ),
    ],
)
def test_what_is_no_graph_is_refused(text: str, problem: str) -> None:
    """A file that breaks the format, or puts symbols where none can be, is named with its fault."""
    with pytest.raises(DataError, match=re.escape(problem)):
        read_lg(text)


@pytest.mark.parametrize(
    ("prediction", "reference", "score", "structure"),
    [
        ("x ^ { 2 } + 1", "x ^ 2 + 1", (4, 4, 4, 4, 0), True),
        ("x ^ { 3 } + 1", "x ^ { 2 } + 1", (4, 4, 4, 3, 1), True),
        ("x ^ { 2 } + ", "x ^ { 2 } + 1", (4, 3, 3, 3, 2), False),
        ("x 2", "x ^ { 2 }", (2, 2, 1, 1, 4), False),
        ("a x + 1", "x + 1", (3, 4, 3, 0, 5), False),
        ("", "x + 1", (3, 0, 0, 0, 5), False),
        ("x", "", (0, 1, 0, 0, 1), False),
        ("", "", (0, 0, 0, 0, 0), True),
        ("x ^", "x ^ { 2 }", (2, None, 0, 0, math.inf), False),
        (None, "x ^ { 2 }", (2, None, 0, 0, math.inf), False),
        ("x", "x }", (None, 1, 0, 0, math.inf), False),
        ("x }", "x }", (None, None, 0, 0, math.inf), False),
    ],
)
def test_a_score_is_the_one_worked_out_by_hand(
    prediction: str | None, reference: str, score: tuple[float, ...], structure: bool
) -> None:
    """Counts of symbols, of those placed and correct, and of errors, with and without graphs."""
    found = layout_score(None if prediction is None else prediction.split(), reference.split())
    assert found == score
    assert found.right_structure == structure


def label_errors(ours: str, theirs: str) -> tuple[int, bool]:
    """LgEval's own way from .lg texts: nodes and edges by id, each disagreement of labels an error."""
    nodes, edges = [], []
    for text in (ours, theirs):
        nodes.append({fields[4]: fields[2] for fields in csv_rows(text, "O")})
        edges.append({(fields[1], fields[2]): fields[3] for fields in csv_rows(text, "EO")})
    errors = sum(
        found[0].get(key, "ABSENT") != found[1].get(key, "ABSENT")
        for found in (nodes, edges)
        for key in found[0].keys() | found[1].keys()
    )
    return errors, nodes[0].keys() == nodes[1].keys() and edges[0].keys() == edges[1].keys()


def csv_rows(text: str, kind: str) -> list[list[str]]:
    """The lines of one kind, as fields."""
    return [line.split(", ") for line in text.splitlines() if line.startswith(kind + ", ")]


@settings(deadline=None)
@given(rows, rows)
def test_errors_and_structure_are_those_of_the_label_graphs(ours: Row, theirs: Row) -> None:
    """The score equals a comparison of the written files label by label."""
    predicted, reference = to_tokens(ours), to_tokens(theirs)
    score = layout_score(predicted, reference)
    texts = (to_lg(layout_graph(tokens), "a formula") for tokens in (predicted, reference))
    assert (score.errors, score.right_structure) == label_errors(*texts)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["x", "{", "}", "^", "_", r"\frac", r"\limits", r"\sum", r"\left", "(", "'"]))
)
def test_any_tokens_have_a_score(tokens: list[str]) -> None:
    """Tokens are all right against themselves if they are well-formed, and all wrong if not."""
    score = layout_score(tokens, tokens)
    assert score.errors == (0 if is_well_formed(tokens) else math.inf)
    assert score.right_structure == is_well_formed(tokens)


def test_rates_of_a_table_worked_by_hand() -> None:
    """A right pair, one with a wrong label, one with a symbol missing, and three without a graph."""
    scores = [
        LayoutScore(4, 4, 4, 4, 0),
        LayoutScore(3, 3, 3, 2, 1),
        LayoutScore(3, 2, 2, 2, 2),
        LayoutScore(2, None, 0, 0, math.inf),
        LayoutScore(4, None, 0, 0, math.inf),
        LayoutScore(None, 1, 0, 0, math.inf),
    ]
    assert structure_rates(scores, most_errors=2) == StructureRates(
        structure_rate=2 / 6,
        expression_rates=[1 / 6, 2 / 6, 3 / 6],
        symbol_rate=8 / 16,
        symbol_precision=8 / 10,
        place_rate=9 / 16,
        place_precision=9 / 10,
        malformed_predictions=2,
        malformed_references=1,
    )
    assert structure_rates([]) == StructureRates(0, [0, 0, 0, 0], 0, 0, 0, 0, 0, 0)
