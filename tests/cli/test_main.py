"""How the command line ends where a command does not see to it itself."""

import click
import pytest

from medvision_agent.cli.main import LazyGroup, main


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
    assert ends(monkeypatch, capsys, KeyboardInterrupt()) == (130, "stopped\n")


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
