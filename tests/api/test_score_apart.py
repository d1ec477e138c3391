"""A run scored by several processes has the summary of one."""

import json

import pytest
from click.testing import CliRunner

import medvision_agent as mva
from medvision_agent.api import score_apart
from medvision_agent.api.score_apart import Workers
from medvision_agent.api.scoring import score
from medvision_agent.cli.main import cli


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("scored") / "run"
    mva.run(model="baseline-cv", data="phantom:6", tools="on", out=out, progress=False)
    return out


def test_the_summary_and_the_rows_are_the_same_to_the_byte(run):
    one, two = score(run), score(run, workers=Workers(2))
    assert json.dumps(two.to_json()) == json.dumps(one.to_json())
    assert list(map(json.dumps, two.rows())) == list(map(json.dumps, one.rows()))


def test_what_a_worker_saw_otherwise_is_scored_here(run, monkeypatch):
    def otherwise(folder, rules, ranges, workers):
        found = [one for ends in ranges for one in score_apart._Part(folder, rules).score(*ends)]
        yield [one._replace(attempt=2) for one in found[:3]] + found[4:]  # one is missing

    monkeypatch.setattr(score_apart, "_by_processes", otherwise)
    assert json.dumps(score(run, workers=Workers(2)).to_json()) == json.dumps(score(run).to_json())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--address", "auto"], "--address needs --engine ray"),
        (["--processes", "2", "--reader", "m"], "--processes and --engine are for scores of a RUN"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run, more, said):
    done = CliRunner().invoke(cli, ["score", str(run), *more])
    assert done.exit_code == 2
    assert said in done.output
