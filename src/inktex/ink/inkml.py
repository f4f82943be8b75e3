"""InkML documents, read and written.

InkML is the W3C recommendation "Ink Markup Language" (2011); symbol groups follow the convention of CROHME
(Mouchere et al., "ICFHR 2014 Competition on Recognition of On-line Handwritten Mathematical Expressions"),
and the annotations ``normalizedLabel``, ``label``, ``sampleId`` and ``splitTagOriginal`` that of MathWriting
(Gervais et al., "MathWriting: A Dataset For Handwritten Mathematical Expression Recognition", 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from lxml import etree

from inktex.errors import InkError
from inktex.ink.strokes import FloatArray, Ink, Symbol, checked_points

_INKML = "http://www.w3.org/2003/InkML"
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
_LABELS = ("truth", "normalizedlabel", "label")  # the first that is there is the label
_TOLERATED = ("DTD_XMLID_VALUE", "DTD_ID_REDEFINED", "ERR_INVALID_ENCODING")


@dataclass(frozen=True, eq=False)
class InkDocument:
    """What an InkML file holds.

    Attributes:
        ink: the strokes and symbols.
        name: the file's own name for the sample (annotation ``UI``), or "".
        truth: raw LaTeX as annotated, or None: ``truth`` of CROHME; of MathWriting ``normalizedLabel``, or
            ``label`` where that is missing, as for single symbols.
        mathml: the ``<math>`` element as XML text, or None.
        writer: the annotated writer, or "".
        sample_id: MathWriting's name for the sample, or "".
        split: MathWriting's split: "train", "valid", "test", "synthetic" or "symbols"; or "".
    """

    ink: Ink
    name: str = ""
    truth: str | None = None
    mathml: str | None = None
    writer: str = ""
    sample_id: str = ""
    split: str = ""


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
        truth=next((annotations[kind] for kind in _LABELS if annotations.get(kind)), None),
        mathml=_read_mathml(root),
        writer=annotations.get("writer", ""),
        sample_id=annotations.get("sampleid", ""),
        split=annotations.get("splittagoriginal", ""),
    )


def write_inkml(document: InkDocument) -> bytes:
    """Return the document as InkML that :func:`read_inkml` reads back unchanged."""
    root = etree.Element(f"{{{_INKML}}}ink", nsmap={None: _INKML})  # type: ignore[dict-item]
    trace_format = etree.SubElement(root, f"{{{_INKML}}}traceFormat")
    for channel in ("X", "Y"):
        etree.SubElement(trace_format, f"{{{_INKML}}}channel", name=channel, type="decimal")
    annotations = {
        "UI": document.name,
        "sampleId": document.sample_id,
        "splitTagOriginal": document.split,
        "writer": document.writer,
        "truth": document.truth,
    }
    for kind, text in annotations.items():
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
        raise InkError(f"{source} is not XML: {' '.join(str(error).split())}") from None
    faults = [fault for fault in parser.error_log if fault.type_name not in _TOLERATED]
    if root is None or faults:
        problem = " ".join(faults[0].message.split()) if faults else "no element in it"
        raise InkError(f"{source} is not XML: {problem}")
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
    return checked_points(np.array(values, dtype=np.float64).reshape(-1, 2), source)


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
