"""The runner: asks the pending samples of runs, a bounded number at a time, and stores each as it ends.

One event loop, one client for each model. When *stop* is set, samples in flight are finished and stored, and no new
one is started. A ProviderError stops the run the same way and is raised at the end.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from medvision_agent.agent.answer import Answer, answer
from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import Offline
from medvision_agent.agent.policies.policy import Brief
from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.trace import ToolCallTrace, Trace
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.agent.words.question import Question, Wording
from medvision_agent.errors import DataError, ProviderError
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.recipe import Recipe
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage, Source
from medvision_agent.eval.scorer.spoken import spoken_in
from medvision_agent.eval.store.record import Record, ToolUse
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.write import RunStore
from medvision_agent.eval.tasks import Task
from medvision_agent.tools.view.slice import Slice

__all__ = ["Ask", "Job", "Lane", "Pool", "Watch", "brief_of", "question_of", "run_pools", "run_samples"]
__all__ += ["waiting_until"]


@dataclass(frozen=True)
class Watch:
    """Who wants to know what happens during a run."""

    on_start: Callable[[Run], None] = lambda run: None  # noqa: ARG005
    on_record: Callable[[Record], None] = lambda record: None  # noqa: ARG005
    """Hears of a record that is on disk."""
    on_fault: Callable[[Fault, int], None] = lambda fault, tries: None  # noqa: ARG005
    """Hears of every try of a request that failed, with its number."""
    on_limit: Callable[[str], None] = lambda reason: None  # noqa: ARG005
    """Hears that a budget is used up while samples are left, and which."""
    on_note: Callable[[str], None] = lambda line: None  # noqa: ARG005
    """Hears what a reader of the results must know before the first sample."""


@dataclass(frozen=True, eq=False)
class Job:
    """What is asked, of whom, and how; the same for every sample of a run."""

    source: Source
    recipe: Recipe
    wording: Wording
    condition: Condition
    chat: Chat
    limits: Limits


@dataclass(eq=False)
class Lane:
    """One run that is being asked: how, where its records go, and whether its model ever replied."""

    job: Job
    store: RunStore
    replied: bool
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


Ask = tuple[Lane, Sample, int]
"""A sample of a run, and the number of the attempt."""


@dataclass(eq=False)
class Pool:
    """What is asked of one model, in this order, and how many samples at a time."""

    asks: Iterator[Ask]
    parallel: int


async def run_samples(
    job: Job,
    store: RunStore,
    run: Run,
    *,
    parallel: int,
    watch: Watch,
    stop: asyncio.Event,
    meter: Meter,
) -> None:
    """Ask every pending sample of *run*, at most *parallel* at a time, and store each record."""
    lane = Lane(job, store, any(not record.outcome.infrastructure for record in run.records))
    pool = Pool(((lane, sample, attempt) for sample, attempt in run.pending()), parallel)
    await run_pools([pool], meter, watch=watch, stop=stop)


async def run_pools(pools: Sequence[Pool], meter: Meter, *, watch: Watch, stop: asyncio.Event) -> None:
    """Ask all that the pools hold, side by side, and store each record in the run of its lane.

    A sample that waits for its next try when *stop* is set is given up: it stays pending, with what it took on record.
    Where *meter* finds a budget used up no further sample is started, and *watch* hears of it.
    """
    problems = list[Exception]()
    waiting = waiting_until(stop, watch)

    async def one(lane: Lane, sample: Sample, attempt: int) -> None:
        record, trace = await _ask(lane.job, sample, attempt, waiting)
        if record.outcome is Outcome.REJECTED and not lane.replied and not record.usage.model_calls:
            raise ProviderError(
                f"{lane.job.chat.config.model} calls the first requests invalid, check its settings: {record.detail}"
            )
        lane.replied = lane.replied or not record.outcome.infrastructure
        async with lane.writing:
            await asyncio.to_thread(lane.store.add, record, trace)
        meter.add(record)
        watch.on_record(record)

    async def work(pool: Pool) -> None:
        while not stop.is_set() and meter.allows_one_more() and (ask := next(pool.asks, None)) is not None:
            try:
                with meter.in_flight():
                    await one(*ask)
            except GivenUpError:
                return
            except Exception as problem:  # noqa: BLE001 - raised below, when the others are safely stored
                problems.append(problem)
                stop.set()

    workers = [work(pool) for pool in pools for _ in range(pool.parallel)]
    await asyncio.gather(*workers)
    if problems:
        raise problems[0]
    if meter.reason and any(next(pool.asks, None) is not None for pool in pools):
        watch.on_limit(meter.reason)


def waiting_until(stop: asyncio.Event, watch: Watch) -> Waiting:
    """Return what is done between two tries of a request: a wait, which is given up when *stop* is set."""
    return Waiting(sleep=partial(_sleep, stop), on_fault=watch.on_fault)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
    raise GivenUpError


async def _ask(job: Job, sample: Sample, attempt: int, waiting: Waiting) -> tuple[Record, Trace]:
    """Ask one sample; whatever happens to it becomes its record."""
    try:
        native = await asyncio.to_thread(job.source.load, sample)
        image = await asyncio.to_thread(job.recipe.slice_of, native, sample)
    except DataError as error:
        return Record(sample=sample, attempt=attempt, outcome=Outcome.UNREADABLE, detail=str(error)), Trace()
    question = question_of(sample, image, job.wording)
    perceives = job.recipe.perceives(job.chat.config.sees)
    given = await answer(
        question,
        job.condition,
        job.chat,
        job.limits,
        perceives=perceives,
        waiting=waiting,
        brief=_brief(job, sample, native),
    )
    return _record(job, sample, attempt, given), given.trace


def question_of(sample: Sample, image: Slice, wording: Wording) -> Question:
    """Return what the agent is asked about a sample: all of it but the truth."""
    return Question(
        template=sample.asks.template,
        image=image,
        description=sample.description,
        label=sample.label,
        landmarks=sample.landmarks,
        measurement=sample.measurement,
        wording=wording,
    )


def brief_of(task: Task, condition: Condition, truth: tuple[tuple[float, float], ...] = ()) -> Brief:
    """Return what an offline policy is told of a task, and, where it is the oracle, of the ground truth."""
    return Brief(
        quantity=task.quantity,
        numbers=len(task.numbers),
        decimals=task.decimals,
        usual=task.usual_answer,
        tools=condition.tools,
        truth=truth,
    )


def _brief(job: Job, sample: Sample, native: NativeImage) -> Brief | None:
    config = job.chat.config
    if not isinstance(config, Offline):
        return None
    points = sample.truth_points if config.name == "oracle" else ()
    height, width = native.values.shape
    return brief_of(sample.asks, job.condition, tuple((point.x / width, point.y / height) for point in points))


def _use(call: ToolCallTrace) -> ToolUse:
    return ToolUse(tool=call.tool, ok=call.ok, seconds=call.seconds, shown=call.shown, picture_shown=call.picture_shown)


def _record(job: Job, sample: Sample, attempt: int, given: Answer) -> Record:
    return Record(
        sample=sample,
        attempt=attempt,
        outcome=given.outcome,
        response=given.response,
        spoken=spoken_in(job.chat.config.frame, given.v0_perceived),
        forced=given.forced,
        detail=given.detail,
        tool_uses=tuple(_use(call) for call in given.trace.tool_calls),
        usage=given.usage,
        cost_usd=given.usage.cost_usd(job.chat.config.prices),
        seconds=round(given.seconds, 4),
        waited_seconds=round(given.waited_seconds, 4),
        failed_tries=given.failed_tries,
        finish_reasons=given.finish_reasons,
        unread_calls=given.unread,
        model_versions=given.model_versions,
        prompt_sha256=given.prompt_sha256,
        prompt_with_tools_sha256=given.prompt_with_tools_sha256,
        v0_sha256=given.v0_sha256,
    )
