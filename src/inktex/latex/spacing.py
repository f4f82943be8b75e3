"""Where a person who types LaTeX puts spaces: what the things in a row are to one another.

The kinds are TeX's (The TeXbook, chapter 18), with a few more for what people set apart in the source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from inktex.latex.tree import LIMIT_OPERATORS, Command, Environment, Fence, Node, Script, Symbol, commands


class Kind(Enum):
    """What a thing in a row is to its neighbours."""

    ORDINARY = "ordinary"
    FUNCTION = "function"  # \sin: an argument follows, often in parentheses
    BIG = "big"  # \sum: a term follows
    BINARY = "binary"
    SIGN = "sign"  # a binary operator with only one operand
    RELATION = "relation"
    OPENING = "opening"
    CLOSING = "closing"
    PUNCTUATION = "punctuation"
    FENCE = "fence"  # \left( ... \right)
    APART = "apart"  # dots, text, environments


class Setting(Enum):
    """How much space a row gets."""

    WIDE = "wide"
    NARROW = "narrow"  # in scripts: none round operators of one character
    TEXT = "text"  # where a space would be drawn: only those that end a command, which TeX drops


_WORDS: dict[Kind, str] = {
    Kind.BINARY: "pm mp times div cdot ast star circ bullet cap cup uplus sqcap sqcup vee wedge lor "
    "land setminus wr diamond oplus ominus otimes oslash odot dagger ddagger triangleleft triangleright "
    "bmod mod mathbin",
    Kind.RELATION: "leq le leqslant leqq geq ge geqslant geqq neq ne lt gt equiv sim simeq approx cong "
    "doteq propto ll gg prec preceq succ succeq in notin ni subset subseteq subsetneq supset supseteq "
    "supsetneq mid nmid parallel perp vdash models therefore because not rightarrow to leftarrow gets "
    "leftrightarrow Rightarrow implies Leftarrow impliedby Leftrightarrow iff longrightarrow "
    "longleftarrow mapsto longmapsto Longrightarrow Longleftarrow Longleftrightarrow rightleftharpoons "
    "hookrightarrow rightharpoonup nearrow searrow Vdash dashv triangleq uparrow downarrow "
    "xrightarrow xleftarrow xlongequal mathrel",
    Kind.FUNCTION: "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth log ln lg exp deg "
    "dim hom ker max min sup inf arg det gcd Pr operatorname forall exists nexists",
    Kind.OPENING: "{ lbrace lbrack langle lvert lVert lfloor lceil",
    Kind.CLOSING: "} rbrace rbrack rangle rvert rVert rfloor rceil",
    Kind.PUNCTUATION: "colon",
    Kind.APART: "ldots dots cdots vdots ddots quad qquad pmod text textrm textbf textit textcircled "
    "mbox hbox",
}
_CHARACTERS: dict[Kind, str] = {
    Kind.BINARY: "+-*",
    Kind.RELATION: "=<>:",
    Kind.OPENING: "([",
    Kind.CLOSING: ")]",
    Kind.PUNCTUATION: ",;",
}
KINDS: dict[str, Kind] = {
    **dict.fromkeys(LIMIT_OPERATORS, Kind.BIG),
    **{token: kind for kind, names in _WORDS.items() for token in commands(names)},
    **{token: kind for kind, characters in _CHARACTERS.items() for token in characters},
}
_STROKE = Symbol(r"\not")
_BARS = frozenset({"|", r"\|", r"\vert", r"\Vert"})
INTEGRALS = frozenset(commands("int iint iiint oint"))
# Commands that take no argument and are one letter or sign.
LETTERS = frozenset(
    commands(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi "
        "varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi "
        "Pi Sigma Upsilon Phi Psi Omega infty prime ell partial nabla hbar wp aleph emptyset "
        "imath jmath Re Im"
    )
)
# Other commands without arguments.
OTHERS = frozenset(commands("neg top angle square natural checkmark mathord"))
# Signs have one of these before them, or nothing.
_BEFORE_SIGN = frozenset(
    {Kind.BINARY, Kind.SIGN, Kind.RELATION, Kind.OPENING, Kind.PUNCTUATION, Kind.BIG, Kind.FUNCTION}
)
_AFTER_SIGN = frozenset({Kind.RELATION, Kind.CLOSING, Kind.PUNCTUATION})  # as in "(0+)"
_OPERATORS = frozenset({Kind.RELATION, Kind.BINARY})
_ENDS_IN_COMMAND = re.compile(r"\\[A-Za-z]+\Z")
# Also the "100,200" of a list, where the space left out does no harm.
_THOUSANDS = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])", re.ASCII)


@dataclass(frozen=True)
class Piece:
    """A thing in a row, as it is written.

    Attributes:
        node: the thing.
        text: what is written of it.
        kind: what it is to its neighbours.
    """

    node: Node
    text: str
    kind: Kind


def joined(pieces: Sequence[Piece], setting: Setting) -> str:
    """Write the things in a row one after the other."""
    text = ""
    integral = False
    for place, piece in enumerate(pieces):
        before = pieces[place - 1] if place else None
        if before is not None and (
            runs_into(before.text, piece.text)
            or (setting is not Setting.TEXT and _stand_apart(before, piece, setting is Setting.WIDE))
            or (integral and setting is Setting.WIDE and _at_differential(pieces, place))
        ):
            text += " "
        text += piece.text
        integral = integral or head(piece.node) in INTEGRALS
    return text


def runs_into(left: str, right: str) -> bool:
    """Whether a command at the end of a text would swallow what follows."""
    return right[:1].isalnum() and _ENDS_IN_COMMAND.search(left) is not None


def head(node: Node | None) -> str:
    """Return the token of a symbol or command, also under scripts; "" of anything else."""
    match node:
        case Symbol(token):
            return token
        case Command(name):
            return name
        case Script(base):
            return head(base)
        case _:
            return ""


def kind(node: Node | None) -> Kind:
    """Return what a thing is to its neighbours, whatever these are."""
    match node:
        case Command(r"\overset" | r"\underset" | r"\stackrel", (_, base)) if len(base.items) == 1:
            return kind(base.items[0])
        case Symbol() | Command():
            return KINDS.get(head(node), Kind.ORDINARY)
        case Script(base):
            return kind(base)
        case Fence():
            return Kind.FENCE
        case Environment():
            return Kind.APART
        case _:
            return Kind.ORDINARY


def kinds(items: Sequence[Node], opening: str = "") -> list[Kind]:
    """Return what each thing in a row is to its neighbours; an opening delimiter may stand before the row."""
    result = [kind(item) for item in items]
    _match_bars(items, opening, result)
    for place, item in enumerate(items):
        if item == _STROKE and result[place + 1 : place + 2] != [Kind.RELATION]:
            result[place] = Kind.ORDINARY  # as in Feynman's slashed letters
    characters = "".join(item.token[-1] if isinstance(item, Symbol) else " " for item in items)
    for number in _THOUSANDS.finditer(characters):
        result[slice(*number.span())] = [Kind.ORDINARY] * len(number[0])
    following = [*result[1:], None]
    for place, each in enumerate(result):
        has_left = place > 0 and result[place - 1] not in _BEFORE_SIGN
        if each is Kind.BINARY and (not has_left or following[place] in _AFTER_SIGN):
            result[place] = Kind.SIGN
    return result


def _match_bars(items: Sequence[Node], opening: str, result: list[Kind]) -> None:
    r"""Let bars open and close; one that stays open is that of `\{x | x > 0\}`, or of `P(A|B)`."""
    levels: list[tuple[str, list[int]]] = [(opening, [])]  # an opening bracket, and the bars open within
    closed: list[tuple[str, list[int]]] = []
    for place, item in enumerate(items):
        bars = levels[-1][1]
        if result[place] is Kind.OPENING:
            levels.append((head(item), []))
        elif result[place] is Kind.CLOSING:
            closed += [levels.pop()] if len(levels) > 1 else []
        elif head(item) in _BARS:
            after_operand = place > 0 and result[place - 1] not in _BEFORE_SIGN
            if isinstance(item, Script) or (bars and after_operand):
                del bars[-1:]
                result[place] = Kind.CLOSING
            else:
                bars.append(place)
                result[place] = Kind.OPENING
    for bracket, bars in closed + levels:
        if bars and bracket in (r"\{", r"\lbrace"):
            result[bars[0]] = Kind.RELATION


def _stand_apart(left: Piece, right: Piece, wide: bool) -> bool:
    """Whether two things have a space between them that TeX does not need."""
    pair = (left.kind, right.kind)
    if left.kind is Kind.OPENING:
        return _is_word(left) and right.kind is not Kind.CLOSING
    if right.kind is Kind.CLOSING:
        return _is_word(right)
    if right.kind is Kind.PUNCTUATION or pair == (Kind.RELATION, Kind.RELATION):
        return False
    if left.kind is Kind.PUNCTUATION:
        return wide
    if _OPERATORS.intersection(pair):
        return wide or any(each.kind in _OPERATORS and len(each.text) > 1 for each in (left, right))
    if right.kind is Kind.SIGN:
        return left.kind in (Kind.FUNCTION, Kind.BIG)
    if left.kind is Kind.SIGN:
        return _is_word(left)
    if left.kind is Kind.BIG:
        return True
    if left.kind is Kind.FUNCTION:
        return right.kind not in (Kind.OPENING, Kind.FENCE)
    if right.kind in (Kind.BIG, Kind.FUNCTION):
        return not (isinstance(left.node, Symbol) and left.text in "0123456789./")
    if left.kind is Kind.APART and right.text == "." and left.text.endswith("}"):
        return not isinstance(left.node, Command)
    if Kind.APART in pair or left.kind is Kind.FENCE or pair == (Kind.CLOSING, Kind.FENCE):
        return wide
    return isinstance(left.node, Script) and not left.text.endswith("}") and right.text[:1].isalnum()


def _is_word(piece: Piece) -> bool:
    r"""Whether a symbol is spelled in letters, as `\langle` is and `\{` is not."""
    return len(head(piece.node)) > 2


def _at_differential(pieces: Sequence[Piece], place: int) -> bool:
    """Whether the `dx` of an integral begins here after the integrand, or has ended before a factor."""
    before, piece = pieces[place - 1], pieces[place]
    after_factor = before.kind in (Kind.ORDINARY, Kind.CLOSING) and before.text != "/"
    is_factor = piece.kind is Kind.ORDINARY and (piece.text[0] == "\\" or piece.text[0].isalnum())
    return (
        after_factor
        and is_factor
        and (_is_differential(pieces[place:]) or _is_differential(pieces[place - 2 : place]))
    )


def _is_differential(pieces: Sequence[Piece]) -> bool:
    if len(pieces) < 2 or pieces[0].text not in ("d", r"\mathrm{d}"):
        return False
    variable = head(pieces[1].node)
    return variable in LETTERS or (len(variable) == 1 and variable.isalpha())
