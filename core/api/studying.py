"""Studies: prepare one from its file, preview it, and ask its models.

Contract: as for runs (``asking.py``). Each cell of a study is an ordinary run; the same call continues a stopped study.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd
from pydantic import ValidationError

from medvision_agent.agent.checks import standing
from medvision_agent.agent.reader import Reader
from medvision_agent.agent.wire.notices import notices
from medvision_agent.api.loaded import Loaded, PathText
from medvision_agent.api.loop import to_its_end
from medvision_agent.api.progress import RunProgress
from medvision_agent.api.reader import reader_named
from medvision_agent.api.reading import Read, read_runs
from medvision_agent.errors import ConfigError
from medvision_agent.eval.engines.choice import engine_for, number_of, stated
from medvision_agent.eval.findings.find import find
from medvision_agent.eval.findings.model import Findings
from medvision_agent.eval.reading.stored import stored_readings
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.eval.store.database import has_run
from medvision_agent.eval.store.mounts import network_warning
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.arms import stored_arms
from medvision_agent.eval.study.canaries import canary_cells
from medvision_agent.eval.study.cells import Cell, make_cells, tools_file
from medvision_agent.eval.study.designs import expand
from medvision_agent.eval.study.load import read_study
from medvision_agent.eval.study.made import check_made, with_truth_told
from medvision_agent.eval.study.noise import without_noise
from medvision_agent.eval.study.parity import ContrastCard, Problem, check_identities, study_parity
from medvision_agent.eval.study.plan import Plan, arms_begun, make_plan, month_of
from medvision_agent.eval.study.preview import Preview
from medvision_agent.eval.study.preview import preview as preview_plan
from medvision_agent.eval.study.progress import cell_progress, progress
from medvision_agent.eval.study.run import execute_study
from medvision_agent.eval.study.schema import Study
from medvision_agent.frozen import complaint
from medvision_agent.tools.registry import registry_of

__all__ = ["Ablated", "LaidOut", "ablate", "ask_study", "lay_out", "preview", "read_study_again"]


@dataclass(frozen=True, eq=False)
class LaidOut:
    """A valid study, ready to be asked: its plan, its runs and its folder."""

    study: Study
    plan: Plan
    cells: tuple[Cell, ...]
    """The runs of the study: one for each arm, model, source, wording and epoch."""
    canaries: tuple[Cell, ...]
    """Further runs, in no arm: the same few samples asked at several moments, to detect that a service changed."""
    out: Path
    """The study's folder, which may not exist yet."""
    budget: Budget
    """The limits of the study in US dollars, tokens and seconds."""
    models_file: Path | None = None
    """File of the user's own models."""

    @property
    def protocol(self) -> Protocol:
        """The protocol that the study declares."""
        return protocol_named(self.study.protocol)


@dataclass(frozen=True, eq=False)
class Ablated(Loaded):
    """A study whose models were just asked, as it is stored now."""

    plan: Plan
    left: int
    """Number of samples, over all runs, that the same call would ask: not tried yet, or without a result so far."""
    used_up: str
    """The limit that stopped the study; empty if none did."""
    interrupted: bool
    """Whether a KeyboardInterrupt stopped the study."""
    problems: Sequence[Problem]
    """Differences that arms of a contrast must not have; such arms cannot be compared."""
    cards: Sequence[ContrastCard]
    """For each contrast without problems: what is proven, assumed and unknowable about the equality of its two arms."""

    @property
    def no_claim(self) -> Sequence[str]:
        """A headline for each arm that is no evidence about tools, with the reason; empty if every arm is evidence."""
        return [line for arm in stored_arms(self.plan, self.path) for line in arm.no_claim]

    @property
    def progress(self) -> Sequence[str]:
        """Headlines: why there is no verdict yet, or which interim analyses took place; empty at the planned end."""
        arms = stored_arms(self.plan, self.path)
        cells = [cell_progress(self.plan, *one) for arm in arms for one in zip(arm.cells, arm.runs, strict=True)]
        return progress(self.plan, cells).lines()

    def noise(self, rules: Protocol | None = None) -> list[str]:
        """Return sentences for the differences between arms that are larger than that between two identical runs.

        Identical runs are arms of the kind `repeat`; empty for a study without them. The caveats of ``findings`` name
        the smaller differences. *rules* are by default those that the study declares.
        """
        from medvision_agent.eval.report.floor import floor_lines  # noqa: PLC0415 - needed by few studies

        return floor_lines(self.path, rules or protocol_named(self.plan.protocol))

    def findings(self, protocol: str | None = None) -> list[Findings]:
        """Return the findings for each source: the answer in words, a row for each task and contrast, the caveats.

        *protocol* names the scoring rules; by default those that the study declares.
        """
        return find([self.path], protocol_named(protocol) if protocol else None)

    def tool_paths(self) -> pd.DataFrame:
        """Return a row for each arm with tools: how often its tools were declared, called, answered and shown."""
        arms = ((arm.name, arm.tool_path) for arm in stored_arms(self.plan, self.path))
        return pd.DataFrame({"arm": name, **path.model_dump()} for name, path in arms if path is not None)


def ablate(
    study: PathText,
    out: PathText | None = None,
    *,
    tools_from: PathText | None = None,
    budget: Budget | Mapping[str, Any] | None = None,
    probe: bool = True,
    processes: int | None = None,
    engine: Literal["local", "ray"] | None = None,
    address: str | None = None,
    gpus: float | None = None,
    progress: bool = True,
) -> Ablated:
    """Ask every model of a study file under every arm, concurrently, and return the study as stored.

    The same call with the same *out* continues where it stopped.

    Args:
        study: The study file (docs/studies.md).
        out: The study's folder; by default a new one in ``studies/``, named by time and study.
        tools_from: A Python file of the user's own tools, instead of the one that the study names.
        budget: Limits ``usd``, ``tokens`` and ``seconds``; each replaces that of the file.
        probe: First check that declarations of tools reach the models.
        processes: Number of processes that ask, as in ``run``; it replaces that of the file, as do the next three.
        engine: Where these processes run: on this machine (``local``) or on a Ray cluster (``ray``).
        address: Address of the Ray cluster.
        gpus: Number of GPUs that each process of the cluster takes.
        progress: Show the progress on the error stream.

    Raises the same errors as ``run``.
    """
    workers = {"processes": processes, "engine": engine, "address": address, "gpus": gpus}
    laid = lay_out(study, out, tools_from=tools_from, budget=budget, probe=probe, workers=workers)
    done = ask_study(laid, progress=progress)
    if done.interrupted:
        raise KeyboardInterrupt
    read_study_again(laid, progress=progress)
    return done


def preview(
    study: PathText,
    *,
    tools_from: PathText | None = None,
    pilots: Sequence[PathText] = (),
    budget: Budget | Mapping[str, Any] | None = None,
    probe: bool = True,
) -> Preview:
    """Return a study's number of requests, likely cost, and smallest detectable difference; no model is asked.

    *pilots* are folders of one or two stored runs from which the spread of the loss and the tokens per sample are
    estimated. *study*, *tools_from*, *budget* and *probe* are those of ``ablate``.
    """
    laid = lay_out(study, tools_from=tools_from, budget=budget, probe=probe, asking=False)
    return preview_plan(laid.plan, laid.cells, laid.protocol, [Path(pilot) for pilot in pilots], laid.canaries)


def lay_out(
    study: PathText,
    out: PathText | None = None,
    *,
    tools_from: PathText | None = None,
    budget: Budget | Mapping[str, Any] | None = None,
    probe: bool = True,
    workers: Mapping[str, Any] = MappingProxyType({}),
    asking: bool = True,
) -> LaidOut:
    """Return a study with the settings of all its runs checked; nothing is written and no model is asked.

    Without *asking*, models need not be ready to be asked (API keys, packages). Settings of *workers* that are not None
    replace those of the file. The other arguments are those of ``ablate``. Raises ConfigError or DataError if the file
    or a run that it plans is not valid.
    """
    file = Path(study)
    read = read_study(file)
    if tools_from is not None:
        read = read.but(tools_from=Path(tools_from).absolute())
    read = read if probe else read.but(probe=False)
    read = read.but(**{name: value for name, value in workers.items() if value is not None})
    protocol_named(read.protocol)
    folder, bounds = Path(out) if out is not None else _default_folder(read.name), _bounds(read, budget)
    month = month_of(folder)
    try:
        registry = registry_of(tools_file(read, file.parent), month, segmenter=read.base.segmenter)
        arms, contrasts = arms_begun(folder, read) or expand(read, registry)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None
    reader, own_models = _reader(read, file, bounds)
    try:
        cells = make_cells(read, arms, home=file.parent, out=folder, budget=bounds, month=month, asking=asking)
        check_made(arms, cells)
        cells = with_truth_told(arms, cells)
        plan = make_plan(read, arms, contrasts, cells, folder, month=month, reader=reader)
        check_identities(plan, cells)
        canaries = canary_cells(read.canaries, cells, folder, asking=asking)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None
    return LaidOut(read, plan, cells, canaries, folder, bounds, own_models)


def _reader(study: Study, file: Path, budget: Budget) -> tuple[Reader | None, Path | None]:
    """Return the reader that a study names, with its current model and prompt, and the file of the user's models."""
    models_file = file.parent / study.models_file if study.models_file else None
    if study.reader is None:
        return None, models_file
    try:
        return Reader.of(study.reader, reader_named(study.reader, models_file, budget.usd)), models_file
    except ConfigError as error:
        raise ConfigError(f"{file}: reader: {error}") from None


def read_study_again(laid: LaidOut, *, progress: bool = True) -> list[Read]:
    """Have the study's reader, a second model, read the responses of all runs, and return both readings of each run.

    Returns an empty list if the study names no reader, or no run has begun. The reader is not asked for what it read
    before. It may spend what the study's cost limit leaves after all runs and all earlier readings.
    """
    reader = laid.study.reader
    folders = [cell.folder for cell in laid.cells if has_run(cell.folder)]
    if reader is None or not folders:
        return []
    most = laid.budget.usd
    if most is not None:
        canaries = [cell.folder for cell in laid.canaries if has_run(cell.folder)]
        most -= sum(open_run(folder).spent_usd or 0.0 for folder in (*folders, *canaries))
        most -= sum(stored_readings(folder).spent_usd for folder in folders)
    return read_runs(
        folders,
        reader,
        protocol=laid.study.protocol,
        models_file=laid.models_file,
        most_usd=most,
        progress=progress,
    )


def ask_study(laid: LaidOut, *, progress: bool) -> Ablated:
    """Ask the unfinished samples of a study, and return the study as stored.

    A KeyboardInterrupt is not raised: ``Ablated.interrupted`` tells of it.
    """
    plan, cells, out, used_up = laid.plan, laid.cells, laid.out, list[str]()
    asked = (*cells, *laid.canaries)
    every = sum(len(cell.prepared.samples) for cell in asked)
    rows = {cell.prepared.identity.model_name: cell.prepared.model for cell in cells}
    runs = [cell.prepared for cell in asked]
    lines = list(dict.fromkeys(line for cell in cells for line in notices(cell.prepared.model)))
    lines += [line for name, row in rows.items() for line in standing(name, row)]
    lines += stated(number_of(runs), runs[0].settings)
    lines += without_noise(plan.arms, laid.study.epochs, cells)
    lines += dict.fromkeys(line for cell in cells if (found := cell.prepared.checked) for line in found.said())
    lines += [f"arm {cell.arm}: {line}" for cell in cells for line in cell.prepared.not_asked()]
    if warning := network_warning(out):
        lines.append(warning)
    with RunProgress(laid.protocol, shown=progress) as shown:

        def start(pending: int) -> None:
            canaries = f" and {len(laid.canaries)} runs of canaries" if laid.canaries else ""
            shown.say(f"writing to {out}: {len(cells)} cells{canaries}, {pending} of {every} samples left")
            shown.begin(pending, laid.study.name)

        async def work(stop: asyncio.Event) -> int:
            watch = shown.watch(on_limit=used_up.append)
            async with shown.ticking(), engine_for(runs, stop) as engine:
                return await execute_study(
                    plan, asked, out, budget=laid.budget, watch=watch, stop=stop, on_start=start, engine=engine
                )

        for line in dict.fromkeys(lines):
            shown.say(line)
        left, interrupted = to_its_end(work, shown.interrupted)
    folders = {cell.folder.relative_to(out).as_posix(): cell.folder for cell in cells}
    parity, stopped_by = study_parity(out), "".join(used_up)
    return Ablated(out, "study", folders, plan, left, stopped_by, interrupted, parity.problems, parity.cards)


def _bounds(study: Study, given: Budget | Mapping[str, Any] | None) -> Budget:
    """Return the study's budget, with its limits overridden by *given*."""
    values = given.model_dump() if isinstance(given, Budget) else dict(given or {})
    try:
        return Budget.model_validate(
            study.budget.model_dump() | {name: value for name, value in values.items() if value is not None}
        )
    except ValidationError as error:
        raise ConfigError(f"budget.{complaint(error, of=Budget)}") from None


def _default_folder(name: str) -> Path:
    """Return a folder in ``studies/`` named by the present time and the study; it is not created."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return Path("studies") / f"{stamp}-{name}"
