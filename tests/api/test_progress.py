"""The lines of a run without a terminal: the first sample, one a minute, the end; and a terminal's bar.

The clock is the test's own.
"""

import subprocess
import sys

import pytest
from identities import a_sample

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.api.progress import RunProgress
from medvision_agent.eval.store.record import Record


def record(answer: str = "10.0", outcome: Outcome = Outcome.ANSWERED) -> Record:
    usage = Usage(model_calls=1, input=900, output=100)
    return Record(sample=a_sample(), outcome=outcome, response=f"<answer>{answer}</answer>", usage=usage, cost_usd=0.25)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().err.splitlines()


def test_the_first_sample_is_told_then_a_line_a_minute_and_the_end(clock, capfd):
    with RunProgress(clock=clock) as shown:
        shown.begin(400, "gpt")
        assert lines(capfd) == []
        clock.now += 2
        shown.add(record())
        (first,) = lines(capfd)
        assert first.startswith("gpt: 1 of 400, loss 0.000, success rate 100.0% (n 1), 0.5/s,")
        for _ in range(100):  # 50 seconds
            clock.now += 0.5
            shown.add(record("15.0"))
        assert lines(capfd) == []
        clock.now += 10
        shown.add(record("no"))
        (minute,) = lines(capfd)
        assert minute.startswith("gpt: 102 of 400, loss 0.500, success rate 99.0% (n 102), 1.6/s,")
        assert minute.endswith("102k tokens, $25.50, 0:01:02 elapsed, about 0:03:01 left")
        clock.now += 1
        shown.add(record(outcome=Outcome.TIMEOUT))
        assert lines(capfd) == []
    (last,) = lines(capfd)
    assert last.startswith("gpt: 103 of 400, loss 0.500, success rate 99.0% (n 102), ")
    assert "not reached 1" in last


def test_an_end_without_news_repeats_nothing(clock, capfd):
    with RunProgress(clock=clock) as shown:
        shown.begin(1, "gpt")
        shown.add(record())
        assert len(lines(capfd)) == 1
    assert lines(capfd) == []


def test_a_run_that_stands_still_says_why(clock, capfd):
    fault = Fault(Outcome.RATE_LIMITED, "slow down", retryable=True, wait_seconds=30)
    with RunProgress(clock=clock) as shown:
        shown.begin(9, "gpt")
        shown.add(record())
        capfd.readouterr()
        clock.now += 59
        shown.fault(fault, 1)
        assert lines(capfd) == []
        clock.now += 1
        shown.fault(fault, 2)
        (line,) = lines(capfd)
        assert "failed tries 2 (last: rate_limited, asked to wait 30 s)" in line


def test_nothing_is_said_where_it_is_not_shown(clock, capfd):
    with RunProgress(shown=False, clock=clock) as shown:
        shown.begin(1, "gpt")
        shown.add(record())
    assert lines(capfd) == []


def test_names_cannot_steer_a_terminal(clock, capfd):
    with RunProgress(clock=clock) as shown:
        shown.begin(1, "gpt\x1b[2J")
        shown.add(record())
    assert lines(capfd)[0].startswith("gpt?[2J: 1 of 1")


def test_a_run_that_hangs_has_a_line_a_minute_with_what_is_in_flight(clock, capfd):
    with RunProgress(clock=clock) as shown:
        shown.tick()  # before anything is known of the run
        shown.begin(12, "gpt")
        asking = shown.watch().asking
        with asking("s0"):
            clock.now += 10
            with asking("s1\x1b[2J"):
                clock.now += 49
                shown.tick()
                assert lines(capfd) == []
                clock.now += 1
                shown.tick()
                (minute,) = lines(capfd)
                assert minute.startswith("gpt: 0 of 12, -/s, ")
                assert "2 samples in flight, the longest for 0:01:00 (s0), 0:01:00 elapsed" in minute
                clock.now += 59
                shown.tick()
                assert lines(capfd) == []
            shown.add(record())
            assert lines(capfd) == []
            clock.now += 1
            shown.tick()
            (minute,) = lines(capfd)
            assert "gpt: 1 of 12, loss 0.000" in minute
            assert "1 sample in flight for 0:02:00 (s0), 0:02:00 elapsed" in minute
    assert lines(capfd) == []


def test_a_tick_leaves_nothing_to_be_said_at_the_end(clock, capfd):
    with RunProgress(clock=clock) as shown:
        shown.begin(1, "gpt")
        shown.add(record())
        clock.now += 5
        shown.tick()
        assert len(lines(capfd)) == 1
    assert lines(capfd) == []


def test_a_terminal_has_a_bar_with_a_line_of_facts_and_no_lines(clock, capfd, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    with RunProgress(clock=clock) as shown:
        shown.begin(9, "gpt\x1b[2J")
        clock.now += 2
        shown.add(record())
    drawn = capfd.readouterr().err
    assert "gpt?[2J" in drawn
    assert "1/9" in drawn
    assert "loss 0.000, success rate 100.0% (n 1)" in drawn
    assert "1 of 9" not in drawn


def test_a_closed_error_stream_is_no_terminal(clock, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    with RunProgress(clock=clock) as shown:
        shown.begin(9, "gpt")


def test_lines_do_not_need_the_package_that_draws_bars():
    code = (
        "import sys, medvision_agent.cli.lean as lean\nlean.import_lean()\n"
        "from medvision_agent.api.progress import RunProgress\n"
        "with RunProgress() as shown: shown.begin(9, 'gpt')\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr
