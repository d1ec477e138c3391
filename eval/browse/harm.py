"""The largest harm of a contrast on one sample; the table of samples shows it first when sorted by harm."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from medvision_agent.eval.browse.forms import Effect, RunLine, StudyPage
from medvision_agent.eval.browse.line import Line

__all__ = ["LinesOf", "with_worst"]

LinesOf = Callable[[str], Sequence[Line]]
"""Returns the lines of a run by its key; empty if they are not in memory."""


def with_worst(page: StudyPage, runs: Mapping[str, RunLine], lines_of: LinesOf) -> StudyPage:
    """Return a study's page in which ``worst`` of each effect is the largest increase of the loss on one sample.

    *runs* are the study's runs by their keys; *lines_of* returns the lines of a run. The loss (0 to 1) of a sample is
    its mean over the runs of an arm. ``worst`` is None if no sample has a loss in both arms.
    """
    arms = {(arm.name, arm.model): arm.runs for arm in page.arms}

    @cache
    def losses(name: str, model: str, source: str) -> Mapping[tuple[str, str], float]:
        """Return the mean losses (0 to 1) of an arm by task and sample id; an empty *source* means all sources."""
        found: dict[tuple[str, str], list[float]] = {}
        for key in arms.get((name, model), ()):
            if key in runs and source in ("", runs[key].source):
                for line in lines_of(key):
                    if line.loss is not None:
                        found.setdefault((line.task, line.id), []).append(line.loss)
        return {one: sum(every) / len(every) for one, every in found.items()}

    def worst(one: Effect) -> float | None:
        before, after = (losses(name, one.model, one.source) for name in (one.before, one.after))
        return max((after[key] - before[key] for key in after if key[0] == one.task and key in before), default=None)

    return page.but(effects=tuple(one.but(worst=worst(one)) for one in page.effects))
