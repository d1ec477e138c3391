"""A stored run's settings, to run it again: the same model row, samples, prompts and limits.

Contract: everything comes from the store, the model's row included, whatever the catalogue says by now. Files the run
read (data, a prompt file, a script) must still be there; paths are as they were given. What has changed all the same
shows in the new run's identity, and is told by ``changes``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.launch import Settings
from medvision_agent.eval.compare.parity import TOOL_FIELDS
from medvision_agent.eval.data.medvision.source import Reading
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.store.run import Run
from medvision_agent.tools.view.geometry import Size

__all__ = ["changes", "settings_of"]


def settings_of(run: Run, out: Path, tools: str | None = None) -> Settings:
    """Return the settings that made *run*, for a new one in *out*; *tools* names another condition."""
    config = run.config
    try:
        return Settings(
            model=config["model_name"],
            row=MODEL_CONFIG.validate_python(config["model"]),
            out=out,
            tools=tools or config["tools"],
            data=config["data"],
            selection=Selection(**{name: _tuples(value) for name, value in config["selection"].items()}),
            reading=Reading(**config["reading"] | {"subjects": _path(config["reading"]["subjects"])}),
            recipe=config["recipe"],
            form=config["form"],
            spacing=config["spacing"],
            overlays=config["overlays"],
            paragraph=config["paragraph"],
            prompt_file=_path(config["prompt_file"]),
            reshape=Size(*config["reshape"]) if config["reshape"] else None,
            limits=Limits.model_validate(config["limits"]),
            max_connections=config["max_connections"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{run.folder}: its settings cannot be used again ({type(error).__name__}: {error}); it was stored by "
            "another version: repeat its command"
        ) from None


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the fields of a run's identity, besides its tool condition, that are not what they were."""
    fields = (before.keys() | now.keys()) - TOOL_FIELDS
    return sorted(field for field in fields if before.get(field) != now.get(field))


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
