"""Both arms of a study against servers with rules of their own: where the answers are the same, so are the figures."""

import asyncio
import json

import pytest
from fake.replies import text
from fake.server import FakeServer
from fake.servers import always, chat, mixed, thinker

import medvision_agent as mva
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError

FINAL = "<think>so</think><answer>34.0, 24.2</answer>"
HERMES = (
    '<tool_call>{"name": "ruler", "arguments": {"view": "v0", "x0": 0.1, "y0": 0.1, "x1": 0.5, "y1": 0.1}}</tool_call>'
)


@pytest.fixture
async def server():
    async with FakeServer() as server:
        yield server


@pytest.fixture
def arm(server, tmp_path):
    """Return a function that asks all lesion sizes of the demo set in one arm, and returns the run's folder."""
    row = {"provider": "openai", "model": "m", "base_url": server.openai_url, "api_key_env": None, "max_tries": 1}
    models = tmp_path / "models.yaml"
    models.write_text(json.dumps({"hard": row | {"perceived": {"rule": "native"}}}))

    async def asked(rule, tools):
        server.behave(rule)
        given = {"model": "hard", "models_file": models, "tools": tools, "out": tmp_path / tools, "progress": False}
        return await asyncio.to_thread(mva.run, selection={"tasks": ["size"]}, **given)

    return asked


@pytest.mark.parametrize(
    ("rule", "failed"), [(mixed(400, FINAL), True), (mixed(500, FINAL), True), (thinker(FINAL), False)]
)
async def test_the_wire_makes_no_difference_of_its_own(arm, rule, failed):
    """Servers that refuse unreadable arguments in a history (400 and 500), or one without the model's reasoning."""
    off, on = await arm(rule, "off"), await arm(rule, "on")
    task = mva.compare(off.run.folder, on.run.folder).comparison.tasks["size"]
    assert (task.pairs, task.metrics["loss"].difference) == (12, 0.0)
    assert {record.outcome for record in on.run.records} == {Outcome.ANSWERED}
    uses = [use.ok for record in on.run.records for use in record.tool_uses]
    assert len(uses) == 12
    assert (False in uses) is failed, "some calls were unreadable, and told so"


async def test_an_arm_with_unread_calls_says_so_and_claims_nothing(arm):
    on = await arm(always(text(HERMES)), "on")
    assert [record.unread_calls for record in on.run.records] == [1] * 12
    (_, line) = mva.score(on.run.folder).no_claim
    assert "12 replies hold unread calls: set tool_calling: text" in line


async def test_an_unknown_ending_is_counted_and_no_comparison_is_made(arm):
    off, on = await arm(always(chat({"content": FINAL}, "eos_x")), "off"), await arm(thinker(FINAL), "on")
    assert mva.score(off.run.folder).summary.tasks["size"].infrastructure == {"unknown_ending": 12}
    with pytest.raises(
        ConfigError, match=r'endings: 12 samples in off stopped for a reason that is not known \(\["eos_x"\]\)'
    ):
        mva.compare(off.run.folder, on.run.folder)


async def test_a_server_that_names_another_version_of_itself_is_told_and_not_refused(arm, capfd):
    marked = chat({"content": FINAL})
    marked["raw"]["system_fingerprint"] = "fp_new"
    off, on = await arm(always(chat({"content": FINAL})), "off"), await arm(always(marked), "ruler")
    compared = mva.compare(off.run.folder, on.run.folder)
    (point,) = [one for one in compared.to_json()["parity"]["points"] if one["name"] == "fingerprint"]
    assert (point["assumed"], point["of"], point["found"]) == (12, 12, "none in off, fp_new in ruler")
    cli.main(["compare", str(off.run.folder), str(on.run.folder)], standalone_mode=False)
    told = "assumed: fingerprint of the server: the replies of 12 of 12 pairs do not carry one and the same fingerprint"
    assert told in " ".join(capfd.readouterr().out.split())
