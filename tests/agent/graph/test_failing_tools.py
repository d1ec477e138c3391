"""A tool that fails ends its call with an error: the model hears of it, the trace keeps why, the sample goes on."""

import json
import warnings

import numpy as np
import pytest

from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.control import Blind
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.errors import ToolError
from medvision_agent.prompts.render import render
from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.view.png import Picture


class _None(Arguments):
    """No arguments."""


class _Number(Result):
    number: float
    more: object = None


class _Other(Result):
    text: str


def raised(error):
    raise error


FAILURES = {
    "an exception": (lambda: raised(ZeroDivisionError("at the core")), "ZeroDivisionError", "at the core"),
    "an exit": (lambda: raised(SystemExit(4)), "SystemExit", "4"),
    "no memory": (lambda: raised(MemoryError()), "MemoryError", ""),
    "a warning": (lambda: warnings.warn("overflow", RuntimeWarning, stacklevel=1), "RuntimeWarning", "overflow"),
    "an infinite result": (lambda: Output(_Number(number=float("inf"))), "ValidationError", "finite number"),
    "another result": (lambda: Output(_Other(text="x")), "TypeError", r"must return Output(_Number(...))"),
    "no output": (lambda: _Number(number=1), "TypeError", "must return Output"),
    "endless text": (lambda: Output(_Number(number=1, more="x" * 99_999)), "ValueError", "at most 16000 are sent"),
    "no picture": (
        lambda: Output(_Number(number=1), Picture(np.ones((3, 3)), "c")),
        "TypeError",
        "a numpy array of uint8",
    ),
    "an empty picture": (
        lambda: Output(_Number(number=1), Picture(np.ones((0, 3), np.uint8), "c")),
        "TypeError",
        "at least one pixel",
    ),
}


@pytest.mark.parametrize("how", FAILURES)
async def test_a_failing_tool_ends_its_call_and_never_the_sample(question, scripted, how):
    act, kind, why = FAILURES[how]

    @tool(_None, _Number)
    def failing(views, args):
        """Fail in one way or another, whatever is asked."""
        return act()

    given = await answer(
        question, Condition("own", (failing,)), scripted([("failing", {})], "<answer>9</answer>"), Limits()
    )
    assert given.outcome is Outcome.ANSWERED
    assert given.response == "<answer>9</answer>"
    (call,) = json.loads(given.trace.to_json())["tool_calls"]
    assert (call["ok"], call["text"]) == (False, f"Error: the tool failed ({kind})")
    assert call["failure"].startswith(kind)
    assert why in call["failure"]


async def test_what_a_tool_says_is_bounded(question, scripted):
    @tool(_None, _Number)
    def talking(views, args):
        """Say more than anyone wants to hear, whatever is asked."""
        raise ToolError("no\x1b " + "x" * 5000)

    @tool(_None, _Number)
    def titled(views, args):
        """Return a picture with far too long a caption, whatever is asked."""
        return Output(_Number(number=1), Picture(np.ones((3, 3), np.uint8), "y" * 5000))

    chat = scripted([("talking", {}), ("titled", {})], "<answer>9</answer>")
    given = await answer(question, Condition("own", (talking, titled)), chat, Limits())
    first, second = json.loads(given.trace.to_json())["tool_calls"]
    assert first["text"].startswith("Error: no? xxx")
    assert len(first["text"]) < 1100
    assert "failure" not in first
    assert second["ok"]
    captions = [block["text"] for block in given.trace.messages[-2]["content"] if block.get("text", "").startswith("[")]
    assert [len(caption) < 1100 for caption in captions] == [True]


@pytest.mark.parametrize("error", [ValueError("nothing there"), ToolError("nothing there", about_image=True)])
async def test_a_blind_model_does_not_learn_of_the_image_from_a_failure(question, scripted, error):
    """Whatever a tool calls the fields of its result, and however it says that it found nothing."""

    class Found(Result):
        of: str
        length_mm: float

    @tool(_None, Found, overlay=" The picture shows it.")
    def finding(views, args):
        """Find a structure in the image, or not. The picture shows it."""
        if len(views.whole.pixels) > 1:
            raise error
        return Output(Found(of="the lesion", length_mm=1.0))

    given = await answer(
        question,
        Condition("blind", (finding,), control=Blind()),
        scripted([("finding", {})], "<answer>9</answer>"),
        Limits(),
    )
    (call,) = json.loads(given.trace.to_json())["tool_calls"]
    withheld = render("withheld")
    assert (call["ok"], json.loads(call["text"])) == (
        True,
        {"of": withheld, "length_mm": withheld, "picture": withheld},
    )
    assert call.get("failure", "") == ("ValueError: nothing there" if isinstance(error, ValueError) else "")
