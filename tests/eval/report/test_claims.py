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
    assert "untested" not in [one.kind for one in told.findings.caveats]
    assert told.contrasts[0].tests["distance"].primary.interval is not None
    assert (untold.findings.caveats[0].kind, untold.findings.caveats[0].text) == ("untested", f"{HEADLINE}.")
    assert (untold.findings.rows[0].claim, untold.findings.rows[0].reason) == (False, "untested")
    one = untold.contrasts[0]
    found = one.tests["distance"].primary
    assert found.difference == told.contrasts[0].tests["distance"].primary.difference
    assert (found.interval, found.p) == (None, None)
    assert found.withheld == "on: no tool was called in any of 48 samples"
    assert all(part.estimate is None or part.estimate.interval is None for part in one.strata["distance"])


def test_the_headline_is_the_first_caveat(store, answers):
    report = collect([store("off", answers), store("on", answers, tools=("ruler",), called=False)])
    page = html_page(report)
    assert f'<ol class="caveats">\n<li class="stop">{HEADLINE}.' in page
    assert "No claim about tools can be made: an arm says nothing of tools, as the first caveat explains." in page
    text = markdown_page(report)
    assert f"### Caveats\n\n- {HEADLINE}." in text
    parity = next(line for line in text.splitlines() if "Parity, " in line)
    assert "NOTHING CAN BE SAID OF TOOLS" in parity
