r"""How sure each token of what was read is, and where it stands: from a second pass over what was found.

The model is fed what was found, and where it looks before each token tells where that stands. Attention is
coarse: a position is a square of 8 or 16 px where a symbol is 16 px large. But each piece of ink,
its strokes that touch, belongs as a rule to one symbol. So a piece goes to the token that gave it the largest
share of its attention, and a token's box is that of its ink:

1. The attention of each written token (``{``, ``^``, ``\limits`` and the like have no ink of their own) is
   spread smoothly over the pixels, and there over the ink alone: by the share of ink round a pixel, so that
   a dot gets as much as a large symbol would in its place.
2. A piece belongs to the token whose share on it is the largest, if that is 2 % at least. Other tokens with
   more than half of their attention on that piece, as those of touching symbols have, get what they look at
   more than the first: each pixel goes to one of them.
3. A token without ink, since others look more at what it looks at, has the box of the ink within the smallest
   set of positions that holds 60 % of its attention; if there is none, the box of all ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from inktex.decoding.search import Starts
from inktex.decoding.stepper import FloatArray, Stepper
from inktex.decoding.teacher_forcing import Forced, force
from inktex.image.box import Box, Canonical
from inktex.latex.tree import OPTIONAL_ARGUMENT, commands
from inktex.recognition.result import TokenDetail
from inktex.vocabulary import Vocabulary

_INK = 0.4  # from this level on a pixel of the canonical picture is ink
_LEAST_SHARE = 0.02  # of a token's attention, for a piece of ink to be its own
_MOST_SHARE = 0.5  # of a token's attention, for a share in a piece of ink of another's
_LOOKED_AT = 0.6  # of a token's attention
_NOTHING = 1e-6
_LAYOUT = frozenset({"{", "}", "^", "_", "&", r"\\", "~", r"\,", r"\;", r"\:", r"\!"}).union(
    commands("limits left right quad qquad displaystyle textstyle scriptstyle scriptscriptstyle"),
    commands("text textrm textbf textit mbox hbox operatorname substack mathrm mathbf mathbb mathcal"),
    commands("mathscr mathfrak mathsf mathit mathtt mathnormal boldsymbol bm mathop mathbin mathrel"),
    commands("mathord phantom hphantom vphantom"),
)


def token_details(
    stepper: Stepper,
    vocabulary: Vocabulary,
    stride: int,
    pictures: Sequence[Canonical],
    found: Sequence[tuple[int, ...]],
    both_ways: bool,
) -> list[tuple[TokenDetail, ...]]:
    """Return for each of n pictures the details of the tokens that were found there.

    Args:
        stepper: the model; it has read the pictures, padded to the size of the largest.
        vocabulary: its tokens by id.
        stride: side of the square of pixels that one position of its attention stands for.
        pictures: n canonical pictures.
        found: n sequences of ids, in reading order.
        both_ways: whether to follow the model from both ends, and take the mean.
    """
    height = max(picture.shape[0] for picture, _ in pictures)
    width = max(picture.shape[1] for picture, _ in pictures)
    grid = -(-height // stride), -(-width // stride)
    details = []
    for canonical, ids, forced in zip(
        pictures, found, _forced(stepper, vocabulary, found, both_ways), strict=True
    ):
        tokens = vocabulary.decode(ids)
        rows, columns = (-(-side // stride) for side in canonical.picture.shape)
        attention = forced.attention.reshape(len(tokens), *grid)[:, :rows, :columns]
        boxes = token_boxes(canonical, stride, tokens, attention)
        each = zip(tokens, np.exp(forced.scores).tolist(), boxes, strict=True)
        details.append(tuple(TokenDetail(*parts) for parts in each))
    return details


def _forced(
    stepper: Stepper, vocabulary: Vocabulary, found: Sequence[tuple[int, ...]], both_ways: bool
) -> list[Forced]:
    """Feed what was found to the model; return what it saw, in reading order, the mean of both ways."""
    count, start, end = len(found), vocabulary.start_id, vocabulary.end_id
    masked = tuple(set(vocabulary.unwritten) - {start})  # which stands first or last
    pictures = np.arange(count)
    first, last = np.full(count, start), np.full(count, end)
    if not both_ways:
        return force(stepper, Starts(pictures, first, last, masked), found)
    starts = Starts(np.tile(pictures, 2), np.append(first, last), np.append(last, first), masked)
    forced = force(stepper, starts, [*found, *(ids[::-1] for ids in found)])
    return [
        Forced(
            np.logaddexp(forwards.scores, backwards.scores[::-1]) - np.float32(np.log(2)),
            np.float32(0.5) * (forwards.attention + backwards.attention[::-1]),
        )
        for forwards, backwards in zip(forced[:count], forced[count:], strict=True)
    ]


def token_boxes(
    canonical: Canonical, stride: int, tokens: Sequence[str], attention: FloatArray
) -> list[Box | None]:
    """Return where each token stands in the source of a canonical picture; None for those nobody writes.

    Args:
        canonical: the picture [h, w] that the model was shown.
        stride: side of the square of pixels that one position of the attention stands for.
        tokens: the t tokens.
        attention: [t, rows, columns], over the squares of the picture while each token was written.
    """
    places = sorted(set(range(len(tokens))) - unwritten(tokens))
    boxes: list[Box | None] = [None] * len(tokens)
    if not places:
        return boxes
    looks = attention[places]
    ink = canonical.picture > min(_INK, float(canonical.picture.max()) / 2)
    owner = _owners(ink, stride, looks)
    for row, place in enumerate(places):
        own = owner == row
        if not own.any():
            own = _looked_at(looks[row], stride, ink)
        boxes[place] = canonical.in_source(_bounds(own))
    return boxes


def unwritten(tokens: Sequence[str]) -> frozenset[int]:
    r"""Return the places of tokens that no ink stands for: layout, fonts, spaces, `.` for no delimiter, and
    the brackets of `\sqrt [ 3 ] { x }`."""
    places = {
        place
        for place, token in enumerate(tokens)
        if token in _LAYOUT or token.startswith((r"\begin{", r"\end{"))
    }
    for place, (before, token) in enumerate(pairwise(tokens), 1):
        if token == "." and before in (r"\left", r"\right"):
            places.add(place)
        if token == "[" and before in OPTIONAL_ARGUMENT:
            places |= {place, _closing(tokens, place)}
    return frozenset(places)


def _closing(tokens: Sequence[str], opening: int) -> int:
    """Return the place of the bracket that ends an option: as for TeX, the first outside of braces."""
    depth = 0
    for place in range(opening + 1, len(tokens)):
        depth += (tokens[place] == "{") - (tokens[place] == "}")
        if tokens[place] == "]" and depth == 0 and tokens[place - 1] != r"\right":
            return place
    return opening


def _owners(ink: npt.NDArray[np.bool_], stride: int, attention: FloatArray) -> npt.NDArray[np.int64]:
    """Return whose ink each pixel [h, w] is, of tokens with attention [t, rows, columns]; -1: nobody's."""
    count, labels = cv2.connectedComponents(ink.astype(np.uint8), connectivity=8)
    pieces = labels[ink]
    weights = _on_ink(ink, stride, attention)  # [t, pixels of ink]
    shares = np.stack([np.bincount(pieces, weight, count) for weight in weights])  # [t, pieces]
    owners = np.full(len(pieces), -1, np.int64)
    for piece in range(1, count):
        first = int(shares[:, piece].argmax())
        if shares[first, piece] < _LEAST_SHARE:
            continue
        within = pieces == piece
        claims = np.union1d(np.flatnonzero(shares[:, piece] > _MOST_SHARE), first)
        owners[within] = claims[weights[np.ix_(claims, within)].argmax(axis=0)]
    result = np.full(ink.shape, -1, np.int64)
    result[ink] = owners
    return result


def _on_ink(ink: npt.NDArray[np.bool_], stride: int, attention: FloatArray) -> FloatArray:
    """Spread attention [t, rows, columns] over the pixels of ink: [t, pixels], each sums to 1."""
    height, width = ink.shape
    rows, columns = attention.shape[1:]
    window = (stride + 1, stride + 1)
    around = cv2.blur(ink.astype(np.float32), window, borderType=cv2.BORDER_CONSTANT)[ink]
    size = columns * stride, rows * stride
    spread = [
        cv2.resize(each, size, interpolation=cv2.INTER_LINEAR)[:height, :width][ink] for each in attention
    ]
    weights = np.stack(spread) / around
    return np.asarray(weights / (weights.sum(axis=1, keepdims=True) + _NOTHING), np.float32)


def _looked_at(attention: FloatArray, stride: int, ink: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the ink [h, w] in the squares that hold most of the attention [rows, columns], or else all."""
    order = np.argsort(-attention, axis=None, kind="stable")
    held = np.cumsum(attention.ravel()[order])
    chosen = np.zeros(attention.size, np.bool_)
    chosen[order[: np.searchsorted(held, _LOOKED_AT * held[-1]) + 1]] = True
    squares = np.kron(chosen.reshape(attention.shape), np.ones((stride, stride), np.bool_))
    inside = squares[: ink.shape[0], : ink.shape[1]] & ink
    return inside if inside.any() else ink


def _bounds(pixels: npt.NDArray[np.bool_]) -> Box:
    """Return the box of the pixels [h, w] that are True, of which there is one at least."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
