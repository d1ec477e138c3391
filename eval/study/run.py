"""Running a study: all cells side by side, sample by sample, so that a provider's drift affects all arms equally.

Contract: each cell is an ordinary run folder, with all its promises: a sample reported as done is on disk, and a study
that is killed repeats at most the samples in flight. For each sample all cells are asked before the next one; the first
cell changes from sample to sample, except that a cell made from another cell's answers follows that cell (``made.py``).
A study with planned looks asks subject by subject in random order (``looks``). Sources come one after the other, each
with its canaries. Each model has its own connections; the models run side by side. The budget is that of the whole
study.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.errors import ConfigError, ProviderError
from medvision_agent.eval.asking.crashes import without_suspects
from medvision_agent.eval.asking.engine import HERE, Engine, LeasingEngine
from medvision_agent.eval.asking.launch import job_of
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pool import Ask, Asks, Lane, Pool
from medvision_agent.eval.asking.probing import Probed, Probing
from medvision_agent.eval.asking.runner import Watch, run_pools
from medvision_agent.eval.compare.drift import MOMENTS
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.eval.store.read import STUDY, open_run
from medvision_agent.eval.store.refused import what_resuming_loses
from medvision_agent.eval.study.cells import Cell
from medvision_agent.eval.study.looks import by_subject
from medvision_agent.eval.study.made import ready
from medvision_agent.eval.study.opened import Attempts, Opened, open_cell
from medvision_agent.eval.study.plan import Plan, settle, widest

__all__ = ["execute_study", "interleaved"]


async def execute_study(
    plan: Plan,
    cells: Sequence[Cell],
    out: Path,
    *,
    budget: Budget,
    watch: Watch,
    stop: asyncio.Event,
    on_start: Callable[[int], None],
    engine: Engine | LeasingEngine = HERE,
) -> int:
    """Create or continue the study, ask what is pending, and return how many samples are still left.

    *on_start* is called with the number of pending samples; no sample is begun once *stop* is set. Raises StorageError
    before the first request if the folder *out* cannot be used or holds another study, ProviderError (after storing
    what was in flight) if a provider refuses to work, ConfigError if a model proves unsuitable when it is opened; a new
    study that is still empty is then removed.
    """
    new = not settle(out, plan)
    meter, opened = Meter(budget), list[Opened]()
    async with AsyncExitStack() as stack:
        try:
            for cell in cells:
                check = not any(_sends_the_same(one.cell, cell) for one in opened)
                opened.append(open_cell(cell, out, meter, stack, check=check))
            on_start(sum(len(one.todo) for one in opened))
            for store in (one.store for one in opened):
                for refused in store.refusals():
                    watch.on_note(what_resuming_loses(store.folder, refused))
            probing = Probing([one.run.probe for one in opened], meter, watch, stop)
            models = dict.fromkeys(cell.model for cell in cells)
            groups = [[one for one in opened if one.cell.model == name] for name in models]
            pools = [await _pool(group, plan, stack, probing) for group in groups]
            meter.start()
            await run_pools(pools, meter, watch=watch, stop=stop, engine=engine)
        except (ProviderError, ConfigError):
            _discard(opened, out, new=new)
            raise
    return sum(len(open_run(one.cell.folder).pending()) for one in opened)


def interleaved(lanes: Sequence[tuple[Lane, Attempts]], samples: Sequence[Sample], first: int = 0) -> Iterator[Ask]:
    """Yield the pending samples: each sample in all lanes (runs), starting with a different lane each time.

    *first* is the number of samples that came before *samples*.
    """
    for position, sample in enumerate(samples, first):
        for step in range(len(lanes)):
            lane, todo = lanes[(position + step) % len(lanes)]
            if sample.id in todo:
                yield lane, sample, todo[sample.id]


def _sends_the_same(a: Cell, b: Cell) -> bool:
    """Return whether two cells send the same images for their samples."""
    return (a.source, a.prepared.pictures.kind) == (b.source, b.prepared.pictures.kind)


def _with_canaries(
    lanes: Sequence[tuple[Lane, Attempts]], samples: Sequence[Sample], canaries: Mapping[str, tuple[Lane, Attempts]]
) -> Iterator[Ask]:
    """Yield the pending requests of a source: its arms in two halves, with canaries before, between and after."""
    half = len(samples) // 2
    parts = (samples[:half], 0), (samples[half:], half), ((), 0)
    for moment, (part, first) in zip(MOMENTS, parts, strict=True):
        yield from interleaved([canaries[moment]] if moment in canaries else [], samples)
        yield from interleaved(lanes, part, first)


async def _pool(opened: Sequence[Opened], plan: Plan, stack: AsyncExitStack, probing: Probing) -> Pool:
    """Return the queue of the requests of these cells, all of one model, which is opened and probed.

    The model is opened once with the provider's code execution and once without, as far as cells need it.
    """
    chats, lanes = dict[bool, Chat](), dict[Opened, Lane]()
    if not any(one.todo for one in opened):
        return Pool(Asks(), 0)
    for one in opened:
        prepared, code = one.cell.prepared, one.cell.prepared.condition.provider_code
        config = prepared.model.model_copy(update={"max_connections": prepared.parallel})
        if code not in chats:
            elsewhere = prepared.settings.engine != "local"
            opening = open_model(config, provider_code=code, elsewhere=elsewhere)
            chats[code] = await stack.enter_async_context(opening)
        # All cells of a model share its limits per minute; each uses its own coordinate convention.
        chat = chats[code].beside(next(iter(chats.values())), config)
        lanes[one] = lane = Lane(job_of(prepared, chat), one.store, one.breaker)
        if one.todo:
            probed = Probed(lane.job, one.store, prepared.identity, one.run.probe, wanted=prepared.settings.probe)
            await probing.settle(probed)
    by_source, canaries = dict[str, list[tuple[Lane, Attempts]]](), dict[str, dict[str, tuple[Lane, Attempts]]]()
    for one, todo in ready(lanes, plan.arms).items():
        if one.cell.canary:
            canaries.setdefault(one.cell.source, {})[one.cell.canary] = lanes[one], todo
        else:
            by_source.setdefault(one.cell.source, []).append((lanes[one], todo))
    cells = [one.cell for one in opened if not one.cell.canary]
    samples = {source: widest(cells, source).prepared.samples for source in by_source}
    if plan.study.get("looks"):
        samples = {source: by_subject(own, plan.study["seed"]) for source, own in samples.items()}

    def asks() -> Iterator[Ask]:
        for source, own in by_source.items():
            yield from _with_canaries(own, samples[source], canaries.get(source, {}))

    alone, others = without_suspects([one.store for one in opened], asks)
    return Pool(others, opened[0].cell.prepared.parallel, alone)


def _discard(opened: Sequence[Opened], out: Path, *, new: bool) -> None:
    """Remove runs without a record, and the study's folder if it is new and empty."""
    for one in opened:
        one.store.discard_if_empty()
    if new and not any(one.cell.folder.exists() for one in opened):
        (out / STUDY).unlink(missing_ok=True)
        for folder in (*{one.cell.folder.parent for one in opened}, out):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
