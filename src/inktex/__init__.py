"""Handwritten mathematics in (a picture or pen strokes), LaTeX out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inktex.client import Client as Client
    from inktex.recognition.recognizer import Recognizer as Recognizer
    from inktex.recognition.result import Recognition as Recognition

__version__ = "0.1.0"
__all__ = ["Client", "Recognition", "Recognizer", "__version__"]


def __getattr__(name: str) -> Any:
    """Import recognizer and client when they are first asked for, so that ``import inktex`` stays light."""
    if name == "Client":
        from inktex.client import Client

        return Client
    if name in ("Recognition", "Recognizer"):
        from inktex.recognition import recognizer

        return getattr(recognizer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
