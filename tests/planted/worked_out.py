"""What a stored study shows, by another route: its SQLite files read directly, and the statistics written out anew.

Nothing here imports the package. Sources of the procedures: Miller (1974) for the jackknife, Imhof (1961) for its
distribution (``hulls.chance``), Hall (1992) for skewness, Bretz et al. (2009) for the graph of tests.
"""

import json
import math
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zstandard
from hulls import chance, correlation, reach
from scipy import optimize, stats

__all__ = ["Answer", "Tested", "answers", "apart", "family", "paired"]


class Answer(NamedTuple):
    """One sample as it was answered."""

    subject: str
    modality: str
    loss: float
    answered: bool
    tokens: int
    """Output tokens."""
    right: bool | None
    """Whether the ruler's last line lies at the true ends; None where the answer is not its number."""


class Mean(NamedTuple):
    """A mean difference over samples with the subject as cluster."""

    difference: float
    error: float
    sizes: tuple[float, ...]
    icc: float
    skewness: float


class Tested(NamedTuple):
    """One test of the family."""

    difference: float
    interval: tuple[float, float]
    p: float
    level: float
    """The share of alpha at which it was rejected, or that it had at the end."""
    verdict: str


def answers(cell: Path) -> dict[str, Answer]:
    """Return the answers of a stored run by sample."""
    with closing(sqlite3.connect(cell / "run.sqlite")) as database:
        samples = {name: json.loads(text) for name, text in database.execute("SELECT id, json FROM sample")}
        rows = database.execute("SELECT sample_id, json, trace, base FROM record ORDER BY attempt").fetchall()
        traces = [json.loads(_unpacked(database, trace, base)) for _, _, trace, base in rows]
    return {
        row[0]: _answer(samples[row[0]], json.loads(row[1]), trace) for row, trace in zip(rows, traces, strict=True)
    }


def _unpacked(database: sqlite3.Connection, frame: bytes, base: int | None) -> bytes:
    """Return the text of a trace, which is packed by itself or against that of another record."""
    if base is None:
        return zstandard.decompress(frame)
    (other,) = database.execute("SELECT trace FROM record WHERE rowid = ?", (base,)).fetchone()
    words = zstandard.ZstdCompressionDict(_unpacked(database, other, None), dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=words).decompress(frame)


def _answer(sample: Any, record: Any, trace: Any) -> Answer:
    found = re.search(r"<answer>([0-9.]+)</answer>", record["response"])
    target = sample["target"][0]
    loss = 1.0 if found is None else min(abs(float(np.float32(found[1])) - target) / target, 1.0)
    right = None if found is None else _right(sample, found[1], trace)
    usage = record["usage"]["output"]
    return Answer(sample["subject"], sample["modality"], loss, found is not None, usage, right)


def _right(sample: Any, said: str, trace: Any) -> bool | None:
    """Return whether both ends of the line that gave the answer lie within a quarter of the length of the true ends."""
    lines = [json.loads(one["text"]) for one in trace["tool_calls"] if one["tool"] == "ruler"]
    if not lines or not isinstance(lines[-1].get("distance_mm"), float) or f"{lines[-1]['distance_mm']:.3f}" != said:
        return None
    width, height = 96, 80
    true = sorted((point["x"], point["y"]) for point in sample["truth_points"])
    line = sorted((lines[-1][f"v0_x{end}"] * width, (1 - lines[-1][f"v0_y{end}"]) * height) for end in (0, 1))
    most = 0.25 * math.dist(*true)
    return all(math.dist(a, b) <= most for a, b in zip(true, line, strict=True))


Rows = Sequence[tuple[str, float, float]]
"""Of each pair: its subject and the losses in A and B."""


def paired(a: Mapping[str, Answer], b: Mapping[str, Answer]) -> Rows:
    """Return the pairs of two arms."""
    assert a.keys() == b.keys()
    return [(a[one].subject, a[one].loss, b[one].loss) for one in a]


def _mean(values: Sequence[float], subjects: Sequence[str], more: Sequence[tuple[float, float]] = ()) -> Mean:
    """Return the mean over samples; *more* are subjects that are added, each by its sum and its number of samples."""
    own = {one: [value for value, other in zip(values, subjects, strict=True) if other == one] for one in set(subjects)}
    groups = [(math.fsum(group), float(len(group))) for group in own.values()] + list(more)
    total, number = (math.fsum(column) for column in zip(*groups, strict=True))
    mean = total / number
    without = [(total - part) / (number - size) for part, size in groups]
    error = math.sqrt((len(groups) - 1) / len(groups) * math.fsum((one - mean) ** 2 for one in without))
    rest = [part - size * mean for part, size in groups]
    skewness = math.fsum(one**3 for one in rest) / math.fsum(one**2 for one in rest) ** 1.5 if error else 0.0
    return Mean(mean, error, tuple(size for _, size in groups), correlation(list(own.values())), skewness)


def _halls(mean: Mean) -> Callable[[float], float]:
    a = mean.skewness
    return lambda t: t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6


def _p(mean: Mean) -> float:
    t = mean.difference / mean.error
    h = _halls(mean)(t)
    of_h = chance(abs(h), mean.sizes, mean.icc) if h * t > 0 else 1.0
    return float(max(chance(abs(t), mean.sizes, mean.icc), of_h))


def _interval(mean: Mean, level: float) -> tuple[float, float]:
    """Return the hull of t's interval and of Hall's, whose ends are searched for."""
    quantile = reach(level, mean.sizes, mean.icc)
    high, low = (optimize.brentq(lambda t, h=h: _halls(mean)(t) - h, -1e3, 1e3) for h in (quantile, -quantile))
    return mean.difference - mean.error * max(quantile, high), mean.difference - mean.error * min(-quantile, low)


def _guarded_p(rows: Rows) -> float:
    """Return p with one subject more, of mean size, in half of whose samples the better arm fails."""
    subjects, a, b = (list(column) for column in zip(*rows, strict=True))
    apart = [y - x for x, y in zip(a, b, strict=True)]
    seen, size = _mean(apart, subjects), len(rows) / len(set(subjects))
    fails = (1 - sum(a) / len(a)) if seen.difference < 0 else (sum(b) / len(b) - 1)
    more = _mean(apart, subjects, [(size * fails / 2, size)])
    return _p(more) if more.difference * seen.difference > 0 else 1.0


def _equivalent(rows: Rows, level: float, margin: float) -> bool:
    """Tell whether two one-sided tests find a difference within the margin, also with a failing subject of either."""
    if level <= 0:
        return False
    subjects, a, b = (list(column) for column in zip(*rows, strict=True))
    apart, size = [y - x for x, y in zip(a, b, strict=True)], len(rows) / len(set(subjects))
    b_fails, a_fails = (1 - sum(a) / len(a)) * size / 2, (sum(b) / len(b) - 1) * size / 2
    ends = [
        _interval(_mean(apart, subjects, more), 1 - 2 * level) for more in ([], [(b_fails, size)], [(a_fails, size)])
    ]
    return all(-margin < low and high < margin for low, high in ends)


def family(pairs: Mapping[str, Rows], primary: str, margin: float, alpha: float = 0.05) -> dict[str, Tested | None]:
    """Return the declared tests of one task, model and source by contrast; None where nothing differs between subjects.

    The primary starts with all of alpha, which goes to the others evenly; each of them hands its share on evenly.
    """
    means = {name: _mean([b - a for _, a, b in rows], [one for one, _, _ in rows]) for name, rows in pairs.items()}
    p = {name: _p(mean) for name, mean in means.items() if mean.error > 1e-12}
    levels, rejected = _graph(list(pairs), p, primary, alpha)
    found = dict[str, Tested | None]()
    for name, mean in means.items():
        found[name] = None
        if name in p:
            verdict = _verdict(pairs[name], mean.difference, levels[name], margin, rejected=name in rejected)
            found[name] = Tested(mean.difference, _interval(mean, 1 - alpha), p[name], levels[name], verdict)
    return found


def _verdict(rows: Rows, difference: float, level: float, margin: float, *, rejected: bool) -> str:
    if not rejected:
        equal = _equivalent(rows, level, margin)
        return "equivalent: apart by less than the margin" if equal else "no difference shown"
    way, guarded = "lower" if difference < 0 else "higher", _guarded_p(rows) <= level
    return (
        f"second arm has the {way} loss"
        if guarded
        else f"second arm is {way} in what was seen; rare failures are not excluded"
    )


def _graph(
    names: Sequence[str], p: Mapping[str, float], primary: str, alpha: float
) -> tuple[dict[str, float], set[str]]:
    """Return the level of each test and those that are rejected (Algorithm 1 of Bretz et al.).

    What is rejected is the same in any order; the levels are those of taking the smallest p beside its level first.
    """
    others = [name for name in names if name != primary]
    level = dict.fromkeys(others, 0.0) | {primary: alpha}
    edge = {(one, two): 1 / len(others) for one in [primary] for two in others}
    for one in others:
        to = [two for two in others if two != one] or [primary]
        edge |= {(one, two): 1 / len(to) for two in to}
    left, rejected = set(names), set[str]()
    while within := [one for one in names if one in left and one in p and p[one] <= level[one]]:
        hit = min(within, key=lambda one: p[one] / level[one])
        left.remove(hit)
        rejected.add(hit)
        old = dict(edge)
        for one in left:
            level[one] += level[hit] * old.get((hit, one), 0.0)
        for one in left:
            back = old.get((one, hit), 0.0) * old.get((hit, one), 0.0)
            for two in left - {one}:
                way = old.get((one, two), 0.0) + old.get((one, hit), 0.0) * old.get((hit, two), 0.0)
                edge[one, two] = way / (1 - back) if back < 1 else 0.0
    return level, rejected


def apart(a: Mapping[str, Answer], b: Mapping[str, Answer]) -> tuple[float, float, float]:
    """Return by how much the difference is larger on CT than on MR, its standard error, and p."""

    def found(left_out: str) -> float:
        kinds = {
            kind: [b[one].loss - a[one].loss for one in a if a[one].modality == kind and a[one].subject != left_out]
            for kind in ("CT", "MR")
        }
        return float(np.mean(kinds["CT"]) - np.mean(kinds["MR"]))

    subjects = sorted({one.subject for one in a.values()})
    whole, count = found(""), len(subjects)
    error = math.sqrt((count - 1) / count * math.fsum((found(one) - whole) ** 2 for one in subjects))
    sizes = [
        [sum(one.subject == subject for one in a.values() if one.modality == kind) for subject in subjects]
        for kind in ("CT", "MR")
    ]
    freedom = min(sum(own) ** 2 / sum(size**2 for size in own) for own in sizes) - 1
    return whole, error, float(2 * stats.t.sf(abs(whole) / error, freedom))
