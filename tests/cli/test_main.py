"""How the command line ends where a command does not see to it itself."""

import subprocess
import sys

import click
import pytest

from medvision_agent.cli.main import LazyGroup, main
from medvision_agent.version import VERSION


def ends(monkeypatch, capsys, error):
    """Return the exit code and the error stream of a command that raises *error*."""

    @click.command("x")
    def command():
        raise error

    monkeypatch.setattr(LazyGroup, "get_command", lambda self, context, name: command)
    monkeypatch.setattr("sys.argv", ["medvision-agent", "x"])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code, capsys.readouterr().err


def test_ctrl_c_anywhere_has_the_code_of_an_interruption(monkeypatch, capsys):
    code, err = ends(monkeypatch, capsys, KeyboardInterrupt())
    assert (code, err.strip()) == (130, "stopped")


@pytest.mark.parametrize("moment", ["make_context", "get_command", "parse_args"])
def test_ctrl_c_before_the_command_runs_has_it_too(monkeypatch, capsys, moment):
    def stopped(*words, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(LazyGroup, moment, stopped)
    monkeypatch.setattr("sys.argv", ["medvision-agent", "x"])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, capsys.readouterr().err.strip()) == (130, "stopped")


def test_wrong_usage_and_help_keep_their_codes(monkeypatch, capsys):
    for words, code, said in ((["--help"], 0, "Usage"), (["nonsense"], 2, "No such command"), ([], 2, "Usage")):
        monkeypatch.setattr("sys.argv", ["medvision-agent", *words])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        assert (end.value.code, said in shown.out + shown.err) == (code, True)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")])
def test_a_process_without_memory_says_so(monkeypatch, capsys, error):
    code, err = ends(monkeypatch, capsys, error)
    assert code == 2
    assert err.startswith("Error: this process ran out of memory or threads")
    assert "--resume" in err


def test_another_fault_of_ours_keeps_its_traceback(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["medvision-agent", "x"])
    monkeypatch.setattr(LazyGroup, "get_command", lambda *_: click.Command("x", callback=lambda: {}["x"]))
    with pytest.raises(KeyError):
        main()


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        (["rnu"], "run"),
        (["data", "lsit"], "list"),
        (["export", "x", "--out", "y", "--format", "paquet"], "parquet"),
        (["run", "--model", "baseline-cv", "--plane", "axal"], "axial"),
        (["run", "--modle", "x"], "--model"),
    ],
)
def test_what_is_mistyped_is_answered_with_the_nearest_known(monkeypatch, capsys, words, nearest):
    monkeypatch.setattr("sys.argv", ["medvision-agent", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    err = capsys.readouterr().err
    assert stopped.value.code == 2
    assert err.count("Did you mean") == 1
    assert f"'{nearest}'" in err.partition("Did you mean")[2]


def test_the_package_is_started_as_a_module_too():
    for words, code, said in ((["--version"], 0, f"medvision-agent, version {VERSION}"), (["nonsense"], 2, "No such")):
        command = [sys.executable, "-m", "medvision_agent", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert said in done.stdout + done.stderr
