"""Chapters of stored runs, each made so that some sentences are true of it and others are not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.api.asking import run
from medvision_agent.eval.compare.statistics.pairs import Key
from medvision_agent.eval.findings.contrasts import work_out
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn, ContrastIn, Refused, runs_chapters
from medvision_agent.eval.report.collect import chapters, collect
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, protocol
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.plan import Plan, PlannedCell, PlannedSource
from medvision_agent.eval.study.progress import cell_progress, progress
from medvision_agent.eval.study.schema import Arm

__all__ = ["CHAPTERS"]

N = 48
LOST = "LOST"
"""As in ``conftest``: an answer that stands for an infrastructure failure."""
Store = Callable[..., Path]
Errors = NDArray[np.float64]
RULER = ("ruler",)


def made_of(chapter: ChapterIn) -> Chapter:
    """Return the chapter of a report."""
    return chapters(work_out([chapter], protocol(DEFAULT_PROTOCOL)), 0)[0]


def noise(seed: int, spread: float, n: int = N) -> Errors:
    return np.abs(np.random.default_rng(seed).normal(0, spread, n))


BAD, GOOD = noise(1, 0.5), noise(2, 0.1)
SMALL, SMALLER = 0.1 + noise(3, 0.004), 0.09 + noise(4, 0.004)
NUMBERS = np.arange(N)
LARGE = NUMBERS % 31 > 21
"""Samples with the largest targets."""
OTHERS = (NUMBERS % 5 == 1) & (NUMBERS < 45)


def said(errors: Errors) -> list[str | None]:
    """Return answers with these relative errors: their losses."""
    return [f"<answer>{(10.0 + number % 31) * (1 + error):.6f}</answer>" for number, error in enumerate(errors)]


def but(answers: Sequence[str | None], where: NDArray[np.bool_], what: str | None) -> list[str | None]:
    """Return answers with another one in some places."""
    return [what if other else answer for answer, other in zip(answers, where, strict=True)]


def stated(shift: float, factor: Errors) -> list[str | None]:
    """Return answers that state the true ends (the image is 50 x 40 mm), the second one moved, times a factor."""
    seen = 10.0 + NUMBERS % 31 + shift
    ends = [f"({5 / 50}, {1 - 5 / 40}), ({(5 + length) / 50}, {1 - 5 / 40})" for length in seen]
    return [f"{where} <answer>{length:.2f}</answer>" for where, length in zip(ends, factor * seen, strict=True)]


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


def with_control(control: Sequence[str | None]) -> Callable[[Store], Chapter]:
    """Return what makes a chapter of off, on and a blind arm, whose contrasts with `on` were declared."""

    def chapter(store: Store) -> Chapter:
        folders = other_arm(said(BAD), said(GOOD), control, of_other={"condition": "blind", "control": "blind"})(store)
        (one,) = runs_chapters(folders)
        off, on, blind = one.arms
        contrasts = tuple(ContrastIn(f"{a.name} -> on", a, on, declared=True) for a in (off, blind))
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


GAIN = arms(said(BAD), said(GOOD))
EQUAL = arms(said(BAD), said(BAD[::-1]))
FEW = arms(said(BAD), said(GOOD), subjects=10)
STRATA = arms(said(0.3 + SMALL), said(np.where(NUMBERS % 2, 0.5, 0.1) + SMALL))
SHORT, NEAR = stated(0.0, 0.7 + 0.01 * (NUMBERS % 24)), stated(-0.5, np.ones(N))
MANY = arms(said(BAD), said(GOOD), subjects=N)
FAILED = arms(said(BAD), but(said(GOOD), NUMBERS == 4, None))
OFFLINE = {"provider": "offline"}
CONTROL = {"control": "blind", "on_control": ""}

CHAPTERS: dict[str, Callable[[Store], Chapter]] = {
    "one arm": plain(lambda store: [store("off", said(BAD))]),
    "gain": plain(GAIN),
    "short": plain(arms(said(BAD[:24]), said(GOOD[:24]))),
    "few": plain(FEW),
    "giant": plain(arms(said(noise(1, 0.5, 90)), said(noise(2, 0.1, 90)), giant=66)),
    "one holds much": plain(arms(said(BAD), said(GOOD), subjects=N, giant=10)),
    "one holds less": plain(arms(said(BAD), said(GOOD), subjects=N, giant=8)),
    "one holds much, twice": plain(
        other_arm(said(BAD), said(GOOD), but(said(GOOD), NUMBERS > 41, LOST), subjects=N, giant=10)
    ),
    "four hold half": plain(arms(said(noise(1, 0.5, 90)), said(noise(2, 0.1, 90)), subjects=90, giant=44, giants=4)),
    "four hold a quarter": plain(
        arms(said(noise(1, 0.5, 90)), said(noise(2, 0.1, 90)), subjects=90, giant=20, giants=4)
    ),
    "same": plain(arms(said(BAD), said(BAD))),
    "synthetic": plain(arms(said(BAD), said(GOOD), synthetic=True)),
    "demonstration": plain(arms(said(BAD), said(GOOD), demonstration=True)),
    "silver": plain(arms(said(BAD), said(GOOD), silver=True)),
    "strata": plain(STRATA),
    "arithmetic that gains": plain(arms(SHORT, NEAR)),
    "arithmetic that loses": plain(arms(NEAR, SHORT)),
    "all lost": plain(arms(said(BAD), [LOST] * N)),
    "some lost": plain(arms(said(BAD), but(said(GOOD), NUMBERS % 9 == 4, LOST))),
    "lost where large": plain(arms(said(np.where(LARGE, 0.9, 0.1) + SMALL), but(said(GOOD), LARGE, LOST))),
    "some failed": plain(FAILED),
    "failed where large": plain(arms(said(np.where(LARGE, 0.8, 0.1) + SMALL), but(said(GOOD), LARGE, None))),
    "counted": plain(arms(said(BAD), said(GOOD), tokens=100)),
    "counted and matched": plain(arms(said(BAD), said(GOOD), tokens=100, condition="matched", on_condition="on")),
    "counted and enlarged": plain(
        arms(said(BAD), said(GOOD), tokens=100, condition="matched:enlarged", on_condition="on")
    ),
    "counted in money": plain(arms(said(BAD), said(GOOD), tokens=100, cost=0.002)),
    "counted in money in part": plain(arms(said(BAD), said(GOOD), tokens=100, on_cost=0.002)),
    "handed back": plain(arms(said(BAD), said(GOOD), condition="result-only", on_condition="on")),
    "above the noise": plain(noisy(0.3)),
    "within the noise": plain(noisy(-0.12)),
    "unknown noise": plain(noisy(0.3, subjects=10)),
    "asked twice": asked_twice,
    "no picture": plain(arms(said(BAD), said(GOOD), picture="none")),
    "swapped": plain(arms(said(BAD), said(GOOD), picture="swapped")),
    "swapped but one": plain(arms(said(BAD), said(GOOD), picture="swapped", config={"without_donor": 1})),
    "both failed, B where hard": plain(
        arms(but(said(np.where(LARGE, 0.8, 0.1) + SMALL), OTHERS, None), but(said(SMALLER), LARGE, None))
    ),
    "both failed, B where large": plain(arms(but(said(SMALL), OTHERS, None), but(said(SMALLER), LARGE, None))),
    "unfinished": plain(arms(said(BAD), said(GOOD), on_done=40)),
    "never called": plain(arms(said(BAD), said(GOOD), on_called=False)),
    "unread call": plain(arms(said(BAD), said(GOOD), on_unread=1)),
    "unread calls": plain(arms(said(BAD), said(GOOD), on_unread=2)),
    "told the truth": plain(arms(said(BAD), said(GOOD), on_told_truth=("segment@oracle",))),
    "offline": plain(arms(said(BAD), said(GOOD), model={"name": "prior"} | OFFLINE)),
    "oracle": plain(arms(said(BAD), said(GOOD), model={"name": "oracle"} | OFFLINE)),
    "one offline": plain(
        lambda store: [store("a", said(BAD)), store("b", said(GOOD), model_name="p", model={"name": "prior"} | OFFLINE)]
    ),
    "other recipe": plain(arms(said(BAD), said(GOOD), on_recipe="paper-v1")),
    "many": plain(
        lambda store: [
            store("off", said(BAD[:34]), subjects=8),
            *(store(f"on{k}", said(GOOD[:34]), tools=RULER, subjects=8) for k in range(17)),
        ]
    ),
    "study": study(GAIN),
    "study that loses": study(arms(said(GOOD), said(BAD))),
    "study with a small gain": study(arms(said(SMALL), said(SMALLER))),
    "study with a small loss": study(arms(said(SMALLER), said(SMALL))),
    "study after one look": study(MANY, changed=looked_at(24)),
    "study after two looks": study(MANY, changed=looked_at(24, N)),
    "study that was looked at": study(MANY, changed=in_time),
    "study before its first look": study(arms(said(BAD), said(GOOD), subjects=N, done=20, on_done=12), changed=in_time),
    "study with cheap failures": study(FAILED, changed=priced),
    "study with a small gain and cheap failures": study(
        arms(but(said(SMALL), NUMBERS == 4, None), but(said(SMALLER), NUMBERS == 4, None)), changed=priced
    ),
    "study where silence would pay": study(
        arms(said(0.5 + SMALL), but(said(0.5 + SMALLER), NUMBERS % 2 == 1, None)), changed=priced
    ),
    "study of equals with a margin": study(arms(said(0.1 + SMALL), said(0.1 + SMALL[::-1])), changed=with_margin),
    "study of equals": study(EQUAL),
    "study where A always fails": study(arms([None] * N, said(GOOD))),
    "study of few": study(FEW),
    "study with strata": study(STRATA, study={"strata": ["modality"]}),
    "study of two models": study(two_models, study={"strata": ["modality"], "model_pairs": [["m", "n"]]}),
    "study by another protocol": study(GAIN, tested=False, protocol="paper-v1"),
    "study without a test": study(GAIN, tested=False),
    "study with a refusal": study(
        GAIN,
        changed=lambda one: replace(one, refused=(Refused(name="off -> code", differences=("a run is missing",)),)),
    ),
    "study of several sources": study(GAIN, changed=lambda one: replace(one, label="data")),
    "study of five models": study(five_models),
    "a control confirms": with_control(said(BAD[::-1])),
    "a control shows nothing": with_control(said(GOOD)),
    **{
        f"{name}, of a control": study(made, changed=changed)
        for name, made, changed in (
            ("gain", arms(said(BAD), said(GOOD), **CONTROL), None),
            ("loss", arms(said(GOOD), said(BAD), **CONTROL), None),
            ("small gain", arms(said(SMALL), said(SMALLER), **CONTROL), None),
            ("small loss", arms(said(SMALLER), said(SMALL), **CONTROL), None),
            ("equals with a margin", arms(said(0.1 + SMALL), said(0.1 + SMALL[::-1]), **CONTROL), with_margin),
            ("equals", arms(said(BAD), said(BAD[::-1]), **CONTROL), None),
        )
    },
    "other gains": study_of_three(other_arm(said(BAD), said(GOOD), said(GOOD[::-1]))),
    "other loses": study_of_three(other_arm(said(GOOD), said(BAD), said(BAD[::-1]))),
    "other gains a little": study_of_three(other_arm(said(SMALL), said(SMALLER), said(SMALLER[::-1]))),
    "other loses a little": study_of_three(other_arm(said(SMALLER), said(SMALL), said(SMALL[::-1]))),
    "other is alike": study_of_three(
        other_arm(said(0.1 + SMALL), said(0.1 + SMALL[::-1]), said(0.1 + np.roll(SMALL, 7))), with_margin
    ),
    "other shows nothing": study_of_three(other_arm(said(BAD), said(BAD[::-1]), said(np.roll(BAD, 7)))),
    "few in other": study_of_three(other_arm(said(BAD), said(GOOD), said(GOOD[::-1]), subjects=10)),
    "cheap failures twice": study_of_three(
        other_arm(said(BAD), but(said(GOOD), NUMBERS == 4, None), but(said(GOOD), NUMBERS % 9 == 5, None)), priced
    ),
    "much twice": plain(
        lambda store: [
            store("off", said(BAD), tokens=100),
            store("on", but(but(said(GOOD), NUMBERS == 4, None), NUMBERS == 6, LOST), tools=RULER, tokens=200, done=40),
            store(
                "other",
                but(but(said(GOOD), NUMBERS % 9 == 4, None), NUMBERS % 9 == 6, LOST),
                tools=RULER,
                condition="other",
                tokens=300,
                done=44,
            ),
        ]
    ),
    "never called twice": plain(other_arm(said(BAD), said(GOOD), said(GOOD), called=False)),
    "two policies": plain(
        lambda store: [
            store(f"{name} {arm}", said(BAD), tools=tools, model_name=name, model={"name": name} | OFFLINE)
            for name in ("prior", "cv")
            for arm, tools in (("off", ()), ("on", RULER))
        ]
    ),
    "three recipes": plain(
        lambda store: [
            store("off", said(BAD)),
            store("on", said(GOOD), tools=RULER, recipe="paper-v1"),
            store("cot", said(GOOD), tools=RULER, form="cot", condition="cot"),
        ]
    ),
    "strata twice": plain(
        other_arm(
            said(0.3 + SMALL),
            said(np.where(NUMBERS % 2, 0.5, 0.1) + SMALL),
            said(np.where(NUMBERS % 2, 0.6, 0.1) + SMALL),
        )
    ),
    "unknown noise twice": plain(
        lambda store: [*noisy(0.3, subjects=10)(store), store("on2", said(0.1 + GOOD / 10), tools=RULER, subjects=10)]
    ),
    "within the noise twice": plain(
        lambda store: [
            *noisy(-0.12)(store),
            *(
                store(f"n {name}", said(errors), tools=tools, model_name="n", model={"name": "n", "provider": "openai"})
                for name, errors, tools in (
                    ("a", 0.4 + SMALL, ()),
                    ("b", 0.45 + SMALLER, ()),
                    ("on", 0.52 + GOOD / 10, RULER),
                )
            ),
        ]
    ),
    "two other pictures": plain(
        lambda store: [
            store("off", said(BAD)),
            store("none", said(GOOD), picture="none"),
            store("swapped", said(GOOD), picture="swapped"),
        ]
    ),
    "failed twice": plain(
        other_arm(
            said(np.where(LARGE, 0.8, 0.1) + SMALL), but(said(GOOD), LARGE, None), but(said(GOOD), NUMBERS == 4, None)
        )
    ),
    "noise of three": plain(
        lambda store: [store("off", said(BAD)), *(store(f"on{k}", said(GOOD), tools=RULER) for k in range(3))]
    ),
    "offline, uncompared": plain(
        lambda store: [
            store(name, said(BAD), model_name=name, model={"name": name} | OFFLINE) for name in ("prior", "cv")
        ]
    ),
    "only a repeat": plain(lambda store: [store("a", said(BAD)), store("b", said(GOOD))]),
    "one arm, all lost": plain(lambda store: [store("off", [LOST] * N)]),
    "real": real("baseline-cv"),
    "real where off is better": real("baseline-cv", data="phantom:3:5"),
    "demo boxes": real("baseline-cv", data="demo", selection={"tasks": ["detection"]}),
    "demo boxes and sizes": real("baseline-cv", data="demo", selection={"tasks": ["detection", "size"]}),
    "demo boxes and angles": real("baseline-cv", data="demo", selection={"tasks": ["detection", "angle"]}),
    "demo distances": real("baseline-cv", data="demo", selection={"tasks": ["distance"]}),
    "demo oracle": real("oracle", data="demo", selection={"tasks": ["size", "angle"]}),
    "two contrasts on two tasks": real("baseline-cv", changed=two_contrasts),
    "real twice": real("baseline-cv", epochs=2),
    "real without looking": real("baseline-prior"),
    "real oracle": real("oracle"),
}
"""By name; what makes each stores its runs anew."""
