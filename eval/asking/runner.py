"""The runner: asks the pending samples of runs, a bounded number at a time, and stores each as it ends.

One event loop, one client for each model. When *stop* is set, samples in flight are finished and stored, and no new
one is started. A ProviderError stops the run the same way and is raised at the end.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from medvision_agent.agent.answer import Answer, answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.models import Offline
from medvision_agent.agent.policies.policy import Brief
from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.trace import ToolCallTrace, Trace
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.agent.words.question import Question, Wording
from medvision_agent.errors import DataError
from medvision_agent.eval.asking.breaker import Breaker
from medvision_agent.eval.asking.crashes import suspect, without_fatal
from medvision_agent.eval.asking.enlarge import enlarged_question
from medvision_agent.eval.asking.heap import settled_heap
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pool import Ask, Job, Lane, Pool
from medvision_agent.eval.data.outline import outline_of
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.eval.scorer.spoken import spoken_in
from medvision_agent.eval.store.record import Donor, Enlarged, Record, ToolUse
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.write import RunStore
from medvision_agent.eval.tasks import Task
from medvision_agent.tools.segment.truth import Truth
from medvision_agent.tools.view.display import check_drawable
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.slice import Slice

__all__ = ["Watch", "brief_of", "question_of", "run_pools", "run_samples", "waiting_until"]


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
    todo = without_fatal(store, run, watch.on_record)
    lane = Lane(job, store, Breaker(job.chat.config.model, run.samples, run.records))
    asks: list[Ask] = [(lane, sample, attempt) for sample, attempt in todo]
    pool = Pool(deque(ask for ask in asks if not suspect(ask)), parallel, deque(filter(suspect, asks)))
    await run_pools([pool], meter, watch=watch, stop=stop)


async def run_pools(pools: Sequence[Pool], meter: Meter, *, watch: Watch, stop: asyncio.Event) -> None:
    """Ask all that the pools hold, side by side, and store each record in the run of its lane.

    Suspects, in flight at deaths of the program, come first, one after the other over all pools. A sample that waits
    for its next try when *stop* is set is given up: it stays pending, with what it took on record. Where *meter* finds
    a budget used up no further sample is started, and *watch* hears of it.
    """
    asking = _Asking(meter, watch, stop)
    with settled_heap():
        for pool in pools:
            while pool.alone and await asking.next_of(pool):
                pass
        await asyncio.gather(*(asking.work(pool) for pool in pools for _ in range(pool.parallel)))
    if asking.problems:
        raise asking.problems[0]
    if meter.reason and any(pool.left() for pool in pools):
        watch.on_limit(meter.reason)


@dataclass(eq=False)
class _Asking:
    """What the workers of all pools have in common."""

    meter: Meter
    watch: Watch
    stop: asyncio.Event
    problems: list[Exception] = field(default_factory=list[Exception])

    async def work(self, pool: Pool) -> None:
        """Ask one sample after the other until nothing is left, or no further one may be started."""
        while await self.next_of(pool):
            pass

    async def next_of(self, pool: Pool) -> bool:
        """Ask what is next, and say whether to go on."""
        try:
            async with pool.turn(self._may) as ask:
                if ask is None:
                    return False
                with self.meter.in_flight():
                    await self._one(pool, ask)
        except GivenUpError:
            return False
        except Exception as problem:  # noqa: BLE001 - raised when the others are safely stored
            self.problems.append(problem)
            self.stop.set()
        return True

    def _may(self) -> bool:
        return not self.stop.is_set() and self.meter.allows_one_more()

    async def _one(self, pool: Pool, ask: Ask) -> None:
        lane, sample, attempt = ask
        made = lane.draws.made(sample, attempt) if lane.draws else None
        with lane.store.in_flight.asking(sample.id):
            waiting = waiting_until(self.stop, self.watch)
            record, trace = made or await _ask(lane.job, sample, attempt, waiting)
            if lane.breaker.too_early(record):
                pool.waiting.append((ask, record))
                return
            if lane.draws and made is None:
                record = lane.draws.part(record)
            await lane.store.add_async(record, trace)
        if made is None:
            self.meter.add(record)
        if lane.draws and record.part:
            lane.draws.add(record)
            pool.asks.appendleft((lane, sample, attempt + 1))
        else:
            self.watch.on_record(record)
        for again in lane.breaker.hear(record):
            pool.alone.append((lane, again.sample, again.attempt + 1))
        following = [ask for follow in lane.followers for ask in follow(record)]
        pool.asks.extendleft(reversed(following))


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
        own = await asyncio.to_thread(job.recipe.slice_of, native, sample)
        image, donor = await asyncio.to_thread(job.pictures.given, own, sample, job.source, job.recipe)
        check_drawable(image.size, job.wording.display)
    except DataError as error:
        return Record(sample=sample, attempt=attempt, outcome=Outcome.UNREADABLE, detail=str(error)), Trace()
    question = question_of(sample, image, job.wording, shows_picture=job.pictures.kind != "none")
    if job.results is not None:
        question = replace(question, results=await asyncio.to_thread(job.results, sample.id))
    perceives, condition = job.recipe.perceives(job.chat.config.sees), job.condition_of(sample)
    enlarged: Enlarged | None = None
    if job.pixels is not None:
        pixels = await asyncio.to_thread(job.pixels, sample.id)
        question, enlarged = await asyncio.to_thread(
            enlarged_question, question, pixels, condition, job.chat.config, perceives
        )
    given = await answer(
        question,
        condition,
        job.chat,
        job.limits,
        perceives=perceives,
        waiting=waiting,
        brief=_brief(job, sample, native),
        truth=_truth(job, sample, native, image),
    )
    order = () if job.tool_order is None else tuple(tool.name for tool in condition.tools)
    record = _record(job, sample, attempt, given, donor, tool_order=order)
    return record.model_copy(update={"enlarged": enlarged}), given.trace


def question_of(sample: Sample, image: Slice, wording: Wording, *, shows_picture: bool = True) -> Question:
    """Return what the agent is asked about a sample: all of it but the truth."""
    return Question(
        template=sample.asks.template,
        image=image,
        description=sample.description,
        label=sample.label,
        landmarks=sample.landmarks,
        measurement=sample.measurement,
        asks_box=sample.asks.is_box,
        wording=wording,
        shows_picture=shows_picture,
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


def _truth(job: Job, sample: Sample, native: NativeImage, image: Slice) -> Truth | None:
    """Return the true outline where tools of the condition are told it, and None for all others."""
    if not job.condition.told_truth:
        return None
    outline = outline_of(sample, Size(*native.values.shape), image.size)
    return None if outline is None else Truth(outline, sample.id)


def _use(call: ToolCallTrace) -> ToolUse:
    return ToolUse(tool=call.tool, ok=call.ok, seconds=call.seconds, shown=call.shown, picture_shown=call.picture_shown)


def _record(
    job: Job, sample: Sample, attempt: int, given: Answer, donor: Donor | None, *, tool_order: tuple[str, ...]
) -> Record:
    requests = given.trace.requests
    return Record(
        sample=sample,
        attempt=attempt,
        outcome=given.outcome,
        response=given.response,
        as_written=given.as_written,
        spoken=spoken_in(job.chat.config.frame, given.v0_perceived),
        donor=donor,
        forced=given.forced,
        handed=given.handed,
        thinking_budget=job.thinking_budget,
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
        fingerprints=tuple(dict.fromkeys(one.fingerprint for one in requests if one.fingerprint)),
        asked_at=requests[0].asked_at if requests else "",
        last_asked_at=requests[-1].asked_at if requests else "",
        prompt_sha256=given.prompt_sha256,
        prompt_with_tools_sha256=given.prompt_with_tools_sha256,
        v0_sha256=given.v0_sha256,
        tool_order=tool_order,
    )
