"""``ablate`` as a real process against a real server: shared samples, interleaved cells, kills, budgets, refusals."""

import asyncio
import importlib.util
import json
import signal
from collections import Counter
from pathlib import Path

import pytest
from fake.replies import HANG, calls, error, text
from fake.servers import turn_of
from forged import forged

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.parity import check_parity
from medvision_agent.eval.study.plan import read_plan

ROOT = Path(__file__).parents[2]
ANSWER = text("<think>so</think><answer>10.0</answer>")  # 1000 tokens in, 60 out: 0.0016 US dollars as priced here
ARMS = "base: {tools: 'crop,ruler'}\ndesigns: [on-off]\n"


@pytest.fixture
def study(tmp_path, data, models):
    """Return a function that writes a study file."""

    def written(more=ARMS, models=("fake-openai",), connections=1):
        path = tmp_path / "study.yaml"
        head = f"name: t\nmodels: [{', '.join(models)}]\nmodels_file: models.yaml\ndata: samples.jsonl\n"
        path.write_text(f"{head}max_connections: {connections}\n{more}", encoding="utf-8")
        return path

    return written


def asked(server, start=0):
    """Return the sample and the number of tools of each request."""
    tools = [len(request.body.get("tools", [])) for request in server.requests[start:]]
    return list(zip(server.asked(start), tools, strict=True))


def runs(folder):
    """Return the stored run of each cell, by arm (and epoch)."""
    return {(cell.arm, cell.epoch): open_run(folder / cell.folder) for cell in read_plan(folder).cells}


async def test_cells_share_samples_and_take_turns(server, study, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    more = "base: {tools: 'crop,ruler'}\narms: {only-ruler: {tools: ruler}}\ndesigns: [on-off]\nlimit: 4\n"
    code, out, err = await call("ablate", study(more), "--out", "s", "--verbose")
    assert code == 0, err
    ruler, off, on = 1, 0, 2
    turns = [(ruler, off, on), (off, on, ruler), (on, ruler, off), (ruler, off, on)]
    assert asked(server) == [(number, tools) for number, order in enumerate(turns) for tools in order]
    stored = runs(tmp_path / "s")
    assert {arm for arm, _ in stored} == {"only-ruler", "off", "on"}
    assert len({json.dumps([sample.id for sample in run.samples]) for run in stored.values()}) == 1
    assert len({run.identity.samples_sha256 for run in stored.values()}) == 1
    assert all(len(run.records) == 4 for run in stored.values())
    rows = [line.split() for line in out.splitlines()]
    assert ["model", "arm", "epoch", "task", "n", "success_rate", "loss"] in rows
    assert ["fake-openai", "on", "1", "distance", "4", "100.0%", "0.000"] in rows
    assert "parity of off -> on in 4 pairs, proven: all other settings and the code, question" in out
    assert "  unknowable: weights behind that version: a server shows a name" in out
    (card,) = json.loads((await call("ablate", tmp_path / "study.yaml", "--out", "s", "--json"))[1])["parity"]
    assert (card["contrast"], card["pairs"], card["limited"]) == ("off -> on", 4, {"distance": [0, 0]})
    cells = [tmp_path / "s" / cell.folder for cell in read_plan(tmp_path / "s").cells]
    code, _, err = await call("compare", cells[1], cells[2])
    assert code == 0, err


async def test_killed_twice_nothing_is_asked_again(server, study, start, call, tmp_path):
    words = ("ablate", study(connections=2), "--out", "s")
    done = 0
    for finished in (5, 4):
        before = len(server.requests)
        server.script([ANSWER] * finished + [HANG] * 2)
        process = await start(*words)
        await server.wait_for(before + finished + 2)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        assert process.returncode == -signal.SIGKILL
        done += finished
        assert sum(len(run.records) for run in runs(tmp_path / "s").values()) == done
    server.script([ANSWER] * 15)
    code, _, err = await call(*words)
    assert code == 0, err
    assert "2 cells, 15 of 24 samples left" in err
    assert len(server.requests) == 24 + 4
    counts = Counter(asked(server))
    assert set(counts) == {(number, tools) for number in range(12) for tools in (0, 2)}
    assert sum(count - 1 for count in counts.values()) == 4  # what was in flight, and nothing else
    assert {record.attempt for run in runs(tmp_path / "s").values() for record in run.records} == {1}
    assert (await call(*words))[0] == 0
    assert len(server.requests) == 28


async def test_what_the_program_dies_of_is_asked_alone_over_all_cells(server, study, start, call, tmp_path):
    words = ("ablate", study(connections=2), "--out", "s")
    for in_flight in (2, 2, 1):
        before = len(server.requests)
        server.script([HANG] * in_flight)
        process = await start(*words)
        await server.wait_for(before + in_flight)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        assert len(server.requests) == before + in_flight
    server.script([ANSWER], by_turn=True)
    code, _, err = await call(*words)
    assert code == 1, err
    records = [record for run in runs(tmp_path / "s").values() for record in run.records]
    assert Counter(record.outcome.value for record in records) == {"answered": 23, "crashed": 1}


async def test_models_run_side_by_side_each_with_its_own_connections(server, study, start, tmp_path):
    server.script([HANG], by_turn=True)
    path = study(models=("fake-openai", "fake-gemini"), connections=2)
    process = await start("ablate", path, "--out", "s", GEMINI_API_KEY="key-of-this-test")
    await server.wait_for(4)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert Counter(request.wire for request in server.requests) == {"chat": 2, "gemini": 2}


async def test_epochs_ask_again_and_are_runs_of_their_own(server, study, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    code, _, err = await call("ablate", study(f"{ARMS}limit: 2\nepochs: 2\n"), "--out", "s")
    assert code == 0, err
    assert Counter(asked(server)) == {(number, tools): 2 for number in (0, 1) for tools in (0, 2)}
    assert set(runs(tmp_path / "s")) == {(arm, epoch) for arm in ("off", "on") for epoch in (1, 2)}


async def test_another_study_is_refused_and_another_budget_is_not(server, study, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    assert (await call("ablate", study(f"{ARMS}limit: 2\n"), "--out", "s"))[0] == 0
    before = len(server.requests)
    code, _, err = await call("ablate", study(f"{ARMS}limit: 3\nalpha: 0.01\n"), "--out", "s")
    assert code == 2
    assert "alpha: the study has 0.05, this command 0.01" in err
    assert "study.limit: the study has 2, this command 3" in err
    path = study(f"{ARMS}limit: 2\nbudget: {{usd: 5}}\n", connections=3)
    code, _, err = await call("ablate", path, "--out", "s")
    assert code == 0, err
    assert len(server.requests) == before
    content = json.loads((tmp_path / "s" / "study.json").read_text())
    content["plan"]["family"] = []
    (tmp_path / "s" / "study.json").write_text(json.dumps(content))
    code, _, err = await call("ablate", path, "--out", "s")
    assert code == 2
    assert "changed after the study began" in err


async def test_the_family_is_settled_before_the_first_call(server, study, call, tmp_path):
    server.script([error(500, retry_after="0.01")], by_turn=True)
    more = "base: {tools: 'crop,ruler'}\ndesigns: [on-off, leave-one-out, repeat]\nlimit: 1\n"
    code, _, err = await call("ablate", study(more), "--out", "s")
    assert code == 1
    assert "5 samples are left or got no reply" in err
    assert "s0: " in err
    plan = read_plan(tmp_path / "s")
    assert plan.metric == "loss"
    assert [(test.contrast, test.task, test.model) for test in plan.family] == [
        (name, "distance", "fake-openai") for name in ("off -> on", "without-crop -> on", "without-ruler -> on")
    ]
    assert [contrast.name for contrast in plan.contrasts if not contrast.tested] == ["on -> on-repeat"]


async def test_long_tables_are_printed_where_they_are_asked_for(call, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "name: s\nmodels: [baseline-cv, oracle]\nlimit: 1\ndesigns: [on-off, repeat]\n", encoding="utf-8"
    )
    code, short, err = await call("ablate", "s.yaml", "--out", "s")
    assert code == 0, err
    whole = (await call("ablate", "s.yaml", "--out", "s", "--verbose"))[1]
    told = (
        "success_rate",
        "means per scored sample",
        "tools declared in",
        "parity of ",
    )
    assert [one in short for one in told] == [False] * 4
    assert [one in whole for one in told] == [True] * 4
    assert "this command with --out s --verbose" in " ".join(short.split())
    assert "--verbose" not in whole
    for kept in ("A demonstration", "stored in s", "caveat: Scripted policies", "No claim about tools", "next: "):
        assert kept in short
        assert kept in whole
    rest = short[short.index("stored in s") : short.index("Loss, compute and tool calls")]
    assert rest.strip() in whole
    assert len(short.splitlines()) < 50 < len(whole.splitlines())


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


async def test_a_budget_stops_the_study_and_a_higher_one_goes_on(server, study, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    path = study(f"{ARMS}budget: {{usd: 0.0048}}\n")
    code, _, err = await call("ablate", path, "--out", "s")
    assert code == 1
    assert "0.0048 US dollars are used up" in err
    assert "21 samples are left" in err
    assert "--out s, with a higher limit or without it" in err
    assert asked(server) == [(0, 0), (0, 2), (1, 2)]
    code, _, err = await call("ablate", path, "--out", "s", "--max-cost", 1)
    assert code == 0, err
    assert len(server.requests) == 24


async def test_ctrl_c_finishes_what_is_in_flight(server, study, start, tmp_path):
    released = asyncio.Event()
    server.script([ANSWER, ANSWER, {**ANSWER, "until": released}])
    process = await start("ablate", study(), "--out", "s")
    await server.wait_for(3)
    process.send_signal(signal.SIGINT)
    assert b"not checked yet" in await process.stderr.readline()
    assert b"writing to s" in await process.stderr.readline()
    assert b"1 of 24, loss 0.000" in await process.stderr.readline()
    assert b"finishing what is in flight" in await process.stderr.readline()
    released.set()
    _, err = await process.communicate()
    assert process.returncode == 130
    assert "repeat the command with: --out s" in err.decode()
    assert sum(len(run.records) for run in runs(tmp_path / "s").values()) == 3


async def test_a_refused_key_leaves_nothing_behind(server, study, call, tmp_path):
    server.script([error(403, "no")] * 9)
    code, _, err = await call("ablate", study(), "--out", "s")
    assert code == 2
    assert "403" in err
    assert not (tmp_path / "s").exists()


async def test_a_dry_run_asks_nothing(server, study, call, tmp_path):
    code, out, err = await call("ablate", study(f"{ARMS}epochs: 3\n"), "--out", "s", "--dry-run", "--verbose")
    assert code == 0, err
    assert "12 samples (distance 12) of 4 subjects in each cell" in out
    assert "fake-openai, on (tools crop,ruler) x 3 epochs" in out
    assert "US dollars" in out
    assert "icc 0.00 assumed" in out
    assert "icc 1.00 assumed" in out
    assert "4 subjects, fewer than 20" in out
    assert not server.requests
    assert not (tmp_path / "s").exists()
    code, out, _ = await call("ablate", study(f"{ARMS}epochs: 3\n"), "--dry-run", "--json")
    found = json.loads(out)
    samples = 3 * sum(cell["spending"][0]["input_tokens"] for cell in found["cells"])
    assert found["least"]["input_tokens"] == samples + found["probes"]["input_tokens"] > samples


async def test_a_pilot_gives_the_loss_its_own_units(server, study, data, models, call, tmp_path):
    for name, answers in (("a", ["8", "10", "9.5"]), ("b", ["10", "9", "10"])):
        server.script([text(f"<answer>{answer}</answer>") for answer in answers] * 4)
        words = ("--models", models, "--data", data, "--tools", "off", "--max-connections", 1, "--out", name)
        assert (await call("run", "--model", "fake-openai", *words))[0] == 0
    words = ("ablate", study(), "--dry-run", "--json", "--pilot", "a")
    alone = json.loads((await call(*words))[1])["power"]
    both = json.loads((await call(*words, "--pilot", "b"))[1])["power"]
    for (power,) in (alone, both):
        assert power["from_pilot"]
        assert 0 < power["alone"]["in_metric"] < power["alone"]["in_sd"]
        assert power["alone"]["in_metric"] <= power["in_family"]["in_metric"]
    assert both[0]["alone"]["in_metric"] != alone[0]["alone"]["in_metric"]
    code, _, err = await call("ablate", study(), "--pilot", "a")
    assert code == 2
    assert "--pilot goes with --dry-run" in err


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("designs: [on-of]\n", "study.yaml: designs: unknown 'on-of'"),
        ("arms: {a: {tools: rulr}}\n", "arm 'a' of model 'fake-openai': unknown tool 'rulr'"),
        ("arms: {a: {spacing: tool, form: cot}}\n", "spacing: tool goes with form direct"),
        ("designs: [code]\n", "arm 'code' of model 'fake-openai': --tools code"),
        ("designs: [on-off]\nprotocol: paper-v2\n", "paper-v1"),
    ],
)
async def test_what_cannot_be_asked_is_said_first(server, study, call, tmp_path, more, expected):
    path = study(more)
    before = sorted(tmp_path.iterdir())
    code, _, err = await call("ablate", path, "--out", "s")
    assert code == 2
    assert expected in err
    assert sorted(tmp_path.iterdir()) == before


async def test_the_demonstration_works_offline(call, tmp_path):
    shipped = (ROOT / "examples" / "studies" / "demo-controls.yaml").read_text(encoding="utf-8")
    (tmp_path / "demo.yaml").write_text(f"{shipped}\ntasks: [distance]\n", encoding="utf-8")
    code, out, err = await call("ablate", "demo.yaml")
    assert code == 0, err
    (folder,) = (tmp_path / "studies").iterdir()
    assert folder.name.endswith("-demo-controls")
    (source,) = read_plan(folder).sources
    assert all(len(run.records) == source.samples > 0 for run in runs(folder).values())
    assert "A demonstration" in out


def test_the_page_of_studies_is_generated():
    spec = importlib.util.spec_from_file_location("study_docs", ROOT / "scripts" / "study_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text(encoding="utf-8") == module.pages(), "run: python scripts/study_docs.py"


def test_cells_of_a_model_keep_its_limits_per_minute_together():
    config = MODEL_CONFIG.validate_python({"provider": "offline", "name": "oracle", "requests_per_minute": 3})
    first = Chat(config, None)
    beside = first.beside(first, config.model_copy(update={"frame": "pixel"}))
    assert beside.config.frame == "pixel"
    assert beside.pace is first.pace


async def test_a_proxy_is_named_before_the_first_request(server, study, call):
    server.script([ANSWER], by_turn=True)
    proxy = {"HTTP_PROXY": f"http://me:hidden@127.0.0.1:{server.port}", "NO_PROXY": "", "no_proxy": ""}
    _, _, err = await call("ablate", study(), "--out", "s", **proxy)
    assert err.count(f"pictures included, go through 127.0.0.1:{server.port}") == 1
    assert "hidden" not in err


async def test_a_pilot_tells_what_arms_asked_like_it_take(server, study, data, models, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    words = ("--models", models, "--data", data, "--tools", "off", "--limit", 3, "--out", "pilot")
    assert (await call("run", "--model", "fake-openai", *words))[0] == 0
    more = f"{ARMS}arms: {{cot: {{tools: 'off', form: cot}}}}\n"
    found = json.loads((await call("ablate", study(more), "--dry-run", "--json", "--pilot", "pilot"))[1])
    cells = {cell["arm"]: cell for cell in found["cells"]}
    assert {arm: cell["measured_in"] for arm, cell in cells.items()} == {"off": "pilot", "on": None, "cot": None}
    (spent,) = cells["off"]["spending"]
    assert (spent["input_tokens"], spent["output_tokens"]) == (12 * 1000, 12 * 60)
    assert spent["usd"] == pytest.approx(12 * 0.0016)
    samples = sum(cell["spending"][-1]["input_tokens"] for cell in found["cells"])
    assert found["most"]["input_tokens"] == samples + found["probes"]["input_tokens"]
    out = (await call("ablate", study(more), "--dry-run", "--verbose", "--pilot", "pilot"))[1]
    assert "off (tools off): 12,000 tokens in, 720 out, 0.0192 US dollars (measured in pilot)" in out
    assert out.count("at most (rules of thumb)") == 2
    without = (await call("ablate", study(more), "--dry-run", "--verbose"))[1]
    assert "measured in" not in without
    assert without.count(" at most\n") == 3


async def test_repeats_that_show_no_noise_are_named(server, study, models, call):
    server.script([ANSWER], by_turn=True)
    rows = {"seed": "seed: 7", "cold": "temperature: 0", "body": "extra_body: {seed: 3}", "warm": "temperature: 1"}
    with models.open("a") as file:
        file.writelines(f"{name}:\n  extends: fake-openai\n  {row}\n" for name, row in rows.items())
    every, reasons = ("fake-openai", *rows), ("seed: its seed is fixed (7)", "cold: its temperature is 0")
    path = study(f"{ARMS}epochs: 2\nlimit: 1\n", models=every)
    shown = (await call("ablate", path, "--dry-run", "--verbose"))[1]
    code, _, begun = await call("ablate", path, "--out", "s")
    assert code == 0, begun
    for printed in (shown, begun):
        for reason in (*reasons, "body: its seed is fixed (3)"):
            assert f"{reason}; epochs of it show no sampling noise" in printed
        assert printed.count("no sampling noise") == 3
    repeat = (await call("ablate", study(f"{ARMS[:-2]}, repeat]\n", models=every), "--dry-run", "--verbose"))[1]
    assert f"{reasons[1]}; repeats of it show no sampling noise" in repeat
    once = (await call("ablate", study(ARMS, models=every), "--dry-run", "--verbose"))[1]
    assert "no sampling noise" not in once
