"""Probes runs before their first sample: once for each model, endpoint and set of tools, not for each arm or session.

Contract: what the probe found is kept in the run, with what it took; a run that is resumed, and the other arms of a
study, take it from there. Only tools that are declared by the service's own function calling are probed for, and no
offline model is.
"""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.grammars.registry import grammar_of
from medvision_agent.agent.models import ModelConfig, Offline
from medvision_agent.agent.probe import Prober
from medvision_agent.agent.session import GivenUpError
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pool import Job
from medvision_agent.eval.asking.runner import Watch, waiting_until
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.write import RunStore
from medvision_agent.tools.view.frames import FRAMES

__all__ = ["Probed", "Probing", "is_probed", "key_of"]

_NOT_SENT = {"perceived", "frame"}
"""Keys of a row that do not change the probe's requests; their effect on the declarations is in the hash of these."""


def is_probed(model: ModelConfig, condition: Condition) -> bool:
    """Return whether tools are declared in a way that a server can drop: by its own function calling."""
    return bool(condition.tools) and not isinstance(model, Offline) and grammar_of(model) is None


def key_of(identity: Identity) -> str:
    """Return the SHA-256 of the probe's requests and their destination; equal keys need one probe."""
    row = {name: value for name, value in identity.model.items() if name not in _NOT_SENT}
    return sha256(json.dumps([row, identity.tool_schemas_sha256], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Probed:
    """A run that is about to be asked, as its probe needs it."""

    job: Job
    store: RunStore
    identity: Identity
    before: ToolProbe | None
    """The result of an earlier session's probe; None if no session probed the run."""
    wanted: bool = True
    """False: the run is asked without a probe."""


class Probing:
    """The probes of tool declarations for the runs that are asked together."""

    def __init__(self, before: Iterable[ToolProbe | None], meter: Meter, watch: Watch, stop: asyncio.Event) -> None:
        """Take what all probes share.

        *before* holds the result that each stored run has from an earlier session (None: no result); a settled one is
        not asked for again. *meter* counts what the probes cost, ``watch.on_note`` is called with every new result that
        is not a success, and *stop* ends the probes.
        """
        self._known = {probe.key: probe for probe in before if probe is not None and probe.settled}
        self._meter, self._watch, self._stop = meter, watch, stop
        self._probers: dict[int, Prober] = {}
        """By the model's object: all arms of a study share it."""

    async def settle(self, run: Probed) -> None:
        """Probe the tools of a run, unless the result is known already, and keep the result in the run's store.

        Raises ConfigError where the declarations do not reach the model, ProviderError where the provider refuses.
        """
        config, condition, before = run.job.chat.config, run.job.condition, run.before
        if not is_probed(config, condition) or (before is not None and before.settled):
            return
        key = key_of(run.identity)
        if (known := self._known.get(key)) is not None:
            probe = known.but(usage=Usage(), cost_usd=None)
        elif not run.wanted:
            probe = ToolProbe(found="skipped", key=key)
        else:
            try:
                probe = await self._prober(run.job.chat).probe(condition.schemas(FRAMES[config.frame]))
            except GivenUpError:
                return  # the run is being stopped; when it is resumed, it is probed
            probe = probe.but(key=key)
            self._meter.probed(probe)
            if probe.settled:
                self._known[key] = probe
        if probe.found != "reached":
            self._watch.on_note(str(probe))
        run.store.note_probe(_with_earlier(probe, before))

    def _prober(self, chat: Chat) -> Prober:
        waiting = waiting_until(self._stop, self._watch)
        return self._probers.setdefault(id(chat.model), Prober(chat, waiting))


def _with_earlier(probe: ToolProbe, before: ToolProbe | None) -> ToolProbe:
    """Return *probe* with the tokens and cost of an earlier session's probe, which found no result, added."""
    if before is None:
        return probe
    costs = [one.cost_usd for one in (before, probe) if one.cost_usd is not None]
    return probe.but(usage=before.usage + probe.usage, cost_usd=sum(costs) if costs else None)
