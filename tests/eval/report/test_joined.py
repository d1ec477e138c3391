"""Contrasts over models: a study of two shipped policies, worked out again from its stored runs."""

from pathlib import Path

import numpy as np
import pytest

from medvision_agent.api.studying import ablate
from medvision_agent.errors import ConfigError
from medvision_agent.eval.compare.statistics.pairs import Key, Result, Unit, pair
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn, ContrastIn
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.joined import over_datasets
from medvision_agent.eval.report.sections import report_tables
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.read import open_run

STUDY = """
name: two
models: [baseline-prior, baseline-cv]
data: phantom:25:4
tasks: [size]
designs: [on-off]
model_pairs: [[baseline-cv, baseline-prior]]
"""


def losses(study: Path, model: str, arm: str) -> dict[str, float]:
    rules = protocol("medvision-1.2")
    run = open_run(study / "cells" / f"{model}--{arm}--1")
    return {one.sample.id: score_record(one, rules).loss for one in run.records}


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("joined")
    (folder / "study.yaml").write_text(STUDY)
    ablate(folder / "study.yaml", out=folder / "study")
    return folder / "study"


def test_the_interaction_of_two_models_is_that_of_the_stored_answers(study):
    chapter = collect([study], most_pictures=0).chapters[0]
    own = {
        (model, arm): losses(study, model, arm) for model in ("baseline-prior", "baseline-cv") for arm in ("off", "on")
    }
    ids = list(own["baseline-cv", "off"])
    column = {key: np.array([values[one] for one in ids]) for key, values in own.items()}
    change = {model: column[model, "on"] - column[model, "off"] for model in ("baseline-prior", "baseline-cv")}
    found = {one.what: one.estimate for one in chapter.models}
    apart = found["baseline-prior minus baseline-cv, of the contrast"]
    assert apart.difference == pytest.approx((change["baseline-prior"] - change["baseline-cv"]).mean())
    assert found["mean over 2 models"].difference == pytest.approx(np.mean(list(change.values())))
    off = column["baseline-prior", "off"] - column["baseline-cv", "off"]
    assert found["baseline-prior minus baseline-cv, in off"].difference == pytest.approx(off.mean())
    assert apart.p is None
    assert "no tool was called" in apart.withheld  # what bears no claim in one model bears none between two


def test_the_table_stands_in_the_report(study):
    table = next(one for one in report_tables(collect([study], most_pictures=0)) if one.id == "c1-models")
    assert [row[2] for row in table.rows][-1] == "mean over 2 models"


def test_a_pair_of_unknown_models_is_refused(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY.replace("baseline-prior]]", "other]]"))
    with pytest.raises(ConfigError, match="model_pairs"):
        ablate(tmp_path / "study.yaml", out=tmp_path / "out")


def test_datasets_are_averaged_from_five_on():
    random = np.random.default_rng(1)

    def over(datasets: int) -> list:
        units, a, b = [], [], []
        for number in range(datasets):
            for person in range(12):
                units.append(Unit(f"{number}-{person}", f"{number}/{person}", strata={"dataset": f"set {number}"}))
                a.append(Result(units[-1].sample, 0.5, answered=True))
                b.append(Result(units[-1].sample, 0.4 + random.normal(0, 0.05), answered=True))
        arm = ArmIn("on", "m", ())
        chapter = ChapterIn("made", "study", (arm,), (ContrastIn("off -> on", arm, arm),), source="s")
        return list(over_datasets(chapter, {Key("off -> on", "size", "m", "s"): pair(units, a, b)}))

    assert over(4) == []
    (found,) = over(6)
    assert found.found.groups == 6
    assert found.found.mean == pytest.approx(-0.1, abs=0.02)
