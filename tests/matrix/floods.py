"""Bodies without measure: bombs, floods and drips, sent to one sample of several that are asked at once.

The sample fails in its class, the others are answered, and the run ends within bounds of seconds and of memory.
"""

import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fake.replies import HANG, Reply, endless, raw

from matrix.children import Plan, run
from matrix.row import Row, seeded
from matrix.samples import write_samples
from matrix.server import ANSWER, ByModel, number_of, row, serving
from medvision_agent.eval.store.read import open_run

SAMPLES = 6
TIMEOUT = 3
"""Seconds that a request may take."""
SECONDS = TIMEOUT + 25
"""What a run may take: without the flood it needs one, on a busy machine some more."""
MEGABYTES = 4
"""``max_body_mb`` of the models."""
MEMORY = 100 * 2**20
"""Bytes that a run with a flood may take beyond one without: the body, its text and what is made of it."""


def _bomb(size: int) -> bytes:
    """Return a gzip file that holds so many zeros."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(bytes(2**20)) for _ in range(size // 2**20)]
    return b"".join(parts) + packer.flush()


def floods() -> dict[str, tuple[Reply, str]]:
    """Return what is sent, by name, and the class that is right."""
    small = json.dumps({"choices": "x" * 1000}).encode()
    bomb = _bomb(2**30)
    return {
        "a gigabyte in a megabyte of gzip": (raw(bomb, encoding="gzip"), "too_large"),
        "gzip in gzip": (raw(gzip.compress(bomb), encoding="gzip, gzip"), "too_large"),
        "a bomb as deflate": (raw(zlib.compress(bytes(2**26), 9), encoding="deflate"), "too_large"),
        "a bomb under status 500": (raw(bomb, status=500, encoding="gzip"), "too_large"),
        "ten megabytes of text": (raw('{"choices": "' + "x" * 10**7 + '"}'), "too_large"),
        "a million brackets": (raw("[" * 10**6), "too_large"),
        "a million values": (raw("[" + "1," * 10**6 + "1]"), "too_large"),
        "an encoding nobody asked for": (raw(small, encoding="br"), "bad_reply"),
        "half of a gzip file": (raw(gzip.compress(small)[:-9], encoding="gzip"), "bad_reply"),
        "no gzip file": (raw(small, encoding="gzip"), "bad_reply"),
        "a body without end": (endless(b"x" * 65536), "too_large"),
        "a gzip body without end": (endless(bomb[:65536], encoding="gzip"), "too_large"),
        "a dripping body": (endless(b" ", pause=0.2), "timeout"),
        "a dripping gzip body": (endless(b"\x1f", pause=0.2, encoding="gzip"), "timeout"),
        "dripping headers": (endless(b"X-More: 1\r\n", pause=0.2, head=False), "timeout"),
        "no reply at all": (HANG, "timeout"),
    }


def matrix(folder: Path, seed: int, at_most: int | None = None) -> list[Row]:
    """Send each flood on each wire, or *at_most* so many on each, chosen by the seed."""
    data, all_ = write_samples(folder, SAMPLES), floods()

    def on(wire: str) -> Row:
        result = Row("floods", f"bombs, floods and drips, {wire}", "runs")
        _, usual = _run(folder / f"{wire}-usual", wire, ANSWER, data, server)
        names = list(all_) if at_most is None else seeded(seed, "floods", wire).sample(list(all_), at_most)
        for number, name in enumerate(names):
            with result.trial(name):
                _try(result, name, folder / f"{wire}{number}", wire, *all_[name], data, server, usual)
        return result.done()

    wires = ("chat", "responses", "gemini")
    with serving() as server, ThreadPoolExecutor(2) as pool:
        return list(pool.map(on, wires))


def _try(
    result: Row, name: str, place: Path, wire: str, reply: Reply, right: str, data: Path, server: ByModel, usual: int
) -> None:
    seconds, memory = _run(place, wire, reply, data, server)
    endings = {record.sample.id: record.outcome.value for record in open_run(place / "out").records}
    wanted = {f"s{number}": "answered" for number in range(SAMPLES)} | {"s0": right}
    if endings != wanted:
        result.fault("mistyped", f"{name}: {endings}, not {right}")
    if seconds > SECONDS:
        result.fault("over", f"{name}: {seconds:.0f} s")
    if memory - usual > MEMORY:
        result.fault("over", f"{name}: {(memory - usual) / 2**20:.0f} MiB")


def _run(place: Path, wire: str, reply: Reply, data: Path, server: ByModel) -> tuple[float, int]:
    """Ask all samples at once, of which the first is sent *reply*; return seconds and bytes at their highest."""
    place.mkdir()
    server.rules[place.name] = lambda request: reply if number_of(request) == 0 else ANSWER
    fields = row(server, wire, place.name, timeout_seconds=TIMEOUT, max_body_mb=MEGABYTES)
    (place / "models.yaml").write_text(json.dumps({"mine": fields}), encoding="utf-8")
    asked = ("run", "--models", "models.yaml", "--model", "mine", "--data", str(data), "--tools", "off", "--out", "out")
    end = run(Plan((*asked, "--max-connections", str(SAMPLES)), place, "run"))
    assert end.code in {0, 1}, end.last_words
    ((memory,),) = end.told("memory")
    return end.seconds, memory
