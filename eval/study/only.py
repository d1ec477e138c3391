"""Models of a study that are asked only some of its arms or tasks (the key `only`)."""

from collections.abc import Mapping

from medvision_agent.agent.made import MADE
from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.asking.chosen import Chosen
from medvision_agent.eval.data.samples import Picked
from medvision_agent.eval.study.schema import Arm, Study, source_arm

__all__ = ["arms_of", "samples_of"]


def arms_of(study: Study, model: str, arms: Mapping[str, Arm]) -> dict[str, Arm]:
    """Return the arms, by name, in which *model* is asked, in their order.

    Raises ConfigError for an unknown arm, and for one made from an arm in which the model is not asked.
    """
    only = study.only.get(model)
    if only is None or only.arms is None:
        return dict(arms)
    for name in only.arms:
        if name not in arms:
            raise ConfigError(
                f"only.{model}.arms: no arm is called {name!r}; known: {', '.join(arms)}.{nearest(name, arms)}"
            )
    own = {name: arm for name, arm in arms.items() if name in only.arms}
    for name, arm in own.items():
        if arm.tools in MADE and source_arm(name) not in own:
            raise ConfigError(
                f"only.{model}.arms: the arm {name!r} is made from the answers of {source_arm(name)!r}, which is not "
                f"named; name {source_arm(name)!r} too"
            )
    return own


def samples_of(study: Study, model: str, chosen: Chosen, source: str) -> Chosen:
    """Return those of the *chosen* samples of a source that *model* is asked; raises ConfigError if none remains."""
    only = study.only.get(model)
    if only is None or only.tasks is None:
        return chosen
    rows = [row for row, sample in enumerate(chosen.samples) if sample.task in only.tasks]
    if not rows:
        raise ConfigError(
            f"only.{model}.tasks: {source} has no sample of {', '.join(only.tasks)} among those that the study "
            "chooses; name another task, or choose more samples"
        )
    return Chosen(chosen.source, Picked(chosen.samples, rows), checked=chosen.checked)
