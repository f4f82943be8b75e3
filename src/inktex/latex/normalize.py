r"""Raw truth of InkML files -> tokens in the dialect of the official CROHME captions.

The dialect follows the layout on paper. What draws nothing (spaces, `\left`, fonts, sizes, redundant braces,
empty scripts) goes; scripts are written subscript first; `\sum`, `\lim` and `\int` with scripts carry
`\limits` (no caption has an `\int` with its bounds at the side, whatever annotation and MathML say). MathML
stands in for an annotation that is not LaTeX or spells `\sin` in letters.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from inktex.errors import LatexError
from inktex.latex.tree import (
    Command,
    Environment,
    Group,
    Node,
    Row,
    Script,
    Symbol,
    commands,
    parse,
    to_tokens,
    tokenize,
    validate,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

# Tokens that draw nothing.
INVISIBLE: frozenset[str] = frozenset(
    {"$", "~", r"\,", r"\;", r"\:", r"\!", r"\>", r"\/", r"\(", r"\)", r"\[", r"\]"}
).union(
    commands("left right quad qquad big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr nolimits"),
    commands("displaystyle textstyle scriptstyle scriptscriptstyle rm bf it cal"),
)
# Other names of what is drawn.
SYNONYMS: dict[str, tuple[str, ...]] = {
    r"\lbrack": ("[",),
    r"\rbrack": ("]",),
    r"\lbrace": (r"\{",),
    r"\rbrace": (r"\}",),
    r"\vert": ("|",),
    r"\lvert": ("|",),
    r"\rvert": ("|",),
    r"\|": ("|", "|"),
    r"\Vert": ("|", "|"),
    r"\parallel": ("|", "|"),
    r"\lt": ("<",),
    r"\gt": (">",),
    r"\le": (r"\leq",),
    r"\ge": (r"\geq",),
    r"\ne": (r"\neq",),
    r"\to": (r"\rightarrow",),
    r"\dots": (r"\ldots",),
    r"\dotsc": (r"\ldots",),
    r"\dotsb": (r"\cdots",),
    r"\dfrac": (r"\frac",),
    r"\tfrac": (r"\frac",),
}
# Commands that only choose a font or a box: their argument stays.
TRANSPARENT: frozenset[str] = frozenset(
    commands("mbox hbox text textrm mathrm mathit mathbf mathsf mathtt mathnormal operatorname")
    + commands("mathop mathbin mathrel mathord boldsymbol")
)
# Operators whose scripts stand under and over them.
STACKED: frozenset[str] = frozenset(commands("sum lim int"))
# Functions and signs that some annotations spell in letters.
SPELLED: tuple[str, ...] = ("lim", "log", "sin", "cos", "tan", "div")
# Words of other formula languages and plain TeX boxes: such an annotation is not LaTeX mathematics.
FOREIGN = re.compile(r"\b(?:ABOVE|BELOW)\b|\\(?:vtop|halign)\b")
# Symbols that MathML writes as words, with and without a backslash.
MATHML_WORDS: frozenset[str] = frozenset(
    commands("sin cos tan log lim sum int prime infty times div pm cdot cdots ldots rightarrow to in")
    + commands("forall exists le ge ne leq geq neq lt gt Gamma Delta Theta Lambda Pi Sigma Phi Psi Omega")
    + commands("alpha beta gamma delta epsilon theta lambda mu pi rho sigma tau phi psi omega")
)
# Symbols that MathML writes in other words: HTML entities, and "\lim" whose "\l" a tool took for an escape.
MATHML_SYNONYMS: dict[str, str] = {
    "infin": r"\infty",
    "ctdot": r"\cdots",
    "hellip": r"\ldots",
    "rarr": r"\rightarrow",
    "exist": r"\exists",
    "im": r"\lim",
    "{": r"\{",
    "}": r"\}",
}
_SYMBOL_ID = re.compile(r"""\sxml:id\s*=\s*(?:"[^"]*"|'[^']*')""")
_GLUED = re.compile(r"\\(lt|gt)(?!imes|r)([A-Za-z]+)")


def normalize(truth: str, mathml: str | None = None) -> list[str]:
    r"""Bring a raw truth annotation into the dialect of the official captions.

    Args:
        truth: LaTeX as it stands in the InkML, with or without `$`; empty when the InkML has none.
        mathml: the InkML's `<math>` element as XML. It is the label when the annotation is empty, malformed
            or spells in letters what the MathML holds as one symbol.

    Returns:
        The tokens; a label already in the dialect comes back as it is.

    Raises:
        LatexError: if neither the annotation nor the MathML gives a formula.
    """
    math = _math(mathml) if mathml else []
    try:
        return _normalized(_annotation_tokens(truth, math))
    except LatexError:
        if not math:
            raise
        return _normalized(math)


def _normalized(tokens: list[str]) -> list[str]:
    result = to_tokens(_flat(parse(_primes_raised(list(_visible(tokens))))))
    if not result:
        raise LatexError("The label holds no symbol.")
    validate(result)  # scripts of an empty base may have come to stand on a base that has some
    return result


def _annotation_tokens(truth: str, math: list[str]) -> list[str]:
    """Tokens of an annotation that is LaTeX and does not contradict the MathML."""
    if foreign := FOREIGN.search(truth):
        raise LatexError(f"The annotation is not LaTeX: it holds '{foreign[0]}'.")
    tokens = tokenize(truth)
    for name in SPELLED:
        spelled = any(tokens[i : i + len(name)] == list(name) for i in range(len(tokens)))
        if spelled and math.count("\\" + name) > tokens.count("\\" + name):
            raise LatexError(f"The annotation spells '{name}' in letters.")
    return tokens


def _visible(tokens: list[str]) -> Iterator[str]:
    """Synonyms replaced, and what draws nothing left out."""
    before = ""
    for token in tokens:
        glued = _GLUED.fullmatch(token)
        for part in ("\\" + glued[1], *glued[2]) if glued else (token,):
            invisible = part in INVISIBLE or (part == "." and before in (r"\left", r"\right"))
            before = part
            if not invisible:
                yield from SYNONYMS.get(part, (part,))


def _primes_raised(tokens: list[str]) -> list[str]:
    r"""`'` after something as the superscript it is: `f'^2` reads `f ^ { \prime 2 }`; elsewhere `\prime`."""
    result: list[str] = []
    position = 0
    while position < len(tokens):
        count = 0
        while tokens[position + count : position + count + 1] == ["'"]:
            count += 1
        position += count
        if not count:
            result.append(tokens[position])
            position += 1
        elif not result or result[-1] in ("{", "_", "^"):
            result.extend([r"\prime"] * count)
        else:
            result.extend(["^", "{"] + [r"\prime"] * count)
            sign, argument = (*tokens[position : position + 2], "", "")[:2]
            if sign == "^" and argument not in ("", "}"):
                position += 2
                result.extend([] if argument == "{" else [argument, "}"])  # a group brings its closing brace
            else:
                result.append("}")
    return result


def _flat(row: Row) -> Row:
    """A row without groups and fonts, its scripts in the dialect's form."""
    items: list[Node] = []
    for item in row.items:
        items.extend(_flat_item(item))
    return Row(tuple(items))


def _flat_item(node: Node) -> tuple[Node, ...]:
    match node:
        case Group(body):
            return _flat(body).items
        case Command(name, (body,)) if name in TRANSPARENT:
            return _flat(body).items
        case Command(name, arguments, option):
            return (Command(name, tuple(map(_flat, arguments)), None if option is None else _flat(option)),)
        case Script():
            return _flat_script(node)
        case Environment(name, rows, columns):
            return (Environment(name, tuple(tuple(map(_flat, row)) for row in rows), columns),)
        case _:
            return (node,)


def _flat_script(node: Script) -> tuple[Node, ...]:
    """The base, with the scripts on the last thing in it; empty scripts draw nothing."""
    before = () if node.base is None else _flat_item(node.base)
    sub, sup = _drawn(node.sub), _drawn(node.sup)
    if sub is None and sup is None:
        return before
    base = before[-1] if before else None
    if isinstance(base, Script):
        merged = _merged(base, sub, sup)
    else:
        limits = node.limits or (isinstance(base, Symbol) and base.token in STACKED)
        merged = Script(base, sub, sup, limits)
    return (*before[:-1], merged)


def _merged(inner: Script, sub: Row | None, sup: Row | None) -> Script:
    """`{ x _ 1 } ^ 2` and `{ y ' } ^ 2` as one base with its scripts; else the braces stay."""
    if sup and inner.sup and _is_prime(inner.sup):
        sup = Row(inner.sup.items + sup.items)
        inner = Script(inner.base, inner.sub, None, inner.limits)
    if (sub and inner.sub) or (sup and inner.sup):
        return Script(Group(Row((inner,))), sub, sup)
    return Script(inner.base, sub or inner.sub, sup or inner.sup, inner.limits)


def _drawn(row: Row | None) -> Row | None:
    flat = None if row is None else _flat(row)
    return flat if flat and flat.items else None


def _is_prime(row: Row) -> bool:
    return all(item == Symbol(r"\prime") for item in row.items)


def _math(mathml: str) -> list[str]:
    """MathML as LaTeX tokens; none if it cannot be read."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        # CROHME's symbol ids are no legal XML names.
        root = etree.fromstring(_SYMBOL_ID.sub("", mathml).encode(), parser)
        return list(_mathml_tokens(root))
    except (etree.XMLSyntaxError, LatexError):
        return []


def _mathml_tokens(element: "_Element") -> Iterator[str]:
    """MathML as LaTeX tokens, as far as CROHME uses it."""
    if not isinstance(element.tag, str):
        return
    name = element.tag.rpartition("}")[2]
    parts = [["{", *_mathml_tokens(child), "}"] for child in element if isinstance(child.tag, str)]
    match name, parts:
        case (("mi" | "mo" | "mn" | "mtext"), []):
            yield from _mathml_leaf((element.text or "").strip())
        case (("math" | "mrow" | "mstyle"), _):
            for part in parts:
                yield from part[1:-1]
        case "msqrt", _:
            yield from (r"\sqrt", "{", *(token for part in parts for token in part[1:-1]), "}")
        case "mroot", [radicand, index]:
            yield from (r"\sqrt", "[", *index[1:-1], "]", *radicand)
        case "mfrac", [above, below]:
            yield from (r"\frac", *above, *below)
        case (("msub" | "munder"), [base, sub]):
            yield from (*base, "_", *sub)
        case (("msup" | "mover"), [base, sup]):
            yield from (*base, "^", *sup)
        case (("msubsup" | "munderover"), [base, sub, sup]):
            yield from (*base, "_", *sub, "^", *sup)
        case (("msub" | "msup"), [base]):
            yield from base
        case _:
            raise LatexError(f"The MathML element '{name}' with {len(parts)} parts cannot be read.")


def _mathml_leaf(text: str) -> list[str]:
    if text in MATHML_SYNONYMS:
        return [MATHML_SYNONYMS[text]]
    return ["\\" + text] if "\\" + text in MATHML_WORDS else tokenize(text)
