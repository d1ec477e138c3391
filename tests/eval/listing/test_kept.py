"""Figures that are kept beside a run: used while it is what it was, and never otherwise."""

import json
import os
import sqlite3
from contextlib import closing

import pytest
from identities import a_sample, an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.errors import DamageError
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.listing.figures import figures
from medvision_agent.eval.listing.kept import KEPT, mark_of
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.verify import verify_run
from medvision_agent.eval.store.write import RunStore

CONFIG = {"source": {"name": "demo", "note": "a note", "demonstration": True}}
SAMPLES = [a_sample(f"s{number}", subject=f"d/{number % 2}") for number in range(4)]
RULES = PROTOCOLS["medvision-1.2"]


def add(store, number, answer="10.0"):
    response = f"<answer>{answer}</answer>"
    store.add(
        Record(sample=SAMPLES[number], outcome=Outcome.ANSWERED, response=response),
        Trace([{"type": "ai", "content": response}], []),
    )


@pytest.fixture
def run(tmp_path):
    with RunStore.create(tmp_path / "run", SAMPLES, an_identity(), CONFIG) as store:
        add(store, 0)
        add(store, 1, "15.0")
    return tmp_path / "run"


def lie(run, loss=0.99):
    """Write another loss into what is kept, by which its use is seen."""
    kept = json.loads((run / KEPT).read_text())
    for one in kept["by_protocol"].values():
        one["overall"]["loss"] = loss
    (run / KEPT).write_text(json.dumps(kept))


def test_figures_are_kept_and_used_while_the_run_is_unchanged(run):
    assert figures(run, RULES).overall.loss == 0.25
    lie(run)
    assert figures(run, RULES).overall.loss == 0.99
    (run / KEPT).unlink()
    assert figures(run, RULES).overall.loss == 0.25


def test_what_was_kept_is_not_used_once_the_run_has_another_record(run):
    figures(run, RULES)
    lie(run)
    with RunStore.resume(run, an_identity()) as store:
        add(store, 2)
        assert mark_of(run) == ""  # while it is being written
        assert figures(run, RULES).overall.scored == 3
        assert json.loads((run / KEPT).read_text())["by_protocol"][RULES.name]["overall"]["scored"] == 2
    assert figures(run, RULES).overall.loss == pytest.approx(0.5 / 3)
    assert json.loads((run / KEPT).read_text())["by_protocol"][RULES.name]["overall"]["scored"] == 3


def test_a_record_that_was_edited_is_found_though_figures_are_kept(run):
    figures(run, RULES)
    with closing(sqlite3.connect(run / "run.sqlite")) as database, database:
        database.execute("UPDATE record SET json = replace(json, '10.0', '11.0')")
    with pytest.raises(DamageError, match="was changed after it was stored"):
        figures(run, RULES)


def test_figures_by_another_protocol_and_another_code_are_others(run, monkeypatch):
    figures(run, RULES)
    lie(run)
    assert figures(run, PROTOCOLS["paper-v1"]).overall.loss == 0.25
    assert figures(run, RULES).overall.loss == 0.99  # both are kept
    monkeypatch.setattr("medvision_agent.eval.listing.kept.eval_sha256", lambda: "another version")
    assert figures(run, RULES).overall.loss == 0.25


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"mark": "x"}', "x" * 200_000])
def test_what_cannot_be_read_counts_as_none(run, content):
    (run / KEPT).write_text(content)
    assert figures(run, RULES).overall.loss == 0.25


def test_a_pipe_or_a_folder_in_its_place_stops_nothing(run, tmp_path):
    os.mkfifo(run / KEPT)
    assert figures(run, RULES).overall.loss == 0.25
    (run / KEPT).unlink()
    (run / KEPT).mkdir()
    assert figures(run, RULES).overall.loss == 0.25
    assert sorted(path.name for path in run.iterdir()) == [KEPT, "pictures", "run.lock", "run.sqlite"]


def test_a_run_with_kept_figures_is_what_was_stored(run):
    before = (run / "run.sqlite").read_bytes()
    figures(run, RULES)
    assert (run / "run.sqlite").read_bytes() == before
    assert verify_run(run).damage == ()


def test_the_viewers_first_page_has_kept_figures_before_a_run_is_read(run):
    library = Library([run.parent])
    library.read_on(0.0)
    assert [line.means for line in library.index(live=True).runs] == [()]
    figures(run, RULES)
    lie(run)
    library = Library([run.parent])
    library.look()
    library.read_on(0.0)
    kept = json.loads((run / KEPT).read_text())
    ((line,), (own,)) = library.index(live=True).runs, kept["by_protocol"][RULES.name]["tasks"].values()
    assert (line.done, line.means[0].loss, line.means[0].scored) == (0, own["loss"], 2)
    library.read_on()
    assert (library.index(live=True).runs[0].done, library.index(live=True).runs[0].means[0].loss) == (2, 0.25)
