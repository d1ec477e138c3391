"""What scores, explains or exports a run holds no record of it beyond the moment, and gives the same figures twice."""

import json
from itertools import islice

import pytest

from medvision_agent.api.explaining import explain_results
from medvision_agent.api.scoring import score
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, protocol
from medvision_agent.eval.scorer.score import score_records
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.tables.samples import sample_rows

RULES = protocol(DEFAULT_PROTOCOL)


def scored(folder):
    found = score(folder)
    json.dumps(found.to_json())
    assert len(list(found.rows())) == len(found.scores) == len(found.run.records)
    return found.run


def explained(folder):
    (found,) = explain_results(folder)
    json.dumps(found.to_json())
    return found.run


def in_rows(folder):
    run = open_run(folder)
    assert [row.sample.id for row in sample_rows(run, "run", RULES)] == [one.id for one in open_run(folder).samples]
    return run


@pytest.mark.parametrize("use", [scored, explained, in_rows])
@pytest.mark.parametrize("tools", ["off", "on"])
def test_neither_records_nor_samples_are_kept(runs, use, tools):
    run = use(runs / tools)
    assert len(run.records) == len(run.samples) > 0
    assert (run.records.kept, run.samples.kept) == (False, False)


def test_the_scores_are_those_of_all_records_at_once(runs):
    found = score(runs / "on")
    assert list(map(repr, found.scores)) == list(map(repr, score_records(list(found.run.records), RULES)))


def test_only_a_complete_pass_takes_the_overview(runs):
    run = open_run(runs / "on")
    list(islice(run.each(), 1))
    assert "overview" not in vars(run)
    ids = [record.sample.id for record in run.each()]
    assert vars(run)["overview"].records == len(ids) == len(open_run(runs / "on").samples)
    assert vars(run)["overview"].tools.path == open_run(runs / "on").tool_path
    assert [record.sample.id for record in run.each()] == ids, "the pass can be begun anew"
