"""Shell completion in real shells: what is offered, and the one command that sets it up."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import COMMAND, INSTALLED

SHELLS = [
    pytest.param(shell, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed"))
    for shell in ("bash", "zsh")
]
ASK = {
    "bash": """
        source {file}
        COMP_WORDS=({words}); COMP_CWORD=$(({count} - 1))
        _medvision_agent_completion medvision-agent
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    "zsh": """
        autoload -Uz compinit && compinit -u
        source {file}
        compadd() {{ print -l -- ${{(P)@[-1]}} }}  # the last argument names the list
        _describe() {{ print -l -- ${{(P)3}} }}
        words=({words}); CURRENT={count}
        _medvision_agent_completion
    """,
}


def environ(home: Path, shell: str) -> dict[str, str]:
    """Return an environment whose home is *home* and in which the command is found."""
    bin_folder = home / "bin"
    bin_folder.mkdir(exist_ok=True)
    if not (bin_folder / "medvision-agent").exists():
        (bin_folder / "medvision-agent").symlink_to(INSTALLED)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ZDOTDIR"))}
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    return kept | {"HOME": str(home), "SHELL": f"/bin/{shell}", "PATH": path}


def install(home: Path, shell: str, *words: str) -> str:
    done = subprocess.run(
        [COMMAND, "completion", *words, "--install"],
        env=environ(home, shell),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def offered(home: Path, shell: str, *words: str) -> list[str]:
    """Return what the shell offers for the last of *words*."""
    file = home / f".local/share/medvision-agent/completion.{shell}"
    script = ASK[shell].format(file=file, words=" ".join(f"'{word}'" for word in words), count=len(words))
    done = subprocess.run(
        [shell, "-c", script], cwd=home, env=environ(home, shell), capture_output=True, text=True, check=False
    )
    return done.stdout.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_one_command_sets_it_up_and_models_tools_protocols_and_runs_are_offered(tmp_path, shell):
    (tmp_path / "runs/on").mkdir(parents=True)
    (tmp_path / "runs/on/run.sqlite").write_text("")
    (tmp_path / f".{shell}rc").write_text("alias x=y")
    assert "new shells read it" in install(tmp_path, shell)
    started = (tmp_path / f".{shell}rc").read_text()
    assert started.startswith("alias x=y\n[ -r ")
    install(tmp_path, shell, shell)
    assert (tmp_path / f".{shell}rc").read_text() == started
    assert "gemini-2.5-flash" in offered(tmp_path, shell, "medvision-agent", "run", "--model", "gemini-2")
    assert "crop,ruler" in offered(tmp_path, shell, "medvision-agent", "run", "--tools", "crop,ru")
    assert "paper-v1" in offered(tmp_path, shell, "medvision-agent", "score", "x", "--protocol", "pap")
    assert "runs/on" in offered(tmp_path, shell, "medvision-agent", "score", "ru")
    commands = offered(tmp_path, shell, "medvision-agent", "com")
    assert {"compare", "completion"} <= {word.partition(":")[0] for word in commands}  # zsh has their help behind it


def test_a_catalogue_that_cannot_be_read_offers_nothing_and_prints_no_error(tmp_path):
    words = "medvision-agent models show gem"
    asked = {"COMP_WORDS": words, "COMP_CWORD": "3", "_MEDVISION_AGENT_COMPLETE": "bash_complete"}
    broken = asked | {"MEDVISION_AGENT_MODELS": str(tmp_path / "none.yaml")}
    for given, said in ((asked, True), (broken, False)):
        done = subprocess.run([INSTALLED], env=os.environ | given, capture_output=True, text=True, check=False)
        assert ("gemini-2.5-flash" in done.stdout) is said
        assert done.stderr == ""


def test_an_unknown_shell_is_named(tmp_path):
    done = subprocess.run(
        [COMMAND, "completion"], env=environ(tmp_path, "tcsh"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "$SHELL is 'tcsh'" in done.stderr
