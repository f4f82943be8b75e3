"""The truth of CROHME's inks as tokens: the annotation, or the MathML where that is not LaTeX."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from inktex.errors import LatexError
from inktex.latex.characters import spelled_out
from inktex.latex.tree import commands, tokenize
from inktex.latex.words import cut

if TYPE_CHECKING:
    from lxml.etree import _Element

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


def annotation_tokens(truth: str, math: list[str]) -> list[str]:
    """Tokens of an annotation that is LaTeX and does not contradict the MathML."""
    if foreign := FOREIGN.search(truth):
        raise LatexError(f"The annotation is not LaTeX: it holds '{foreign[0]}'.")
    tokens = cut(spelled_out(truth))
    for name in SPELLED if math else ():
        spelled = any(tokens[i : i + len(name)] == list(name) for i in range(len(tokens)))
        if spelled and math.count("\\" + name) > tokens.count("\\" + name):
            raise LatexError(f"The annotation spells '{name}' in letters.")
    return tokens


def mathml_tokens(mathml: str) -> list[str]:
    """MathML as LaTeX tokens; none if it cannot be read."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        # CROHME's symbol ids are no legal XML names.
        root = etree.fromstring(_SYMBOL_ID.sub("", mathml).encode(), parser)
        return list(_element_tokens(root))
    except (etree.XMLSyntaxError, LatexError):
        return []


def _element_tokens(element: "_Element") -> Iterator[str]:
    """MathML as LaTeX tokens, as far as CROHME uses it."""
    if not isinstance(element.tag, str):
        return
    name = element.tag.rpartition("}")[2]
    parts = [["{", *_element_tokens(child), "}"] for child in element if isinstance(child.tag, str)]
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
