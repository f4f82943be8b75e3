"""Why a request gets no reading: an HTTP status and one sentence."""

from __future__ import annotations

from enum import StrEnum

from inktex.errors import ImageError, InkError, InktexError, LatexError

GONE = 499  # nobody reads the answer any more; nginx's number, seen in the log alone


class Reason(StrEnum):
    """What is wrong, where a status alone does not tell; foreign formats have their own names for these."""

    UNAUTHORIZED = "unauthorized"
    OVERLOADED = "overloaded"
    SYNTAX = "syntax"
    TOO_LARGE = "too large"
    MISSING = "missing"
    ADDRESS = "address"
    KIND = "kind"
    PICTURE = "picture"
    CONFIDENCE = "confidence"
    INK = "ink"
    OPTION = "option"
    OTHER = "other"


class RequestError(InktexError):
    """A request that is not answered as it was meant.

    Args:
        status: of HTTP.
        sentence: for the client.
        reason: what is wrong.
        retry_after_s: when it may be tried again, if that may help.

    Attributes:
        headers: of the answer: when to come again, or how to get in.
    """

    def __init__(
        self, status: int, sentence: str, reason: Reason = Reason.OTHER, retry_after_s: int | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.reason = reason
        self.headers: dict[str, str] = {}
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(retry_after_s)
        if reason is Reason.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = "Bearer"


def request_error(error: InktexError) -> RequestError:
    """Return the request error that stands for an error of what was sent."""
    if isinstance(error, RequestError):
        return error
    reasons = {ImageError: Reason.PICTURE, InkError: Reason.INK, LatexError: Reason.SYNTAX}
    return RequestError(422, str(error), reasons.get(type(error), Reason.OTHER))
