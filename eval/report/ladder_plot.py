"""The ladder of losses of a study: its contrasts with control arms that divide a gain into steps."""

from collections.abc import Mapping, Sequence

from medvision_agent.agent.made import MADE, MATCHED, RESULT_ONLY, THINKING
from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.figures.ladder import Rung
from medvision_agent.eval.figures.ladder import ladder as drawn
from medvision_agent.eval.report.links import Links
from medvision_agent.eval.report.model import Chapter, Contrast
from medvision_agent.eval.report.tables import marked, slug
from medvision_agent.eval.report.unseen import CONSTANT
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.tasks import TaskName

__all__ = ["ladder", "rung_of"]

_ALL = "all that tools change"
_WORDS = {
    "picture": "the image",
    "off": _ALL,
    "again": "tools, beyond more turns",
    **dict.fromkeys(MATCHED, "tools, beyond as many tokens"),
    THINKING: "tools, beyond as much thinking",
    "blind:all": "what tools return",
    RESULT_ONLY: "calling tools, beyond their results",
    "results": "results of tools, handed over",
    "blind:pictures": "images that tools return",
    "blank": "what images of tools show",
    "same-region": "new detail in images",
    "blind:numbers": "numbers that tools return",
}
"""What the second arm of each rung has and the first lacks, in the order of the rungs."""
_ORDER = list(_WORDS)


def rung_of(a: Identity, b: Identity) -> str:
    """Return which rung of the ladder a contrast of arms *a* and *b* is, as a key of ``_WORDS``; empty if it is none.

    A control that misinforms is not a rung: it tests trust, not the worth of tools.
    """
    if a.picture != b.picture:
        return "picture" if b.picture == "own" else ""
    if b.condition == RESULT_ONLY:
        return "results" if a.without_tools else ""
    if not b.tools or b.control or b.again:
        return ""
    if a.again:
        return "again"
    made = a.condition if a.condition in MADE else ""
    found = "off" if a.without_tools else a.control or made
    return found if found in _WORDS else ""


def ladder(chapter: Chapter, place: str, links: Links) -> Figure | None:
    """Return the ladder of losses, a panel for each task and model; None if no panel has two rungs.

    *place* is the prefix of its id.
    """
    arms = {arm: next(run.identity for run in chapter.runs if run.of == arm) for arm in chapter.arms}
    several = len({one.model for one in chapter.contrasts}) > 1
    panels: dict[str, list[Rung]] = {}
    priors: dict[str, tuple[str, float]] = {}
    for model in dict.fromkeys(one.model for one in chapter.contrasts):
        kinds = _kinds([one for one in chapter.contrasts if one.model == model], arms)
        for data in chapter.tasks:
            rungs = list(filter(None, (_rung(one, data.task, kind, arms, links) for one, kind in kinds)))
            if len(rungs) > 1:
                title = f"{data.task}, {model}" if several else str(data.task)
                panels[title] = rungs
                own = [one for one in chapter.contrasts if one.metrics.get(data.task)]
                best = next((one.means["loss"].mean for one in data.references if one.name == CONSTANT), None)
                if best is not None and not own:
                    priors[title] = (CONSTANT, best)
    if not panels:
        return None
    title = marked(chapter, "what each control says a gain is made of")
    return drawn(slug(place, "ladder"), title, panels, priors)


def _kinds(contrasts: Sequence[Contrast], arms: Mapping[str, Identity]) -> list[tuple[Contrast, str]]:
    """Return the contrasts that are rungs, each with the name of its rung, in the order of the ladder.

    Of several contrasts with an arm without tools, the one with the most tools is taken.
    """
    found = [(one, kind) for one in contrasts if (kind := rung_of(arms[one.a], arms[one.b]))]
    most = max((len(arms[one.b].tools) for one, kind in found if kind == "off"), default=0)
    kept = [(one, kind) for one, kind in found if kind != "off" or len(arms[one.b].tools) == most]
    return sorted(kept, key=lambda pair: _ORDER.index(pair[1]))


def _rung(one: Contrast, task: TaskName, kind: str, arms: Mapping[str, Identity], links: Links) -> Rung | None:
    means, test = one.means.get(task), one.tests.get(task)
    if means is None or test is None or means.loss_a is None or means.loss_b is None:
        return None
    words = _WORDS[kind]
    if kind == "picture":
        words = f"{words}, {'with' if arms[one.b].tools else 'without'} tools"
    found = test.primary
    mean, href = (means.loss_a, means.loss_b), links.pair(one.b, one.a, task)
    return Rung(words, (one.a, one.b), mean, found.interval, n=found.n, subjects=found.subjects, href=href)
