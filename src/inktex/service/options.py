"""What a service is told: who may ask, how much at a time, and how long that may take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inktex.errors import ConfigError
from inktex.limits import Limits


class PredictFormat(StrEnum):
    """Whose form ``/predict/`` answers in."""

    PIX2TEX = "pix2tex"
    IMAGE_TO_LATEX = "image-to-latex"


# What strangers may send at a time: a photo of a telephone, or a page of ink.
SERVICE_LIMITS = Limits(file_bytes=16 * 2**20, strokes=2_000, points=50_000)


@dataclass(frozen=True)
class ServiceOptions:
    """How a service behaves.

    Attributes:
        limits: bounds on a picture and on an ink, checked before anything is decoded or drawn.
        ink_bytes: of InkML, and of JSON that holds no picture.
        batch_bytes: of the lines of a batch.
        batch_lines: of a batch.
        latex_tokens: of LaTeX that is to be converted.
        keys: any of them lets a client in; without keys everybody may ask.
        cors: origins whose pages may ask, besides the service's own; ``*`` is all.
        root_path: where a reverse proxy has put the service, such as ``/inktex``.
        predict_format: whose form ``/predict/`` answers in.
        buffered_bytes: of all bodies together that are not answered yet; more are refused.
        waiting: requests that may wait to be read; more are refused.
        together: requests that are handed to the recognizer at a time.
        linger_s: how long a request waits for others to be read with, where the one before had company.
        timeout_s: within which a request is answered.
        body_timeout_s: within which the body of a request has to be there.
        rate_per_s: requests a second of one address in the long run; 0 is any number.
        burst: requests of one address at once, where there is a rate.

    Raises:
        ConfigError: a value that is not allowed.
    """

    limits: Limits = SERVICE_LIMITS
    ink_bytes: int = 2 * 2**20
    batch_bytes: int = 64 * 2**20
    batch_lines: int = 256
    latex_tokens: int = 500
    keys: tuple[str, ...] = ()
    cors: tuple[str, ...] = ()
    root_path: str = ""
    predict_format: PredictFormat = PredictFormat.PIX2TEX
    buffered_bytes: int = 256 * 2**20
    waiting: int = 64
    together: int = 32
    linger_s: float = 0.004
    timeout_s: float = 30.0
    body_timeout_s: float = 20.0
    rate_per_s: float = 0.0
    burst: int = 60

    def __post_init__(self) -> None:
        for name in (
            "ink_bytes",
            "batch_bytes",
            "batch_lines",
            "latex_tokens",
            "waiting",
            "together",
            "burst",
        ):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("timeout_s", "body_timeout_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be above 0, got {getattr(self, name)}")
        if not self.rate_per_s >= 0:
            raise ConfigError(f"rate_per_s must be 0 or more, got {self.rate_per_s}")
        if not all(self.keys):
            raise ConfigError("an API key must not be empty")
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise ConfigError(f"the root path must begin with / and not end with it, got {self.root_path!r}")
