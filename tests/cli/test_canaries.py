"""Canaries of a study against a real server: when they are asked, where they are kept, and what they stay out of."""

import json
import shutil

import pytest
from fake.replies import text

import medvision_agent as mva
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.plan import read_plan

GOOD, BAD = text("<answer>10.0</answer>"), text("<answer>15.0</answer>")


@pytest.fixture
def study(tmp_path, data, models):
    """Return a function that writes a study file."""

    def written(more):
        path = tmp_path / "study.yaml"
        head = "name: t\nmodels: [fake-openai]\nmodels_file: models.yaml\ndata: samples.jsonl\nmax_connections: 1\n"
        path.write_text(f"{head}{more}", encoding="utf-8")
        return path

    return written


ARMS = "base: {tools: 'crop,ruler'}\ndesigns: [on-off]\nlimit: 4\n"


async def test_canaries_are_asked_three_times_and_enter_no_mean(server, study, call, tmp_path):
    canaries, half = 2, 4
    server.script([GOOD] * (2 * canaries + 2 * half) + [BAD] * canaries)
    path = study(f"{ARMS}canaries: 2\n")
    code, out, err = await call("ablate", path, "--out", "s", "--json")
    assert code == 0, err
    assert "2 cells and 3 runs of canaries, 14 of 14 samples left" in err
    tools = [len(request.body.get("tools", [])) for request in server.requests]
    assert list(zip(server.asked(0), tools, strict=True)) == [
        *[(0, 0), (2, 0)],
        *[(0, 0), (0, 2), (1, 2), (1, 0)],
        *[(0, 0), (2, 0)],
        *[(2, 0), (2, 2), (3, 2), (3, 0)],
        *[(0, 0), (2, 0)],
    ]
    found = json.loads(out)
    assert {(row["arm"], row["n"], row["loss"]) for row in found["cells"]} == {("off", 4, 0.0), ("on", 4, 0.0)}
    (drift,) = found["parity"][0]["drift"]
    assert (drift["task"], drift["n"], drift["losses"]) == ("distance", 2, [0.0, 0.0, 0.5])
    folder = tmp_path / "s"
    assert not [cell for cell in read_plan(folder).cells if "canaries" in cell.folder]
    assert len(mva.load(folder).runs) == len(mva.load(tmp_path).runs) == 2
    assert open_run(folder / "canaries" / "fake-openai--off--1--end").config["canary"] == "end"
    assert sum("canaries" in name for name in mva.verify(folder).runs) == 3
    assert (await call("ablate", path, "--out", "s"))[0] == 0
    assert len(server.requests) == 14, "nothing is asked again"


async def test_canaries_that_are_missing_are_asked_when_the_study_goes_on(server, study, call, tmp_path):
    server.script([GOOD], by_turn=True)
    path = study(f"{ARMS}canaries: 1\n")
    assert (await call("ablate", path, "--out", "s"))[0] == 0
    shutil.rmtree(tmp_path / "s" / "canaries" / "fake-openai--off--1--middle")
    before = len(server.requests)
    assert (await call("ablate", path, "--out", "s"))[0] == 0
    assert server.asked(before) == [0]


async def test_a_study_without_the_key_asks_and_says_what_it_did(server, study, call, tmp_path):
    server.script([GOOD], by_turn=True)
    code, out, err = await call("ablate", study(ARMS), "--out", "s")
    assert code == 0, err
    assert len(server.requests) == 8
    assert "canaries" not in out + err
    assert not (tmp_path / "s" / "canaries").exists()


async def test_canaries_need_an_arm_without_tools(server, study, call):
    more = "base: {tools: 'crop,ruler'}\narms: {a: {tools: crop}, b: {tools: ruler}}\ncanaries: 1\n"
    code, _, err = await call("ablate", study(more), "--out", "s")
    assert (code, server.requests) == (2, [])
    assert "canaries: they are asked in an arm without tools, and the study has none; add the design on-off" in err


async def test_a_dry_run_counts_canaries(study, call):
    code, out, err = await call("ablate", study(f"{ARMS}canaries: 2\n"), "--dry-run", "--json")
    assert code == 0, err
    more = json.loads(out)
    less = json.loads((await call("ablate", study(ARMS), "--dry-run", "--json"))[1])
    assert less["canaries"] is None
    assert more["canaries"]["output_tokens"] > 0
    assert more["most"]["output_tokens"] - less["most"]["output_tokens"] == more["canaries"]["output_tokens"]
    assert more["cells"] == less["cells"]
