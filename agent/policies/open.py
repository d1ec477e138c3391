"""Open the shipped offline models by name, each answering in the coordinate frame of its row.

Policies work in MedVision's frame. A policy's tool calls, the replies it reads and its final box are converted on
the way, as a model would write and read them. Sizes are those of the images as sent, which is what the offline
models perceive.
"""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel

from medvision_agent.agent.policies.oracle import oracle, prior
from medvision_agent.agent.policies.policy import Look, Policy, PolicyModel, Reading
from medvision_agent.agent.policies.scripted import Scripted, read_script
from medvision_agent.errors import ConfigError
from medvision_agent.tools.view.frames import FRAMES, MEDVISION, Frame
from medvision_agent.tools.view.geometry import Size

if TYPE_CHECKING:
    from medvision_agent.agent.models import Offline

__all__ = ["build", "translated"]


def build(config: "Offline") -> BaseChatModel:
    """Return the chat model of an offline row; raises ConfigError for a scripted model without a readable script."""
    if config.name == "scripted":
        if config.script is None:
            raise ConfigError(
                "model 'scripted': the key script is missing from its row; give the path of a JSON file of turns "
                "there, or by --script FILE"
            )
        return Scripted(name=config.model, turns=read_script(Path(config.script)))
    frame = FRAMES[config.frame]
    return PolicyModel(name=config.model, policy=translated(_policy(config.name), frame), frame=frame)


def _policy(name: str) -> Policy:
    if name == "cv":
        from medvision_agent.agent.policies.cv import baseline_cv  # noqa: PLC0415 - OpenCV is for this one only

        return baseline_cv
    return {"prior": prior, "oracle": oracle}[name]


_BOXES = ("v0_", "box_", "v0_box_")
"""Prefixes of a result's keys for the corners of a box, lower values first in every frame."""


def translated(policy: Policy, frame: Frame) -> Policy:
    """Return a policy that decides as *policy* does, but whose calls, replies and final box are in *frame*."""
    if frame == MEDVISION:
        return policy

    def speaking(look: Look) -> Generator[tuple[str, dict[str, Any]], Reading, str]:
        sizes = {"v0": Size(*look.picture().shape)}
        play = policy(look)
        try:
            name, arguments = next(play)
            while True:
                source = str(arguments.get("view", "v0"))
                reading = yield name, _converted(arguments, sizes, source, MEDVISION, frame)
                if "error" not in reading:
                    shown = str(reading.get("view", source))
                    if "width_px" in reading:
                        sizes[shown] = Size(reading["height_px"], reading["width_px"])
                    reading = _sorted(_converted(reading, sizes, shown, frame, MEDVISION))
                name, arguments = play.send(reading)
        except StopIteration as done:
            return str(done.value)

    return speaking


def _converted(
    values: Mapping[str, Any], sizes: Mapping[str, Size], view: str, old: Frame, new: Frame
) -> dict[str, Any]:
    """Return *values* with every point converted from the frame *old* to *new*; *sizes* are those of views by id.

    Points belong to v0 if named ``v0_...``, else to *view*.
    """
    changed = dict(values)
    for x, y in _points(values):
        size = sizes["v0" if x.startswith("v0_") else view]
        changed[x], changed[y] = new.from_unit(*old.to_unit(values[x], values[y], size), size)
    return changed


def _points(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names of x and y of every point: ``x0`` and ``y0``, ``seed_x`` and ``seed_y``, ..."""
    for name in values:
        stem = name.rstrip("0123456789")
        other = f"{stem[:-1]}y{name[len(stem) :]}"
        if stem.endswith("x") and other in values:
            yield name, other


def _sorted(reading: Reading) -> Reading:
    """Return a reading in which the lower value of each pair of box sides comes first, as the frame requires."""
    for prefix in _BOXES:
        for axis in "xy":
            low, high = f"{prefix}{axis}0", f"{prefix}{axis}1"
            if low in reading and high in reading:
                reading[low], reading[high] = sorted((reading[low], reading[high]))
    return reading
