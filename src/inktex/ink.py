"""Pen strokes: InkML and JSON in and out, and rasterisation.

Coordinates follow InkML: x grows to the right, y grows downwards, in the device's own unit.
InkML is the W3C recommendation "Ink Markup Language" (2011); the symbol groups follow the CROHME
convention (Mouchere et al., "ICFHR 2014 Competition on Recognition of On-line Handwritten
Mathematical Expressions").
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from lxml import etree

from inktex.errors import InkError

FloatArray = npt.NDArray[np.float32]

_INKML = "http://www.w3.org/2003/InkML"
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
_TOLERATED = ("DTD_XMLID_VALUE", "DTD_ID_REDEFINED", "ERR_INVALID_ENCODING")
_SUPERSAMPLING = 4  # strokes are drawn this many times larger and averaged down
_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates
_LARGEST_SIDE_PX = 8192
_LARGEST_AREA_PX = 8_000_000
_LARGEST_COORDINATE = 1e30


@dataclass(frozen=True)
class Symbol:
    """One written symbol: its label and the strokes it is made of.

    Attributes:
        label: LaTeX of the symbol as annotated.
        strokes: indices into the ink's strokes.
        reference: ``xml:id`` of the symbol's leaf in the document's MathML, if it names one.
    """

    label: str
    strokes: tuple[int, ...]
    reference: str | None = None


@dataclass(frozen=True, eq=False)
class Ink:
    """Strokes of one expression.

    Attributes:
        strokes: float32 arrays [points, 2] of x and y; every stroke has at least one point.
        symbols: which strokes form which symbol, where that is known.
    """

    strokes: tuple[FloatArray, ...]
    symbols: tuple[Symbol, ...] = ()

    def bounds(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) in ink units."""
        points = np.concatenate(self.strokes)
        left, top = points.min(axis=0)
        right, bottom = points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


@dataclass(frozen=True, eq=False)
class InkDocument:
    """What an InkML file holds.

    Attributes:
        ink: the strokes and symbols.
        name: the file's own name for the sample (annotation ``UI``), or "".
        truth: raw LaTeX as annotated, or None.
        mathml: the ``<math>`` element as XML text, or None.
        writer: the annotated writer, or "".
    """

    ink: Ink
    name: str = ""
    truth: str | None = None
    mathml: str | None = None
    writer: str = ""


def read_inkml(data: bytes, source: str = "the InkML") -> InkDocument:
    """Read an InkML document.

    Args:
        data: the file's bytes.
        source: how errors name the document.

    Raises:
        InkError: not XML, not InkML, entities declared, a malformed trace, or no strokes.
    """
    root = _parse_xml(data, source)
    x_channel, y_channel = _channels(root)
    strokes: list[FloatArray] = []
    index: dict[str, int] = {}
    for trace in _children(root, "trace", deep=True):
        points = _read_trace(trace.text or "", x_channel, y_channel, source)
        if len(points):
            index[trace.get("id") or trace.get(_XML_ID) or str(len(index))] = len(strokes)
            strokes.append(points)
    if not strokes:
        raise InkError(f"{source} holds no strokes")
    annotations = {
        (a.get("type") or "").lower(): (a.text or "").strip() for a in _children(root, "annotation")
    }
    return InkDocument(
        ink=Ink(tuple(strokes), _read_symbols(root, index)),
        name=annotations.get("ui", "").strip('"'),
        truth=annotations.get("truth") or None,
        mathml=_read_mathml(root),
        writer=annotations.get("writer", ""),
    )


def write_inkml(document: InkDocument) -> bytes:
    """Return the document as InkML that :func:`read_inkml` reads back unchanged."""
    root = etree.Element(f"{{{_INKML}}}ink", nsmap={None: _INKML})  # type: ignore[dict-item]
    trace_format = etree.SubElement(root, f"{{{_INKML}}}traceFormat")
    for channel in ("X", "Y"):
        etree.SubElement(trace_format, f"{{{_INKML}}}channel", name=channel, type="decimal")
    for kind, text in (("UI", document.name), ("writer", document.writer), ("truth", document.truth)):
        if text:
            _annotate(root, kind, text)
    if document.mathml:
        parent = etree.SubElement(
            root, f"{{{_INKML}}}annotationXML", type="truth", encoding="Presentation-MathML"
        )
        parent.append(_parse_xml(document.mathml.encode(), "the MathML"))
    for number, stroke in enumerate(document.ink.strokes):
        trace = etree.SubElement(root, f"{{{_INKML}}}trace", id=str(number))
        trace.text = ", ".join(f"{_decimal(x)} {_decimal(y)}" for x, y in stroke)
    if document.ink.symbols:
        _write_symbols(root, document.ink)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True))


def ink_from_json(text: str | bytes, source: str = "the JSON") -> Ink:
    """Read strokes from JSON of the form ``[[[x, y], ...], ...]``: a list of strokes, each a list of points.

    Further numbers of a point (time, pressure) are ignored; an object with the key ``strokes`` is read too.

    Raises:
        InkError: not JSON, another form, a number that is not finite, or no strokes.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InkError(f"{source} is not JSON: {error}") from None
    return ink_from_lists(value.get("strokes") if isinstance(value, dict) else value, source)


def ink_from_lists(value: Any, source: str = "the ink") -> Ink:
    """Build an ink from nested sequences ``[[[x, y], ...], ...]``.

    Raises:
        InkError: another form, a number that is not finite, or no strokes.
    """
    form = "a list of strokes, each a list of [x, y] points"
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str | bytes):
        raise InkError(f"{source} must be {form}")
    try:
        strokes = [
            np.array([(point[0], point[1]) for point in stroke], np.float64)
            for stroke in value
            if len(stroke)
        ]
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise InkError(f"{source} must be {form}") from None
    if not strokes:
        raise InkError(f"{source} holds no strokes")
    if not all(stroke.ndim == 2 for stroke in strokes):
        raise InkError(f"{source} must be {form}")
    return Ink(tuple(_checked(stroke, source) for stroke in strokes))


def ink_to_json(ink: Ink) -> str:
    """Return the strokes as JSON ``[[[x, y], ...], ...]``."""
    return json.dumps([[[float(x), float(y)] for x, y in stroke] for stroke in ink.strokes])


def symbol_size(ink: Ink) -> float:
    """Estimate the size of a typical symbol (a digit, say) in ink units; it scales exactly with the ink.

    The form is the power law of :func:`inktex.image.typical_symbol_px`, here over strokes: within a factor
    of 1.4 of the size that the symbol groups show for 90 % of CROHME's training inks. An ink of one dot has
    size 1.
    """
    boxes = np.array([(*stroke.min(axis=0), *stroke.max(axis=0)) for stroke in ink.strokes], dtype=np.float64)
    left, top, right, bottom = boxes.T
    sides = np.maximum(right - left, bottom - top)
    columns, rows = right.max() - left.min(), bottom.max() - top.min()
    largest = max(columns, rows)
    if largest == 0:
        return 1.0
    median = max(float(np.median(sides)), largest / 1000)
    rows, columns = max(rows, largest / 20), max(columns, largest / 20)
    return float(1.06 * median ** (1 / 2) * rows ** (1 / 6) * (columns / len(sides)) ** (1 / 3))


def rasterize(
    ink: Ink, symbol_size_px: float = 32.0, pen_width_px: float = 2.5, margin_px: float = 4.0
) -> FloatArray:
    """Draw the ink with round, anti-aliased strokes.

    Args:
        ink: the strokes.
        symbol_size_px: size of a typical symbol (see :func:`symbol_size`) in the picture.
        pen_width_px: width of the strokes.
        margin_px: empty border around the outermost points.

    Returns:
        Picture [h, w], ink 1 on background 0. It is held to 8,192 px a side and 8 megapixels.
    """
    left, top, right, bottom = ink.bounds()
    scale = symbol_size_px / symbol_size(ink)
    width, height = max(right - left, 1e-6), max(bottom - top, 1e-6)
    scale = min(scale, _LARGEST_SIDE_PX / max(width, height), math.sqrt(_LARGEST_AREA_PX / (width * height)))
    border = margin_px + pen_width_px / 2
    strokes = [(stroke - np.array([left, top], dtype=np.float32)) * scale + border for stroke in ink.strokes]
    height = math.ceil((bottom - top) * scale + 2 * border)
    width = math.ceil((right - left) * scale + 2 * border)
    return draw_strokes(strokes, height, width, pen_width_px)


def draw_strokes(strokes: Sequence[FloatArray], height: int, width: int, pen_width_px: float) -> FloatArray:
    """Draw strokes that are given in pixels.

    Args:
        strokes: arrays [points, 2]; pixel (0, 0) covers the square from 0 to 1 in x and y.
        height: rows of the picture.
        width: columns of the picture.
        pen_width_px: width of the strokes; a quarter of a pixel is the finest step.

    Returns:
        Picture [height, width], ink 1 on background 0.
    """
    canvas = np.zeros((height * _SUPERSAMPLING, width * _SUPERSAMPLING), dtype=np.uint8)
    thickness = max(
        1, round(pen_width_px * _SUPERSAMPLING) - 1
    )  # OpenCV's lines come out a pixel or two wider
    factor = _SUPERSAMPLING * (1 << _SHIFT)
    half = (1 << _SHIFT) // 2  # OpenCV puts integer coordinates on pixel centres
    lines: list[npt.NDArray[np.int32]] = []
    dots: list[npt.NDArray[np.int32]] = []
    for stroke in strokes:
        fixed = np.rint(stroke * factor - half).astype(np.int32)
        (lines if np.ptp(fixed, axis=0).any() else dots).append(fixed)
    if lines:
        cv2.polylines(canvas, lines, False, 255, thickness, cv2.LINE_8, _SHIFT)
    radius = round(pen_width_px * factor / 2)
    for dot in dots:
        cv2.circle(canvas, (int(dot[0, 0]), int(dot[0, 1])), radius, 255, -1, cv2.LINE_8, _SHIFT)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32) / np.float32(255)


def _parse_xml(data: bytes, source: str) -> Any:
    if not data.strip():
        raise InkError(f"{source} is empty")
    # CROHME's xml:id values are often no XML names, or stand twice; the parser goes on, and every other
    # fault counts.
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InkError(f"{source} is not XML: {error}") from None
    faults = [fault for fault in parser.error_log if fault.type_name not in _TOLERATED]
    if root is None or faults:
        raise InkError(f"{source} is not XML: {faults[0].message if faults else 'no element in it'}")
    declared: Any = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise InkError(f"{source} declares XML entities, which are not allowed in ink")
    return root


def _name(element: Any) -> str:
    """Return the tag without its namespace ("" for comments and entities)."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _children(element: Any, name: str, deep: bool = False) -> list[Any]:
    return [child for child in (element.iter() if deep else element) if _name(child) == name]


def _channels(root: Any) -> tuple[int, int]:
    """Return the positions of X and Y within a point; without a trace format they are the first two."""
    names = [(channel.get("name") or "").upper() for channel in _children(root, "channel", deep=True)]
    if "X" in names and "Y" in names:
        return names.index("X"), names.index("Y")
    return 0, 1


def _read_trace(text: str, x_channel: int, y_channel: int, source: str) -> FloatArray:
    """Return the points [n, 2] of one trace; n may be 0."""
    points = [point.split() for point in text.split(",")]
    try:
        values = [(float(point[x_channel]), float(point[y_channel])) for point in points if point]
    except (ValueError, IndexError):
        raise InkError(
            f"{source} holds a trace that is not a list of decimal coordinates: {text.strip()[:40]!r}"
        ) from None
    return _checked(np.array(values, dtype=np.float64).reshape(-1, 2), source)


def _checked(points: npt.NDArray[np.float64], source: str) -> FloatArray:
    if not (np.abs(points) <= _LARGEST_COORDINATE).all():  # not a number is not smaller either
        raise InkError(f"{source} holds a coordinate that is not a finite number")
    return points.astype(np.float32)


def _read_symbols(root: Any, index: dict[str, int]) -> tuple[Symbol, ...]:
    """Return the innermost trace groups as symbols; views of missing or empty traces are left out."""
    symbols = []
    for group in _children(root, "traceGroup", deep=True):
        if _children(group, "traceGroup"):
            continue
        views = [view.get("traceDataRef", "").lstrip("#") for view in _children(group, "traceView")]
        strokes = tuple(index[view] for view in views if view in index)
        if strokes:
            label = next(((a.text or "").strip() for a in _children(group, "annotation")), "")
            reference = next(
                (a.get("href") for a in _children(group, "annotationXML") if a.get("href")), None
            )
            symbols.append(Symbol(label, strokes, reference))
    return tuple(symbols)


def _read_mathml(root: Any) -> str | None:
    for annotation in _children(root, "annotationXML"):
        for math_element in _children(annotation, "math"):
            return str(etree.tostring(math_element, encoding="unicode", with_tail=False))
    return None


def _annotate(parent: Any, kind: str, text: str) -> None:
    etree.SubElement(parent, f"{{{_INKML}}}annotation", type=kind).text = text


def _write_symbols(root: Any, ink: Ink) -> None:
    groups = etree.SubElement(root, f"{{{_INKML}}}traceGroup", {_XML_ID: "symbols"})
    _annotate(groups, "truth", "Segmentation")
    for number, symbol in enumerate(ink.symbols):
        group = etree.SubElement(groups, f"{{{_INKML}}}traceGroup", {_XML_ID: f"symbol{number}"})
        _annotate(group, "truth", symbol.label)
        for stroke in symbol.strokes:
            etree.SubElement(group, f"{{{_INKML}}}traceView", traceDataRef=str(stroke))
        if symbol.reference is not None:
            etree.SubElement(group, f"{{{_INKML}}}annotationXML", href=symbol.reference)


def _decimal(value: np.float32) -> str:
    return np.format_float_positional(value, trim="-")
