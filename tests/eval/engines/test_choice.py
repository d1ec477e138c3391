"""How many processes ask, where nobody says so."""

import asyncio
from dataclasses import replace

import pytest

from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.launch import job_of, prepare
from medvision_agent.eval.asking.pool import Lane
from medvision_agent.eval.data.samples import Picked
from medvision_agent.eval.engines.choice import number_of, stated
from medvision_agent.eval.engines.dispatch import Worker, dispatching
from medvision_agent.eval.settings.settings import Settings

REMOTE = {"provider": "openai", "model": "m", "base_url": "http://127.0.0.1:1", "perceived": {"rule": "native"}}
LOCAL = {"provider": "transformers", "model": "m", "perceived": {"rule": "native"}}


def planned(samples, row=None, **given):
    """Return a run of so many samples, prepared; nothing is asked."""
    settings = Settings(model="baseline-cv", tools="off", **given)
    run = prepare(settings, asking=False)
    model = run.model if row is None else MODEL_CONFIG.validate_python(row)
    return replace(run, model=model, samples=Picked(run.samples, [0] * samples))


@pytest.mark.parametrize(
    ("run", "number"),
    [
        (planned(99), 1),
        (planned(250), 2),  # no more than are worth their start
        (planned(10_000), 8),  # no more than there are cores
        (planned(10_000, REMOTE, max_connections=127), 1),
        (planned(10_000, REMOTE, max_connections=256), 4),
        (planned(10_000, REMOTE, max_connections=1000), 8),
        (planned(10_000, REMOTE, max_connections=1000, processes=3), 3),
        (planned(10_000, LOCAL), 1),
        (planned(5, processes=2, engine="ray"), 2),
        (planned(5, engine="ray"), 1),
    ],
)
def test_as_many_as_help(run, number):
    assert number_of([run], cores=8) == number


def test_a_model_in_this_process_is_not_loaded_twice():
    with pytest.raises(ConfigError, match="--processes 2: model 'baseline-cv' is loaded into the process that asks"):
        number_of([planned(5, LOCAL, processes=2)])


def test_a_row_speaks_of_each_time_its_model_is_loaded_and_an_option_of_all_processes():
    row = LOCAL | {"batch_size": 4}
    assert planned(5, row, engine="ray", processes=3).parallel == 12
    assert planned(5, row, engine="ray", processes=3, max_connections=6).parallel == 6
    assert planned(5, REMOTE | {"max_connections": 4}, processes=3).parallel == 4


def test_no_process_has_more_in_flight_than_it_can():
    with pytest.raises(ConfigError, match=r"--max-connections 2001: .* give --processes 3 or more"):
        number_of([planned(5, REMOTE, max_connections=2001, processes=2)])
    assert number_of([planned(5, REMOTE, max_connections=16_384, processes=64, engine="ray")]) == 64


async def test_workers_share_the_connections_of_each_model_evenly():
    most, together = dict[tuple[int, str], int](), asyncio.Event()

    class Counting(Worker):
        async def ask(self, lane, message, waiting):
            name = lane.job.settings.model
            self.flying[name] += 1
            key = id(self), name
            most[key] = max(most.get(key, 0), self.flying[name])
            if sum(most.values()) == 2 * 7:
                together.set()
            await together.wait()
            raise GivenUpError

        async def start(self): ...
        async def answer(self, message, waiting): ...
        def stop(self): ...
        async def close(self): ...

    run = planned(1)
    async with dispatching(3, Counting, asyncio.Event()) as engine, open_model(run.model) as chat:
        job = job_of(run, chat)
        lanes = [Lane(replace(job, settings=job.settings.but(model=name)), None, None) for name in ("a", "b")]
        asks = [engine.ask(lane, run.samples[0], 1, Waiting()) for lane in lanes for _ in range(7)]
        await asyncio.gather(*asks, return_exceptions=True)
    assert sorted(most.values()) == [2, 2, 2, 2, 3, 3]


def test_it_is_stated(monkeypatch):
    assert stated(1, Settings(model="m")) == []
    assert stated(3, Settings(model="m")) == ["asking in 3 processes (--processes 1: in this one alone)"]
    ray = Settings(model="m", engine="ray", address="auto")
    assert stated(2, ray) == ["asking by 2 workers of the Ray cluster auto"]
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert stated(2, ray.but(address=None)) == ["asking by 2 workers of the Ray cluster head:6379"]
