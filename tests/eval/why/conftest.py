"""Runs of a policy that plants errors of known size, through the real agent, over phantoms."""

import asyncio
import math
from dataclasses import dataclass

import pytest

from medvision_agent.agent.policies import open as offline
from medvision_agent.agent.policies.policy import final
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.data.phantom.geometry import draw_phantom
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.tasks import TASKS
from medvision_agent.tools.view.geometry import Size

SEED, COUNT = 10, 2


def field(sample):
    """Return the picture's width and height in mm."""
    phantom = draw_phantom(SEED, int(sample.image.rsplit("/", 1)[1]))
    size, spacing = phantom.size, phantom.spacing
    return size.width * spacing.width_mm, size.height * spacing.height_mm


def truth_units(sample):
    """Return the truth's points in unit coordinates, x right and y down."""
    width, height = field(sample)
    pixel = sample.pixel_size
    return [(p.x * pixel.width_mm / width, p.y * pixel.height_mm / height) for p in sample.truth_points]


def task_of(brief):
    """Return the name of the task that an offline model is told."""
    asked = brief.quantity, brief.numbers
    return next(name for name, task in TASKS.items() if (task.quantity, len(task.numbers)) == asked)


def measured(task, points, width, height):
    """Return the exact numbers of a task by complex arithmetic, a route of its own."""
    places = [complex(u * width, v * height) for u, v in points]
    lengths = [abs(b - a) for a, b in zip(places[::2], places[1::2], strict=True)]
    if task != "angle":
        return lengths
    ratio = (places[1] - places[0]) / (places[3] - places[2])
    turn = abs(math.degrees(math.atan2(ratio.imag, ratio.real)))
    return [min(turn, 180 - turn)]


@dataclass(frozen=True)
class Planted:
    """A model that sees every second point displaced, measures or works out, and slips."""

    shift: tuple[float, float] = (0.0, 0.0)
    """Of every second point, in shares of the picture (x right, y down)."""
    factor: float = 1.0
    """The answer over the value worked out without tools."""
    slips: bool = False
    """Gives lengths that tools measured in cm, angles in radians."""
    crops: bool = False
    reverse: bool = False
    """Gives the ends of lines, and lines or axes, in the other order."""
    form: str = "direct"

    def seen(self, truth):
        return [(u + k % 2 * self.shift[0], v + k % 2 * self.shift[1]) for k, (u, v) in enumerate(truth)]

    def __call__(self, look):
        if task_of(look.brief) == "detection":
            return final(0.25, 0.25, 0.5, 0.5, decimals=4)
        points = self.seen(look.brief.truth)
        if look.tools:
            return (yield from self._with_tools(look, points))
        width, height = look.field_mm()
        values = [self.factor * value for value in measured(task_of(look.brief), points, width, height)]
        return self._stated(look, points) + final(*values, decimals=4)

    def _with_tools(self, look, points):
        points = points[::-1] if self.reverse else points
        view, placed = "v0", [(u, 1 - v) for u, v in points]
        if self.crops:
            low = [max(0.0, min(values) - 0.02) for values in zip(*placed, strict=True)]
            high = [min(1.0, max(values) + 0.03) for values in zip(*placed, strict=True)]
            corners = {"x0": low[0], "y0": low[1], "x1": high[0], "y1": high[1]}
            reply = yield "crop", {"view": "v0", "zoom": 2.0, **corners}
            view = reply["view"]
            reply = yield "crop", {"view": view, "x0": 0.0, "y0": 0.0, "x1": 1.0, "y1": 0.999, "zoom": 3.0}
            x0, y0, x1, y1 = (reply[f"v0_{name}"] for name in ("x0", "y0", "x1", "y1"))
            view = reply["view"]
            placed = [((x - x0) / (x1 - x0), (y - y0) / (y1 - y0)) for x, y in placed]
        if task_of(look.brief) == "angle":
            names = ("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1")
            flat = [value for point in placed for value in point]
            reply = yield "protractor", {"view": view, **dict(zip(names, flat, strict=True))}
            angle = reply["acute_angle_deg"]
            return final(math.radians(angle) if self.slips else angle, decimals=4)
        values = []
        for (x0, y0), (x1, y1) in zip(placed[::2], placed[1::2], strict=True):
            reply = yield "ruler", {"view": view, "x0": x0, "y0": y0, "x1": x1, "y1": y1}
            values.append(reply["distance_mm"] * (0.1 if self.slips else 1))
        return final(*(values[::-1] if self.reverse else values), decimals=4)

    def _stated(self, look, points):
        size = Size(*look.picture().shape)
        pairs = [look.frame.from_unit(u, v, size) for u, v in points]
        pairs = [(y, x) if look.frame.y_first else (x, y) for x, y in pairs]
        said = [f"({a!r}, {b!r})" for a, b in pairs]
        if self.form == "direct":
            return f"<think>I see {', then '.join(said)}.</think>"
        half = len(said) // 2
        return f"<think><step-1>{' '.join(said[:half])}</step-1><step-2>{' '.join(said[half:])}</step-2></think>"


@pytest.fixture
def planted_run(tmp_path, monkeypatch):
    """Return a function that runs a policy in the oracle's place, which is told the truth."""

    async def run(policy, tools, name="run", **settings):
        monkeypatch.setattr(offline, "_policy", lambda name: policy)
        asked = Settings(model="oracle", tools=tools, data=f"phantom:{COUNT}:{SEED}", out=tmp_path / name, **settings)
        done = await execute(prepare(asked), watch=Watch(), stop=asyncio.Event())
        assert not any(record.outcome.infrastructure for record in done.records)
        return done

    return run
