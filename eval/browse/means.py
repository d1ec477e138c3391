"""The results of a run's scored samples, by task, and the run's line on the viewer's first page."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.browse.feed import Feed
from medvision_agent.eval.browse.forms import Means, RunLine, State
from medvision_agent.eval.browse.line import Line
from medvision_agent.eval.browse.words import whole
from medvision_agent.eval.data.shared import shared_name
from medvision_agent.eval.listing.kept import kept, mark_of
from medvision_agent.eval.tasks import TASKS

__all__ = ["Place", "means_kept", "means_of", "run_line", "source_of"]

_LONGEST = 1000
_INFRASTRUCTURE = {outcome.value for outcome in Outcome if outcome.infrastructure}


@dataclass(frozen=True)
class Place:
    """The names by which the viewer shows one run: its key, its folder, and its study and arm if it is in a study."""

    key: str
    name: str
    study: str | None = None
    arm: str = ""
    canary: bool = False
    colour: str = ""
    """The colour of its arm in its study; empty outside a study, where it depends on everything that was opened."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The public names of the sources of its study."""


def means_of(lines: Iterable[Line]) -> tuple[Means, ...]:
    """Return the mean loss and success rate (0 to 1) of each task over its scored samples, equal to ``eval/summary``.

    A task without a scored sample has no entry.
    """
    scored: dict[str, list[Line]] = {}
    for line in lines:
        if line.loss is not None:
            scored.setdefault(line.task, []).append(line)
    return tuple(_means(task, scored[task]) for task in TASKS if task in scored)


def means_kept(feed: Feed) -> tuple[Means, ...]:
    """Return the means by task that a listing stored earlier for a run; empty if none fits the unchanged run.

    They are shown until the run is read to its end; only then do errors in its records appear.
    """
    found = kept(feed.folder, feed.rules, mark_of(feed.folder))
    return tuple(Means(task=task, **one.model_dump()) for task, one in found.tasks.items()) if found is not None else ()


def _means(task: str, lines: Sequence[Line]) -> Means:
    return Means(
        task=task,
        loss=math.fsum(line.loss or 0.0 for line in lines) / len(lines),
        success_rate=sum(line.success for line in lines) / len(lines),
        scored=len(lines),
        subjects=len({line.subject for line in lines}),
    )


def run_line(feed: Feed, place: Place, *, running: bool, means: tuple[Means, ...]) -> RunLine:
    """Return the run's line on the first page, as far as the run has been read; a damaged run has no means.

    *running* says whether a program writes the run now.
    """
    head, lines = feed.head, feed.lines
    config = head.config if head is not None else {}
    infrastructure = sum(line.outcome in _INFRASTRUCTURE for line in lines)
    source = source_of(feed)
    costs = [*feed.costs, *([feed.probe_cost] if feed.probe_cost is not None else [])]
    return RunLine(
        key=place.key,
        name=whole(place.name, _LONGEST),
        study=place.study,
        arm=whole(place.arm or (head.identity.condition if head else ""), _LONGEST),
        colour=place.colour,
        epoch=_number(config.get("epoch"), 1),
        wording=head.identity.wording if head else 0,
        canary=place.canary,
        model=whole(head.identity.model_name if head else "", _LONGEST),
        condition=whole(head.identity.condition if head else "", _LONGEST),
        source=whole(place.sources.get(source) or shared_name(source), _LONGEST),
        synthetic=feed.synthetic,
        planned=feed.planned,
        done=sum(line.outcome is not None for line in lines) - infrastructure,
        infrastructure=infrastructure,
        means=() if feed.problem else means,
        cost_usd=sum(costs) if costs else None,
        state=_state(feed, running=running),
        note=whole(_note(feed), _LONGEST),
        begun_at=feed.begun_at,
        stamp=feed.stamp,
    )


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) else default


def source_of(feed: Feed) -> str:
    """Return the source of a run's samples as the user gave it, which may contain a folder; empty if unknown."""
    config: object = feed.head.config if feed.head is not None else None
    source = config.get("source") if isinstance(config, dict) else None
    return str(source.get("name", "")) if isinstance(source, dict) else ""


def _state(feed: Feed, *, running: bool) -> State:
    if feed.problem:
        return "damaged"
    return "running" if running else "unfinished" if feed.left or feed.partly else "finished"


def _note(feed: Feed) -> str:
    if feed.problem or not feed.partly:
        return feed.problem
    return f"{feed.read:,} of {feed.stored:,} records read so far" if feed.head is not None else "not read yet"
