"""Elements of Office Math (ECMA-376, part 1, 22.1) as text; children stand in the order of its schema."""

from __future__ import annotations

from collections.abc import Sequence

from inktex.mathml.elements import text

NAMESPACE = "http://schemas.openxmlformats.org/officeDocument/2006/math"
_PLAIN_RUN = "<m:r><m:t>"
_PLAIN_END = "</m:t></m:r>"


def math(content: str) -> str:
    """Return the whole formula."""
    return f'<m:oMath xmlns:m="{NAMESPACE}">{content}</m:oMath>'


def element(tag: str, *children: str) -> str:
    """Return an element with its children."""
    return f"<m:{tag}>{''.join(children)}</m:{tag}>"


def value(tag: str, setting: str) -> str:
    """Return a property."""
    return f'<m:{tag} m:val="{text(setting)}"/>'


def run(words: str, properties: str = "") -> str:
    """Return characters of one look; the properties are elements."""
    space = ' xml:space="preserve"' if words != words.strip() or not words else ""
    look = element("rPr", properties) if properties else ""
    return f"<m:r>{look}<m:t{space}>{text(words)}{_PLAIN_END}"


def joined(pieces: Sequence[str]) -> str:
    """Return things one after the other, plain characters in one run."""
    return "".join(pieces).replace(_PLAIN_END + _PLAIN_RUN, "")


def fraction(above: str, below: str, line: bool = True) -> str:
    """Return a fraction, or one thing over another without a line."""
    bare = "" if line else element("fPr", value("type", "noBar"))
    return element("f", bare, element("num", above), element("den", below))


def radical(body: str, degree: str | None) -> str:
    """Return a root."""
    hidden = "" if degree is not None else element("radPr", value("degHide", "1"))
    return element("rad", hidden, element("deg", degree or ""), element("e", body))


def scripts(base: str, sub: str | None, sup: str | None) -> str:
    """Return a base with scripts at its side, one at least."""
    tag = "s" + "Sub" * (sub is not None) + "Sup" * (sup is not None)
    parts = [element(name, part) for name, part in (("sub", sub), ("sup", sup)) if part is not None]
    return element(tag, element("e", base), *parts)


def before(sub: str | None, sup: str | None, body: str) -> str:
    """Return scripts before what they belong to."""
    nothing = run("\u200b")
    return element("sPre", element("sub", sub or nothing), element("sup", sup or nothing), element("e", body))


def stacked(base: str, below: str | None, above: str | None) -> str:
    """Return a base with something under or over it, or both."""
    if below is not None:
        base = element("limLow", element("e", base), element("lim", below))
    return base if above is None else element("limUpp", element("e", base), element("lim", above))


def large(sign: str, sub: str | None, sup: str | None, body: str, at_side: bool) -> str:
    """Return a large operator with its bounds and what it applies to."""
    properties = [value("chr", sign), value("limLoc", "subSup" if at_side else "undOvr")]
    properties += [value(f"{tag}Hide", "1") for tag, bound in (("sub", sub), ("sup", sup)) if bound is None]
    bounds = (element("sub", sub or ""), element("sup", sup or ""))
    return element("nary", element("naryPr", *properties), *bounds, element("e", body))


def function(name: str, argument: str) -> str:
    """Return a function and its argument."""
    return element("func", element("fName", name), element("e", argument))


def delimited(left: str, body: str, right: str) -> str:
    """Return delimiters that grow; "" is none."""
    return element("d", element("dPr", value("begChr", left), value("endChr", right)), element("e", body))


def accented(sign: str, body: str) -> str:
    """Return something under an accent, a combining character."""
    return element("acc", element("accPr", value("chr", sign)), element("e", body))


def ruled(body: str, position: str) -> str:
    """Return something with a line at its "top" or "bot"."""
    return element("bar", element("barPr", value("pos", position)), element("e", body))


def grouped(sign: str, body: str, position: str, aligned: str) -> str:
    """Return something with a character along its "top" or "bot"; ``aligned`` is the side on the baseline."""
    properties = (value("chr", sign), value("pos", position), value("vertJc", aligned))
    return element("groupChr", element("groupChrPr", *properties), element("e", body))


def boxed(body: str) -> str:
    """Return something in a box."""
    return element("borderBox", element("e", body))


def struck(body: str) -> str:
    """Return something with a line through it."""
    sides = [value(f"hide{side}", "1") for side in ("Top", "Bot", "Left", "Right")]
    return element("borderBox", element("borderBoxPr", *sides, value("strikeBLTR", "1")), element("e", body))


def matrix(rows: Sequence[Sequence[str]], alignment: str = "center") -> str:
    """Return a table of cells, as many columns as the longest row has; alignment is "center" or "left"."""
    width = max(len(cells) for cells in rows)
    column = element("mc", element("mcPr", value("count", str(width)), value("mcJc", alignment)))
    full = [[*cells, *[""] * (width - len(cells))] for cells in rows]
    lines = [element("mr", *(element("e", cell) for cell in cells)) for cells in full]
    return element("m", element("mPr", element("mcs", column)), *lines)


def equations(lines: Sequence[str]) -> str:
    """Return lines under one another; an ampersand in a run aligns them."""
    return element("eqArr", *(element("e", line) for line in lines))
