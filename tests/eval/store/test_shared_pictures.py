"""Pictures that several runs share: on disk once, whole in every run, whoever writes first."""

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest
from click.testing import CliRunner

from medvision_agent.cli.main import cli
from medvision_agent.eval.store.files import picture_path, write_picture
from medvision_agent.eval.study.plan import read_plan

PNG = os.urandom(200_000)
KEY = sha256(PNG).hexdigest()


def test_a_picture_is_on_disk_once_and_outlives_every_other_name(tmp_path):
    runs = [tmp_path / name for name in "abc"]
    for run in runs:
        write_picture(run, KEY, PNG, tmp_path)
    files = [picture_path(folder, KEY) for folder in (tmp_path, *runs)]
    assert len({file.stat().st_ino for file in files}) == 1
    shutil.rmtree(tmp_path / "pictures")
    shutil.rmtree(tmp_path / "a")
    assert picture_path(tmp_path / "b", KEY).read_bytes() == PNG
    write_picture(tmp_path / "d", KEY, PNG, tmp_path)
    assert picture_path(tmp_path / "d", KEY).read_bytes() == PNG


def test_without_links_it_is_copied(tmp_path, monkeypatch):
    def refused(self: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    write_picture(tmp_path / "a", KEY, PNG, tmp_path)
    assert picture_path(tmp_path / "a", KEY).read_bytes() == PNG
    assert picture_path(tmp_path / "a", KEY).stat().st_nlink == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [picture_path(tmp_path / "a", KEY)]


@pytest.mark.parametrize("shared", [False, True])
def test_many_writers_of_one_picture_never_meet(tmp_path, monkeypatch, shared):
    """With a temporary name in common one would take the other's away, or put another file in place of a linked one."""
    flush, together = os.fsync, Barrier(8, timeout=30)

    def flushed(handle: int) -> None:
        flush(handle)
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            together.wait()  # all have written, and none has given its file its final name

    monkeypatch.setattr(os, "fsync", flushed)
    runs = [tmp_path / "run"] * 8 if not shared else [tmp_path / str(number) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(write_picture, run, KEY, PNG, tmp_path if shared else None) for run in runs]
    assert [one.exception() for one in done] == [None] * 8
    assert all(picture_path(run, KEY).read_bytes() == PNG for run in runs)
    assert len({path.stat().st_ino for path in tmp_path.rglob("*.png")}) == 1
    assert [path.name for path in tmp_path.rglob("*.part")] == []


def test_a_write_that_fails_leaves_no_part_behind(tmp_path, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "pictures" / KEY[:2]).mkdir(parents=True)
    with pytest.raises(OSError, match="No space"):
        write_picture(tmp_path, KEY, PNG)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_cells_of_a_study_share_their_pictures_and_can_be_moved(tmp_path):
    path = tmp_path / "study.yaml"
    text = "name: t\nmodels: [baseline-cv]\ndata: 'phantom:3'\ntasks: [size]\ndesigns: [on-off, repeat]\n"
    path.write_text(text, encoding="utf-8")
    study = tmp_path / "s"
    done = CliRunner().invoke(cli, ["ablate", str(path), "--out", str(study)])
    assert done.exit_code == 0, done.output
    cells = [study / cell.folder for cell in read_plan(study).cells]
    names = [sorted(file.name for file in (cell / "pictures").rglob("*.png")) for cell in cells]
    assert all(names)
    every = list(study.rglob("*.png"))
    assert len({file.stat().st_ino for file in every}) == len({name for own in names for name in own})
    assert sorted(file.name for file in (study / "pictures").rglob("*.png")) == sorted(
        {n for own in names for n in own}
    )
    shutil.move(cells[0], tmp_path / "moved")
    shutil.move(cells[1], tmp_path / "beside")
    shutil.rmtree(study)
    for words in (["score"], ["why"], ["report", "--out", str(tmp_path / "page.html")]):
        done = CliRunner().invoke(cli, [*words, str(tmp_path / "moved")])
        assert done.exit_code == 0, done.output
    assert {file.name for file in (tmp_path / "moved").rglob("*.png")} == set(names[0])
