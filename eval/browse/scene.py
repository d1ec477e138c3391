"""The canvas of a conversation. A placeholder."""

from collections.abc import Mapping

from medvision_agent.eval.browse.forms import Scene
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.tools.base import Measures

__all__ = ["native_picture", "scene_of_sample"]


def scene_of_sample(run: Run, record: Record, tools: Mapping[str, Measures]) -> Scene | str:  # noqa: ARG001
    """Return the canvas of a record's conversation, or the reason why there is none."""
    return "not drawn"


def native_picture(run: Run, record: Record) -> bytes | None:  # noqa: ARG001
    """Return the image under the canvas as a PNG file, where it was made here."""
    return None
