"""The errors a user can cause: each carries one sentence that names the thing and what is allowed."""


class InktexError(Exception):
    """Base of all errors of Inktex; the command line prints it and exits with code 2."""


class LatexError(InktexError):
    """LaTeX that is malformed or outside the supported dialect."""


class InkError(InktexError):
    """Ink (InkML or JSON strokes) that cannot be read."""


class ImageError(InktexError):
    """A file or buffer that cannot be read as a picture."""


class DataError(InktexError):
    """A data set, caption file or archive that cannot be used."""


class FileError(InktexError):
    """A file or folder that cannot be written."""


class VocabularyError(InktexError):
    """A token or id the vocabulary does not hold, or a damaged vocabulary."""


class BundleError(InktexError):
    """A model bundle that is missing, incomplete or altered."""


class RunError(InktexError):
    """A training run folder that is missing, incomplete or does not fit."""


class ServiceError(InktexError):
    """A service that does not answer, or answers that it cannot read what was sent."""


class ConfigError(InktexError):
    """A configuration that names an unknown key or holds a value that is not allowed."""
