"""Running a study: all cells side by side, sample by sample, so that a provider's drift hits all arms alike.

Contract: each cell is an ordinary run folder, with all its promises: a sample reported as done is on disk, and a study
that is killed repeats at most the samples in flight. For each sample all cells are asked before the next one; which
cell comes first changes from sample to sample. A study with planned looks asks subject by subject in random order
(``looks``). Sources come one after the other, each with its canaries. Each model has its own connections; the models
run side by side. The budget is that of the whole study.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.errors import ConfigError, ProviderError, StorageError
from medvision_agent.eval.asking.breaker import Breaker
from medvision_agent.eval.asking.crashes import suspect, without_fatal
from medvision_agent.eval.asking.launch import check_pictures, job_of
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pool import Ask, Lane, Pool
from medvision_agent.eval.asking.probing import Probed, Probing
from medvision_agent.eval.asking.runner import Watch, run_pools
from medvision_agent.eval.compare.drift import MOMENTS
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.eval.store.read import STUDY, has_run, open_run
from medvision_agent.eval.store.write import RunStore
from medvision_agent.eval.study.cells import Cell
from medvision_agent.eval.study.looks import by_subject
from medvision_agent.eval.study.plan import Plan, settle, widest

__all__ = ["execute_study", "interleaved"]

Attempts = Mapping[str, int]
"""The samples of a cell still to be asked, each with the number of its next attempt."""


@dataclass(frozen=True, eq=False)
class _Open:
    """A cell whose run is open for writing."""

    cell: Cell
    store: RunStore
    todo: Attempts
    breaker: Breaker
    probe: ToolProbe | None
    """What an earlier session found of the tools' declarations."""


async def execute_study(
    plan: Plan,
    cells: Sequence[Cell],
    out: Path,
    *,
    budget: Budget,
    watch: Watch,
    stop: asyncio.Event,
    on_start: Callable[[int], None],
) -> int:
    """Create the study or go on with it, ask what is pending, and return how many samples are still left.

    Raises StorageError before the first request if the folder cannot be used or holds another study, ProviderError
    (after storing what was in flight) if a provider refuses to work, ConfigError if a model turns out unfit when it is
    opened; a new study that holds nothing by then is taken away again. *on_start* hears how many samples are pending.
    """
    new = not settle(out, plan)
    meter, opened = Meter(budget), list[_Open]()
    async with AsyncExitStack() as stack:
        try:
            for cell in cells:
                check = not any(_sends_the_same(one.cell, cell) for one in opened)
                opened.append(_open(cell, out, meter, stack, check=check))
            on_start(sum(len(one.todo) for one in opened))
            probing = Probing([one.probe for one in opened], meter, watch, stop)
            models = dict.fromkeys(cell.model for cell in cells)
            groups = [[one for one in opened if one.cell.model == name] for name in models]
            pools = [await _pool(group, stack, probing, plan.study) for group in groups]
            meter.start()
            await run_pools(pools, meter, watch=watch, stop=stop)
        except (ProviderError, ConfigError):
            _discard(opened, out, new=new)
            raise
    return sum(len(open_run(one.cell.folder).pending()) for one in opened)


def interleaved(lanes: Sequence[tuple[Lane, Attempts]], samples: Sequence[Sample], first: int = 0) -> Iterator[Ask]:
    """Yield what is pending: for each sample all lanes, beginning with another one each time.

    *first* is how many samples stand before these.
    """
    for position, sample in enumerate(samples, first):
        for step in range(len(lanes)):
            lane, todo = lanes[(position + step) % len(lanes)]
            if sample.id in todo:
                yield lane, sample, todo[sample.id]


def _sends_the_same(a: Cell, b: Cell) -> bool:
    """Say whether two cells send the same pictures of their samples."""
    return (a.source, a.prepared.pictures.kind) == (b.source, b.prepared.pictures.kind)


def _with_canaries(
    lanes: Sequence[tuple[Lane, Attempts]], samples: Sequence[Sample], canaries: Mapping[str, tuple[Lane, Attempts]]
) -> Iterator[Ask]:
    """Yield what is pending of a source: its arms in two halves, and canaries before, between and after them."""
    half = len(samples) // 2
    parts = (samples[:half], 0), (samples[half:], half), ((), 0)
    for moment, (part, first) in zip(MOMENTS, parts, strict=True):
        yield from interleaved([canaries[moment]] if moment in canaries else [], samples)
        yield from interleaved(lanes, part, first)


def _open(cell: Cell, out: Path, meter: Meter, stack: AsyncExitStack, *, check: bool) -> _Open:
    """Create or resume a cell's run, count what it took, and keep only what is left to do of it."""
    prepared = cell.prepared
    try:
        if not has_run(cell.folder):
            config = prepared.config() | {"arm": cell.arm, "epoch": cell.epoch}
            config |= {"canary": cell.canary} if cell.canary else {}
            store = RunStore.create(cell.folder, prepared.samples, prepared.identity, config)
        else:
            store = RunStore.resume(cell.folder, prepared.identity)
    except StorageError as error:
        raise type(error)(f"{cell.name}: {error}") from None
    stack.callback(store.close)
    store.shared = out  # all cells send the same pictures
    run = open_run(cell.folder)
    if check:  # cells that send the same pictures are looked at once
        check_pictures(prepared, run)
    for record in (*run.records, *run.superseded):
        meter.add(record)
    if run.probe is not None:
        meter.probed(run.probe)
    todo = {sample.id: attempt for sample, attempt in without_fatal(store, run, meter.add)}
    return _Open(cell, store, todo, Breaker(cell.model, run.samples, run.records), run.probe)


async def _pool(opened: Sequence[_Open], stack: AsyncExitStack, probing: Probing, study: Mapping[str, Any]) -> Pool:
    """Open the model of these cells, once for each way of opening it, probe it, and line up what is asked of it."""
    chats, lanes = dict[bool, Chat](), dict[str, list[tuple[Lane, Attempts]]]()
    canaries = dict[str, dict[str, tuple[Lane, Attempts]]]()
    if not any(one.todo for one in opened):
        return Pool(iter(()), 0)
    for one in opened:
        prepared, code = one.cell.prepared, one.cell.prepared.condition.provider_code
        config = prepared.model.model_copy(update={"max_connections": prepared.parallel})
        if code not in chats:
            chats[code] = await stack.enter_async_context(open_model(config, provider_code=code))
        # All cells of a model keep its limits per minute together; each speaks its own coordinate convention.
        chat = chats[code].beside(next(iter(chats.values())), config)
        lane = Lane(job_of(prepared, chat), one.store, one.breaker)
        if one.todo:
            probed = Probed(lane.job, one.store, prepared.identity, one.probe, wanted=prepared.settings.probe)
            await probing.settle(probed)
        if one.cell.canary:
            canaries.setdefault(one.cell.source, {})[one.cell.canary] = lane, one.todo
        else:
            lanes.setdefault(one.cell.source, []).append((lane, one.todo))
    cells = [one.cell for one in opened if not one.cell.canary]
    samples = {source: widest(cells, source).prepared.samples for source in lanes}
    if study.get("looks"):
        samples = {source: by_subject(own, study["seed"]) for source, own in samples.items()}
    asks = list(
        chain.from_iterable(
            _with_canaries(own, samples[source], canaries.get(source, {})) for source, own in lanes.items()
        )
    )
    others = iter([ask for ask in asks if not suspect(ask)])
    return Pool(others, opened[0].cell.prepared.parallel, deque(filter(suspect, asks)))


def _discard(opened: Sequence[_Open], out: Path, *, new: bool) -> None:
    """Take runs without a record away again, and with the last of them a study that was new."""
    for one in opened:
        one.store.discard_if_empty()
    if new and not any(one.cell.folder.exists() for one in opened):
        (out / STUDY).unlink(missing_ok=True)
        for folder in (*{one.cell.folder.parent for one in opened}, out):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
