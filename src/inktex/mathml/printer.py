"""A walk along LaTeX tokens and their tree that writes MathML.

Space is left to MathML's operator dictionary where that agrees with TeX (The TeXbook, chapter 18).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from itertools import groupby

from inktex.latex.tree import (
    Command,
    Environment,
    Fence,
    Group,
    Node,
    Row,
    Script,
    Symbol,
    commands,
    to_tokens,
)
from inktex.mathml import rows
from inktex.mathml.elements import (
    DISPLAY_STYLE,
    TEXT_STYLE,
    circled,
    compose,
    delimiter,
    element,
    framed,
    joined,
    math,
    row,
    space,
    text,
)
from inktex.mathml.reading import read
from inktex.mathml.symbols import (
    FUNCTIONS,
    IDENTIFIERS,
    LIMIT_FUNCTIONS,
    OPERATORS,
    SIZES,
    SPACES,
    STACKING,
    STRETCHING,
    TIGHT,
    UPRIGHT_IDENTIFIERS,
    in_alphabet,
    is_capital_greek,
)
from inktex.mathml.tables import Cell, Line, table

# Tokens that hold to the end of their row, and what they set.
_STYLES: dict[str, str] = {
    r"\displaystyle": DISPLAY_STYLE,
    r"\textstyle": TEXT_STYLE,
    r"\scriptstyle": ' displaystyle="false" scriptlevel="1"',
    r"\scriptscriptstyle": ' displaystyle="false" scriptlevel="2"',
}
_FONT_SWITCHES = {r"\rm": r"\mathrm", r"\bf": r"\mathbf", r"\it": r"\mathit", r"\cal": r"\mathcal"}
_SILENT = frozenset({"$", r"\(", r"\)", r"\[", r"\]", r"\/"} | set(commands("nolimits nonumber notag hline")))
_FONTS: dict[str, str] = {
    **{name: name for name in commands("mathrm mathbf mathbb mathcal mathscr mathfrak mathsf mathit mathtt")},
    **{name: name for name in commands("mathnormal boldsymbol bm")},
    r"\operatorname": r"\mathrm",
}
_TEXTS: dict[str, str] = {
    **dict.fromkeys(commands("text textrm mbox hbox"), ""),
    r"\textbf": ' style="font-weight:bold"',
    r"\textit": ' style="font-style:italic"',
}
# What has its scripts under and over it even without `\limits`.
_STACKED = frozenset(STACKING) | LIMIT_FUNCTIONS | set(commands("overbrace underbrace mathop"))


def to_mathml(tokens: Sequence[str], marked: Collection[int] = (), display: bool = True) -> str:
    r"""Return tokens as a `<math>` element, which is well-formed XML.

    A command that is not known is shown by its name, in `<mtext>`.

    Args:
        tokens: LaTeX in or near the dialect of :mod:`inktex.latex.tree`.
        marked: places of tokens whose elements get ``class="differs"``: symbols themselves, the fraction or
            root of `\frac` and `\sqrt`, and for a token that draws nothing (`^`, `{`, `&`) an element round
            what it governs: its script, argument, group or cell.
        display: as a formula on a line of its own; False: within text.

    Raises:
        LatexError: the tokens are not well-formed.
    """
    tree, tokens, marked = read(tokens, marked)
    return math("".join(_Printer(tokens, marked).sequence(tree.items)), display)


class _Printer:
    """Passes every token in the order in which it was written, so that the place of all drawn is known."""

    def __init__(self, tokens: Sequence[str], marked: Collection[int]) -> None:
        self.tokens = tokens
        self.marked = marked
        self.at = 0
        self.font = ""  # the command that chose the letters' font, or none

    def step(self) -> bool:
        """Pass a token; True if it is marked."""
        self.at += 1
        return self.at - 1 in self.marked

    def sequence(self, items: Sequence[Node]) -> list[str]:
        """Return the elements of a row, with the space and signs that go with functions."""
        kinds = rows.kinds(items)
        high = rows.round_arrays(items)
        outside = self.font
        result: list[str] = []
        place = 0
        while place < len(items):
            item = items[place]
            if isinstance(item, Symbol) and item.token in _STYLES:
                differs = self.step()
                rest = "".join(self.sequence(items[place + 1 :]))
                result.append(element("mstyle", rest, _STYLES[item.token], differs))
                break
            end = rows.run_end(items, place, self.font)
            before, after = rows.around_function(kinds, place, end)
            if end == place + 1:
                before, after = rows.around_text(items, kinds, place) or (before, after)
            result += [before, self.run(items[place:end], high.get(place) or rows.form(kinds, place)), after]
            place = end
        self.font = outside
        return [drawn for drawn in result if drawn]

    def run(self, items: Sequence[Node], form: str) -> str:
        """Return the element of items that belong together; the last may carry scripts."""
        last = items[-1]
        heads = [rows.head(item) for item in items]
        tag = rows.word_tag(heads[0], self.font)
        if tag:
            whole = joined(tag, [(in_alphabet(char, self.font), self.step()) for char in heads])
        elif len(items) > 1:
            whole = self.adjusted(*heads)
        else:
            return self.node(last, form)
        return self.scripts(last, whole) if isinstance(last, Script) else whole

    def adjusted(self, name: str, token: str) -> str:
        r"""Return a delimiter after `\big` or `\middle`, or what `\not` strikes out."""
        differs = any([self.step(), self.step()])
        if name == r"\not":
            char = rows.plain(token)
            tag = "mo" if token in OPERATORS else "mi"
            return element(tag, text(unicodedata.normalize("NFC", char + "\u0338")), differs=differs)
        size = f' minsize="{SIZES[name]}em" maxsize="{SIZES[name]}em"' if name in SIZES else ""
        return delimiter(token, f' stretchy="true"{size} lspace="0" rspace="0"', differs)

    def node(self, node: Node, form: str = "") -> str:
        """Return one element; ``form`` holds attributes for the operator that it is, or is built on."""
        match node:
            case Symbol(token):
                return self.symbol(token, form)
            case Row(items):
                return row(self.sequence(items))
            case Group(body):
                return self.argument(body)
            case Command():
                return self.command(node)
            case Script():
                return self.scripts(node, self.base(node, form))
            case Fence():
                return self.fence(node)
            case Environment():
                return self.environment(node)

    def symbol(self, token: str, form: str) -> str:
        """Return the element of one token, or nothing where it draws nothing."""
        differs = self.step()
        self.font = _FONT_SWITCHES.get(token, self.font)
        if token in _SILENT or token in SIZES or token in _FONT_SWITCHES:
            return ""
        if token in SPACES:
            return space(SPACES[token])
        if token in FUNCTIONS:
            return element("mi", FUNCTIONS[token], differs=differs)
        if token in UPRIGHT_IDENTIFIERS:
            char = UPRIGHT_IDENTIFIERS[token]
            upright = ' mathvariant="normal"' if is_capital_greek(char) else ""
            return element("mi", text(in_alphabet(char, self.font)), upright, differs)
        if token in OPERATORS:
            char, _ = OPERATORS[token]
            fixed = ' stretchy="false"' if char in STRETCHING and "stretchy" not in form else ""
            tight = ' lspace="0" rspace="0"' if char in TIGHT else ""
            if char == "mod":
                form = form.replace('rspace="0"', 'rspace="0.3333em"')
            return element("mo", text(char), fixed + (form or tight), differs)
        char = IDENTIFIERS.get(token, token)
        return element(rows.leaf_tag(char), text(in_alphabet(char, self.font)), differs=differs)

    def argument(self, body: Row, opening: str = "{", differs: bool = False) -> str:
        """Return an argument, braced or not, as one element; marked if ``differs`` or a brace is marked."""
        braced = self.tokens[self.at] == opening
        differs |= braced and self.step()
        elements = self.sequence(body.items)
        differs |= braced and self.step()
        return framed(row(elements), differs)

    def base(self, node: Script, form: str) -> str:
        """Return what scripts stand at."""
        if node.base is None:
            return "<mrow/>"
        head = rows.head(node.base)
        if node.limits and head in STACKING:
            return self.node(node.base, ' movablelimits="false"')
        if not node.limits and head in LIMIT_FUNCTIONS:
            # Scripts move to the side in small formulas, which MathML has for operators alone.
            attributes = ' movablelimits="true" form="prefix" lspace="0" rspace="0"'
            return element("mo", FUNCTIONS[head], attributes, self.step())
        return self.node(node.base, form)

    def scripts(self, node: Script, base: str) -> str:
        """Put the scripts, which come next, on their base."""
        if node.limits:
            base = framed(base, self.step())
        drawn: dict[str, str] = {}
        for _ in range((node.sub is not None) + (node.sup is not None)):
            sign = self.tokens[self.at]
            differs = self.step()
            body = node.sub if sign == "_" else node.sup
            drawn[sign] = self.argument(body or Row(()), differs=differs)
        if not drawn:
            return base
        below, above = ("under", "over") if node.limits or rows.head(node) in _STACKED else ("sub", "sup")
        tag = "m" + below * ("_" in drawn) + above * ("^" in drawn)
        return element(tag, base + drawn.get("_", "") + drawn.get("^", ""))

    def command(self, node: Command) -> str:
        """Return a command with its arguments."""
        start = self.at
        differs = self.step()
        option = None if node.option is None else self.argument(node.option, "[")
        if node.name in _TEXTS:
            return framed(self.words(node.arguments[0], _TEXTS[node.name]), differs)
        outside = self.font
        self.font = _FONTS.get(node.name, self.font)
        arguments = [self.argument(body) for body in node.arguments]
        self.font = outside
        if node.name == r"\textcircled" and (char := circled("".join(to_tokens(node.arguments[0])))):
            differs = any(place in self.marked for place in range(start, self.at))
            return element("mtext", char, differs=differs)
        return compose(node.name, arguments, option, differs)

    def words(self, body: Row, attributes: str) -> str:
        """Return an argument that is text; the tokens do not hold its spaces."""
        braced = self.tokens[self.at] == "{"
        differs = braced and self.step()
        parts: list[str] = []
        for plain, items in groupby(body.items, key=lambda item: isinstance(item, Symbol)):
            if plain:
                chars = [(rows.plain(rows.head(item)), self.step()) for item in items]
                parts.append(joined("mtext", chars, attributes))
            else:
                parts.extend(self.node(item) for item in items)
        differs |= braced and self.step()
        return framed(row(parts), differs)

    def fence(self, node: Fence) -> str:
        r"""Return what stands between `\left` and `\right`, with its delimiters."""
        differs = any([self.step(), self.step()])
        left = delimiter(node.left, ' form="prefix" stretchy="true"', differs)
        body = self.sequence(node.body.items)
        differs = any([self.step(), self.step()])
        right = delimiter(node.right, ' form="postfix" stretchy="true"', differs)
        return element("mrow", "".join([left, *body, right]))

    def environment(self, node: Environment) -> str:
        """Return a table; a mark on `&` or on a line's end is the cell's or line's that follows."""
        differs = self.step()
        if node.columns is not None:
            depth = 0
            while True:  # up to the brace that closes the specification
                depth += {"{": 1, "}": -1}.get(self.tokens[self.at], 0)
                differs |= self.step()
                if not depth:
                    break
        lines: list[Line] = []
        line_differs = False
        for cells in rows.aligned(node):
            drawn: list[Cell] = []
            cell_differs = False
            uncut = len(cells) - len(node.rows[len(lines)])  # parts of a cell that no `&` ends
            for number, cell in enumerate(cells):
                drawn.append(Cell("".join(self.sequence(cell)), cell_differs))
                cell_differs = number >= uncut and self.step()
            lines.append(Line(drawn, line_differs))
            line_differs = cell_differs
        return table(node.name, node.columns, lines, differs | line_differs)
