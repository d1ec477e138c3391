"""What each control says of a faithful reader, for whom the new detail of crops is all that tools are good for.

The figures in docs/studies.md are those of ``test_neutral_controls_say_what_pictures_are_worth``.
"""

import asyncio
import json
import re
from pathlib import Path

import pytest
from fake.reader import PERCEIVED, ROW, Reader, bars
from told.printed import sentences

import medvision_agent as mva
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.study.parity import check_parity

DOCS = Path(__file__).parents[3] / "docs" / "studies.md"
STUDY = """
name: reader
models: [reader]
models_file: models.yaml
data: bars.jsonl
designs: [on-off, "controls:blind,same-region,blank,misled", "needs-picture:none,swapped"]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return the folder of a study of ten images."""
    folder = tmp_path_factory.mktemp("reader")
    bars(folder, 10)
    (folder / "study.yaml").write_text(STUDY)

    async def asked():
        async with Reader() as server:
            row = ROW | PERCEIVED | {"base_url": server.openai_url}
            (folder / "models.yaml").write_text(json.dumps({"reader": row}))
            await asyncio.to_thread(mva.ablate, folder / "study.yaml", folder / "out", progress=False)

    asyncio.run(asked())
    return folder / "out"


@pytest.fixture(scope="module")
def chapter(study):
    (chapter,) = collect([study]).chapters
    return chapter


def losses(chapter) -> dict[str, float]:
    return {one.arm: one.means["loss"].mean for one in chapter.tasks[0].arms}


def test_arms_differ_in_what_is_varied_and_in_nothing_else(study):
    assert check_parity(study) == []


def test_neutral_controls_say_what_pictures_are_worth(chapter):
    found = losses(chapter)
    worth = found["off"] - found["on"]
    assert 0.02 < worth < 0.1
    for neutral in ("blind", "blank"):
        assert found[neutral] - found["on"] == pytest.approx(worth, abs=0.1 * worth), neutral
    assert 0.3 * worth < found["same-region"] - found["on"] < worth, "the rest is what enlarging alone does"
    assert found["misled"] - found["on"] > 5 * worth, "it shows worth where it removes sense"
    page = DOCS.read_text(encoding="utf-8")
    stated = {arm: float(loss) for arm, loss in re.findall(r"^\| `([a-z-]+)` \| ([.0-9]+) \|", page, re.MULTILINE)}
    assert stated == {arm: round(found[arm], 3) for arm in ("off", "on", "blind", "same-region", "blank", "misled")}


def test_without_its_picture_the_reader_refuses_and_says_so(chapter):
    found = losses(chapter)
    assert found["off-no-picture"] == found["on-no-picture"] == 1
    words = " ".join(sentences(chapter))
    assert "off-no-picture, on-no-picture: no image stood with the question, where refusing is right." in words
    assert "on-swapped-picture: the image of another subject stood with the question." in words


def test_swapped_pictures_are_read_as_what_they_are(chapter):
    found = losses(chapter)
    by_name = {one.name: one.means["loss"].mean for one in chapter.tasks[0].references}
    for arm in ("off", "on"):
        donor = by_name[f"{arm}-swapped-picture, by the ground truth of the image shown"]
        assert donor == pytest.approx(found[arm], abs=1e-6), "each donor gives once, so it is the same set of pictures"
        assert found[f"{arm}-swapped-picture"] > donor + 0.05
    assert by_name["best constant of the other subjects"] < found["off-swapped-picture"]
