"""What the service tells of its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inktex import __version__
from inktex.recognition.bundle import Bundle
from inktex.service.options import ServiceOptions
from inktex.service.outputs import OUTPUTS


def model_description(bundle: Bundle, options: ServiceOptions) -> dict[str, Any]:
    """Return name, tokens, measured accuracy and licence of a model, and what may be sent to it."""
    metadata = bundle.metadata
    return {
        "name": Path(bundle.source).name,
        "family": metadata.family,
        "version": __version__,
        "parameters": metadata.parameters,
        "weights": metadata.weights,
        "licence": metadata.licence,
        "measured": metadata.training.get("metrics", {}),
        "calibrated": metadata.calibration is not None,
        "tokens": bundle.vocabulary.decode(range(len(bundle.vocabulary))),
        "formats": list(OUTPUTS),
        "limits": {
            "file_bytes": options.limits.file_bytes,
            "pixels": options.limits.pixels,
            "strokes": options.limits.strokes,
            "points": options.limits.points,
        },
    }
