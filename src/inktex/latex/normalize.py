r"""LaTeX -> tokens in one dialect, where what looks alike on paper has one spelling.

The dialect continues that of the official CROHME captions (docs/dialect.md). What draws nothing (spaces,
`\left`, fonts, sizes, redundant braces, empty scripts) goes; scripts are written subscript first; `\sum`,
`\lim`, `\int` and their like with scripts carry `\limits`, whatever was typed. For an ink, MathML stands in
for an annotation that is not LaTeX or spells `\sin` in letters.
"""

import re
from collections.abc import Iterator, Sequence

from inktex.errors import LatexError
from inktex.latex.annotations import annotation_tokens, mathml_tokens
from inktex.latex.foreign import plain
from inktex.latex.primes import primes_raised
from inktex.latex.rewriting import rewritten
from inktex.latex.spellings import INVISIBLE, SYNONYMS
from inktex.latex.tree import parse, to_tokens, validate
from inktex.latex.words import with_texts

_GLUED = re.compile(r"\\(lt|gt)(?!imes|r)([A-Za-z]+)")
_DEGREES = frozenset({"°", r"\degree", r"\textdegree"})
_DELIMITED = frozenset({r"\left", r"\right"})
# After these a root has nothing under it: the sign is a tick.
_NO_ARGUMENT = frozenset({"}", "^", "_", "&", r"\\", "=", ",", ")"})
# CROHME's captions write double bars as two bars.
_CAPTIONS: dict[str, tuple[str, ...]] = dict.fromkeys((r"\|", r"\Vert", r"\parallel"), ("|", "|"))


def normalize(truth: str, mathml: str | None = None) -> list[str]:
    r"""Bring LaTeX into the dialect.

    Args:
        truth: LaTeX as someone typed it or as it stands in an InkML, with or without `$`; may be empty when
            there is MathML.
        mathml: the `<math>` element of an InkML of CROHME as XML. It is the label when the annotation is
            empty, malformed or spells in letters what the MathML holds as one symbol. Labels of inks that
            have one are those of the official captions, which have no `\text` and no `\|`.

    Returns:
        The tokens; a label already in the dialect comes back as it is. Commands that the dialect lacks stay.

    Raises:
        LatexError: if neither the annotation nor the MathML gives a formula.
    """
    math = mathml_tokens(mathml) if mathml else []
    as_caption = bool(mathml)
    try:
        return _normalized(annotation_tokens(truth, math), as_caption)
    except LatexError:
        if not math:
            raise
        return _normalized(math, as_caption)


def _normalized(tokens: Sequence[str], as_caption: bool) -> list[str]:
    if as_caption:
        tokens = [part for token in tokens for part in _CAPTIONS.get(token, (token,))]
    tokens = with_texts(tokens, words=not as_caption)
    tokens = primes_raised(list(_visible(plain(tokens, words=not as_caption))))
    result = to_tokens(rewritten(parse(tokens)))
    if not result:
        raise LatexError("The label holds no symbol.")
    validate(result)  # scripts of an empty base may have come to stand on a base that has some
    return result


def _visible(tokens: Sequence[str]) -> Iterator[str]:
    """Synonyms replaced, and what draws nothing left out; texts as they are."""
    before = ""
    text = False
    for place, token in enumerate(tokens):
        text = token == r"\text" or (text and before != "}")
        glued = _GLUED.fullmatch(token) if token[:2] == "\\l" or token[:2] == "\\g" else None
        for part in ("\\" + glued[1], *glued[2]) if glued else (token,):
            if text:
                yield part
            elif part not in INVISIBLE and not (part == "." and before in _DELIMITED):
                bare = part == "√" and (place + 1 == len(tokens) or tokens[place + 1] in _NO_ARGUMENT)
                yield from _drawn_as(r"\checkmark" if bare else part, before)
            before = part


def _drawn_as(token: str, before: str) -> tuple[str, ...]:
    if before in _DELIMITED and token in ("<", ">"):
        return (r"\langle" if token == "<" else r"\rangle",)
    if token in _DEGREES:
        return (r"\circ",) if before == "^" else ("^", "{", r"\circ", "}")
    return SYNONYMS.get(token, (token,))
