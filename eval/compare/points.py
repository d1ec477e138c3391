"""The points of a parity card: what is compared in each pair of answers of two arms, with counts.

Contract: see ``card``. ``parity`` has already refused runs that differ in more than they may.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from medvision_agent.eval.compare.around import Runs, libraries_point, listed, one_name, prices_point
from medvision_agent.eval.compare.card import Card, Point
from medvision_agent.eval.compare.drift import Drift
from medvision_agent.eval.compare.parity import Pair, picture_hash, prompt_hash, same_question, scored_pairs, varied
from medvision_agent.eval.compare.sent import with_names_of
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["parity_card"]

_IN_PROCESS = frozenset({"offline", "transformers"})
"""Providers without a server: their version defines them fully, at any time."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Arms:
    """The epochs of two arms, and their answer pairs."""

    runs: Runs
    pairs: Sequence[Pair]
    names: tuple[str, str]

    @property
    def served(self) -> bool:
        """Whether a server answered."""
        return any(run.identity.model.get("provider") not in _IN_PROCESS for both in self.runs for run in both)


def parity_card(runs: Runs, drift: tuple[Drift, ...] = (), *, names: tuple[str, str] = ("A", "B")) -> Card:
    """Return the parity card of two named arms; *runs* are the epochs of both, *drift* holds the canary results."""
    runs = [(a, with_names_of(a, b)) for a, b in runs]
    arms = _Arms(runs, [pair for a, b in runs for pair in scored_pairs(a.records, b.records)], names)
    return Card(
        pairs=len(arms.pairs),
        varied=_varied(arms),
        points=tuple(point for make in _POINTS for point in make(arms) if point.of),
        limited={task: _limited(own) for task in TASKS if (own := [one for one in arms.pairs if _task(one) == task])},
        drift=drift,
    )


def _varied(arms: _Arms) -> tuple[str, ...]:
    """Return the fields in which the identities differ, and which hashes differ because images were enlarged."""
    found = [name for a, b in arms.runs for name in varied(a, b)]
    larger = any(one.enlarged for pair in arms.pairs for one in pair)
    return tuple(dict.fromkeys([*found, *(("prompt_sha256", "v0_sha256") if larger else ())]))


def _settings(arms: _Arms) -> Iterator[Point]:
    fields = {name for both in arms.runs for run in both for name in run.identity.plain()}
    differ = {name.partition(".")[0] for a, b in arms.runs for name in varied(a, b)}
    same = len(fields - differ)
    yield Point(name="settings", of=same, proven=same)


def _stored(arms: _Arms) -> Iterator[Point]:
    """Yield the points compared by stored values of each answer; a difference here is one that the study varies."""
    asked = sum(map(same_question, arms.pairs))
    yield Point(name="question", of=asked, proven=asked)
    values: dict[str, Callable[[Record], str]] = {
        "prompt": prompt_hash(enlarged=False),
        "picture": picture_hash(enlarged=False),
    }
    for name, value in values.items():
        both = [(value(a), value(b)) for a, b in arms.pairs]
        alike = [a for a, b in both if a == b]
        yield Point(name=name, of=len(alike), proven=sum(map(bool, alike)), assumed=alike.count(""))


def _enlarged(arms: _Arms) -> Iterator[Point]:
    """Yield the points for an arm with enlarged images, compared by what would have been sent without enlarging."""
    larger = [pair for pair in arms.pairs if any(one.enlarged for one in pair) and _sent(pair[0]) != _sent(pair[1])]
    for name, value in {"own prompt": prompt_hash(enlarged=True), "own picture": picture_hash(enlarged=True)}.items():
        same = sum(value(a) == value(b) for a, b in larger)
        yield Point(name=name, of=same, proven=same)


def _sent(record: Record) -> tuple[str, str]:
    return record.prompt_sha256, record.v0_sha256


def _version(arms: _Arms) -> Iterator[Point]:
    """Yield the points on the served model version and on the model behind that name."""
    every, same = len(arms.pairs), sum(one_name(a.model_versions, b.model_versions) for a, b in arms.pairs)
    yield Point(name="version", of=every, proven=same, assumed=every - same)
    if arms.served:
        yield Point(name="weights", of=every, unknowable=every)
    else:
        yield Point(name="weights", of=every, proven=same, assumed=every - same)


def _fingerprint(arms: _Arms) -> Iterator[Point]:
    if arms.served:
        marks = [(a.fingerprints, b.fingerprints) for a, b in arms.pairs]
        same, none = sum(one_name(a, b) for a, b in marks), marks.count(((), ()))
        yield Point(
            name="fingerprint",
            of=len(marks),
            proven=same,
            unknowable=none,
            assumed=(other := len(marks) - same - none),
            found=_in_each(arms.names, *zip(*marks, strict=True)) if other else "",
        )


def _date(arms: _Arms) -> Iterator[Point]:
    if arms.served:
        gaps = [abs(a - b) for a, b in (_moments(pair) for pair in arms.pairs) if a and b]
        apart = [gap for gap in gaps if gap >= _DAY]
        yield Point(
            name="date",
            of=len(arms.pairs),
            proven=len(gaps) - len(apart),
            assumed=len(apart),
            unknowable=len(arms.pairs) - len(gaps),
            found=f"up to {max(apart).days} days" if apart else "",
        )


def _moments(pair: Pair) -> tuple[datetime | None, datetime | None]:
    """Return when the two answers were asked; None if the time is missing or not a valid date."""
    found: list[datetime | None] = []
    for record in pair:
        try:
            moment = datetime.fromisoformat(record.asked_at)
        except ValueError:
            found.append(None)
        else:
            found.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return found[0], found[1]


def _around(arms: _Arms) -> Iterator[Point]:
    yield libraries_point(arms.runs, arms.names)
    if arms.served:
        yield prices_point(arms.runs, arms.names)


def _seal(arms: _Arms) -> Iterator[Point]:
    sealed = sum(
        not {one.sample.id} & (a.unsealed | b.unsealed)
        for a, b in arms.runs
        for one, _ in scored_pairs(a.records, b.records)
    )
    yield Point(name="seal", of=len(arms.pairs), proven=sealed, assumed=len(arms.pairs) - sealed)


def _duplicates(arms: _Arms) -> Iterator[Point]:
    """Yield the point on duplicates: the same image and question under several ids. One epoch suffices: it has all ids.

    The ground truth is compared too: in arms with a blank image, all images are the same.
    """
    a, b = arms.runs[0]
    pairs = scored_pairs(a.records, b.records)
    seen: dict[tuple[object, ...], Record] = {}
    twice = list[tuple[Record, Record]]()
    for one, two in pairs:
        if one.v0_sha256 and two.v0_sha256:
            first = seen.setdefault((one.v0_sha256, two.v0_sha256, *_asked(one)), one)
            twice += [(first, one)] if first is not one else []
    hashed = sum(bool(one.v0_sha256 and two.v0_sha256) for one, two in pairs)
    found = [listed([f"{again.sample.id!r} is {first.sample.id!r}" for first, again in twice], "; ")] if twice else []
    if people := sum(first.sample.subject != again.sample.subject for first, again in twice):
        found.append(f"{people} under another subject")
    yield Point(
        name="duplicates",
        of=len(pairs),
        proven=hashed - len(twice),
        assumed=len(twice),
        unknowable=len(pairs) - hashed,
        found="; ".join(found),
    )


def _asked(record: Record) -> tuple[object, ...]:
    sample = record.sample
    return sample.task, sample.label, sample.landmarks, sample.measurement, sample.pixel_size, sample.target


def _limits(arms: _Arms) -> Iterator[Point]:
    free = sum(not (a.limited or b.limited) for a, b in arms.pairs)
    in_a, in_b = _limited(arms.pairs)
    found = f"{in_a} in {arms.names[0]}, {in_b} in {arms.names[1]}" if in_a or in_b else ""
    yield Point(name="limits", of=len(arms.pairs), proven=free, assumed=len(arms.pairs) - free, found=found)


def _limited(pairs: Sequence[Pair]) -> tuple[int, int]:
    return sum(a.limited for a, _ in pairs), sum(b.limited for _, b in pairs)


def _task(pair: Pair) -> TaskName:
    return pair[0].sample.task


def _in_each(names: tuple[str, str], a: Iterable[Sequence[str]], b: Iterable[Sequence[str]]) -> str:
    """Return the distinct values of both arms, in words."""
    own, other = (sorted({value for values in arm for value in values}) for arm in (a, b))
    return f"{listed(own)} in {names[0]}, {listed(other)} in {names[1]}"


_POINTS: tuple[Callable[[_Arms], Iterator[Point]], ...] = (
    *(_settings, _stored, _enlarged, _version, _fingerprint, _date, _around),
    *(_seal, _duplicates, _limits),
)
"""Functions that each yield points of the card. To add a point, add a function here and its words."""
