"""Samples are checked before the first request of a run or a study, and by the same rules as `data check` has."""

import gzip
import json
import shutil
from pathlib import Path

import nibabel
import pytest
from mistakes import REFUSED, sample, write

MINI = Path(__file__).parents[1] / "data/medvision-mini/Data"


@pytest.mark.parametrize("name", ["damaged-picture", "spacing-exchanged", "picture-of-another", "angle-in-radians"])
async def test_a_run_is_refused_before_the_first_request(tmp_path, models, server, call, name):
    file = write(tmp_path / "own", [sample("sound", "size"), REFUSED[name][0](name)])
    code, out, err = await call("run", "--models", models, "--model", "fake-openai", "--data", file, "--out", "r")
    assert (code, out) == (2, "")
    assert f"{file}:2: {REFUSED[name][1]}" in err
    assert "1 mistake in the samples, found before the first request" in err
    assert server.requests == []
    assert not (tmp_path / "r").exists()


async def test_only_the_selected_samples_are_checked(tmp_path, call):
    file = write(tmp_path / "own", [sample("sound", "size"), REFUSED["damaged-picture"][0]("x") | {"id": "z"}])
    words = ("run", "--model", "baseline-prior", "--data", file)
    assert (await call(*words, "--limit", 1, "--out", "one"))[0] == 0
    assert (await call(*words, "--out", "all"))[0] == 2


async def test_a_study_is_refused_before_the_first_request(tmp_path, study, server, call, data):
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:-20])
    code, _, err = await call("ablate", study(), "--out", "s")
    assert code == 2
    assert "samples.jsonl:4: image: 3.png: the PNG image is incomplete or damaged" in err
    assert server.requests == []


async def test_what_is_not_checked_is_said_and_stored_and_asked_again(tmp_path, call):
    fine = {"height_mm": 0.005, "width_mm": 0.005}
    file = write(tmp_path / "own", [sample("a", "detection", pixel_size=fine)])
    words = ("run", "--model", "baseline-prior", "--data", file, "--out", "r")
    assert (await call(*words))[0] == 2
    code, _, err = await call(*words, "--unchecked", "pixel-size")
    assert code == 0, err
    assert "not checked, because --unchecked says so: pixel-size" in err
    assert (await call("rerun", "r", "--out", "again"))[0] == 0
    code, _, err = await call(*words[:-1], "other", "--unchecked", "pixels")
    assert code == 2
    assert (
        "--unchecked pixels: there is no such rule; expected pixel-size or shared-picture. Did you mean 'pixel-size'"
        in err
    )


async def test_a_warning_is_said_and_the_run_goes_on(tmp_path, call):
    file = write(
        tmp_path / "own", [sample(n, "size", subject=f"d/{s}") for n, s in zip("ab", ("p1", "P01"), strict=True)]
    )
    code, _, err = await call("run", "--model", "baseline-prior", "--data", file, "--out", "r")
    assert code == 0
    assert "doubtful: " in err
    assert "is this one person under 2 names?" in err


@pytest.mark.parametrize("command", ["check", "run"])
async def test_a_case_that_does_not_exist_is_refused(tmp_path, call, command):
    who = tmp_path / "who.csv"
    who.write_text("dataset,case,subject\nMiniTumor,LungCT_005,p1\nMiniTumor,LungCT_05,p1\nMiniTumour,x,p2\n")
    words = ("data", "check", MINI, "--quick") if command == "check" else ("run", "--model", "baseline-prior")
    more = () if command == "check" else ("--data", f"medvision:{MINI}", "--limit", 1, "--out", "r")
    code, out, err = await call(*words, *more, "--subjects", who)
    assert code == 2
    assert f"{who}:3: case: 'LungCT_05' is not a case of the dataset MiniTumor. Did you mean 'LungCT_005'?" in out + err
    assert (
        f"{who}:4: dataset: 'MiniTumour' is not a dataset of this data folder. Did you mean 'MiniTumor'?" in out + err
    )


async def test_doubtful_headers_of_medvisions_volumes_are_warnings(tmp_path, call):
    root = tmp_path / "Data"
    shutil.copytree(MINI, root)
    path = next(root.rglob("Images/LungCT_005.nii.gz"))
    image = nibabel.load(path)
    header = image.header.copy()
    header.set_xyzt_units("micron")
    form = image.header.get_best_affine()
    form[:, :3] /= 2
    header.set_sform(form, code=1)
    made = nibabel.Nifti1Image(image.dataobj.get_unscaled(), None, header)
    path.write_bytes(gzip.compress(made.to_bytes()))
    config = "MiniTumor_TumorLesionSize_Task01_Axial_Test"
    words = ("run", "--model", "baseline-prior", "--data", f"medvision:{root}", "--config", config, "--limit", 1)
    code, _, err = await call(*words, "--out", "r")
    assert code == 0, err
    assert "in micrometres, but here the spacing is taken to be in mm" in err
    assert "sform says a spacing of" in err
    code, out, _ = await call("data", "check", root, "--json", "--quick")
    assert code == 0
    assert {one["field"] for one in json.loads(out)["warnings"]} >= {"xyzt_units", "sform"}
