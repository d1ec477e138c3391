"""Which arms say nothing of tools, and which differences are about tools at all."""

from pathlib import Path

from identities import an_identity

from medvision_agent.eval.store.record import ToolUse
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.claims import no_claim, no_claim_of_pair

CALL = ToolUse(tool="ruler", ok=False, seconds=0.0)


def run(records, **identity):
    fields = {"condition": "on", "tools": ["ruler"]} | identity
    return Run(Path("run"), an_identity(**fields), {}, [record.sample for record in records], records)


def test_an_arm_that_never_called_its_tools_says_nothing_of_them(make_record):
    quiet = [make_record("a", "distance", "18"), make_record("b", "distance", "18")]
    loud = [quiet[0], quiet[1].model_copy(update={"tool_uses": (CALL,)})]
    assert no_claim([run(quiet)]) == ("no tool was called in any of 2 samples",)
    assert no_claim([run([], provider_code=True, tools=[])]) == ()
    assert no_claim([run(quiet, provider_code=True, tools=[])]) != ()
    assert no_claim([run(quiet, condition="off", tools=[])]) == ()
    assert no_claim([run(loud)]) == ()
    assert no_claim([run(quiet), run(loud)]) == (), "epochs are one arm"


def test_a_difference_that_is_not_about_tools_may_be_claimed(make_record):
    quiet = [make_record("a", "distance", "18")]
    on, off, cot = run(quiet), run(quiet, condition="off", tools=[]), run(quiet, form="cot")
    assert no_claim_of_pair([off], [on]) == ("B: no tool was called in any of 1 sample",)
    assert no_claim_of_pair([on], [off], ("on", "off")) == ("on: no tool was called in any of 1 sample",)
    assert no_claim_of_pair([on], [cot]) == ()
