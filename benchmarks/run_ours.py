"""This program's side of ``run.py``: the command ``run`` in this process, with a few samples, twice, as a warm-up.

    python benchmarks/run_ours.py URL DATA FOLDER CONNECTIONS SAMPLES [PROCESSES]

SAMPLES is how many of each task. ``took`` says what is printed; beside it, what the server says of the last run.
"""

import contextlib
import io
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

__all__ = ["took"]

FEW = 8
ROW = """\
fast:
  provider: openai
  model: fast
  base_url: {url}
  api_key_env: null
  perceived: {{rule: native}}
"""


def cpu() -> float:
    """Return the CPU seconds of this process and of its children that have ended, user and system."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def took(run: Callable[[int], int], most: int) -> dict[str, float]:
    """Return CPU milliseconds per sample, and elapsed seconds, of a run of *most* samples of each task.

    *run* returns how many samples it asked in all. A few are asked before, twice: imports are left out, and what a run
    takes whatever its size.
    """
    run(FEW)
    first = cpu()
    few = run(FEW)
    second, began = cpu(), time.perf_counter()
    many = run(most)
    seconds, third = time.perf_counter() - began, cpu()
    return {"ms": 1000 * (third - second - (second - first)) / (many - few), "seconds": seconds}


def main(url: str, data: str, folder: str, connections: str, *more: str) -> None:
    """Ask by the command line and print its CPU and time."""
    samples, processes = (*more, "1")[:2]
    from medvision_agent.cli.main import cli  # noqa: PLC0415 - the other side takes ``took`` from here, without us

    models = Path(folder) / "models.yaml"
    models.write_text(ROW.format(url=url), encoding="utf-8")
    tasks = Counter(json.loads(line)["task"] for line in Path(data).read_text(encoding="utf-8").splitlines())
    common = ("--model", "fast", "--models", str(models), "--data", data, "--max-connections", connections)
    common = (*common, "--processes", processes)

    def times() -> dict[str, float]:
        with urlopen(f"{url.rsplit('/', 2)[0]}/times") as reply:  # noqa: S310 - our own server
            told: dict[str, float] = json.load(reply)
        return told

    def run(most: int) -> int:
        times()  # what was answered before does not count
        out = Path(folder) / f"run{len(list(Path(folder).iterdir()))}"
        arguments = ["run", *common, "--limit", str(most), "--out", str(out)]
        with contextlib.redirect_stdout(io.StringIO()):
            code = cli(arguments, prog_name="medvision-agent", standalone_mode=False)
        if code:
            raise SystemExit(f"the run ended with exit code {code}")
        return sum(min(count, most) for count in tasks.values())

    used = took(run, int(samples))
    print(json.dumps({**used, "times": times()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
