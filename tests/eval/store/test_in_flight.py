"""The journal of what is in flight: what it remembers of processes that died."""

import json
from contextlib import suppress

import pytest

from medvision_agent.errors import StorageError
from medvision_agent.eval.store.in_flight import JOURNAL, InFlight


def died(folder, *ids: str) -> None:
    """Leave the journal as a process leaves it that is killed while it asks *ids*."""
    notes = [["open", ""], *(["start", sample_id] for sample_id in ids)]
    with (folder / JOURNAL).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(note) + "\n" for note in notes)


def test_a_sample_in_flight_at_two_deaths_is_asked_alone_and_at_a_third_it_is_fatal(tmp_path):
    died(tmp_path, "a", "b")
    assert not InFlight(tmp_path).alone("a")
    died(tmp_path, "a", "c")
    journal = InFlight(tmp_path)
    assert [journal.alone(one) for one in "abc"] == [True, False, False]
    assert not journal.fatal("a")
    died(tmp_path, "a")
    assert InFlight(tmp_path).fatal("a")


def test_who_ends_with_a_record_is_forgotten(tmp_path):
    died(tmp_path, "a")
    died(tmp_path, "a")
    journal = InFlight(tmp_path)
    with journal.asking("a"), journal.asking("c"):
        notes = (tmp_path / JOURNAL).read_text(encoding="utf-8")
        assert [json.loads(line)[0] for line in notes.splitlines()][-3:] == ["open", "start", "start"]
    journal.close()
    died(tmp_path, "b")
    assert InFlight(tmp_path).deaths("a") == 0
    assert InFlight(tmp_path).deaths("b") == 1


def test_who_is_given_up_is_not_forgotten_and_did_not_die(tmp_path):
    died(tmp_path, "a")
    journal = InFlight(tmp_path)
    with suppress(KeyboardInterrupt), journal.asking("a"):
        raise KeyboardInterrupt
    journal.close()
    assert InFlight(tmp_path).deaths("a") == 1


def test_a_run_that_ends_leaves_no_journal(tmp_path):
    journal = InFlight(tmp_path)
    with journal.asking("a"):
        assert (tmp_path / JOURNAL).exists()
    journal.close()
    assert not (tmp_path / JOURNAL).exists()
    InFlight(tmp_path).close()


def test_a_journal_that_cannot_be_written_is_an_error_with_a_name(tmp_path):
    (tmp_path / JOURNAL).mkdir()
    with pytest.raises(StorageError, match=f"{JOURNAL} cannot be written"), InFlight(tmp_path).asking("a"):
        pass


def test_nothing_is_noted_after_the_end(tmp_path):
    journal = InFlight(tmp_path)
    with journal.asking("a"):
        journal.close()
    assert not (tmp_path / JOURNAL).exists()


def test_a_damaged_journal_says_less_and_stops_nothing(tmp_path):
    died(tmp_path, "a")
    path = tmp_path / JOURNAL
    path.write_bytes(path.read_bytes() + b'["start", "b')
    died(tmp_path, "a")
    assert InFlight(tmp_path).deaths("a") >= 1
    path.write_bytes(b"\xff\x00[]\n[1]\n" + json.dumps(["start", "c"]).encode())
    assert InFlight(tmp_path).deaths("c") == 1


def test_ids_of_any_letters(tmp_path):
    died(tmp_path, 'ü"\n\u2028')
    assert InFlight(tmp_path).deaths('ü"\n\u2028') == 1
