"""The arms of a study differ in what it varies and in nothing else; differences are set against the noise."""

import json

from fake.replies import calls, text
from fake.servers import turn_of
from forged import forged

from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.parity import check_parity
from medvision_agent.eval.study.plan import read_plan

ANSWER = text("<think>so</think><answer>10.0</answer>")  # 1000 tokens in, 60 out: 0.0016 US dollars as priced here
ARMS = "base: {tools: 'crop,ruler'}\ndesigns: [on-off]\n"


def runs(folder):
    """Return the stored run of each cell, by arm (and epoch)."""
    return {(cell.arm, cell.epoch): open_run(folder / cell.folder) for cell in read_plan(folder).cells}


async def test_every_difference_is_set_against_the_noise_in_words(server, study, call, tmp_path):
    ruler = calls(("ruler", {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5}))

    def rule(request):
        if not request.body.get("tools"):
            return text("<answer>12.0</answer>")
        return ruler if turn_of(request) == 0 else text("<answer>10.0</answer>")

    server.behave(rule)
    said = (
        "off -> on, distance: two identical runs (on -> on-repeat) differ by 0.000, without an interval (4 subjects, "
        "fewer than 20; 4.0 effective subjects, fewer than 10)."
    )
    designs = "base: {tools: 'crop,ruler'}\ndesigns: [on-off, repeat]\n"
    code, out, err = await call("ablate", study(designs), "--out", "s", "--verbose")
    assert code == 0, err
    assert said in " ".join(out.split())
    without = designs.replace(", repeat", "")
    assert "two identical runs" not in (await call("ablate", study(without), "--out", "t", "--verbose"))[1]
    shown = json.loads((await call("ablate", study(designs), "--out", "s", "--json"))[1])
    assert shown["noise"] == []  # what is not larger than the noise is a caveat
    assert said in [caveat["text"] for found in shown["findings"] for caveat in found["caveats"]]


async def test_a_difference_that_is_not_varied_is_named(server, study, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    path = study(f"{ARMS}limit: 2\n")
    assert (await call("ablate", path, "--out", "s"))[0] == 0
    folder = tmp_path / "s"
    assert check_parity(folder) == []
    on = folder / next(cell.folder for cell in read_plan(folder).cells if cell.arm == "on")
    with forged(on) as database:
        database.execute("UPDATE record SET json = json_set(json, '$.v0_sha256', 'other') WHERE sample_id = 's1'")
        database.execute("UPDATE record SET json = json_set(json, '$.model_versions', json('[\"gpt-new\"]'))")
    problems = check_parity(folder)
    assert {problem.contrast for problem in problems} == {"off -> on"}
    assert [str(problem).partition(":")[0] for problem in problems] == ["contrast off -> on of fake-openai"] * 2
    assert any("v0_sha256" in problem.difference and "'s1'" in problem.difference for problem in problems)
    assert any("model version as served" in problem.difference for problem in problems)


async def test_what_a_prompt_form_changes_is_allowed_where_it_is_varied(server, study, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    designs = "['form:cot', 'frame:pixel', spacing, overlays, paraphrase]"
    more = f"base: {{tools: 'crop,ruler'}}\ndesigns: {designs}\nlimit: 1\n"
    code, _, err = await call("ablate", study(more), "--out", "s")
    assert code == 0, err
    bodies = {arm: None for arm, _ in runs(tmp_path / "s")}
    for request, arm in zip(server.requests, bodies, strict=True):
        bodies[arm] = json.dumps(request.body)
    assert [arm for arm, body in bodies.items() if "Size of one pixel" not in body] == ["spacing-by-tool"]
    assert [arm for arm, body in bodies.items() if "with the line" not in body] == ["no-overlays"]
    assert [arm for arm, body in bodies.items() if "You may use the following tools" in body] == ["paraphrased"]
    assert [arm for arm, body in bodies.items() if "<step-1>" in body] == ["cot"]


async def test_arms_that_vary_the_frame_may_not_differ_in_limits(server, study, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    more = "base: {tools: 'crop,ruler'}\ndesigns: ['frame:pixel']\nlimit: 1\n"
    code, _, err = await call("ablate", study(more), "--out", "s")
    assert code == 0, err
    folder = tmp_path / "s"
    assert check_parity(folder) == []
    pixel = folder / next(cell.folder for cell in read_plan(folder).cells if cell.arm == "pixel")
    limits = open_run(pixel).identity.limits.model_dump()
    assert {"model_calls", "tool_calls", "seconds", "tokens"} <= set(limits)
    for name, value in limits.items():
        for other in (value + 1, value):
            with forged(pixel) as database:
                change = "UPDATE run SET value = json_set(value, ?, ?) WHERE key = 'identity'"
                database.execute(change, (f"$.limits.{name}", other))
            expected = [] if other == value else [f"limits.{name}"]
            assert [problem.difference.partition(":")[0] for problem in check_parity(folder)] == expected
