"""The second reader in a report: both readings of each arm and contrast, disagreements between them, and costs.

Contract: only readings stored beside the runs are shown; no model is called. First epochs only.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest

from medvision_agent.agent.reader import Reader
from medvision_agent.eval.findings.contrasts import Worked
from medvision_agent.eval.findings.places import demonstration
from medvision_agent.eval.findings.second import readers_of
from medvision_agent.eval.reading.both import AGREE, compare_readings, summarise_readings
from medvision_agent.eval.reading.stored import ReadAgain, Spent
from medvision_agent.eval.report.model import Disagreement, PairedReading, ReadBy, ReadCost
from medvision_agent.text import fixed

__all__ = ["readings"]

_MOST = 12
"""Most disagreements shown."""
_LONGEST = 240
"""Most characters shown of a response: its end."""


def readings(one: Worked) -> Iterator[ReadBy]:
    """Yield, for each second reader of a chapter, its readings compared with the rule's; the planned reader is first.

    Raises StorageError for a damaged file of readings.
    """
    yield from (_read_by(one, reader, again) for reader, again in readers_of(one))


def _read_by(one: Worked, reader: Reader, again: Mapping[str, ReadAgain]) -> ReadBy:
    chapter, reasons = one.chapter, demonstration(one.chapter)
    pairs = [
        PairedReading(contrast=chapter.name_of(each), a=each.a.name, b=each.b.name, task=task, found=found)
        for each in chapter.contrasts
        for task, found in compare_readings(
            again[each.a.name].samples, again[each.b.name].samples, [*reasons, *each.withheld]
        ).items()
    ]
    return ReadBy(
        reader=reader.name,
        versions=tuple(dict.fromkeys(chain.from_iterable(own.versions for own in again.values()))),
        prompt_sha256=reader.prompt_sha256,
        planned=chapter.reader is not None and chapter.reader.id == reader.id,
        primary=chapter.read_by is not None and chapter.read_by.id == reader.id,
        arms={
            name: summarise_readings(own.samples, own.not_reached, reasons)
            for name, own in again.items()
            if own.samples
        },
        pairs=tuple(pairs),
        costs={name: _cost(own.spent) for name, own in again.items()},
        disagreements=tuple(_disagreements(again)),
    )


def _cost(spent: Spent) -> ReadCost:
    usage = spent.usage
    return ReadCost(
        read=spent.read,
        failed=spent.failed,
        calls=usage.model_calls,
        input=usage.input,
        output=usage.output,
        unreported=usage.unreported,
        usd=spent.cost_usd,
    )


def _disagreements(again: Mapping[str, ReadAgain]) -> Iterator[Disagreement]:
    """Yield at most 12 samples that the rule and the reader read differently, taking the arms in turn."""
    each = [[(name, sample) for sample in own.samples if sample.agreement not in AGREE] for name, own in again.items()]
    in_turn = [pair for row in zip_longest(*each) for pair in row if pair is not None]
    for arm, sample in in_turn[:_MOST]:
        response = sample.text.response or ""
        end = response if len(response) <= _LONGEST else f"[...] {response[-_LONGEST:]}"
        yield Disagreement(
            arm=arm,
            task=sample.text.asked.asks.name,
            sample=sample.text.asked.id,
            agreement=sample.agreement,
            rule=_numbers(sample.rule.values),
            reader=_numbers(sample.reader.values) or sample.unread,
            losses=(sample.rule.loss, sample.reader.loss),
            response=end,
        )


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(fixed(value, 3) for value in values)
