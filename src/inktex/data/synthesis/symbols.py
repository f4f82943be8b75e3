r"""Single symbols of any source in one form: size and height as in a row, and who wrote them.

A symbol of the library is a sample whose ink is given in hundredths of its row's size (the diagonal of an x),
with y = 0 on the row's middle line, downwards (:mod:`inktex.data.synthesis.frames`). Sizes within a writer's
own unit are kept where the source has them (UNIPEN), drawn towards what is usual for the symbol. Where a
source has lost them (Detexify and Omniglot fit every drawing to a box) and for heights, what is usual
decides: the median over expressions, or, for symbols that none has, the box of the sign in TeX's fonts.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inktex.data.dataset import Sample
from inktex.data.formats.symbols import Drawing
from inktex.data.synthesis.expressions import Written
from inktex.data.synthesis.frames import find_frames
from inktex.errors import DataError, LatexError
from inktex.ink.strokes import Ink, Symbol
from inktex.latex.normalize import normalize
from inktex.latex.tree import Symbol as SymbolNode

FloatArray = npt.NDArray[np.float32]

HELD = "held"  # the split of what is for evaluation alone
UNIT = 100.0  # a row's size in a library's ink
_KEPT = 0.6  # how much of a writer's own deviation from a symbol's usual size is kept
_MOST = 0.45  # of that, as a logarithm
_ALPHABETS = frozenset({r"\mathbb", r"\mathcal"})
_ACCENTS = frozenset({r"\hat", r"\tilde"})  # UNIPEN's, without an argument
_CURSIVE = frozenset({"mot", "lav", "sie"})  # contributors to UNIPEN who join letters
# Signs that the fonts lack or draw in another way, and one that is as large.
_LIKE: dict[str, str] = {
    r"\hat": r"\wedge", r"\tilde": r"\sim", r"\square": "D", r"\checkmark": "V", r"\|": "|",
    r"\because": r"\div", r"\therefore": r"\div", r"\iint": r"\oint", r"\iiint": r"\oint",
    r"\triangleq": r"\cong", r"\Vdash": r"\vdash", r"\nexists": r"\exists", r"\jmath": "j",
    "_": "-", r"\_": "-", r"\mod": "m", r"\&": "8",
}  # fmt: skip


class Usual(NamedTuple):
    """What is usual for a symbol in a row.

    Attributes:
        log_size: logarithm of the diagonal of its box, in sizes of the row.
        lift: its middle above the row's middle line, in sizes of the row.
    """

    log_size: float
    lift: float


def symbol_label(drawing: Drawing) -> tuple[str, ...] | None:
    r"""Return the tokens of a drawing's label if they name one symbol: a token, or `\mathbb { R }`."""
    if drawing.label in _ACCENTS and drawing.source == "unipen":
        return (drawing.label,)
    try:
        tokens = tuple(normalize(drawing.label))
    except LatexError:
        return None
    if len(tokens) == 1 or (len(tokens) == 4 and tokens[0] in _ALPHABETS):
        return tokens
    return (r"\prime",) if tokens[-3:] == ("{", r"\prime", "}") else None


def usual_in_expressions(expressions: Sequence[Written], least: int = 20) -> dict[str, Usual]:
    """Return what is usual for every symbol that expressions have so many times."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for written, frames in zip(expressions, find_frames(expressions), strict=True):
        for row in written.rows():
            frame = frames[row.start]
            for item in row.items:
                core = item.children.get("base", item)
                if isinstance(core.node, SymbolNode):
                    left, top, right, bottom = written.boxes[core.start].tolist()
                    diagonal = max(math.hypot(right - left, bottom - top), 1e-3)
                    lift = (frame.middle - (top + bottom) / 2) / frame.size
                    found[core.node.token].append((math.log(diagonal / frame.size), lift))
    return {
        token: Usual(*np.median(np.array(values), axis=0).tolist())
        for token, values in found.items()
        if len(values) >= least
    }


def usual_in_type(tokens: Iterable[tuple[str, ...]]) -> dict[str, Usual]:
    """Return size and height of signs as Computer Modern or STIX print them, in those of its x.

    Signs that neither font has are left out. The last plain token names a symbol: `R` of `\\mathbb { R }`.
    """
    x_left, x_low, x_right, x_high = _printed("x") or (0.0, 0.0, 1.0, 1.0)
    size, middle = math.hypot(x_right - x_left, x_high - x_low), (x_low + x_high) / 2
    result = {}
    for symbol in tokens:
        token = symbol[0] if len(symbol) == 1 else symbol[2]
        box = _printed(_LIKE.get(token, token))
        if box is not None:
            diagonal = max(math.hypot(box[2] - box[0], box[3] - box[1]), 0.05 * size)
            result[symbol_key(symbol)] = Usual(
                math.log(diagonal / size), ((box[1] + box[3]) / 2 - middle) / size
            )
    return result


def symbol_key(tokens: tuple[str, ...]) -> str:
    """Return the tokens of a symbol as one word."""
    return " ".join(tokens)


def completed(written: Mapping[str, Usual], typed: Mapping[str, Usual]) -> dict[str, Usual]:
    """Return what is usual in expressions, and elsewhere what is in type, scaled to handwriting.

    The scale is a straight line through the symbols that both have, for sizes and for heights.

    Raises:
        DataError: the two share fewer than ten symbols.
    """
    both = sorted(set(written) & set(typed))
    if len(both) < 10:
        raise DataError(
            f"the expressions share only {len(both)} symbols with the collections: at least 10 are needed"
        )
    lines = [
        np.polyfit([typed[token][axis] for token in both], [written[token][axis] for token in both], 1)
        for axis in (0, 1)
    ]
    fitted = {
        token: Usual(*(float(np.polyval(line, value)) for line, value in zip(lines, usual, strict=True)))
        for token, usual in typed.items()
    }
    return fitted | dict(written)


def make_library(
    drawings: Iterable[Drawing],
    expressions: Sequence[Written],
    known: frozenset[str],
    held_back: frozenset[str],
    left_out: frozenset[str],
    rejected: Counter[str],
) -> Iterator[Sample]:
    """Yield drawings as samples of the library.

    Args:
        drawings: of all sources.
        expressions: by which sizes and heights are measured.
        known: tokens that may be labels.
        held_back: ids and writers of what is for evaluation; its split is "held", else "train".
        left_out: ids of drawings that are mislabelled.
        rejected: counts what is passed over, by reason.
    """
    kept: list[tuple[Drawing, tuple[str, ...]]] = []
    for drawing in drawings:
        tokens = symbol_label(drawing)
        if drawing.id in left_out:
            rejected["listed as mislabelled"] += 1
        elif drawing.source == "unipen" and drawing.writer.partition("/")[0] in _CURSIVE:
            rejected["joined letters"] += 1
        elif tokens is None or not known.issuperset(tokens):
            rejected[f"not in the vocabulary: {drawing.label}"] += 1
        else:
            kept.append((drawing, tokens))
    usual = completed(usual_in_expressions(expressions), usual_in_type({tokens for _, tokens in kept}))
    units = _units(kept, usual)
    for drawing, tokens in kept:
        key = symbol_key(tokens)
        if key not in usual:
            rejected[f"of no known size: {drawing.label}"] += 1
            continue
        held = bool({drawing.id, f"{drawing.source}/{drawing.writer}"} & held_back)
        ink = _placed(drawing, key, usual[key], units.get(drawing.writer))
        yield Sample(drawing.id, HELD if held else "train", drawing.source, tokens, None, ink, drawing.writer)


def _units(kept: Sequence[tuple[Drawing, tuple[str, ...]]], usual: Mapping[str, Usual]) -> dict[str, float]:
    """Return the logarithm of a row's size in the unit of every writer whose sizes mean something."""
    found: dict[str, list[float]] = defaultdict(list)
    for drawing, tokens in kept:
        if drawing.source == "unipen" and tokens[0].isalnum() and tokens[0] in usual:
            found[drawing.writer].append(math.log(_diagonal(drawing)) - usual[tokens[0]].log_size)
    return {writer: float(np.median(values)) for writer, values in found.items()}


def _placed(drawing: Drawing, label: str, usual: Usual, unit: float | None) -> Ink:
    """Return a drawing's ink as the library has it."""
    log_size = usual.log_size
    diagonal = _diagonal(drawing)
    if unit is not None:
        own = math.log(diagonal) - unit - log_size
        log_size += min(max(_KEPT * own, -_MOST), _MOST)
    scale = UNIT * math.exp(log_size) / diagonal
    points = np.concatenate(drawing.strokes)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    shift = np.array([0.0, -usual.lift * UNIT], dtype=np.float32)
    strokes = tuple(
        ((stroke - middle) * np.float32(scale) + shift).astype(np.float32) for stroke in drawing.strokes
    )
    place = 0 if " " not in label else 2
    return Ink(strokes, (Symbol(label, tuple(range(len(strokes))), f"token-{place}"),))


def _diagonal(drawing: Drawing) -> float:
    return max(float(np.hypot(*np.ptp(np.concatenate(drawing.strokes), axis=0))), 1e-3)


def _printed(token: str) -> tuple[float, float, float, float] | None:
    """Return left, bottom, right and top of a printed sign, or None where the fonts lack it."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    for family in ("cm", "stix"):
        try:
            path = TextPath((0, 0), f"${token}$", size=100, prop=FontProperties(math_fontfamily=family))
            box = path.get_extents()
        except (ValueError, RuntimeError, KeyError):
            continue
        if len(path.vertices):
            return float(box.x0), float(box.y0), float(box.x1), float(box.y1)
    return None
