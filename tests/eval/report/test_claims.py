"""An arm that never called its tools: the headline, and no interval anywhere."""

import pytest

from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.report.write import markdown_page

HEADLINE = "NOTHING CAN BE SAID OF TOOLS: on: no tool was called in any of 48 samples"


@pytest.fixture
def answers():
    return [f"<answer>{(10.0 + number % 31) * (1 + 0.01 * (number % 7)):.2f}</answer>" for number in range(48)]


def test_a_difference_to_an_arm_that_called_no_tool_bears_no_interval(store, answers):
    off = store("off", answers)
    told, untold = (
        collect([off, store(name, answers[::-1], tools=("ruler",), called=called)]).chapters[0]
        for name, called in (("told", True), ("untold", False))
    )
    assert told.no_claim == ()
    assert told.contrasts[0].tests["distance"].primary.interval is not None
    assert untold.no_claim == (HEADLINE,)
    one = untold.contrasts[0]
    found = one.tests["distance"].primary
    assert found.difference == told.contrasts[0].tests["distance"].primary.difference
    assert (found.interval, found.p) == (None, None)
    assert found.withheld == "on: no tool was called in any of 48 samples"
    assert all(part.estimate is None or part.estimate.interval is None for part in one.strata["distance"])


def test_the_headline_stands_before_the_summary(store, answers):
    report = collect([store("off", answers), store("on", answers, tools=("ruler",), called=False)])
    page = html_page(report)
    assert page.index(HEADLINE) < page.index('-summary">Summary</h3>')
    text = markdown_page(report)
    assert text.index("NOTHING CAN BE SAID OF TOOLS") < text.index("### Summary")
    parity = next(line for line in text.splitlines() if "Parity, " in line)
    assert "NOTHING CAN BE SAID OF TOOLS" in parity
