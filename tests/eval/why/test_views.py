"""Windowed views and views of other slices through the whole path: asked, stored, explained, withheld."""

import json
from pathlib import Path

import pytest

import medvision_agent as mva
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.why.calls import calls_of
from medvision_agent.eval.why.measured import measurements
from medvision_agent.eval.why.scene import Missing
from medvision_agent.eval.why.stored import scene_of, tools_of
from medvision_agent.tools.registry import installed

MINI = Path(__file__).parents[2] / "data/medvision-mini/Data"
LINE = {"x0": 0.4, "y0": 0.5, "x1": 0.6, "y1": 0.5}
CALLS = [
    ("window", {"by": "percentile", "low_percent": 5, "high_percent": 95}),
    ("neighbours", {"view": "v1", "away": 1}),
    ("crop", {"view": "v2", "x0": 0.25, "y0": 0.25, "x1": 0.75, "y1": 0.75, "zoom": 2}),
    ("window", {"by": "HU", "level": 40, "width": 400}),
    ("crop", {"view": "v1", "x0": 0.25, "y0": 0.25, "x1": 0.75, "y1": 0.75, "zoom": 3}),
    ("ruler", {"view": "v3", **LINE}),
    ("statistics", {"view": "v3", **LINE, "of": "line"}),
    ("ruler", {"view": "v1", **LINE}),
    ("ruler", {"view": "v4", **LINE}),
]
TURN = [{"name": name, "args": args} for name, args in CALLS]


@pytest.fixture
def asked(tmp_path):
    """Return a function that runs the calls under a condition on one lesion of the mini tree."""

    def run(tools):
        (tmp_path / "script.json").write_text(json.dumps([TURN, "<answer>20.00, 10.00</answer>"]))
        mva.run(
            model="scripted",
            script=str(tmp_path / "script.json"),
            tools=tools,
            data=f"medvision:{MINI}",
            selection={"configs": ("MiniTumor_TumorLesionSize_Task01_Axial",), "limit": 1},
            out=tmp_path / "run",
            progress=False,
        )
        stored = open_run(tmp_path / "run")
        (record,) = stored.records
        return stored, record, calls_of(read_trace(stored.folder, record.sample.id), tools_of(stored))

    return run


def test_views_are_made_in_a_run_and_made_again_for_its_explanation(asked):
    run, record, calls = asked("window,neighbours,crop,statistics,ruler")
    assert [call.ok for call in calls] == [True, True, True, False, True, False, True, True, True]
    assert [call.result.get("view") for call in calls[:3]] == ["v1", "v2", "v3"]
    step = calls[1].result["position_mm"]
    assert step > 0
    assert calls[6].result["slice_position_mm"] == step
    assert calls[7].result["distance_mm"] == pytest.approx(2 * calls[8].result["distance_mm"], rel=0.02)
    scene = scene_of(run, record, calls)
    found = measurements(record.sample.asks, calls, scene)
    assert [one.exact for one in found] == pytest.approx([call.result["distance_mm"] for call in calls[7:]], abs=1e-3)


def test_what_tools_measure_is_declared_in_the_month_of_the_set_that_was_asked_for(asked):
    run, *_ = asked("on@2026-11")
    assert run.config.get("tools_dated") != run.identity.tool_set == "2026-11"
    then = installed().dated("2026-11").tool("fit_contour").measuring
    assert tools_of(run)["fit_contour"] == then != installed().tool("fit_contour").measuring


def test_without_numbers_the_views_keep_their_ids(asked):
    run, record, calls = asked("blind:numbers/window,neighbours,crop,statistics,ruler")
    # A window by HU is not refused where values are in no known unit: that would tell of the image.
    assert [call.ok for call in calls] == [True, True, True, True, True, False, True, True, True]
    told = {value for call in calls for key, value in call.result.items() if key not in {"view", "of", "picture"}}
    assert told == {"withheld"}
    assert not isinstance(scene_of(run, record, calls), Missing)
