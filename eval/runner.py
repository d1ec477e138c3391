"""The runner: asks the pending samples of a run, a bounded number at a time, and stores each as it ends.

One event loop, one client. A record handed to ``on_record`` is on disk already. When *stop* is set, samples in flight
are finished and stored, and no new one is started. A ProviderError stops the run the same way and is raised at the end.
"""

import asyncio
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from medvision_agent.agent.answer import Answer, answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.config import Offline
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models.chat import Chat
from medvision_agent.agent.models.policy import Brief
from medvision_agent.agent.outcome import Outcome
from medvision_agent.agent.question import Question
from medvision_agent.agent.trace import Trace
from medvision_agent.errors import DataError, ProviderError
from medvision_agent.eval.recipe import slice_of
from medvision_agent.eval.record import Record, ToolUse
from medvision_agent.eval.sample import Sample
from medvision_agent.eval.source import Source
from medvision_agent.eval.store import RunStore
from medvision_agent.tools.slice import Slice

__all__ = ["Job", "run_samples"]

Todo = Iterator[tuple[Sample, int]]


@dataclass(frozen=True, eq=False)
class Job:
    """What is asked, of whom, and how; the same for every sample of a run."""

    source: Source
    recipe: str
    condition: Condition
    chat: Chat
    limits: Limits


async def run_samples(
    job: Job,
    store: RunStore,
    pending: Iterable[tuple[Sample, int]],
    *,
    parallel: int,
    on_record: Callable[[Record], None],
    stop: asyncio.Event,
) -> None:
    """Ask every pending (sample, attempt), at most *parallel* at a time, and store each record."""
    todo, writing, problems = iter(pending), asyncio.Lock(), list[Exception]()

    async def work() -> None:
        while not stop.is_set() and (item := next(todo, None)) is not None:
            try:
                record, trace = await _ask(job, *item)
                async with writing:
                    await asyncio.to_thread(store.add, record, trace)
                on_record(record)
            except Exception as problem:  # noqa: BLE001 - raised below, when the others are safely stored
                problems.append(problem)
                stop.set()

    async with asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(work())
    if problems:
        raise problems[0]


async def _ask(job: Job, sample: Sample, attempt: int) -> tuple[Record, Trace]:
    """Ask one sample; whatever happens to it becomes its record."""
    try:
        image = await asyncio.to_thread(lambda: slice_of(job.source.load(sample), sample, job.recipe))
    except DataError as error:
        return Record(sample=sample, attempt=attempt, outcome=Outcome.UNREADABLE, detail=str(error)), Trace()
    question = Question(sample.task, image, sample.description, sample.label, sample.landmarks, sample.measurement)
    try:
        given = await answer(question, job.condition, job.chat, job.limits, _brief(job.chat, sample, image))
    except ProviderError:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of ours in one sample must not lose the others
        detail = "".join(traceback.format_exception(error))[-4000:]
        return Record(sample=sample, attempt=attempt, outcome=Outcome.INTERNAL, detail=detail), Trace()
    return _record(job, sample, attempt, given), given.trace


def _brief(chat: Chat, sample: Sample, image: Slice) -> Brief | None:
    """Return what an offline policy is told; the truth goes to the oracle alone."""
    if not isinstance(chat.config, Offline):
        return None
    truth = sample.truth_points if chat.config.name == "oracle" else ()
    size = image.size
    return Brief(sample.task, tuple((point.x / size.width, point.y / size.height) for point in truth))


def _record(job: Job, sample: Sample, attempt: int, given: Answer) -> Record:
    return Record(
        sample=sample,
        attempt=attempt,
        outcome=given.outcome,
        response=given.response,
        forced=given.forced,
        detail=given.detail,
        tool_uses=tuple(ToolUse(tool=call.tool, ok=call.ok, seconds=call.seconds) for call in given.trace.tool_calls),
        usage=given.usage,
        cost_usd=given.usage.cost_usd(job.chat.config.prices),
        seconds=round(given.seconds, 4),
        finish_reasons=given.finish_reasons,
        model_versions=given.model_versions,
        prompt_sha256=given.prompt_sha256,
        prompt_with_tools_sha256=given.prompt_with_tools_sha256,
        v0_sha256=given.v0_sha256,
    )
