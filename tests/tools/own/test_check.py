"""The check of a tool finds what is wrong with it, names it, and survives it."""

import sys
from pathlib import Path

import pytest

from medvision_agent.tools.own.declaration import problems
from medvision_agent.tools.own.examine import examine
from medvision_agent.tools.own.process import CheckBounds, check
from medvision_agent.tools.registry import installed

BAD = Path(__file__).with_name("bad.py")
OWN = installed().with_file(BAD)


def wrong(name):
    """Return what the check finds wanting, by what was tried."""
    findings = examine(OWN.tool(name), calls=150)
    return {finding.what: finding.words for finding in findings if finding.verdict == "no"}


def test_a_sound_tool_passes():
    assert wrong("sound") == {}


@pytest.mark.parametrize(
    ("name", "what", "words"),
    [
        ("raises", "no call makes it fail", "IndexError: list index out of range"),
        ("infinite", "no call makes it fail", "finite number"),
        ("deaf", "every convention measures the same", "length_mm"),
        ("peeps", "sees_image=False", "grey"),
        ("counts", "states_pixels=False", "length_px 64.0 and 640.0"),
        ("promises", "overlay", "no picture: "),
        ("halves", "measures", "but its points (x, y, x1, y1) give "),
        ("viewless", "measures", "must say in which view its points (found_x0, "),
        ("spoils", "it leaves the image alone", "changed by "),
        ("refuses", "it works", "0 of 150 generated calls"),
    ],
)
def test_each_broken_promise_is_named_alone(name, what, words):
    found = wrong(name)
    assert list(found) == [what]
    assert words in found[what]


@pytest.mark.parametrize("name", ["ruler", "protractor", "segment"])
def test_shipped_tools_measure_between_the_points_they_declare(name):
    findings = {one.what: one for one in examine(installed().tool(name), calls=100)}
    assert findings["measures"].verdict == "yes"
    assert findings["measures"].words.startswith("values and points agree: ")


def test_calls_follow_from_the_seed():
    tool = OWN.tool("raises")
    first, again, other = (examine(tool, calls=100, seed=seed)[2].words for seed in (3, 3, 4))
    assert first == again != other


def test_a_declaration_that_gets_lost_on_the_way():
    found = "\n".join(problems(OWN.tool("listed")))
    for line in (
        "its docstring, which is what a model reads, has fewer than 40 characters",
        "argument corners: must be a number, an integer, a text, or one of several texts",
        "argument x0: its name is that of a coordinate, so its description must state the range with {width}",
        "argument zoom: its description must contain the words (2 if left out)",
        "argument near: its schema has exclusiveMinimum, which some providers drop",
        "argument way: has no description",
        "its docstring or descriptions say top; leave such words out",
        "result points: must be a number, a text or a boolean",
        "result picture: this name is reserved",
    ):
        assert line in found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("slow", "a call was stopped after 0.5 s: (x=0."),
        ("dies", "the process ended with code 9"),
    ],
)
def test_a_call_that_never_returns_is_named(name, words):
    (finding,) = check(name, BAD, CheckBounds(calls=100, seconds=0.5))
    assert (finding.what, finding.verdict) == ("it keeps its bounds", "no")
    assert finding.words.startswith(words)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")
def test_a_greedy_tool_is_stopped_by_its_bound():
    findings = {finding.what: finding for finding in check("greedy", BAD, CheckBounds(calls=100))}
    assert "MemoryError" in findings["no call makes it fail"].words
    assert findings["it works"].verdict == "no"
