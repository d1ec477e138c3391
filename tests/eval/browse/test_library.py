"""All that lies under a folder: names, keys that stay, runs that come and go, bounded memory, notes."""

import shutil

import pytest
from browsed import a_run, add, create, samples

from medvision_agent.errors import StorageError
from medvision_agent.eval.browse import library as module
from medvision_agent.eval.browse.forms import Note
from medvision_agent.eval.browse.library import Library


def opened(*folders):
    library = Library(folders)
    library.read_on()
    return library


def look(library):
    library.look()
    library.read_on()
    return {run.name: run for run in library.index(live=True).runs}


def test_runs_are_named_by_their_place_and_keep_their_keys(tmp_path):
    a_run(tmp_path / "b/one", ["10.0"])
    library = opened(tmp_path)
    assert {name: run.key for name, run in look(library).items()} == {"b/one": "r1"}
    a_run(tmp_path / "a", ["10.0", "12.0"], condition="off", tools=())
    found = look(library)
    assert {name: (run.key, run.arm) for name, run in found.items()} == {"a": ("r2", "off"), "b/one": ("r1", "on")}
    shutil.rmtree(tmp_path / "b")
    assert set(look(library)) == {"a"}
    with pytest.raises(StorageError, match="no longer exists"):
        library.rows("r1")
    a_run(tmp_path / "b/one", ["11.0"])
    assert library.rows(look(library)["b/one"].key).answer == ("11 mm",)


def test_several_folders_and_a_run_itself_are_opened(tmp_path):
    one, two = a_run(tmp_path / "x/one", ["10.0"]), a_run(tmp_path / "y/one", ["10.0"])
    assert [run.name for run in opened(one).index(live=True).runs] == ["one"]
    assert [run.name for run in opened(tmp_path / "x", two).index(live=True).runs] == ["x/one", "one"]
    assert len(opened(tmp_path, one).index(live=True).runs) == 2  # each once
    both = opened(tmp_path / "x", tmp_path / "z")
    assert both.index(live=True).notes == (f"{tmp_path / 'z'} is not there any more",)
    assert both.index(live=False).notes == ("z is not there any more",)


def test_a_damaged_run_is_a_line_beside_the_others(tmp_path):
    a_run(tmp_path / "good", ["10.0"])
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/run.sqlite").write_bytes(b"no database" * 500)
    (tmp_path / "study").mkdir()
    (tmp_path / "study/study.json").write_text("{}")
    index = opened(tmp_path).index(live=True)
    assert {run.name: run.state for run in index.runs} == {"bad": "damaged", "good": "finished"}
    (study,) = index.studies
    assert (study.state, study.arms) == ("damaged", ())
    assert "the plan of the study cannot be read" in study.note


def test_more_lines_than_there_is_room_for_are_read_again_when_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_LINES", 5)
    for name in ("a", "b", "c"):
        a_run(tmp_path / name, ["10.0", "11.0", None])
    library = opened(tmp_path)
    held = sum(len(run.feed.lines) for run in library.runs.values())
    assert held <= 5
    before = library.index(live=True)
    assert [run.means[0].scored for run in before.runs] == [3, 3, 3]  # what it came to is kept
    assert library.read_on() is False
    for key in ("r1", "r2", "r3"):
        library.rows(key)
        library.read_on()
        assert library.rows(key).answer == ("10 mm", "11 mm", "")
        assert library.talk(key, 0).answer == "10 mm"
    library.read_on()
    assert sum(len(run.feed.lines) for run in library.runs.values()) <= 5
    assert [run.means for run in library.index(live=True).runs] == [run.means for run in before.runs]


def test_reading_stops_when_the_time_is_over_and_says_how_far_it_came(tmp_path):
    folder, asked = tmp_path / "run", samples(450)
    with create(folder, asked) as store:
        for sample in asked:
            add(store, sample)
    library = Library([tmp_path])
    assert library.read_on(0.0) is True
    (line,) = library.index(live=True).runs
    assert (line.means, line.planned) == ((), 450)
    assert "of 450 records read so far" in line.note
    library.read_on()
    (line,) = library.index(live=True).runs
    assert (line.note, line.done) == ("", 450)


def test_notes_are_kept_beside_the_run(tmp_path):
    a_run(tmp_path / "run", ["10.0", "11.0"])
    library = opened(tmp_path)
    assert library.reviews("r1").reviews == ()
    found = library.note("r1", Note(row=1, verdict="bad", comment="the wrong end"))
    assert [(one.id, one.verdict, one.comment) for one in found.reviews] == [("s1", "bad", "the wrong end")]
    assert (tmp_path / "run/review.jsonl").read_text().count("\n") == 1
    with pytest.raises(StorageError, match="has no row 2"):
        library.note("r1", Note(row=2, verdict="bad", comment=""))
    assert opened(tmp_path).reviews("r1") == found
