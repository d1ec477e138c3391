"""The cost of stored runs by their number of samples: bytes, and CPU and memory of the commands that read them.

Each command runs in a process of its own, which imports what that command imports. CPU is that of the process after
its imports; memory is the largest it ever held (VmHWM, so Linux only), imports included. The last column says how much
more memory each further sample takes, from the smallest to the largest runs. The floor beside them reads every record
and sample with ``sqlite3`` and ``json.loads``. ``report`` is of the arms ``off`` and ``on``; with ``--arms N`` it is of
N arms, which are ``on`` stored again in other folders. ``published``, ``tables`` (of ``report``), ``medvision`` (of
``export``) and ``groups`` (of ``score``) are of a run over MedVision's samples; what they write stays in
KEPT/COUNT/COMMAND, to be compared with that of another version.

Usage: python benchmarks/scale.py [--counts 1000,10000] [--only resume,score] [--arms 20] [--folder KEPT]
"""

import argparse
import asyncio
import gc
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, NoReturn

COUNTS = (1_000, 10_000, 100_000)


class Cost(NamedTuple):
    """The cost of one command."""

    cpu: float
    """Seconds of CPU."""
    mb: float
    """The most memory it held."""
    before: float
    """Seconds of CPU that went before: for a resume, those of reading the samples and preparing the run."""
    held: float
    """The memory it held then."""


def main() -> None:
    """Make the runs, measure every command on them, print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts", default=",".join(map(str, COUNTS)))
    parser.add_argument("--only", default=",".join(COMMANDS))
    parser.add_argument("--folder", type=Path, help="Keep the runs here, or take those that are here.")
    parser.add_argument("--arms", type=int, default=2, help="Arms of the report: off, and copies of on.")
    options = parser.parse_args()
    counts = [int(one) for one in options.counts.split(",")]
    with tempfile.TemporaryDirectory() as temporary:
        root = options.folder or Path(temporary)
        for count in counts:
            if not (root / str(count)).is_dir():
                from big_store import make_runs  # noqa: PLC0415 - no command that is measured imports it

                make_runs(root / str(count), count)
            if set(options.only.split(",")).intersection(OF_MEDVISION) and not (root / str(count) / MEDVISION).is_dir():
                from big_medvision import make_medvision  # noqa: PLC0415

                make_medvision(root / str(count), "off", count)
            _copy_arms(root / str(count), options.arms)
        print(f"bytes per sample beyond pictures: {', '.join(_size(root, count) for count in counts)}")
        print(
            f"{'':8}" + "".join(f"{count:>26,}" for count in counts) + "   growth of CPU per sample, kB per sample more"
        )
        for command in options.only.split(","):
            costs = [_child(command, root / str(count), options.arms) for count in counts]
            print(_row(command, counts, costs), flush=True)


def _size(root: Path, count: int) -> str:
    sizes = {arm: (root / str(count) / arm / "run.sqlite").stat().st_size / count for arm in ("off", "on")}
    return f"{count:,}: " + " and ".join(f"{size:,.0f} ({arm})" for arm, size in sizes.items())


def _row(command: str, counts: list[int], costs: list[Cost]) -> str:
    cells = [
        f"{one.cpu:>8.2f} s {one.mb:>5.0f} MB" + (f" +{one.before:>5.1f} s" if one.before else " " * 8) for one in costs
    ]
    growth = costs[-1].cpu / counts[-1] / (costs[0].cpu / counts[0])
    more = counts[-1] - counts[0]
    slope = f", {1024 * (costs[-1].mb - costs[0].mb) / more:.1f} kB" if more else ""
    return f"{command:8}" + "".join(f"{cell:>26}" for cell in cells) + f"   {growth:.2f}x{slope}"


def _copy_arms(root: Path, arms: int) -> None:
    """Make the copies of the arm ``on`` that a report with this many arms needs; existing copies stay."""
    for number in range(2, arms):
        if not (root / f"on-{number}").is_dir():
            shutil.copytree(root / "on", root / f"on-{number}")


def _child(command: str, root: Path, arms: int) -> Cost:
    words = [sys.executable, __file__, command, str(root), str(arms)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command} of {root} failed: {done.stderr[-2000:]}")
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def _resume(root: Path, _: int) -> None:
    from big_store import settings_of  # noqa: PLC0415

    from medvision_agent.eval.asking.launch import execute, prepare  # noqa: PLC0415
    from medvision_agent.eval.asking.runner import Watch  # noqa: PLC0415
    from medvision_agent.eval.store.in_flight import JOURNAL  # noqa: PLC0415

    settings = settings_of(root, "on", root / "on", resume=True)
    prepared = prepare(settings)
    gc.collect()
    prepared_at, held = time.process_time(), _peak_mb()

    class First:
        """An engine that ends the process at the first sample."""

        async def ask(self, *_: object) -> NoReturn:
            print(json.dumps([time.process_time() - prepared_at, _peak_mb(), prepared_at - STARTED, held]), flush=True)
            (root / "on" / JOURNAL).unlink(missing_ok=True)  # or the next resumes would blame the sample for this end
            os._exit(0)

    asyncio.run(execute(prepared, watch=Watch(), stop=asyncio.Event(), engine=First()))


def _score(root: Path, _: int) -> None:
    from medvision_agent.api.scoring import score  # noqa: PLC0415

    json.dumps(score(root / "on").to_json())


def _compare(root: Path, _: int) -> None:
    from medvision_agent.api.comparing import compare  # noqa: PLC0415

    json.dumps(compare(root / "off", root / "on").to_json())


def _why(root: Path, _: int) -> None:
    from medvision_agent.api.explaining import explain_results  # noqa: PLC0415

    json.dumps([one.to_json() for one in explain_results(root / "on")])


def _report(root: Path, arms: int) -> None:
    from medvision_agent.api.writing import report  # noqa: PLC0415

    report([root / "off", root / "on", *(root / f"on-{number}" for number in range(2, arms))], root / "report.html")


def _export(root: Path, _: int) -> None:
    from medvision_agent.api.writing import export  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as temporary:
        export(root / "on", Path(temporary) / "tables")


def _published(root: Path, _: int) -> None:
    from medvision_agent.api.publishing import published  # noqa: PLC0415

    published(root / MEDVISION, _emptied(root / "published"))


def _tables(root: Path, _: int) -> None:
    from medvision_agent.api.writing import report  # noqa: PLC0415

    out = _emptied(root / "tables")
    report(root / MEDVISION, out / "report.html", tables=out)


def _medvision(root: Path, _: int) -> None:
    from medvision_agent.api.writing import export_medvision  # noqa: PLC0415

    export_medvision(root / MEDVISION, _emptied(root / "results"))


def _groups(root: Path, _: int) -> None:
    from medvision_agent.api.scoring import score  # noqa: PLC0415

    (_emptied(root / "groups") / "score.json").write_text(json.dumps(score(root / MEDVISION).to_json()))


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _floor(root: Path, _: int) -> None:
    with closing(sqlite3.connect(root / "on" / "run.sqlite")) as database:
        samples = {key: json.loads(text) for key, text in database.execute("SELECT id, json FROM sample")}
        records = [json.loads(text) for (text,) in database.execute("SELECT json FROM record")]
    assert len(samples) == len(records) + 1  # noqa: S101 - one is left to be asked


class Command(NamedTuple):
    """A command that is measured."""

    run: Callable[[Path, int], None]
    """Runs it on the runs of a folder, with the number of arms of a report."""
    imports: tuple[str, ...] = ()
    """What it imports at its start."""


_API = "medvision_agent.api"
COMMANDS: dict[str, Command] = {
    "floor": Command(_floor),
    "resume": Command(_resume, ("medvision_agent.cli.run", "medvision_agent.cli.lean", f"{_API}.asking", "big_store")),
    "score": Command(_score, (f"{_API}.scoring",)),
    "compare": Command(_compare, (f"{_API}.comparing",)),
    "why": Command(_why, (f"{_API}.explaining",)),
    "report": Command(_report, (f"{_API}.writing",)),
    "export": Command(_export, (f"{_API}.writing",)),
    "published": Command(_published, (f"{_API}.publishing",)),
    "tables": Command(_tables, (f"{_API}.writing",)),
    "medvision": Command(_medvision, (f"{_API}.writing",)),
    "groups": Command(_groups, (f"{_API}.scoring",)),
}
OF_MEDVISION = ("published", "tables", "medvision", "groups")
"""The commands on the run over MedVision's samples."""
MEDVISION = "medvision"
"""The folder of that run."""


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found is not None  # noqa: S101 - every Linux says it
    return int(found.group(1)) / 1024


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in COMMANDS:
        measured = COMMANDS[sys.argv[1]]
        for name in measured.imports:
            if hasattr(module := import_module(name), "import_lean"):  # as the command does, before the others
                module.import_lean()
        STARTED = time.process_time()
        measured.run(Path(sys.argv[2]), int(sys.argv[3]))
        print(json.dumps([time.process_time() - STARTED, _peak_mb(), 0, 0]))
    else:
        main()
