"""A run whose process is killed again and again while the same sample is asked."""

import json
import signal

from fake.replies import HANG, text

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.in_flight import JOURNAL
from medvision_agent.eval.store.read import open_run

ANSWER = text("<think>so</think><answer>10.0</answer>")


def hanging(server, *numbers: int) -> None:
    """Have the server answer all samples but these, which it never does."""
    scripted = type(server)._next

    def judge(request):
        reply = scripted(server, request)
        body = json.dumps(request.body)
        return HANG if any(f"Landmark 1: start {number}\\n" in body for number in numbers) else reply

    server._next = judge
    server.script([ANSWER], by_turn=True)


def run_words(data, models, out, *more):
    common = ("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", "off", "--out", out)
    return (*common, "--max-connections", 2, *more)


async def killed(server, start, words, requests: int) -> list[int]:
    """Start a run, kill it at a number of further requests, and return which samples they asked about."""
    before = len(server.requests)
    process = await start(*words)
    await server.wait_for(before + requests)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    return server.asked(before)


async def test_what_the_program_dies_of_is_asked_alone_and_then_set_aside(server, data, models, start, call, tmp_path):
    words = run_words(data, models, tmp_path / "run")
    hanging(server, 0, 1)
    assert sorted(await killed(server, start, words, 2)) == [0, 1]
    assert sorted(await killed(server, start, [*words, "--resume"], 2)) == [0, 1]
    hanging(server, 0)
    assert await killed(server, start, [*words, "--resume"], 1) == [0], "nothing else is asked beside it"
    code, out, err = await call(*words, "--resume")
    assert code == 1
    assert "s0: the program died 3 times while asking this sample, the last time while asking it alone" in err
    assert "no sample of this run is asked again; `rerun` asks all of them in a new run" in err
    assert "--resume" not in err
    assert "SET ASIDE, because the program died while asking each of them alone: s0" in " ".join(out.split())
    run = open_run(tmp_path / "run")
    assert [record.outcome for record in run.records] == [Outcome.CRASHED] + [Outcome.ANSWERED] * 11
    assert run.pending() == []
    assert not (tmp_path / "run" / JOURNAL).exists()
    before = len(server.requests)
    assert (await call(*words, "--resume"))[0] == 1
    assert len(server.requests) == before, "it is not asked again"


async def test_suspects_that_are_answered_alone_are_results_as_any_other(server, data, models, start, call, tmp_path):
    words = run_words(data, models, tmp_path / "run")
    hanging(server, 3, 4)
    await killed(server, start, words, 5)
    await killed(server, start, [*words, "--resume"], 2)
    hanging(server)
    before = len(server.requests)
    code, _, err = await call(*words, "--resume")
    assert code == 0, err
    assert server.asked(before)[:2] == [3, 4], "suspects come first, one after the other"
    assert {record.outcome for record in open_run(tmp_path / "run").records} == {Outcome.ANSWERED}
    assert not (tmp_path / "run" / JOURNAL).exists()
