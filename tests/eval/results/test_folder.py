"""MedVision's result folders, and where names come from that results do not carry."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from medvision_agent.errors import DataError
from medvision_agent.eval.results.load import load_answers
from medvision_agent.eval.results.plans import read_tasks
from medvision_agent.eval.results.removed import read_removed
from medvision_agent.eval.results.summary import sections
from medvision_agent.eval.scorer.nmae import diagonals
from medvision_agent.eval.scorer.protocol import PROTOCOLS

V12 = PROTOCOLS["medvision-1.2"]
BOX = "KiTS23_BoxCoordinate_Task01_Axial"
LESION = "KiTS23_TumorLesionSize_Task02_Axial"


def box(number: int) -> dict[str, Any]:
    return {
        "doc_id": number,
        "target": "[0.25, 0.25, 0.75, 0.75]",
        "resps": [["<answer>0.25, 0.25, 0.75, 0.75</answer>"]],
        "doc": {"label": 1, "slice_dim": 2, "image_size_2d": [100, 100]},
    }


def lesion(number: int) -> dict[str, Any]:
    doc = {"label": 9, "slice_dim": 2, "image_size_2d": [30, 40], "image_file": "/elsewhere/Datasets/KiTS23/a.nii.gz"}
    return {"doc_id": number, "target": "[10.0, 5.0]", "resps": [["<answer>10, 5</answer>"]], "doc": doc}


def put(folder: Path, task: str, *records: dict[str, Any], stamp: str = "20250101_000000") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stamp}_results.json").write_text(json.dumps({"results": {task: {}}}), encoding="utf-8")
    file = folder / f"{stamp}_samples_{task}.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file


def tasks_file(folder: Path) -> Path:
    file = folder / "tasks.json"
    tasks = {
        "KiTS23_BoxCoordinate_Task01": {"image_modality": "CT", "labels_map": {"1": "kidney"}},
        "KiTS23_TumorLesionSize_Task02": {
            "image_modality": "CT",
            "labels_map": {"2": "kidney tumor", "9": "kidney cyst"},
            "target_label": 2,
        },
    }
    file.write_text(json.dumps(tasks), encoding="utf-8")
    return file


def test_both_generations_and_depths(tmp_path: Path) -> None:
    put(tmp_path / "m", BOX, box(0))
    put(tmp_path / "m" / "google__m", LESION, lesion(0))
    answers, notes = load_answers(tmp_path / "m", V12, tasks_file(tmp_path))
    assert notes == []
    detection, size = sections(answers, V12)
    assert list(detection.summary["groups"]) == ["Kidney @ CT (A)"]
    # The label of a size is its task's, not its row's.
    assert list(size.summary["groups"]) == ["kidney tumor @ CT (A)"]


def test_names_that_are_not_known_are_said_and_the_rest_is_printed(tmp_path: Path) -> None:
    put(tmp_path, BOX, box(0), box(1))
    answers, notes = load_answers(tmp_path, V12)
    nameless = "2 answers without the label's name or the modality: they are in no group (give both with --plans)"
    assert notes == [f"{nameless} (first: {BOX}/0)"]
    (section,) = sections(answers, V12)
    assert section.summary["groups"] == {}
    assert section.summary["parse_stage_results"][BOX]["avgIoU,none"] == "1.0"
    assert section.summary["medvision_agent"]["all_samples"]["IoU"] == 1.0


def test_raw_files_are_preferred_to_parsed_ones(tmp_path: Path) -> None:
    put(tmp_path, BOX, box(0))
    parsed = box(0) | {"filtered_resps": ["9,9,9,9"]}
    del parsed["resps"]
    put(tmp_path / "parsed", BOX, parsed)
    put(tmp_path / "parsed", BOX.replace("Axial", "Coronal"), parsed)
    answers, notes = load_answers(tmp_path, V12)
    assert sorted(answer.extracted or "raw" for part in answers for answer in part) == ["9,9,9,9", "raw"]
    assert notes[0].startswith("1 files whose raw file is missing")


def test_several_models_are_never_put_together(tmp_path: Path) -> None:
    put(tmp_path / "a", BOX, box(0))
    put(tmp_path / "b" / "parsed", BOX, box(0))
    with pytest.raises(DataError, match=r"holds the results of several models \(a, b\); give the folder of one"):
        load_answers(tmp_path, V12)


def test_a_task_run_twice_is_said(tmp_path: Path) -> None:
    put(tmp_path, BOX, box(0))
    put(tmp_path, BOX, box(0), stamp="20250102_000000").with_name("20250102_000000_results.json").unlink()
    answers, notes = load_answers(tmp_path, V12, tasks_file(tmp_path))
    assert sum(map(len, answers)) == 2
    assert notes[0].startswith("1 sample files without <stamp>_results.json")
    assert notes[1].startswith("1 answers to a question that was answered before (all of them count)")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are no result files"):
        load_answers(tmp_path, V12)


@pytest.mark.parametrize("content", ["nonsense", "[]", '{"a": 1}'])
def test_a_broken_file_of_tasks(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="--plans"):
        read_tasks(tmp_path / "t.json")


ENTRY = {"image_file": "Images/a.nii.gz", "slice_dim": "z", "slice_idx": 7, "task_ID": "01"}


def test_lists_of_removed_samples(tmp_path: Path) -> None:
    one = tmp_path / "KiTS23" / "multi_cluster_samples_v1.0.0_to_v1.1.0.json"
    one.parent.mkdir()
    one.write_text(json.dumps([ENTRY]), encoding="utf-8")
    all_ = tmp_path / "all.json"
    all_.write_text(json.dumps({"KiTS23": [ENTRY]}), encoding="utf-8")
    wanted = {("KiTS23", "Images/a.nii.gz", 2, 7, "01")}
    assert read_removed(one) == read_removed(tmp_path) == read_removed(all_) == wanted


@pytest.mark.parametrize("content", ["x", "[1]", '{"KiTS23": [{}]}', json.dumps([ENTRY | {"slice_dim": "w"}])])
def test_a_broken_list_of_removed_samples(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="expected JSON objects with image_file"):
        read_removed(tmp_path / "r.json")
    with pytest.raises(DataError, match="has no file <dataset>/"):
        read_removed(tmp_path)


def test_names_and_voxel_sizes_from_a_data_folder(tmp_path: Path) -> None:
    import nibabel
    import numpy as np

    put(tmp_path / "results", LESION, lesion(0), lesion(1) | {"doc": lesion(1)["doc"] | {"image_file": "no/such.nii"}})
    put(tmp_path / "results", BOX, box(0), stamp="20250102_000000")
    home = tmp_path / "Data" / "Datasets" / "KiTS23"
    home.mkdir(parents=True)
    nibabel.save(nibabel.Nifti1Image(np.zeros((30, 40, 2), np.uint8), np.diag([2.0, 1.5, 5.0, 1.0])), home / "a.nii.gz")
    labels = {"1": "kidney", "2": "kidney tumor"}
    tasks = [
        {"task_ID": "01", "image_modality": "CT", "labels_map": labels, "test_cases": []},
        {"task_ID": "02", "image_modality": "CT", "labels_map": labels, "target_label": 2, "test_cases": []},
    ]
    for kind in ("detection", "biometry"):
        with gzip.open(home / f"benchmark_plan_{kind}_v1.0.0.json.gz", "wt", encoding="utf-8") as plan:
            json.dump({"tasks": tasks, "tasks_number": 2}, plan)
    answers, notes = load_answers(tmp_path / "results", V12, tmp_path / "Data")
    assert notes == []
    detection, size = sections(answers, V12)
    assert list(detection.summary["groups"]) == ["Kidney @ CT (A)"]
    assert list(size.summary["groups"]) == ["kidney tumor @ CT (A)"]
    assert diagonals(size.batch.answers, V12.scaled_pixel_size)[0] == pytest.approx(np.hypot(60, 60))
    assert size.batch.nmae is not None
    assert size.batch.nmae.success.tolist() == [True, False]
