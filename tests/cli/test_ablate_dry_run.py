"""``ablate`` before the first request: what is refused, what it would ask, and what pilots tell of it."""

import json

import pytest
from fake.replies import text

ANSWER = text("<think>so</think><answer>10.0</answer>")  # 1000 tokens in, 60 out: 0.0016 US dollars as priced here
ARMS = "base: {tools: 'crop,ruler'}\ndesigns: [on-off]\n"


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
    assert "--pilot needs --dry-run" in err


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("designs: [on-of]\n", "study.yaml: designs: 'on-of' is not a design"),
        ("arms: {a: {tools: rulr}}\n", "arm 'a' of model 'fake-openai': unknown tool 'rulr'"),
        ("arms: {a: {spacing: tool, form: cot}}\n", "spacing: tool leaves the pixel size out of the prompt"),
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
            assert f"{reason}; epochs of this model show no sampling noise" in printed
        assert printed.count("no sampling noise") == 3
    repeat = (await call("ablate", study(f"{ARMS[:-2]}, repeat]\n", models=every), "--dry-run", "--verbose"))[1]
    assert f"{reasons[1]}; repeats of this model show no sampling noise" in repeat
    once = (await call("ablate", study(ARMS, models=every), "--dry-run", "--verbose"))[1]
    assert "no sampling noise" not in once
