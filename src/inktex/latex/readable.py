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
from dataclasses import replace
from enum import StrEnum
from itertools import pairwise

from inktex.errors import LatexError
from inktex.latex.primes import primes_raised
from inktex.latex.pruning import STACKED, inside
from inktex.latex.spacing import LETTERS, Kind, Piece, Setting, head, joined, kinds, runs_into
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
_BARE = LETTERS.union("+-*", commands("circ ast star bullet perp top bot pm mp dagger ddagger"))
_WORDS = frozenset(commands("text textrm textbf textit mbox hbox"))
_TEXTS = _WORDS.union(commands("textcircled operatorname"))
_LATIN = re.compile("[A-Za-z0-9]")
_PRIME = Symbol(r"\prime")
# Environments in which `&` stands before the relation that lines are aligned at.
_ALIGNED = frozenset({"aligned", "align", "align*", "alignedat", "split"})
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
        tree = _parsed(tokens)
    except LatexError:
        return _run_together(tokens)
    return _row(inside(tree, display=_OTHER_STYLES.isdisjoint(tokens)), Setting.WIDE)


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


def _parsed(tokens: list[str]) -> Row:
    """The tree of tokens, with primes as superscripts where that is possible."""
    try:
        return parse(primes_raised(tokens))
    except LatexError:  # one is an argument by itself: `\sqrt '`
        return parse([r"\prime" if token == "'" else token for token in tokens])


def _are_cut(tokens: list[str]) -> bool:
    r"""Whether text is cut into these tokens; a bare `\begin` could become one with what follows."""
    try:
        return tokenize(" ".join(tokens)) == tokens and not {r"\begin", r"\end"} & set(tokens)
    except LatexError:
        return False


def _run_together(tokens: Sequence[str]) -> str:
    spaces = [" " * runs_into(left, right) for left, right in pairwise(("", *tokens))]
    return "".join(space + token for space, token in zip(spaces, tokens, strict=True))


def _row(row: Row, setting: Setting, opening: str = "") -> str:
    found = kinds(row.items, opening)
    pieces = [Piece(item, _text(item, setting), each) for item, each in zip(row.items, found, strict=True)]
    if setting is Setting.WIDE:
        pieces = [_with_blanks(pieces, place) for place in range(len(pieces))]
    return joined(pieces, setting)


def _with_blanks(pieces: Sequence[Piece], place: int) -> Piece:
    """Return a piece; a text with the blanks inside it that keep its words from what stands beside it."""
    piece = pieces[place]
    if not isinstance(piece.node, Command) or piece.node.name not in _WORDS:
        return piece
    opening, words = piece.node.name + "{", piece.text.removeprefix(piece.node.name)[1:-1]
    before = pieces[place - 1].kind if place else Kind.OPENING
    after = pieces[place + 1].kind if place + 1 < len(pieces) else Kind.CLOSING
    point = place + 1 < len(pieces) and pieces[place + 1].text == "."
    left = before is not Kind.OPENING and _LATIN.match(words)
    right = after not in (Kind.CLOSING, Kind.PUNCTUATION) and not point and _LATIN.match(words[-1:])
    return replace(piece, text=opening + " " * bool(left) + words + " " * bool(right) + "}")


def _text(node: Node, setting: Setting) -> str:
    match node:
        case Symbol(token):
            return _symbol(token, setting)
        case Row():
            return _row(node, setting)
        case Group(body):
            return f"{{{_row(body, setting)}}}"
        case Command(name, (body,)) if name in _WORDS:
            return f"{name}{{{_row(_stripped(body), Setting.TEXT)}}}"
        case Command(name, arguments, option):
            inner = Setting.TEXT if name in _TEXTS else setting
            brackets = "" if option is None else f"[{_row(option, _smaller(setting))}]"
            return name + brackets + "".join(f"{{{_row(argument, inner)}}}" for argument in arguments)
        case Script():
            return _scripts(node, setting)
        case Fence(left, body, right):
            parts = [rf"\left{left}", _row(body, setting, left), rf"\right{right}"]
            return " ".join(filter(None, parts)) if setting is Setting.WIDE else _run_together(parts)
        case Environment():
            return _environment(node, setting)


def _symbol(token: str, setting: Setting) -> str:
    if token == "~" and setting is Setting.TEXT:
        return " "
    return r"\bmod" if token == r"\mod" else token


def _stripped(body: Row) -> Row:
    """A text without blanks at its ends, and with one where several stand together."""
    blank = Symbol("~")
    items = [item for item, before in pairwise((*body.items, None)) if (item, before) != (blank, blank)]
    kept = [item for item in items if item is not None]
    return Row(tuple(kept[kept[:1] == [blank] : len(kept) - (kept[-1:] == [blank])]))


def _scripts(node: Script, setting: Setting) -> str:
    r"""Return a base with its scripts; primes that begin the upper one as they are typed: `f'^2`."""
    text = ("" if node.base is None else _text(node.base, setting)) + r"\limits" * node.limits
    primes, sup = 0, node.sup
    if sup is not None and node.base is not None and not node.limits and head(node.base) not in STACKED:
        primes = next((at for at, item in enumerate(sup.items) if item != _PRIME), len(sup.items))
        sup = Row(sup.items[primes:]) if primes < len(sup.items) or not primes else None
    text += "" if node.sub is None else "_" + _script(node.sub, _smaller(setting))
    text += "'" * primes
    return text + ("" if sup is None else "^" + _script(sup, _smaller(setting)))


def _environment(node: Environment, setting: Setting) -> str:
    words = [
        f"\\begin{{{node.name}}}" + ("" if node.columns is None else f"{{{_run_together(node.columns)}}}")
    ]
    for number, cells in enumerate(node.rows):
        words += [r"\\"] if number else []
        words += [_row(cells[0], setting)]
        for cell in cells[1:]:
            text = _row(cell, setting)
            words += ["&" + text] if node.name in _ALIGNED else ["&", text]
    return " ".join(filter(None, [*words, f"\\end{{{node.name}}}"]))


def _smaller(setting: Setting) -> Setting:
    return Setting.NARROW if setting is Setting.WIDE else setting


def _script(row: Row, setting: Setting) -> str:
    text = _row(row, setting)
    bare = len(row.items) == 1 and isinstance(row.items[0], Symbol)
    bare = bare and (text in _BARE or (len(text) == 1 and text.isascii() and text.isalnum()))
    return text if bare else f"{{{text}}}"
