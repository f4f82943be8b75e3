"""LaTeX tokens -> spoken English."""

from inktex.notations.speech.printer import to_speech

__all__ = ["to_speech"]
