"""The policies shipped with the package."""

from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from medvision_agent.agent.models.row import Model
from medvision_agent.tools.view.perceived import Native

__all__ = ["Offline"]


class Offline(Model):
    """A policy shipped with the package: needs no network, no key, and is the same everywhere."""

    provider: Literal["offline"] = "offline"
    name: Literal["prior", "cv", "oracle", "scripted"]
    """Which policy answers."""
    perceived: Native = Native()
    """The policies look at the pixels sent."""
    script: str | None = None
    """File of replies for the scripted policy."""

    def identity(self) -> dict[str, Any]:
        """Return the fields that define what is run; of a script, what it says and not where it lies."""
        fields = super().identity()
        if self.script is not None:
            fields["script"] = sha256(Path(self.script).read_bytes()).hexdigest()
        return fields

    @property
    def model(self) -> str:
        """Return the id under which the policy appears beside other models."""
        return f"offline/{self.name}"
