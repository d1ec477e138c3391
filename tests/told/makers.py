"""What makes the chapter of a report of stored runs: of runs, of studies, of policies that are asked."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medvision_agent.api.asking import run
from medvision_agent.eval.compare.statistics.pairs import Key
from medvision_agent.eval.findings.contrasts import work_out
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn, ContrastIn, runs_chapters
from medvision_agent.eval.report.collect import chapters, collect
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, protocol
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.plan import Plan, PlannedCell, PlannedSource
from medvision_agent.eval.study.progress import cell_progress, progress
from medvision_agent.eval.study.schema import Arm
from told.answers import BAD, GOOD, NUMBERS, RULER, SMALL, SMALLER, N, Store, said

__all__ = [
    "arms",
    "asked_twice",
    "five_models",
    "in_time",
    "looked_at",
    "noisy",
    "other_arm",
    "plain",
    "priced",
    "real",
]
__all__ += ["study", "study_of_three", "two_contrasts", "two_models", "with_control", "with_margin"]


def made_of(chapter: ChapterIn) -> Chapter:
    """Return the chapter of a report."""
    return chapters(work_out([chapter], protocol(DEFAULT_PROTOCOL), why=True), 0)[0]


def arms(off: Sequence[str | None], on: Sequence[str | None], **more: Any) -> Callable[[Store], list[Path]]:
    """Return what stores two arms; keywords that begin with ``on_`` go to the second alone."""
    of_on = {name.removeprefix("on_"): value for name, value in more.items() if name.startswith("on_")}
    both = {name: value for name, value in more.items() if not name.startswith("on_")}
    return lambda store: [store("off", off, **both), store("on", on, tools=RULER, **both | of_on)]


def plain(made: Callable[[Store], list[Path]]) -> Callable[[Store], Chapter]:
    """Return what makes a chapter of runs."""
    return lambda store: collect(made(store), most_pictures=0).chapters[0]


def study(
    made: Callable[[Store], list[Path]],
    *,
    tested: bool = True,
    changed: Callable[[ChapterIn], ChapterIn] | None = None,
    **declared: Any,
) -> Callable[[Store], Chapter]:
    """Return what makes a chapter of the same runs whose contrasts were declared, as those of a study are."""

    def chapter(store: Store) -> Chapter:
        (one,) = runs_chapters(made(store))
        contrasts = tuple(replace(contrast, name="off -> on", declared=tested) for contrast in one.contrasts)
        family = tuple(Key("off -> on", "distance", contrast.a.model) for contrast in contrasts) if tested else ()
        plan = {"protocol": DEFAULT_PROTOCOL, "study": {}} | declared
        one = replace(one, kind="study", contrasts=contrasts, family=family, plan=plan)
        return made_of(changed(one) if changed else one)

    return chapter


def other_arm(
    off: Sequence[str | None],
    on: Sequence[str | None],
    other: Sequence[str | None],
    *,
    of_other: dict[str, Any] | None = None,
    **more: Any,
) -> Callable[[Store], list[Path]]:
    """Return what stores a third arm besides; *of_other* are its own fields."""
    return lambda store: [
        store("off", off, **more),
        store("on", on, tools=RULER, **more),
        store("other", other, **({"tools": RULER, "condition": "other"} | more | (of_other or {}))),
    ]


def study_of_three(
    made: Callable[[Store], list[Path]], changed: Callable[[ChapterIn], ChapterIn] | None = None
) -> Callable[[Store], Chapter]:
    """Return what makes a chapter of three arms whose two contrasts were declared."""

    def chapter(store: Store) -> Chapter:
        (one,) = runs_chapters(made(store))
        contrasts = tuple(replace(contrast, declared=True) for contrast in one.contrasts)
        family = tuple(Key(contrast.name, "distance", contrast.a.model) for contrast in contrasts)
        plan = {"protocol": DEFAULT_PROTOCOL, "study": {}}
        one = replace(one, kind="study", contrasts=contrasts, family=family, plan=plan)
        return made_of(changed(one) if changed else one)

    return chapter


def with_control(**controls: Sequence[str | None]) -> Callable[[Store], Chapter]:
    """Return what makes a chapter of off, on and arms of these controls, whose contrasts with `on` were declared."""

    def chapter(store: Store) -> Chapter:
        folders = arms(said(BAD), said(GOOD))(store)
        for name, answers in controls.items():
            control = name.replace("_", "-")
            folders.append(store(control, answers, tools=RULER, condition=control, control=control))
        (one,) = runs_chapters(folders)
        off, on, *others = one.arms
        contrasts = tuple(ContrastIn(f"{a.name} -> on", a, on, declared=True) for a in (off, *others))
        family = tuple(Key(contrast.name, "distance", "m") for contrast in contrasts)
        plan = {"protocol": DEFAULT_PROTOCOL, "study": {}}
        return made_of(replace(one, kind="study", contrasts=contrasts, family=family, plan=plan))

    return chapter


def five_models(store: Store) -> list[Path]:
    """Return off and on of five models."""
    folders = []
    for name in "mnopq":
        other = {"model_name": name, "model": {"name": name, "provider": "openai"}}
        folders += [store(f"{name} off", said(BAD), **other), store(f"{name} on", said(GOOD), tools=RULER, **other)]
    return folders


def priced(one: ChapterIn) -> ChapterIn:
    """Return a chapter whose losses are in units of chance, so that a failure costs half of the worst answer."""
    return replace(one, metrics={"distance": Primary(task="distance", failures="chance", chance=0.4)})


def with_margin(one: ChapterIn) -> ChapterIn:
    """Return a chapter in which differences below 0.2 are declared not to matter."""
    return replace(one, margin=0.2)


def looked_at(*seen: int) -> Callable[[ChapterIn], ChapterIn]:
    """Return what plans looks at 24 and at all 48 subjects, of which some took place, at so many."""
    subjects = tuple(frozenset(f"d/{number}" for number in range(count)) for count in seen)

    def changed(one: ChapterIn) -> ChapterIn:
        contrasts = tuple(replace(each, seen=subjects) for each in one.contrasts)
        return replace(one, contrasts=contrasts, looks={"distance": (24, N)})

    return changed


def in_time(one: ChapterIn) -> ChapterIn:
    """Return a chapter with the headlines of a study that planned looks at half and all of its subjects."""
    arms_in = {arm.name: arm for arm in one.arms}
    cells = [PlannedCell(model="m", arm=name, source="data", epoch=1, folder=name) for name in arms_in]
    planned = PlannedSource(
        source="data",
        tasks={"distance": N},
        samples=N,
        subjects=N,
        samples_sha256="",
        looks={"distance": (N // 2, N)},
    )
    plan = Plan(
        study={"looks": [0.5, 1.0], "seed": 0},
        arms={name: Arm(tools=name) for name in arms_in},
        contrasts=(),
        protocol=DEFAULT_PROTOCOL,
        alpha=0.05,
        family=(),
        cells=tuple(cells),
        sources=(planned,),
    )
    found = progress(plan, [cell_progress(plan, cell, arms_in[cell.arm].first) for cell in cells])
    return replace(one, progress=tuple(found.lines()))


def two_models(store: Store) -> list[Path]:
    """Return off and on of two models, of which only the first gains; on CT only."""
    other = {"model_name": "n", "model": {"name": "n", "provider": "openai"}}
    first = arms(said(0.3 + SMALL), said(np.where(NUMBERS % 2, 0.5, 0.1) + SMALL))(store)
    return [
        *first,
        store("n off", said(0.3 + SMALLER), **other),
        store("n on", said(0.31 + GOOD), tools=RULER, **other),
    ]


def noisy(gain: float, **more: Any) -> Callable[[Store], list[Path]]:
    """Return what stores two identical runs, apart by about 0.05, and one with tools that gains so much."""
    off, again, on = 0.5 + SMALL, 0.55 + SMALLER, 0.5 - gain + GOOD / 10
    return lambda store: [
        store("a", said(off), **more),
        store("b", said(again), **more),
        store("on", said(on), tools=RULER, **more),
    ]


def asked_twice(store: Store) -> Chapter:
    """Return a chapter of two arms of two epochs each."""
    arms_in = []
    for name, errors, tools in (("off", BAD, ()), ("on", GOOD, RULER)):
        answers = (said(errors), said(errors[::-1]))
        runs = [open_run(store(f"{name}{epoch}", own, tools=tools)) for epoch, own in enumerate(answers)]
        arms_in.append(ArmIn(name, "m", tuple(runs)))
    chapter = ChapterIn("data", "runs", tuple(arms_in), (ContrastIn("off -> on", *arms_in),))
    return made_of(chapter)


def two_contrasts(one: ChapterIn) -> ChapterIn:
    """Return a chapter as that of a study that declared its contrast both ways round, on two tasks."""
    off, on = one.arms
    contrasts = (ContrastIn("off -> on", off, on, declared=True), ContrastIn("on -> off", on, off, declared=True))
    tasks = dict.fromkeys(sample.task for sample in off.first.samples)
    family = tuple(Key(each.name, task, off.model) for each in contrasts for task in tasks)
    plan = {"protocol": DEFAULT_PROTOCOL, "study": {}}
    return replace(one, kind="study", contrasts=contrasts, family=family, plan=plan)


def real(
    model: str, *, epochs: int = 1, changed: Callable[[ChapterIn], ChapterIn] | None = None, **settings: Any
) -> Callable[[Store], Chapter]:
    """Return what asks a shipped policy about phantoms, without tools and with them."""

    def chapter(store: Store) -> Chapter:
        home = store("beside", []).parent
        asked = {
            "model": model,
            "data": "phantom:3:4",
            "selection": {"tasks": ["size", "distance"]},
            "progress": False,
        } | settings
        folders = [home / name for name in ("off", "on")]
        for folder in folders:
            run(**asked, tools=folder.name, out=folder)
        (one,) = runs_chapters(folders)
        twice = {arm.name: replace(arm, runs=arm.runs * epochs) for arm in one.arms}
        contrasts = tuple(replace(each, a=twice[each.a.name], b=twice[each.b.name]) for each in one.contrasts)
        one = replace(one, arms=tuple(twice.values()), contrasts=contrasts)
        return made_of(changed(one) if changed else one)

    return chapter
