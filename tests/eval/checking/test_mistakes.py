"""Every typical mistake is found alone and beside all others, with its line and its field."""

import json
import re
import subprocess
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest
from commands import COMMAND
from mistakes import REFUSED, sample, save_volume, volume, write

from medvision_agent.api.checking import check
from medvision_agent.errors import DataError
from medvision_agent.eval.checking.check import check_selected, check_source
from medvision_agent.eval.data.sources import open_source
from medvision_agent.tools.view.png import encode_png

SOUND = sample("sound", "size")


def found(file: Path, *more: str) -> tuple[int, dict]:
    done = subprocess.run(
        [COMMAND, "data", "check", file, "--json", *more], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_there_are_twenty():
    assert len(REFUSED) == 20


def test_sound_samples_pass(tmp_path):
    lines = [sample(task, task) for task in ("size", "distance", "angle", "detection")]
    assert found(write(tmp_path, [*lines, volume("sound-volume")])) == (
        0,
        {"data": str(tmp_path / "samples.jsonl"), "samples": 5, "refusals": 0}
        | {"refused": [], "warnings": [], "unchecked": []},
    )


@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_alone_is_named(tmp_path, name):
    line, field, said = REFUSED[name]
    file = write(tmp_path, [SOUND, line(name)])
    told = check(file)
    first = told.refused[0]
    assert first.place == f"{file}:2"
    assert {one.place for one in told.refused} == {f"{file}:2"}
    assert first.field == field
    assert re.search(said, first.message), first.message


def test_all_of_them_are_named_at_once(tmp_path):
    file = write(tmp_path, [SOUND, *(line(name) for name, (line, _, _) in REFUSED.items())])
    code, told = found(file)
    assert code == 2
    assert told["samples"] == 21
    for number, (_, field, said) in enumerate(REFUSED.values(), start=2):
        there = [one for one in told["refused"] if one["place"] == f"{file}:{number}"]
        assert any(one["field"] == field and re.search(said, one["message"]) for one in there), (number, said)
    assert not [one for one in told["refused"] if one["place"] == f"{file}:1"]
    done = subprocess.run([COMMAND, "data", "check", file], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout.count("refused: ") == told["refusals"]
    assert f"21 samples: {told['refusals']} mistakes" in done.stdout


WARNED = {
    "axes-order": [sample("a", "size", target=[24.0, 40.0], truth_points=[])],
    "radians": [sample(n, "angle", target=[1.2], truth_points=[]) for n in "ab"],
    "target-size": [sample(n, "distance", target=[0.08], truth_points=[]) for n in "ab"],
    "small-area": [sample(n, "area", target=[0.3]) for n in "ab"],
    "repeated-question": [SOUND, SOUND | {"id": "again"}],
    "subject-names": [sample("a", "size", subject="d/P 01"), sample("b", "size", subject="p1")],
}


@pytest.mark.parametrize("rule", WARNED)
def test_what_may_be_right_is_a_warning_with_the_number_of_samples(tmp_path, rule):
    code, told = found(write(tmp_path, WARNED[rule]))
    assert code == 0
    (warning,) = told["warnings"]
    assert warning["rule"] == ("target-size" if rule == "small-area" else rule)
    assert warning["samples"] == (2 if rule in {"radians", "target-size", "small-area"} else 1)


def test_the_first_sample_of_a_run_is_the_one_that_a_warning_names(tmp_path):
    source = open_source(str(write(tmp_path, [sample(n, "angle", target=[1.2], truth_points=[]) for n in "ab"])))
    (warning,) = check_selected(source, source.samples).warnings
    assert (warning.first.place, warning.samples) == (source.place_of(source.samples[0]), 2)


def test_a_file_is_read_twice_at_most_however_many_images_are_shared(tmp_path, monkeypatch):
    lines = [sample(f"{n}{at}", "size", image=f"images/{n}.png") for n in "abcdef" for at in (1, 2)]
    source = open_source(str(write(tmp_path, lines)), listing=False)
    reads, read = [], source.read
    monkeypatch.setattr(source, "read", lambda: (reads.append(1), read())[1])
    assert check_source(source).refusals == 6
    assert len(reads) == 2


def test_an_area_larger_than_its_picture_is_refused(tmp_path):
    told = check(write(tmp_path, [sample("a", "area", target=[12800.0]), sample("b", "area", target=[14000.0])]))
    (fault,) = told.refused
    assert (fault.field, fault.rule) == ("target", "target-size")
    assert "14000 mm2 is larger than the image, 12800 mm2 (200 x 160 px of 0.4 mm2)" in fault.message


def test_one_picture_under_two_names_of_one_subject_is_a_warning(tmp_path):
    lines = [SOUND, sample("copy", "size", subject=SOUND["subject"])]
    file = write(tmp_path, lines)
    (tmp_path / "images/copy.png").write_bytes((tmp_path / "images/sound.png").read_bytes())
    code, told = found(file)
    assert code == 0
    assert [one["rule"] for one in told["warnings"]] == ["repeated-picture", "repeated-question"]


def test_a_picture_that_was_packed_anew_is_the_same_picture(tmp_path):
    file = write(tmp_path, [SOUND, sample("copy", "size")])
    pixels = cv2.imread(str(tmp_path / "images/sound.png"), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(tmp_path / "images/copy.png"), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert (tmp_path / "images/copy.png").read_bytes() != (tmp_path / "images/sound.png").read_bytes()
    code, told = found(file)
    assert (code, [one["rule"] for one in told["refused"]]) == (2, ["shared-picture"])


def test_a_volume_under_two_names_is_found_by_its_voxels(tmp_path):
    """Its copy is packed, stored as floats and turned in space; a scan of another voxel is another one."""
    one, copy = volume("one"), volume("two")
    file = write(tmp_path, [one, copy | {"image": "images/two.nii.gz"}])
    image = nibabel.load(tmp_path / "images" / Path(one["image"]).name)
    voxels = image.get_fdata(dtype=np.float32)
    turned = nibabel.Nifti1Image(voxels, np.diag([0.8, 0.8, 3.0, 1.0]))
    turned.header.set_xyzt_units("mm")
    nibabel.save(turned, tmp_path / "images/two.nii.gz")
    code, told = found(file)
    assert (code, [one["rule"] for one in told["refused"]]) == (2, ["shared-picture"])
    write(tmp_path, [one, copy | {"image": "images/two.nii.gz", "subject": one["subject"]}])
    code, told = found(file)
    assert (code, [one["rule"] for one in told["warnings"]]) == (0, ["repeated-picture", "repeated-question"])
    voxels[7, 7, 0] += 1
    nibabel.save(nibabel.Nifti1Image(voxels, image.affine, image.header), tmp_path / "images/two.nii.gz")
    assert found(file)[1]["warnings"] == []


def test_a_source_that_is_opened_says_how_to_list_every_mistake(tmp_path):
    file = write(tmp_path, [SOUND, sample("a", "size") | {"task": "length"}, sample("b", "size", target=[1.0])])
    with pytest.raises(DataError, match=rf"(?s):2: task: .*to list every mistake: medvision-agent data check {file}"):
        _ = open_source(str(file)).samples
    assert check(file).refusals == 2


@pytest.mark.parametrize(
    ("fault", "field", "said"),
    [
        ({"unit": "unknown"}, "xyzt_units", "no unit"),
        ({"shifted": True}, "qform", "sform and qform place the volume differently, up to 5 mm"),
        ({"turned": True}, "plane", "is .axial., but by the header's directions .* sagittal|coronal"),
    ],
    ids=["unit", "forms", "directions"],
)
def test_a_header_that_leaves_a_doubt_is_a_warning(tmp_path, fault, field, said):
    (tmp_path / "images").mkdir()
    save_volume(tmp_path / "images/v.nii", **fault)
    code, told = found(write(tmp_path, [volume("v"), volume("v") | {"id": "w", "landmarks": ["r", "s"]}]))
    assert code == 0
    (warning,) = told["warnings"]
    assert warning["field"] == field
    assert re.search(said, warning["message"])


def test_what_is_plausible_all_the_same_is_taken_by_name(tmp_path):
    small = {"height_mm": 0.005, "width_mm": 0.005}
    file = write(
        tmp_path, [sample("a", "angle", pixel_size=small, truth_points=[]), sample("b", "size", image="images/a.png")]
    )
    assert found(file)[1]["refusals"] == 3
    assert found(file, "--unchecked", "pixel-size")[1]["refusals"] == 1
    code, told = found(file, "--unchecked", "pixel-size", "--unchecked", "shared-picture")
    assert (code, told["refusals"], told["unchecked"]) == (0, 0, ["pixel-size", "shared-picture"])
    done = subprocess.run(
        [COMMAND, "data", "check", file, "--unchecked", "points-target"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "finds contradictions and cannot be switched off" in done.stderr


def test_a_picture_of_one_grey_level_may_be_anybodys(tmp_path):
    file = write(tmp_path, [SOUND, sample("other", "size")])
    for name in ("sound", "other"):
        (tmp_path / f"images/{name}.png").write_bytes(encode_png(np.full((160, 200), 7, np.uint8)))
    assert found(file)[0] == 0
