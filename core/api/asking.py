"""Ask a model: a run from its settings, or a stored run once more; and estimate the costs.

Contract: finished samples are stored, however a call ends. With ``progress`` the error stream shows the progress;
nothing else is printed. A first KeyboardInterrupt lets the samples in flight finish, a second one stops at once.
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
    """A run whose samples were just asked, as it is stored now."""

    run: Run
    used_up: str
    """The limit that stopped the run; empty if none did."""
    interrupted: bool
    """Whether a KeyboardInterrupt stopped the run."""

    @property
    def unanswered(self) -> Sequence[Record]:
        """Records whose latest attempt ended in an infrastructure failure (``Outcome``), such as a timeout.

        Samples that were not tried yet have no record and are not among them. ``run(resume=True)`` asks these samples
        again, except those with the outcome ``crashed``.
        """
        return [record for record in self.run.each() if record.outcome.infrastructure]

    @property
    def left(self) -> int:
        """Number of samples that ``run(resume=True)`` would ask: those not tried yet, and ``unanswered`` ones."""
        return len(self.run.pending())


def run(settings: Settings | None = None, /, *, progress: bool = True, **given: Any) -> Ran:
    """Ask a model the samples of a source, and return the run as stored.

    Give the fields of ``Settings`` by name, as a ``Settings``, or both: fields by name take precedence. With
    *progress*, the error stream shows the progress.

        mva.run(model="baseline-cv", tools="off", selection={"limit": 5}, out="runs/off")

    Raises a MedVisionAgentError before the first request if the settings cannot be used, ProviderError (after
    storing the samples in flight) if the provider refuses to work, and KeyboardInterrupt after an interruption.
    """
    return _whole(ask(_settings(settings, given), progress=progress))


def rerun(stored: PathText, out: PathText, *, progress: bool = True, **given: Any) -> Ran:
    """Ask the samples of the stored run in folder *stored* once more, and return the new run in the folder *out*.

    The stored run is not changed. Fields of ``Settings`` in *given* replace its settings; with *progress*, the names of
    those that differ are printed first. Raises the same errors as ``run``.
    """
    before = open_run(Path(stored))
    settings = _settings(settings_of(before, Path(out)), {**given, "out": out})
    return _whole(ask_again(before, settings, progress=progress))


def estimate(settings: Settings | None = None, /, *, pilot: PathText | None = None, **given: Any) -> Estimate:
    """Return how many requests ``run`` would make with these settings, and their likely cost; no model is asked.

    The cost is estimated from the tokens per sample of the stored run in the folder *pilot*, or without it by rules of
    thumb. Settings are given as for ``run``, and raise the same errors.
    """
    prepared = prepare(_settings(settings, given), asking=False)
    return estimate_prepared(prepared, open_run(Path(pilot)) if pilot is not None else None)


def ask(settings: Settings, *, progress: bool, rules: Protocol | None = None) -> Ran:
    """Ask a model with these settings, whose ``out`` is the folder of the run, and return the run as stored.

    A KeyboardInterrupt is not raised: ``Ran.interrupted`` tells of it. *rules* score the loss in the progress line; by
    default those of the default protocol.
    """
    prepared = prepare(settings)
    return _asked(prepared, _said_first(prepared), progress=progress, rules=rules)


def ask_again(before: Run, settings: Settings, *, progress: bool, rules: Protocol | None = None) -> Ran:
    """Ask a model like ``ask``, and return the run as stored.

    The names of the *settings* that differ from those of the stored run *before* are printed first.
    """
    prepared = prepare(settings)
    changed = changes(before.identity, prepared.identity)
    lines = [f"settings that differ from {before.folder}: {', '.join(changed)}"] if changed else []
    return _asked(prepared, [*lines, *_said_first(prepared)], progress=progress, rules=rules)


def default_folder(settings: Settings) -> Path:
    """Return a folder in ``runs/`` named by the present time, the model and the tools; it is not created.

    The name has only characters that every file system accepts.
    """
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    name = f"{settings.model}-tools-{settings.tools}"
    safe = "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in name)
    return Path("runs") / f"{stamp}-{safe[:80]}"


def _asked(prepared: Prepared, lines: Sequence[str], *, progress: bool, rules: Protocol | None) -> Ran:
    """Ask the pending samples of a prepared run, and return the run as stored.

    The *lines* are printed first, then further warnings. A KeyboardInterrupt is not raised: ``Ran.interrupted`` tells
    of it.
    """
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
    """Return the warnings before the first request, as lines."""
    name, model = prepared.settings.model, prepared.model
    return [*notices(model), *standing(name, model), *_upgrades(prepared)]


def _whole(ran: Ran) -> Ran:
    """Return the run; raises KeyboardInterrupt, now that all is stored, if it was interrupted."""
    if ran.interrupted:
        raise KeyboardInterrupt
    return ran


def _settings(base: Settings | None, given: dict[str, Any]) -> Settings:
    """Return *base* with the fields in *given*, and with a default folder if no folder is given.

    Raises ConfigError that names the wrong setting.
    """
    for name in given.keys() - Settings.model_fields.keys():
        known = Settings.model_fields
        raise ConfigError(f"unknown setting {name!r}; known settings: {', '.join(known)}.{nearest(name, known)}")
    if "model" in given or "models_file" in given:
        given = {"row": None, **given}  # another model replaces the row
    try:
        settings = Settings(**given) if base is None else base.but(**given)
    except ValidationError as error:
        raise ConfigError(complaint(error, of=Settings)) from None
    placed = "out" in given or settings.out != Settings.model_fields["out"].default
    if settings.resume and not placed:
        raise ConfigError("resume=True needs out=: give the folder of the run to continue")
    return settings if placed else settings.but(out=default_folder(settings))


def _upgrades(prepared: Prepared) -> list[str]:
    """Return a line for each library whose version differs from that at the start of the resumed run."""
    settings = prepared.settings
    if not settings.resume or not has_run(settings.out):
        return []
    began, now = read_config(settings.out)["libraries"], libraries()
    return [
        f"library {name}: now {now.get(name, 'not installed')}; this run began with {began.get(name, 'none recorded')}"
        for name in sorted(began.keys() | now.keys())
        if began.get(name) != now.get(name)
    ]
