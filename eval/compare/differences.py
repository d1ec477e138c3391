"""In what the answers of two runs differ within pairs: counts, and the first pair of each difference.

Contract: only pairs that were scored in both runs count. An infrastructure failure may have happened before there was a
prompt or an image. No answer is kept.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.compare.joined import Pair, paired_records
from medvision_agent.eval.store.record import Record
from medvision_agent.text import plural

__all__ = ["Differences", "same_question", "shown"]

_ENDED_BY_ERROR = frozenset({Outcome.REJECTED, Outcome.CONTEXT_OVERFLOW, Outcome.REFUSED})
"""Outcomes that a provider may report as an error, without a reply that could name the served version."""
_MOST = 80
"""Most characters of a value in a message."""


def same_question(pair: Pair) -> bool:
    """Return whether both answers of a pair belong to the same question with the same ground truth.

    Where the image is stored, and the source that lists the sample, may differ.
    """
    a, b = (record.sample for record in pair)
    # Most are one object, or equal, and need not be written out.
    return a is b or a == b or _question(pair[0]) == _question(pair[1])


def _question(record: Record) -> str:
    """Return a record's sample (question and ground truth) as JSON.

    Left out are the place of its image, and its source.
    """
    return record.sample.model_dump_json(exclude={"image", "source"})


def shown(value: object) -> str:
    """Return a value as JSON text for a message, shortened to 80 characters."""
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."


@dataclass
class _Differing:
    """The number of pairs that differ in one thing (such as the prompt), with the first of these pairs."""

    count: int = 0
    first: str = ""
    """Id of the first sample."""
    values: tuple[object, object] = (None, None)
    """The values of the first pair."""

    def line(self, what: str, pairs: int) -> str:
        return f"{what}: differs for {self.count} of {pairs} common samples, first {self.first!r}"


class _WithinPairs:
    """The differences found between the two answers of each pair; ``add`` takes the pairs one by one."""

    def __init__(self) -> None:
        self.pairs = 0
        self._named = 0
        """Number of pairs in which both replies could name the served version."""
        self._found = {name: _Differing() for name in ("question", *_VALUES)}

    def add(self, pair: Pair) -> None:
        """Add a pair of scored answers, and note in what its two answers differ."""
        self.pairs += 1
        self._note("question", pair, same=same_question(pair))
        could_name = not any(map(_could_not_name, pair))
        self._named += could_name
        for name, value in _VALUES.items():
            values = value(pair[0]), value(pair[1])
            if name != "versions" or could_name:
                self._note(name, pair, same=values[0] == values[1], values=values)

    def _note(self, name: str, pair: Pair, *, same: bool, values: tuple[object, object] = (None, None)) -> None:
        if not same:
            found = self._found[name]
            if not found.count:
                found.first, found.values = pair[0].sample.id, values
            found.count += 1

    def lines(self, free: frozenset[str], names: tuple[str, str]) -> Iterator[str]:
        """Yield a line for each difference, except in the fields *free*, which may differ (as in ``parity``).

        *names* are the names of the two runs.
        """
        enlarged = "enlarged" in free
        picture = "the image before it was enlarged" if enlarged else "the image as sent"
        yield from self._line("question", "sample (question or ground truth)")
        if "v0_sha256" not in free:
            yield from self._line("own picture" if enlarged else "picture", f"v0_sha256 ({picture})")
        if "prompt_sha256" not in free:
            name = "own prompt" if enlarged else "prompt"
            yield from self._line(name, "prompt_sha256 (the prompt without its tool paragraph)")
        if "model_versions" not in free and (found := self._found["versions"]).count:
            a, b = map(shown, found.values)
            line = found.line("model version as served", self._named)
            yield f"{line} ({a} in {names[0]}, {b} in {names[1]})"

    def _line(self, name: str, what: str) -> Iterator[str]:
        if self._found[name].count:
            yield self._found[name].line(what, self.pairs)


_VALUES: dict[str, Callable[[Record], object]] = {
    "picture": lambda record: record.v0_sha256,
    "own picture": lambda record: record.own_v0_sha256,
    "prompt": lambda record: record.prompt_sha256,
    "own prompt": lambda record: record.own_prompt_sha256,
    "versions": lambda record: sorted(record.model_versions),
}
"""What is compared within a pair; *own* is what would have been sent for the own image without enlarging it."""


def _could_not_name(record: Record) -> bool:
    """Return whether an answer ended by an error of the provider, with no reply to name the served version."""
    return not record.model_versions and record.outcome in _ENDED_BY_ERROR


class _Endings:
    """The replies of one run that may be cut off, because the reason why they stopped is unknown."""

    def __init__(self) -> None:
        self._count, self._reasons = 0, set[str]()

    def add(self, record: Record) -> None:
        """Add a record; it counts if its last reply stopped for an unknown reason."""
        if record.outcome is Outcome.UNKNOWN_ENDING:
            self._count += 1
            self._reasons.update(record.finish_reasons[-1:])

    def line(self, name: str) -> Iterator[str]:
        """Yield one line with the number of these replies in the run called *name*; nothing if it has none."""
        if self._count:
            count, reasons = plural(self._count, "sample"), shown(sorted(self._reasons))
            yield f"endings: {count} in {name} stopped for a reason that is not known ({reasons})"


class Differences:
    """The differences between the answers of two runs: ``read`` finds them in one pass, then ``lines`` lists them."""

    def __init__(self) -> None:
        self._within, self._endings = _WithinPairs(), (_Endings(), _Endings())

    def read(
        self, a: Iterable[Record], b: Iterable[Record], named: Callable[[Pair], Pair] = lambda pair: pair
    ) -> Iterator[Pair]:
        """Yield each pair of answers that both runs scored, after noting its differences.

        ``lines`` is complete only when this iterator was read to its end. *a* and *b* are the records of the runs.
        *named* may rename the images of a pair, so that images with equal pixels have equal names.
        """
        both = (self._heard(records, endings) for records, endings in zip((a, b), self._endings, strict=True))
        for pair in paired_records(*both):
            if not any(record.outcome.infrastructure for record in pair):
                found = named(pair)
                self._within.add(found)
                yield found

    @staticmethod
    def _heard(records: Iterable[Record], endings: _Endings) -> Iterator[Record]:
        for record in records:
            endings.add(record)
            yield record

    def lines(self, free: frozenset[str], names: tuple[str, str]) -> Iterator[str]:
        """Yield a line for each difference, except in the fields *free*, which may differ.

        Also yields a line for each run with replies that stopped for an unknown reason. *names* are the names of the
        runs.
        """
        yield from self._within.lines(free, names)
        for name, endings in zip(names, self._endings, strict=True):
            yield from endings.line(name)
