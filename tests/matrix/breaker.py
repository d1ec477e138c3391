"""The circuit breaker: servers that refuse request after request, for the day, for a while or for good.

The run stops with the server's own words and exit code 2, or goes on where a probe is answered. No finished sample is
lost, and a resume, when the server has recovered, asks what is unfinished and nothing else.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from fake import wires
from fake.replies import Reply, calls, error
from fake.server import Request
from fake.servers import RULER

from matrix.children import End, Plan, run
from matrix.kills import WORKERS
from matrix.row import Row, seeded
from matrix.samples import write_samples
from matrix.server import ANSWER, ByModel, number_of, row, serving
from matrix.stored import Truth, runs
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.refusals import IN_A_ROW

CONNECTIONS = (1, 8, 64)
SAMPLES = {1: 24, 8: 40, 64: 96}
RULE = "the picture of a tool is not taken by rule"
"""The server's own words."""
QUOTA = "Quota exceeded for quota metric GenerateRequestsPerDayPerProjectPerModel"
CREDIT = "You exceeded your current quota: insufficient_quota"
Refuses = Callable[[int, int], Reply | None]
"""What refuses the request of a sample in a turn (its first is 0), if anything does."""


def _in_a_row(rng: Random, samples: int) -> Refuses:
    """Refuse from one sample on, in mid-conversation."""
    start = rng.randrange(2, samples - 7)
    return lambda number, turn: error(400, RULE) if turn and number >= start else None


def _share(rng: Random, samples: int) -> Refuses:
    """Refuse one sample in three, in mid-conversation."""
    bad = set(range(rng.randrange(3), samples, 3))
    return lambda number, turn: error(422, RULE) if turn and number in bad else None


def _everyone(rng: Random, samples: int) -> Refuses:
    """Refuse every second request."""
    return lambda number, turn: error(400, RULE) if turn else None


def _for_a_while(rng: Random, samples: int) -> Refuses:
    """Refuse six samples in a row, each once: a sample that is asked again is answered."""
    start, seen = rng.randrange(2, samples - 7), Counter[int]()

    def refuses(number: int, turn: int) -> Reply | None:
        seen[number] += turn > 0
        return error(400, RULE) if turn and start <= number < start + 6 and seen[number] == 1 else None

    return refuses


def _odd_ones(rng: Random, samples: int) -> Refuses:
    """Refuse two samples that stand apart: their results."""
    bad = {rng.randrange(1, samples // 3), rng.randrange(2 * samples // 3, samples - 1)}
    return lambda number, turn: error(400, RULE) if turn and number in bad else None


def _used_up(words: str) -> Callable[[Random, int], Refuses]:
    """Refuse everything from some request on."""

    def made(rng: Random, samples: int) -> Refuses:
        left = iter(range(rng.randrange(3, samples)))
        return lambda number, turn: error(429, words) if next(left, None) is None else None

    return made


def _at_the_start(rng: Random, samples: int) -> Refuses:
    """Refuse every first request."""
    return lambda number, turn: error(400, RULE)


STOPPED, DONE = 2, 0
CASES: dict[str, tuple[Callable[[Random, int], Refuses], int, str]] = {
    "equal refusals in a row, in mid-conversation": (_in_a_row, STOPPED, RULE),
    "one kind of refusal over a third of the samples": (_share, STOPPED, RULE),
    "a refusal of every second request": (_everyone, STOPPED, RULE),
    "refusals in a row, and a probe that is answered": (_for_a_while, DONE, ""),
    "two samples refused, far apart": (_odd_ones, DONE, ""),
    "a daily quota": (_used_up(QUOTA), STOPPED, QUOTA),
    "no credit left": (_used_up(CREDIT), STOPPED, CREDIT),
    "a refusal of every first request": (_at_the_start, STOPPED, RULE),
}
"""What refuses, the exit code that is right, and the words of the server that must be said."""


def matrix(
    folder: Path, seed: int, times: int, *, connections: Sequence[int] = CONNECTIONS, at_most: int | None = None
) -> list[Row]:
    """Try each case *times* times at each number of connections, on a wire chosen by the seed; or *at_most* cases."""
    names = list(CASES) if at_most is None else seeded(seed, "breaker").sample(list(CASES), at_most)
    data = {count: write_samples(folder / f"data{count}", SAMPLES[count]) for count in connections}

    def case(at: int, name: str) -> Row:
        result = Row("breaker", name, "runs")
        for count in connections:
            for number in range(times):
                with result.trial(f"{count} connections, {number}"):
                    place = folder / f"{at}-{count}-{number}"
                    _try(result, place, data[count], server, CASES[name], count, seeded(seed, place.name))
        return result.done()

    with serving() as server, ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(case, range(len(names)), names))


def _try(row: Row, place: Path, data: Path, server: ByModel, case: tuple, connections: int, rng: Random) -> None:
    make, right, words = case
    wire, samples, truth = rng.choice(("chat", "gemini")), SAMPLES[connections], Truth(place / "out")
    what = f"{place.name} on {wire}"
    first, refused = _session(place, wire, make(rng, samples), data, server, connections)
    truth.judge(first, row, what)
    if first.code != right or "Traceback" in first.err or " ".join(words.split()) not in " ".join(first.err.split()):
        row.fault("over" if first.code is None else "mistyped", f"{what}: {first.last_words}")
    # What was in flight when the breaker tripped is refused as well, each sample in this turn and perhaps its next.
    if right == STOPPED and refused > IN_A_ROW + 2 * connections + 1:
        row.fault("mistyped", f"{what}: {refused} requests were refused before the run stopped")
    finished = _finished(place)
    asked = set[int]()
    again, _ = _session(place, wire, lambda number, turn: asked.add(number), data, server, connections)
    truth.judge(again, row, f"{what}, resumed")
    if again.code != DONE:
        row.fault("over" if again.code is None else "mistyped", f"{what}, resumed: {again.last_words}")
    twice = sorted(number for number in asked if f"s{number}" in finished)
    row.fault("again", f"{what}: samples {twice[:3]} were finished", len(twice))
    left = samples - len(_finished(place))
    row.fault("lost", f"{what}: {left} samples have no result when all is done", left)


def _finished(place: Path) -> set[str]:
    """Return the ids of the samples that have a result."""
    records = open_run(place / "out").records if runs(place / "out") else ()
    return {record.sample.id for record in records if not record.outcome.infrastructure}


def _session(
    place: Path, wire: str, refuses: Refuses, data: Path, server: ByModel, connections: int
) -> tuple[End, int]:
    """Run or resume, with a server that calls a tool in each conversation; return the end and what it refused."""
    place.mkdir(exist_ok=True)
    refused = list[int]()

    def rule(request: Request) -> Reply:
        number, turn = number_of(request), wires.turns(request.wire, request.body)
        if (refusal := refuses(number, turn)) is not None:
            refused.append(number)
            return refusal
        return ANSWER if turn else calls(RULER)

    server.rules[place.name] = rule
    fields = row(server, wire, place.name)
    (place / "models.yaml").write_text(json.dumps({"mine": fields}), encoding="utf-8")
    resume = ("--resume",) if runs(place / "out") else ()
    asked = ("run", "--models", "models.yaml", "--model", "mine", "--data", str(data), "--tools", "ruler", "--no-probe")
    name = "resumed" if resume or (place / "first.err").exists() else "first"
    words = (*asked, "--out", str(place / "out"), "--max-connections", str(connections), *resume)
    return run(Plan(words, place, name)), len(refused)
