"""A dry run: five lines, a likely cost in the middle of its range, and the basis in words."""

import json
import re

from fake.replies import text

ANSWER = text("<answer>10.0</answer>")


def words(data, models, *more):
    return ("run", "--model", "fake-openai", "--models", models, "--data", data, "--dry-run", *more)


async def test_a_run_in_five_lines(server, data, models, call):
    code, out, err = await call(*words(data, models, "--tools", "on"))
    assert (code, err) == (0, "")
    asked, samples, cost, basis, more = fitting(out)
    assert re.match(r"nothing was asked: fake-openai, tools on, data \.\.\..*samples\.jsonl", asked)
    assert samples == "12 samples (distance 12) of 4 subjects"
    found = re.match(r"likely cost: ([\d.]+) US dollars \(([\d.]+) to ([\d.]+)\); [\d,.]+[kM]? tokens in, ", cost)
    assert found is not None
    likely, least, most = map(float, found.groups())
    assert least < likely < most
    assert basis == "basis: rule of thumb, 4 model calls a sample (1 to 12); thinking takes more"
    assert re.match(r"the probe adds [\d.]+ dollars; --verbose prints", more)
    assert not server.requests


def fitting(out: str) -> list[str]:
    """Return the lines, none of which is wider than 80 columns."""
    lines = out.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    return lines


async def test_a_pilot_gives_a_measured_cost_and_its_range(server, data, models, call, tmp_path):
    server.script([ANSWER, ANSWER])
    common = ("--models", models, "--data", data, "--tools", "off", "--limit", 2, "--out", "pilot")
    assert (await call("run", "--model", "fake-openai", *common))[0] == 0
    code, out, err = await call(*words(data, models, "--tools", "on", "--pilot", "pilot"))
    assert code == 0, err
    _, _, cost, basis, _ = fitting(out)
    assert "likely cost: 0.0192 US dollars; 12,000 tokens in, 720 out" in cost
    assert basis == "basis: means of the pilot, WHICH HAD tools off; range: its cheapest to dearest"


async def test_a_study_in_five_lines(server, data, models, call, tmp_path):
    (tmp_path / "s.yaml").write_text(
        f"name: s\nmodels: [fake-openai]\ndata: {data}\nmodels_file: {models}\ndesigns: [on-off]\n"
    )
    code, out, err = await call("ablate", "s.yaml", "--dry-run")
    assert (code, err) == (0, "")
    asked, samples, cost, basis, power = fitting(out)
    assert asked == "nothing was asked: study s, 2 runs of 2 arms, 1 contrast, family of 1 test"
    assert samples == "12 samples (distance 12) of 4 subjects"
    assert re.match(r"likely cost: [\d.]+ US dollars \([\d.]+ to [\d.]+\); ", cost)
    assert "rules of thumb, range from 1 call to the limit" in basis
    assert power == "smallest difference detected at 80% power: no claim possible for any task"
    assert not server.requests


async def test_arms_are_not_counted_once_for_each_model(data, call, tmp_path):
    (tmp_path / "s.yaml").write_text(
        f"name: s\nmodels: [baseline-cv, baseline-prior, oracle]\ndata: {data}\ndesigns: [on-off]\n"
    )
    code, out, err = await call("ablate", "s.yaml", "--dry-run")
    assert (code, err) == (0, "")
    assert fitting(out)[0] == "nothing was asked: study s, 6 runs of 2 arms and 3 models, 3 tests"


async def test_lines_fit_whatever_is_asked(data, models, call, tmp_path):
    folder = tmp_path / ("d" * 100)
    folder.mkdir()
    sample = json.loads(data.read_text().splitlines()[0])
    (folder / "0.png").write_bytes((tmp_path / "0.png").read_bytes())
    many = [{**sample, "image": "0.png", "id": f"s{number}", "subject": f"d/{number}"} for number in range(300)]
    (folder / "many.jsonl").write_text("".join(json.dumps(one) + "\n" for one in many))
    name = "m" * 60
    row = f"{name}: {{extends: fake-openai, prices: {{input: 9000, output: 90000}}}}\n"
    (tmp_path / "m.yaml").write_text(models.read_text() + row)
    run = ("run", "--model", name, "--models", "m.yaml", "--data", folder / "many.jsonl", "--dry-run")
    code, out, err = await call(*run)
    assert code == 0, err
    assert len(fitting(out)) == 5
    (tmp_path / "s.yaml").write_text(
        f"name: {'s' * 60}\nmodels: [{name}]\ndata: {folder / 'many.jsonl'}\nmodels_file: m.yaml\n"
        "designs: [on-off, leave-one-out, repeat]\nepochs: 2\ncanaries: 3\n"
    )
    code, out, err = await call("ablate", "s.yaml", "--dry-run")
    assert code == 0, err
    assert len(fitting(out)) == 5


async def test_verbose_goes_with_a_dry_run(call):
    code, _, err = await call("run", "--model", "baseline-cv", "--verbose")
    assert code == 2
    assert "--verbose needs --dry-run" in err
