"""Runs that depend on other runs' answers to the same samples: which samples can be asked, and when.

Contract: a sample is asked once the answer it is made from is on disk and is a result. Where the other run has none,
it stays pending with it. A refusal, which may yet turn out to be the server's, is waited out until the next session.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.words.handed_back import HandedBack
from medvision_agent.eval.asking.draws import tokens
from medvision_agent.eval.asking.pool import Ask, Lane
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.read import read_trace
from medvision_agent.eval.store.record import Record

__all__ = ["AfterAll", "SampleBySample", "results_of"]

_CAPTION = re.compile(r"\[(picture \d+)\] ")


@dataclass(eq=False)
class SampleBySample:
    """A run each of whose samples waits until the same sample of one other run has a result."""

    lane: Lane
    todo: dict[str, Ask]
    """What is pending, by sample."""

    def begin(self, source: Lane, answered: Iterable[Record]) -> list[Ask]:
        """Follow the run *source* from now on; return the samples that can be asked at once.

        *answered* are the records that *source* has already.
        """
        source.followers.append(self.heard)
        return [ask for record in answered for ask in self._ready(record)]

    def heard(self, record: Record) -> list[Ask]:
        """Return the samples that can be asked now that this record of the other run is on disk."""
        return [] if record.outcome is Outcome.REJECTED else self._ready(record)

    def _ready(self, record: Record) -> list[Ask]:
        if record.outcome.infrastructure or record.sample.id not in self.todo:
            return []
        if self.lane.draws:
            self.lane.draws.spent[record.sample.id] = tokens(record)
        return [self.todo.pop(record.sample.id)]


@dataclass(eq=False)
class AfterAll:
    """A run that starts when all samples of certain other runs were asked; their records give one of its settings."""

    todo: dict[str, Ask]
    """What is pending, by sample."""
    settle: Callable[..., None]
    """Takes the records of each of the others, before the first sample is asked."""
    waiting: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    """Samples of the other runs that are still to be asked."""
    known: list[dict[str, Record]] = field(default_factory=list[dict[str, Record]])
    """Their records."""

    def begin(self, *sources: tuple[Lane, Mapping[str, Any], Iterable[Record]]) -> list[Ask]:
        """Follow other runs, each given with its pending samples (by id) and its records.

        Return all samples if none of the others is pending, else none.
        """
        for number, (lane, pending, records) in enumerate(sources):
            lane.followers.append(partial(self.heard, number))
            self.waiting |= {(number, sample_id) for sample_id in pending}
            self.known.append({record.sample.id: record for record in records})
        return self._all()

    def heard(self, number: int, record: Record) -> list[Ask]:
        """Note a stored record of the other run *number*.

        Return all samples once the other runs have none left, else none.
        """
        self.known[number][record.sample.id] = record
        self.waiting.discard((number, record.sample.id))
        return self._all()

    def _all(self) -> list[Ask]:
        if self.waiting or not self.todo:
            return []
        self.settle(*(known.values() for known in self.known))
        ready, self.todo = list(self.todo.values()), {}
        return ready


def results_of(folder: Path, sample_id: str) -> tuple[HandedBack, ...]:
    """Return the tool results without an error from the latest conversation about a sample of a stored run, in order.

    Raises StorageError if the run has no such conversation or it is damaged.
    """
    trace = read_trace(folder, sample_id)
    captions = dict(_captions(trace["messages"]))
    return tuple(
        HandedBack(
            call["tool"],
            call["arguments"],
            call["text"],
            next((caption for name, caption in captions.items() if f'"{name}"' in call["text"]), ""),
            read_picture(folder, call["picture"], sample_id) if call["picture"] else None,
        )
        for call in trace["tool_calls"]
        if call["ok"]
    )


def _captions(messages: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """Yield the name and the caption of each image that tools returned."""
    for message in messages:
        if message["type"] == "ai" or isinstance(message["content"], str):
            continue
        for block in message["content"]:
            text = block.get("text", "") if isinstance(block, Mapping) else block
            if found := _CAPTION.match(text):
                yield found[1], text
