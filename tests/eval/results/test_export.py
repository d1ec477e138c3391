"""Exported runs: read back by our own importer, every sample has the score it had in the run."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from exported import answered, kept

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.selection import Selection, select
from medvision_agent.eval.published.figures import run_figures, run_sections
from medvision_agent.eval.results.export import export_run, task_rows
from medvision_agent.eval.results.load import load_answers
from medvision_agent.eval.results.summary import sample_lines, sections
from medvision_agent.eval.scorer.numbers import extract, parse
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.scorer.spoken import spoken_in
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.summary.rows import sample_row
from medvision_agent.frozen import strict
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Size

DATA = Path(__file__).parents[2] / "data/medvision-mini/Data"
AREAS = Selection(tasks=("area",), limit=2)
START = datetime(2026, 1, 2, 3, 4, 58, tzinfo=UTC)


@pytest.fixture(scope="module")
def records():
    return answered(DATA)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_what_is_read_back_scores_as_the_run(records, tmp_path, name):
    done = export_run(records, "some/model", tmp_path, START)
    assert {str(folder.relative_to(tmp_path)) for folder in done.folders} == {
        "Detection/some_model",
        "TL/some_model",
        "AD/some_model",
    }
    expected = {}
    for record in kept(records):
        facts = record.sample.medvision
        task = facts.config.removesuffix("_Test").replace("BoxSize", "BoxCoordinate")
        expected[f"{task}/{facts.doc_id}"] = sample_row(record, score_record(record, PROTOCOLS[name]))
    found = {}
    for folder in done.folders:
        answers, notes = load_answers(folder, PROTOCOLS[name])
        assert not [note for note in notes if "left out" in note or "duplicate" in note or "results file" in note]
        for section in sections(answers, PROTOCOLS[name]):
            found |= {line["id"]: line for line in sample_lines(section)}
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        for metric in row.keys() - {"id", "task", "outcome", "loss"}:
            # Undefined is null in one output and the word in the other.
            assert found[key][metric] in {row[metric], strict(math.nan) if row[metric] is None else row[metric]}, key
    assert done.samples == len(expected)
    assert done.left_out == len(records) - len(expected) > 0


def test_layout_is_upstreams(records, tmp_path):
    done = export_run(records, "m", tmp_path, START)
    names = sorted(path.name for folder in done.folders for path in folder.glob("*.jsonl"))
    stamps = [name.partition("_samples_")[0] for name in names]
    assert len(set(stamps)) == len(stamps)
    assert stamps[:3] == ["20260102_030458", "20260102_030459", "20260102_030500"]
    for folder in done.folders:
        for path in folder.glob("*.jsonl"):
            stamp, _, task = path.stem.partition("_samples_")
            assert json.loads((folder / f"{stamp}_results.json").read_text()) == {"results": {task: {}}}
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            assert [line["doc_id"] for line in lines] == sorted(line["doc_id"] for line in lines)
            for line in lines:
                assert isinstance(line["target"], str)
                assert line["filtered_resps"] == line["resps"][0]
                assert (DATA / line["doc"]["image_file"]).is_file()
    refused = [record.outcome for record in kept(records) if record.outcome is not Outcome.ANSWERED]
    assert done.empty == len(refused) > 0


def test_lines_are_in_medvisions_order_in_any_order_of_the_records(records, tmp_path):
    def by_task(given, out):
        export_run(iter(given), "m", out, START)
        return {path.name.partition("_samples_")[2]: path.read_bytes() for path in out.rglob("*.jsonl")}

    assert by_task(records[::-1], tmp_path / "turned") == by_task(records, tmp_path / "own")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own", "turned"], "no temporary folder is left"


@pytest.mark.parametrize("name", [name for name in FRAMES if name != "medvision"])
def test_boxes_of_another_convention_are_written_in_medvisions(records, tmp_path, name):
    size, frame = Size(384, 512), FRAMES[name]
    rules = PROTOCOLS["medvision-1.2"]
    boxes = [record for record in kept(records) if record.sample.task == "detection"]
    boxes = [
        record
        for record in boxes
        if (score := score_record(record, rules)).success and all(abs(value) < 9 for value in score.values)
    ]
    said = []
    for record in boxes:
        box = score_record(record, rules).values
        text = ",".join(f"{value:.9f}" for value in frame.box_from_medvision(box, size))
        update = {"response": f'<answer>{{"bbox_2d": [{text}]}}</answer>', "spoken": spoken_in(name, size)}
        said.append(record.model_copy(update=update))
    rows = [row for _, _, row in task_rows(said)]
    plain = [row for _, _, row in task_rows(boxes)]
    assert len(rows) == len(plain) > 0
    for row, expected in zip(rows, plain, strict=True):
        assert row["response_as_given"] in {record.response for record in said}
        assert "response_as_given" not in expected
        answer = parse(extract(expected["resps"][0][0], 4, rules), 4)
        for own in PROTOCOLS.values():
            found = parse(extract(row["resps"][0][0], 4, own), 4)
            assert found == pytest.approx(answer, abs=1e-6)


@pytest.mark.parametrize("frame", ["medvision", "norm1000"])
def test_a_box_by_the_names_of_marks_is_exported_in_coordinates_beside_what_was_written(records, frame):
    one = next(record for record in kept(records) if record.sample.task == "detection" and record.response)
    update = {"response": "<answer>0.1, 0.2, 0.3, 0.4</answer>", "as_written": "<answer>A, B</answer>"}
    said = one.model_copy(update={**update, "spoken": spoken_in(frame, Size(384, 512))})
    ((_, _, row),) = task_rows([said])
    assert row["response_as_given"] == "<answer>A, B</answer>"
    assert "A, B" not in row["resps"][0][0]


@pytest.mark.parametrize("reply", ["<answer>[1,2,3,4] or [5,6,7,8,9]</answer>", "1 %, 2 %, 3 %, 4 %"])
def test_a_box_that_cannot_be_read_in_its_convention_is_none_in_the_export(records, tmp_path, reply):
    """The words are kept, and no rule finds four numbers in them that were not converted."""
    one = next(record for record in kept(records) if record.sample.task == "detection" and record.response)
    said = one.model_copy(update={"response": reply, "spoken": spoken_in("norm1000", Size(384, 512))})
    done = export_run([said], "m", tmp_path, START)
    assert next(row for _, _, row in task_rows([said]))["response_as_given"] == reply
    rules = PROTOCOLS["medvision-1.2"]
    answers, notes = load_answers(done.folders[0], rules)
    assert any("answer tags" in note for note in notes) == ("<answer>" not in reply)
    (line,) = (line for section in sections(answers, rules) for line in sample_lines(section))
    assert (line["success"], line["extracted"]) == (False, "")


def test_what_cannot_be_exported_is_refused(records, tmp_path):
    own = records[0].model_copy(update={"sample": records[0].sample.model_copy(update={"medvision": None})})
    with pytest.raises(DataError, match="this sample is not of MedVision's data"):
        export_run([*records, own], "m", tmp_path, START)
    facts = records[0].sample.medvision
    train = facts.model_copy(update={"config": facts.config.replace("_Test", "_Train")})
    other = records[0].model_copy(update={"sample": records[0].sample.model_copy(update={"medvision": train})})
    with pytest.raises(DataError, match="both splits"):
        export_run([*records, other], "m", tmp_path, START)
    lost = [record.model_copy(update={"outcome": Outcome.TIMEOUT}) for record in records]
    with pytest.raises(DataError, match="nothing to export"):
        export_run(lost, "m", tmp_path, START)
    assert not list(tmp_path.iterdir())


def test_results_that_are_there_are_not_touched(records, tmp_path):
    export_run(records[:3], "m", tmp_path, START)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StorageError, match="exists already"):
        export_run(records, "m", tmp_path, START)
    assert sorted(tmp_path.rglob("*")) == before
    export_run(records[:3], "another", tmp_path, START)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        export_run(records[:3], "m", tmp_path / "file", START)


def test_areas_are_in_no_file_and_in_no_figure_of_medvisions(records, tmp_path):
    samples = select(MedVisionSource(DATA, Reading()), AREAS)
    areas = [Record(sample=one, outcome=Outcome.ANSWERED, response="<answer>500.0</answer>") for one in samples]
    assert len(areas) > 2
    done = export_run([*records, *areas], "m", tmp_path / "both", START)
    alone = export_run(records, "m", tmp_path / "alone", START)
    assert (done.samples, done.left_out, done.not_theirs) == (alone.samples, alone.left_out, len(areas))
    assert not list((tmp_path / "both").rglob("*MaskSize*"))
    with pytest.raises(DataError, match="all results of the run are areas"):
        export_run(areas, "m", tmp_path / "none", START)
    rules = PROTOCOLS["medvision-1.2"]
    assert run_figures([*records, *areas], rules) == run_figures(records, rules)
    assert run_sections(areas, rules) == []
    with pytest.raises(DataError, match="nothing to compare with the published results"):
        run_figures(areas, rules)
