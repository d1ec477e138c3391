"""Conversations made by hand for the tracing of answers: tools are called for true, on an empty image."""

import json

from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.tasks import TASKS
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.flow import trace
from medvision_agent.eval.why.scene import whole_scene
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.frames import MEDVISION
from medvision_agent.tools.view.geometry import Point, Size, Spacing

RULES = protocol("medvision-1.2")
NAMES = ("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1")


def scene(frame=MEDVISION, spacing=(1.0, 1.0), size=(200, 200), rule=None, truth=()):
    """Return the views of an image of *size* (height, width); *truth* in shares of it, x right and y up."""
    points = tuple(Point(x * size[1], (1 - y) * size[0]) for x, y in truth)
    return whole_scene(Size(*size), Spacing(*spacing), points, rule, frame)


def done(where, tool, **arguments):
    """Call a tool for true, as the agent does."""
    reply = TOOLS[tool].call(where.views, arguments)
    return Call(tool, arguments, json.dumps(arguments), reply.ok, False, 0.0, reply.result or {}, TOOLS[tool].measuring)


def ruler(where, *ends):
    """Lay a ruler between two points, ``x0, y0, x1, y1``."""
    return done(where, "ruler", **dict(zip(("x0", "y0", "x1", "y1"), ends, strict=True)))


def protractor(where, *ends):
    """Measure the angle of two lines."""
    return done(where, "protractor", **dict(zip(NAMES, ends, strict=True)))


def answered(task, response, calls, where):
    """Return what an answer was made of; a response without tags is put between them."""
    text = response if response is None or "<answer>" in response else f"<answer>{response}</answer>"
    return trace(TASKS[task], text, calls, where, RULES)
