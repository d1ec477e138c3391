"""``ablate`` as a real process against a real server: shared samples, interleaved cells, kills, budgets, refusals."""

import asyncio
import importlib.util
import json
import signal
from collections import Counter
from pathlib import Path

from fake.replies import HANG, error, text

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.plan import read_plan

ROOT = Path(__file__).parents[2]
ANSWER = text("<think>so</think><answer>10.0</answer>")  # 1000 tokens in, 60 out: 0.0016 US dollars as priced here
ARMS = "base: {tools: 'crop,ruler'}\ndesigns: [on-off]\n"


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
    assert "alpha: the study began with 0.05, this command has 0.01" in err
    assert "study.limit: the study began with 2, this command has 3" in err
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
    assert "5 samples are left or ended without a result" in err
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
    assert b"finishing the samples in flight" in await process.stderr.readline()
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
    assert err.count(f"images included, go through 127.0.0.1:{server.port}") == 1
    assert "hidden" not in err
