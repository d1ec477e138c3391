"""A study over the demo set with swapped pictures: who has no donor is in no contrast with them, and is counted."""

import pytest
from told.printed import sentences

import medvision_agent as mva
from medvision_agent.api.studying import preview
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.parity import check_parity
from medvision_agent.eval.study.plan import read_plan

STUDY = """
name: pictures
models: [baseline-prior]
data: demo
tasks: [size, angle]
designs: ["needs-picture:swapped", on-off]
base: {tools: ruler}
"""
WITHOUT = {"brain tumour", "breast lesion", None}
"""Labels of a single subject, and the angles, which are all of one."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "study.yaml").write_text(STUDY)
    assert mva.ablate(folder / "study.yaml", folder / "out", progress=False).left == 0
    return folder


def runs(study):
    plan = read_plan(study / "out")
    return {cell.arm: open_run(study / "out" / cell.folder) for cell in plan.cells}


def test_every_sample_with_a_donor_is_asked_in_every_arm(study):
    found = runs(study)
    assert check_parity(study / "out") == []
    whole = {one.id for one in found["on"].samples}
    for arm in ("off-swapped-picture", "on-swapped-picture"):
        left = [one for one in found["on"].samples if one.id in whole - {sample.id for sample in found[arm].samples}]
        assert {one.label for one in left} == WITHOUT
        assert found[arm].config["without_donor"] == len(left)
    donors = [{one.sample.id: one.donor for one in found[arm].records} for arm in found if "swapped" in arm]
    assert donors[0] == donors[1]
    plan = read_plan(study / "out")
    assert sum(plan.sources[0].tasks.values()) == plan.sources[0].samples == len(whole)


def test_contrasts_pair_what_both_arms_were_asked(study):
    (chapter,) = collect([study / "out"]).chapters
    found = runs(study)
    by_name = {one.name: one for one in chapter.contrasts}
    sizes = [one for one in found["off"].samples if one.task == "size"]
    swapped = [one for one in found["off-swapped-picture"].samples if one.task == "size"]
    assert len(sizes) > len(swapped) > 0
    assert by_name["off -> on"].tests["size"].missing.chosen == len(sizes)
    bare = by_name["off-swapped-picture -> off"]
    assert bare.tests["size"].missing.chosen == bare.tests["size"].missing.scored == len(swapped)
    assert "angle" not in bare.means, "no angle has a donor"
    tests = {(key.contrast, key.task) for key in read_plan(study / "out").family}
    assert ("off -> on", "angle") in tests
    assert ("off-swapped-picture -> off", "angle") not in tests
    count = found["off-swapped-picture"].config["without_donor"]
    words = " ".join(sentences(chapter))
    assert f"{count} samples without such a subject are in no contrast with it." in words


def test_it_goes_on_and_asks_nothing_twice(study):
    before = {arm: run.records for arm, run in runs(study).items()}
    assert mva.ablate(study / "study.yaml", study / "out", progress=False).left == 0
    assert {arm: run.records for arm, run in runs(study).items()} == before


def test_a_preview_counts_what_each_arm_would_be_asked(study):
    found = preview(study / "study.yaml")
    tokens = {cell.arm: cell.spending[0].output_tokens for cell in found.cells}
    assert tokens["off-swapped-picture"] < tokens["off"]
    assert found.sources[0].samples == len(runs(study)["on"].samples)
