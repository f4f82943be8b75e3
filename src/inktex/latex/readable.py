r"""LaTeX as a person would type it, from tokens, and the marks to put round it.

`x ^ { 2 } + \frac { a } { b c }` becomes `x^2 + \frac{a}{bc}`. In formulas TeX ignores spaces, so they are
there for the reader alone; braces stay where TeX needs them. `\limits` goes where it is the default, on
`\sum`, `\lim` and their like in display style. It stays on integrals, and within fractions, scripts and
matrices, where without it the bounds would move to the side. (Within running text those of a sum do so
anyway, as fractions shrink there: that is what inline means.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from inktex.errors import LatexError
from inktex.latex.spacing import (
    INTEGRALS,
    KINDS,
    LETTERS,
    Kind,
    Piece,
    Setting,
    head,
    joined,
    kind,
    kinds,
    runs_into,
)
from inktex.latex.tree import (
    ARITY,
    LIMIT_OPERATORS,
    SCRIPTS,
    Command,
    Environment,
    Fence,
    Group,
    Node,
    Row,
    Script,
    Symbol,
    arrays_between,
    commands,
    parse,
    tokenize,
)


class Wrapping(StrEnum):
    """What to put round a formula."""

    NONE = "none"
    INLINE = "inline"  # $...$
    DISPLAY = "display"  # $$...$$
    BRACKETS = "brackets"  # \[...\]


# Scripts without braces, besides letters and digits. Many other commands are macros, which TeX refuses there.
_BARE = LETTERS.union("+-*", commands("circ ast star bullet perp top bot pm mp"))
_KNOWN = LETTERS.union(KINDS, ARITY)
_TEXTS = frozenset(commands("text textrm textbf textit mbox hbox textcircled operatorname"))
# Bounds under and over them in display style, with and without `\limits`.
_STACKED = LIMIT_OPERATORS - INTEGRALS - {r"\arg", r"\operatorname"}
# What leaves display style on; fractions, for one, do not.
_SAME_STYLE = frozenset(
    commands("sqrt overline underline overbrace underbrace boxed cancel mathrm mathbf mathit boldsymbol")
)
_DISPLAYED = frozenset({"aligned", "gathered", "split"})
_OTHER_STYLES = frozenset(commands("textstyle scriptstyle scriptscriptstyle"))

_MARKS: dict[Wrapping, tuple[str, str]] = {
    Wrapping.INLINE: ("$", "$"),
    Wrapping.DISPLAY: ("$$", "$$"),
    Wrapping.BRACKETS: (r"\[", r"\]"),
}
_DISPLAYS = "math displaymath equation align alignat flalign gather multline eqnarray"
# `%` comments out the closing mark; the others end the formula, or begin one within it.
_UNWRAPPABLE = frozenset({"$", "%", r"\(", r"\)", r"\[", r"\]", r"\par"}).union(
    f"\\begin{{{name}{star}}}" for name in _DISPLAYS.split() for star in ("", "*")
)
_BLANK_LINE = re.compile(r"\n\s*\n")


def readable(tokens: Sequence[str]) -> str:
    r"""Write tokens as a person would type them.

    Reading the result gives the same tree, but for braces that do nothing, for `\limits` where it is the
    default, and for `\left` and `\right`, which delimiters round an array get. The result is its own readable
    form, and but for these two never longer than the tokens of the tree with a space between any two.

    * Scripts of one letter, digit or simple sign go without braces (`x^2`, `e^\pi`, `0^+`); arguments of
      commands keep them (`\frac{1}{2}`, `\sqrt{x}`).
    * Binary operators and relations have spaces round them, signs do not (`a + b = -c`); in scripts only
      those that are commands do (`x^{n+1}`, `_{x \rightarrow 0}`).
    * Letters and digits run together (`2ab`), but for a space after a script without braces (`x^2 y`), round
      functions and large operators (`a \sin x`), and before the `dx` of an integral.

    Args:
        tokens: LaTeX in or near the dialect of :mod:`inktex.latex.tree`. Malformed ones are left as they are,
            with spaces only where a command would run into what follows; tokens that are not as
            :func:`inktex.latex.tree.tokenize` cuts them, with spaces between any two.
    """
    tokens = list(tokens)
    if not _are_cut(tokens):
        return " ".join(tokens)
    try:
        tree = parse(tokens)
    except LatexError:
        return _run_together(tokens)
    return _row(_inside(tree, display=_OTHER_STYLES.isdisjoint(tokens)), Setting.WIDE)


def wrap(latex: str, wrapping: Wrapping) -> str:
    r"""Put marks round a formula; none round one that is empty.

    Nothing is escaped. With marks, the formula must be able to stand between them: well-formed, without blank
    lines, without `$`, `%`, `\(`, `\)`, `\[`, `\]` and `\par` (also within `\text`: many readers of Markdown
    look for the next `$`, whatever the braces), and without environments that are displays themselves.

    Raises:
        LatexError: if it cannot, naming what stands in the way.
    """
    latex = latex.strip()
    if wrapping is Wrapping.NONE or not latex:
        return latex
    opening, closing = _MARKS[wrapping]
    tokens = tokenize(latex)
    parse(tokens)
    obstacle = next((token for token in tokens if token in _UNWRAPPABLE), None)
    if obstacle is None and _BLANK_LINE.search(latex):
        obstacle = "a blank line"
    if obstacle is not None:
        raise LatexError(f"{opening}...{closing} cannot hold a formula with {obstacle} in it: {latex}")
    return opening + latex + closing


def _are_cut(tokens: list[str]) -> bool:
    r"""Whether text is cut into these tokens; a bare `\begin` could become one with what follows."""
    try:
        return tokenize(" ".join(tokens)) == tokens and not {r"\begin", r"\end"} & set(tokens)
    except LatexError:
        return False


def _run_together(tokens: Sequence[str]) -> str:
    spaces = [" " * runs_into(left, right) for left, right in pairwise(("", *tokens))]
    return "".join(space + token for space, token in zip(spaces, tokens, strict=True))


# First, what does nothing is taken out of the tree.


def _inside(row: Row, display: bool) -> Row:
    """Prune a row that something encloses, so that braces round all of it do nothing."""
    while len(row.items) == 1 and isinstance(row.items[0], Group):
        row = row.items[0].body
    return _pruned_row(row, display)


def _pruned_row(row: Row, display: bool, before: Node | None = None) -> Row:
    items: list[Node] = []
    for item in row.items:
        node = _pruned(item, display)
        given = _takes_arguments(items[-1] if items else before)
        if isinstance(node, Script) and isinstance(node.base, Group) and not given:
            base = _ungrouped(node.base)
            node = Script(base if isinstance(base, Symbol) else node.base, node.sub, node.sup)
        items.append(node if given else _ungrouped(node))
    for place, closing in reversed(list(arrays_between(items))):
        opening, array = items[place - 1 : place + 1]
        assert isinstance(opening, Symbol)
        items[place - 1 : place + 1 + bool(closing)] = [Fence(opening.token, Row((array,)), closing or ".")]
    return Row(tuple(items))


def _pruned(node: Node, display: bool) -> Node:
    match node:
        case Group(body):
            return Group(_inside(body, display))
        case Command(name, arguments, option):
            inner = display and name in _SAME_STYLE
            option = None if option is None else _pruned_row(option, False)  # braces may hide a bracket
            return Command(name, tuple(_inside(argument, inner) for argument in arguments), option)
        case Script(base, sub, sup, limits):
            base = None if base is None else _pruned(base, display)
            limits = limits and not (display and head(base) in _STACKED)
            if base is not None and sub is None and sup is None and not limits:
                return base
            sub, sup = (None if row is None else _inside(row, False) for row in (sub, sup))
            return Script(base, sub, sup, limits)
        case Fence(left, body, right):
            return Fence(left, _inside(body, display), right)
        case Environment():
            return _pruned_environment(node, display and node.name in _DISPLAYED)
        case _:
            return node


def _pruned_environment(node: Environment, display: bool) -> Environment:
    """Prune cells; what the first begins with may be an argument: `\\begin{alignedat} { 2 }`."""
    first = _pruned_row(node.rows[0][0], display, before=Group(Row(())))
    rows = [tuple(_inside(cell, display) for cell in row) for row in node.rows]
    return Environment(node.name, ((first, *rows[0][1:]), *rows[1:]), node.columns)


def _ungrouped(node: Node) -> Node:
    """Return the one thing in a group, if it is the same to its neighbours as the group is."""
    match node:
        case Group(Row((alone,))) if _is_plain(alone):
            return alone
        case _:
            return node


def _is_plain(node: Node | None) -> bool:
    match node:
        case Symbol(token):
            return token in LETTERS or (len(token) == 1 and token.isalnum())
        case Command():
            return kind(node) is Kind.ORDINARY
        case Script(base):
            return _is_plain(base)
        case _:
            return False


def _takes_arguments(node: Node | None) -> bool:
    r"""Whether a group after this may be an argument, as it may after a command that is not known."""
    name = head(node)
    unknown = name[:1] == "\\" and name[1:].isalpha() and name not in _KNOWN
    return unknown or name == "]" or isinstance(node, Group)


# Then the rest is written.


def _row(row: Row, setting: Setting, opening: str = "") -> str:
    found = kinds(row.items, opening)
    pieces = [Piece(item, _text(item, setting), each) for item, each in zip(row.items, found, strict=True)]
    return joined(pieces, setting)


def _text(node: Node, setting: Setting) -> str:
    match node:
        case Symbol(token):
            return token
        case Row():
            return _row(node, setting)
        case Group(body):
            return f"{{{_row(body, setting)}}}"
        case Command(name, arguments, option):
            inner = Setting.TEXT if name in _TEXTS else setting
            brackets = "" if option is None else f"[{_row(option, _smaller(setting))}]"
            return name + brackets + "".join(f"{{{_row(argument, inner)}}}" for argument in arguments)
        case Script(base, sub, sup, limits):
            text = ("" if base is None else _text(base, setting)) + r"\limits" * limits
            for sign, row in zip(SCRIPTS, (sub, sup), strict=True):
                text += "" if row is None else sign + _script(row, _smaller(setting))
            return text
        case Fence(left, body, right):
            parts = [rf"\left{left}", _row(body, setting, left), rf"\right{right}"]
            return " ".join(filter(None, parts)) if setting is Setting.WIDE else _run_together(parts)
        case Environment(name, rows, columns):
            words = [f"\\begin{{{name}}}" + ("" if columns is None else f"{{{_run_together(columns)}}}")]
            for number, cells in enumerate(rows):
                words += [r"\\"] if number else []
                for column, cell in enumerate(cells):
                    words += ["&"] if column else []
                    words += [_row(cell, setting)]
            return " ".join(filter(None, [*words, f"\\end{{{name}}}"]))


def _smaller(setting: Setting) -> Setting:
    return Setting.NARROW if setting is Setting.WIDE else setting


def _script(row: Row, setting: Setting) -> str:
    text = _row(row, setting)
    bare = len(row.items) == 1 and isinstance(row.items[0], Symbol)
    bare = bare and (text in _BARE or (len(text) == 1 and text.isascii() and text.isalnum()))
    return text if bare else f"{{{text}}}"
