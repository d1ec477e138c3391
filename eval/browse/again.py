"""Further readings of an answer, in words: the numbers that second readers read, and the decisions it leads to.

Contract: no model is called; the decisions are those of the shipped rules.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from medvision_agent.eval.browse.words import in_words
from medvision_agent.eval.decisions.rules import Rule, shipped_rules
from medvision_agent.eval.reading.kept import NAME
from medvision_agent.eval.reading.stored import Stored, read_again, stored_readings
from medvision_agent.eval.reading.texts import texts_of
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.record import Record
from medvision_agent.text import fixed

__all__ = ["decided", "read_by"]


def read_by(folder: Path, record: Record, rules: Protocol) -> Iterator[str]:
    """Yield one line of text for each answer that a second reader, a language model, read in a record's response.

    A line names the reader, and gives the numbers that it read with their unit, their loss, and whether it agrees with
    the rule. It yields nothing if *folder*, that of the run, holds no stored readings of this response.
    """
    stored = _readings(folder)
    for reader in stored.readers:
        found = read_again(texts_of([(record, score_record(record, rules))], rules), reader, stored)
        for one in found.samples if found.spent.read else ():
            read = in_words(one.reader.values, record.sample.asks) if one.reader.success else f"no answer: {one.unread}"
            yield f"{reader.name}: {read} (loss {fixed(one.reader.loss, 3)}; {one.agreement})"


def decided(record: Record, rules: Protocol) -> Iterator[str]:
    """Yield one line of text for each shipped decision rule that applies to a sample.

    A line has the category of the ground truth and that of the answer as *rules* read it (``none`` for a failed
    answer). It yields nothing for a record that is not scored.
    """
    found = score_record(record, rules)
    for rule in _rules():
        if found is not None and rule.decides(record.sample):
            true = rule.categories[rule.category(rule.value(record.sample.target))]
            own = rule.categories[rule.category(rule.value(found.values))] if found.success else "none"
            yield f"{rule.name}: ground truth {true}, answer {own}"


@cache
def _rules() -> list[Rule]:
    return shipped_rules()


def _readings(folder: Path) -> Stored:
    file = folder / NAME
    if not file.is_file():
        return Stored()
    facts = file.stat()
    return _read(folder, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=4)
def _read(folder: Path, mtime: int, size: int) -> Stored:  # noqa: ARG001 - a file that was changed is read anew
    return stored_readings(folder)
