"""A study stopped early: no verdict before its end or a planned look; and how a study with looks asks and reports."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from told.printed import sentences

from medvision_agent.api.studying import LaidOut, lay_out
from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.compare.statistics.looks import boundaries
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.sections import report_tables
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.study.looks import by_subject
from medvision_agent.eval.study.plan import read_plan
from medvision_agent.eval.study.run import execute_study
from medvision_agent.tools.view.png import encode_png

SUBJECTS, EACH = 40, 2
STUDY = """
name: t
models: [scripted]
script: script.json
data: samples.jsonl
max_connections: 1
arms: {once: {tools: off}, twice: {tools: "again:1"}}
contrasts: [{a: once, b: twice}]
"""
LOOKS = "looks: [0.5, 0.75, 1]\nseed: 3\n"
Stop = Callable[..., Path]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Distances of 40 subjects; a model that says 4 at first, and on second thought 20."""
    (tmp_path / "x.png").write_bytes(encode_png(np.full((20, 20), 90, np.uint8)))
    lines = [
        {
            "id": f"s{number}",
            "task": "distance",
            "image": "x.png",
            "pixel_size": {"height_mm": 1.0, "width_mm": 1.0},
            "modality": "MR",
            "plane": "axial",
            "landmarks": ["a", "b"],
            "target": [16.0 + number * 5 % 9],
            "convention": "edge",
            "dataset": "d",
            "subject": f"d/{number % SUBJECTS}",
        }
        for number in range(SUBJECTS * EACH)
    ]
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (tmp_path / "script.json").write_text('["<answer>4</answer>", "<answer>20</answer>"]', encoding="utf-8")
    return tmp_path


def laid(files: Path, more: str = "") -> LaidOut:
    (files / "study.yaml").write_text(STUDY + more, encoding="utf-8")
    return lay_out(files / "study.yaml", files / "s")


def asked(study: LaidOut, most: int) -> list[str]:
    """Ask at most so many samples of a study, and return the subjects as they came."""
    subjects: list[str] = []

    async def work() -> None:
        stop = asyncio.Event()

        def heard(record: Record) -> None:
            subjects.append(record.sample.subject)
            if len(subjects) >= most:
                stop.set()

        await execute_study(
            study.plan,
            study.cells,
            study.out,
            budget=study.budget,
            watch=Watch(on_record=heard),
            stop=stop,
            on_start=lambda _: None,
        )

    asyncio.run(work())
    return subjects


def chapter_of(study: LaidOut) -> Chapter:
    (chapter,) = collect([study.out], most_pictures=0).chapters
    return chapter


def ablate(files: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["ablate", str(files / "study.yaml"), "--out", str(files / "s"), *words])


def test_a_study_stopped_early_gives_no_verdict_until_its_end(files: Path) -> None:
    study = laid(files)
    first = len(asked(study, 130))
    whole = 2 * SUBJECTS * EACH
    chapter = chapter_of(study)
    (test,) = chapter.contrasts[0].tests.values()
    why = f"no verdict: {first} of {whole} planned samples were asked"
    assert (test.primary.p, test.primary.interval, test.verdict) == (None, None, None)
    assert test.primary.withheld == why
    assert f"No{why[2:]}." in [one.text for one in chapter.findings.caveats]
    assert (test.missing.not_asked, test.missing.lost_both) == (SUBJECTS * EACH - first // 2, 0)
    assert f"{test.missing.not_asked} pairs were not asked in both arms yet" in " ".join(sentences(chapter))
    assert "lost to infrastructure" not in " ".join(sentences(chapter))
    assert chapter.contrasts[0].means["distance"].loss_a is not None

    done = ablate(files)
    assert done.exit_code == 0, done.output
    assert "no verdict" not in done.output
    (test,) = chapter_of(study).contrasts[0].tests.values()
    assert (test.verdict, test.missing.not_asked, test.primary.level) == ("second arm has the lower loss", 0, 0.95)


def test_ablate_says_that_it_was_stopped_early(files: Path) -> None:
    laid(files)
    done = ablate(files, "--max-seconds", "0.000001")
    assert done.exit_code == 1
    assert f" of {2 * SUBJECTS * EACH} planned samples were asked" in done.stdout
    found = json.loads(ablate(files, "--max-seconds", "0.000001", "--json").stdout)
    assert found["planned"] == 2 * SUBJECTS * EACH
    assert found["progress"] == [f"no verdict: {found['asked']} of {found['planned']} planned samples were asked"]


def test_a_study_with_looks_asks_subject_by_subject_and_reports_at_its_looks(files: Path) -> None:
    study = laid(files, LOOKS)
    (source,) = study.plan.sources
    assert source.looks == {"distance": (20, 30, 40)}
    samples = study.cells[0].prepared.samples
    order = [one.subject for one in by_subject(samples, 3)]
    assert order != [one.subject for one in samples]
    assert [one.subject for one in by_subject(samples, 4)] != order

    came = asked(study, 70)
    first = len(came)
    assert came == [subject for subject in order for _ in range(2)][:first]
    (test,) = chapter_of(study).contrasts[0].tests.values()
    start = f"no verdict: {first} of {4 * SUBJECTS} planned samples were asked, and the first of 3 looks at "
    assert test.primary.withheld.startswith(start)
    assert "samples.jsonl takes 20 subjects" in test.primary.withheld

    asked(study, 40)
    chapter = chapter_of(study)
    (test,) = chapter.contrasts[0].tests.values()
    assert (test.look, test.looks, test.primary.subjects, test.primary.n) == (1, 3, 20, 40)
    assert test.primary.level == pytest.approx(1 - boundaries((0.5, 0.75, 1.0), 0.05)[0])
    assert (test.verdict, test.decided_at) == ("second arm has the lower loss", 1)
    assert any(one.text.startswith("Look 1 of 3 at scripted over ") for one in chapter.findings.caveats)
    assert "at look 1 of 3" in " ".join(sentences(chapter))
    notes = " ".join(note for table in report_tables(collect([study.out])) for note in table.notes)
    assert "at the boundary of the look: 99.44%, look 1 of 3." in notes

    assert ablate(files).exit_code == 0
    (test,) = chapter_of(study).contrasts[0].tests.values()
    assert (test.look, test.primary.subjects, test.decided_at, test.verdict) == (
        3,
        40,
        1,
        "second arm has the lower loss",
    )


def test_looks_are_settled_before_the_first_call(files: Path) -> None:
    plan = laid(files, LOOKS).plan
    assert plan.sha256 != laid(files).plan.sha256
    assert plan.study["looks"] == [0.5, 0.75, 1.0]
    with pytest.raises(
        ConfigError,
        match=r"looks: the first look, at 0\.45 of the subjects, has 18 of 40 subjects of the task distance",
    ):
        laid(files, "looks: [0.45, 1]\n")
    for wrong, why in (
        ("[0.5, 0.8]", "the last must be 1"),
        ("[1, 0.5]", "must rise"),
        ("[.2, .4, .6, .8, 1]", "at most 4"),
    ):
        with pytest.raises(ConfigError, match=why):
            laid(files, f"looks: {wrong}\n")


def test_a_declared_metric_is_in_the_plan_and_in_every_comparison(files: Path) -> None:
    study = laid(files, "metric: log-ratio\nfailures: chance\nlimit: 20\n")
    assert ablate(files).exit_code == 0
    chance = read_plan(study.out).sources[0].metrics["distance"].chance
    targets = {f"s{n}": 16.0 + n * 5 % 9 for n in range(20)}
    raw = [[abs(np.log(answer / target)) / np.log(4) / chance for target in targets.values()] for answer in (4, 20)]
    (contrast,) = chapter_of(study).contrasts
    assert contrast.means["distance"].loss_a == pytest.approx(np.minimum(raw[0], 2).mean(), rel=1e-6)
    assert contrast.tests["distance"].primary.difference == pytest.approx(
        np.mean(np.minimum(raw[1], 2) - np.minimum(raw[0], 2))
    )
    assert contrast.tests["distance"].largest_price == pytest.approx(contrast.tests["distance"].primary.difference)
    assert f"mean loss (log-ratio in units of chance ({chance:.4g}), up to 2; a failure costs 1)" in " ".join(
        sentences(chapter_of(study))
    )
    with pytest.raises(ConfigError, match="expected one of loss, relative, log-ratio"):
        laid(files, "metric: logratio\n")
    with pytest.raises(ConfigError, match=r"iou>0\.5 is not defined for distance"):
        laid(files, "metric: iou>0.5\n")
