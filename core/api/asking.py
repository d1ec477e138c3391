"""Asking: a run from its settings, a stored run once more, and what either might cost.

Contract: what was finished is stored, however a call ends. With ``progress`` the error stream shows what goes on;
nothing is printed otherwise. A first KeyboardInterrupt lets the samples in flight finish, a second one stops at once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from medvision_agent.agent.checks import standing
from medvision_agent.agent.wire.notices import notices
from medvision_agent.api.loaded import Loaded, PathText
from medvision_agent.api.loop import to_its_end
from medvision_agent.api.progress import RunProgress
from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.asking.estimate import Estimate
from medvision_agent.eval.asking.estimate import estimate as estimate_prepared
from medvision_agent.eval.asking.launch import Prepared, execute, prepare
from medvision_agent.eval.asking.rerun import changes, settings_of
from medvision_agent.eval.engines.choice import engine_for, number_of, stated
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.mounts import network_warning
from medvision_agent.eval.store.provenance import libraries
from medvision_agent.eval.store.read import has_run, open_run, read_config
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.frozen import complaint

__all__ = ["Ran", "ask", "ask_again", "default_folder", "estimate", "rerun", "run"]


@dataclass(frozen=True, eq=False)
class Ran(Loaded):
    """A run that was asked, as it is stored now."""

    run: Run
    used_up: str
    """Which limit of the run stopped it; empty where none did."""
    interrupted: bool
    """Whether a KeyboardInterrupt stopped it."""

    @property
    def unanswered(self) -> Sequence[Record]:
        """The samples that never got a reply: ``resume`` asks them again, but for those set aside."""
        return [record for record in self.run.records if record.outcome.infrastructure]

    @property
    def left(self) -> int:
        """How many samples ``resume`` would ask."""
        return len(self.run.pending())


def run(settings: Settings | None = None, /, *, progress: bool = True, **given: Any) -> Ran:
    """Ask a model the samples of a source, and return the run as stored.

    Give the fields of ``Settings``, by name or as a ``Settings``, or both: names go before it.

        mva.run(model="baseline-cv", tools="off", selection={"limit": 5}, out="runs/off")

    Raises a MedVisionAgentError before the first request where the settings cannot be used, ProviderError (after
    storing what was in flight) where the provider refuses to work, and KeyboardInterrupt after an interruption.
    """
    return _whole(ask(_settings(settings, given), progress=progress))


def rerun(stored: PathText, out: PathText, *, progress: bool = True, **given: Any) -> Ran:
    """Ask once more what a stored run asked, into the folder *out*, and return the new run.

    Fields of ``Settings`` that are given replace those the run stored. Raises what ``run`` does.
    """
    before = open_run(Path(stored))
    settings = _settings(settings_of(before, Path(out)), {**given, "out": out})
    return _whole(ask_again(before, settings, progress=progress))


def estimate(settings: Settings | None = None, /, *, pilot: PathText | None = None, **given: Any) -> Estimate:
    """Return what ``run`` would ask with these settings and what that might cost; nothing is asked.

    The costs go by rules of thumb, or by what the stored run *pilot* took.
    """
    prepared = prepare(_settings(settings, given), asking=False)
    return estimate_prepared(prepared, open_run(Path(pilot)) if pilot is not None else None)


def ask(settings: Settings, *, progress: bool, rules: Protocol | None = None) -> Ran:
    """Ask with settings that name their folder; an interruption is told by the result.

    The loss in the progress is by *rules*, or by the default protocol.
    """
    prepared = prepare(settings)
    return _asked(prepared, _said_first(prepared), progress=progress, rules=rules)


def ask_again(before: Run, settings: Settings, *, progress: bool, rules: Protocol | None = None) -> Ran:
    """Ask with settings made of those of a stored run, as ``ask`` does; what differs all the same is said first."""
    prepared = prepare(settings)
    changed = changes(before.identity, prepared.identity)
    lines = [f"not as in {before.folder}: {', '.join(changed)}"] if changed else []
    return _asked(prepared, [*lines, *_said_first(prepared)], progress=progress, rules=rules)


def default_folder(settings: Settings) -> Path:
    """Return a folder named by time, model and tools; only letters a file system takes."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    name = f"{settings.model}-tools-{settings.tools}"
    safe = "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in name)
    return Path("runs") / f"{stamp}-{safe[:80]}"


def _asked(prepared: Prepared, lines: Sequence[str], *, progress: bool, rules: Protocol | None) -> Ran:
    used_up, out = list[str](), prepared.settings.out
    lines = [*lines, *stated(number_of([prepared]), prepared.settings)]
    if warning := network_warning(out):
        lines = [*lines, warning]
    with RunProgress(rules, shown=progress) as shown:

        def start(run: Run) -> None:
            shown.say(f"writing to {run.folder}")
            shown.begin(len(run.pending()), run.identity.model_name)

        async def work(stop: asyncio.Event) -> Run:
            watch = shown.watch(on_start=start, on_limit=used_up.append)
            async with shown.ticking(), engine_for([prepared], stop) as engine:
                return await execute(prepared, watch=watch, stop=stop, engine=engine)

        for line in (*lines, *prepared.warnings()):
            shown.say(line)
        run, interrupted = to_its_end(work, shown.interrupted)
    return Ran(out, "run", {out.resolve().name: out}, run, "".join(used_up), interrupted)


def _said_first(prepared: Prepared) -> list[str]:
    """Return what a user must know before the first request, a line each."""
    name, model = prepared.settings.model, prepared.model
    return [*notices(model), *standing(name, model), *_upgrades(prepared)]


def _whole(ran: Ran) -> Ran:
    """Return a run that was not interrupted, or go on with the interruption now that all is stored."""
    if ran.interrupted:
        raise KeyboardInterrupt
    return ran


def _settings(base: Settings | None, given: dict[str, Any]) -> Settings:
    """Return settings with a folder; raises ConfigError naming what is wrong."""
    for name in given.keys() - Settings.model_fields.keys():
        known = Settings.model_fields
        raise ConfigError(f"unknown setting {name!r}; known: {', '.join(known)}.{nearest(name, known)}")
    if "model" in given or "models_file" in given:
        given = {"row": None, **given}  # another model takes the place of the row
    try:
        settings = Settings(**given) if base is None else base.but(**given)
    except ValidationError as error:
        raise ConfigError(complaint(error, of=Settings)) from None
    placed = "out" in given or settings.out != Settings.model_fields["out"].default
    if settings.resume and not placed:
        raise ConfigError("resume needs out: the folder of the run to continue")
    return settings if placed else settings.but(out=default_folder(settings))


def _upgrades(prepared: Prepared) -> list[str]:
    """Return a line for each library that is not of the version the run to be resumed began with."""
    settings = prepared.settings
    if not settings.resume or not has_run(settings.out):
        return []
    began, now = read_config(settings.out)["libraries"], libraries()
    return [
        f"{name} is {now.get(name, 'not installed')}; this run began with {began.get(name, 'none recorded')}"
        for name in sorted(began.keys() | now.keys())
        if began.get(name) != now.get(name)
    ]
