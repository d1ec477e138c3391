"""How far tools came: declared, called, answered, shown, with pictures, on every wire and in text."""

import json

import pytest
from fake.replies import calls, error, text

import medvision_agent as mva
from medvision_agent.cli.printed.summary import print_summary
from medvision_agent.eval.store.read import read_trace

RULER = {"x0": 0.2, "y0": 0.5, "x1": 0.8, "y1": 0.5}
CROP = {"x0": 0.2, "y0": 0.2, "x1": 0.8, "y1": 0.8}
BAD = {"x0": 7, "y0": 0.5, "x1": 0.8, "y1": 0.5}
ANSWER = text("<answer>11.5</answer>")
ONE_OF_EACH = [("crop", CROP), ("pixel_spacing", {}), ("ruler", BAD)]


def written(called):
    """Write calls in text."""
    lines = [json.dumps({"name": name, "arguments": arguments}) for name, arguments in called]
    return text("\n".join(["```tool_call", *lines, "```"]))


@pytest.mark.parametrize(
    ("wire", "row"),
    [
        ("chat", {}),
        ("responses", {}),
        ("responses", {"images_in_tool_result": True}),
        ("gemini", {}),
        ("chat", {"tool_calling": "text"}),
        ("chat", {"tool_calling": "text", "grammar": "hermes"}),
    ],
)
async def test_results_and_pictures_are_found_in_the_next_turn(server, run, wire, row):
    first = written(ONE_OF_EACH) if "tool_calling" in row else calls(*ONE_OF_EACH)
    server.script([first, ANSWER], by_turn=True)
    ran = await run(wire, row=row)
    path = ran.run.tool_path
    assert (path.declared, path.called, path.calls, path.answered, path.not_recorded) == (2, 2, 6, 4, 0)
    assert (path.shown, path.pictures, path.pictures_shown) == (4, 2, 2)
    assert str(path) in ran.run.facts


async def test_a_result_that_no_turn_followed_was_not_shown(server, run, tmp_path):
    server.script([calls(("crop", CROP)), error(400, "too long", code="context_length_exceeded")], by_turn=True)
    ran = await run()
    path = ran.run.tool_path
    assert [record.outcome.value for record in ran.run.records] == ["context_overflow", "context_overflow"]
    assert (path.answered, path.shown, path.pictures, path.pictures_shown) == (2, 0, 2, 0)
    call = read_trace(tmp_path / "run", ran.run.records[0].sample.id)["tool_calls"][0]
    assert (call["shown"], call["picture_shown"]) == (False, False)
    assert ran.tool_calls()[["shown", "picture_shown"]].to_numpy().tolist() == [[False, False]] * 2


async def test_what_is_withheld_has_no_picture_to_be_shown(server, run):
    server.script([calls(("crop", CROP)), ANSWER], by_turn=True)
    path = (await run(tools="blind")).run.tool_path
    assert (path.answered, path.shown, path.pictures) == (2, 2, 0)


async def test_an_arm_without_tools_has_no_path(server, run):
    server.script([ANSWER], by_turn=True)
    assert (await run(tools="off")).run.tool_path is None


async def test_a_run_whose_model_never_called_a_tool_says_so_first(server, run, tmp_path, capsys):
    server.script([ANSWER], by_turn=True)
    ran = await run()
    assert (ran.run.tool_path.declared, ran.run.tool_path.called) == (2, 0)
    headline = "NOTHING CAN BE SAID OF TOOLS: no tool was called in any of 2 samples"
    score = mva.score(tmp_path / "run")
    assert score.to_json()["no_claim"] == [headline]
    print_summary(score, as_json=False)
    assert capsys.readouterr().out.startswith(headline)
    await run(folder="off", tools="off")
    compared = mva.compare(tmp_path / "off", tmp_path / "run").to_json()
    assert compared["no_claim"] == [headline.replace("no tool", "on: no tool")]
    assert (compared["a"]["tool_path"], compared["b"]["tool_path"]["called"]) == (None, 0)
