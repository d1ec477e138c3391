"""The published tables, and a run beside them."""

import json
import re
import sys
from pathlib import Path

import pytest
from exported import answered, kept
from identities import an_identity
from upstream import renamed

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.cli.main import main
from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.published import figures
from medvision_agent.eval.published.datasets import published_datasets
from medvision_agent.eval.published.differences import differences
from medvision_agent.eval.published.figures import run_figures
from medvision_agent.eval.published.strata import READ, boxes_of, strata_of
from medvision_agent.eval.published.versions import VERSIONS, version_named, version_of, versions
from medvision_agent.eval.results.build import build_answers
from medvision_agent.eval.results.export import is_theirs, task_rows
from medvision_agent.eval.results.summary import sections
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.run import Run

MINI = Path(__file__).parents[2] / "data/medvision-mini/Data"
RULES = PROTOCOLS["medvision-1.2"]
PREPRINT, LEADERBOARD = versions()
IDENTITY = an_identity(model={"provider": "offline", "name": "prior"}, recipe="paper-v1")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Return answers to the mini tree under names that MedVision's summaries read."""
    return answered(renamed(MINI, tmp_path_factory.mktemp("published") / "Data"))


@pytest.fixture
def run(records):
    samples = [record.sample for record in records]
    return Run(Path(), IDENTITY, {"selection": {"limit": None}, "reading": {"filters": True}}, samples, records)


def test_every_row_is_there_with_its_columns():
    assert tuple(version.name for version in versions()) == VERSIONS
    numbers = [[(table.number, len(table.rows)) for table in version.tables] for version in versions()]
    assert numbers == [[(2, 17), (3, 15), (4, 14)], [(2, 13), (3, 13), (4, 13), (5, 2)]]
    for table in (table for version in versions() for table in version.tables):
        for row in table.rows:
            assert list(row.figures) == list(table.parts)
            for part in table.parts:
                assert len(row.figures[part]) == len(table.columns)
                assert all(float(cell) >= 0 for cell in row.figures[part])


def test_figures_are_as_they_were_printed():
    tables = PREPRINT.tables
    (tool,) = (row for row in tables[0].rows if row.code)
    assert tool.model == "Gemini2.5-Flash (w tool)"
    assert tool.figures["Tumor/Lesion"] == ("38.4", "9.1", "10.2", "6.9", "77.8", "3.6")
    assert tables[1].rows[13].figures["Tumor/Lesion"] == ("13.2", "30.6", "100.0", "20.8", "41.5", "62.1")
    assert tables[2].rows[0].figures["Ceph-Bio-400 angle"] == ("55.1", "3691", "98.7", "3.4")
    ((_, before),) = PREPRINT.rows_of("qwen2.5-vl-7b", "TL")
    ((_, now),) = LEADERBOARD.rows_of("qwen2.5-vl-7b", "TL")
    assert before.figures["Tumor/Lesion"][1] == "71.5"
    assert now.figures["Tumor/Lesion"] == ("2933.9", "7738.9", "95.5", "0.7")
    models = {version.name: {row.model for table in version.tables for row in table.rows} for version in versions()}
    assert not any("Gemini" in model or "LLaVA-Med" in model for model in models["leaderboard-v2"])
    assert "MedVision-V0 (7B)" not in models["preprint-v1"]
    assert [table.title for table, _ in LEADERBOARD.rows_of("claude-fable-5", "TL")] == [LEADERBOARD.tables[3].title]
    assert list(PREPRINT.rows_of("gemini-2.5-flash", "Detection", code=True)) == [(tables[0], tool)]


def test_only_what_is_printed_today_is_said_to_be():
    assert "no longer prints" in PREPRINT.source
    assert "read on" in LEADERBOARD.source
    with pytest.raises(ConfigError, match="known: preprint-v1, leaderboard-v2"):
        version_named("leaderboard-v3")


@pytest.mark.parametrize(
    ("recipe", "form", "name"),
    [
        ("paper-v1", "direct", "preprint-v1"),
        ("medvision-1.2", "cot", "leaderboard-v2"),
        ("medvision-1.2", "direct", "leaderboard-v2"),
        ("paper-v1", "cot", "preprint-v1"),
    ],
)
def test_a_run_belongs_to_the_version_that_was_asked_alike(recipe, form, name):
    assert version_of(IDENTITY.but(recipe=recipe, form=form)).name == name


def test_counts_of_every_release_add_up_to_its_total():
    releases = published_datasets()["releases"]
    assert list(releases["totals"]) == ["1.0.0", "1.1.0", "1.1.1", "1.2.0", "1.3.0", "1.4.0"]
    for name, total in releases["totals"].items():
        own = [one for one in releases["datasets"] if tuple(one["since"].split(".")) <= tuple(name.split("."))]
        assert len(own) == total["datasets"]
        for kind, key in enumerate(("single", "all")):
            counts = [(one["boxes"] or (0, 0))[kind] + (one["angles_distances"] or 0) for one in own]
            counts += [one["lesion_sizes"].get(name, (0, 0))[kind] for one in own]
            assert sum(counts) == total[key]


def test_figures_of_the_run_are_in_the_units_of_the_page(records):
    found = run_figures(records, RULES)
    distances = [score_record(record, RULES) for record in kept(records) if record.sample.task == "distance"]
    valid = [score for score in distances if score.success]
    part = found["AD"]["FeTA24 distance"]
    assert part.n == len(distances)
    assert part.values["SR"] == pytest.approx(100 * len(valid) / len(distances))
    assert part.values["MAE"] == pytest.approx(sum(score.mae for score in valid) / len(valid))
    assert part.values["MRE"] == pytest.approx(100 * sum(score.mre for score in valid) / len(valid))
    assert found["AD"]["Ceph-Bio-400 distance"].n == 0
    assert set(found["AD"]["Ceph-Bio-400 distance"].values.values()) == {None}
    anatomy = found["Detection"]["Anatomy"]
    assert anatomy.n == len([r for r in kept(records) if r.sample.label == "brain" and r.sample.plane != "axial"]) > 100
    assert 50 < anatomy.values["IoU"] < 100
    assert list(found["TL"]["Tumor/Lesion"].values) == [*PREPRINT.tables[1].columns]


def test_nothing_to_compare_is_said(records):
    lost = [record.model_copy(update={"outcome": Outcome.TIMEOUT}) for record in records]
    with pytest.raises(DataError, match="there is nothing to compare with the published results"):
        run_figures(lost, RULES)
    assert figures.run_sections([], RULES) == []


def test_what_is_not_the_same_is_said(run):
    topics = {line.partition(":")[0]: line for line in differences(run, RULES, PREPRINT)}
    assert "paper-v1 there" in topics["scoring"]
    assert "recipe" not in topics
    assert "this program's own" in topics["prompt wording"]
    assert topics["tools"].startswith("tools: none here")
    assert "model_calls 12, tool_calls 24" in topics["limits of a sample"]
    assert "KiTS23" in topics["samples"]
    assert "1.2.0" in topics["annotation version"]
    assert "samples left out here" in topics
    assert "split" not in topics
    assert "filters" not in topics
    assert "thousands of percent" in topics["metrics there"]
    topics = {line.partition(":")[0]: line for line in differences(run, RULES, LEADERBOARD)}
    assert "scoring" not in topics
    assert "recipe: paper-v1, form direct here; medvision-1.2, form cot there" in topics["recipe"]
    assert "957 angles" in topics["samples"]
    assert "1.0.0, with lesions of several parts" in topics["annotation version"]
    again = {line.partition(":")[0] for line in differences(run, PROTOCOLS["paper-v1"], PREPRINT)}
    assert again == (topics.keys() - {"recipe"})


def test_other_recipes_splits_and_filters_are_said(run, records):
    identity = IDENTITY.but(recipe="medvision-1.2", form="cot", reshape=(336, 448), prompt_file_sha256="ab" * 32)
    facts = records[0].sample.medvision
    sample = records[0].sample.model_copy(
        update={"medvision": facts.model_copy(update={"config": facts.config.replace("_Test", "_Train")})}
    )
    other = [records[0].model_copy(update={"sample": sample, "outcome": Outcome.ANSWERED})]
    config = {"selection": {"limit": 5}, "reading": {"filters": False}}
    said = "\n".join(differences(Run(Path(), identity, config, [sample], other), RULES, PREPRINT))
    assert "recipe: medvision-1.2, form cot, reshaped to 336 x 448 here" in said
    assert "a prompt file of your own (abababababab)" in said
    assert "at most 5 of each task here" not in said.partition("samples:")[0]
    assert "at most 5 of each task here" in said
    assert "split: Train here; Test there" in said
    assert "filters:" in said


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the program with arguments; return its exit code and what it printed."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["medvision-agent", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return int(exit_.value.code or 0), printed.out, printed.err

    return call


def test_compare_prints_the_run_below_the_rows(command, tmp_path):
    words = ("--model", "baseline-prior", "--tools", "off", "--data", f"medvision:{MINI}", "--limit", 3)
    code, _, err = command("run", *words, "--out", tmp_path / "run")
    assert code == 0, err
    code, out, err = command("compare", tmp_path / "run", "--published")
    assert code == 0, err
    assert "NOT THE SAME in this run" in out
    assert "published results: leaderboard-v2" in out
    assert re.search(r"Qwen2\.5-VL \(7B\) +2933\.9 +7738\.9% +95\.5% +0\.7% +2K", out)
    lines = [line for line in out.splitlines() if line.startswith("this run: baseline-prior")]
    assert [line.split()[-1] for line in lines] == ["4", "4"]  # the lesions, also beside the pilot
    assert "scored samples are in none of its figures" in out
    assert max(map(len, out.splitlines())) <= 100
    code, out, _ = command("compare", tmp_path / "run", "--published", "--json")
    found = json.loads(out)
    assert found["run"]["TL"]["Tumor/Lesion"]["n"] == 4
    assert found["published"] == LEADERBOARD.model_dump(mode="json")
    assert found["not_the_same"]
    code, out, err = command("compare", tmp_path / "run", "--published", "--published-version", "preprint-v1")
    assert code == 0, err
    assert re.search(r"Qwen2\.5-VL \(32B, SFT 5K\) +12\.8 +30\.2% +100\.0% +19\.6%", out)
    assert command("compare", tmp_path / "run", tmp_path, "--published-version", "preprint-v1")[0] == 2
    for wrong in ((), (tmp_path / "run", "--published")):
        code, _, err = command("compare", tmp_path / "run", *wrong)
        assert code == 2
        assert "--published" in err


def at_once(records):
    """Return the sections of records that are all in memory, with every column."""
    tasks = {}
    for task, _, row in task_rows(one for one in kept(records) if is_theirs(one.sample)):
        tasks.setdefault(task, []).append(row)
    ordered = {task: sorted(rows, key=lambda row: row["doc_id"]) for task, rows in tasks.items()}
    return sections([build_answers(rows, f"run_samples_{task}.jsonl") for task, rows in ordered.items()], RULES)


@pytest.mark.parametrize("step", [1, -1])
def test_records_taken_in_blocks_in_any_order_give_the_sections_of_all_at_once(records, monkeypatch, step):
    given = records[::step]
    whole = at_once(given)
    assert len(whole) == 3
    monkeypatch.setattr(figures, "_TOGETHER", 3)
    parts = figures.run_sections(iter(given), RULES, READ)
    assert [one.summary for one in parts] == [one.summary for one in whole]
    assert [strata_of(one) for one in parts] == [strata_of(one) for one in whole]
    assert [boxes_of(one) for one in parts] == [boxes_of(one) for one in whole]
    assert len(boxes_of(parts[0])) > 100
