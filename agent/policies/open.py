"""The shipped offline models by name."""

from pathlib import Path
from typing import TYPE_CHECKING

from langchain_core.language_models import BaseChatModel

from medvision_agent.agent.policies.oracle import oracle
from medvision_agent.agent.policies.policy import Policy, PolicyModel
from medvision_agent.agent.policies.prior import prior
from medvision_agent.agent.policies.scripted import Scripted, read_script
from medvision_agent.agent.policies.translated import translated
from medvision_agent.errors import ConfigError
from medvision_agent.tools.view.frames import FRAMES

if TYPE_CHECKING:
    from medvision_agent.agent.models import Offline

__all__ = ["build"]


def build(config: "Offline") -> BaseChatModel:
    """Return the chat model of an offline row; raises ConfigError for a scripted one without a script."""
    if config.name == "scripted":
        if config.script is None:
            raise ConfigError(
                "model 'scripted': key script is missing; give the path of a JSON file of turns (--script FILE)"
            )
        return Scripted(name=config.model, turns=read_script(Path(config.script)))
    frame = FRAMES[config.frame]
    return PolicyModel(name=config.model, policy=translated(_policy(config.name), frame), frame=frame)


def _policy(name: str) -> Policy:
    if name == "cv":
        from medvision_agent.agent.policies.cv import baseline_cv  # noqa: PLC0415 - OpenCV is for this one only

        return baseline_cv
    return {"prior": prior, "oracle": oracle}[name]
