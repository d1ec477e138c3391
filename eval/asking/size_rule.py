"""Whether pixel sizes can be stated to a model: checked before the first request.

Sizes, angles and distances are asked with pixel sizes in the prompt, and some tools state them too. All of them refer
to the picture as the model perceives it, so a model without a size rule can only be asked what states none: detection,
without these tools. Coordinates are relative (in pixels they need the rule too), and what other tools return in mm
does not depend on it.
"""

from collections.abc import Iterable

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.words.wording import Wording
from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.tasks import TASKS
from medvision_agent.tools.view.frames import FRAMES, MEDVISION, Frame

__all__ = ["with_size_rule"]


def with_size_rule(
    name: str, model: ModelConfig, samples: Iterable[Sample], condition: Condition, wording: Wording
) -> ModelConfig:
    """Return *model* with its size rule as plain numbers, as a run stores it.

    Raises ConfigError if something would state pixels to a model without a rule, or if its rule cannot be read.
    """
    if model.perceived is not None:
        try:
            return model.model_copy(update={"perceived": model.perceived.resolved()})
        except ConfigError as error:
            raise ConfigError(f"model {name!r}: {error}") from None
    frame = FRAMES[model.frame]
    if stating := _stating(samples, condition, wording, frame):
        without = [tool.name for tool in condition.tools if not tool.states_pixels]
        boxes = ",".join(name for name, task in TASKS.items() if task.is_box)
        instead = f"run it on --task {boxes} with --tools {','.join(without) or 'off'}"
        instead += f" and --frame {MEDVISION.name}" if frame.in_pixels else ""
        raise ConfigError(
            f"model {name!r} states no size rule, and {stating} would tell it pixel sizes of the picture as it "
            "perceives it. Give its row the key `perceived`, the rule of its own image processor, such as "
            "`perceived: {rule: processor, checkpoint: FOLDER_OR_HUB_ID}` or "
            f"`perceived: {{rule: fixed, height: 896, width: 896}}` (all rules: docs/perceived-sizes.md), or {instead}"
        )
    return model


def _stating(samples: Iterable[Sample], condition: Condition, wording: Wording, frame: Frame) -> str:
    """Name what would state pixel sizes, if anything."""
    tasks = sorted({sample.task for sample in samples})
    asked = [task for task in tasks if not TASKS[task].is_box or "_px" in wording.own.get(TASKS[task].template, "")]
    tools = [tool.name for tool in condition.tools if tool.states_pixels]
    parts = [f"the prompt of {' and '.join(asked)}"] if asked else []
    parts += [f"the coordinate convention {frame.name}"] if frame.in_pixels else []
    parts += [f"the tool{'s' if len(tools) > 1 else ''} {' and '.join(tools)}"] if tools else []
    return " and ".join(parts)
