"""Children that run short of something: disk, inodes, file handles, memory, a steady clock.

What was acknowledged stays; the child ends in words, and goes on once there is room again.
"""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from matrix.children import Plan, run
from matrix.kills import Undisturbed, finish, undisturbed
from matrix.row import Row, seeded
from matrix.stored import Truth, runs

ENDS = frozenset({0, 1, 2})
BY_THE_C_LIBRARY = frozenset({127, -6})
"""Where there is no memory for a thread's own data, glibc ends the process before Python can say anything."""
ROOM = "size=64m,nr_inodes=20000"


@contextmanager
def file_system(folder: Path, options: str) -> Iterator[None]:
    """Mount a small file system in memory on *folder*; raises CalledProcessError where that is not permitted."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", options, "tmpfs", folder)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True, capture_output=True)


def may_mount(folder: Path) -> str:
    """Return why no file system can be mounted, or nothing."""
    try:
        with file_system(folder / "try", ROOM):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        return f"no file system could be mounted: {said.decode(errors='replace').strip()}"


def _mount(*words: object) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


def matrix(folder: Path, seed: int, times: int) -> list[Row]:
    """Let each resource run short *times* times."""
    case = undisturbed("run", 8, folder / "case")
    tries: dict[str, Callable[[Undisturbed, Path, Random, Row], None]] = {
        "full disk, made room on": _full,
        "no inodes left, made some": _without_inodes,
        "no file may grow beyond a byte (EFBIG)": _no_growth,
        "few file handles": _few_handles,
        "little memory": _little_memory,
        "a wall clock that jumps, and a kill": _jumping,
    }
    reason = may_mount(folder)
    rows = []
    for number, (what, attempt) in enumerate(tries.items()):
        row = Row("resources", what, "children")
        rows.append(row)
        if reason and attempt in {_full, _without_inodes}:
            row.skipped = reason
            continue
        rng = seeded(seed, number)
        for at in range(times):
            with row.trial(str(at)):
                attempt(case, folder / f"{number}-{at}", rng, row)
        row.done()
    return rows


def _try(case: Undisturbed, plan: Plan, truth: Truth, row: Row, what: str) -> None:
    """Run a child that runs short, and judge its end."""
    end = run(plan)
    truth.judge(end, row, what)
    words = [line for line in end.err.splitlines() if line.strip()]
    if what.startswith("AS ") and end.code in BY_THE_C_LIBRARY:
        return
    if end.code is None:
        row.fault("over", f"{what}: {end.last_words}")
    elif end.code not in ENDS or "Traceback" in end.err or (end.code and not words):
        row.fault("mistyped", f"{what}: {end.last_words}")


def _full(case: Undisturbed, folder: Path, rng: Random, row: Row) -> None:
    _mounted(case, folder, row, f"size={4 * rng.randint(10, 120)}k")


def _without_inodes(case: Undisturbed, folder: Path, rng: Random, row: Row) -> None:
    _mounted(case, folder, row, f"size=64m,nr_inodes={rng.randint(3, 45)}")


def _mounted(case: Undisturbed, folder: Path, row: Row, options: str) -> None:
    folder.mkdir()
    truth = Truth(folder / "out")
    with file_system(folder / "out", options):
        _try(case, case.plan(folder, "short"), truth, row, options)
        _mount("-o", f"remount,{ROOM}", folder / "out")
        finish(case, folder, row, truth)


def _no_growth(case: Undisturbed, folder: Path, rng: Random, row: Row) -> None:
    _limited(case, folder, row, "FSIZE", rng.randint(1, case.size))


def _few_handles(case: Undisturbed, folder: Path, rng: Random, row: Row) -> None:
    _limited(case, folder, row, "NOFILE", rng.randint(12, 64))


def _little_memory(case: Undisturbed, folder: Path, rng: Random, row: Row) -> None:
    _limited(case, folder, row, "AS", rng.randint(1 << 24, 1 << 28))


def _limited(case: Undisturbed, folder: Path, row: Row, name: str, limit: int) -> None:
    folder.mkdir()
    truth = Truth(folder / "out")
    plan = case.plan(folder, "short", limits=((name, limit),), survives=True)
    _try(case, plan, truth, row, f"{name} {limit}")
    finish(case, folder, row, truth)


def _jumping(case: Undisturbed, folder: Path, rng: Random, row: Row) -> None:
    folder.mkdir()
    truth = Truth(folder / "out")
    for number in range(2):
        kill = (("before COMMIT", rng.randint(2, 8), "kill"),)
        end = run(case.plan(folder, f"jumped{number}", clock=rng.getrandbits(32), triggers=kill))
        truth.judge(end, row, "jumped")
        if end.code not in {-9, 0}:
            row.fault("mistyped", end.last_words)
    end = run(case.plan(folder, "jumped", clock=rng.getrandbits(32)))
    truth.judge(end, row, "jumped")
    if end.code != 0 or not runs(folder / "out"):
        row.fault("mistyped", end.last_words)
    finish(case, folder, row, truth)
