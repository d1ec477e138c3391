"""How many processes ask, where nobody says so."""

from dataclasses import replace

import pytest

from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.launch import prepare
from medvision_agent.eval.engines.choice import number_of, stated
from medvision_agent.eval.settings.settings import Settings

REMOTE = {"provider": "openai", "model": "m", "base_url": "http://127.0.0.1:1", "perceived": {"rule": "native"}}
LOCAL = {"provider": "transformers", "model": "m", "perceived": {"rule": "native"}}


def planned(samples, row=None, **given):
    """Return a run of so many samples, prepared; nothing is asked."""
    settings = Settings(model="baseline-cv", tools="off", **given)
    run = prepare(settings, asking=False)
    model = run.model if row is None else MODEL_CONFIG.validate_python(row)
    return replace(run, model=model, samples=run.samples[:1] * samples)


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


def test_it_is_stated():
    assert stated(1, Settings(model="m")) == []
    assert stated(3, Settings(model="m")) == ["asking in 3 processes (--processes 1: in this one alone)"]
    ray = Settings(model="m", engine="ray", address="auto")
    assert stated(2, ray) == ["asking by 2 workers of the Ray cluster auto"]
