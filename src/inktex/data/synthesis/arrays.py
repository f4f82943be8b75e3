r"""Matrices, cases, binomials and derivations of several lines, and the fences that grow with them.

Distances are in sizes of the row, drawn from the ranges that stand here; they were set by eye beside real
handwriting.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inktex.data.synthesis.blocks import Block, merged, union
from inktex.data.synthesis.hand import Hand
from inktex.latex.spacing import KINDS, Kind
from inktex.latex.spans import Part
from inktex.latex.tree import Environment, Symbol

_OPENING = {"(": ")", "[": "]", r"\{": r"\}", r"\langle": r"\rangle", r"\lfloor": r"\rfloor",
            r"\lceil": r"\rceil"}  # fmt: skip
_BARS = frozenset({"|", r"\|"})
_GROWS = 0.8  # how often fences become as high as what stands between them


def fences_grown(
    items: Sequence[Part], starts: Sequence[int], blocks: Sequence[Block], rng: np.random.Generator
) -> list[Block]:
    """Return a row's blocks with fences stretched to the height of what they hold.

    Args:
        items: of the row.
        starts: number of the first item of each block; only fences that are blocks of their own grow.
        blocks: the row, laid out.
        rng: decides whether a fence grows, and how far.
    """
    result = list(blocks)
    alone = {
        start: number
        for number, start in enumerate(starts)
        if isinstance(items[start].node, Symbol) and _ends(starts, number, items) == start + 1
    }
    waiting: list[tuple[str, int]] = []
    for start, number in alone.items():
        node = items[start].node
        token = node.token if isinstance(node, Symbol) else ""
        if waiting and token == waiting[-1][0]:
            opening = waiting.pop()[1]
            _grow(items, starts, result, (opening, number), rng)
        elif token in _OPENING or token in _BARS:
            waiting.append((_OPENING.get(token, token), number))
    for token, number in waiting:  # a brace before several cases
        after = number + 1
        if token == r"\}" and after < len(blocks) and isinstance(items[starts[after]].node, Environment):
            result[number] = _as_high(result[number], [result[after]], rng)
    return result


def binomial(hand: Hand, part: Part) -> Block:
    """Write two rows, one above the other, in round brackets."""
    rows = [[hand.row(part.children[role])] for role in ("first", "second")]
    body = _grid(hand, rows, centred=True)
    opening, closing = (_as_high(hand.mark(sign, part.start), [body], hand.rng) for sign in "()")
    gaps = hand.rng.uniform(0.05, 0.35, size=2)
    brackets = [
        opening.moved(1.0, body.box[0] - gaps[0] - opening.box[2]),
        closing.moved(1.0, body.box[2] + gaps[1] - closing.box[0]),
    ]
    return union([body, merged(brackets, part.start)])


def matrix(hand: Hand, part: Part) -> Block:
    """Write rows of cells."""
    assert isinstance(part.node, Environment)
    cells = iter(part.items)
    rows = [[_cell(hand, next(cells)) for _ in row] for row in part.node.rows]
    single = all(len(row) == 1 for row in rows)
    return _grid(hand, rows, centred=not single or hand.rng.random() < 0.3)


def lines(hand: Hand, part: Part) -> Block:
    """Write the lines of a derivation one below the other, most of them aligned at their first relation."""
    rows = []
    at_relation = hand.rng.random() < 0.6
    for line in part.items:
        block = hand.row(line)
        edge = block.box[0]
        if at_relation:
            edge = next((_edge(block, item) for item in line.items if _is_relation(item)), edge)
        rows.append([block.moved(1.0, -edge + hand.rng.normal(0, 0.15))])
    left = min(row[0].box[0] for row in rows)
    tops, at = [], 0.0
    for (block,) in rows:
        at -= block.box[1]
        tops.append(at)
        at += block.box[3] + hand.rng.uniform(0.35, 1.1)
    placed = [block.moved(1.0, -left, top) for (block,), top in zip(rows, tops, strict=True)]
    return _about_middle(union(placed))


def _ends(starts: Sequence[int], number: int, items: Sequence[Part]) -> int:
    return starts[number + 1] if number + 1 < len(starts) else len(items)


def _grow(
    items: Sequence[Part],
    starts: Sequence[int],
    blocks: list[Block],
    pair: tuple[int, int],
    rng: np.random.Generator,
) -> None:
    opening, closing = pair
    inside = blocks[opening + 1 : closing]
    if not inside:
        return
    array = any(isinstance(items[start].node, Environment) for start in starts[opening + 1 : closing])
    height = union(inside).height
    if array or (height > 1.3 * blocks[opening].height and rng.random() < _GROWS):
        for number in pair:
            blocks[number] = _as_high(blocks[number], inside, rng)


def _as_high(fence: Block, inside: Sequence[Block], rng: np.random.Generator) -> Block:
    """Return a fence stretched in height alone, within a twentieth or so of what it holds."""
    _, top, _, bottom = union(inside).box
    margin = (bottom - top) * rng.uniform(-0.03, 0.12, size=2)
    width = fence.width * rng.uniform(1.0, 1.3)
    left = fence.box[0]
    return fence.fitted((left, top - margin[0], left + width, bottom + margin[1]))


def _cell(hand: Hand, part: Part) -> Block:
    """Write a cell; one that is empty takes the room of a letter."""
    return hand.row(part) if part.items else Block({}, (0.0, -0.3, 0.6, 0.3))


def _grid(hand: Hand, rows: Sequence[Sequence[Block]], centred: bool) -> Block:
    """Lay cells out in rows and columns, as evenly as people do."""
    rng = hand.rng
    columns = max(len(row) for row in rows)
    widths = [max((row[k].width for row in rows if k < len(row)), default=0.3) for k in range(columns)]
    gap, between = rng.uniform(0.5, 1.5), rng.uniform(0.3, 0.9)
    lefts = np.cumsum([0.0, *(width + gap for width in widths)])
    placed: list[Block] = []
    at = 0.0
    for row in rows:
        at -= min(cell.box[1] for cell in row)
        for k, cell in enumerate(row):
            room = (widths[k] - cell.width) * (0.5 if centred else 0.0)
            across = lefts[k] + room - cell.box[0] + rng.normal(0, 0.1)
            placed.append(cell.moved(1.0, across, at + rng.normal(0, 0.06)))
        at += max(cell.box[3] for cell in row) + between * rng.uniform(0.8, 1.2)
    return _about_middle(union(placed))


def _about_middle(block: Block) -> Block:
    """Return a block whose middle stands on the row's middle line."""
    return block.moved(1.0, 0.0, -(block.box[1] + block.box[3]) / 2)


def _edge(block: Block, item: Part) -> float:
    return min(float(stroke[:, 0].min()) for stroke in block.strokes[item.start])


def _is_relation(item: Part) -> bool:
    return isinstance(item.node, Symbol) and KINDS.get(item.node.token) is Kind.RELATION
