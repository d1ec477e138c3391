"""The cost of a run on one machine: CPU per sample compared with inspect_ai, and throughput with replies of a second.

Both sides ask the same fast server (``run_server.py``, a process of its own, on nobody's bill), about the same
pictures, with the same words and tools, at the same number of connections. Ours is the command ``run`` with its store
and summary, and does all image work; the other side's tools return finished pictures. CPU is user and system time of
the client with all its threads and children, of each sample beyond the first few; medians of ``--repeats``.

Throughput is stated twice: of the whole command by the clock, start and summary included, and between the first
question and the last reply, as the server saw them, ramp and tail included.

Usage: python benchmarks/run.py [--inspect PYTHON] [--samples N] [--repeats N] [--only NAME]...
                                [--connections N]... [--processes N]... [--rounds N]

Nothing is installed. *PYTHON* is an interpreter with inspect_ai (by default, this one); without it, that side is
skipped.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

HERE = Path(__file__).parent
CASES = {
    "text": "one text answer",
    "crops": "five crops, a picture each",
    "loop": "five calls, three pictures, one of fit_contour",
}
CONNECTIONS = 32
LATENCY = 1.0
ROUNDS = {64: 60, 256: 15, 1000: 15}
"""Connections, and how often each is used where replies take a second."""


@contextmanager
def server() -> Iterator[str]:
    """Start the server and return its address."""
    with subprocess.Popen([sys.executable, str(HERE / "run_server.py")], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def phantoms(folder: Path, count: int, *tasks: str) -> Path:
    """Write samples with pictures of their own and return the file."""
    out = folder / f"phantoms{count}{''.join(tasks)}"
    of = [f"--task={','.join(tasks)}"] if tasks else []
    code = "from medvision_agent.cli.main import main; main()"
    export = ("data", "export", "--data", f"phantom:{count}", *of, "--out", str(out))
    if not out.exists():
        subprocess.run([sys.executable, "-c", code, *export], check=True, capture_output=True)
    return out / "samples.jsonl"


def measured(python: str, script: str, *arguments: str) -> dict[str, Any]:
    """Run one side in a separate process and folder, and return its output."""
    with tempfile.TemporaryDirectory() as folder:
        given = [argument.replace("FOLDER", folder) for argument in arguments]
        done = subprocess.run([python, str(HERE / script), *given], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def heard_of(url: str, case: str) -> dict[str, Any]:
    """Return the longest request that the server received for a case."""
    with urlopen(f"{url}/{case}") as reply:  # noqa: S310 - our own server
        heard: dict[str, Any] = json.load(reply)
    return heard


def cpu_of(case: str, url: str, data: Path, options: argparse.Namespace, other: str | None) -> None:
    """Print the CPU per sample of a case, of both sides and as a ratio."""
    sides: dict[str, list[float]] = {"ours": [], "inspect_ai": []}
    common = (f"{url}/{case}/0/v1", str(data), "FOLDER", str(CONNECTIONS), str(options.samples))
    heard = data.parent / f"{case}.json"
    for _ in range(options.repeats):
        sides["ours"].append(measured(sys.executable, "run_ours.py", *common)["ms"])
        if other is not None:
            heard.write_text(json.dumps(heard_of(url, case)), encoding="utf-8")
            sides["inspect_ai"].append(measured(other, "run_inspect.py", *common, str(heard))["ms"])
    ms = {side: statistics.median(found) for side, found in sides.items() if found}
    ratio = f", ratio {ms['ours'] / ms['inspect_ai']:.2f}" if other is not None else ""
    told = ", ".join(f"{side} {value:.1f} ms" for side, value in ms.items())
    print(f"CPU per sample, {CASES[case]}: {told}{ratio} ({CONNECTIONS} connections)", flush=True)


def throughput_of(connections: int, processes: int, rounds: int, url: str, folder: Path) -> None:
    """Print how many text samples a second are asked where each reply takes a second, and what share of the ideal."""
    each = connections * rounds // 4
    data = phantoms(folder, each)
    common = (f"{url}/text/{LATENCY:g}/v1", str(data), "FOLDER", str(connections))
    used = measured(sys.executable, "run_ours.py", *common, str(each), str(processes))
    whole, asked = 4 * each / used["seconds"], used["times"]["replies"] / used["times"]["seconds"]
    print(
        f"throughput, {4 * each} text samples at {LATENCY:g} s, {connections} connections, {processes} processes: "
        f"{asked:.0f} samples/s from the first question to the last reply, {asked * LATENCY / connections:.2f} of "
        f"ideal; {whole:.0f} samples/s of the whole command, {whole * LATENCY / connections:.2f} of ideal; "
        f"{used['ms']:.1f} ms of CPU for a sample, all processes together",
        flush=True,
    )


def with_inspect(python: str) -> str | None:
    """Return the interpreter of the other side; None, with the reason printed, where it has no inspect_ai."""
    done = subprocess.run(
        [python, "-c", "import inspect_ai; print(inspect_ai.__version__)"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"inspect_ai is not installed for {python}: its side is skipped (--inspect names another interpreter)")
        return None
    print(f"the other side: inspect_ai {done.stdout.strip()}")
    return python


def main() -> None:
    """Measure the parts named in the arguments."""
    parser = argparse.ArgumentParser(description="What a run costs on one machine")
    parser.add_argument("--inspect", default=sys.executable, help="an interpreter with inspect_ai")
    parser.add_argument("--samples", type=int, default=100, help="samples of a CPU measurement")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", action="append", choices=[*CASES, "throughput"], help="may be repeated")
    parser.add_argument("--connections", action="append", type=int, choices=list(ROUNDS), help="of throughput")
    parser.add_argument("--processes", action="append", type=int, help="of throughput; default: 1, and one for a core")
    parser.add_argument("--rounds", type=int, help="how often each connection is used, instead of 60 at 64, else 15")
    options = parser.parse_args()
    only = options.only or [*CASES, "throughput"]
    cases = [case for case in CASES if case in only]
    with tempfile.TemporaryDirectory() as folder, server() as url:
        if cases:
            other = with_inspect(options.inspect)
            data = phantoms(Path(folder), options.samples, "size")
            for case in cases:
                cpu_of(case, url, data, options, other)
        for connections in (options.connections or ROUNDS) if "throughput" in only else ():
            for processes in options.processes or sorted({1, os.cpu_count() or 1}):
                rounds = options.rounds or ROUNDS[connections]
                throughput_of(connections, processes, rounds, url, Path(folder))


if __name__ == "__main__":
    main()
