"""The loss of arms in parts, and the difference of two: sums, what is one part, what is said, and by another route."""

import asyncio
import math
import re

import numpy as np
import pytest
from scipy import stats
from talks import RULES, ruler, scene

from medvision_agent.agent.policies import open as offline
from medvision_agent.agent.policies.policy import final
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.parts.compare import compare_parts, parts_sentence
from medvision_agent.eval.parts.replay import Case, Cause, explain
from medvision_agent.eval.parts.summary import PartMean, SampleLoss, parts_of_run, summarise_parts
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.read import read_trace
from medvision_agent.eval.tasks import TASKS

POINTS = "(0.1, 0.5), (0.76, 0.5) "
"""132 mm in an image of 200 x 200 mm; the truth is 120 mm."""


@pytest.fixture
def arm(make_record):
    """Return a function that makes an arm of answers to distances of 120 mm, one for each of some subjects."""
    where = scene(truth=((0.1, 0.5), (0.7, 0.5)))

    def made(*answers, measured=False):
        calls = [ruler(where, 0.1, 0.5, 0.76, 0.5)] if measured else []
        case = Case(TASKS["distance"], (120.0,), calls, where, RULES)
        texts = [None if one is None else f"{one[0]}<answer>{one[1]}</answer>" for one in answers]
        samples = [make_record(f"s{k}", "distance", "1", target=(120.0,)).sample for k in range(len(texts))]
        return [SampleLoss(sample, explain(case, text)) for sample, text in zip(samples, texts, strict=True)]

    return made


def test_the_parts_of_an_arm_add_up_to_its_mean_loss(arm):
    answers = [(POINTS, "132"), (POINTS, "60"), ("", "90"), None, (POINTS, "13.2")] * 5
    found = summarise_parts(arm(*answers))["distance"]
    assert found.loss == pytest.approx((0.1 + 0.5 + 0.25 + 1 + 0.89) / 5)
    assert math.fsum(part.mean for part in found.parts.values()) == pytest.approx(found.loss, abs=1e-12)
    assert found.parts[Cause.NO_ANSWER].mean == pytest.approx(0.2)
    assert found.parts[Cause.NOT_DECOMPOSED].mean == pytest.approx(0.05)
    assert found.kinds == {"imprecise": 5, "arithmetic": 5, "from nowhere": 5, "no answer": 5, "unit": 5}
    assert found.reasons == {"nothing was measured and no points are stated": 5}
    assert (found.states_points, found.withheld) == (True, "")
    assert found.parts[Cause.WRONG_OBJECT] == PartMean(mean=0, interval=None)
    for part in (one for cause, one in found.parts.items() if cause is not Cause.WRONG_OBJECT):
        assert part.interval is not None
        assert part.interval[0] < part.mean < part.interval[1]
    few = summarise_parts(arm(*answers[:5]))["distance"]
    assert few.withheld == "5 subjects, fewer than 20; 5.0 effective subjects, fewer than 10"
    assert all(part.interval is None for part in few.parts.values())
    bare = summarise_parts(arm(*answers), ["demonstration"])["distance"]
    assert (bare.withheld, bare.parts[Cause.UNIT].interval) == ("demonstration", None)


def test_where_an_arm_states_no_points_seeing_and_arithmetic_are_one_part(arm):
    off, on = arm(("", "90"), ("", "60"), None), arm(("", "132"), ("", "132"), ("", "13.2"), measured=True)
    assert {cause: part.mean for cause, part in summarise_parts(off)["distance"].parts.items()} == {
        Cause.TOGETHER: pytest.approx(0.25),
        Cause.NO_ANSWER: pytest.approx(1 / 3),
    }
    assert Cause.SEEING in summarise_parts(on)["distance"].parts
    found = compare_parts(off, on)["distance"]
    assert found.together
    assert {cause: part.mean for cause, part in found.parts.items()} == {
        Cause.TOGETHER: pytest.approx((0.1 + 0.1 + 0.045) / 3 - 0.25),
        Cause.UNIT: pytest.approx(0.845 / 3),
        Cause.NO_ANSWER: pytest.approx(-1 / 3),
    }
    assert found.decomposed == 1
    # An answer of the other arm that cannot be traced is still not decomposed.
    assert Cause.NOT_DECOMPOSED in compare_parts(off, arm(*[("", "99.9")] * 3, measured=True))["distance"].parts


def test_a_difference_is_told_in_words_only_where_most_of_it_is_decomposed(arm):
    off = arm(*[(POINTS, "60")] * 8, ("", "90"), ("", "90"))  # losses of .5 and .25
    on = arm(*[("", "132")] * 10, measured=True)  # of .1
    found = compare_parts(off, on)["distance"]
    assert found.decomposed == pytest.approx(3.2 / 3.5)
    said = parts_sentence(found, "off", "on")
    assert said.startswith("of the gain of 0.350 (mean loss 0.450 with off, 0.100 with on), ")
    assert "-" not in said  # a real minus sign, as everywhere in reports
    plain = said.replace("\N{MINUS SIGN}", "-")
    told = {words: float(figure) for figure, words in re.findall(r"(-?\d\.\d+) is ([a-z ]+?)(?:,| and|$)", plain)}
    assert told.keys() == {"arithmetic", "not decomposed", "seeing"}
    assert sum(told.values()) == pytest.approx(0.35, abs=0.002)
    assert told["seeing"] < 0 < told["arithmetic"]  # without the short sum, the points cost more than they did
    assert parts_sentence(compare_parts(on, off)["distance"], "on", "off").startswith("of the harm of 0.350 (")
    # One more guess, and 78 % of the difference is decomposed; without a difference there is nothing to say.
    fewer = arm(*[(POINTS, "60")] * 8, *[("", "200")] * 2)
    assert compare_parts(fewer, on)["distance"].decomposed < 0.8
    assert parts_sentence(compare_parts(fewer, on)["distance"], "off", "on") == ""
    assert parts_sentence(compare_parts(on, on)["distance"], "on", "on") == ""
    assert compare_parts(on, on)["distance"].decomposed is None


SHIFT = 0.02
SUBJECTS = 21


def slips(look):
    """State displaced points, and work out what they give wrongly, each third one; say nothing in each seventh."""
    yield from ()
    number = int(look.brief.truth[0][0] * 1e6)
    (u0, v0), (u1, v1) = look.brief.truth
    u1 += SHIFT
    height, width = look.field_mm()[1], look.field_mm()[0]
    length = math.hypot((u1 - u0) * width, (v1 - v0) * height)
    if number % 7 == 0:
        return "I cannot tell."
    return f"({u0!r}, {1 - v0!r}), ({u1!r}, {1 - v1!r}) " + final(length * (0.6 if number % 3 == 0 else 1), decimals=3)


def measures(look):
    """Lay the ruler between the same points, and give the result in cm each fifth time."""
    (u0, v0), (u1, v1) = look.brief.truth
    reply = yield "ruler", {"x0": u0, "y0": 1 - v0, "x1": u1 + SHIFT, "y1": 1 - v1}
    return final(reply["distance_mm"] / (10 if int(u0 * 1e6) % 5 == 0 else 1), decimals=3)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Return two stored runs of distances over phantoms: points in words, and points under the ruler."""

    def run(policy, tools):
        monkeypatch.setattr(offline, "_policy", lambda name: policy)
        asked = Settings(
            model="oracle",
            tools=tools,
            data=f"phantom:{SUBJECTS}:3",
            selection=Selection(tasks=("distance",)),
            out=tmp_path / tools,
        )
        return asyncio.run(execute(prepare(asked), watch=Watch(), stop=asyncio.Event()))

    return run(slips, "off"), run(measures, "ruler")


def by_hand(run):
    """Return loss and parts of each sample from the stored words and calls, with two orders for two causes."""
    rows = {}
    for record in run.records:
        (target,), truth = record.sample.target, record.sample.truth_points
        pixel = record.sample.pixel_size
        calls = read_trace(run.folder, record.sample.id)["tool_calls"]
        pairs = re.findall(r"\((\S+), (\S+)\)", record.response)
        ends = [complex(*map(float, pair)) for pair in pairs]
        if calls:
            given = calls[0]["arguments"]
            ends = [complex(given["x0"], given["y0"]), complex(given["x1"], given["y1"])]
        found = re.search(r"<answer>(.*)</answer>", record.response)
        if found is None:
            rows[record.sample.id] = (1.0, {"no answer": 1.0})
            continue
        # The picture's width and height in mm follow from the true points, which both arms only shift to the right.
        dx, dy = truth[1].x - truth[0].x, truth[1].y - truth[0].y
        step = ends[1] - ends[0]
        across = dx * pixel.width_mm / (step.real - SHIFT) * step.real
        exact = math.hypot(across, dy * pixel.height_mm)
        answer = float(found[1])
        factor = 0.1 if answer < 0.2 * exact else 1.0

        def loss(value, target=target):
            return min(abs(value - target) / target, 1)

        slip = factor if calls else answer / exact
        whole = loss(answer)
        seeing = (whole - loss(target * slip) + loss(exact)) / 2
        rows[record.sample.id] = (whole, {"seeing": seeing, "unit" if calls else "arithmetic": whole - seeing})
    return rows


def test_a_study_comes_out_the_same_by_another_route(runs):
    a, b = (list(parts_of_run(run, RULES)) for run in runs)
    rows = [by_hand(run) for run in runs]
    names = ("wrong object", "seeing", "arithmetic", "unit", "no answer")
    table = np.zeros((2, SUBJECTS, len(names)))
    for arm_number, own in enumerate((a, b)):
        for number, one in enumerate(own):
            loss, parts = rows[arm_number][one.sample.id]
            assert one.found.loss == pytest.approx(loss, abs=1e-6)
            table[arm_number, number] = [one.found.parts.get(name, 0.0) for name in names]
            # Which of the two is wrong is the rule of places, tested by itself.
            where = table[arm_number, number, 0] + table[arm_number, number, 1]
            expected = [parts.get(name, 0.0) for name in names[1:]]
            assert [where, *table[arm_number, number, 2:]] == pytest.approx(expected, abs=2e-4)
    found = compare_parts(a, b)["distance"]
    difference = table[1] - table[0]
    for place, name in enumerate(names):
        part = found.parts[name]
        assert part.mean == pytest.approx(difference[:, place].mean(), abs=1e-12)
        if part.interval is not None:
            half = stats.t.ppf(0.975, SUBJECTS - 1) * difference[:, place].std(ddof=1) / math.sqrt(SUBJECTS)
            assert part.interval == pytest.approx((part.mean - half, part.mean + half))
    assert math.fsum(part.mean for part in found.parts.values()) == pytest.approx(found.difference, abs=1e-12)
    losses = [[loss for loss, _ in own.values()] for own in rows]
    assert found.difference == pytest.approx(np.mean(losses[1]) - np.mean(losses[0]), abs=1e-6)
    assert found.decomposed == 1
    assert {one.found.kind for one in a} >= {"arithmetic", "no answer"}
    assert "unit" in {one.found.kind for one in b}
