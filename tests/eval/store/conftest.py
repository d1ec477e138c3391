"""A stored run whose every part can be damaged."""

import sqlite3
from contextlib import closing

import pytest
from identities import a_sample, an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import ToolCallTrace, Trace
from medvision_agent.eval.store.record import Record, ToolUse
from medvision_agent.eval.store.write import RunStore

IDENTITY = an_identity(model={"provider": "offline", "name": "cv"}, recipe="medvision-1.2")
CONFIG = {"source": {"name": "demo", "note": "a note", "demonstration": True}}
SAMPLES = [a_sample(f"s{number}") for number in range(4)]


def add(store, number, *, attempt=1, outcome=Outcome.ANSWERED):
    """Store a sample with a conversation and a picture of its own."""
    call = ToolCallTrace("ruler", "c", {"x": number}, True, "{}", None, 0.1)
    trace = Trace([{"type": "ai", "content": f"word {number}"}], [call])
    key = trace.picture(b"picture %d" % number)
    answer = f"<answer>{number}</answer>" if outcome is Outcome.ANSWERED else ""
    fields = {"sample": SAMPLES[number], "attempt": attempt, "outcome": outcome, "response": answer, "v0_sha256": key}
    fields["tool_uses"] = (ToolUse(tool="ruler", ok=True, seconds=0.1),)
    store.add(Record(**fields), trace)


@pytest.fixture
def folder(tmp_path):
    """Return a run of three finished samples, the first after a time-out, and one that is left."""
    with RunStore.create(tmp_path / "run", SAMPLES, IDENTITY, CONFIG) as store:
        add(store, 0, outcome=Outcome.TIMEOUT)
        for number in range(3):
            add(store, number, attempt=2 if number == 0 else 1)
    return tmp_path / "run"


@pytest.fixture
def edit(folder):
    """Return a function that runs SQL on the run's database, as a careless hand would."""

    def edited(*statements):
        with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
            return [database.execute(statement).fetchall() for statement in statements]

    return edited
