"""Files read by several processes: the same output as of one, and an end where one of them ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from golden import GOLDEN, rows

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are forked")

# In a process of its own, because one with threads, as those of the tests are, is not forked.
RUN = """
import os, sys, time
from medvision_agent.cli.main import main
from medvision_agent.eval.results import load, parallel
count, mode = int(sys.argv.pop(1)), sys.argv.pop(1)
load.process_count = lambda files: count
def die(*arguments):
    os.kill(os.getpid(), 9)
def hang(*arguments):
    os.write(1, b"reading" + bytes([10]))  # at once: two processes share the pipe
    time.sleep(60)
if mode != "read":
    parallel._read_part = {"die": die, "hang": hang}[mode]
read_parts = load.read_parts
def told(*arguments):
    found = read_parts(*arguments)
    print("in several processes" if found else "given up", file=sys.__stderr__)
    return found
if mode == "read" and count > 1:
    load.read_parts = told
main()
"""


def command(folder: Path, processes: int, mode: str = "read") -> list[str]:
    return [sys.executable, "-c", RUN, str(processes), mode, "score", str(folder), "--json"]


def run(folder: Path, processes: int, mode: str = "read") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(folder, processes, mode), capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of all families, with some damage, a compressed file and one without an answer."""
    for number, family in enumerate(("detection", "tl", "ad")):
        whole = rows(GOLDEN / "v1.2" / family / "inputs.jsonl.gz")
        for file in sorted({row["file"] for row in whole}):
            own = [json.dumps(row) + "\n" for row in whole if row["file"] == file]
            stamped = tmp_path / f"2025010{number}_000000_samples_{file.rpartition('_samples_')[2]}"
            stamped.write_text("".join([*own[:5], own[0][:40] + "\n", "\n", *own[5:]]), encoding="utf-8")
    (tmp_path / "20250109_000000_samples_X_BoxCoordinate_Task01_Axial.jsonl").write_text("1\n", encoding="utf-8")
    (tmp_path / "20250109_000001_samples_X_BoxCoordinate_Task02_Axial.jsonl.gz").write_bytes(b"\x1f\x8b")
    return tmp_path


def test_several_processes_say_what_one_says(folder: Path) -> None:
    one, several = run(folder, 1), run(folder, 2)
    assert one.returncode == several.returncode == 0
    assert several.stdout == one.stdout
    assert several.stderr == "in several processes\n" + one.stderr
    assert set(json.loads(one.stdout)) == {"Detection", "TL", "AD"}
    assert "no JSON" in one.stderr


def test_a_question_answered_twice_is_said_by_several_too(folder: Path) -> None:
    file = next(folder.glob("*_TumorLesionSize_*"))
    (folder / file.name.replace("2025010", "2025020")).write_bytes(file.read_bytes())
    one, several = run(folder, 1), run(folder, 2)
    assert several.stdout == one.stdout
    assert several.stderr == "given up\n" + one.stderr
    assert "answered before" in one.stderr


def test_a_process_that_is_killed_is_an_error(folder: Path) -> None:
    done = run(folder, 2, "die")
    assert done.returncode not in {0, -9}
    assert "ended from outside" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_an_interrupt_ends_all(folder: Path) -> None:
    with subprocess.Popen(
        command(folder, 2, "hang"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["reading\n"] * 2
        start = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        # Its end is that of the last process that holds the pipes.
        _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert time.monotonic() - start < 30
    assert "Traceback" not in errors
