"""MyScript's form: its addresses, types, signatures and errors, and JIIX."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")
from fastapi.testclient import TestClient

from inktex.image.box import Box
from inktex.latex.tokens import tokenize
from inktex.mathml import to_mathml
from inktex.recognition.result import Recognition, TokenDetail
from inktex.service.app import create_app
from inktex.service.formats.jiix import jiix
from inktex.service.options import ServiceOptions
from stub_recognizer import StubRecognizer

BATCH, RECOGNIZE = "/api/v4.0/iink/batch", "/api/v4.0/iink/recognize"
STROKES = [
    {"id": "a", "pointerType": "PEN", "x": [10, 50], "y": [30, 30], "t": [0, 9], "p": [0.5, 0.5]},
    {"id": "b", "pointerType": "PEN", "x": [30, 30], "y": [10, 60], "t": [20, 29], "p": [0.5, 0.5]},
]
BODIES: dict[str, dict[str, Any]] = {
    BATCH: {
        "configuration": {"lang": "en_US", "math": {"mimeTypes": ["application/x-latex"]}},
        "xDPI": 96,
        "yDPI": 96,
        "contentType": "Math",
        "width": 400,
        "height": 200,
        "strokeGroups": [{"penStyle": "", "strokes": STROKES}],
    },
    RECOGNIZE: {
        "configuration": {"lang": "en_US", "math": {"mimeTypes": ["application/x-latex"]}},
        "scaleX": 0.265,
        "scaleY": 0.265,
        "contentType": "Math",
        "strokes": STROKES,
    },
}


def make_client(stub: Any = None, **options: Any) -> TestClient:
    app = create_app(stub or StubRecognizer(), ServiceOptions(**options))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with make_client() as client:
        yield client


@pytest.mark.parametrize("address", BODIES)
@pytest.mark.parametrize(
    ("accept", "kind", "text"),
    [
        ("application/json,application/x-latex", "application/x-latex", "2"),
        ("application/mathml+xml", "application/mathml+xml", to_mathml(["2"])),
        ("", "application/x-latex", "2"),
    ],
)
def test_the_answer_is_the_type_that_was_asked_for(
    client: TestClient, address: str, accept: str, kind: str, text: str
) -> None:
    """The body is LaTeX or MathML as such, by the header or else by the configuration."""
    answer = client.post(address, json=BODIES[address], headers={"accept": accept})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.text == text


@pytest.mark.parametrize("address", BODIES)
def test_jiix_has_boxes_in_millimetres_where_they_are_wanted(address: str) -> None:
    """Ink is read in millimetres, by dots per inch or by scale, and so are boxes."""
    stub = StubRecognizer()
    body = BODIES[address] | {"configuration": {"export": {"jiix": {"bounding-box": True}}}}
    with make_client(stub) as client:
        answer = client.post(address, json=body, headers={"accept": "application/vnd.myscript.jiix"})

    (ink,) = stub.sources
    mm = 25.4 / 96 if address == BATCH else 0.265
    assert ink.bounds() == pytest.approx((10 * mm, 10 * mm, 50 * mm, 60 * mm), rel=1e-5)  # type: ignore[union-attr]
    values = json.loads(answer.text)
    assert values["bounding-box"] == {"x": 0, "y": 0, "width": 1, "height": 2}
    assert values["expressions"][0]["label"] == "2"


def test_the_version_is_told(client: TestClient) -> None:
    """Clients ask for the version before they ask for anything else."""
    assert set(client.get("/api/v4.0/iink/version").json()) == {"version", "gitCommit", "nativeVersion"}


def signed(body: bytes, application: str, secret: str) -> dict[str, str]:
    mac = hmac.new((application + secret).encode(), body, hashlib.sha512).hexdigest()
    return {"applicationKey": application, "hmac": mac, "accept": "application/x-latex"}


def test_signatures_are_checked_where_there_are_keys() -> None:
    """With keys a body has to be signed by one of them; another body, key or no signature is refused."""
    body = json.dumps(BODIES[BATCH]).encode()
    with make_client(keys=("one", "two")) as client:
        answers = [
            client.post(BATCH, content=body, headers=headers)
            for headers in (
                signed(body, "app", "two"),
                signed(body, "app", "three"),
                signed(body + b" ", "app", "two"),
                {"applicationKey": "two"},
            )
        ]

    assert [answer.status_code for answer in answers] == [200, 401, 401, 401]
    assert answers[1].json()["code"] == "access.not.granted"
    assert answers[1].json()["message"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"contentType": "Text"}, 400, "bad.request"),
        ({"strokeGroups": []}, 422, "no.strokes"),
        ({"strokeGroups": [{"strokes": [{"x": [1], "y": []}]}]}, 422, "invalid.strokes"),
        ({"xDPI": 0}, 400, "bad.request"),
        ({"xDPI": "96"}, 400, "bad.request"),
        ({"yDPI": True}, 400, "bad.request"),
    ],
)
def test_what_is_wrong_has_a_code(client: TestClient, change: Any, status: int, code: str) -> None:
    """Errors have a status, a code and a sentence."""
    answer = client.post(BATCH, json=BODIES[BATCH] | change)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message"}


def test_types_that_are_not_written_are_refused(client: TestClient) -> None:
    """A type that the service does not write is 406, and the sentence names those that it does."""
    answer = client.post(BATCH, json=BODIES[BATCH], headers={"accept": "image/png"})

    assert answer.status_code == 406
    assert "application/x-latex" in answer.json()["message"]


def expression(latex: str) -> dict[str, Any]:
    (found,) = jiix(Recognition(tuple(tokenize(latex)), 1.0))["expressions"]
    return found


def outline(values: dict[str, Any]) -> Any:
    """An expression as nested pairs of type and operands, or label where there are none."""
    below = values.get("operands")
    return (values["type"], [outline(each) for each in below]) if below else (values["type"], values["label"])


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("x", ("symbol", "x")),
        ("12.5", ("number", "12.5")),
        ("x + 12", ("group", [("symbol", "x"), ("symbol", "+"), ("number", "12")])),
        (r"\frac { 1 } { x }", ("fraction", [("number", "1"), ("symbol", "x")])),
        (
            r"\sqrt { x + 1 }",
            ("square root", [("group", [("symbol", "x"), ("symbol", "+"), ("number", "1")])]),
        ),
        (r"\sqrt [ 3 ] { x }", ("nth root", [("number", "3"), ("symbol", "x")])),
        ("x ^ { 2 }", ("superscript", [("symbol", "x"), ("number", "2")])),
        ("x _ { i }", ("subscript", [("symbol", "x"), ("symbol", "i")])),
        ("x _ { i } ^ { 2 }", ("subsuperscript", [("symbol", "x"), ("symbol", "i"), ("number", "2")])),
        (
            r"\lim \limits _ { x } y",
            ("group", [("underscript", [("symbol", r"\lim"), ("symbol", "x")]), ("symbol", "y")]),
        ),
        (r"\left( x \right)", ("fence", [("symbol", "x")])),
    ],
)
def test_expressions_have_types_and_operands(latex: str, expected: Any) -> None:
    """The tree of an expression is that of its LaTeX, with digits put together."""
    assert outline(expression(latex)) == expected


def test_numbers_have_values_and_fences_their_signs() -> None:
    """A number has its value, each leaf its symbol, a fence both its signs, a matrix rows of cells."""
    assert expression("12.5")["value"] == 12.5
    assert expression("12")["symbols"] == [{"symbol": digit, "candidates": [digit]} for digit in "12"]
    fence = expression(r"\left[ x \right)")
    assert (fence["open symbol"], fence["close symbol"]) == ("[", ")")
    matrix = expression(r"\begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix}")
    assert [[cell["label"] for cell in row["cells"]] for row in matrix["rows"]] == [["1", "2"], ["3", "4"]]


def test_an_expression_stands_where_its_tokens_do() -> None:
    """The box of an expression is that round the boxes of its tokens."""
    tokens = tuple(tokenize(r"\frac { 1 } { x } + y"))
    boxes = dict(zip(tokens, [Box(i, i, i + 1, i + 2) for i in range(len(tokens))], strict=True))
    details = tuple(TokenDetail(each, 1.0, None if each in "{}" else boxes[each]) for each in tokens)

    values = jiix(Recognition(tokens, 1.0, details=details), boxes=True)

    fraction, plus, _ = values["expressions"][0]["operands"]
    places = [boxes[each] for each in (r"\frac", "1", "x")]
    left, right = min(box.left for box in places), max(box.right for box in places)
    assert (fraction["bounding-box"]["x"], fraction["bounding-box"]["width"]) == (left, right - left)
    assert plus["bounding-box"]["x"] == boxes["+"].left


def test_malformed_latex_is_told_as_a_label_alone() -> None:
    """What grammar would not have written has no expressions, but a label."""
    values = jiix(Recognition(("{", "x"), 1.0))

    assert values["expressions"] == []
    assert values["label"]
