"""MedVision's data folder as a user meets it on the command line."""

import gzip
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import datasets
import numpy as np
import pytest
from commands import COMMAND

from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.selection import Selection, select
from medvision_agent.eval.data.sources import open_source

MINI = Path(__file__).parents[1] / "data/medvision-mini/Data"
LUNG = "MiniTumor_TumorLesionSize_Task01_Axial"


def run(*words: object) -> tuple[int, str, str]:
    done = subprocess.run([COMMAND, *map(str, words)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_baseline_runs_over_the_mini_tree(tmp_path):
    who = tmp_path / "who.csv"
    who.write_text("dataset,case,subject\nMiniTumor,LungCT_005,somebody\n")
    words = ("run", "--model", "baseline-cv", "--tools", "on", "--data", f"medvision:{MINI}", "--limit", "1")
    code, out, err = run(*words, "--subjects", who, "--no-filters", "--json", "--out", tmp_path / "run")
    assert code == 0, err
    text = json.dumps(json.loads(out))
    assert "WITHOUT upstream's filters" in text
    for task in ("detection", "size", "angle", "distance"):
        assert task in text
    code, _, err = run(*words, "--out", tmp_path / "run", "--resume")
    assert code == 2, "other samples are another run"
    assert "samples_sha256" in err


def test_list_prints_configurations_and_what_is_broken(tmp_path):
    shutil.copytree(MINI, tmp_path / "Data")
    code, out, err = run(
        "data", "list", "--data", f"medvision:{tmp_path}/Data", "--config", "MiniTumor_*", "--split", "all"
    )
    assert (code, err) == (0, "")
    assert re.search(rf"{LUNG}_Test +1\.1\.1 +1 +0 +1 +12 +12\n", out)
    assert "broken" not in out.split("samples of")[1]
    next((tmp_path / "Data").rglob("Images/LungCT_005.nii.gz")).unlink()
    code, out, _ = run(
        "data", "list", "--data", f"medvision:{tmp_path}/Data", "--config", LUNG, "--annotations", "1.0.0"
    )
    assert code == 0
    assert re.search(rf"{LUNG}_Test +1\.0\.0 +1 +1 +0 +0 +0\n", out)
    assert re.search(
        r"broken: .*v1\.0\.0\.json\.gz: task 01: test_cases: case LungCT_005: image_file: .* cannot be read", out
    )


def test_check_names_every_fault_of_a_damaged_copy(tmp_path):
    root = tmp_path / "Data"
    shutil.copytree(MINI, root)
    code, out, err = run("data", "check", root)
    assert (code, err) == (0, "")
    assert out.endswith(f"samples: 0 mistakes, 0 warnings in medvision:{root}\n")
    images = {path.name: path for path in root.rglob("Images/*.nii.gz")}
    images["BreastMR_001.nii.gz"].unlink()
    images["KidneyCT_002.nii.gz"].write_bytes(images["KidneyCT_002.nii.gz"].read_bytes()[:-100])
    shutil.copyfile(images["ctpelvis.nii.gz"], images["mrupper.nii.gz"])
    images["LungCT_005.nii.gz"].unlink()
    images["LungCT_005.nii.gz"].symlink_to("/dev/null")
    plan = next(root.rglob("benchmark_plan_detection_v1.2.0.json.gz"))
    data = json.loads(gzip.decompress(plan.read_bytes()))
    data["tasks"][0]["labels_map"] = {}
    plan.write_bytes(gzip.compress(json.dumps(data).encode()))
    plan = root / "Datasets/MiniTumor/benchmark_plan_segmentation_v1.0.0.json.gz"
    plan.write_bytes(plan.read_bytes()[:1000])
    code, out, err = run("data", "check", root, "--json")
    assert (code, err) == (2, "")
    problems = [f"{one['place']}: {one['field']}: {one['message']}" for one in json.loads(out)["refused"]]
    for words in (
        r"case BreastMR_001: image_file: .* cannot be read .No such file",
        r"KidneyCT_002.nii.gz: the file is incomplete",
        r"case mrupper: image_file_info.array_size: .* was made for another image",
        r"case LungCT_005: image_file: .*link that leads out",
        r"detection_v1.2.0.json.gz: task 01: labels_map: there is no name for the label",
        r"segmentation_v1.0.0.json.gz: the file is incomplete",
    ):
        assert any(re.search(words, problem) for problem in problems), words
    code, quick, _ = run("data", "check", root, "--quick")
    assert code == 2
    assert "KidneyCT_002.nii.gz" not in quick
    assert "(volumes not unpacked)" in quick


def test_show_draws_a_sample(tmp_path):
    sample = select(MedVisionSource(MINI, Reading()), Selection(configs=(LUNG,)))[0]
    code, out, err = run("data", "show", sample.id, "--data", f"medvision:{MINI}", "--out", tmp_path / "x.png")
    assert (code, err) == (0, "")
    assert "lung cancer" in out
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_an_export_is_the_same_samples_and_opens_elsewhere(tmp_path):
    data = f"medvision:{MINI}"
    code, _, err = run("data", "export", "--data", data, "--limit", 2, "--out", tmp_path / "x.parquet")
    assert (code, err) == (0, "")
    source = MedVisionSource(MINI, Reading())
    samples = select(source, Selection(limit=2))
    again = open_source(str(tmp_path / "x.parquet"))
    assert [sample.id for sample in again.samples] == [sample.id for sample in samples]
    negative = 0
    for ours, theirs in zip(samples, again.samples, strict=True):
        assert theirs.medvision.record() == ours.medvision.record()
        assert theirs.target == ours.target
        native = source.load(ours)
        # The volumes hold whole numbers: kept exactly, Hounsfield units below zero too.
        assert np.array_equal(again.load(theirs).values, native.values)
        assert not again.load(theirs).displayed
        negative += native.values.min() < 0
    assert negative
    rows = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "x.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(rows) == len(samples)
    assert rows[0]["image_bytes"].startswith(b"\x89PNG")


def test_upstreams_task_lists_select(tmp_path):
    tasks = tmp_path / "tasks.json"
    tasks.write_text(json.dumps({f"{LUNG}-CoT": 12, "MiniTumor_BoxCoordinate_Task03_Axial-CoT": 9}))
    code, out, err = run("data", "list", "--data", f"medvision:{MINI}", "--tasks", tasks, "--samples", "--json")
    assert (code, err) == (0, "")
    configs = [json.loads(line)["medvision"]["config"] for line in out.splitlines()]
    assert sorted(set(configs)) == ["MiniTumor_BoxSize_Task03_Axial_Test", f"{LUNG}_Test"]
    assert len(configs) == 12 + 9
    for text, said in [
        ("{}", "the task list is empty"),
        ("[1]", "1 is not the name of a MedVision task"),
        ('{"x": 1}', "'x' is not the name of a MedVision task"),
        ("{", "not a task list"),
        (json.dumps({"KiTS23_TumorLesionSize_Task01_Axial": 3}), "no sample of 'KiTS23_TumorLesionSize_Task01_Axial'"),
    ]:
        tasks.write_text(text)
        code, _, err = run("run", "--model", "baseline-prior", "--data", f"medvision:{MINI}", "--tasks", tasks)
        assert code == 2
        assert said in err


@pytest.mark.parametrize("name", ["hf:YongchengYAO/MedVision", "some/where/MedVision.py", "YongchengYAO/MedVision"])
def test_the_loading_script_is_refused_with_two_ways_out(name):
    code, _, err = run("data", "list", "--data", name)
    assert code == 2
    assert "datasets==3.6.0" in err
    assert f"datasets {datasets.__version__}" in err
    assert "medvision_bm.benchmark.download_datasets --tasks_json TASKS.json --data_dir Data" in err
    # What is to be typed must at least be well-formed: the shell's words, and the program in -c.
    commands = [line.strip() for line in err.splitlines() if line.startswith("     ")]
    words = [shlex.split(command) for command in commands]
    (program,) = (word[word.index("-c") + 1] for word in words if "-c" in word)
    compile(program, "command", "exec")


def test_options_of_medvision_are_refused_elsewhere():
    for words, said in [
        (("--split", "train"), "--data medvision:DIR"),
        (("--config", "x*"), "--data medvision:DIR"),
        (("--no-filters",), "--data medvision:DIR"),
        (("--annotations", "1.0.0"), "--data medvision:DIR"),
        (("--limit-by", "subject"), "needs --limit"),
    ]:
        code, _, err = run("data", "list", *words)
        assert code == 2
        assert said in err


def test_the_published_table_is_there():
    code, out, err = run("data", "list", "--published")
    assert (code, err) == (0, "")
    assert re.search(r"KiPA22 +kidney +CT +b-box, T/L +open +HF†, GC +26 / 11K +2\.1 / 1\.0K +0\n", out)
    assert re.search(r"total +22 / 9\.2M +23 / 9\.6K +5\.6 / 2\.4K\n", out)
    assert re.search(r"MSWAL +1\.3\.0 +60,106 / 125,126\n", out)
    assert re.search(r"MSWAL +8,254 / 12,260 +78,586 / 145,136\n", out)
    assert re.search(r"\n1\.4\.0: 31 datasets, 25,725,431 / 50,529,833\n", out)
    assert "1.2.1 is not counted there" in out
    table = json.loads(run("data", "list", "--published", "--json")[1])
    assert len(table["datasets"]) == 22
