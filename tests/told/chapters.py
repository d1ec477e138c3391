"""Chapters of stored runs, each made so that some sentences are true of it and others are not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from medvision_agent.eval.findings.inputs import Refused
from medvision_agent.eval.report.model import Chapter
from told.again import kidneys, read_again, to_be_read
from told.answers import (
    BAD,
    GOOD,
    LARGE,
    LOST,
    NUMBERS,
    OTHERS,
    RULER,
    SMALL,
    SMALLER,
    N,
    Store,
    but,
    in_words,
    noise,
    said,
    stated,
)
from told.makers import (
    arms,
    asked_twice,
    five_models,
    in_time,
    looked_at,
    noisy,
    other_arm,
    plain,
    priced,
    real,
    study,
    study_of_three,
    two_contrasts,
    two_models,
    with_control,
    with_margin,
)

__all__ = ["CHAPTERS"]

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
    "one arm, unfinished": plain(lambda store: [store("off", said(BAD), done=40)]),
    "gain": plain(GAIN),
    "read again": plain(read_again(GAIN)),
    "read in sentences": plain(read_again(arms(in_words(BAD), said(GOOD)))),
    "read in sentences twice": plain(read_again(other_arm(in_words(BAD), said(GOOD), said(SMALL)))),
    "missed by the reader": plain(read_again(GAIN, blind_to="<answer>")),
    "few read again": plain(read_again(FEW)),
    "study that was read": study(read_again(GAIN), changed=to_be_read),
    "study to be read": study(GAIN, changed=to_be_read),
    "decisions": plain(kidneys()),
    "decisions at a price": plain(kidneys(0.02)),
    "short": plain(arms(said(BAD[:24]), said(GOOD[:24]))),
    "few": plain(FEW),
    "giant": plain(arms(said(noise(1, 0.5, 90)), said(noise(2, 0.1, 90)), giant=66)),
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
    "a control confirms": with_control(blind=said(BAD[::-1])),
    "a control shows nothing": with_control(blind=said(GOOD)),
    "two controls show nothing": with_control(blind=said(GOOD), same_region=said(GOOD)),
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
