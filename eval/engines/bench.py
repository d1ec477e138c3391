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
    """A rate limiter of a model whose limits per minute another process keeps for all workers."""

    def __init__(self, turn: Callable[[], Awaitable[int]], tell: Callable[[int, int | None], object]) -> None:
        """Take two functions that reach the process with the limits.

        *turn* waits until a request may start and returns its number. *tell* is called once the request is over, with
        that number and the tokens that the request took, None where it had no reply.
        """
        super().__init__()
        self._turn, self._tell = turn, tell

    async def wait(self, sleep: Callable[[float], Awaitable[None]]) -> Start:  # noqa: ARG002 - the other one waits
        """Wait until a request may start; raises GivenUpError where the run is being stopped."""
        return _FarStart(0.0, 0.0, await self._turn())

    def took(self, start: Start, tokens: int) -> None:
        """Note how many tokens a request took, input and output together."""
        assert isinstance(start, _FarStart)  # noqa: S101 - ``wait`` makes no other
        start.took = tokens

    def ended(self, start: Start) -> None:
        """Report to the process with the limits that a request is over, and how many tokens it took."""
        assert isinstance(start, _FarStart)  # noqa: S101 - ``wait`` makes no other
        self._tell(start.number, start.took)


@dataclass(frozen=True, eq=False)
class _Lane:
    opened: Open
    job: Job


class Bench:
    """The prepared runs (lanes) of one worker, with their models, which stay open until the process ends."""

    def __init__(self, pace: Callable[[int, str, ModelConfig], Pace]) -> None:
        """Take *pace*, a function that returns the rate limiter of a model.

        Its arguments are the lane's number, the model's name and the model's row.
        """
        self._pace = pace
        self._lanes: dict[int, _Lane] = {}
        self._sources: dict[tuple[str, Reading], Source] = {}
        self._chats: dict[str, dict[bool, Chat]] = {}
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()

    async def open(self, message: Open) -> Opened:
        """Prepare the run of a lane, and return the message that it is prepared.

        Raises ConfigError where the settings give another identity in this process, or another MedVisionAgentError
        where the run cannot be prepared.
        """
        async with self._opening:
            settings = Settings.model_validate_json(message.settings)
            prepared = await asyncio.to_thread(self._prepared, settings)
            _check_same(message, prepared)
            chat = await self._chat(prepared, message)
            self._lanes[message.lane] = _Lane(message, job_of(prepared, chat))
        gc.freeze()  # as ``settled_heap`` does: the present objects live to the end
        return Opened(message.number)

    async def ask(self, message: Ask, waiting: Waiting) -> Told:
        """Ask one sample, and return the message with its record, trace and images.

        Raises GivenUpError where the run is being stopped, and MedVisionAgentError for an error that ends the run.
        """
        record, trace = await self.asked(message, waiting)
        return await asyncio.to_thread(told, message.number, record, trace, self._lanes[message.lane].opened)

    async def asked(self, message: Ask, waiting: Waiting) -> tuple[Record, Trace]:
        """Ask one sample, and return its record and its trace; raises the same errors as ``ask``."""
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
        """Return the open model of a lane. Its rate limits are kept by the process that writes the run.

        A model is opened once with the provider's code execution and once without, as far as lanes need it.
        """
        config = prepared.model.model_copy(update={"max_connections": message.connections})
        chats, code = self._chats.setdefault(prepared.settings.model, {}), prepared.condition.provider_code
        if code not in chats:
            chats[code] = await self._stack.enter_async_context(open_model(config, provider_code=code))
            if config.requests_per_minute or config.tokens_per_minute:
                vars(chats[code])["pace"] = self._pace(message.lane, prepared.settings.model, config)
        first = next(iter(chats.values()))
        return chats[code].beside(first, config)


async def spoken(number: int, work: Awaitable[T]) -> T | GaveUp | Broke:
    """Return the result of *work*, or the message that reports its error to the process that writes the run.

    *number* is that of the message that is answered.
    """
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
    """Return the message with a sample's result; *number* is that of the message that is answered.

    The images of a sample with a reply are written to the run's folder first; those of others are in the message.
    """
    pictures = trace.pictures
    if record.finish_reasons and opened.folder is not None:
        for key, png in pictures.items():
            write_picture(opened.folder, key, png, opened.shared)
        pictures = {}
    return Told(number, record.model_dump_json(exclude={"sample"}), trace.to_json(), pictures)
