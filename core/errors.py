"""All errors of this package: one base class, and a subclass for each kind of problem.

Contract: the message is one line (or a few) on which a user can act. It names the file and key, says what was
expected and what to do. The command line prints it without a traceback and exits with code 2.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "DamageError",
    "DataError",
    "MedVisionAgentError",
    "ProviderError",
    "StorageError",
    "ToolError",
    "ToolServiceError",
    "nearest",
]


class MedVisionAgentError(Exception):
    """Root of all errors raised on purpose by this package."""


class ConfigError(MedVisionAgentError):
    """A setting, model name, tool name or combination of options is not usable."""


class DataError(MedVisionAgentError):
    """A sample, image or data file is missing, broken or not of the documented schema."""


class ProviderError(MedVisionAgentError):
    """A model's provider refuses to work at all (bad key, unknown model): the run stops."""


class ToolError(MedVisionAgentError):
    """A tool cannot do what its arguments ask; the text goes back to the model, the sample goes on.

    ``about_image``: the arguments are valid, and the text is about the image (for example, nothing was found).
    """

    def __init__(self, message: str, *, about_image: bool = False) -> None:
        super().__init__(message)
        self.about_image = about_image


class ToolServiceError(MedVisionAgentError):
    """A service behind a tool failed, or its reply cannot be read: the sample is asked again, not scored as wrong."""


class StorageError(MedVisionAgentError):
    """A run's folder cannot be written, read or resumed."""


class DamageError(StorageError):
    """Part of a stored run is missing or was changed; the run is not read any further."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the known name nearest to *name*, or an empty string."""
    match = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {match[0]!r}?" if match else ""
