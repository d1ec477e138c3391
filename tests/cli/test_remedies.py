"""Users' mistakes: exit code 2, no traceback, and what is wrong with what to do about it."""

import socket

import pytest
from identities import a_sample, an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.eval.store.files import unwritable
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import RunStore

STUDY = "name: s\nmodels: [baseline-cv]\ndesigns: [on-off]\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --model baseline-cv --out file", ["'file' is a file", "--out expects a folder: give a new name"]),
        ("run --model baseline-cv --out file/run", ["is a file, and a folder is expected there; give another --out"]),
        ("ablate s.yaml --out file/s", ["is a file, and a folder is expected there; give another --out"]),
        ("ablate none.yaml", ["none.yaml: there is no such file; give the YAML file of a study (docs/studies.md"]),
        ("ablate empty.yaml", ["--data demo: no sample matches dataset nothing; leave a restriction out"]),
        ("ablate zero.yaml", ["zero.yaml: limit: Input should be greater than or equal to 1"]),
        (
            "run --model baseline-cv --limit 0",
            ["0 is not in the range", "Give a number in that range, or leave --lim"],
        ),
        (
            "run --model baseline-cv --task size --dataset x --dataset y",
            ["--data demo: no sample matches task size, dataset x or y; leave a restriction out"],
        ),
        (
            "run --model baseline-cv --data none.jsonl",
            ["--data none.jsonl: there is no such file; check the path: it is relative to"],
        ),
        ("run --model gemini-2.5-flash --limit 1", ["set the environment variable GEMINI_API_KEY or GOOGLE_API_KEY"]),
        ("show nowhere x", ["nowhere: no such folder; give runs, studies or folders of them"]),
        ("report nowhere", ["nowhere holds no run (run.sqlite is missing); give the folder that was --out of a run"]),
        ("runs file", ["file: cannot be listed (Not a directory); give a folder of runs or studies"]),
    ],
)
async def test_a_mistake_is_answered_with_its_remedy(call, tmp_path, words, said):
    (tmp_path / "file").touch()
    (tmp_path / "s.yaml").write_text(STUDY)
    (tmp_path / "empty.yaml").write_text(f"{STUDY}datasets: [nothing]\n")
    (tmp_path / "zero.yaml").write_text(f"{STUDY}limit: 0\n")
    before = sorted(tmp_path.iterdir())
    code, out, err = await call(*words.split(), GEMINI_API_KEY="", GOOGLE_API_KEY="")
    assert (code, out) == (2, "")
    assert [words for words in said if words not in " ".join(err.split())] == [], err
    assert "Traceback" not in err
    assert "Errno" not in err
    assert sorted(tmp_path.iterdir()) == before


async def test_an_unknown_sample_is_answered_with_one_that_there_is(call):
    assert (await call("run", "--model", "baseline-cv", "--tools", "off", "--limit", 1, "--out", "off"))[0] == 0
    code, _, err = await call("show", "off", "nope")
    assert code == 2
    assert "off: no run asks a sample 'nope'. For example: '" in err
    code, _, err = await call("report", "off", "--out", "off")
    assert code == 2
    assert "--out expects a file: give the name of a file in that folder" in err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "the disk is full; free some space and repeat the command"),
        (OSError("database or disk is full"), "the disk is full; free some space and repeat the command"),
        (PermissionError(13, "Permission denied"), "this user may not write there (Permission denied); give another"),
        (NotADirectoryError(20, "Not a directory", "a/b"), "a/b is a file, and a folder is expected there; give an"),
    ],
)
def test_what_cannot_be_written_says_why(tmp_path, error, said):
    assert f"{tmp_path} cannot be written: {said}" in unwritable(tmp_path, error)


async def test_a_report_of_a_run_that_is_going_on_says_so(call, tmp_path):
    samples = [a_sample(f"s{number}") for number in range(3)]
    config = {"source": {"name": "demo", "note": "a note", "demonstration": True}}
    with RunStore.create(tmp_path / "run", samples, an_identity(), config) as store:
        store.add(Record(sample=samples[0], outcome=Outcome.ANSWERED, response="<answer>1</answer>"), Trace([], []))
        code, out, err = await call("report", "run")
        said = "run is still being written: the page shows 1 of 3 samples; write it again once it is finished\n"
        assert (code, out, err) == (0, "written: run/report.html\n", said)
    said = "run is not finished: the page shows 1 of 3 samples; write it again after going on with --resume\n"
    assert (await call("report", "run"))[2] == said


async def test_a_port_in_use_is_answered_with_a_free_one(call, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = await call("view", tmp_path, "--port", port, "--no-browser")
    assert code == 2
    assert (
        f"--port {port}: this port cannot be used (Address already in use); give another port, or 0 for any free port"
        in err
    )
