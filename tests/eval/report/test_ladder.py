"""The ladder: which contrasts are rungs, in which order, and that it shows a study's own figures."""

import pytest
from identities import an_identity

import medvision_agent as mva
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.ladder_plot import ladder, rung_of
from medvision_agent.eval.report.links import Links, Viewer
from medvision_agent.eval.report.plots import forest, labels

TOOLS = {"tools": ["crop", "ruler"]}
OFF, ON = {"condition": "off", "tools": []}, {"condition": "on", **TOOLS}
CASES = {
    "picture": ({**OFF, "picture": "none"}, OFF),
    "off": (OFF, ON),
    "again": ({"condition": "again:2", "again": 2, "tools": []}, ON),
    "matched": ({"condition": "matched", "tools": []}, ON),
    "matched:thinking": ({"condition": "matched:thinking", "tools": []}, ON),
    "blind:all": ({"condition": "blind", "control": "blind:all", **TOOLS}, ON),
    "result-only": ({"condition": "result-only", "tools": []}, ON),
    "results": (OFF, {"condition": "result-only", "tools": []}),
    "blind:pictures": ({"condition": "blind:pictures", "control": "blind:pictures", **TOOLS}, ON),
    "blank": ({"condition": "blank", "control": "blank", **TOOLS}, ON),
    "same-region": ({"condition": "same-region", "control": "same-region", **TOOLS}, ON),
    "blind:numbers": ({"condition": "blind:numbers", "control": "blind:numbers", **TOOLS}, ON),
}
NONE = {
    "misled": ({"condition": "misled", "control": "misled", **TOOLS}, ON),
    "repeat": (ON, ON),
    "subset": ({"condition": "crop", "tools": ["crop"]}, ON),
    "towards a control": (ON, {"condition": "blind", "control": "blind:all", **TOOLS}),
    "towards another picture": (OFF, {**OFF, "picture": "blank"}),
    "a tool of that name": ({"condition": "results", "tools": ["results"]}, ON),
    "code": ({**OFF, "condition": "code", "provider_code": True}, ON),
}


@pytest.mark.parametrize("kind", CASES)
def test_each_control_is_a_rung(kind):
    a, b = (an_identity(**fields) for fields in CASES[kind])
    assert rung_of(a, b) == kind


@pytest.mark.parametrize("kind", NONE)
def test_other_contrasts_are_none(kind):
    a, b = (an_identity(**fields) for fields in NONE[kind])
    assert rung_of(a, b) == ""


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """Return the report of a small study with two controls."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.yaml").write_text(
        "name: small\nmodels: [baseline-cv]\ndata: phantom:8\ntasks: [detection, size]\n"
        "designs: [on-off, needs-picture, 'controls:blind,misled']\n",
        encoding="utf-8",
    )
    study = folder / "study"
    mva.ablate(folder / "study.yaml", study, progress=False)
    return collect([study], most_pictures=0).chapters[0]


def test_a_study_has_the_rungs_it_declared(chapter):
    figure = ladder(chapter, "c1", Links(Viewer(), chapter))
    assert [panel.title for panel in figure.panels] == ["detection", "size"]
    assert "best constant of the other subjects" in figure.key
    for panel, task in zip(figure.panels, ("detection", "size"), strict=True):
        rungs = panel.words.split(": loss ", 1)[1]
        order = ["the image, without tools", "the image, with tools", "all that tools change", "what tools return"]
        assert [rungs.find(words) for words in order] == sorted(rungs.find(words) for words in order)
        assert all(words in rungs for words in order)
        assert "misled" not in rungs
        means = next(one for one in chapter.contrasts if one.name == "off -> on").means[task]
        assert f"all that tools change: loss {means.loss_a:.3f} in off, {means.loss_b:.3f} in on" in rungs


def test_without_two_rungs_there_is_no_ladder(arms):
    one = collect(arms).chapters[0]
    assert ladder(one, "c1", Links(Viewer(), one)) is None


def test_synthetic_data_are_said_and_bear_no_claim(chapter):
    figure = forest(chapter, "c1", Links(Viewer(), chapter))
    assert figure.title.startswith("SYNTHETIC: ")
    assert "claim" not in figure.key
    assert all("no claim" in words for panel in figure.panels for words in panel.words.split("; "))


def test_boxes_have_a_map_for_each_arm(chapter):
    figure = labels(chapter, "c1", Links(Viewer(), chapter))
    assert [panel.title for panel in figure.panels] == list(chapter.arms)
    boxes = chapter.tasks[0].arms[0]
    assert len(boxes.points) == 8
