r"""Constructs that no measured expression has: accents, braces, circles, labelled arrows, words.

Each is a function of a hand and the part of the label to write. Distances are in sizes of the row, drawn from
the ranges that stand here; they were set by eye beside real handwriting.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inktex.data.synthesis.arrays import binomial, lines, matrix
from inktex.data.synthesis.blocks import Block, merged, union
from inktex.data.synthesis.hand import Hand
from inktex.latex.spans import Part
from inktex.latex.tree import Symbol, commands

# Symbols that are written like others, in the order in which those are asked for.
LOOKALIKES: dict[str, tuple[str, ...]] = {
    r"\bar": ("-",),
    r"\overline": ("-",),
    r"\underline": ("-",),
    r"\vec": (r"\rightarrow", r"\rightharpoonup"),
    r"\overrightarrow": (r"\rightarrow",),
    r"\xrightarrow": (r"\rightarrow",),
    r"\xlongequal": ("=",),
    r"\dot": (".",),
    r"\check": (r"\vee", "v"),
    r"\widehat": (r"\hat", r"\wedge"),
    r"\widetilde": (r"\tilde", r"\sim"),
    r"\textcircled": (r"\bigcirc", r"\circ"),
    r"\boxed": (r"\square",),
    r"\overbrace": (r"\{",),
    r"\underbrace": (r"\{",),
    r"\parallel": (r"\|",),
    r"\|": (r"\parallel",),
    r"\prod": (r"\Pi",),
    r"\Pi": (r"\prod",),
    r"\sim": (r"\tilde",),
}
# What has its scripts in the middle above and below it.
STACKS = frozenset(commands("underbrace overbrace underline overline xrightarrow overset underset"))
_LETTER_WIDE = frozenset(commands("bar vec"))


def struck(symbol: Block, slash: Block, rng: np.random.Generator) -> Block:
    """Return a symbol with a slash through its middle."""
    x0, y0, x1, y1 = symbol.box
    middle, height = (x0 + x1) / 2, max(y1 - y0, 0.4) * rng.uniform(1.1, 1.5)
    width = max(0.15, min(0.5 * height, 0.6 * (x1 - x0)))
    centre = (y0 + y1) / 2
    box = (middle - width / 2, centre - height / 2, middle + width / 2, centre + height / 2)
    return union([symbol, slash.fitted(box)])


def _accent(hand: Hand, part: Part) -> Block:
    """Write a letter or a group with an accent above it, or a line below."""
    name = part.node.name  # type: ignore[union-attr]
    body = hand.row(part.children["first"])
    mark = hand.mark(r"\dot" if name == r"\ddot" else name, part.start)
    rng = hand.rng
    if name == r"\ddot":
        second = hand.mark(r"\dot", part.start)
        mark = merged(
            [mark, second.moved(1.0, mark.box[2] + rng.uniform(0.12, 0.3) - second.box[0])], part.start
        )
    x0, top, x1, bottom = body.box
    width = x1 - x0
    wide = name in _LETTER_WIDE or name in _WIDE
    if name not in (r"\dot", r"\ddot"):
        if wide:
            extent = max(width * rng.uniform(0.85, 1.15), 0.35)
        else:
            extent = min(max(mark.width, 0.3), 0.8, max(1.2 * width, 0.35))
        height = min(mark.height * (1 if wide else extent / max(mark.width, 0.05)), 0.5)
        mark = mark.fitted((0.0, 0.0, extent, max(height, 0.01)))
    across = (x0 + x1 - mark.box[0] - mark.box[2]) / 2 + rng.normal(0, 0.06)
    gap = rng.uniform(0.06, 0.3)
    down = bottom + gap - mark.box[1] if name == r"\underline" else top - gap - mark.box[3]
    return union([body, mark.moved(1.0, across, down)])


def _brace(hand: Hand, part: Part) -> Block:
    """Write a group with a brace lying above or below it."""
    above = part.node.name == r"\overbrace"  # type: ignore[union-attr]
    body = hand.row(part.children["first"])
    turn = np.array([[0, 1], [-1, 0]] if above else [[0, -1], [1, 0]], dtype=np.float32)
    lying = hand.mark(r"\{", part.start).mapped(lambda points: points @ turn)
    x0, top, x1, bottom = body.box
    gap, height = hand.rng.uniform(0.08, 0.3), hand.rng.uniform(0.25, 0.5)
    edge = top - gap - height if above else bottom + gap
    return union([body, lying.fitted((x0 - 0.1, edge, x1 + 0.1, edge + height))])


def _over(hand: Hand, part: Part) -> Block:
    """Write something small above or below something else."""
    above = part.node.name == r"\overset"  # type: ignore[union-attr]
    base = hand.row(part.children["second"])
    small = hand.row(part.children["first"]).moved(hand.rng.uniform(0.5, 0.75))
    gap = hand.rng.uniform(0.08, 0.25)
    across = (base.box[0] + base.box[2] - small.box[0] - small.box[2]) / 2
    down = base.box[1] - gap - small.box[3] if above else base.box[3] + gap - small.box[1]
    return union([base, small.moved(1.0, across, down)])


def _labelled(hand: Hand, part: Part) -> Block:
    """Write an arrow or a long equals sign with something small above it, and perhaps below."""
    name = part.node.name  # type: ignore[union-attr]
    mark, rng = hand.mark(name, part.start), hand.rng
    labels = [
        (role, hand.row(part.children[role]).moved(rng.uniform(0.55, 0.8)))
        for role in ("first", "option")
        if role in part.children and part.children[role].items
    ]
    width = max([0.8, *(label.width for _, label in labels)]) + rng.uniform(0.3, 0.9)
    height = min(mark.height, 0.6)
    centre = (mark.box[1] + mark.box[3]) / 2
    arrow = mark.fitted((0.0, centre - height / 2, width, centre + height / 2))
    blocks = [arrow]
    for role, label in labels:
        across = (width - label.box[0] - label.box[2]) / 2
        gap = rng.uniform(0.05, 0.25)
        down = arrow.box[1] - gap - label.box[3] if role == "first" else arrow.box[3] + gap - label.box[1]
        blocks.append(label.moved(1.0, across, down))
    return union(blocks)


def _enclosed(hand: Hand, part: Part) -> Block:
    """Write a group with a circle or a box round it."""
    name = part.node.name  # type: ignore[union-attr]
    body = hand.row(part.children["first"]).moved(0.8 if name == r"\textcircled" else 1.0)
    x0, y0, x1, y1 = body.box
    margin = hand.rng.uniform(0.1, 0.3, size=4) * (0.6 if name == r"\textcircled" else 1.2)
    box = [x0 - margin[0], y0 - margin[1], x1 + margin[2], y1 + margin[3]]
    if name == r"\textcircled":
        side = max(box[2] - box[0], box[3] - box[1])
        for axis in (0, 1):
            middle = (box[axis] + box[axis + 2]) / 2
            half = side * hand.rng.uniform(0.48, 0.56)
            box[axis], box[axis + 2] = middle - half, middle + half
    return union([body, hand.mark(name, part.start).fitted((box[0], box[1], box[2], box[3]))])


def _text(hand: Hand, part: Part) -> Block:
    """Write words; they stand a little apart from what is beside them."""
    letters = []
    for item in part.children["first"].items:
        if not isinstance(item.node, Symbol):
            return hand.row(part.children["first"])
        letters.append((item.node.token, item.start))
    block = hand.word(letters)
    left, top, right, bottom = block.box
    apart = hand.rng.uniform(0.0, 0.5, size=2)
    return Block(block.strokes, (left - apart[0], top, right + apart[1], bottom))


_WIDE = frozenset(commands("overline underline overrightarrow widehat widetilde"))
STRUCTURES: dict[str, Callable[[Hand, Part], Block]] = {
    **dict.fromkeys(commands("hat bar vec dot ddot tilde check"), _accent),
    **dict.fromkeys(sorted(_WIDE), _accent),
    **dict.fromkeys(commands("overbrace underbrace"), _brace),
    **dict.fromkeys(commands("overset underset"), _over),
    **dict.fromkeys(commands("xrightarrow xlongequal"), _labelled),
    **dict.fromkeys(commands("textcircled boxed"), _enclosed),
    r"\binom": binomial,
    r"\text": _text,
    "matrix": matrix,
    "aligned": lines,
}
# What can be written although nobody wrote it: constructs, names of functions, signs put together.
CONSTRUCTS: frozenset[str] = frozenset(
    {name for name in STRUCTURES if name.startswith("\\")}
    | {rf"\{end}{{{name}}}" for name in STRUCTURES if not name.startswith("\\") for end in ("begin", "end")}
    | set(LOOKALIKES)
    | set(
        commands("limits not mathbb mathcal max min sup inf ln lg exp cot sec csc arcsin arccos arctan sinh")
    )
    | set(commands("cosh tanh coth limsup liminf det dim ker deg gcd arg mod Pr hom sin cos tan log lim"))
    | {"{", "}", "^", "_", "&", r"\\", "[", "]", "~"}
)
