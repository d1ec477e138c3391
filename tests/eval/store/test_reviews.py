"""Notes on samples: the last one counts, nothing is lost, nothing but the file is touched."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from medvision_agent.errors import StorageError
from medvision_agent.eval.store import reviews
from medvision_agent.eval.store.reviews import REVIEWS, add_review, has_reviews, read_reviews


def test_the_last_note_of_a_sample_counts_and_can_be_taken_back(tmp_path):
    assert not has_reviews(tmp_path)
    assert read_reviews(tmp_path).reviews == ()
    add_review(tmp_path, "s1", "good", "")
    add_review(tmp_path, "s2", "unsure", "which end?\nthe left one")
    add_review(tmp_path, "s1", "bad", "no")
    found = read_reviews(tmp_path)
    assert [(one.id, one.verdict) for one in found.reviews] == [("s1", "bad"), ("s2", "unsure")]
    add_review(tmp_path, "s1", "", "")
    assert [one.id for one in read_reviews(tmp_path).reviews] == ["s2"]
    assert len((tmp_path / REVIEWS).read_text().splitlines()) == 4


def test_damaged_lines_are_counted_and_stay(tmp_path):
    good = {"id": "s1", "verdict": "good", "comment": "", "at": "2026-01-01T00:00:00+00:00"}
    lines = [json.dumps(good), "not json", json.dumps(good | {"verdict": "great"}), json.dumps(good)[:30]]
    (tmp_path / REVIEWS).write_text("\n".join(lines))  # the last writer was killed
    assert (len(read_reviews(tmp_path).reviews), read_reviews(tmp_path).damaged) == (1, 3)
    add_review(tmp_path, "s2", "bad", "x")
    assert [one.id for one in read_reviews(tmp_path).reviews] == ["s1", "s2"]
    assert read_reviews(tmp_path).damaged == 3
    assert (tmp_path / REVIEWS).read_text().splitlines()[:4] == lines


def test_writers_side_by_side_lose_nothing(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: add_review(tmp_path, f"s{at}", "good", "x" * 3000), range(200)))
    found = read_reviews(tmp_path)
    assert ({one.id for one in found.reviews}, found.damaged) == ({f"s{at}" for at in range(200)}, 0)


def test_a_link_is_neither_read_nor_written(tmp_path):
    (tmp_path / "mine").write_text("secret\n")
    (tmp_path / REVIEWS).symlink_to(tmp_path / "mine")
    with pytest.raises(StorageError, match="the notes of the run cannot be read"):
        add_review(tmp_path, "s1", "good", "")
    with pytest.raises(StorageError, match="the notes of the run cannot be read"):
        read_reviews(tmp_path)
    assert (tmp_path / "mine").read_text() == "secret\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    subprocess.run(["mkfifo", tmp_path / REVIEWS], check=True)
    with pytest.raises(StorageError, match="kept in a regular file"):
        read_reviews(tmp_path)


def test_the_file_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(reviews, "_MOST", 300)
    add_review(tmp_path, "s1", "good", "x" * 100)
    with pytest.raises(StorageError, match="full"):
        add_review(tmp_path, "s1", "good", "x" * 100)
    assert len(read_reviews(tmp_path).reviews) == 1
