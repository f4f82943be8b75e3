"""Elements of MathML as text, and what each command makes of its arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby

from inktex.mathml.symbols import ACCENTS, ANGLES, LABELLED_ARROWS, OPERATORS, STACKING

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

DISPLAY_STYLE = ' displaystyle="true" scriptlevel="0"'
TEXT_STYLE = ' displaystyle="false" scriptlevel="0"'
_FRACTION_STYLES = {"d": DISPLAY_STYLE, "c": DISPLAY_STYLE, "t": TEXT_STYLE}
_ENCLOSURES = {r"\boxed": "box", r"\cancel": "updiagonalstrike", r"\textcircled": "circle"}
_STRUT_EM = 0.3  # what a labelled arrow extends beyond its label on either side
_EMPTY_LABEL_EM = 1.0
# No character for a line above grows in the common fonts: browsers draw a border, others read the character.
_RULED = ' style="border-top:0.06em solid;padding-top:0.1em"'
_BRACES = {r"\overbrace": "⏞", r"\underbrace": "⏟"}


def math(content: str, display: bool) -> str:
    """Return the whole formula, on a line of its own or within text."""
    return f'<math xmlns="{_NAMESPACE}" display="{"block" if display else "inline"}">{content}</math>'


def printable(string: str) -> str:
    """Return the string with characters that may not stand in XML replaced."""
    return _NO_XML.sub("\ufffd", string)


def text(string: str) -> str:
    """Return the string as it stands in XML and HTML, in content and in attributes."""
    return escape(printable(string))


def element(tag: str, content: str, attributes: str = "", differs: bool = False) -> str:
    """Return an element; attributes begin with a space, the content is XML."""
    mark = ' class="differs"' if differs else ""
    return f"<{tag}{mark}{attributes}>{content}</{tag}>"


def framed(content: str, differs: bool) -> str:
    """Return the element within a marked one if it differs."""
    return element("mrow", content, differs=True) if differs else content


def row(elements: Sequence[str]) -> str:
    """Return elements as one."""
    return elements[0] if len(elements) == 1 else element("mrow", "".join(elements))


def space(width_em: float) -> str:
    """Return white space."""
    return f'<mspace width="{width_em:g}em"/>'


def joined(tag: str, chars: Sequence[tuple[str, bool]], attributes: str = "") -> str:
    """Return characters, each with whether it is marked, as one word, cut only where marks begin and end."""
    pieces = []
    for differs, group in groupby(chars, key=lambda pair: pair[1]):
        word = "".join(char for char, _ in group)
        upright = ' mathvariant="normal"' if tag == "mi" and len(word) == 1 else ""
        pieces.append(element(tag, text(word), attributes + upright, differs))
    return row(pieces)


def delimiter(token: str, attributes: str, differs: bool) -> str:
    r"""Return a delimiter as it stands after `\left`; nothing for "."."""
    if token == ".":
        return ""
    return element("mo", text(ANGLES.get(token) or OPERATORS[token][0]), attributes, differs)


def circled(word: str) -> str:
    """Return the one character that Unicode has for a number or letter in a circle, or nothing."""
    if word.isascii() and word.isdigit() and int(word) <= 20:
        return chr(0x245F + int(word)) if int(word) else "⓪"
    if len(word) == 1 and word.isascii() and word.isalpha():
        return chr((0x24B6 - ord("A") if word.isupper() else 0x24D0 - ord("a")) + ord(word))
    return ""


def compose(name: str, arguments: Sequence[str], option: str | None, differs: bool) -> str:
    """Return what a command draws of its arguments.

    Args:
        name: a command of :data:`inktex.latex.tree.ARITY`.
        arguments: one element each.
        option: the element of the optional argument, or None.
        differs: whether the command itself is marked.
    """
    first, second = arguments[0], arguments[-1]
    if name.endswith(("frac", "binom")):
        return _fraction(name, first, second, differs)
    if name == r"\sqrt":
        return element(*(("msqrt", first) if option is None else ("mroot", first + option)), differs=differs)
    if name in ACCENTS:
        accent, grows = ACCENTS[name]
        stretchy = f' stretchy="{str(grows).lower()}"'
        return element("mover", first + element("mo", accent, stretchy, differs), ' accent="true"')
    if name in LABELLED_ARROWS:
        return _labelled_arrow(LABELLED_ARROWS[name], first, option, differs)
    if name in _BRACES:
        brace = element("mo", _BRACES[name], ' stretchy="true"', differs)
        return element("mover" if name == r"\overbrace" else "munder", first + brace)
    if name == r"\overline":
        line = element("mo", "¯", ' stretchy="true" style="color:transparent"', differs)
        return element("mover", element("mrow", first, _RULED) + line, ' accent="true"')
    if name == r"\underline":
        return element(
            "munder", first + element("mo", "\u0332", ' stretchy="true"', differs), ' accentunder="true"'
        )
    if name in _ENCLOSURES:
        return element("menclose", first, f' notation="{_ENCLOSURES[name]}"', differs)
    return framed(_wrapped(name, first, second), differs)


def _wrapped(name: str, first: str, second: str) -> str:
    """Return what a command that draws nothing of its own makes of its arguments."""
    match name:
        case r"\overset" | r"\stackrel":
            return element("mover", _fixed(second) + first)
        case r"\underset":
            return element("munder", _fixed(second) + first)
        case r"\phantom":
            return element("mphantom", first)
        case r"\hphantom":
            return element("mpadded", element("mphantom", first), ' height="0" depth="0"')
        case r"\vphantom":
            return element("mpadded", element("mphantom", first), ' width="0"')
        case r"\pmod":
            opening = element("mo", "(", ' stretchy="false"') + element("mi", "mod") + space(0.3333)
            return row([space(1), opening, first, element("mo", ")", ' stretchy="false"')])
        case r"\mathbin" if not first.startswith("<mo>"):
            return row([space(0.2222), first, space(0.2222)])
        case r"\mathrel" if not first.startswith("<mo>"):
            return row([space(0.2778), first, space(0.2778)])
        case _:
            return first


def _fraction(name: str, first: str, second: str, differs: bool) -> str:
    if name.endswith("frac"):
        fraction = element("mfrac", first + second, differs=differs)
    else:
        opening = element("mo", "(", ' form="prefix" stretchy="true"', differs)
        closing = element("mo", ")", ' form="postfix" stretchy="true"', differs)
        fraction = row([opening, element("mfrac", first + second, ' linethickness="0"'), closing])
    style = _FRACTION_STYLES.get(name[1])
    return element("mstyle", fraction, style) if style and name not in (r"\binom", r"\frac") else fraction


def _labelled_arrow(arrow: str, label: str, below: str | None, differs: bool) -> str:
    def padded(content: str) -> str:
        return row([space(_STRUT_EM), content, space(_STRUT_EM)])

    if label == "<mrow></mrow>":
        label = space(_EMPTY_LABEL_EM)
    sign = element("mo", arrow, ' stretchy="true"', differs)
    if below is None:
        return element("mover", sign + padded(label))
    return element("munderover", sign + padded(below) + padded(label))


def _fixed(base: str) -> str:
    """Keep what is set over or under an operator such as a sum there, within text too."""
    movable = base.startswith("<mo") and base.removesuffix("</mo>")[-1:] in STACKING.values()
    return base.replace("<mo", '<mo movablelimits="false"', 1) if movable else base
