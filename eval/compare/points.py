"""The points of a parity card: what is compared in each pair of answers of two arms, with counts.

Contract: see ``card``. ``parity`` has already refused runs that differ in more than they may.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from medvision_agent.eval.compare.around import Runs, libraries_point, listed, prices_point
from medvision_agent.eval.compare.card import Card, Point
from medvision_agent.eval.compare.checked import checked
from medvision_agent.eval.compare.drift import Drift
from medvision_agent.eval.compare.facts import DAY, PairFacts
from medvision_agent.eval.compare.parity import varied
from medvision_agent.eval.tasks import TASKS

__all__ = ["parity_card"]

_IN_PROCESS = frozenset({"offline", "transformers"})
"""Providers without a server: their version defines them fully, at any time."""


@dataclass(frozen=True)
class _Arms:
    """Two arms: their runs in pairs (A, B), one pair for each epoch, and the counts over their answer pairs."""

    runs: Runs
    facts: list[PairFacts]
    """The counts of each epoch."""
    names: tuple[str, str]

    @cached_property
    def counts(self) -> Counter[str]:
        """The counts of the answer pairs of all epochs, by the names that ``PairFacts`` uses."""
        return sum((one.counts for one in self.facts), Counter[str]())

    @property
    def pairs(self) -> int:
        """Number of answer pairs, over all epochs."""
        return self.counts["pairs"]

    @property
    def served(self) -> bool:
        """Whether a server answered in any run, and not only models in this process."""
        return any(run.identity.model.get("provider") not in _IN_PROCESS for both in self.runs for run in both)

    def limited(self, task: str, arm: int) -> int:
        """Return how many conversations of one arm (0 for A, 1 for B) to a task were ended by a limit."""
        return sum(count for one in self.facts for (own, at), count in one.limited.items() if (own, at) == (task, arm))


def parity_card(runs: Runs, drift: tuple[Drift, ...] = (), *, names: tuple[str, str] = ("A", "B")) -> Card:
    """Return the parity card of two arms: what is proven, assumed or unknowable about their equality.

    *runs* are their pairs of runs (A, B), one pair for each epoch, which ``parity`` has accepted. *drift* holds the
    results of the study's canaries, and *names* the names of the arms.
    """
    arms = _Arms(runs, [checked(a, b).facts for a, b in runs], names)
    tasks = {task for one in arms.facts for task in one.tasks}
    return Card(
        pairs=arms.pairs,
        varied=_varied(arms),
        points=tuple(point for make in _POINTS for point in make(arms) if point.of),
        limited={task: (arms.limited(task, 0), arms.limited(task, 1)) for task in TASKS if task in tasks},
        drift=drift,
    )


def _varied(arms: _Arms) -> tuple[str, ...]:
    """Return the fields in which the identities differ, and which hashes differ because images were enlarged."""
    found = [name for a, b in arms.runs for name in varied(a, b)]
    hashes = ("prompt_sha256", "v0_sha256") if arms.counts["enlarged"] else ()
    return tuple(dict.fromkeys([*found, *hashes]))


def _settings(arms: _Arms) -> Iterator[Point]:
    fields = {name for both in arms.runs for run in both for name in run.identity.plain()}
    differ = {name.partition(".")[0] for a, b in arms.runs for name in varied(a, b)}
    same = len(fields - differ)
    yield Point(name="settings", of=same, proven=same)


def _stored(arms: _Arms) -> Iterator[Point]:
    """Yield the points on question, prompt and image, which are compared by the values stored with each answer.

    A pair whose values differ is not counted: the study varies this on purpose, or ``parity`` would have refused the
    runs.
    """
    asked = arms.counts["question"]
    yield Point(name="question", of=asked, proven=asked)
    for name in ("prompt", "picture"):
        same, none = arms.counts[name], arms.counts[f"no {name}"]
        yield Point(name=name, of=same + none, proven=same, assumed=none)


def _enlarged(arms: _Arms) -> Iterator[Point]:
    """Yield the points on prompt and image if an arm enlarges images, compared as they were before enlarging."""
    for name in ("own prompt", "own picture"):
        yield Point(name=name, of=arms.counts[name], proven=arms.counts[name])


def _version(arms: _Arms) -> Iterator[Point]:
    """Yield the points on the served model version and on the model behind that name."""
    every, same = arms.pairs, arms.counts["version"]
    yield Point(name="version", of=every, proven=same, assumed=every - same)
    if arms.served:
        yield Point(name="weights", of=every, unknowable=every)
    else:
        yield Point(name="weights", of=every, proven=same, assumed=every - same)


def _fingerprint(arms: _Arms) -> Iterator[Point]:
    if arms.served:
        same, none = arms.counts["fingerprint"], arms.counts["no fingerprint"]
        own, other = (sorted(set().union(*(one.fingerprints[at] for one in arms.facts))) for at in (0, 1))
        yield Point(
            name="fingerprint",
            of=arms.pairs,
            proven=same,
            unknowable=none,
            assumed=(differ := arms.pairs - same - none),
            found=f"{listed(own)} in {arms.names[0]}, {listed(other)} in {arms.names[1]}" if differ else "",
        )


def _date(arms: _Arms) -> Iterator[Point]:
    if arms.served:
        timed, apart = arms.counts["timed"], arms.counts["days apart"]
        furthest = max((one.furthest for one in arms.facts), default=DAY)
        yield Point(
            name="date",
            of=arms.pairs,
            proven=timed - apart,
            assumed=apart,
            unknowable=arms.pairs - timed,
            found=f"up to {furthest.days} days" if apart else "",
        )


def _around(arms: _Arms) -> Iterator[Point]:
    yield libraries_point(arms.runs, arms.names)
    if arms.served:
        yield prices_point(arms.runs, arms.facts, arms.names)


def _seal(arms: _Arms) -> Iterator[Point]:
    sealed = arms.counts["sealed"]
    yield Point(name="seal", of=arms.pairs, proven=sealed, assumed=arms.pairs - sealed)


def _duplicates(arms: _Arms) -> Iterator[Point]:
    """Yield the point on duplicates: samples with the same image and question under several ids.

    Only the first epoch is counted, because it has the ids of all.
    """
    first = arms.facts[0]
    pairs, hashed, twice = first.counts["pairs"], first.counts["hashed"], first.duplicates.found
    found = [listed([f"{again!r} is {earlier!r}" for again, earlier in twice], "; ")] if twice else []
    if people := first.duplicates.other_subject:
        found.append(f"{people} under another subject")
    yield Point(
        name="duplicates",
        of=pairs,
        proven=hashed - len(twice),
        assumed=len(twice),
        unknowable=pairs - hashed,
        found="; ".join(found),
    )


def _limits(arms: _Arms) -> Iterator[Point]:
    free = arms.counts["free"]
    in_a, in_b = (sum(arms.limited(task, at) for task in TASKS) for at in (0, 1))
    found = f"{in_a} in {arms.names[0]}, {in_b} in {arms.names[1]}" if in_a or in_b else ""
    yield Point(name="limits", of=arms.pairs, proven=free, assumed=arms.pairs - free, found=found)


_POINTS: tuple[Callable[[_Arms], Iterator[Point]], ...] = (
    *(_settings, _stored, _enlarged, _version, _fingerprint, _date, _around),
    *(_seal, _duplicates, _limits),
)
"""Functions that each yield points of the card. To add a point, add a function here and its words."""
