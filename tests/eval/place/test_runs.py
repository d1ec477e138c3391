"""Stored runs of a policy that measures at a stated distance from the truth: the right place, elsewhere, unknown."""

import asyncio
import json
import shutil
import subprocess

import pytest
from commands import COMMAND

from medvision_agent.agent.policies import open as offline
from medvision_agent.agent.policies.policy import final
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.parts.looked import look_at
from medvision_agent.eval.place.rule import Place
from medvision_agent.eval.place.summary import places_by_task
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.tables.frames import samples_table
from medvision_agent.quantity import ANGLE_DEG, BOX

RULES = PROTOCOLS["medvision-1.2"]
COUNT, SEED = 2, 10


def _places(run):
    looked = look_at(run, RULES)
    return places_by_task(looked.located, looked.without_place)


def turned(points):
    """Return points turned by half a turn about the centre of the picture: all lengths and angles stay."""
    return [(1 - u, 1 - v) for u, v in points]


def shifted(share):
    """Return a function that moves points together by a share of the picture's height, to the side with more room."""

    def moved(points):
        down = share if sum(v for _, v in points) < len(points) / 2 else -share
        return [(u, v + down) for u, v in points]

    return moved


class Elsewhere:
    """A model that measures the true lines at another place, and may work on the result."""

    def __init__(self, move=list, factor=1.0):
        self.move, self.factor = move, factor

    def __call__(self, look):
        points = self.move(look.brief.truth)
        if look.brief.quantity == BOX:
            (u0, v0), (u1, v1) = points
            return final(u0, 1 - v0, u1, 1 - v1, decimals=6)
        placed = [(u, 1 - v) for u, v in points]  # policies speak MedVision's convention in every frame
        if not look.tools:
            return final(*(12.0, 10.0)[: look.brief.numbers], decimals=4)
        if look.brief.quantity == ANGLE_DEG:
            names = ("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1")
            flat = [value for point in placed for value in point]
            reply = yield "protractor", {"view": "v0", **dict(zip(names, flat, strict=True))}
            return final(self.factor * reply["acute_angle_deg"], decimals=4)
        values = []
        for (x0, y0), (x1, y1) in zip(placed[::2], placed[1::2], strict=True):
            reply = yield "ruler", {"view": "v0", "x0": x0, "y0": y0, "x1": x1, "y1": y1}
            values.append(self.factor * reply["distance_mm"])
        return final(*values, decimals=4)


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Return a function that stores a run of a policy in the oracle's place."""

    async def run(policy, tools="on", name="run", tasks=None, frame=None):
        monkeypatch.setattr(offline, "_policy", lambda name: policy)
        where = {"data": f"phantom:{COUNT}:{SEED}", "out": tmp_path / name}
        asked = Settings(model="oracle", tools=tools, frame=frame, selection=Selection(tasks=tasks), **where)
        done = await execute(prepare(asked), watch=Watch(), stop=asyncio.Event())
        assert not any(record.outcome.infrastructure for record in done.records)
        return done

    return run


@pytest.mark.parametrize("frame", ["medvision", "norm1000-yx"])
async def test_true_points_lie_in_the_right_place(stored, frame):
    own = look_at(await stored(Elsewhere(), frame=frame, tasks=("size", "distance", "angle")), RULES).located
    assert [one.place for one in own] == [Place.RIGHT] * (3 * COUNT)
    assert max(one.apart_mm for one in own) < 1e-6


async def test_moving_what_was_measured_moves_it_elsewhere_and_leaves_the_loss(stored):
    run = await stored(Elsewhere(turned))
    own = look_at(run, RULES).located
    assert len(own) == 4 * COUNT
    assert {one.place for one in own} == {Place.ELSEWHERE}
    for one in own:
        assert one.lowest_loss == one.highest_loss == 1.0
        assert one.loss == pytest.approx(1.0 if one.sample.asks.is_box else 0.0, abs=1e-3)
        if not one.sample.asks.is_box:
            target, (width, height) = one.found.target, one.found.size
            x, y = (
                sum(values) / len(target.points) for values in zip(*((p.x, p.y) for p in target.points), strict=True)
            )
            off = complex((width - 2 * x) * target.spacing.width_mm, (height - 2 * y) * target.spacing.height_mm)
            assert one.apart_mm == pytest.approx(abs(off), rel=1e-6)


async def test_a_small_shift_stays_in_place_and_a_larger_one_does_not(stored):
    places = []
    for step in (0, 3, 16):
        run = await stored(Elsewhere(shifted(0.025 * step)), name=f"run{step}", tasks=("size",))
        places.append([one.place is Place.RIGHT for one in look_at(run, RULES).located])
    for of_sample in zip(*places, strict=True):
        assert list(of_sample) == sorted(of_sample, reverse=True)
        assert (of_sample[0], of_sample[-1]) == (True, False)


async def test_what_agrees_with_no_call_is_not_locatable(stored):
    places = _places(await stored(Elsewhere(factor=1.2)))
    for task in ("size", "distance", "angle"):
        assert places[task].not_locatable == {"a number of the answer is made of nothing that was measured": COUNT}
        assert places[task].grounded_loss is None
        assert places[task].highest_loss == 1.0
    assert places["detection"].share.mean == 1.0


async def test_without_tools_only_boxes_say_where_they_are(stored):
    run = await stored(Elsewhere(), tools="off")
    places = _places(run)
    assert places["size"].not_locatable == {"nothing was measured and no points are stated": COUNT}
    assert (places["size"].share.n, places["size"].subjects) == (0, 0)
    assert (places["detection"].right, places["detection"].subjects) == (COUNT, COUNT)


async def test_tables_and_pictures_that_are_gone(stored, tmp_path):
    run = await stored(Elsewhere(turned), tasks=("size", "detection"))
    table = samples_table({"run": run.folder}, RULES).frame()
    assert set(table.place) == {"elsewhere"}
    assert (table.grounded_loss == 1).all()
    assert table.off_centre_mm[table.task == "size"].gt(20).all()
    shutil.rmtree(run.folder / "pictures")
    reasons = [one.found for one in look_at(run, RULES).located if one.sample.task == "size"]
    assert reasons == ["the conversation or the image as sent is missing or damaged"] * COUNT


def printed(*words):
    """Run a command and return what it prints."""
    done = subprocess.run([COMMAND, *map(str, words)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


async def test_commands_say_it_beside_the_loss(stored):
    await stored(Elsewhere(turned), name="elsewhere", tasks=("size",))
    folder = (await stored(Elsewhere(), name="right", tasks=("size",))).folder
    other = folder.with_name("elsewhere")
    for words in (("score", other), ("why", other)):
        said = " ".join(printed(*words).split())
        assert "measured in the right place: 0 of 2 located answers of 2 subjects (0.0%); by chance" in said
        assert "loss 0.0000, grounded loss (1 where measured elsewhere) 1.0000" in said
        assert json.loads(printed(*words, "--json"))["place"]["size"]["elsewhere"] == COUNT
    said = " ".join(printed("compare", other, folder).split())
    assert (
        "grounded loss (1 where measured elsewhere): on (elsewhere) 1.0000, on (right) 0.0000, difference -1.0000"
        in said
    )
    place = json.loads(printed("compare", other, folder, "--json"))["place"]["size"]
    assert place["grounded_difference"] == pytest.approx(-1.0, abs=1e-3)
    printed("report", other, folder, "--out", folder.with_name("page.md"))
    page = folder.with_name("page.md").read_text(encoding="utf-8")
    assert "### Measured in the right place" in page
    assert "differences in the grounded loss" in page
    said = next(line for line in page.splitlines() if "located answers of 2 subjects, by chance" in line)
    assert "by chance 0.0% \\(n 2\\)" in said
