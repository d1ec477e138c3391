"""Models in the shape of the published tables: golden inputs give the golden figures, in every table's own column."""

import csv
import gzip
import json
import math
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from exported import answered
from golden import GOLDEN, VERSIONS, rows
from identities import an_identity
from upstream import renamed

import medvision_agent as mva
from medvision_agent.agent.trace import Trace
from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.data.configs import task_name
from medvision_agent.eval.published.held_out import held_out
from medvision_agent.eval.store.write import RunStore

MINI = Path(__file__).parents[2] / "data/medvision-mini/Data"
BOXES = {"R": "Recall", "P": "Precision", "F1": "F1", "IoU": "IoU", "SR": "SuccessRate", "IoU>0.5": "IoU>0.5"}
GROUPS = {
    "Ceph-Bio-400 distance": "Ceph-Distance",
    "Ceph-Bio-400 angle": "Ceph-Angle",
    "FeTA24 distance": "FeTA-Distance",
}
OF = {"paper-v1": "preprint-v1", "medvision-1.2": "leaderboard-v2"}


def cells(table, number=0):
    """Return a row of a table by the full names of its columns, without the units of MAE."""
    return dict(
        zip((re.sub(r"(?<=MAE) \(.*\)", "", one.full) for one in table.columns), table.rows[number], strict=True)
    )


def in_percent(name, value):
    return value if name == "MAE" or not isinstance(value, float) else 100 * value


@pytest.mark.parametrize("protocol", VERSIONS)
@pytest.mark.parametrize("family", ["detection", "tl", "ad"])
def test_golden_inputs_give_the_golden_figures(protocol, family):
    folder = GOLDEN / VERSIONS[protocol] / family
    expected = json.loads((folder / "expected_summary.json").read_text(encoding="utf-8"))
    table = mva.published(folder / "inputs.jsonl.gz", version=OF[protocol]).tables[0]
    found = cells(table)
    assert found["from"] == f"ours: made elsewhere; scored by {protocol}"
    if family == "detection":
        wanted = {
            f"{part} {name}": 100 * expected["printed_table"][side][key]
            for part, side in (("Anatomy", "anatomy"), ("Tumor/Lesion", "T/L"))
            for name, key in BOXES.items()
        }
    elif family == "tl":
        line = expected["aggregate"]
        names = ["MRE<0.1", *(["MRE<0.2", "MRE<0.3"] if protocol == "paper-v1" else [])]
        wanted = {f"Tumor/Lesion {name}": 100 * line[f"weighted_{name.lower()}"] for name in names}
        averages = {name: line[f"weighted_avg_{name.lower()}"] for name in ("MAE", "MRE", "SR")}
        wanted |= {f"Tumor/Lesion {name}": in_percent(name, value) for name, value in averages.items()}
    else:
        wanted = {
            f"{part} {name}": in_percent(name, expected["group_averages"][group][name])
            for part, group in GROUPS.items()
            for name in ("MAE", "MRE", "SR", "MRE<0.1")
        }
    figures = {name: value for name, value in found.items() if name not in {"model", "from"} and name[-2:] != " n"}
    assert figures.keys() == wanted.keys()
    for name, value in wanted.items():
        assert figures[name] == (pytest.approx(value, rel=1e-9) if value is not None else None), name


def test_strata_are_the_statistics_of_their_samples():
    folder = GOLDEN / "v1.2" / "ad"
    inputs = {row["id"]: row for row in rows(folder / "inputs.jsonl.gz")}
    samples = rows(folder / "expected_samples.jsonl.gz")
    tables = {table.id: table for table in mva.published(folder / "inputs.jsonl.gz", version="leaderboard-v2").tables}
    small = {
        row[4]: dict(zip((c.name for c in tables["published-small-angles"].columns), row, strict=True))
        for row in tables["published-small-angles"].rows
    }
    for name, low, high in (("below 0.1 degrees", -math.inf, 0.1), ("45 degrees and more", 45, math.inf)):
        own = [
            one
            for one in samples
            if inputs[one["id"]]["doc"]["biometric_profile"]["metric_type"] == "angle"
            and low <= float(inputs[one["id"]]["target"]) < high
        ]
        assert small[name]["n"] == len(own) > 3
        assert small[name]["SR"] == pytest.approx(100 * sum(one["success"] for one in own) / len(own))
        errors = [one["MAE"] for one in own if isinstance(one["MAE"], float)]
        assert small[name]["MAE (mm or degrees)"] == pytest.approx(sum(errors) / len(errors))
    for table in ("published-success", "published-held-out", "published-planes"):
        assert sum(row[5] for row in tables[table].rows) == len(samples)


def test_tasks_stand_on_the_list_that_holds_them_out():
    assert held_out("Detection", "KiTS23_BoxCoordinate_Task01_Axial-CoT") == "on the main list"
    assert held_out("Detection", "KiTS23_BoxSize_Task01_Coronal") == "plane held out"
    assert held_out("Detection", "AMOS22_BoxCoordinate_Task02_Axial") == "task held out"
    assert held_out("TL", "MSD_TumorLesionSize_Task01_Axial-336x336") == "task held out"
    assert held_out("AD", "FeTA24_BiometricsFromLandmarks_Task01_Axial") == "on the main list"
    assert held_out("TL", "KiTS23_BoxCoordinate_Task01_Axial") == "on none of the lists"
    assert held_out("TL", "no task") == "on none of the lists"
    text = (Path(__file__).parents[3] / "eval/published/held-out.json").read_text(encoding="utf-8")
    lists = json.loads(text)["lists"]
    counts = {family: [len(tasks) for tasks in kinds.values()] for family, kinds in lists.items()}
    assert counts == {"Detection": [28, 48, 15], "TL": [10, 20, 7], "AD": [5, 0, 0]}
    for family, kinds in lists.items():
        every = [task for tasks in kinds.values() for task in tasks]
        assert len(set(every)) == len(every), family
        assert all(task_name(task) for task in every)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return answered(renamed(MINI, tmp_path_factory.mktemp("published") / "Data"))


def stored(folder, records, **identity):
    model = {"provider": "openai", "model": "Qwen/Qwen2.5-VL-7B-Instruct"}
    config = {"source": {"name": "medvision", "note": ""}, "selection": {"limit": None}, "reading": {"filters": True}}
    made = an_identity(**{"model_name": "qwen2.5-vl-7b", "model": model, "condition": "off"} | identity)
    with RunStore.create(folder, [record.sample for record in records], made, config) as run:
        for record in records:
            run.add(record, Trace())
    return folder


def test_a_run_stands_above_the_published_row_of_its_model_and_version(records, tmp_path):
    old = stored(tmp_path / "old", records, recipe="paper-v1")
    new = stored(tmp_path / "new", records, recipe="medvision-1.2", form="cot", model_name="mine")
    tools = stored(tmp_path / "tools", records, recipe="medvision-1.2", form="cot", condition="on", tools=("crop",))
    found = mva.published([old, new, tools], tmp_path / "tables")
    size = next(table for table in found.tables if table.id == "published-size")
    stated = [(cells(size, number)["model"], cells(size, number)["from"]) for number in range(len(size.rows))]
    assert stated == [
        ("qwen2.5-vl-7b", "ours: off, paper-v1, direct; scored by paper-v1"),
        ("Qwen2.5-VL (7B)", "published: preprint-v1"),
        ("mine", "ours: off, medvision-1.2, cot; scored by medvision-1.2"),
        ("Qwen2.5-VL (7B)", "published: leaderboard-v2"),
        ("qwen2.5-vl-7b", "ours: on, medvision-1.2, cot; scored by medvision-1.2"),
    ]
    assert [cells(size, number)["Tumor/Lesion MRE"] for number in (1, 3)] == ["71.5", "7738.9"]
    assert [cells(size, number)["Tumor/Lesion MRE<0.2"] for number in (1, 3)] == ["1.7", None]
    mre = [column.full for column in size.columns].index("Tumor/Lesion MRE")
    assert [row[mre] for row in size.shown][1::2] == ["71.5%", "7738.9%"], "a published figure has its sign too"
    assert re.fullmatch(r"[0-9.]+%", size.shown[0][mre])
    assert "Tumor/Lesion MAE (mm)" in [column.full for column in size.columns]
    assert [cells(size, number)["Tumor/Lesion n"] for number in (1, 3)] == ["not stated", "2K"]
    assert any("in leaderboard-v2: tools: crop here; there: none (qwen2.5-vl-7b, on" in note for note in size.notes)
    names = {"detection", "size", "angle-distance", "success", "held-out", "planes", "sizes"}
    files = {path.name for path in (tmp_path / "tables").iterdir()}
    assert {f"published-{name}.{end}" for name in names for end in ("csv", "tex")} <= files
    with (tmp_path / "tables/published-detection.csv").open(encoding="utf-8") as lines:
        assert next(csv.reader(lines))[:4] == ["model", "from", "Anatomy R (%)", "Anatomy P (%)"]
    latex = (tmp_path / "tables/published-detection.tex").read_text(encoding="utf-8")
    assert r"\multicolumn{2}{c}{} & \multicolumn{5}{c}{Anatomy} \\" in latex
    assert r"\cmidrule(lr){3-7}" in latex
    assert r"model & from & R & P & F1 & IoU & n \\" in latex
    heads = [line for line in latex.splitlines() if line.startswith("model & from &")]
    assert all(line.endswith(r"& n \\") for line in heads), "each block has the n of its own group"


@pytest.mark.parametrize(
    ("asked", "row"),
    [
        ({}, "Gemini2.5-Flash (w/o tool)"),
        ({"condition": "code", "provider_code": True}, "Gemini2.5-Flash (w tool)"),
        ({"condition": "on", "tools": ("crop",)}, None),
        ({"picture": "none"}, None),
        ({"display": "ticks"}, None),
    ],
)
def test_only_what_was_asked_alike_has_a_published_row(records, tmp_path, asked, row):
    model = {"provider": "gemini", "model": "gemini-2.5-flash"}
    boxes = [record for record in records if record.sample.task == "detection"]
    run = stored(tmp_path / "run", boxes, recipe="paper-v1", model=model, model_name="published-literal", **asked)
    (entry,) = mva.published(run).entries
    assert [found.model for _, found in entry.published.values()] == ([row] if row else [])


def test_a_row_of_ones_own_with_a_shipped_name_is_not_the_published_model(records, tmp_path):
    model = {"provider": "openai", "model": "my-lab/Qwen2.5-VL-7B-tuned"}
    found = mva.published(stored(tmp_path / "run", records, recipe="paper-v1", model=model))
    assert [entry.published for entry in found.entries] == [{}]
    (table,) = [one for one in found.tables if one.id == "published-size"]
    assert any("called qwen2.5-vl-7b asked my-lab/Qwen2.5-VL-7B-tuned" in note for note in table.notes)


def test_result_files_stand_in_the_same_tables(tmp_path):
    model = tmp_path / "results" / "Qwen__Qwen2.5-VL-7B-Instruct"
    model.mkdir(parents=True)
    lesions = rows(GOLDEN / "v1.2/tl/inputs.jsonl.gz")
    with gzip.open(model / "20260101_000000_samples_KiTS23_TumorLesionSize_Task01_Axial-CoT.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(one) + "\n" for one in lesions)
    found = mva.published(tmp_path / "results")
    assert [entry.version.name for entry in found.entries] == ["leaderboard-v2"]
    (own, beside) = (cells(found.tables[0], number) for number in (0, 1))
    assert own["from"] == "ours: made elsewhere; scored by medvision-1.2"
    assert beside["Tumor/Lesion MRE"] == "7738.9"
    with pytest.raises(ConfigError, match="medvision-agent published"):
        mva.report(tmp_path / "results", tmp_path / "report.html", tables=tmp_path / "tables")


def test_a_single_file_stands_where_its_folder_does_and_both_kinds_in_one_folder_are_refused(tmp_path):
    lesions = rows(GOLDEN / "v1.2/tl/inputs.jsonl.gz")[:20]
    names = {end: f"20260101_000000_samples_KiTS23_TumorLesionSize_Task01_Axial{end}.jsonl" for end in ("", "-CoT")}
    versions = []
    for name in names.values():
        (tmp_path / name).write_text("".join(json.dumps(one) + "\n" for one in lesions))
        versions += [(entry.version.name, entry.rules) for entry in mva.published(tmp_path / name).entries]
    assert versions == [("preprint-v1", "paper-v1"), ("leaderboard-v2", "medvision-1.2")]
    with pytest.raises(DataError, match="both are here"):
        mva.published(tmp_path)
    assert mva.published(tmp_path, version="preprint-v1").entries


def test_what_has_no_place_is_said(tmp_path):
    mva.run(mva.Settings(model="baseline-prior", tools="off", out=tmp_path / "run"), progress=False)
    with pytest.raises(DataError, match="no result about samples of MedVision's data"):
        mva.published(tmp_path / "run")
    written = mva.report(tmp_path / "run", tables=tmp_path / "tables")
    assert written.tables > 5
    assert not list((tmp_path / "tables").glob("published-*"))


def test_a_report_writes_them_with_its_own_tables(records, tmp_path):
    run = stored(tmp_path / "run", records, recipe="paper-v1")
    mva.report(run, tables=tmp_path / "tables")
    assert (tmp_path / "tables/published-size.tex").is_file()


def test_boxes_have_a_panel_for_each_model(tmp_path):
    boxes = rows(GOLDEN / "v1.2/detection/inputs.jsonl.gz")
    for model in ("one", "two"):
        (tmp_path / "results" / model).mkdir(parents=True)
        name = f"results/{model}/20260101_000000_samples_KiTS23_BoxCoordinate_Task01_Axial-CoT.jsonl"
        with (tmp_path / name).open("w", encoding="utf-8") as file:
            for number, one in enumerate([*boxes, *boxes, *boxes]):
                doc = one["doc"] | {"image_file": f"image-{number % 50}.nii.gz"}
                file.write(json.dumps(one | {"id": f"{number}", "doc": doc}) + "\n")
    found = mva.published(tmp_path / "results", tmp_path / "tables")
    assert [panel.title for panel in found.figure.panels] == ["one", "two"]
    assert (tmp_path / "tables/published-labels.pdf").is_file()
    again = mva.published([tmp_path / "results/one", tmp_path / "results/one"], protocol="paper-v1")
    assert "scoring: paper-v1 here, medvision-1.2 there" in "".join(again.tables[0].notes)


def test_the_command_prints_and_writes(records, tmp_path):
    run = stored(tmp_path / "run", records, recipe="paper-v1")
    done = CliRunner().invoke(cli, ["published", str(run), "--out", str(tmp_path / "tables")])
    assert done.exit_code == 0, done.output
    assert "tumor/lesion size, in the shape of MedVision's Table 3:" in done.output
    assert "Qwen2.5-VL (7B)  published: preprint-v1" in done.output
    assert done.output.count("Not the same here and in preprint-v1: prompt wording") == 1
    assert f"written: {len(list((tmp_path / 'tables').glob('*.csv')))} tables" in done.output
