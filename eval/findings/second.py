"""The stored readings of a second reader over a chapter, and the caveat where part of a difference is form.

Contract: only what is stored beside the runs is read; nothing is asked of a model. First epochs.
"""

from collections.abc import Iterator, Mapping

from medvision_agent.agent.reader import Reader
from medvision_agent.errors import StorageError
from medvision_agent.eval.findings.contrasts import Worked
from medvision_agent.eval.findings.places import demonstration
from medvision_agent.eval.findings.scores import with_records
from medvision_agent.eval.reading.both import PairReading, compare_readings
from medvision_agent.eval.reading.stored import ReadAgain, Stored, read_again, stored_readings
from medvision_agent.eval.reading.texts import texts_of
from medvision_agent.eval.store.run import Run
from medvision_agent.text import fixed, plural

__all__ = ["by_form", "missed_by_reader", "readers_of"]


def readers_of(one: Worked) -> Iterator[tuple[Reader, Mapping[str, ReadAgain]]]:
    """Yield each second reader (a language model) that read an answer, with its readings of every arm, by arm name.

    The reader of the study's plan comes first. Raises StorageError for a damaged file of readings.
    """
    stored = {arm.name: stored_readings(arm.first.folder) for arm in one.chapter.arms}
    runs = {arm.name: arm.first for arm in one.chapter.arms}
    readers = {each.id: each for own in stored.values() for each in own.readers}
    planned = one.chapter.reader
    for reader in sorted(readers.values(), key=lambda each: (planned is None or each.id != planned.id, each.name)):
        again = {name: _again(one, runs[name], name, reader, own) for name, own in stored.items()}
        if any(own.samples for own in again.values()):
            yield reader, again


def _again(one: Worked, run: Run, arm: str, reader: Reader, stored: Stored) -> ReadAgain:
    """Return what the reader read of one arm's first epoch; without samples if it read nothing."""
    found = read_again(texts_of(with_records(run, one.by_rule[arm][0]), one.rules), reader, stored)
    return found if found.spent.read else ReadAgain([], found.not_reached, found.spent, ())


def missed_by_reader(found: PairReading, a: str, b: str) -> str:
    """Return a sentence on answers that the rule reads and the second reader does not; it begins with a space.

    *a* and *b* are the names of the arms. Empty if there are no such answers.
    """
    in_a, in_b = found.rule_alone
    if not in_a + in_b:
        return ""
    return (
        f" Of {plural(found.pairs, 'pair')}, the reader misses {plural(in_a, 'answer')} of {a} and {in_b} of {b} that "
        "the rule reads; each counts as a failure under the reader."
    )


def by_form(worked: Worked) -> Iterator[tuple[str, str]]:
    """Yield each comparison in which part of the difference is the form of the answers, with a sentence that says so.

    A comparison is given by the name of its contrast and task. It is yielded if the interval of that part does not
    contain 0. Nothing is yielded if the figures go by a reader, or if a file of readings is damaged: the report names
    such a file.
    """
    chapter = worked.chapter
    if chapter.read_by is not None:
        return
    try:
        read = list(readers_of(worked))
    except StorageError:
        return
    for reader, again in read:
        for one in chapter.contrasts:
            reasons = [*demonstration(chapter), *one.withheld]
            found = compare_readings(again[one.a.name].samples, again[one.b.name].samples, reasons)
            for task, pair in found.items():
                span = pair.format.interval
                if span is None or span[0] <= 0 <= span[1]:
                    continue
                rule, second = (fixed(share.value or 0.0, 3, sign=True) for share in (pair.by_rule, pair.by_reader))
                said = (
                    f"the difference in loss is {rule} as the rule reads the answers and {second} as the second reader "
                    f"{reader.name} reads them, over {plural(pair.pairs, 'pair')}; what lies between the two is the "
                    f"form of the answers, not the measurement.{missed_by_reader(pair, one.a.name, one.b.name)}"
                )
                yield f"{chapter.name_of(one)}, {task}", said
