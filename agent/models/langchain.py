"""Any chat model of LangChain by its import path."""

from importlib.metadata import packages_distributions, version
from typing import Any, Literal

from pydantic import Field

from medvision_agent.agent.models.row import EnvName, FreeSettings, Model

__all__ = ["LangChain"]


class LangChain(Model):
    """Any other chat model of LangChain, made by a function or class named by its import path.

    Its own retries and timeouts are its settings' business: turn retries off there, so that this package alone decides
    what is asked again. Where its requests go is the factory's business too: no base URL is passed on.
    """

    provider: Literal["langchain"] = "langchain"
    model: str = Field(min_length=1)
    """The id under which the model appears beside others; not passed on (give it in ``settings``)."""
    factory: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    """What makes the model: MODULE:NAME of a class or function that returns a LangChain chat model."""
    settings: FreeSettings = Field(default={})
    """Keyword arguments of the factory. Never a key: that is what ``api_key_env`` is for."""
    api_key_env: EnvName | None = None
    """Name of the environment variable with the key; null where none is needed."""
    key_argument: str = Field(default="api_key", pattern=r"^[A-Za-z_]\w*$")
    """The factory's keyword argument that takes the key."""

    def identity(self) -> dict[str, Any]:
        """Return the fields that define what is run, and the version of the package the factory is from."""
        package = self.factory.partition(".")[0].partition(":")[0]
        owners = packages_distributions().get(package, [])
        return super().identity() | {"factory_version": [f"{owner} {version(owner)}" for owner in sorted(set(owners))]}
