"""A second reader in studies and reports: named by the plan, asked once at the end, shown without a further call."""

import json
import re

import pytest
from fake.replies import text

from medvision_agent.api.loaded import load
from medvision_agent.eval.reading.stored import stored_readings
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.store.read import open_run

READER = ("--reader", "fake-openai", "--models-file")


def answering(request):
    """Answer as a model in a sentence without tools, between tags with them; read the last number as a reader."""
    if request.pictures:
        said = "It is 12.5 mm." if "tool" not in json.dumps(request.body) else "<answer>10.0</answer>"
        return text(said)
    content = request.body["messages"][-1]["content"]
    words = content if isinstance(content, str) else content[0]["text"]
    shown = json.loads(next(line for line in words.splitlines() if line.startswith('"')))
    return text(json.dumps(re.findall(r"\d+\.\d+", shown)[-1:]))


def read(server):
    """Return how many requests were a reader's."""
    return sum(not request.pictures for request in server.requests)


@pytest.fixture
def study(tmp_path, data, models):
    """Return a function that writes a study file of two arms."""

    def written(**more):
        file = tmp_path / "study.json"
        keys = {"name": "two", "models": ["fake-openai"], "models_file": models.name, "data": data.name}
        file.write_text(json.dumps(keys | {"designs": ["on-off"], "probe": False} | more))
        return file

    return written


async def test_the_reader_of_the_plan_reads_at_the_end_and_the_report_shows_it_without_a_call(
    study, server, call, tmp_path
):
    server.behave(answering)
    code, _, err = await call("ablate", study(reader="fake-openai"), "--out", tmp_path / "s")
    assert code == 0, err
    count = read(server)
    assert count == 2  # each arm says one text
    plan = json.loads((tmp_path / "s/study.json").read_text())["plan"]
    assert (plan["reader"]["name"], plan["study"]["primary_reading"]) == ("fake-openai", "rule")
    code, _, err = await call("report", tmp_path / "s", "--out", tmp_path / "r.html", "--tables", tmp_path / "t")
    assert (code, read(server)) == (0, count), err
    page = (tmp_path / "r.html").read_text()
    assert "The plan named it before the first call, beside the rule" in page
    (found,) = collect([tmp_path / "s"]).chapters[0].readings
    assert (found.planned, found.primary) == (True, False)
    (pair,) = found.pairs
    assert pair.found.by_rule.value == pytest.approx(-1)
    assert pair.found.by_reader.value == pytest.approx(-0.25)
    assert pair.found.format.value == pytest.approx(0.75)
    assert [one.calls for one in found.costs.values()] == [1, 1]
    assert all(one.usd > 0 for one in found.costs.values())
    assert {one.agreement for one in found.disagreements} == {"the reader alone"}
    assert (tmp_path / "t/c1-reading-differences.csv").is_file()
    table = load(tmp_path / "s").readings()
    assert set(table.reader) == {"fake-openai"}
    off, on = table[table.arm == "off"], table[table.arm == "on"]
    assert on.reader_loss.mean() - off.reader_loss.mean() == pytest.approx(pair.found.by_reader.value)
    assert on.rule_loss.mean() - off.rule_loss.mean() == pytest.approx(pair.found.by_rule.value)
    assert set(off.relation) == {"the reader alone"}
    code, _, err = await call("export", tmp_path / "s", "--out", tmp_path / "x", "--format", "csv")
    assert (code, (tmp_path / "x/readings.csv").read_text().count("\n")) == (0, len(table) + 1), err
    code, _, err = await call("ablate", study(reader="fake-openai"), "--out", tmp_path / "s")
    assert (code, read(server)) == (0, count), err


async def test_repeating_the_command_gives_a_reader_no_new_budget(study, server, call, models, tmp_path):
    server.behave(answering)
    models.write_text(models.read_text() + "one-by-one: {extends: fake-openai, max_connections: 1}\n")
    assert (await call("ablate", study(reader="one-by-one"), "--out", tmp_path / "free"))[0] == 0
    runs = [open_run(folder) for folder in (tmp_path / "free/cells").iterdir()]
    each = stored_readings(runs[0].folder).spent_usd
    assert each > 0
    most, before = sum(run.spent_usd for run in runs) + each / 2, read(server)
    file = study(reader="one-by-one", budget={"usd": most})
    for _ in range(3):
        code, _, err = await call("ablate", file, "--out", tmp_path / "bounded")
        assert (code, read(server) - before) == (1, 1), err
        assert "the reader one-by-one did not read " in err
        assert ", with a higher cost limit or without it" in err


async def test_the_primary_reading_is_that_of_the_reader_where_the_plan_says_so(study, server, call, tmp_path):
    server.behave(answering)
    file = study(reader="fake-openai", primary_reading="reader")
    code, _, err = await call("ablate", file, "--out", tmp_path / "s")
    assert code == 0, err
    (chapter,) = collect([tmp_path / "s"]).chapters
    assert chapter.contrasts[0].tests["distance"].primary.difference == pytest.approx(-0.25)
    assert chapter.readings[0].primary
    assert "Answers are scored as fake-openai reads them" in chapter.findings.asked
    for cell in (tmp_path / "s/cells").iterdir():
        (cell / "readings.sqlite").unlink()
    (chapter,) = collect([tmp_path / "s"]).chapters  # nothing is read: the rule, and no verdict
    assert chapter.contrasts[0].tests["distance"].primary.difference == pytest.approx(-1)
    assert (
        "fake-openai, which the plan names as the primary reader, has not read 24 of 24" in chapter.contrasts[0].early
    )


async def test_a_reader_that_is_named_after_the_first_call_is_never_primary(study, server, call, models, tmp_path):
    server.behave(answering)
    assert (await call("ablate", study(), "--out", tmp_path / "s"))[0] == 0
    late = study(reader="fake-openai", primary_reading="reader")
    code, _, err = await call("ablate", late, "--out", tmp_path / "s")
    assert (code, read(server)) == (2, 0)
    assert "study.primary_reading" in err
    assert "is never primary" in " ".join(err.split())
    code, _, err = await call("report", tmp_path / "s", *READER, models)
    assert (code, read(server)) == (0, 2), err
    assert "No plan named it before the first call" in (tmp_path / "s/report.html").read_text()
    (chapter,) = collect([tmp_path / "s"]).chapters
    assert chapter.contrasts[0].tests["distance"].primary.difference == pytest.approx(-1)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"reader": "baseline-cv"}, "cannot read text"),
        ({"reader": "nobody"}, "nobody"),
        ({"primary_reading": "reader"}, "primary_reading: reader, but the key `reader` is missing"),
    ],
)
async def test_what_cannot_read_is_refused_before_the_first_call(study, server, call, tmp_path, more, expected):
    code, _, err = await call("ablate", study(**more), "--out", tmp_path / "s")
    assert (code, len(server.requests)) == (2, 0)
    assert expected in " ".join(err.split())


async def test_a_hostile_response_stays_text_in_the_report(study, server, call, tmp_path):
    hostile = "It is 12.5 mm.<script>alert(1)</script>\x1b[31m"
    server.behave(lambda request: text(hostile) if request.pictures else answering(request))
    code, _, err = await call("ablate", study(reader="fake-openai"), "--out", tmp_path / "s")
    assert code == 0, err
    assert (await call("report", tmp_path / "s"))[0] == 0
    page = (tmp_path / "s/report.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "\x1b" not in page
