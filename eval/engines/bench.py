"""A worker's bench: prepares the runs it is given, and asks their samples as the writing process would.

Contract: it prepares a run from the settings as the writing process did, and raises ConfigError if the identity then
differs. It writes the images of answered samples into the run's folder, flushed, and nothing else; records and traces
go back as messages.
"""

import asyncio
import gc
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.trace import Trace
from medvision_agent.agent.wire.rate_limit import Pace, Start
from medvision_agent.errors import ConfigError, MedVisionAgentError
from medvision_agent.eval.asking.chosen import Chosen
from medvision_agent.eval.asking.launch import Prepared, job_of, prepare
from medvision_agent.eval.asking.one import Beside, ask_one
from medvision_agent.eval.asking.pictures import Pictures
from medvision_agent.eval.asking.pool import Job
from medvision_agent.eval.asking.thinking import with_budget
from medvision_agent.eval.data.medvision.source import Reading
from medvision_agent.eval.data.samples import Kept
from medvision_agent.eval.data.source import Source
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.engines.messages import Ask, Broke, GaveUp, Open, Opened, Told
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.files import write_picture
from medvision_agent.eval.store.record import Record

__all__ = ["Bench", "FarPace", "spoken", "told"]

T = TypeVar("T")
_OF_SAMPLES = {"sample_ids_sha256", "samples_sha256", "volumes_sha256", "picture", "donors_sha256", "told_truth"}
_OF_SAMPLES |= {"words_origin", "words_sha256"}
"""Fields of an identity that depend on the chosen samples or on another run, which a worker does not know."""


@dataclass(eq=False)
class _FarStart(Start):
    number: int
    took: int | None = None


class FarPace(Pace):
    """Limits per minute that another process keeps for all workers."""

    def __init__(self, turn: Callable[[], Awaitable[int]], tell: Callable[[int, int | None], object]) -> None:
        """*turn* waits until a request may start and returns its number.

        *tell* takes that number and the tokens that the request took, None where it had no reply, once it is over.
        """
        super().__init__()
        self._turn, self._tell = turn, tell

    async def wait(self, sleep: Callable[[float], Awaitable[None]]) -> Start:  # noqa: ARG002 - the other one waits
        """Wait until a request may start; raises GivenUpError where the run is being stopped."""
        return _FarStart(0.0, 0.0, await self._turn())

    def took(self, start: Start, tokens: int) -> None:
        """Note how many tokens a request took."""
        assert isinstance(start, _FarStart)  # noqa: S101 - ``wait`` makes no other
        start.took = tokens

    def ended(self, start: Start) -> None:
        """Tell that a request is over, and what it took."""
        assert isinstance(start, _FarStart)  # noqa: S101 - ``wait`` makes no other
        self._tell(start.number, start.took)


@dataclass(frozen=True, eq=False)
class _Lane:
    opened: Open
    job: Job


class Bench:
    """The lanes of one worker; their models are open until the process ends."""

    def __init__(self, pace: Callable[[int, str, ModelConfig], Pace]) -> None:
        """*pace* returns the rate limiter for the model of a lane, by its name and row."""
        self._pace = pace
        self._lanes: dict[int, _Lane] = {}
        self._sources: dict[tuple[str, Reading], Source] = {}
        self._chats: dict[str, dict[bool, Chat]] = {}
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()

    async def open(self, message: Open) -> Opened:
        """Prepare a lane; raises a MedVisionAgentError where the settings give another identity in this process."""
        async with self._opening:
            settings = Settings.model_validate_json(message.settings)
            prepared = await asyncio.to_thread(self._prepared, settings)
            _check_same(message, prepared)
            chat = await self._chat(prepared, message)
            self._lanes[message.lane] = _Lane(message, job_of(prepared, chat))
        gc.freeze()  # as ``settled_heap`` does: the present objects live to the end
        return Opened(message.number)

    async def ask(self, message: Ask, waiting: Waiting) -> Told:
        """Ask one sample and return its stored form; raises the same errors as an engine's ``ask``."""
        record, trace = await self.asked(message, waiting)
        return await asyncio.to_thread(told, message.number, record, trace, self._lanes[message.lane].opened)

    async def asked(self, message: Ask, waiting: Waiting) -> tuple[Record, Trace]:
        """Ask one sample, and return its record and its trace."""
        lane = self._lanes[message.lane]
        job = lane.job
        if lane.opened.picture != "own":
            donors = {message.sample.id: message.donor} if message.donor else {}
            job = replace(job, pictures=Pictures(lane.opened.picture, donors))
        if message.lent is not None:
            job = replace(job, wording=replace(job.wording, lent={message.sample.id: message.lent}))
        if message.thinking_budget is not None:
            job = with_budget(job, message.thinking_budget)
        return await ask_one(job, message.sample, message.attempt, Beside(message.results, message.pixels), waiting)

    def _prepared(self, settings: Settings) -> Prepared:
        key = settings.data, settings.reading
        if key not in self._sources:
            self._sources[key] = open_source(settings.data, settings.reading, listing=False)
        # The picture of each sample comes with it, and so do its words where they are upstream's.
        return prepare(settings.but(picture="own", resume=False), chosen=Chosen(self._sources[key], Kept()))

    async def _chat(self, prepared: Prepared, message: Open) -> Chat:
        """Return the model of a lane: opened once for each way of opening it, its limits kept by the other process."""
        config = prepared.model.model_copy(update={"max_connections": message.connections})
        chats, code = self._chats.setdefault(prepared.settings.model, {}), prepared.condition.provider_code
        if code not in chats:
            chats[code] = await self._stack.enter_async_context(open_model(config, provider_code=code))
            if config.requests_per_minute or config.tokens_per_minute:
                vars(chats[code])["pace"] = self._pace(message.lane, prepared.settings.model, config)
        first = next(iter(chats.values()))
        return chats[code].beside(first, config)


async def spoken(number: int, work: Awaitable[T]) -> T | GaveUp | Broke:
    """Return a message for the process that writes the run with the result of *work*, or its error."""
    try:
        return await work
    except GivenUpError:
        return GaveUp(number)
    except MedVisionAgentError as error:
        return Broke(number, type(error).__name__, str(error))
    except Exception:  # noqa: BLE001 - that process raises it
        return Broke(number, "", traceback.format_exc())


def _check_same(message: Open, prepared: Prepared) -> None:
    here: dict[str, Any] = prepared.identity.model_dump(mode="json")
    different = [
        name for name, value in message.identity.items() if name not in _OF_SAMPLES and here.get(name) != value
    ]
    if different:
        raise ConfigError(
            f"a worker of --processes prepared the run differently from the command that began it; these fields of the "
            f"identity differ: {', '.join(different)}. Both need the same version, the same packages, and the same "
            "files of models, tools and prompts: make them the same, and repeat the command with --resume"
        )


def told(number: int, record: Record, trace: Trace, opened: Open) -> Told:
    """Return a sample's result; its images are on disk if it had a reply, because it will then be stored."""
    pictures = trace.pictures
    if record.finish_reasons and opened.folder is not None:
        for key, png in pictures.items():
            write_picture(opened.folder, key, png, opened.shared)
        pictures = {}
    return Told(number, record.model_dump_json(exclude={"sample"}), trace.to_json(), pictures)
