"""Few file handles and many connections to a server: the run finishes, or says in words what is short.

Nothing finished is lost by it, and a resume with more handles finishes what is left.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fake.replies import calls
from fake.servers import RULER

from matrix.children import Plan, run
from matrix.row import Row, seeded
from matrix.samples import write_samples
from matrix.server import ANSWER, ByModel, row, serving
from matrix.stored import Truth, answers, runs

CONNECTIONS = 64
SAMPLES = 96
ENDS = frozenset({0, 1, 2})


def matrix(folder: Path, seed: int, times: int) -> list[Row]:
    """Run *times* times with 64 handles, and as often with fewer, chosen by the seed."""
    data, rng = write_samples(folder, SAMPLES), seeded(seed, "handles")
    limits = {"64 file handles": [64] * times, "20 to 63 file handles": [rng.randint(20, 63) for _ in range(times)]}

    def few(what: str, handles: list[int]) -> Row:
        result = Row("handles", f"{what}, {CONNECTIONS} connections to a server", "children")
        for number, limit in enumerate(handles):
            wire = ("chat", "gemini")[number % 2]
            with result.trial(f"{limit} on {wire}"):
                _try(result, folder / f"{what[:2]}-{number}", wire, limit, data, server)
        return result.done()

    with serving() as server, ThreadPoolExecutor(len(limits)) as pool:
        return list(pool.map(few, limits, limits.values()))


def _try(result: Row, place: Path, wire: str, limit: int, data: Path, server: ByModel) -> None:
    place.mkdir()
    out, what = place / "out", f"{limit} handles on {wire}"
    server.replies[place.name] = [calls(RULER), ANSWER]
    (place / "models.yaml").write_text(json.dumps({"mine": row(server, wire, place.name)}), encoding="utf-8")
    asked = ("run", "--models", "models.yaml", "--model", "mine", "--data", str(data), "--tools", "ruler", "--no-probe")
    words = (*asked, "--max-connections", str(CONNECTIONS), "--out", str(out))
    truth = Truth(out)
    end = run(Plan(words, place, "short", limits=(("NOFILE", limit),), survives=True))
    truth.judge(end, result, what)
    if end.code is None:
        result.fault("over", f"{what}: {end.last_words}")
    elif end.code not in ENDS or "Traceback" in end.out + end.err or (end.code and not end.err.strip()):
        result.fault("mistyped", f"{what}: {end.last_words}")
    end = run(Plan((*words, *(("--resume",) if runs(out) else ())), place, "end"))
    truth.judge(end, result, f"{what}, resumed")
    if end.code != 0:
        result.fault("over" if end.code is None else "mistyped", f"{what}, resumed: {end.last_words}")
    left = SAMPLES - sum(outcome.value == "answered" for outcome, *_ in answers(out).values())
    result.fault("lost", f"{what}: {left} samples are not answered when all is done", left)
