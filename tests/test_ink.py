"""Ink: InkML documents written by hand, round trips, and drawings against geometry."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inktex.errors import InkError
from inktex.ink.inkml import InkDocument, read_inkml, write_inkml
from inktex.ink.strokes import (
    Ink,
    Symbol,
    draw_strokes,
    ink_from_json,
    ink_from_lists,
    ink_to_json,
    raster,
    rasterize,
    symbol_size,
)
from inktex.limits import Limits

NAMESPACE = 'xmlns="http://www.w3.org/2003/InkML"'

FULL = f"""<ink {NAMESPACE}>
<traceFormat><channel name="X" type="decimal"/><channel name="Y" type="decimal"/></traceFormat>
<annotation type="UI">"sample-7"</annotation>
<annotation type="writer">w12</annotation>
<annotation type="truth">$x^2$</annotation>
<annotationXML type="truth" encoding="Content-MathML">
  <math xmlns='http://www.w3.org/1998/Math/MathML'>
    <msup><mi xml:id="x_1">x</mi><mn xml:id="2_1">2</mn></msup>
  </math>
</annotationXML>
<trace id="0">0 0, 10 20</trace>
<trace id="1">10 0, 0 20</trace>
<trace id="2">12 0, 15 2, 12 5</trace>
<traceGroup xml:id="4">
  <annotation type="truth">Segmentation</annotation>
  <traceGroup xml:id="5">
    <annotation type="truth">x</annotation>
    <traceView traceDataRef="0"/><traceView traceDataRef="1"/>
    <annotationXML href="x_1"/>
  </traceGroup>
  <traceGroup xml:id="6">
    <annotation type="truth">2</annotation>
    <traceView traceDataRef="2"/>
    <annotationXML href="2_1"/>
  </traceGroup>
</traceGroup>
</ink>"""


def ink_document(body: str, attributes: str = NAMESPACE) -> bytes:
    """Return an InkML document with the given content."""
    return f"<ink {attributes}>{body}</ink>".encode()


def test_a_full_document() -> None:
    """Annotations, MathML, strokes and the strokes of each symbol are read."""
    document = read_inkml(FULL.encode())

    assert (document.name, document.writer, document.truth) == ("sample-7", "w12", "$x^2$")
    assert document.mathml is not None
    assert document.mathml.startswith("<math")
    assert [stroke.tolist() for stroke in document.ink.strokes] == [
        [[0, 0], [10, 20]],
        [[10, 0], [0, 20]],
        [[12, 0], [15, 2], [12, 5]],
    ]
    assert document.ink.symbols == (Symbol("x", (0, 1), "x_1"), Symbol("2", (2,), "2_1"))
    assert document.ink.bounds() == (0, 0, 15, 20)


@pytest.mark.parametrize(
    "document",
    [
        ink_document("<trace>1 2, 3 4</trace>"),
        ink_document("<trace>1 2, 3 4</trace>", attributes=""),
        b'<i:ink xmlns:i="http://www.w3.org/2003/InkML"><i:trace>1 2, 3 4</i:trace></i:ink>',
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n' + ink_document("<trace>1 2, 3 4</trace>"),
        f'<?xml version="1.0" encoding="UTF-16"?><ink {NAMESPACE}><trace>1 2,3 4</trace></ink>'.encode(
            "utf-16"
        ),
        ink_document("<!-- by hand --><trace>\n 1\t2 ,\n3   4,\n</trace>"),
        ink_document("<trace>1e0 2.0, +3 4.</trace>"),
        ink_document("<traceGroup><trace>1 2, 3 4</trace></traceGroup>"),
        ink_document("<trace id='a'></trace><trace id='b'>1 2, 3 4</trace>"),
        ink_document(
            '<traceFormat><channel name="X"/><channel name="Y"/><channel name="T"/></traceFormat>'
            "<trace>1 2 99, 3 4 98</trace>"
        ),
        ink_document(
            '<traceFormat><channel name="T"/><channel name="Y"/><channel name="F"/><channel name="X"/>'
            "</traceFormat><trace>99 2 0.5 1, 98 4 0.5 3</trace>"
        ),
    ],
)
def test_variants_of_one_stroke(document: bytes) -> None:
    """Namespaces, prefixes, encodings, white space and further channels do not change the stroke."""
    read = read_inkml(document)

    assert [stroke.tolist() for stroke in read.ink.strokes] == [[[1, 2], [3, 4]]]
    assert read.ink.strokes[0].dtype == np.float32


def test_missing_annotations_are_none_or_empty() -> None:
    """Without truth, MathML and segmentation there is still ink; a single point is a stroke."""
    document = read_inkml(ink_document("<trace>5 6</trace>"))

    assert (document.truth, document.mathml, document.name, document.writer) == (None, None, "", "")
    assert document.ink.symbols == ()
    assert document.ink.strokes[0].tolist() == [[5, 6]]


def test_symbols_of_strokes_that_are_not_there() -> None:
    """Views of missing or empty traces are left out, and a symbol that has no other stroke with them."""
    document = read_inkml(
        ink_document(
            "<trace id='0'/><trace id='1'>1 1</trace><traceGroup>"
            "<traceGroup><annotation>a</annotation><traceView traceDataRef='0'/></traceGroup>"
            "<traceGroup><annotation>b</annotation><traceView traceDataRef='#1'/>"
            "<traceView traceDataRef='9'/></traceGroup></traceGroup>"
        )
    )

    assert document.ink.symbols == (Symbol("b", (0,)),)


BOMB = """<?xml version="1.0"?><!DOCTYPE ink [<!ENTITY a "1 1,">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><ink><trace>&c; 1 1</trace></ink>"""
EXTERNAL = (
    '<!DOCTYPE ink [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    "<ink><annotation type='truth'>&x;</annotation><trace>1 1</trace></ink>"
)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n", "not XML"),
        (b"plain words", "not XML"),
        (FULL.encode()[:900], "not XML"),
        (FULL.encode()[:-3], "not XML"),
        (BOMB.encode(), "entities"),
        (EXTERNAL.encode(), "entities"),
        (ink_document(""), "no strokes"),
        (ink_document("<trace/><trace>  </trace><trace>,</trace>"), "no strokes"),
        (b"<html><body>1 2</body></html>", "no strokes"),
        (ink_document("<trace>1 2, 3</trace>"), "decimal coordinates"),
        (ink_document("<trace>one two</trace>"), "decimal coordinates"),
        (ink_document("<trace>nan 1</trace>"), "finite"),
        (ink_document("<trace>1 inf</trace>"), "finite"),
        (ink_document("<trace>1 1e99</trace>"), "finite"),
    ],
)
def test_what_is_no_ink_is_refused(data: bytes, problem: str) -> None:
    """A damaged or hostile document ends in one sentence that names it."""
    with pytest.raises(InkError, match=problem) as caught:
        read_inkml(data, "note.inkml")

    assert str(caught.value).startswith("note.inkml")
    assert "\n" not in str(caught.value)


@given(st.integers(min_value=0, max_value=len(FULL)))
@settings(max_examples=60)
def test_a_cut_document_is_refused(length: int) -> None:
    """Wherever a document is cut, it is refused rather than read in part."""
    if length == len(FULL):
        return
    with pytest.raises(InkError):
        read_inkml(FULL.encode()[:length])


COORDINATES = st.floats(min_value=-1e6, max_value=1e6, width=32)
STROKES = st.lists(
    st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=5), min_size=1, max_size=5
)
WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=8)


def assert_same_strokes(actual: Ink, expected: Ink) -> None:
    """Both inks have the same points, exactly."""
    assert len(actual.strokes) == len(expected.strokes)
    for one, other in zip(actual.strokes, expected.strokes, strict=True):
        np.testing.assert_array_equal(one, other)


@given(STROKES, WORDS, WORDS, st.data())
def test_inkml_round_trip(strokes: list, truth: str, writer: str, data: st.DataObject) -> None:
    """What is written as InkML reads back equal to the last bit, symbols included."""
    ink = ink_from_lists(strokes)
    indices = st.lists(st.integers(0, len(strokes) - 1), min_size=1, max_size=3).map(tuple)
    symbol = st.builds(Symbol, WORDS, indices, st.none() | WORDS)
    ink = Ink(ink.strokes, tuple(data.draw(st.lists(symbol, max_size=3))))
    mathml = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>'
    document = InkDocument(ink, name="n", truth=truth, mathml=mathml, writer=writer)

    again = read_inkml(write_inkml(document))

    assert_same_strokes(again.ink, ink)
    assert again.ink.symbols == ink.symbols
    assert (again.name, again.truth, again.writer) == ("n", truth, writer)
    assert "".join((again.mathml or "").split()) == "".join(mathml.split())


@given(STROKES)
def test_json_round_trip(strokes: list) -> None:
    """Ink as JSON is nested lists of numbers and reads back equal; an object with "strokes" is read too."""
    ink = ink_from_lists(strokes)

    text = ink_to_json(ink)

    assert_same_strokes(ink_from_json(text), ink)
    assert_same_strokes(ink_from_json(json.dumps({"strokes": json.loads(text)})), ink)


def test_limits_are_those_that_are_given() -> None:
    """Ink of just as many bytes, strokes and points as allowed is read; with one fewer allowed it is not."""
    text = "[[[0, 0], [1, 1]], [], [[2, 2]]]"
    exact = Limits(file_bytes=len(text), strokes=3, points=3)

    assert len(ink_from_json(text, limits=exact).strokes) == 2
    assert len(ink_from_lists(json.loads(text), limits=exact).strokes) == 2
    for name, reason in (("file_bytes", "MiB"), ("strokes", "3 strokes"), ("points", "3 points")):
        fewer = dataclasses.replace(exact, **{name: getattr(exact, name) - 1})
        with pytest.raises(InkError, match=f"^a.json is too large: .*{reason}"):
            ink_from_json(text, "a.json", fewer)


def test_further_numbers_of_a_point_are_ignored() -> None:
    """Time and pressure after x and y are passed over; empty strokes are left out."""
    ink = ink_from_json("[[[1, 2, 0.5, 17], [3, 4, 0.5, 18]], []]")

    assert [stroke.tolist() for stroke in ink.strokes] == [[[1, 2], [3, 4]]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("[[[1, 2]", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "list of strokes"),
        ('"abc"', "list of strokes"),
        ("[[1, 2]]", "list of strokes"),
        ("[[[1]]]", "list of strokes"),
        ('[[["a", "b"]]]', "list of strokes"),
        ("[[[1, null]]]", "(list of strokes|finite)"),
        ("[]", "no strokes"),
        ("[[]]", "no strokes"),
        ("[[[1, NaN]]]", "finite"),
        ("[[[1, 1e99]]]", "finite"),
        ("[[[1, 1" + "0" * 400 + "]]]", "(list of strokes|finite|not JSON)"),
    ],
)
def test_json_that_is_no_ink_is_refused(text: str, problem: str) -> None:
    """JSON of another form ends in one sentence that names it."""
    with pytest.raises(InkError, match=problem) as caught:
        ink_from_json(text, "ink.json")

    assert str(caught.value).startswith("ink.json")


def line(*points: tuple[float, float]) -> np.ndarray:
    """Return one stroke."""
    return np.array(points, dtype=np.float32)


@pytest.mark.parametrize("slope", [(40, 0), (0, 40), (30, 30), (12, 37)])
@pytest.mark.parametrize("pen", [2.0, 4.0])
def test_the_mass_of_a_line_is_that_of_a_round_ended_bar(slope: tuple[int, int], pen: float) -> None:
    """A straight stroke covers length x pen width and half a disc at each end, good to 1/4 px of width."""
    picture = draw_strokes([line((10, 10), (10 + slope[0], 10 + slope[1]))], 60, 60, pen)

    length = math.hypot(*slope)
    expected = length * pen + math.pi * pen**2 / 4
    assert picture.sum() == pytest.approx(expected, abs=0.25 * length + 2)


@pytest.mark.parametrize("pen", [2.0, 3.0, 5.0])
def test_a_dot_is_a_disc(pen: float) -> None:
    """A single point is drawn as a disc of the pen's width around it."""
    picture = draw_strokes([line((10.5, 8.5))], 20, 20, pen)

    rows, columns = np.mgrid[0:20, 0:20] + 0.5
    assert picture.sum() == pytest.approx(math.pi * pen**2 / 4, rel=0.2)
    assert (picture * columns).sum() / picture.sum() == pytest.approx(10.5, abs=0.15)
    assert (picture * rows).sum() / picture.sum() == pytest.approx(8.5, abs=0.15)


def test_a_stroke_lies_where_its_points_are() -> None:
    """The ink of a horizontal line has its centre of mass on the line and reaches half a pen beyond."""
    picture = draw_strokes([line((5, 10), (25, 10))], 20, 30, 4.0)

    rows, columns = np.mgrid[0:20, 0:30] + 0.5
    assert (picture * rows).sum() / picture.sum() == pytest.approx(10, abs=0.15)
    assert (picture * columns).sum() / picture.sum() == pytest.approx(15, abs=0.15)
    inked = np.nonzero(picture.max(axis=1) > 0.5)[0]
    assert (inked[0], inked[-1]) == (8, 11)


WORD = Ink((line((0, 0), (10, 20)), line((10, 0), (0, 20)), line((14, 10), (24, 10)), line((19, 3))))


def test_a_picture_has_ink_1_on_0_and_an_empty_margin() -> None:
    """Values run from 0 to 1, the border is empty, and the extent is that of the points, pen and margin."""
    picture = rasterize(WORD, symbol_size_px=30, pen_width_px=3, margin_px=5)

    scale = 30 / symbol_size(WORD)
    assert picture.dtype == np.float32
    assert picture.min() == 0
    assert picture.max() == 1
    assert picture.shape == (math.ceil(20 * scale + 13), math.ceil(24 * scale + 13))
    for side in (picture[:5], picture[:, :5], picture[-4:], picture[:, -4:]):
        assert side.max() == 0


@pytest.mark.parametrize(("factor", "shift"), [(1.0, (0, 0)), (0.125, (-300, 40)), (64.0, (1e4, -1e4))])
def test_a_drawing_knows_where_its_points_are(factor: float, shift: tuple[float, float]) -> None:
    """Points lead to inked pixels, and the leftmost to half a pen from where the ink begins."""
    ink = Ink(tuple(stroke * np.float32(factor) + np.array(shift, np.float32) for stroke in WORD.strokes))

    drawn = raster(ink, symbol_size_px=40, pen_width_px=3)

    np.testing.assert_array_equal(drawn.picture, rasterize(ink, 40, 3))
    left = [(stroke[:, 0].min() - drawn.left) * drawn.scale for stroke in ink.strokes]
    inked = np.nonzero(drawn.picture.max(axis=0) > 0.5)[0]
    assert min(left) == pytest.approx(inked[0] + 1.5, abs=0.6)
    for stroke in ink.strokes:
        for x, y in stroke:
            column, row = int((x - drawn.left) * drawn.scale), int((y - drawn.top) * drawn.scale)
            assert drawn.picture[row, column] > 0.5


@given(st.integers(-(2**12), 2**12), st.integers(-(2**12), 2**12))
@settings(max_examples=25)
def test_translation_does_not_change_the_picture(x: int, y: int) -> None:
    """The same strokes elsewhere on the page give the same picture."""
    moved = Ink(tuple(stroke + np.array([x, y], dtype=np.float32) for stroke in WORD.strokes))

    np.testing.assert_array_equal(rasterize(moved), rasterize(WORD))


@pytest.mark.parametrize("factor", [0.125, 8.0, 1024.0])
def test_the_unit_of_the_device_does_not_change_the_picture(factor: float) -> None:
    """The same strokes in a finer or coarser unit give the same picture."""
    scaled = Ink(tuple(stroke * np.float32(factor) for stroke in WORD.strokes))

    assert symbol_size(scaled) == pytest.approx(factor * symbol_size(WORD))
    assert np.abs(rasterize(scaled) - rasterize(WORD)).mean() < 0.002


def test_a_larger_symbol_size_enlarges_the_picture() -> None:
    """Twice the symbol size is twice the extent between the margins."""
    small, large = (rasterize(WORD, symbol_size_px=size, pen_width_px=2, margin_px=0) for size in (40, 80))

    for one, two in zip(small.shape, large.shape, strict=True):
        assert two - 2 == pytest.approx(2 * (one - 2), abs=2)


@pytest.mark.parametrize(
    "ink",
    [
        Ink((line((3, 3)),)),
        Ink((line((3, 3)), line((3, 3)))),
        Ink((line((0, 0), (1e6, 0)),)),
        Ink((line((0, 0)), line((1e6, 0)))),
        Ink((line((1e-6, 0), (0, 1e-6)),)),
        Ink((line((-1e37, 0), (1e37, 0)),)),
    ],
)
def test_degenerate_ink_is_drawn_all_the_same(ink: Ink) -> None:
    """A dot, dots on one spot, and strokes of extreme extent give a picture of sound size with ink on it."""
    picture = rasterize(ink)

    assert max(picture.shape) <= 8192 + 16
    assert picture.max() > 0.5
    assert np.isfinite(picture).all()
