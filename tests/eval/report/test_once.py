"""A report scores each answer once, and opens each conversation once, and none in which no tool was called."""

import sqlite3
import sys
from collections import Counter
from contextlib import closing, contextmanager

import medvision_agent as mva
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.scorer import score
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store import packed


@contextmanager
def counted(*functions):
    """Count the calls of functions with their arguments, by the interpreter's own hook."""
    calls, codes = [], {one.__code__: one.__name__ for one in functions}

    def hook(frame, event, _):
        if event == "call" and frame.f_code in codes:
            calls.append((codes[frame.f_code], dict(frame.f_locals)))

    sys.setprofile(hook)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def asked(folder, tools):
    mva.run(Settings(model="baseline-cv", data="demo", tools=tools, out=folder, selection={"limit": 8}), progress=False)
    return folder


def with_calls(folder):
    with closing(sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)) as database, database:
        query = "SELECT count(*) FROM record WHERE json_array_length(json, '$.tool_uses') > 0"
        return database.execute(query).fetchone()[0]


def test_a_report_of_two_runs_reads_each_answer_once(tmp_path):
    off, on = (asked(tmp_path / tools, tools) for tools in ("off", "on"))
    with counted(score.score_records, score.score, packed.Unpacker.text) as calls:
        report = collect([off, on], most_pictures=0)
    scored = Counter(one.sample.id for name, given in calls if name == "score_records" for one in given["records"])
    assert {name for name, _ in calls} == {"score_records", "text"}, "no answer is scored beside them"
    assert set(scored.values()) == {2}, "once in each arm"
    first = sum(len(run.asked) for chapter in report.chapters for run in chapter.runs)
    assert first == 2 * len(report.chapters[0].tasks), "the prompt of the first sample of each task is shown"
    assert with_calls(off) == 0 < with_calls(on) <= len(scored)
    assert sum(name == "text" for name, _ in calls) == with_calls(on) + first
