"""What requests and answers look like, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from inktex.service.outputs import OUTPUTS
from inktex.service.parsing import MOST_ALTERNATIVES, XML_TYPES


class Detail(BaseModel):
    """A token of a reading."""

    token: str
    confidence: float = Field(description="its probability, 0 to 1")
    box: list[float] | None = Field(
        description="left, top, right, bottom: in pixels of the picture or in units of the strokes; null for "
        "tokens that nobody writes"
    )


class Alternative(BaseModel):
    """Another reading."""

    latex: str
    confidence: float
    tokens: list[str]
    mathml: str | None = None
    formats: dict[str, str | None] | None = None


class Answer(BaseModel):
    """A reading."""

    request_id: str
    latex: str = Field(description="as a person would type it")
    confidence: float = Field(description="how often readings like this one are right, 0 to 1")
    bounded: bool = Field(description="whether a bound on length or repetition cut it short or bent it")
    tokens: list[str] = Field(description="as the model wrote it")
    alternatives: list[Alternative] = Field(description="other readings, the best first")
    mathml: str | None = Field(None, description="where MathML was asked for")
    formats: dict[str, str | None] | None = Field(None, description="what was asked for, by name")
    details: list[Detail] | None = Field(None, description="one for every token, where they were asked for")

    model_config = {
        "json_schema_extra": {
            "example": {
                "request_id": "5f2c7c1d6d3e4b0f9a51c2d3e4f5a6b7",
                "latex": "x^2",
                "confidence": 0.93,
                "bounded": False,
                "tokens": ["x", "^", "{", "2", "}"],
                "alternatives": [{"latex": "x_2", "confidence": 0.02, "tokens": ["x", "_", "{", "2", "}"]}],
            }
        }
    }


class Conversion(BaseModel):
    """LaTeX in other formats."""

    request_id: str
    latex: str
    tokens: list[str]
    formats: dict[str, str | None] = Field(description="null where it has no form in that format")


class Model(BaseModel):
    """What the service reads with."""

    name: str
    family: str
    version: str = Field(description="of Inktex")
    parameters: int
    weights: str = Field(description="how they are stored")
    licence: str = Field(description="of the weights")
    measured: dict[str, Any] = Field(description="accuracy, as it was measured when the model was exported")
    calibrated: bool = Field(description="whether confidences are what readings are worth")
    tokens: list[str] = Field(description="all that it can write")
    formats: list[str] = Field(description="what readings can be written as")
    limits: dict[str, int] = Field(description="bounds on what may be sent")


class State(BaseModel):
    """How the service is."""

    status: str


class Problem(BaseModel):
    """Why there is no reading."""

    error: str = Field(description="one sentence")
    request_id: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is not what it says it is, or empty."},
    401: {"model": Problem, "description": "The service wants a key."},
    408: {"model": Problem, "description": "The body came too slowly."},
    413: {"model": Problem, "description": "More bytes, pixels, strokes or points than are allowed."},
    415: {"model": Problem, "description": "The type of the body is not known."},
    422: {"model": Problem, "description": "It was understood, but there is nothing to be read in it."},
    429: {"model": Problem, "description": "Too many requests of one client; see Retry-After."},
    503: {"model": Problem, "description": "Too many requests are waiting; see Retry-After."},
}

_NUMBERS = {"type": "array", "items": {"type": "number"}}
_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2}
_POINT = {
    "type": "object",
    "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
    "required": ["x", "y"],
}
_COLUMNS = {"type": "object", "properties": {"x": _NUMBERS, "y": _NUMBERS}, "required": ["x", "y"]}
_POINTS = {"type": "array", "items": {"anyOf": [_PAIR, _POINT]}}
_LISTS = {"type": "array", "items": {"anyOf": [_POINTS, _COLUMNS]}, "minItems": 1}
_ROWS = {"type": "array", "items": _NUMBERS}
_MATHPIX = {"type": "object", "properties": {"x": _ROWS, "y": _ROWS}, "required": ["x", "y"]}
_MATHPIX_TWICE = {"type": "object", "properties": {"strokes": _MATHPIX}, "required": ["strokes"]}
_OPTIONS = {
    "alternatives": {"type": "integer", "minimum": 0, "maximum": MOST_ALTERNATIVES},
    "details": {"type": "boolean"},
    "formats": {"type": "array", "items": {"enum": list(OUTPUTS)}},
}
_WITH_STROKES = {
    "type": "object",
    "title": "Strokes and options",
    "properties": {"strokes": {"anyOf": [_LISTS, _MATHPIX, _MATHPIX_TWICE]}, **_OPTIONS},
    "required": ["strokes"],
    "not": {"anyOf": [{"required": ["image"]}, {"required": ["strokeGroups"]}]},
}
_WITH_GROUPS = {
    "type": "object",
    "title": "MyScript's groups of strokes",
    "properties": {
        "strokeGroups": {
            "type": "array",
            "items": {"type": "object", "properties": {"strokes": _LISTS}, "required": ["strokes"]},
        },
        **_OPTIONS,
    },
    "required": ["strokeGroups"],
    "not": {"anyOf": [{"required": ["image"]}, {"required": ["strokes"]}]},
}
_WITH_IMAGE = {
    "type": "object",
    "title": "A picture and options",
    "properties": {
        "image": {
            "type": "string",
            "description": "data:image/png;base64,...",
            "pattern": "^data:.*;base64,",
        },
        **_OPTIONS,
    },
    "required": ["image"],
    "not": {"anyOf": [{"required": ["strokes"]}, {"required": ["strokeGroups"]}]},
}
_JSON = {"anyOf": [{**_LISTS, "title": "Strokes"}, _WITH_STROKES, _WITH_GROUPS, _WITH_IMAGE]}
_PLUS = [[[10, 30], [50, 30]], [[30, 10], [30, 50]]]
_BYTES = {"schema": {"type": "string", "format": "binary"}}

RECOGNIZE_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": _JSON,
            "examples": {
                "strokes": {"value": {"strokes": _PLUS, "details": True}},
                "points as objects": {"value": [[{"x": 10, "y": 30}, {"x": 50, "y": 30}]]},
                "as Mathpix has them": {
                    "value": {
                        "strokes": {"strokes": {"x": [[10, 50], [30, 30]], "y": [[30, 30], [10, 50]]}},
                        "formats": ["mathml"],
                    }
                },
                "as MyScript has them": {
                    "value": {"strokeGroups": [{"strokes": [{"x": [10, 50], "y": [30, 30]}]}]}
                },
            },
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": "a picture, InkML or JSON strokes",
                    },
                },
                "required": ["file"],
            }
        },
        "image/png": _BYTES,
        "image/jpeg": _BYTES,
        XML_TYPES[0]: _BYTES,
    },
}
BATCH_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/x-ndjson": {
            "schema": {
                "type": "string",
                "description": "a line for each: as the JSON of recognize, and an id",
            },
            "example": '{"id": "a", "strokes": [[[10, 30], [50, 30]]]}\n{"id": "b", "image": "data:..."}\n',
        }
    },
}
BATCH_LINES: dict[str, Any] = {
    "description": "A line for each as it is done: its index and id, and the answer or an error.",
    "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
}
CONVERT_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "latex": {"type": "string"},
                    "formats": {"type": "array", "items": {"enum": list(OUTPUTS)}},
                },
                "required": ["latex"],
            },
            "example": {"latex": "x^2", "formats": ["mathml"]},
        }
    },
}
