"""References: random boxes, the convention ceiling and published rows of MedVision's samples, and what is absent."""

from pathlib import Path

import numpy as np
import pytest
from exported import answered
from identities import an_identity
from markupsafe import escape
from upstream import renamed

from medvision_agent.agent.trace import Trace
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.store.write import RunStore

MINI = Path(__file__).parents[2] / "data/medvision-mini/Data"
IDENTITY = an_identity(model={"provider": "openai", "name": "m"}, recipe="paper-v1")


@pytest.fixture(scope="module")
def medvision(tmp_path_factory):
    """Return a run over MedVision samples, stored."""
    records = answered(renamed(MINI, tmp_path_factory.mktemp("published") / "Data"))
    folder = tmp_path_factory.mktemp("runs") / "run"
    config = {"source": {"name": "medvision", "note": ""}, "selection": {"limit": None}, "reading": {"filters": True}}
    with RunStore.create(folder, [record.sample for record in records], IDENTITY, config) as run:
        for record in records:
            run.add(record, Trace())
    return folder


def test_boxes_stand_beside_chance_and_the_ceiling(medvision):
    (chapter,) = collect([medvision]).chapters
    detection = next(data for data in chapter.tasks if data.task == "detection")
    random, ceiling, constant = detection.references
    assert constant.name == "best constant of the other subjects"
    assert random.name == "random boxes (100 per sample)"
    assert random.n == ceiling.n == detection.arms[0].chosen
    # By hand: the box one pixel longer to the right and at the bottom, over the one that is short.
    overlaps = []
    for sample in {one.id: one for one in _samples(medvision) if one.task == "detection"}.values():
        (height, width), (x1, y1, x2, y2) = sample.medvision.image_size_2d, sample.target
        overlaps.append((x2 - x1) * (y2 - y1) / ((x2 - x1 + 1 / width) * (y2 - y1 + 1 / height)))
    assert ceiling.means["IoU"].mean == pytest.approx(np.mean(overlaps), rel=1e-5)
    assert ceiling.means["loss"].mean == pytest.approx(1 - np.mean(overlaps), rel=1e-4)
    assert random.means["IoU"].mean < ceiling.means["IoU"].mean
    assert [line.split(" ")[0] for line in detection.not_there] == ["oracle", "baseline-prior", "baseline-cv", "the"]


def test_published_rows_stand_above_the_runs_own(medvision):
    (chapter,) = collect([medvision], PROTOCOLS["paper-v1"]).chapters
    titles = [one.title for one in chapter.published]
    assert any("Tumor/Lesion" in title for title in titles)
    page = html_page(collect([medvision]))
    assert "this run: off" in page
    assert "Gemini2.5-Flash (w tool)" in page
    assert "Not the same there and here" in page
    assert chapter.data_versions


def test_what_is_not_medvisions_has_no_published_row(arms):
    (chapter,) = collect(arms).chapters
    assert chapter.published == ()
    assert chapter.published_missing.startswith("No published row: ")
    assert str(escape(chapter.published_missing)) in html_page(collect(arms))


def _samples(folder):
    from medvision_agent.eval.store.read import open_run

    return open_run(folder).samples
