"""One study as the viewer's first page shows it: its arms, and its findings."""

from collections.abc import Mapping
from pathlib import Path

from medvision_agent.eval.browse.colours import colours_of
from medvision_agent.eval.browse.forms import Arm, Effect, State, StudyPage
from medvision_agent.eval.browse.words import whole
from medvision_agent.eval.findings.find import find
from medvision_agent.eval.findings.model import Findings, Row
from medvision_agent.eval.study.plan import Plan
from medvision_agent.eval.tasks import TASKS

__all__ = ["arm_colours", "arm_name", "study_page", "with_findings"]

_LONGEST = 1000


def arm_name(plan: Plan, model: str, arm: str) -> str:
    """Return the name by which an arm is shown; it includes the model if the study has several."""
    return f"{model} {arm}" if len({cell.model for cell in plan.cells}) > 1 else arm


def arm_colours(plan: Plan) -> dict[str, str]:
    """Return the colour of each arm of a study as CSS has it, by the arm's name (``arm_name``)."""
    return colours_of([arm_name(plan, cell.model, cell.arm) for cell in plan.cells])


def study_page(folder: Path, plan: Plan, *, key: str, name: str, keys: Mapping[str, str], state: State) -> StudyPage:
    """Return the page of a study with its arms, without its findings.

    *keys* are the keys of its runs, by folder relative to the study's folder.
    """
    arms: dict[tuple[str, str], list[str]] = {}
    colours = arm_colours(plan)
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
                colour=colours[arm_name(plan, *one)],
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
    """Return a study's page with its findings; raises a MedVisionAgentError if they cannot be computed."""
    found = find([folder])
    lines = dict.fromkeys(line for one in found for line in (*_banner(one), *(caveat.text for caveat in one.caveats)))
    # With several sources, each sentence names its source.
    said = [f"{one.source}: {line}" if one.source else line for one in found for line in one.headline]
    return page.but(
        headline=tuple(whole(line, _LONGEST) for line in said),
        effects=tuple(_effect(row, one.source) for one in found for row in one.rows),
        caveats=tuple(whole(line, _LONGEST) for line in lines),
        note="",
    )


def _banner(found: Findings) -> tuple[str, ...]:
    return (found.banner,) if found.banner else ()


def _effect(row: Row, source: str) -> Effect:
    low, high = row.interval or (None, None)
    place = row.wrong_place
    return Effect(
        task=row.task,
        model=whole(row.model, _LONGEST),
        source=whole(source, _LONGEST),
        contrast=whole(row.contrast, _LONGEST),
        before=whole(row.against, _LONGEST),
        after=whole(row.arm, _LONGEST),
        primary=row.main,
        effect=row.difference,
        low=low,
        high=high,
        worst=None,
        pairs=row.n,
        subjects=row.subjects,
        wins=row.wins,
        ties=row.ties,
        losses=row.losses,
        elsewhere=place.elsewhere / place.located if place is not None and place.located else None,
        cost_ratio=row.cost_ratio,
        claim=row.claim,
        why_not="" if row.claim else row.withheld or row.reason,
    )
