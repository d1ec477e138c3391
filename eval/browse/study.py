"""One study as the viewer's first page has it: its arms, and what it found."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from medvision_agent.eval.browse.forms import Arm, Effect, State, StudyPage
from medvision_agent.eval.browse.words import whole
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.model import Chapter, Contrast
from medvision_agent.eval.study.plan import Plan
from medvision_agent.eval.tasks import TASKS

__all__ = ["arm_name", "study_page"]

_LONGEST = 1000


def arm_name(plan: Plan, model: str, arm: str) -> str:
    """Return what an arm is called: with its model, where there are several."""
    return f"{model} {arm}" if len({cell.model for cell in plan.cells}) > 1 else arm


def study_page(folder: Path, plan: Plan, *, key: str, name: str, keys: Mapping[str, str], state: State) -> StudyPage:
    """Return the arms of a study, without what it found.

    *keys* are those of its runs, by their folder relative to the study's.
    """
    arms: dict[tuple[str, str], list[str]] = {}
    for cell in plan.cells:
        own = arms.setdefault((cell.model, cell.arm), [])
        own += [keys[cell.folder]] if cell.folder in keys else []
    return StudyPage(
        key=key,
        name=whole(name or folder.name, _LONGEST),
        arms=tuple(
            Arm(
                name=whole(arm_name(plan, *one), _LONGEST),
                model=whole(one[0], _LONGEST),
                condition=one[1],
                runs=tuple(own),
            )
            for one, own in arms.items()
        ),
        tasks=tuple(task for task in TASKS if any(task in one.tasks for one in plan.sources)),
        headline=(),
        effects=(),
        caveats=(),
        state=state,
        note="",
    )


def with_findings(page: StudyPage, folder: Path) -> StudyPage:
    """Return a study's page with what it found; raises a MedVisionAgentError where nothing can be said."""
    chapters = collect([folder], most_pictures=0).chapters
    effects = tuple(one for chapter in chapters for one in _effects(chapter))
    caveats = dict.fromkeys(line for chapter in chapters for line in (*chapter.no_claim, *chapter.picture_notes))
    return page.but(effects=effects, caveats=tuple(whole(line, _LONGEST) for line in caveats), note="")


def _effects(chapter: Chapter) -> Iterator[Effect]:
    primaries: Sequence[str] = chapter.plan.get("primaries") or ()
    for contrast in chapter.contrasts:
        for task, test in contrast.tests.items():
            found, differing = test.primary, test.primary.differing
            low, high = found.interval or (None, None)
            claim = (test.verdict or "").startswith("B has")
            yield Effect(
                task=task,
                model=contrast.model,
                contrast=contrast.name,
                before=contrast.a,
                after=contrast.b,
                primary=test.declared and test.contrast in primaries,
                effect=found.difference,
                low=low,
                high=high,
                pairs=found.n,
                subjects=found.subjects,
                wins=differing.b_lower if differing else 0,
                ties=differing.equal if differing else 0,
                losses=differing.b_higher if differing else 0,
                elsewhere=_elsewhere(chapter, contrast, task),
                cost_ratio=_cost_ratio(chapter, contrast, task),
                claim=claim,
                why_not="" if claim else _why_not(contrast, test.verdict_words, found.withheld),
            )


def _why_not(contrast: Contrast, verdict: str, withheld: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, (*contrast.no_claim, contrast.by_construction, withheld, verdict))))


def _elsewhere(chapter: Chapter, contrast: Contrast, task: str) -> float | None:
    place = chapter.places.get(contrast.b, {}).get(task)  # type: ignore[call-overload]
    located = place.right + place.elsewhere if place is not None else 0
    return place.elsewhere / located if place is not None and located else None


def _cost_ratio(chapter: Chapter, contrast: Contrast, task: str) -> float | None:
    efforts = {arm.arm: arm.effort for one in chapter.tasks if one.task == task for arm in one.arms}
    if contrast.a not in efforts or contrast.b not in efforts:
        return None
    a, b = efforts[contrast.a], efforts[contrast.b]
    for field in ("cost_usd", "output_tokens"):
        before, after = getattr(a, field).mean, getattr(b, field).mean
        if before and after is not None:
            return float(after / before)
    return None
