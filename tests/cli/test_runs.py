"""``runs`` lists what a folder holds, and ``run`` ends with a sentence, a table and the next command."""

import json

import pytest
from fake.replies import error, text

ANSWER = text("<answer>10.0</answer>")


@pytest.fixture
def words(data, models):
    def made(out, *more, tools="off"):
        named = ("--model", "fake-openai", "--models", models, "--data", data, "--tools", tools)
        return ("run", *named, "--max-connections", 1, "--limit", 4, "--out", out, *more)

    return made


async def test_runs_lists_states_losses_and_costs(server, words, call, tmp_path):
    server.script([ANSWER, text("<answer>15.0</answer>"), text("no idea"), ANSWER])
    assert (await call(*words("runs/whole")))[0] == 0
    server.script([ANSWER, *[error(500, retry_after="0.01")] * 2, ANSWER, ANSWER])
    assert (await call(*words("runs/part")))[0] == 1
    code, out, err = await call("runs")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "runs/part  run, unfinished, 3 of 4 samples"
    whole = lines.index("runs/whole  run, finished, 4 of 4 samples")
    assert lines[whole + 1].startswith("    fake-openai; tools off; data ")
    said = " ".join(" ".join(lines[whole + 2 : -1]).split())
    assert "loss 0.3750 in distance, success rate 75.0% (n 4, 4 subjects); cost 0.0" in said
    assert lines[-1] == "2 runs and 0 studies in ."
    code, out, _ = await call("runs", tmp_path / "runs", "--json", "--no-loss")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["name"], row["state"], row["overall"]) for row in rows] == [
        ("part", "unfinished", None),
        ("whole", "finished", None),
    ]
    code, _, err = await call("runs", "nowhere")
    assert code == 2
    assert "nowhere: cannot be listed" in err


async def test_a_run_ends_with_a_sentence_a_table_and_the_next_command(server, words, call):
    server.script([ANSWER, text("<answer>15.0</answer>"), text("no idea"), ANSWER])
    code, out, err = await call(*words("runs/off"))
    assert code == 0, err
    sentence, _, rest = out.partition("fake-openai with tools off gave ")[2].partition("\ntask ")
    assert " ".join(sentence.split()) == (
        "a readable answer to 3 of 4 scored samples (75.0%); its mean loss is 0.375 (distance), where 0 is perfect and "
        "a failed answer costs 1."
    )
    assert rest.splitlines()[2].split()[:5] == ["distance", "4", "4", "75.0%", "0.3750"]
    assert rest.splitlines()[-2:] == [
        "stored in runs/off",
        "next: medvision-agent rerun runs/off --tools on --out runs/off-tools-on",
    ]
    server.script([ANSWER] * 4)
    code, out, err = await call("rerun", "runs/off", "--tools", "on", "--out", "runs/with tools", "--no-probe")
    assert code == 0, err
    compared = "next: medvision-agent compare runs/off 'runs/with tools'\n"
    assert out.endswith(compared)
    assert (await call(*words("runs/off", "--resume")))[1].endswith(compared)


async def test_the_next_command_knows_the_other_arms_by_what_they_asked(server, words, call):
    server.script([ANSWER], by_turn=True)
    assert (await call(*words("runs/other", "--seed", 7, "--limit-by", "subject", tools="on")))[0] == 0
    (_, out, _) = await call(*words("runs/a"))
    assert "next: medvision-agent rerun runs/a --tools on --out runs/a-tools-on\n" in out
    server.script([ANSWER, *[error(500, retry_after="0.01")] * 2, ANSWER, ANSWER])
    assert (await call(*words("runs/a-tools-on", "--no-probe", tools="on")))[0] == 1
    (_, out, _) = await call(*words("runs/a", "--resume"))
    said = "next (once all are finished; runs/a-tools-on has 3 of 4 samples): medvision-agent compare runs/a runs/a-too"
    assert said in " ".join(out.split())
    server.script([ANSWER], by_turn=True)
    assert (await call(*words("runs/b", tools="crop")))[0] == 0
    assert (await call(*words("runs/c", tools="on")))[0] == 0
    (_, out, _) = await call(*words("runs/a", "--resume"))
    assert out.endswith("next: medvision-agent report runs/a runs/c runs/b\n")


async def test_a_run_with_samples_left_leaves_the_next_command_to_the_error_stream(server, words, call):
    server.script([ANSWER, *[error(500, retry_after="0.01")] * 2, ANSWER, ANSWER])
    code, out, err = await call(*words("runs/off"))
    assert code == 1
    assert "next: " not in out
    assert "1 sample ended without a result" in " ".join(out.split())
    assert "to go on, repeat the command with: --out runs/off --resume" in err


async def test_runs_shows_the_arms_of_a_studys_primary_contrast(call, tmp_path):
    (tmp_path / "s.yaml").write_text("name: s\nmodels: [baseline-cv, oracle]\nlimit: 1\ndesigns: [on-off]\n")
    assert (await call("ablate", "s.yaml", "--out", "s"))[0] == 0
    row = json.loads((await call("runs", "--json"))[1])
    loss = {(one["model"], one["arm"]): one["figures"]["loss"] for one in row["arms"]}
    said = " ".join((await call("runs"))[1].split())
    for model in ("baseline-cv", "oracle"):
        off, on = (f"{arm} {loss[model, arm]:.4f} (n 4, success rate 100.0%)" for arm in ("off", "on"))
        assert f"{model}, loss over all tasks: {off}, {on}" in said
    assert "loss over all tasks" not in (await call("runs", "--no-loss"))[1]
