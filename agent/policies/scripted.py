"""``scripted``: replays given turns, for tests and demonstrations.

The script is a JSON list of turns. A turn is a final text, or a list of tool calls ``{"name": ..., "args": {...}}``
made in one message. Turn k of the script answers the k-th request of every conversation; after the last turn, that
one is repeated.
"""

from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from medvision_agent.agent.policies.policy import OfflineModel
from medvision_agent.errors import ConfigError
from medvision_agent.settings_text import read_json

__all__ = ["Scripted", "ScriptedCall", "Turns", "read_script"]


class ScriptedCall(BaseModel):
    """One tool call of a script."""

    model_config = ConfigDict(extra="forbid")

    name: str
    args: dict[str, Any] = {}


Turns = list[str | list[ScriptedCall]]
_FORM = (
    "A script is a JSON list of turns; a turn is a text, or a list of calls made together: "
    '[[{"name": "crop", "args": {"x0": 0.1, "y0": 0.1, "x1": 0.5, "y1": 0.5}}], "<answer> 12.50 </answer>"]'
)


def _wrong(error: Exception) -> str:
    """Return what is wrong with a script, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    place = next(iter(error.errors()))["loc"]
    return f"turn {int(place[0]) + 1} is neither a text nor a list of calls" if place else "it is no list"


def read_script(path: Path) -> Turns:
    """Return the turns of a script; raises ConfigError for a file that cannot be read, is no script, or is empty."""
    try:
        turns = TypeAdapter(Turns).validate_python(read_json(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise ConfigError(f"{path}: not a valid script: {_wrong(error)}. {_FORM}") from error
    if not turns:
        raise ConfigError(f"{path}: the script is empty; it needs at least one turn")
    return turns


class Scripted(OfflineModel):
    """An offline model that replays the turns of its script in every conversation."""

    turns: Turns

    def next_message(self, messages: list[BaseMessage], **kwargs: Any) -> AIMessage:  # noqa: ARG002
        """Return the turn of the script that follows the model messages so far; after the last turn, that one again."""
        spoken = sum(isinstance(message, AIMessage) for message in messages)
        turn = self.turns[min(spoken, len(self.turns) - 1)]
        if isinstance(turn, str):
            return AIMessage(turn)
        return self.calls([(call.name, call.args) for call in turn], messages)
