r"""Symbol layout graphs: which symbol of a formula stands where, whatever the LaTeX it is written in.

The graphs are those of the official evaluation of CROHME 2019 ("symLG"; Mahdavi, Zanibbi, Mouchère,
Viard-Gaudin, Garain: ICDAR 2019 CROHME + TFD, pp. 1533-1538). A symbol's id is its place: the way to it from
the formula's first symbol, `O`. The steps are `R` to the next symbol of a row, and `Sub`, `Sup`, `Above`,
`Below` and `Inside` to the first symbol of another row: in `x ^ { 2 } + 1` the `2` stands at `OSup` and the
`1` at `ORR`. A fraction is its bar, labelled `-`.

Two things differ from the official files on purpose. What stands under and over an operator such as `\sum`
is its `Sub` and `Sup`, with and without `\limits`: captions and files contradict one another in this. And a
relation that the places do not show is dropped: some files hang two symbols of a row on the root round it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from inktex.errors import DataError
from inktex.latex.tree import (
    LIMIT_OPERATORS,
    Command,
    Environment,
    Fence,
    Group,
    Node,
    Row,
    Script,
    Symbol,
    commands,
    parse,
)

ROOT = "O"
NO_SYMBOL = "_"  # the base of scripts that have none
# Tokens that go by another label. CROHME has 101 classes; its ink labels `\cdot` and `\cdots` like this.
LABELS: dict[str, str] = {
    **dict.fromkeys(commands("frac dfrac tfrac cfrac"), "-"),
    **dict.fromkeys(commands("cdots dots dotsc dotsb"), r"\ldots"),
    **dict.fromkeys(commands("vert lvert rvert mid"), "|"),
    **dict.fromkeys(commands("Vert lVert rVert parallel"), r"\|"),
    **dict(zip(commands("lbrack rbrack lt gt cdot"), "[]<>.", strict=True)),
    **dict(zip(commands("lbrace rbrace le ge ne to"), commands("{ } leq geq neq rightarrow"), strict=True)),
}
# What draws nothing.
INVISIBLE: frozenset[str] = frozenset(
    ("~", "$", r"\,", r"\;", r"\:", r"\!", r"\>", r"\/")
    + commands("quad qquad nolimits displaystyle textstyle scriptstyle scriptscriptstyle rm bf it cal")
    + commands("big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr")
)
PHANTOMS: frozenset[str] = frozenset(commands("phantom hphantom vphantom"))
# Commands that are no symbol themselves: fonts and boxes.
TRANSPARENT: frozenset[str] = frozenset(
    commands(
        "text textrm textbf textit mbox hbox operatorname substack mathrm mathbf mathscr mathfrak mathsf"
    )
    + commands("mathit mathtt mathnormal boldsymbol bm mathop mathbin mathrel mathord")
)
# Alphabets: a letter of theirs is a symbol of its own, `\mathbb{R}`.
ALPHABETS: frozenset[str] = frozenset(commands("mathbb mathcal"))
# Commands that put their first argument over or under the second: the step to it, and from an operator.
STACKS: dict[str, tuple[str, str]] = {
    r"\overset": ("Above", "Sup"),
    r"\stackrel": ("Above", "Sup"),
    r"\underset": ("Below", "Sub"),
}
# The steps to a command's arguments and to its option; of all others `Inside` and `Above`.
ARGUMENT_STEPS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(commands("frac dfrac tfrac cfrac binom dbinom tbinom"), ("Above", "Below")),
    **dict.fromkeys(commands("xrightarrow xleftarrow xlongequal"), ("Above",)),
}
OPTION_STEPS: dict[str, str] = dict.fromkeys(commands("xrightarrow xleftarrow xlongequal"), "Below")
# Words of .lg files for labels and steps.
LG_LABELS: dict[str, str] = {",": "COMMA", "<": r"\lt", ">": r"\gt"}
LG_STEPS: dict[str, str] = {"Right": "R", "B": "Below"}
_FROM_LG = {word: label for label, word in LG_LABELS.items()}
_LAST_STEP = re.compile("(?:R|Sub|Sup|Above|Below|Inside)$")


class Relation(NamedTuple):
    """The places of two symbols, and the step from the first to the second."""

    parent: str
    child: str
    step: str


@dataclass(frozen=True)
class LayoutGraph:
    """The label at every place; each place but the root is one step from another."""

    symbols: Mapping[str, str]

    @property
    def relations(self) -> list[Relation]:
        """The steps that lead to all symbols but the first; they follow from the places."""
        found = ((place, _LAST_STEP.search(place)) for place in self.symbols)
        return [Relation(place[: step.start()], place, step[0]) for place, step in found if step]


def layout_graph(tokens: Sequence[str]) -> LayoutGraph:
    r"""Lay out LaTeX tokens.

    Braces, fonts, spaces, `\left`, `\limits` and the order of scripts leave no trace. Scripts belong to the
    last symbol before them, also where that ends a group; a second superscript goes on the row of the first;
    scripts before any symbol get the base `_`. Of commands the official files know fractions and roots only.
    Any other, as an accent, is a symbol with its argument `Inside`, which shows how far an accent goes. A
    letter of `\mathbb` or `\mathcal` is one symbol, a text its letters. An environment holds its lines
    (labelled `\\`, each `Below` the one before), and they hold their cells (`&`).

    Raises:
        LatexError: if the tokens are malformed.
    """
    layout = _Layout()
    layout.row(parse(tokens), ROOT)
    return LayoutGraph(layout.symbols)


class _Layout:
    """Lays out nodes one by one: each is given its place, and says where the next would stand."""

    def __init__(self) -> None:
        self.symbols: dict[str, str] = {}
        self.ends: dict[str, str] = {}  # where a row begins -> where it goes on

    def row(self, row: Row, place: str) -> str:
        for item in row.items:
            place = self.node(item, place)
        return place

    def attach(self, row: Row, start: str) -> None:
        """Lay out a row that begins at a step from its base, or goes on with what is there."""
        self.ends[start] = self.row(row, self.ends.get(start, start))

    def node(self, node: Node, place: str) -> str:
        match node:
            case Symbol(token):
                return self.symbol(token, place)
            case Row():
                return self.row(node, place)
            case Group(body):
                return self.row(body, place)
            case Script():
                return self.script(node, place)
            case Command():
                return self.command(node, place)
            case Fence(left, body, right):
                place = place if left == "." else self.symbol(left, place)
                place = self.row(body, place)
                return place if right == "." else self.symbol(right, place)
            case Environment():
                return self.environment(node, place)

    def symbol(self, token: str, place: str) -> str:
        if token in INVISIBLE:
            return place
        if token == "'":
            token = r"\prime"
            if place.endswith("R"):
                self.attach(Row((Symbol(token),)), place[:-1] + "Sup")
                return place
        self.symbols[place] = LABELS.get(token, token)
        return place + "R"

    def based(self, place: str) -> str:
        """The place after the base of what is to be attached, with a base if there is none."""
        return place if place.endswith("R") else self.symbol(NO_SYMBOL, place)

    def script(self, script: Script, place: str) -> str:
        if script.base is not None:
            place = self.node(script.base, place)
        for row, step in ((script.sub, "Sub"), (script.sup, "Sup")):
            if row is not None and row.items:
                place = self.based(place)
                self.attach(row, place[:-1] + step)
        return place

    def command(self, command: Command, place: str) -> str:
        name = command.name
        if name in PHANTOMS:
            return place
        if name in ALPHABETS:
            return self.letters(name, command.arguments[0], place)
        if name in TRANSPARENT:
            return self.row(command.arguments[0], place)
        if name in STACKS:
            place = self.based(self.row(command.arguments[1], place))
            base = place[:-1]
            self.attach(command.arguments[0], base + STACKS[name][self.symbols[base] in LIMIT_OPERATORS])
            return place
        for row, step in zip(command.arguments, ARGUMENT_STEPS.get(name, ("Inside",)), strict=True):
            self.attach(row, place + step)
        if command.option is not None:
            self.attach(command.option, place + OPTION_STEPS.get(name, "Above"))
        return self.symbol(name, place)

    def letters(self, alphabet: str, row: Row, place: str) -> str:
        """Lay out a row with its letters in an alphabet."""
        for item in row.items:
            match item:
                case Symbol(token) if token.isalnum():
                    place = self.symbol(f"{alphabet}{{{token}}}", place)
                case _:
                    place = self.node(item, place)
        return place

    def environment(self, environment: Environment, place: str) -> str:
        line = place + "Inside"
        for cells in environment.rows:
            self.symbols[line] = r"\\"
            cell = line + "Inside"
            for row in cells:
                self.symbols[cell] = "&"
                self.row(row, cell + "Inside")
                cell += "R"
            line += "Below"
        return self.symbol(f"\\begin{{{environment.name}}}", place)


def read_lg(text: str) -> LayoutGraph:
    r"""Read a symLG file: lines `O, id, label, weight, place` and `EO, parent, child, step, weight` by ids.

    Two ids at one place with one label are one symbol, as they are to LgEval.

    Raises:
        DataError: if it is no graph: a line of another form, two labels at one place, or a symbol that no
            relation puts at its place.
    """
    places: dict[str, str] = {}  # of ids
    labels: dict[str, str] = {}
    reached: set[tuple[str, str]] = set()
    for line in text.splitlines():
        match [field.strip() for field in line.split(",")]:
            case ["O", name, label, _, place]:
                label = _FROM_LG.get(label, label)
                if labels.setdefault(place, label) != label:
                    raise DataError(f"The graph has both '{labels[place]}' and '{label}' at {place}.")
                places[name] = place
            case ["R" | "EO", parent, child, step, _]:
                reached.add((places.get(parent, "") + LG_STEPS.get(step, step), places.get(child, "")))
            case [start, *_] if start and not start.startswith("#"):
                raise DataError(
                    f"The line '{line}' is neither an object (O, 5 fields) nor a relation (EO, 5)."
                )
    for place in labels.keys() - {ROOT}:
        if (place, place) not in reached or _LAST_STEP.sub("", place) not in labels.keys() - {place}:
            raise DataError(f"No relation of the graph leads to its '{labels[place]}' at {place}.")
    return LayoutGraph(_limits_as_scripts(labels))


def to_lg(graph: LayoutGraph, name: str) -> str:
    """Write a graph as a symLG file, its places as ids; `name` goes into the first line."""
    return "\n".join(
        [
            f"# IUD, {name}",
            f"# Objects({len(graph.symbols)}):",
            *(
                f"O, {place}, {LG_LABELS.get(label, label)}, 1.0, {place}"
                for place, label in graph.symbols.items()
            ),
            "",
            "# Relations from SRT:",
            *(
                f"EO, {up}, {down}, {'Right' if step == 'R' else step}, 1.0"
                for up, down, step in graph.relations
            ),
            "",
        ]
    )


def _limits_as_scripts(labels: dict[str, str]) -> dict[str, str]:
    """The symbols with those under and over an operator at its `Sub` and `Sup`."""
    places = {"": ""}
    for place in sorted(labels, key=len):
        parent = _LAST_STEP.sub("", place) if place != ROOT else ""
        step = place[len(parent) :]
        if labels.get(parent) in LIMIT_OPERATORS:
            step = {"Below": "Sub", "Above": "Sup"}.get(step, step)
        places[place] = places[parent] + step
    moved = {places[place]: label for place, label in labels.items()}
    if len(moved) < len(labels):
        raise DataError("The graph has both a script and a limit on one side of an operator.")
    return moved
