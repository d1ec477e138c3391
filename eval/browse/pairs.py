"""The comparisons by which a bundle chooses its samples: primary contrasts of studies, and single runs of one model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from medvision_agent.eval.browse.forms import Arm, Index, RunLine, StudyPage

__all__ = ["Pair", "pairs_of"]

_OFF, _ON = "off", "on"


@dataclass(frozen=True)
class Pair:
    """A comparison of two arms of a study, or of two single runs; both are of one model."""

    before: tuple[str, ...]
    """Keys of the runs whose loss is subtracted."""
    after: tuple[str, ...]
    words: str
    model: str = ""


def pairs_of(index: Index) -> list[Pair]:
    """Return the comparisons: the primary contrasts of studies, and runs outside studies against their model's first.

    A study without known findings gives ``off -> on`` for each model or, without these arms, each arm against the
    first.
    """
    single = [run for run in index.runs if run.study is None and not run.canary]
    return [pair for study in index.studies for pair in _of_study(study)] + list(_of_runs(single))


def _of_study(study: StudyPage) -> list[Pair]:
    arms = {arm.name: arm for arm in study.arms}
    primary = dict.fromkeys((one.before, one.after) for one in study.effects if one.primary)
    found = [_pair(arms[before], arms[after]) for before, after in primary if before in arms and after in arms]
    return found or [
        pair for model in dict.fromkeys(arm.model for arm in study.arms) for pair in _of_model(study, model)
    ]


def _of_model(study: StudyPage, model: str) -> Iterator[Pair]:
    own = {arm.condition: arm for arm in study.arms if arm.model == model}
    if _OFF in own and _ON in own:
        yield _pair(own[_OFF], own[_ON])
    else:
        first, *others = own.values()
        yield from (_pair(first, arm) for arm in others)


def _pair(before: Arm, after: Arm) -> Pair:
    return Pair(before.runs, after.runs, f"{before.condition} -> {after.condition}", after.model)


def _of_runs(runs: Sequence[RunLine]) -> Iterator[Pair]:
    """Yield each model's runs on the same data, paired with its first run without tools, or else with its first run."""
    for about in dict.fromkeys((run.model, run.source) for run in runs):
        own = [run for run in runs if (run.model, run.source) == about]
        first = next((run for run in own if run.condition == _OFF), own[0])
        yield from (
            Pair((first.key,), (run.key,), "single runs of one model", about[0]) for run in own if run is not first
        )
