"""A dry run: five lines, a likely cost in the middle of its range, and the basis in words."""

import re

from fake.replies import text

ANSWER = text("<answer>10.0</answer>")


def words(data, models, *more):
    return ("run", "--model", "fake-openai", "--models", models, "--data", data, "--dry-run", *more)


async def test_a_run_in_five_lines(server, data, models, call):
    code, out, err = await call(*words(data, models, "--tools", "on"))
    assert (code, err) == (0, "")
    asked, samples, cost, basis, more = lines(out)
    assert asked == f"nothing was asked: fake-openai, tools on, data {data}"
    assert samples == "12 samples (distance 12) of 4 subjects"
    found = re.match(r"likely cost: ([\d.]+) US dollars \(from ([\d.]+) to ([\d.]+)\); [\d,]+ tokens in", cost)
    assert found is not None
    likely, least, most = map(float, found.groups())
    assert least < likely < most
    assert "rules of thumb" in basis
    assert "4 model calls a sample; range: 1 to 12 model calls a sample, the limit; the probe adds" in basis
    assert "--verbose" in more
    assert not server.requests


def lines(out: str) -> list[str]:
    """Return the five lines, joined again where they were wrapped."""
    starts = ("nothing was asked", r"\d+ samples", "likely cost", "basis", "smallest", r"\d+ contrast", "--verbose")
    found: list[str] = []
    for line in out.splitlines():
        if re.match("|".join(starts), line):
            found.append(line.rstrip())
        else:
            found[-1] = f"{found[-1]}{'' if found[-1].endswith('-') else ' '}{line.rstrip()}"
    return found


async def test_a_pilot_gives_a_measured_cost_and_its_range(server, data, models, call, tmp_path):
    server.script([ANSWER, ANSWER])
    common = ("--models", models, "--data", data, "--tools", "off", "--limit", 2, "--out", "pilot")
    assert (await call("run", "--model", "fake-openai", *common))[0] == 0
    code, out, err = await call(*words(data, models, "--tools", "on", "--pilot", "pilot"))
    assert code == 0, err
    _, _, cost, basis, _ = lines(out)
    assert "likely cost: 0.0192 US dollars; 12,000 tokens in, 720 out" in cost
    assert "means per task measured in pilot, WHICH HAD tools off; range: every sample as the cheapest" in basis


async def test_a_study_in_five_lines(server, data, models, call, tmp_path):
    (tmp_path / "s.yaml").write_text(
        f"name: s\nmodels: [fake-openai]\ndata: {data}\nmodels_file: {models}\ndesigns: [on-off]\n"
    )
    code, out, err = await call("ablate", "s.yaml", "--dry-run")
    assert (code, err) == (0, "")
    asked, cost, basis, power, more = lines(out)
    assert re.match(r"nothing was asked: study s, plan \w{12}, 2 runs of 2 arms; 12 samples \(distance 12\)", asked)
    assert re.match(r"likely cost: [\d.]+ US dollars \(from [\d.]+ to [\d.]+\); ", cost)
    assert "rules of thumb" in basis
    assert "no claim possible for distance" in power
    assert more.startswith("1 contrast, family of 1 test; --verbose")
    assert not server.requests


async def test_verbose_goes_with_a_dry_run(call):
    code, _, err = await call("run", "--model", "baseline-cv", "--verbose")
    assert code == 2
    assert "--verbose goes with --dry-run" in err
