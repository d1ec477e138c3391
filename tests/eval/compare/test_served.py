"""What the server says of itself in two runs."""

from dataclasses import replace

import pytest

import medvision_agent as mva
from medvision_agent.eval.compare.served import run_warnings


@pytest.fixture
def run(tmp_path):
    made = mva.run(
        model="baseline-prior", data="phantom:2", tools="off", selection={"tasks": ["distance"]}, out=tmp_path / "run"
    ).run

    served = made.identity.model_copy(update={"model": {"provider": "openai", "name": "m"}})
    assert run_warnings(replace(made, records=[]), made) == []  # it runs in this process

    def make(days=("2026-11-01",), marks=("fp_1",)):
        fields = {"asked_at": f"{days[0]}T10:00:00+00:00", "last_asked_at": f"{days[-1]}T11:00:00+00:00"}
        records = [record.model_copy(update=fields | {"fingerprints": tuple(marks)}) for record in made.records]
        return replace(made, records=records, identity=served)

    return make


def test_the_same_server_on_the_same_day_is_no_warning(run):
    assert run_warnings(run(), run()) == []


def test_other_fingerprints_are_named(run):
    (line,) = run_warnings(run(), run(marks=("fp_2", "fp_1")))
    assert line.endswith("other fingerprints of itself in each run: fp_1 in A, fp_1, fp_2 in B.")
    (line,) = run_warnings(run(marks=()), run(marks=("a", "b", "c", "d")))
    assert line.endswith("none in A, a, b, c and 1 more in B.")


def test_other_days_are_named(run):
    (line,) = run_warnings(run(), run(days=("2026-11-02", "2026-11-05")))
    assert line == (
        "WARNING: the runs were asked on different days (UTC): 2026-11-01 in A, 2026-11-02 to 2026-11-05 in B."
    )


def test_what_is_not_known_is_no_difference(run):
    old = run()
    records = [record.model_copy(update={"asked_at": "", "last_asked_at": ""}) for record in old.records]
    assert run_warnings(replace(old, records=records), run(days=("2026-11-09",))) == []
